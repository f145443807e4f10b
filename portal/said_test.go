package portal

import (
	"strings"
	"testing"
)

func TestWhatAPersonTypesIsReadInEveryForm(t *testing.T) {
	d := DigestOf([]byte("x"))
	key := strings.Repeat("ab", 32)
	for text, want := range map[string]Said{
		d.Hex():                                       {Hex: d.Hex()},
		d.String():                                    {Hex: d.Hex()},
		" " + strings.ToUpper(d.Short()):              {Hex: d.Short()},
		"2d71 1642 b726 b044":                         {Hex: "2d711642b726b044"},
		"2d:71:16:42:b7:26:b0:44":                     {Hex: "2d711642b726b044"},
		SixWords(key):                                 {Words: SixWords(key)},
		strings.ToUpper(SixWords(key)):                {Words: SixWords(key)},
		"koprik-key:ed25519:" + key:                   {Public: "koprik-key:ed25519:" + key},
		ReleaseCode("main_a", 3, d):                   {Dataset: "main_a", Release: 3, Hex: d.Short()},
		"https://x.uz/uz/verify?h=" + d.Hex():         {Hex: d.Hex()},
		"/en/verify?h=" + ReleaseCode("main_a", 3, d): {Dataset: "main_a", Release: 3, Hex: d.Short()},
	} {
		if got, err := ParseSaid(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestWhatIsNoFingerprintIsRefused(t *testing.T) {
	for _, text := range []string{
		"", " ", "abc", strings.Repeat("a", 15), strings.Repeat("a", 65), "hello world", "one two three four five 6",
		"koprik-release:", "koprik-release:main_a/0/" + strings.Repeat("a", 16), "koprik-release:x/1/" + strings.Repeat("a", 16),
		"koprik-release:main_a/1/xyz", "https://x.uz/?h=", strings.Repeat("ab", 600),
	} {
		if got, err := ParseSaid(text); err == nil {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}

func FuzzParseSaid(f *testing.F) {
	f.Add("2d71 1642 b726 b044")
	f.Add("koprik-release:main_a/3/2d711642b726b044")
	f.Add("https://x.uz/uz/verify?h=2d711642b726b044")
	f.Add("baber tunur mitan lunir zebun ratan")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSaid(text)
		if err != nil {
			return
		}
		if s == (Said{}) || s.Hex != "" && strings.Trim(s.Hex, "0123456789abcdef") != "" || len(s.Hex) > 64 {
			t.Errorf("%q: %+v", text, s)
		}
	})
}
