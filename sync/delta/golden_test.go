package delta_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"koprik/sync/delta"
)

var update = flag.Bool("update", false, "write testdata anew: only for a codec with a new number")

// goldenContents are made without a generator that could ever change.
func goldenContents() (old, fresh []byte) {
	var a, b strings.Builder
	a.WriteString("region;year;value;note\r\n")
	b.WriteString("region;year;value;share;note\r\n")
	for i := range 400 {
		name := string(rune('A'+i%14)) + " viloyati"
		fmt.Fprintf(&a, "%s;%d;%d.%d;\"n %d\"\r\n", name, 1990+i/14, i*7919%10007, i%10, i%3)
		if i%50 != 7 {
			fmt.Fprintf(&b, "%s;%d;%d.%d;;\"n %d\"\r\n", name, 1990+i/14, i*7919%10007+i%13/12*5, i%10, i%3)
		}
	}
	return []byte(a.String()), []byte(b.String())
}

// TestPatchesOfThisVersionAreReadForEver: the models are the format. When this
// fails, patches that were published can no longer be applied: give the changed
// codec a new number instead.
func TestPatchesOfThisVersionAreReadForEver(t *testing.T) {
	old, fresh := goldenContents()
	want := delta.ContentOf(fresh)
	for _, codec := range all[1:] {
		name := filepath.Join("testdata", codec.String()+".kpd")
		if *update {
			if err := os.WriteFile(name, encode(t, old, fresh, codec).Patch, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		patch, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if codec >= delta.Copies {
			if !bytes.Equal(patch, encode(t, old, fresh, codec).Patch) {
				t.Errorf("%s: the patch made now is another", codec)
			}
		}
		if got, err := apply(patch, old, want); err != nil || !bytes.Equal(got, fresh) {
			t.Errorf("%s: %v", codec, err)
		}
	}
}
