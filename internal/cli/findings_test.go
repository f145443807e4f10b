package cli

import (
	"encoding/csv"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"koprik/internal/sharedtest"
	"koprik/portal"
	"koprik/ui/locale"
)

// typed reads a table of the figures as they were typed from their sources,
// without which the test has nothing to compare with.
func typed(t *testing.T, name string) (rows []map[string]string) {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "data/facts", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// newestTyped gives a column of the row of a place; of several the last.
func newestTyped(t *testing.T, file, key, place, column string) string {
	t.Helper()
	cell := ""
	for _, row := range typed(t, file) {
		if key == "" || row[key] == place {
			cell = row[column]
		}
	}
	n, err := strconv.ParseFloat(cell, 64)
	if err != nil {
		t.Fatalf("%s %s %s: %v", file, place, column, err)
	}
	words, err := locale.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return words.Words(portal.English).Float(n)
}

// TestFindingsOfTheDemonstrationAreTheFiguresThatWereTyped: on its pages stands
// the newest figure of every table, for the country and for each region.
func TestFindingsOfTheDemonstrationAreTheFiguresThatWereTyped(t *testing.T) {
	if testing.Short() {
		t.Skip("short: page after page for one reader, which go test asks for whole")
	}
	typed(t, "hospitals_by_region.csv")
	a := &app{Program: Program{Version: "test"}, stdout: io.Discard, stderr: io.Discard, flags: map[string]string{}, quiet: true}
	s, stop, err := a.demoCentral(t.Context(), filepath.Join(t.TempDir(), "central"), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	page := func(path string) string {
		res, err := http.Get("http://" + s.Addr + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d, %v", path, res.StatusCode, err)
		}
		return string(b)
	}
	for _, l := range portal.Langs {
		for _, path := range []string{"/", "/?region=UZ-XO", "/search", "/search?q=aholi"} {
			if n := squeezed(t, "http://"+s.Addr+"/"+l.Path()+path); n > 4<<10 {
				t.Errorf("/%s%s: %d bytes over the wire, at most 4 KB", l.Path(), path, n)
			}
		}
	}
	figure := regexp.MustCompile(`<div class="fig">.*?<b>([^<]*)</b>`)
	for dataset, c := range map[string][4]string{
		"hospitals-by-region":   {"hospitals_by_region.csv", "soato", "1700", "hospitals_2024_12_31"},
		"doctors-by-region":     {"doctors_by_region.csv", "soato", "1700", "doctors_thousand_2025_01_01"},
		"education-by-region":   {"education_by_region.csv", "soato", "1700", "grade10_11_pupils_thousand_2022_23"},
		"general-schools":       {"general_schools_national.csv", "", "", "schools"},
		"live-births-by-region": {"live_births_by_region_jan_sep_2022_2025.csv", "soato", "1700", "jan_sep_2025"},
		"live-births-by-sex":    {}, // no row of everybody
		"live-births-samarkand": {"samarkand_live_births.csv", "", "", "live_births"},
		"marriages-and-divorces": {
			"marriages_divorces_by_region.csv", "soato", "1700", "marriages_2025_thousand",
		},
		"population-by-region":             {"population_by_region_2010_2026.csv", "soato", "1700", "population_thousand"},
		"population-by-sex":                {"population_by_sex_region_2026.csv", "soato", "1700", "total_thousand"},
		"population-by-sex-and-settlement": {},
		"population-by-district":           {},
		"live-births-tashkent-region":      {},
	} {
		want := ""
		if c[0] != "" {
			want = newestTyped(t, c[0], c[1], c[2], c[3])
		}
		got := ""
		if m := figure.FindStringSubmatch(page("/en/dataset/demo_" + dataset)); m != nil {
			got = m[1]
		}
		if got != want {
			t.Errorf("%s: the finding is %q, want %q", dataset, got, want)
		}
	}
	questions := map[string][2]string{
		"How many people live":             {"population_by_region_2010_2026.csv", "population_thousand"},
		"How many children were born":      {"live_births_by_region_jan_sep_2022_2025.csv", "jan_sep_2025"},
		"How many doctors are there":       {"doctors_by_region.csv", "doctors_thousand_2025_01_01"},
		"How many hospitals are there":     {"hospitals_by_region.csv", "hospitals_2024_12_31"},
		"How many marriages were register": {"marriages_divorces_by_region.csv", "marriages_2025_thousand"},
		"How many women live":              {"population_by_sex_region_2026.csv", "women_thousand"},
	}
	for _, row := range typed(t, "hospitals_by_region.csv") {
		code := isoOf[row["soato"]]
		body, asked := "", 0
		if code == "UZ" {
			body = page("/en/")
		} else {
			_, body, _ = strings.Cut(page("/en/?region="+code), `class="qa"`)
		}
		for question, c := range questions {
			_, rest, ok := strings.Cut(body, question)
			if !ok {
				if code == "UZ" && question == "How many women live" {
					continue // is the seventh of six
				}
				t.Errorf("%s: nobody asks %q", code, question)
				continue
			}
			asked++
			want := newestTyped(t, c[0], "soato", row["soato"], c[1])
			if m := regexp.MustCompile(`<b>([^<]*)</b>`).FindStringSubmatch(rest); m == nil || m[1] != want {
				t.Errorf("%s: %s is answered with %v, want %s", code, question, m, want)
			}
		}
		if asked < 5 {
			t.Errorf("%s: %d questions", code, asked)
		}
	}
}

// squeezed is what a page weighs over the wire.
func squeezed(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("%s: %v, %v", url, err, res.Header)
	}
	return len(b)
}

// isoOf are regions' codes by those of the classifier SOATO.
var isoOf = map[string]string{
	"1700": "UZ", "1703": "UZ-AN", "1706": "UZ-BU", "1708": "UZ-JI", "1710": "UZ-QA", "1712": "UZ-NW", "1714": "UZ-NG", "1718": "UZ-SA",
	"1722": "UZ-SU", "1724": "UZ-SI", "1726": "UZ-TK", "1727": "UZ-TO", "1730": "UZ-FA", "1733": "UZ-XO", "1735": "UZ-QR",
}
