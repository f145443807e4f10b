package site

import (
	"html"
	"strings"
	"testing"

	"koprik/portal"
	"koprik/ui/locale"
)

// wordsOf are the words compiled in.
func wordsOf(t *testing.T, l portal.Lang) *locale.Words {
	t.Helper()
	c, err := locale.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Words(l)
}

func TestADatasetShowsWhoAnswersForIt(t *testing.T) {
	body := newWorld(t).body(t, "/en/dataset/main_population", 200)
	mustHave(t, body,
		"<h1>Population of Uzbekistan</h1>", "Who answers for this data", "Head of price statistics", `href="mailto:prices@example.uz"`,
		`href="tel:&#43;998712028000"`, "A. Karimova", "1 February 2024",
		"3 May 2026", "15 January 2019", "12 October 2026", "1 October 2026", "overdue", "every year", "thousand people", "1.02.01.0001",
		"SOATO", `href="https://example.uz/method"`, `href="https://creativecommons.org/licenses/by/4.0/"`, "Split by sex",
		digest("main_population").Short(), "0123456789abcdef", `href="/en/publisher/main"`, `href="/en/theme/population"`,
		`href="/dataset/main_population/release/3/data/aholi%20soni.csv"`, digest("population").Hex(), "48\u00a0kB", "1.4\u00a0MB",
		`href="/en/dataset/main_population/table/population"`, "The first 5 rows of 96", "3 releases")
}

func TestTextsInAnotherLanguageSayWhich(t *testing.T) {
	w := newWorld(t)
	mustHave(t, w.body(t, "/en/dataset/main_population", 200), `<span lang="ru">Постоянное население`, `<span lang="uz">Narxlar statistikasi boʻlimi</span>`)
	mustNotHave(t, w.body(t, "/uz/dataset/main_population", 200), `<span lang="uz">`)
}

func TestUzbekIsShownInTheReadersScriptAndMarked(t *testing.T) {
	w := newWorld(t)
	body := w.body(t, "/uz-cyrl/dataset/main_population", 200)
	mustHave(t, body, "<h1>Ўзбекистон аҳолиси сони<span class=\"tr\">", "(бошқа ёзувдан ўгирилган)", "⇄ белгиси")
	body = w.body(t, "/uz/dataset/water_canals", 410)
	mustHave(t, body, "<h1>Sugʻorish kanallari roʻyxati<span class=\"tr\">", "⇄ belgisi")
	// A person's name in an unnamed language is nobody's to transliterate.
	mustHave(t, w.body(t, "/uz-cyrl/publisher/main", 200), "A. Karimova")
	mustNotHave(t, w.body(t, "/ru/dataset/main_population", 200), "⇄")
}

func TestDataWithoutAPassportSaysSo(t *testing.T) {
	w := newWorld(t)
	mustHave(t, w.body(t, "/en/dataset/main_prices", 200), "no passport came with this data", "data@example.uz")
	mustNotHave(t, w.body(t, "/en/dataset/main_population", 200), "no passport came with this data")
	w = newWorld(t, func(w *world) { w.view.datasets[0].Latest.Passport.Contact = "" })
	mustHave(t, w.body(t, "/en/dataset/main_population", 200), "No office is named.")
}

func TestAPreviewThatCannotBeShownSaysWhyAndLeavesTheRest(t *testing.T) {
	w := newWorld(t)
	body := w.body(t, "/en/dataset/main_prices", 200)
	mustHave(t, body, "The file is not on this node (2.3\u00a0GB)", "The table cannot be shown here", "month 8", "The table has 6 more columns.",
		"The workbook has 1 more sheet.", "1,234,567.5")
	mustNotHave(t, body, "month 9", "fire")
	mustHave(t, w.log.String(), "disk on fire")
}

func TestAWithdrawnDatasetKeepsItsPassportAndGivesTheReason(t *testing.T) {
	w := newWorld(t)
	for _, address := range []string{"/ru/dataset/water_canals", "/ru/dataset/water_canals/table/canals"} {
		body := w.body(t, address, 410)
		mustHave(t, body, "Этот набор данных отозван", "Опубликовано по ошибке", "desk@example.uz", "1 октября 2026\u00a0г.", "/ru/dataset/water_canals/history")
		mustNotHave(t, body, "/release/")
	}
	mustNotHave(t, w.body(t, "/ru/dataset/water_canals/history", 200), "/release/")
	mustHave(t, w.body(t, "/ru/search", 200), "отозван")
}

