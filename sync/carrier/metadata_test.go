package carrier_test

import (
	"testing"

	"koprik/sync/carrier"
)

func TestMetadataIsCalledByVersionAndRole(t *testing.T) {
	for _, role := range []string{"root", "snapshot", "my-office"} {
		for _, version := range []int64{1, 12, 1 << 40} {
			v, r := carrier.ParseMetadataName(carrier.MetadataName(role, version))
			if v != version || r != role {
				t.Errorf("%s %d reads back as %s %d", role, version, r, v)
			}
		}
	}
	if p := carrier.MetadataPath("root", 3); p != "metadata/3.root.json" {
		t.Error(p)
	}
	for _, name := range []string{"", "timestamp.json", "0.root.json", "-1.root.json", "x.root.json", "1.root", "1.root.json.tmp", "99999999999999999999.root.json"} {
		if v, r := carrier.ParseMetadataName(name); v != 0 || r != "" {
			t.Errorf("%q is taken for %s %d", name, r, v)
		}
	}
}
