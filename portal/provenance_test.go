package portal

import (
	"bytes"
	"strings"
	"testing"
)

func provenance() Provenance {
	return Provenance{
		Dataset: "main_water", Release: 3, Fingerprint: DigestOf([]byte("manifest")),
		Address: "/dataset/main_water/release/3/rows?a__eq=suv;\"<>&oʻ&b=1",
	}
}

func TestProvenanceIsOneLineThatNoFormatEscapes(t *testing.T) {
	line := provenance().String()
	if strings.Trim(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~%=:;+") != "" {
		t.Errorf("%s", line)
	}
	if p, err := ParseProvenance(line); err != nil || p != provenance() {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestProvenanceHasOneSpelling(t *testing.T) {
	line := provenance().String()
	for _, bad := range []string{
		"", "koprik-provenance:1;", "koprik-provenance:1;;;;;end", line + " ", " " + line, strings.Replace(line, "release=3", "release=03", 1),
		strings.Replace(line, "release=3", "release=0", 1), strings.Replace(line, "main_water", "main", 1), strings.Replace(line, ":1;", ":2;", 1),
		strings.Replace(line, "fingerprint=", "fingerprint=A", 1), strings.Replace(line, "%2F", "%2f", 1), strings.Replace(line, "%2F", "/", 1),
		strings.Replace(line, "dataset=", "x=", 1), strings.Replace(line, "address=", "address=%zz", 1), strings.Replace(line, ";end", "", 1),
		line + strings.Repeat("x", maxProvenance),
	} {
		if p, err := ParseProvenance(bad); err == nil {
			t.Errorf("%.100q is read as %+v", bad, p)
		}
	}
}

// finds feeds a file in pieces of n bytes.
func finds(file []byte, n int) (Provenance, bool) {
	var f ProvenanceFinder
	for len(file) > 0 {
		w, _ := f.Write(file[:min(n, len(file))])
		file = file[w:]
	}
	return f.Found()
}

func TestProvenanceIsFoundAtTheBeginningAndAtTheEndOfAFile(t *testing.T) {
	line, junk := provenance().String(), strings.Repeat("1;2;3\n", 100_000)
	broken := strings.Replace(line, "release=3", "release=x", 1)
	for what, c := range map[string]struct {
		file  string
		found bool
	}{
		"alone":                     {line, true},
		"in JSON":                   {`{"koprik_provenance":"` + line + `","a":1}`, true},
		"at the end":                {junk + "# " + line + "\n", true},
		"at the beginning":          {"# " + line + "\n" + junk, true},
		"before one that is broken": {line + "\n" + broken, true},
		"in the middle":             {junk + line + junk, false},
		"cut":                       {line[:len(line)-1], false},
		"broken":                    {broken, false},
		"nothing":                   {"", false},
	} {
		for _, n := range []int{1, 7, 4096, 1 << 20} {
			if n == 1 && len(c.file) > 10_000 {
				continue
			}
			p, ok := finds([]byte(c.file), n)
			if ok != c.found || ok && p != provenance() {
				t.Errorf("%s, in pieces of %d: %v %+v", what, n, ok, p)
			}
		}
	}
	other := provenance()
	other.Release = 9
	if p, _ := finds([]byte(line+"\n"+other.String()), 100); p.Release != 9 {
		t.Errorf("of two the last counts, not %+v", p)
	}
}

func FuzzProvenanceFinder(f *testing.F) {
	line := provenance().String()
	f.Add([]byte(line), 3)
	f.Add([]byte(provenanceMark+provenanceMark+line+line[:40]), 100)
	f.Fuzz(func(t *testing.T, file []byte, n int) {
		n = 1 + (n&0xffff)%1000
		p, ok := finds(file, n)
		if !ok {
			return
		}
		if !bytes.Contains(file, []byte(p.String())) {
			t.Errorf("found %s, which is not there", p)
		}
	})
}

func TestOnlyWhatIsUnalteredHolds(t *testing.T) {
	for v, want := range map[Verdict]bool{OriginalFile: true, ManifestFile: true, MadeFile: true, SigningKey: true, Altered: false, Elsewhere: false, Unknown: false, "": false} {
		if v.Holds() != want {
			t.Errorf("%q: %v", v, !want)
		}
	}
}
