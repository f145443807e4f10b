package demo

import (
	"encoding/json"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"testing"

	"koprik/portal"
)

// figures are the cells of a column, by the code of the place, and with " year"
// behind it in tables that have years.
func figures(t *testing.T, file, column string) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for _, row := range readCSV(t, files, file).rows {
		if row[column] == "" {
			continue
		}
		key := row["soato"]
		if row["year"] != "" {
			key += " " + row["year"]
		}
		if _, twice := all[key]; twice {
			t.Fatalf("%s: %s stands twice", file, key)
		}
		all[key] = number(t, row[column])
	}
	if len(all) == 0 {
		t.Fatalf("%s has no column %s", file, column)
	}
	return all
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func isClose(a, b, within float64) bool { return math.Abs(a-b) <= within+1e-6 }

// The published totals, and what the regions add up to where that is another
// number. A discrepancy stands here and in the notes of its passport, and is
// not mended.
func TestRegionsAddUpToThePublishedTotals(t *testing.T) {
	const rounding = 0.05 // of figures published with one decimal
	for _, c := range []struct {
		file, column string
		published    float64
		regions      float64 // 0: as published
		within       float64
	}{
		{"population-by-sex/population_by_sex_2026.csv", "women_thousand", 18979.0, 0, 0},
		{"live-births-by-sex/live_births_by_sex_2022_q1.csv", "boys", 104777, 0, 0},
		{"live-births-by-sex/live_births_by_sex_2022_q1.csv", "girls", 98893, 0, 0},
		{"doctors-by-region/doctors_by_region.csv", "doctors_thousand_2025", 107.5, 105.0, 0},
		{"hospitals-by-region/hospitals_by_region.csv", "hospitals_2021", 1216, 0, 0},
		{"hospitals-by-region/hospitals_by_region.csv", "hospitals_2024", 1972, 1961, 0},
		{"marriages-and-divorces/marriages_and_divorces_2022.csv", "marriages", 197013, 0, 0},
		{"marriages-and-divorces/marriages_and_divorces_2022.csv", "divorces", 36464, 0, 0}, // the headline: 34 464
		{"marriages-and-divorces/marriages_2025.csv", "marriages_thousand", 267.1, 0, rounding},
		{"education-by-region/education_by_region.csv", "first_grade_thousand_2020", 649.1, 0, rounding},
		{"education-by-region/education_by_region.csv", "grades_10_11_thousand_2022", 831.5, 0, rounding},
		{"education-by-region/education_by_region.csv", "colleges_2020", 206, 0, 0},
	} {
		sum, national := 0.0, 0.0
		for code, n := range figures(t, "packages/"+c.file, c.column) {
			if code == "1700" {
				national = n
			} else {
				sum += n
			}
		}
		want := c.regions
		if want == 0 {
			want = c.published
		}
		if !isClose(national, c.published, 0) || !isClose(sum, want, c.within) {
			t.Errorf("%s, %s: national %v (published %v), the regions add up to %v, not %v", c.file, c.column, national, c.published, sum, want)
		}
	}
}

func TestRegionsAddUpInEveryYear(t *testing.T) {
	for _, c := range []struct {
		file, column string
		within       float64
		years        int
	}{
		{"packages/population-by-region/population_by_region.csv", "population_thousand", 0.75, 16},
		{"updates/population-by-region/population_by_region.csv", "population_thousand", 0.75, 17},
		{"packages/live-births-by-region/live_births_january_september.csv", "live_births", 0, 2},
	} {
		sums, national := map[string]float64{}, map[string]float64{}
		for key, n := range figures(t, c.file, c.column) {
			code, year, _ := strings.Cut(key, " ")
			if code == "1700" {
				national[year] = n
			} else {
				sums[year] += n
			}
		}
		if len(national) != c.years {
			t.Errorf("%s: %d years, not %d", c.file, len(national), c.years)
		}
		for year, n := range national {
			if !isClose(n, sums[year], c.within) {
				t.Errorf("%s: %s: the regions add up to %v, the national figure is %v", c.file, year, sums[year], n)
			}
		}
	}
}

func TestDistrictsAddUpToTheirRegion(t *testing.T) {
	region := figures(t, "updates/population-by-region/population_by_region.csv", "population_thousand")
	table := readCSV(t, files, districts)
	for _, year := range []string{"2010", "2015", "2020", "2025", "2026"} {
		sums := map[string]float64{}
		for _, row := range table.rows {
			if cell := row[yearColumn+year]; cell != "" {
				sums[row["region_soato"]] += number(t, cell)
			}
		}
		if len(sums) != 14 {
			t.Errorf("%s: districts of %d regions", year, len(sums))
		}
		for code, sum := range sums {
			if want := region[code+" "+year]; !isClose(sum, want, 0.85) {
				t.Errorf("%s in %s: the districts add up to %v, the region has %v", code, year, sum, want)
			}
		}
	}
	births := 0.0
	for _, n := range figures(t, "packages/live-births-tashkent-region/live_births_tashkent_region_2024_h1.csv", "live_births") {
		births += n
	}
	if births != 33588 {
		t.Errorf("births in Tashkent region: %v, published 33 588", births)
	}
}

