package read

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"koprik/internal/sharedtest"
	"koprik/portal"

	"go.yaml.in/yaml/v3"
)

func checkFile(t testing.TB, path string, r portal.Resource) ([]portal.TableInfo, error) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if r.Path == "" {
		r.Path = filepath.Base(path)
	}
	return Check(context.Background(), bytes.NewReader(data), int64(len(data)), r)
}

// Every file of the messy collections goes through Check: it ends in bounded
// time, without a panic, with tables, with none, or with a rejection.
func TestRealFilesEndWithAVerdict(t *testing.T) {
	data := sharedtest.Path(t, "data")
	every, files := 1, 0
	if testing.Short() {
		every = 12 // the race detector learns nothing from the others
	}
	for _, folder := range []string{"messy-csv", "spreadsheets", "encodings", "facts", "datapackages", "uz-statistics", "json"} {
		var read, none, rejected int
		var slowest time.Duration
		slow := ""
		err := filepath.WalkDir(filepath.Join(data, folder), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			if files++; files%every != 0 {
				return nil
			}
			r := portal.Resource{}
			if folder == "encodings" && filepath.Ext(path) != ".md" {
				r.Format = "csv"
			}
			begin := time.Now()
			infos, err := checkFile(t, path, r)
			if took := time.Since(begin); took > slowest {
				slowest, slow = took, path
			}
			switch {
			case err != nil:
				rejected++
				if !isRejection(err) {
					t.Errorf("%s: %v: must be a rejection", path, err)
				}
				if os.Getenv("KOPRIK_VERBOSE") != "" {
					t.Logf("REJECTED %s: %s", path, clip(err.Error(), 300))
				}
			case len(infos) == 0:
				none++
			default:
				read++
				if os.Getenv("KOPRIK_VERBOSE") != "" {
					for _, i := range infos {
						t.Logf("READ %s %q: %d rows %d cols %q", path, i.Sheet, i.Rows, len(i.Columns), i.Notes)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d read, %d no tables, %d rejected; slowest %v %s", folder, read, none, rejected, slowest.Round(time.Millisecond), slow)
		if slowest > time.Minute {
			t.Errorf("%s took %v", slow, slowest)
		}
	}
}

func TestFactsReadFully(t *testing.T) {
	dir := sharedtest.Path(t, "data/facts")
	rows := map[string]int64{ // as facts/README.md states them
		"population_by_region_2010_2026.csv": 255, "population_by_district_selected_years.csv": 206, "population_by_sex_region_2026.csv": 15,
		"population_sex_urban_7regions_2022.csv": 7, "live_births_by_region_jan_sep_2022_2025.csv": 15, "live_births_by_sex_region_q1_2022.csv": 15,
		"doctors_by_region.csv": 15, "hospitals_by_region.csv": 15, "marriages_divorces_by_region.csv": 15, "general_schools_national.csv": 5,
		"education_by_region.csv": 15, "samarkand_live_births.csv": 6, "tashkent_region_births_2024h1_by_district.csv": 22,
	}
	for name, want := range rows {
		infos, err := checkFile(t, filepath.Join(dir, name), portal.Resource{})
		if err != nil || len(infos) != 1 {
			t.Errorf("%s: %v, %d tables", name, err, len(infos))
			continue
		}
		if infos[0].Rows != want {
			t.Errorf("%s: %d rows, README says %d", name, infos[0].Rows, want)
		}
		for _, f := range infos[0].Columns {
			if number := !strings.HasPrefix(f.Name, "name_") && f.Name != "kind" && f.Name != "school_year_start"; number == (f.Type == "string") {
				t.Errorf("%s: column %s is %s", name, f.Name, f.Type)
			}
		}
	}
}

func TestDataPackagesReadFully(t *testing.T) {
	dir := sharedtest.Path(t, "data/datapackages")
	rows := map[string]int64{ // lines of the files, less the header
		"population": 17195, "population-global-historical": 54, "country-codes": 249, "alias": 52, "function-classifiers": 11, "status-indicators": 14, "subdivision-codes": 4678,
	}
	for _, p := range []string{"population/datapackage.json", "population-global-historical/datapackage.json", "country-codes/datapackage.yml", "un-locode/datapackage.json"} {
		data, err := os.ReadFile(filepath.Join(dir, p))
		if err != nil {
			t.Fatal(err)
		}
		var pkg struct {
			Resources []struct {
				Name, Path string
				Dialect    json.RawMessage
				Schema     struct {
					MissingValues []string
					Fields        []map[string]any
				}
			}
		}
		var tree any
		if err := yaml.Unmarshal(data, &tree); err != nil {
			t.Fatal(err)
		}
		if data, err = json.Marshal(tree); err == nil {
			err = json.Unmarshal(data, &pkg)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, res := range pkg.Resources {
			path := filepath.Join(dir, filepath.Dir(p), res.Path)
			if _, err := os.Stat(path); err != nil {
				continue // the collection left the largest file out
			}
			r := portal.Resource{Name: res.Name, Path: res.Path, Dialect: res.Dialect, Schema: &portal.TableSchema{MissingValues: res.Schema.MissingValues}}
			for _, f := range res.Schema.Fields {
				name, _ := f["name"].(string)
				typ, _ := f["type"].(string)
				format, _ := f["format"].(string)
				r.Schema.Fields = append(r.Schema.Fields, portal.Field{Name: name, Type: typ, Format: format})
			}
			infos, err := checkFile(t, path, r)
			if err != nil {
				t.Errorf("%s: %v", path, clip(err.Error(), 1000))
				continue
			}
			want := rows[res.Name]
			if own, ok := rows[filepath.Dir(p)]; ok {
				want = own
			}
			if len(infos) != 1 || want != 0 && infos[0].Rows != want {
				t.Errorf("%s: %d rows, want %d", path, infos[0].Rows, want)
			}
			t.Logf("%s: %d rows, notes %q", res.Name, infos[0].Rows, infos[0].Notes)
		}
	}
}

// writeFile puts bytes into a file of their own.
func writeFile(t testing.TB, name, data string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
