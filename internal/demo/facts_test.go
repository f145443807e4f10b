package demo

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"koprik/internal/sharedtest"

	"github.com/google/go-cmp/cmp"
)

// cells gives a table's figures as numbers, by the row's key and by our name of
// the column; columns are pairs of the name there and ours.
func cells(t *testing.T, table records, key func(map[string]string) string, columns ...string) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for _, row := range table.rows {
		for i := 0; i < len(columns); i += 2 {
			cell, ok := row[columns[i]]
			if !ok {
				t.Fatalf("no column %s", columns[i])
			}
			name := key(row) + " " + columns[i+1]
			if _, twice := all[name]; twice {
				t.Fatalf("%s stands twice", name)
			}
			if cell != "" {
				all[name] = number(t, cell)
			}
		}
	}
	return all
}

func by(columns ...string) func(map[string]string) string {
	return func(row map[string]string) string {
		key := make([]string, len(columns))
		for i, c := range columns {
			key[i] = row[c]
		}
		return strings.Join(key, " ")
	}
}

// same pairs every column with itself.
func same(columns ...string) []string {
	var pairs []string
	for _, c := range columns {
		pairs = append(pairs, c, c)
	}
	return pairs
}

// wide are the tables that have a row for each place in the facts and here.
var wide = []struct {
	facts, ours string
	columns     []string // name in the facts, ours
}{
	{"doctors_by_region", "doctors-by-region/doctors_by_region", []string{
		"doctors_thousand_2025_01_01", "doctors_thousand_2025", "doctors_per_10000_2021_01_01", "doctors_per_10000_2021", "persons_per_doctor_2023_01_01", "persons_per_doctor_2023",
	}},
	{"education_by_region", "education-by-region/education_by_region", []string{
		"grade1_intake_thousand_2020_21", "first_grade_thousand_2020", "grade10_11_pupils_thousand_2022_23", "grades_10_11_thousand_2022",
		"pupils_per_teacher_2021_22", "pupils_per_teacher_2021", "colleges_2020_21", "colleges_2020",
	}},
	{"hospitals_by_region", "hospitals-by-region/hospitals_by_region", []string{"hospitals_2021_01_01", "hospitals_2021", "hospitals_2024_12_31", "hospitals_2024"}},
	{"live_births_by_sex_region_q1_2022", "live-births-by-sex/live_births_by_sex_2022_q1", same("boys", "girls")},
	{"marriages_divorces_by_region", "marriages-and-divorces/marriages_and_divorces_2022", []string{"marriages_jan_sep_2022", "marriages", "divorces_jan_sep_2022", "divorces"}},
	{"marriages_divorces_by_region", "marriages-and-divorces/marriages_2025", []string{"marriages_2025_thousand", "marriages_thousand"}},
	{"population_by_district_selected_years", "population-by-district/population_by_district", []string{
		"y2010", "population_2010", "y2015", "population_2015", "y2020", "population_2020", "y2025", "population_2025", "y2026", "population_2026",
	}},
	{"population_by_sex_region_2026", "population-by-sex/population_by_sex_2026", []string{"women_thousand", "women_thousand", "total_thousand", "total_thousand", "men_thousand_derived", "men_thousand"}},
	{"population_sex_urban_7regions_2022", "population-by-sex-and-settlement/population_by_sex_and_settlement_2022", same("total", "women", "men", "urban", "rural")},
}

func TestEveryFigureIsTheOneThatWasTyped(t *testing.T) {
	facts := os.DirFS(sharedtest.Path(t, "data/facts"))
	compare := func(name string, want, got map[string]float64) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Errorf("%s: %d figures (-facts +ours):\n%s", name, len(want), diff)
		}
	}
	seen := map[string]bool{}
	typed := func(name string) records {
		t.Helper()
		seen[name+".csv"] = true
		return readCSV(t, facts, name+".csv")
	}
	ours := func(name string) records {
		t.Helper()
		return readCSV(t, files, "packages/"+name+".csv")
	}
	for _, w := range wide {
		var here []string
		for i := 1; i < len(w.columns); i += 2 {
			here = append(here, w.columns[i])
		}
		compare(w.ours, cells(t, typed(w.facts), by("soato"), w.columns...), cells(t, ours(w.ours), by("soato"), same(here...)...))
	}

	population := same("population_thousand")
	compare("population by region", cells(t, typed("population_by_region_2010_2026"), by("soato", "year"), population...),
		cells(t, readCSV(t, files, "updates/population-by-region/population_by_region.csv"), by("soato", "year"), population...))
	births := same("live_births")
	compare("Samarkand", cells(t, typed("samarkand_live_births"), by("year"), births...), cells(t, ours("live-births-samarkand/live_births_samarkand"), by("year"), births...))
	compare("schools", cells(t, typed("general_schools_national"), by("school_year_start"), same("schools")...),
		cells(t, ours("general-schools/general_schools"), by("school_year"), same("schools")...))

	// The names of districts are written together in one table of the source and
	// apart in another; this one has no codes.
	together := func(row map[string]string) string {
		return strings.ToLower(strings.ReplaceAll(row["district_uz"]+row["name_uz"], " ", ""))
	}
	compare("Tashkent region", cells(t, typed("tashkent_region_births_2024h1_by_district"), together, "live_births_2024_jan_jun", "live_births"),
		cells(t, ours("live-births-tashkent-region/live_births_tashkent_region_2024_h1"), together, births...))

	long := map[string]float64{}
	for key, n := range cells(t, typed("live_births_by_region_jan_sep_2022_2025"), by("soato"), same("jan_sep_2022", "jan_sep_2025")...) {
		long[strings.Replace(key, "jan_sep_", "", 1)+" live_births"] = n
	}
	compare("births January to September", long, cells(t, ours("live-births-by-region/live_births_january_september"), by("soato", "year"), births...))

	names, err := fs.Glob(facts, "*.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !seen[name] {
			t.Errorf("%s is in no dataset of the demonstration", name)
		}
	}
}