func TestPartsAddUpInEveryRow(t *testing.T) {
	for _, c := range []struct {
		file  string
		parts []string
		total string // a column, or a number
	}{
		{"population-by-sex/population_by_sex_2026.csv", []string{"women_thousand", "men_thousand"}, "total_thousand"},
		{"population-by-sex-and-settlement/population_by_sex_and_settlement_2022.csv", []string{"women", "men"}, "total"},
		{"population-by-sex-and-settlement/population_by_sex_and_settlement_2022.csv", []string{"urban", "rural"}, "total"},
		{"doctors-by-region/doctors_by_sex_2025.csv", []string{"women_thousand", "men_thousand"}, "107.5"},
		{"doctors-by-region/doctors_by_sex_2025.csv", []string{"women_percent", "men_percent"}, "100"},
	} {
		for _, row := range readCSV(t, files, "packages/"+c.file).rows {
			total := c.total
			if cell, ok := row[c.total]; ok {
				total = cell
			}
			sum := 0.0
			for _, part := range c.parts {
				sum += number(t, row[part])
			}
			if !isClose(sum, number(t, total), 0) {
				t.Errorf("%s: %s: %v add up to %v, not %s", c.file, row["soato"], c.parts, sum, total)
			}
		}
	}
}

func TestTheSameFigureIsTheSameEverywhere(t *testing.T) {
	population := figures(t, "updates/population-by-region/population_by_region.csv", "population_thousand")
	for code, n := range figures(t, "packages/population-by-sex/population_by_sex_2026.csv", "total_thousand") {
		if population[code+" 2026"] != n {
			t.Errorf("%s: %v by sex, %v by region", code, n, population[code+" 2026"])
		}
	}
	data, err := fs.ReadFile(files, "packages/live-births-by-sex/live_births_by_sex_long_2022_q1.json")
	if err != nil {
		t.Fatal(err)
	}
	var records []struct {
		Sex    string  `json:"sex"`
		Births float64 `json:"live_births"`
		Soato  string  `json:"soato"`
	}
	if err := json.Unmarshal(data, &records); err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if want := figures(t, "packages/live-births-by-sex/live_births_by_sex_2022_q1.csv", r.Sex)[r.Soato]; r.Births != want {
			t.Errorf("%s %s: %v in JSON, %v in CSV", r.Soato, r.Sex, r.Births, want)
		}
	}
}

// What the notes claim about the series is so.
func TestNotesSayWhatTheFiguresSay(t *testing.T) {
	population := figures(t, "updates/population-by-region/population_by_region.csv", "population_thousand")
	least, most := math.Inf(1), 0.0
	for year := 2012; year <= 2026; year++ {
		grown := population["1700 "+strconv.Itoa(year)] - population["1700 "+strconv.Itoa(year-1)]
		least, most = min(least, grown), max(most, grown)
	}
	for _, c := range []struct {
		what string
		got  float64
		want float64
	}{
		{"2010 to 2011", population["1700 2011"] - population["1700 2010"], 1122},
		{"least growth", least, 432},
		{"greatest growth", math.Round(most), 775},
		{"Tashkent city", population["1726 2022"] - population["1726 2021"], 166.2},
		{"Tashkent region", population["1727 2022"] - population["1727 2021"], -34.4},
	} {
		if !isClose(c.got, c.want, 0) {
			t.Errorf("%s: %v, the note says %v", c.what, c.got, c.want)
		}
	}
	schools := readCSV(t, files, "packages/general-schools/general_schools.csv").rows
	if grown := number(t, schools[len(schools)-1]["schools"]) - number(t, schools[0]["schools"]); grown != 748 {
		t.Errorf("schools: %v more, the passport says 748", grown)
	}
}

func TestEveryDiscrepancyIsInTheNotes(t *testing.T) {
	said := map[string][]string{
		"doctors-by-region":      {"105.0", "107.5"},
		"hospitals-by-region":    {"1,961", "1,972"},
		"marriages-and-divorces": {"34,464", "36,464"},
		"live-births-by-region":  {"computed here as the sum of the regions"},
	}
	for _, r := range loaded(t) {
		var notes strings.Builder
		for _, n := range r.draft.Release.Passport.Notes {
			notes.WriteString(n.Translated[portal.English] + "\n")
		}
		for _, s := range said[r.Name] {
			if !strings.Contains(notes.String(), s) {
				t.Errorf("%v: no note says %q", r, s)
			}
		}
	}
}
