package read

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"koprik/internal/sharedtest"
	"koprik/portal"
)

// readAll gives the labels and rows of the first table as text, as they come
// before types.
func readAll(t testing.TB, path string, r portal.Resource) (labels []string, rows [][]string, err error) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if r.Path == "" {
		r.Path = filepath.Base(path)
	}
	rd := &reader{ctx: context.Background(), src: bytes.NewReader(data), size: int64(len(data)), res: r, report: &report{}}
	defer rd.close()
	sheets, err := rd.open()
	if err != nil || len(sheets) == 0 {
		return nil, nil, err
	}
	err = sheets[0].each(rd.ctx, func(_ int, cells []cell) error {
		row := make([]string, len(cells))
		for i, c := range cells {
			row[i] = strings.Clone(c.text)
		}
		rows = append(rows, row)
		return nil
	})
	return sheets[0].labels, rows, err
}

// records gives rows by their labels, as a file of records has them.
func records(labels []string, rows [][]string) (all []map[string]string) {
	for _, row := range rows {
		m := map[string]string{}
		for i, c := range row {
			m[labels[i]] = c
		}
		all = append(all, m)
	}
	return all
}

func agree(t *testing.T, what string, good, all, least int) {
	t.Helper()
	t.Logf("%s: %d of %d agree", what, good, all)
	if good < least {
		t.Errorf("%s: %d of %d agree, %d did before", what, good, all, least)
	}
}

func TestCSVSpectrumReadsAsItsAuthorsSay(t *testing.T) {
	dir := sharedtest.Path(t, "data/messy-csv/csv-spectrum")
	files, _ := filepath.Glob(filepath.Join(dir, "csvs", "*.csv"))
	good := 0
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, "json", strings.TrimSuffix(filepath.Base(f), ".csv")+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var want []map[string]string
		if json.Unmarshal(data, &want) != nil {
			continue
		}
		labels, rows, err := readAll(t, f, portal.Resource{})
		got := records(labels, rows)
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got)
		if err == nil && bytes.Equal(a, b) {
			good++
		} else {
			t.Logf("%s: %v\n got %s\nwant %s", f, err, b, a)
		}
	}
	agree(t, "csv-spectrum", good, len(files), 10) // one has no expected rows, one lost its CRLF in the collection
}

func TestPollutedFilesReadAsTheCleanOnes(t *testing.T) {
	dir := sharedtest.Path(t, "data/messy-csv/pollock-licence-unclear")
	files, _ := filepath.Glob(filepath.Join(dir, "csv", "*.csv"))
	good, told := 0, 0
	for _, f := range files {
		clean, err := os.Open(filepath.Join(dir, "clean", filepath.Base(f)))
		if err != nil {
			continue
		}
		c := csv.NewReader(clean)
		c.FieldsPerRecord, c.LazyQuotes = -1, true
		want, err := c.ReadAll()
		clean.Close()
		if err != nil {
			t.Fatal(f, err)
		}
		labels, rows, err := readAll(t, f, portal.Resource{})
		if labels != nil {
			rows = append([][]string{labels}, rows...)
		}
		why := differ(rows, want)
		if err == nil && why == "" {
			good++
			continue
		}
		infos, err := checkFile(t, f, portal.Resource{})
		if err == nil && len(infos[0].Notes) == 0 {
			t.Logf("%s: %s, and nobody is told", filepath.Base(f), clip(why, 200))
			continue
		}
		told++
	}
	agree(t, "pollock", good, len(files), 34)
	agree(t, "pollock, or its loss is named", good+told, len(files), 36)
}

func differ(got, want [][]string) string {
	for i := range want {
		if i >= len(got) {
			return "rows end early"
		}
		for j := range max(len(want[i]), len(got[i])) {
			a, b := "", ""
			if j < len(got[i]) {
				a = got[i][j]
			}
			if j < len(want[i]) {
				b = want[i][j]
			}
			if strings.TrimSpace(strings.ReplaceAll(a, "\r\n", "\n")) != strings.TrimSpace(b) {
				return "row " + string(rune('0'+i%10)) + ": " + clip(a, 60) + " | " + clip(b, 60)
			}
		}
	}
	if len(got) > len(want) {
		return "too many rows"
	}
	return ""
}

// The folders name the encoding; only the regional ones can be told apart here.
func TestRegionalEncodingsAreGuessed(t *testing.T) {
	dir := sharedtest.Path(t, "data/encodings/chardet")
	good, all := 0, 0
	for folder, name := range map[string]string{
		"windows-1251-russian": "windows-1251", "KOI8-R": "koi8-r", "IBM866": "ibm866", "MacCyrillic": "mac-cyrillic",
		"IBM855": "ibm855", "UTF-32LE": "utf-32le", "windows-1254-turkish": "windows-1254", "iso-8859-9-turkish": "windows-1254", "windows-1251-bulgarian": "windows-1251", "utf-8": "utf-8", "UTF-16": "utf-16le", "UTF-16LE": "utf-16le", "UTF-16BE": "utf-16be",
	} {
		files, _ := filepath.Glob(filepath.Join(dir, folder, "*"))
		n := 0
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			rd := &reader{ctx: context.Background(), src: bytes.NewReader(data), size: int64(len(data)), report: &report{}, strict: true}
			cs, _, err := rd.charset()
			if err == nil && (cs.name == name || folder == "UTF-16" && strings.HasPrefix(cs.name, "utf-16")) {
				n++
			} else {
				t.Logf("%s: %q %v", f, cs.name, err)
			}
		}
		t.Logf("%s: %d of %d", folder, n, len(files))
		good, all = good+n, all+len(files)
	}
	agree(t, "encodings", good, all, 91)
}

// Names beginning with y_ are JSON, n_ are not.
func TestJSONIsAcceptedAndRefusedAsTheSuiteSays(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(sharedtest.Path(t, "data"), "json/parsing", "*.json"))
	for _, f := range files {
		_, err := checkFile(t, f, portal.Resource{})
		switch name := filepath.Base(f); {
		case strings.HasPrefix(name, "y_") && err != nil:
			t.Errorf("%s: %v", name, err)
		case strings.HasPrefix(name, "n_") && err == nil:
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestWorkbooksReadAsTheirCSV(t *testing.T) {
	dir := sharedtest.Path(t, "data/spreadsheets/sheetjs")
	for xlsx, exported := range map[string]string{
		"Attendance.xlsx": "Attendance.csv", "sushi.xlsx": "sushi.xlsx.0.csv", "AutoFilter.xlsx": "AutoFilter.xlsx.xls.0.csv",
		"pivot_table_test.xlsm": "pivot_table_test.xlsm.0.csv", "number_format_entities.xlsx": "number_format_entities.csv",
	} {
		labels, rows, err := readAll(t, filepath.Join(dir, xlsx), portal.Resource{})
		if labels != nil {
			rows = append([][]string{labels}, rows...)
		}
		wl, want, err2 := readAll(t, filepath.Join(dir, exported), portal.Resource{})
		if wl != nil {
			want = append([][]string{wl}, want...)
		}
		t.Logf("%s: %v %v %s (%d, %d rows)", xlsx, err, err2, differ(rows, want), len(rows), len(want))
	}
}
