package datapackage_test

import (
	"strings"
	"testing"

	"koprik/portal"
	"koprik/portal/datapackage"
)

func TestFilesBesideThePublishersHaveOnePlace(t *testing.T) {
	for role, paths := range map[string][]string{
		datapackage.TalkbackRole: {"talkback/threads.main_water", "receipts/ab", "acks/" + strings.Repeat("0", 64)},
		datapackage.SealRole:     {"seal/2026q4"},
	} {
		for _, p := range paths {
			if err := datapackage.ParseSidePath(role, p); err != nil {
				t.Error(err)
			}
		}
	}
	for _, bad := range []string{"", "talkback", "talkback/", "talkback/a/b", "talkback/../a", "talkback/.a", "talkback/A", "d/main/water/1.json", "seal/2026q4", "talkback/" + strings.Repeat("a", 161)} {
		if datapackage.ParseSidePath(datapackage.TalkbackRole, bad) == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if got := datapackage.SideFile("receipts/ab", portal.Digest{1}); got != "receipts/01"+strings.Repeat("0", 62)+".ab" {
		t.Error(got)
	}
	if datapackage.IsSide("main") || !datapackage.IsSide("seal") {
		t.Error("a publisher and a role beside them are confused")
	}
}
