package tuf

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestEveryRefusalHasATestNamedAfterIt reads docs/reference/tuf.md against this
// package: every error that an update is refused for stands there, with tests that
// exist.
func TestEveryRefusalHasATestNamedAfterIt(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/tuf.md")
	if err != nil {
		t.Fatal(err)
	}
	set, err := os.ReadFile("set.go")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var tests []byte
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		tests = append(tests, b...)
	}
	refusals := regexp.MustCompile(`(?m)^\t(Err\w+)\s+= errors\.New`).FindAllSubmatch(set, -1)
	if len(refusals) < 8 {
		t.Errorf("only %d refusals were found in set.go", len(refusals))
	}
	for _, r := range refusals {
		row := regexp.MustCompile("(?m)^\\| `" + string(r[1]) + "` \\| (.+) \\|$").FindSubmatch(page)
		if row == nil {
			t.Errorf("docs/reference/tuf.md does not list %s", r[1])
			continue
		}
		for _, name := range regexp.MustCompile("`(Test\\w+)`").FindAllSubmatch(row[1], -1) {
			if !bytes.Contains(tests, append([]byte("func "), append(name[1], '(')...)) {
				t.Errorf("%s: there is no %s", r[1], name[1])
			}
		}
	}
}