func TestASuspendedPublisherIsMarkedWhereverItsDataIs(t *testing.T) {
	w := newWorld(t)
	for _, l := range portal.Langs {
		at := "/" + l.Path()
		words := wordsOf(t, l)
		for address, want := range map[string]string{
			"/dataset/water_canals": "dataset.suspended", "/dataset/main_population": "dataset.suspended",
			"/publisher/main": "dataset.suspended", "/search": "hit.suspended",
		} {
			status := 200
			if address == "/dataset/water_canals" {
				status = 410
			}
			text := html.EscapeString(words.T(locale.Key(want)))
			if body := w.body(t, at+address, status); strings.Contains(body, text) {
				t.Errorf("%s says %q although all is well", at+address, text)
			}
			suspended := newWorld(t, func(w *world) {
				for i := range w.view.datasets {
					w.view.datasets[i].Suspended, w.view.datasets[i].Signers = true, nil
				}
			})
			if body := suspended.body(t, at+address, status); !strings.Contains(body, text) {
				t.Errorf("%s does not say %q", at+address, text)
			}
		}
	}
}

func TestTheHistoryListsReleasesWithReasonsAndFiles(t *testing.T) {
	body := newWorld(t).body(t, "/uz/dataset/main_population/history", 200)
	mustHave(t, body, "3-\u2060nashr", "2-\u2060nashr", "1-\u2060nashr", "eng soʻnggi", "Xorazm viloyati tuzatildi", "Aholi roʻyxati bilan tenglashtirildi",
		"2026-\u2060yil 12-\u2060oktabr, 01:30 (UTC+5)", `href="/dataset/main_population/release/1/data/aholi%20soni.csv"`, digest("main_population2").Short())
	if strings.Index(body, "3-\u2060nashr") > strings.Index(body, "1-\u2060nashr") {
		t.Error("the newest release is not first")
	}
}

func TestHostileMetadataIsShownAndDoesNothing(t *testing.T) {
	w := newWorld(t)
	for _, address := range []string{"/en/dataset/main_hostile", "/en/dataset/main_hostile/history", "/en/", "/en/search?q=%3Cscript%3E", "/en/publisher/main"} {
		body := w.body(t, address, 200)
		mustNotHave(t, body, "<script>", "<img src=x", `href="javascript`, `href="JaVa`, `href="vbscript`, `href="data:`, "mailto:a@b.uz", "ZgotmplZ")
		mustHave(t, body, "&lt;script&gt;")
	}
	mustHave(t, w.body(t, "/en/dataset/main_hostile", 200), "javascript:alert(4)", `/en/search?q=a%26b%3Dc`)
}

func TestOnlyPlainAddressesBecomeLinks(t *testing.T) {
	for in, want := range map[string]string{
		"https://example.uz/a?b=c": "https://example.uz/a?b=c", " http://example.uz ": "http://example.uz", "HTTPS://example.uz": "https://example.uz",
		"javascript:alert(1)": "", "JAVASCRIPT:alert(1)": "", "//example.uz": "", "/etc/passwd": "", "https://": "", "": "",
		"https://user:pw@example.uz": "", "data:text/html,x": "", "ht\ntps://x": "", "file:///x": "", "www.example.uz": "",
	} {
		if got := web(in); got != want {
			t.Errorf("web %q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"a.b+c@example.uz": "mailto:a.b+c@example.uz", "a@b?bcc=x@y": "", "a b@c": "", "@b": "", "a@": "", "a": "", "a@b@c": "", "a@b,c@d": "", "ж@b": "",
	} {
		if got := mail(in); got != want {
			t.Errorf("mail %q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"+998 (71) 202-80-00": "tel:+998712028000", "1008": "", "71 202 80 00;ext=1": "", "call me": "", "++99871": ""} {
		if got := string(phone(in)); got != want {
			t.Errorf("phone %q: %q, want %q", in, got, want)
		}
	}
}

func TestTheNodePageTellsHowTheNodeIs(t *testing.T) {
	w := newWorld(t, func(w *world) { w.status.Title, w.status.LastResult = "Xorazm viloyati", "upstream unreachable" })
	body := w.body(t, "/en/node", 200)
	mustHave(t, body, "it was signed 2 days ago", "mirror: carries a verified copy", "12 October 2026, 11:00 (UTC+5)", "https://data.example.uz/repository/",
		"14 October 2026, 12:30 (UTC+5)", "unsuccessful: upstream unreachable", "0.1.0", digest("root").Hex(), `href="/api/v1/status"`, "abababababababab",
		"Xorazm viloyati</span>")
	w = newWorld(t, func(w *world) { w.status = portal.Status{Role: portal.Central} })
	body = w.body(t, "/en/node", 200)
	mustHave(t, body, "centre: owns and signs the catalogue")
	mustNotHave(t, body, "Follows", "Last contact")
	w = newWorld(t, func(w *world) { w.status.LastSync, w.status.Outbox = now.Truncate(0).AddDate(-3000, 0, 0), 4 })
	mustHave(t, w.body(t, "/en/node", 200), "Questions waiting to travel")
}

// The figure, the numbers of women and men and the sentence are of the same table.
func TestTheFiguresOfADatasetsPageReadItsTableOnce(t *testing.T) {
	w := newWorld(t)
	if body := w.body(t, "/en/dataset/main_population", 200); !strings.Contains(body, `<svg class="chart`) {
		t.Fatal("the page has no figure")
	}
	if n := w.view.whole.Load(); n != 1 {
		t.Errorf("the table was read %d times", n)
	}
}
