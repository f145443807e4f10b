package lang

import "testing"

func TestMarksAreTheWordsThatAQueryFinds(t *testing.T) {
	for _, c := range []struct {
		text  string
		words []string
		want  string
	}{
		{"Oʻzbekiston aholisining soni", []string{"аҳоли"}, "Oʻzbekiston [aholisining] soni"},
		{"Ўзбекистон аҳолиси, 2024-йил", []string{"ozbekiston", "2024"}, "[Ўзбекистон] аҳолиси, [2024]-йил"},
		{"Maktablar va maktab oʻquvchilari", []string{"maktabda"}, "[Maktablar] va [maktab] oʻquvchilari"},
		{"Население", []string{"aholi"}, "Население"},
		{"", []string{"a"}, ""},
		{"suv", nil, "suv"},
	} {
		if got := Marked(c.text, c.words, "[", "]"); got != c.want {
			t.Errorf("Marked(%q, %q) = %q, want %q", c.text, c.words, got, c.want)
		}
	}
}

// FuzzMarks holds that marks are whole words of the text, in order.
func FuzzMarks(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, "aholi "+s)
	}
	f.Fuzz(func(t *testing.T, text, query string) {
		end := 0
		for _, m := range Marks(text, []string{query}) {
			if m[0] < end || m[1] <= m[0] || m[1] > len(text) {
				t.Fatalf("Marks(%q, %q) has %v after %d", text, query, m, end)
			}
			end = m[1]
		}
		if Marked(text, []string{query}, "", "") != text {
			t.Errorf("Marked changed %q", text)
		}
	})
}
