package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"koprik/internal/sharedtest"
	"koprik/portal"
)

// The golden tables say what is made of every table: what its columns mean, which
// figure is chosen, whether it has a map, its sentence in three languages, and the
// line under it. One that changes is looked at on its page, and the file made anew
// with UPDATE=1.

// figureServer is the demonstration, served.
type figureServer struct {
	t    *testing.T
	base string
	dir  string
}

func newFigureServer(t *testing.T) *figureServer {
	a := &app{Program: Program{Version: "test"}, stdout: io.Discard, stderr: io.Discard, flags: map[string]string{}, quiet: true}
	dir := filepath.Join(t.TempDir(), "central")
	s, stop, err := a.demoCentral(t.Context(), dir, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return &figureServer{t, "http://" + s.Addr, dir}
}

func (s *figureServer) get(path string, headers ...string) (status int, body string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.base+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func (s *figureServer) json(path string, to any) {
	s.t.Helper()
	status, body := s.get(path)
	if err := json.Unmarshal([]byte(body), to); status != http.StatusOK || err != nil {
		s.t.Fatalf("%s: %d %v", path, status, err)
	}
}

func (s *figureServer) datasets() (ids []string) {
	var list struct{ Datasets []struct{ Dataset string } }
	s.json("/api/v1/datasets?limit=100&sort=name", &list)
	for _, d := range list.Datasets {
		ids = append(ids, d.Dataset)
	}
	return ids
}

func (s *figureServer) resources(dataset string) (names []string) {
	var pack struct{ Resources []struct{ Name string } }
	s.json("/dataset/"+dataset+"/datapackage.json", &pack)
	for _, r := range pack.Resources {
		names = append(names, r.Name)
	}
	return names
}

type describedField struct {
	Name   string
	Koprik struct {
		Role, Kind, Lang, SameAs, Unit, Sex, Period, Age, Of string
		Scale                                                int64
		Additive                                             bool
		Totals                                               []string
	}
}

// String is a column in one line.
func (f describedField) String() string {
	k := f.Koprik
	var parts []string
	for _, s := range []string{k.Role, k.Kind, k.Lang, k.Sex, k.Period, k.Age} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if k.SameAs != "" {
		parts = append(parts, "= "+k.SameAs)
	}
	if k.Unit != "" {
		parts = append(parts, fmt.Sprintf("in %q", k.Unit))
	}
	if k.Additive {
		parts = append(parts, "adds up")
	}
	if len(k.Totals) > 0 {
		parts = append(parts, fmt.Sprintf("totals %q", k.Totals))
	}
	return f.Name + ": " + strings.Join(parts, " ")
}

var (
	chosenView = regexp.MustCompile(`<option value="([a-z]+ [^"]*)" selected>`)
	bigLine    = regexp.MustCompile(`<p class="big">([^<]*)`)
	firstNote  = regexp.MustCompile(`(?s)<svg class="chart desk.*?class="note"[^>]*>([^<]*)`) // unit, time, what is held
	mapLink    = regexp.MustCompile(`href="[^"]*/map/`)
)

// describe writes what is made of the tables of a dataset.
func (s *figureServer) describe(id string) string {
	var pack struct {
		Resources []struct {
			Name   string
			Schema struct{ Fields []describedField }
		}
	}
	s.json("/dataset/"+id+"/datapackage.json", &pack)
	var b strings.Builder
	for _, r := range pack.Resources {
		fmt.Fprintf(&b, "%s/%s\n", id, r.Name)
		years := 0
		for _, f := range r.Schema.Fields {
			if f.Koprik.Period != "" {
				if years++; years > 2 { // a column a year: two say enough
					continue
				}
			}
			fmt.Fprintf(&b, "  %v\n", f)
		}
		if years > 2 {
			fmt.Fprintf(&b, "  … %d columns of periods\n", years)
		}
		path := "/dataset/" + id + "/chart/" + r.Name
		status, page := s.get("/en" + path)
		if status != http.StatusOK {
			fmt.Fprintf(&b, "  no figure\n")
			if mapped, _ := s.get("/en/dataset/" + id + "/map/" + r.Name); mapped == http.StatusOK {
				fmt.Fprintf(&b, "  a map of its shapes or places\n")
			}
			continue
		}
		view := chosenView.FindStringSubmatch(page)
		if view == nil {
			s.t.Fatalf("%s: no view is chosen", path)
		}
		fmt.Fprintf(&b, "  figure: %s\n  map: %v\n", html.UnescapeString(view[1]), mapLink.MatchString(page))
		for _, lang := range []string{"uz", "ru", "en"} {
			_, page := s.get("/" + lang + path)
			said := "nothing"
			if m := bigLine.FindStringSubmatch(page); m != nil {
				said = strings.TrimSpace(html.UnescapeString(m[1]))
			}
			fmt.Fprintf(&b, "  %s: %s\n", lang, said)
			if m := firstNote.FindStringSubmatch(page); m != nil && lang == "en" {
				fmt.Fprintf(&b, "  under it: %s\n", html.UnescapeString(m[1]))
			}
		}
	}
	return b.String()
}

// A page of a table that draws nothing weighs no more than other pages do:
// spec/experience.md, "Rules".
const tablePageBudget = 4 << 10

// TestEveryTablePageKeepsItsBudget asks as a browser does that is on a local
// network without TLS, which takes gzip alone.
func TestEveryTablePageKeepsItsBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("publishes the demonstration and makes every table's page in five languages: not under -short")
	}
	s := newFigureServer(t)
	pages, most, heaviest := 0, 0, ""
	for _, id := range s.datasets() {
		for _, name := range s.resources(id) {
			for _, l := range portal.Langs {
				path := "/" + l.Path() + "/dataset/" + id + "/table/" + name
				status, page := s.get(path, "Accept-Encoding", "gzip")
				if status != http.StatusOK {
					t.Errorf("%s: %d", path, status)
				}
				if pages++; len(page) > most {
					most, heaviest = len(page), path
				}
				if len(page) > tablePageBudget {
					t.Errorf("%s has %d bytes, at most %d", path, len(page), tablePageBudget)
				}
			}
		}
	}
	if pages < 50 {
		t.Errorf("only %d pages of tables", pages)
	}
	t.Logf("%d pages, the heaviest %s with %d bytes", pages, heaviest, most)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "figures", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wanted, have := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range min(len(wanted), len(have)) {
		if wanted[i] != have[i] {
			t.Fatalf("%s, line %d:\n got %s\nwant %s", name, i+1, have[i], wanted[i])
		}
	}
	if len(wanted) != len(have) {
		t.Errorf("%s has %d lines, want %d", name, len(have), len(wanted))
	}
}

