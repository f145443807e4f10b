package tuf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"koprik/internal/sharedtest"
)

func TestCanonicalJSONIsWhatSecuresystemslibSigns(t *testing.T) {
	// Made with encode_canonical of securesystemslib 1.6.0.
	in := `{"b": [1, -2, true, false, {"": ""}], "a\"\\": "\u2028\u0007\u00e9\ud83d\ude00/", "\u00e9": "\u02bb", "z": [], "\uffff": 1, "\ud83d\ude00": 2, "-0": -0}`
	want := "{\"-0\":0,\"a\\\"\\\\\":\"\u2028\x07é😀/\",\"b\":[1,-2,true,false,{\"\":\"\"}],\"z\":[],\"é\":\"ʻ\",\"\uffff\":1,\"😀\":2}"
	v, err := parseJSON([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	got, err := appendCanonical(nil, v)
	if err != nil || string(got) != want {
		t.Errorf("%v\ngot  %q\nwant %q", err, got, want)
	}
}

func TestNumbersThatAreNotWholeAreNeverSigned(t *testing.T) {
	for _, n := range []string{"1.0", "1e3", "1E+2", "0.5", "-0.0", "9223372036854775808", "null"} {
		v, err := parseJSON([]byte(`{"x":[` + n + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := appendCanonical(nil, v); err == nil {
			t.Errorf("%s became %s", n, b)
		}
	}
}

func TestStrictJSONRefusesWhatReadersDisagreeOn(t *testing.T) {
	for name, text := range map[string]string{
		"a name twice":                     `{"a":1,"b":2,"a":1}`,
		"a name twice by escapes":          `{"a":1,"\u0061":2}`,
		"a name twice, deep":               `[[{"x":{"a":1,"a":1}}]]`,
		"a wire name in another case":      `{"Version":1}`,
		"a wire name by the long s":        `{"ver\u017fion":1}`,
		"a wire name by the Kelvin sign":   `{"\u212aeys":{}}`,
		"invalid UTF-8 in a string":        "{\"a\":\"\xff\"}",
		"invalid UTF-8 in a name":          "{\"\xc0\x80\":1}",
		"a surrogate in UTF-8":             "[\"\xed\xa0\x80\"]",
		"a lone high surrogate":            `["\ud800"]`,
		"a lone low surrogate":             `["\udc00x"]`,
		"surrogates in the wrong order":    `["\udc00\ud800"]`,
		"a lone surrogate in a name":       `{"\ud800":1}`,
		"U+FFFD":                           "[\"\ufffd\"]",
		"bytes after the value":            `{} {}`,
		"a NUL after the value":            "{}\x00",
		"a byte order mark":                "\ufeff{}",
		"a control character in a string":  "[\"\n\"]",
		"nothing":                          ``,
		"half a text":                      `{"a":[1,2`,
		"a comma too many":                 `[1,]`,
		"nested more than 32 deep":         strings.Repeat("[", 34) + strings.Repeat("]", 34),
		"nested a million deep":            strings.Repeat("[", 1e6),
		"more than a million values":       "[" + strings.Repeat("1,", 1<<20) + "1]",
		"a comment":                        "{} // x",
		"NaN":                              `[NaN]`,
		"a hexadecimal number":             `[0x1]`,
		"a leading zero":                   `[01]`,
		"single quotes":                    `{'a':1}`,
		"a name without quotes":            `{a:1}`,
		"an escape that JSON doesn't have": `["\x41"]`,
	} {
		if v, err := parseJSON([]byte(text)); err == nil {
			t.Errorf("%s: accepted as %.100v", name, v)
		}
	}
}

func TestNamesThatAreNoWireNamesKeepTheirCase(t *testing.T) {
	for _, text := range []string{`{"d/main/A/1.json":1,"d/main/a/1.json":2}`, `{"X":1,"x":2}`, `{"versions":1}`} {
		if _, err := parseJSON([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestJSONTestSuite(t *testing.T) {
	dir := sharedtest.Path(t, "data/json/parsing")
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(dir, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = parseJSON(b)
		name := filepath.Base(file)
		accept := strings.HasPrefix(name, "y_") && !strings.HasPrefix(name, "y_object_duplicated_key")
		if !strings.HasPrefix(name, "i_") && accept != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
