package locale

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"koprik/portal"
)

func words(t testing.TB, l portal.Lang) *Words {
	t.Helper()
	c, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Words(l)
}

func TestEveryLanguageHasEveryMessage(t *testing.T) {
	english := words(t, portal.English)
	for _, l := range portal.Langs {
		w := words(t, l)
		for key, model := range english.messages {
			m, ok := w.messages[key]
			if !ok {
				t.Errorf("%s: %s is missing", l, key)
				continue
			}
			if want, got := model.placeholders(), m.placeholders(); !slices.Equal(want, got) {
				t.Errorf("%s: %s has the placeholders %v, want %v", l, key, got, want)
			}
			for _, form := range forms {
				text := m.in(form)
				if text == "" && form != Other {
					continue
				}
				if strings.TrimSpace(text) == "" || strings.TrimSpace(text) != text {
					t.Errorf("%s: %s (%s) is %q", l, key, form, text)
				}
			}
		}
		for key := range w.messages {
			if _, ok := english.messages[key]; !ok {
				t.Errorf("%s: %s is in no other language", l, key)
			}
		}
	}
}

func TestWhatIsCountedHasEveryForm(t *testing.T) {
	russian := words(t, portal.Russian)
	for key, m := range words(t, portal.English).messages {
		if m.counted == nil {
			continue
		}
		for _, form := range forms {
			if russian.messages[key].in(form) == "" {
				t.Errorf("ru: %s has no form %q", key, form)
			}
		}
	}
}

// domains are the keys made from values of package portal, with all values.
func domains() map[Key]bool {
	keys := map[Key]bool{}
	for _, v := range portal.Themes {
		keys[Key("theme."+string(v))] = true
	}
	for _, v := range portal.Periodicities {
		keys[Key("period."+string(v))] = true
	}
	for _, v := range portal.Facets {
		keys[Key("facet."+string(v))] = true
	}
	for _, v := range []string{"AN", "BU", "FA", "JI", "NG", "NW", "QA", "QR", "SA", "SI", "SU", "TK", "TO", "XO"} {
		keys[Key("region.UZ-"+v)], keys[Key("place.UZ-"+v)], keys[Key("tile.UZ-"+v)] = true, true, true
	}
	for _, v := range []string{
		"region." + portal.RegionSplit, "sex." + portal.SexYes, "sex." + portal.SexNo, "freshness." + portal.FreshMonth,
		"freshness." + portal.FreshQuarter, "freshness." + portal.FreshYear, "freshness." + portal.FreshOlder,
	} {
		keys[Key(v)] = true
	}
	keys["place.UZ"] = true
	for _, v := range []string{"title", "description", "keyword", "publisher", "column", "value", "question"} {
		keys[Key("matched."+v)] = true
	}
	for _, v := range Questions {
		keys[Key("ask."+string(v))] = true
	}
	for _, v := range []portal.Role{portal.Central, portal.Mirror, portal.Agency} {
		keys[Key("node."+string(v))] = true
	}
	for _, v := range portal.Stages {
		keys[Key("node.stage-"+string(v))] = true
	}
	for _, v := range portal.Ways {
		keys[Key("node.way-"+v)] = true
	}
	for _, v := range portal.TableOps {
		keys[Key("op."+v)], keys[Key("said."+v)] = true, true
	}
	keys["said.full"] = true // of a cell that is not empty
	for _, v := range (portal.Passport{}).Missing() {
		keys[Key("missing."+strings.ReplaceAll(v, "_", "-"))] = true
	}
	for _, v := range portal.Langs {
		keys[Key("lang."+string(v))] = true
	}
	for _, v := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"} {
		keys[Key("date.m"+v)], keys[Key("month.m"+v)] = true, true
	}
	// Kinds of figures, what they find first, and what columns side by side are about.
	for _, v := range []string{
		"line", "bars", "grouped", "stacked", "shares", "pyramid", "gap", "dots", "multiples",
		"found-more", "found-less", "found-same", "found-value", "found-extremes", "found-gap", "found-most", "found-share",
		portal.SexFemale, portal.SexMale, portal.SexBoth, "bytime", "bysex", "byage", "byregion", "bycategory",
	} {
		keys[Key("chart."+v)] = true
	}
	return keys
}

func TestEveryDomainValueHasAName(t *testing.T) {
	for _, l := range portal.Langs {
		w := words(t, l)
		for key := range domains() {
			if _, ok := w.messages[key]; !ok {
				t.Errorf("%s: %s is missing", l, key)
			}
		}
	}
}

var (
	goKey       = regexp.MustCompile(`"([a-z][a-z-]*\.[a-zA-Z0-9-]+)"`)
	templateKey = regexp.MustCompile(`\.(?:T|N|N64) "([^"]+)"`)
)