func TestEveryTableHasTheFigureThatItWasLookedAtWith(t *testing.T) {
	s := newFigureServer(t)
	var b strings.Builder
	known := map[string]bool{}
	for _, id := range s.datasets() {
		b.WriteString(s.describe(id))
		known[id] = true
	}
	golden(t, "demonstration.golden", b.String())

	if !s.publishOfficial(len(known)) {
		return
	}
	b.Reset()
	for _, id := range s.datasets() {
		if !known[id] {
			b.WriteString(s.describe(id))
		}
	}
	for _, word := range []string{"@", "+998"} {
		if strings.Contains(b.String(), word) {
			t.Errorf("an address or a number of a person is in what would be kept: %q", word)
		}
	}
	golden(t, "official.golden", b.String())
}

// publishOfficial adds the official files beside the project to the known datasets
// of the demonstration. It is false where they are absent, or the test is short.
func (s *figureServer) publishOfficial(known int) bool {
	t := s.t
	t.Helper()
	if testing.Short() || !sharedtest.Has(t, "data", "uz-statistics", "siat-cerr") {
		t.Log("without the official files, or short: their figures are not looked at")
		return false
	}
	dir := sharedtest.Path(t, "data", "uz-statistics", "siat-cerr")
	indicators, err := filepath.Glob(filepath.Join(dir, "siat-*.json"))
	if err != nil {
		t.Fatal(err)
	}
	books, err := filepath.Glob(filepath.Join(dir, "*.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	for _, args := range [][]string{append([]string{"import", "siat"}, indicators...), append([]string{"publish"}, books...)} {
		if code := Main(Program{Version: "test"}, append(args, "--dir", s.dir), nil, &said, &said); code != 0 {
			t.Fatalf("%v: exit code %d: %s", args, code, said.String())
		}
	}
	want := known + len(indicators) + len(books)
	for end := time.Now().Add(20 * time.Second); len(s.datasets()) < want; { // the server looks for what others publish
		if time.Now().After(end) {
			t.Fatalf("%d datasets, want %d: %s", len(s.datasets()), want, said.String())
		}
	}
	return true
}
