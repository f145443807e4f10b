package carrier

import (
	"bytes"
	"strings"
	"testing"
)

func TestDigestsAndSignaturesFoldToHalfAndBack(t *testing.T) {
	short, long := strings.Repeat("0a", 32), strings.Repeat("f9", 64)
	for text, want := range map[string]int{
		"":                              0,
		`{"sha256":"` + short + `"}`:    13 + 33,
		`{"sig":"` + long + `"}`:        10 + 65,
		`"sha256:` + short + `"`:        9 + 33,
		short + "0":                     65,
		short + long:                    192,
		strings.ToUpper(short):          64 - 0,
		"\x00\x01\x02":                  6,
		"\x01" + short + "\x02" + short: 4 + 66,
	} {
		folded := fold([]byte(text))
		if len(folded) != want {
			t.Errorf("%q folds to %d bytes, want %d", text, len(folded), want)
		}
		back, err := unfold(folded, int64(len(text)))
		if err != nil || string(back) != text {
			t.Errorf("%q comes back as %q, %v", text, back, err)
		}
		if _, err := unfold(folded, int64(len(text))+1); err == nil {
			t.Errorf("%q: a byte too few is taken", text)
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add([]byte(`{"keyid":"` + strings.Repeat("0b", 32) + "\x00\x01\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		back, err := unfold(fold(b), int64(len(b)))
		if err != nil || !bytes.Equal(back, b) {
			t.Errorf("%q comes back as %q, %v", b, back, err)
		}
		_, _ = unfold(b, int64(len(b))) // whatever it is: an end, and no more than was said
	})
}