// usedKeys reads the source of ui/*: string literals shaped like a key in Go,
// and what the templates ask for.
func usedKeys(t *testing.T) (used, asked map[Key]bool) {
	t.Helper()
	used, asked = map[Key]bool{}, map[Key]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		pattern := goKey
		switch filepath.Ext(path) {
		case ".html":
			pattern = templateKey
		case ".go":
		default:
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range pattern.FindAllStringSubmatch(string(text), -1) {
			used[Key(m[1])] = true
		}
		for _, m := range templateKey.FindAllStringSubmatch(string(text), -1) {
			asked[Key(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return used, asked
}

func TestEveryKeyThatIsAskedForExistsAndEveryOtherIsGone(t *testing.T) {
	english := words(t, portal.English).messages
	used, asked := usedKeys(t)
	made := domains()
	for _, key := range slices.Sorted(maps.Keys(asked)) {
		if _, ok := english[key]; !ok {
			t.Errorf("%s is asked for and is in no catalogue", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(english)) {
		if !used[key] && !made[key] {
			t.Errorf("%s is in the catalogues and nobody asks for it", key)
		}
	}
}

// letters that each orthography may have in its own words, besides ASCII.
var orthography = map[portal.Lang]string{
	portal.Uzbek:      "ʻʼ" + Joiner,
	portal.Karakalpak: "áǵıńóúÁǴİŃÓÚ" + Joiner,
	portal.English:    "’",
}

func TestLatinOrthographiesKeepTheirLetters(t *testing.T) {
	signs := "“”⇄=≠<>≤≥–…"
	for l, extra := range orthography {
		for key, m := range words(t, l).messages {
			for _, form := range forms {
				text := m.in(form)
				for _, r := range text {
					if r > 0x7e && !strings.ContainsRune(extra+signs, r) {
						t.Errorf("%s: %s has %q in %q", l, key, r, text)
					}
				}
				if l != portal.English && strings.ContainsAny(text, "'`") {
					t.Errorf("%s: %s has an ASCII apostrophe in %q", l, key, text)
				}
			}
		}
	}
}

func TestCyrillicUzbekIsMadeFromLatinButForItsExceptions(t *testing.T) {
	w := words(t, portal.UzbekCyrillic)
	for key, want := range map[Key]string{
		"home.title":   "Нимани билмоқчисиз?",
		"theme.health": "Соғлиқни сақлаш",
		"date.m9":      "сентябрь",
		"lang.self":    "Ўзбекча",
	} {
		if got := w.T(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	if got := w.N("home.datasets", 1893); got != "1\u00a0893 та маълумотлар тўплами" {
		t.Errorf("%q", got)
	}
	latin := regexp.MustCompile(`[A-Za-z]{2,}`)
	for key, m := range w.messages {
		for _, form := range forms {
			text := m.in(form)
			if strings.Contains(text, "ША-256") || strings.Contains(text, "коприк ") {
				t.Errorf("%s: a name of a program was carried over: %q", key, text)
			}
			text = regexp.MustCompile(`\{[a-z]+\}|SHA|SVG|PNG|CSV|HTML|Atom|koprik verify`).ReplaceAllString(text, "")
			if bad := latin.FindString(text); bad != "" {
				t.Errorf("%s has Latin %q in %q", key, bad, text)
			}
		}
	}
}

func TestOverridesCorrectAWordingWithoutABuild(t *testing.T) {
	plain, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New([]byte(`
[uz]
reviewed = true
search.button = "Izlash"
[uz-cyrl]
page.next = "Кейинги"
[ru.home]
datasets = { one = "{n} набор", few = "{n} набора", many = "{n} наборов", other = "{n} набора" }
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []struct{ got, want string }{
		{c.Words(portal.Uzbek).T("search.button"), "Izlash"},
		{c.Words(portal.UzbekCyrillic).T("search.button"), "Излаш"},
		{c.Words(portal.UzbekCyrillic).T("page.next"), "Кейинги"},
		{c.Words(portal.Russian).N("home.datasets", 3), "3 набора"},
		{c.Words(portal.English).T("search.button"), "Search"},
	} {
		if got.got != got.want {
			t.Errorf("%q, want %q", got.got, got.want)
		}
	}
	if c.Words(portal.Uzbek).Draft() || !c.Words(portal.Karakalpak).Draft() {
		t.Error("only Uzbek was reviewed")
	}
	if c.Digest() == plain.Digest() {
		t.Error("other words have the same digest")
	}
}

func TestBadOverridesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"[uz\n":                         "not a TOML file",
		"[de]\nx = \"y\"\n":             "words: de",
		"uz = 1\n":                      "words: uz",
		"[uz]\nsearch.buton = \"x\"\n":  "search.buton: no message has this name",
		"[ru]\nhome.title = 5\n":        "home.title: must be a text",
		"[ru]\npage.of = \"{n} из\"\n":  "page.of: must have the placeholders [page pages], and has [n]",
		"[kaa]\nhome.reviewed = true\n": "home.reviewed: must be a text",
	} {
		_, err := New([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzOverrides(f *testing.F) {
	f.Add([]byte("[uz]\nsearch.button = \"x\"\n[ru.home]\ndatasets = { other = \"{n}\" }"))
	f.Add([]byte("[kaa]\na.b.c = { one = 1 }"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := New(data)
		if err == nil && c.Words(portal.Uzbek).T("search.button") == "" && !strings.Contains(string(data), "button") {
			t.Error("a wording went missing")
		}
	})
}
