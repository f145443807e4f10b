package assets

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func load(t *testing.T) *Set {
	t.Helper()
	s, err := Load(false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAddressesNameTheirContent(t *testing.T) {
	s := load(t)
	for name, kind := range map[string]string{"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"} {
		url := s.URL(name)
		if !regexp.MustCompile(`^/assets/[a-z]+\.[0-9a-f]{16}\.[a-z]+$`).MatchString(url) {
			t.Errorf("%s stands at %q", name, url)
		}
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, url, nil))
		if rec.Code != 200 || rec.Header().Get("Content-Type") != kind || !strings.Contains(rec.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", name, rec.Code, rec.Header())
		}
	}
	if s.URL("none") != "" {
		t.Error("a file that is not there has an address")
	}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/assets/style.0000000000000000.css", nil))
	if rec.Code != 404 {
		t.Errorf("another digest: %d", rec.Code)
	}
}

func TestTheStyleLoadsNothing(t *testing.T) {
	css, err := os.ReadFile("style.css")
	if err != nil {
		t.Fatal(err)
	}
	// The ornaments stand in the style sheet itself; http: is there as the name of
	// SVG's namespace only.
	rest := regexp.MustCompile(`url\("data:image/svg\+xml,<svg xmlns='http://www\.w3\.org/2000/svg' [^"]*</svg>"\)`).ReplaceAllString(string(css), "")
	for _, bad := range []string{"url(", "@import", "http"} {
		if strings.Contains(rest, bad) {
			t.Errorf("has %q", bad)
		}
	}
}

// Contrast by WCAG 2.2: text on its ground has at least 4.5 to 1, the edges of
// controls and the focus ring 3 to 1, in the light and in the dark.
func TestColoursCanBeRead(t *testing.T) {
	css, err := os.ReadFile("style.css")
	if err != nil {
		t.Fatal(err)
	}
	themes := regexp.MustCompile(`:root\{([^}]*)\}`).FindAllStringSubmatch(string(css), -1)
	if len(themes) != 2 {
		t.Fatalf("%d sets of tokens", len(themes))
	}
	for i, theme := range themes {
		tokens := map[string]string{"white": "#ffffff", "dark": "#18222d"}
		for _, m := range regexp.MustCompile(`--([a-z]+):(#[0-9a-f]{3,6})`).FindAllStringSubmatch(theme[1], -1) {
			tokens[m[1]] = m[2]
		}
		for _, pair := range []struct {
			front, back string
			least       float64
		}{
			{"ink", "bg", 7},
			{"ink", "soft", 7},
			{"mute", "bg", 4.5},
			{"mute", "soft", 4.5},
			{"link", "bg", 4.5},
			{"link", "soft", 4.5},
			{"white", "brand", 7},
			{"white", "deep", 7},
			{"ink", "card", 7},
			{"mute", "card", 4.5},
			{"link", "card", 4.5},
			{"dark", "gold", 7},
			{"tur", "card", 3},
			{"tur", "bg", 3},
			{"gold", "brand", 3},
			{"gold", "deep", 3},
			{"sky", "deep", 3},
			{"edge", "card", 3},
			{"warn", "warnbg", 4.5},
			{"bad", "badbg", 4.5},
			{"ink", "warnbg", 7},
			{"ink", "badbg", 7},
			{"edge", "bg", 3},
			{"edge", "soft", 3},
			{"ok", "bg", 3},
			{"focus", "bg", 3},
			{"focus", "brand", 3},
		} {
			if got := contrast(t, tokens[pair.front], tokens[pair.back]); got < pair.least {
				t.Errorf("set %d: %s on %s has %.2f to 1, wants %.1f", i, pair.front, pair.back, got, pair.least)
			}
		}
	}
}

func TestTheFontOfAKioskStaysThere(t *testing.T) {
	pages, kiosk := load(t), mustLoadKiosk(t)
	if pages.URL("kiosk.woff2") != "" || pages.URL("kiosk.css") != "" {
		t.Error("the pages for everyone offer a kiosk's files")
	}
	rec := httptest.NewRecorder()
	kiosk.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, kiosk.URL("kiosk.woff2"), nil))
	if rec.Code != 200 || rec.Header().Get("Content-Type") != "font/woff2" || rec.Header().Get("Content-Encoding") != "" || rec.Body.String()[:4] != "wOF2" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	rec = httptest.NewRecorder()
	kiosk.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, kiosk.URL("kiosk.css"), nil))
	if !strings.Contains(rec.Body.String(), "url("+kiosk.URL("kiosk.woff2")+")") {
		t.Error("the style sheet names another address than the font's")
	}
}

func mustLoadKiosk(t *testing.T) *Set {
	t.Helper()
	s, err := Load(true)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheFontHasEveryLetterOfTheFiveOrthographies(t *testing.T) {
	list, err := os.ReadFile("font.txt")
	if err != nil {
		t.Fatal(err)
	}
	css, err := os.ReadFile("kiosk.css")
	if err != nil {
		t.Fatal(err)
	}
	ranges := strings.TrimSpace(string(list))
	if !strings.Contains(string(css), "unicode-range:"+ranges+"}") {
		t.Error("the style sheet says other characters than font.txt")
	}
	has := map[rune]bool{}
	for part := range strings.SplitSeq(ranges, ",") {
		first, last, _ := strings.Cut(strings.TrimPrefix(part, "U+"), "-")
		if last == "" {
			last = first
		}
		from, err1 := strconv.ParseUint(first, 16, 32)
		to, err2 := strconv.ParseUint(last, 16, 32)
		if err1 != nil || err2 != nil {
			t.Fatalf("%q is no range", part)
		}
		for r := from; r <= to; r++ {
			has[rune(r)] = true
		}
	}
	words, err := filepath.Glob("../locale/words/*.toml")
	if err != nil || len(words) < 5 {
		t.Fatalf("%v, %v", words, err)
	}
	text := "абвгдеёжзийклмнопрстуфхцчшщъыьэюяўқғҳ" + "aábcdefgǵhiıjklmnńoópqrstuúvwxyz" + "abcdefghijklmnopqrstuvwxyzʻʼ" + "0123456789"
	text += strings.ToUpper(text) + "İ«»“”–—…№%+−×°"
	for _, name := range words {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text += string(b)
	}
	for _, r := range text {
		if r > ' ' && !has[r] && !strings.ContainsRune("⇄≠≤≥", r) {
			t.Errorf("%q is not in font.txt", r)
			has[r] = true
		}
	}
}
