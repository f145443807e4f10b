package read

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"koprik/internal/sharedtest"
	"koprik/portal"
)

// TestEvalTables counts how much of a folder of real files is read as those who
// collected it say it should be (make eval-tables DATA=…). Folders that are not
// there are passed over. KOPRIK_VERBOSE names what does not agree.
func TestEvalTables(t *testing.T) {
	if testing.Short() {
		t.Skip("counts are for go test ./... and make eval-tables")
	}
	data := os.Getenv("KOPRIK_EVAL_DATA")
	if data == "" {
		data = sharedtest.Path(t, "data")
	}
	for _, part := range []struct {
		name  string
		least float64 // percent
		count func(t *testing.T, data string) (good, all int)
	}{
		{"csv-spectrum", 90, evalSpectrum},
		{"Pollock, polluted as clean", 90, evalPollock},
		{"survey, delimiter and encoding", 95, evalSurvey},
		{"workbooks, sheets as their CSV", 90, evalSheets}, // three show what formats show: fractions, no sign
		{"encodings", 95, evalEncodings},
		{"W3C csvw, rows as JSON", 50, evalCSVW},
	} {
		good, all := part.count(t, data)
		if all == 0 {
			t.Logf("%-34s not there", part.name)
			continue
		}
		t.Logf("%-34s %4d of %4d  %5.1f %%", part.name, good, all, 100*float64(good)/float64(all))
		if 100*float64(good) < part.least*float64(all) {
			t.Errorf("%s: below %.0f %%", part.name, part.least)
		}
	}
	evalVerdicts(t, data)
}

// disagree names one file that is read otherwise.
func disagree(t *testing.T, file, format string, args ...any) {
	t.Helper()
	if os.Getenv("KOPRIK_VERBOSE") != "" {
		t.Logf("  %s: %s", filepath.Base(file), clip(fmt.Sprintf(format, args...), 300))
	}
}

// folders finds the folders below data that have all the parts.
func folders(data, pattern string, parts ...string) (found []string) {
	all, _ := filepath.Glob(filepath.Join(data, pattern))
	for _, dir := range all {
		if !slices.ContainsFunc(parts, func(p string) bool { _, err := os.Stat(filepath.Join(dir, p)); return err != nil }) {
			found = append(found, dir)
		}
	}
	return found
}

// readCSV is what encoding/csv reads of a file with expected rows.
func readCSV(path string) ([][]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))))
	c.FieldsPerRecord, c.LazyQuotes = -1, true
	return c.ReadAll()
}

// The expected rows of location_coordinates have another telephone number than
// its file: nothing can read it so. Line ends inside cells are compared as LF, for
// the collection has lost its CR.
func evalSpectrum(t *testing.T, data string) (good, all int) {
	for _, dir := range folders(data, "messy-csv/csv-spectrum", "csvs", "json") {
		files, _ := filepath.Glob(filepath.Join(dir, "csvs", "*.csv"))
		for _, f := range files {
			raw, err := os.ReadFile(filepath.Join(dir, "json", strings.TrimSuffix(filepath.Base(f), ".csv")+".json"))
			if err != nil {
				continue
			}
			var want []map[string]string
			if json.Unmarshal(raw, &want) != nil {
				one := map[string]string{}
				if json.Unmarshal(raw, &one) != nil {
					continue
				}
				want = append(want, one)
			}
			all++
			labels, rows, err := readAll(t, f, portal.Resource{})
			got := records(labels, rows)
			a, _ := json.Marshal(want)
			b, _ := json.Marshal(got)
			if err == nil && strings.ReplaceAll(string(a), `\r\n`, `\n`) == strings.ReplaceAll(string(b), `\r\n`, `\n`) {
				good++
			} else {
				disagree(t, f, "%v got %s want %s", err, b, a)
			}
		}
	}
	return good, all
}

func evalPollock(t *testing.T, data string) (good, all int) {
	for _, dir := range folders(data, "messy-csv/pollock*", "csv", "clean") {
		files, _ := filepath.Glob(filepath.Join(dir, "csv", "*.csv"))
		for _, f := range files {
			want, err := readCSV(filepath.Join(dir, "clean", filepath.Base(f)))
			if err != nil {
				continue
			}
			all++
			labels, rows, err := readAll(t, f, portal.Resource{})
			if labels != nil {
				rows = append([][]string{labels}, rows...)
			}
			why := differ(rows, want)
			if why == "" && (err == nil || len(want) == 0) {
				good++
			} else {
				disagree(t, f, "%s %v", why, err)
			}
		}
	}
	return good, all
}

// evalSurvey compares delimiter, quote and encoding with the annotations. A file
// that is a pointer to Git LFS is not there.
func evalSurvey(t *testing.T, data string) (good, all int) {
	for _, dir := range folders(data, "messy-csv/pollock*", "csv", "annotations") {
		files, _ := filepath.Glob(filepath.Join(dir, "annotations", "*.json"))
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				continue
			}
			var a struct {
				File     string `json:"file_name"`
				Encoding string `json:"encoding"`
				NotComma int    `json:"table_not_comma_delimiter"`
				NotQuote int    `json:"table_not_double_quote"`
			}
			if json.Unmarshal(raw, &a) != nil {
				continue
			}
			text, err := os.ReadFile(filepath.Join(dir, "csv", a.File))
			if err != nil || bytes.HasPrefix(text, []byte("version https://git-lfs")) {
				continue
			}
			all++
			rd := &reader{ctx: context.Background(), src: bytes.NewReader(text), size: int64(len(text)), report: &report{}}
			cs, _, err := rd.charset()
			sample, err2 := rd.sample(cs)
			d, _ := dialect{double: true}.sniff(sample)
			comma := d.delimiter == ","
			quote := d.quote == `"`
			if err == nil && err2 == nil && comma == (a.NotComma == 0) && (quote || a.NotQuote == 1) && sameText(text, cs, a.Encoding) {
				good++
			} else {
				disagree(t, f, "%s %q %q, annotated %s, comma %v; %v", cs.name, d.delimiter, d.quote, a.Encoding, a.NotComma == 0, err)
			}
		}
	}
	return good, all
}

// sameText: two names of an encoding are the same when the file reads the same.
func sameText(text []byte, cs charset, name string) bool {
	name = strings.ToLower(name)
	if name == "ascii" || name == "utf-8" || name == "utf-8-sig" {
		return cs.name == "utf-8" || cs.enc == nil
	}
	want, ok := lookupCharset(name)
	if !ok || want.enc == nil || cs.enc == nil {
		return ok && want.name == cs.name
	}
	a, err := want.enc.NewDecoder().Bytes(text)
	b, err2 := cs.enc.NewDecoder().Bytes(text)
	return err == nil && err2 == nil && bytes.Equal(a, b)
}

// expectedSheet is how SheetJS calls the CSV of one sheet: a.xlsx.0.csv, or for
// a workbook's older twin a.xlsx.xls.0.csv; a.csv is the first.
var expectedSheet = regexp.MustCompile(`^(.+?)(?:\.(xlsx|xlsm|xls|ods|xlsb|xml))*(?:\.(\d+))?\.csv$`)

func evalSheets(t *testing.T, data string) (good, all int) {
	for _, dir := range folders(data, "spreadsheets/*") {
		files, _ := filepath.Glob(filepath.Join(dir, "*.csv"))
		for _, f := range files {
			m := expectedSheet.FindStringSubmatch(filepath.Base(f))
			if m == nil {
				continue
			}
			index, _ := strconv.Atoi(m[3])
			for _, ext := range []string{".xlsx", ".xlsm", ".ods"} {
				book := filepath.Join(dir, m[1]+ext)
				if _, err := os.Stat(book); err != nil || strings.Contains(filepath.Base(f), ".xls.") && m[2] == "xls" && ext == ".ods" {
					continue
				}
				_, want, err := readAll(t, f, portal.Resource{Dialect: json.RawMessage(`{"header": false}`)})
				if err != nil {
					continue
				}
				all++
				if why := sheetDiffers(t, book, index, want); why == "" {
					good++
				} else {
					disagree(t, f, "%s: %s", ext, why)
				}
			}
		}
	}
	return good, all
}

// sheetDiffers compares one sheet with expected rows, value by value.
func sheetDiffers(t *testing.T, book string, index int, want [][]string) string {
	t.Helper()
	text, err := os.ReadFile(book)
	if err != nil {
		t.Fatal(err)
	}
	no := json.RawMessage(fmt.Sprintf(`{"header": false, "sheetNumber": %d}`, index+1))
	rd := &reader{ctx: context.Background(), src: bytes.NewReader(text), size: int64(len(text)), res: portal.Resource{Path: book, Dialect: no}, report: &report{}}
	defer rd.close()
	sheets, err := rd.open()
	if err != nil || len(sheets) != 1 {
		return fmt.Sprint(len(sheets), " sheets ", err)
	}
	var rows [][]string
	err = sheets[0].each(rd.ctx, func(_ int, cells []cell) error {
		row := make([]string, len(cells))
		for i, c := range cells {
			row[i] = strings.Clone(c.text)
		}
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		return err.Error()
	}
	want = slices.DeleteFunc(want, func(r []string) bool { return empty(r) })
	if len(rows) != len(want) {
		return fmt.Sprintf("%d rows, want %d", len(rows), len(want))
	}
	for i := range want {
		for j := range max(len(rows[i]), len(want[i])) {
			if a, b := cellOf(rows[i], j), cellOf(want[i], j); !sameValue(a, b) {
				return fmt.Sprintf("row %d, column %d: %q, want %q", i+1, j+1, a, b)
			}
		}
	}
	return ""
}

// sameValue: the expected text is what a format shows of the value; numbers agree
// as far as they are shown, days as days.
func sameValue(got, shown string) bool {
	got, shown = strings.TrimSpace(strings.ReplaceAll(got, "\r\n", "\n")), strings.TrimSpace(shown)
	if got == shown || strings.EqualFold(got, shown) {
		return true
	}
	if day, err := time.Parse("2006-01-02", got[:min(len(got), 10)]); err == nil {
		for _, layout := range []string{"1/2", "1/2/06", "1/2/2006", "2006-01-02", "02.01.2006", "2-Jan-06", "2-Jan", "Jan-06", "1/2/06 15:04", "2 January 2006", "January 2, 2006"} {
			if s, err := time.Parse(layout, shown); err == nil && (s.YearDay() == day.YearDay() || s.Month() == day.Month() && !strings.Contains(layout, "2/")) {
				return true
			}
		}
	}
	a, _, ok := shownNumber(got, false)
	for _, comma := range []bool{false, true} {
		b, within, ok2 := shownNumber(shown, comma)
		if ok && ok2 && math.Abs(a-b) <= within+1e-9*math.Abs(a) {
			return true
		}
	}
	return false
}

// shownNumber reads a number as a format shows it, and how far off it may be for
// being rounded. comma says that a comma marks decimals.
func shownNumber(s string, comma bool) (f, within float64, ok bool) {
	percent := strings.HasSuffix(s, "%")
	s = strings.TrimFunc(s, func(r rune) bool { return !unicode.IsDigit(r) && !strings.ContainsRune("()-", r) })
	negative := strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")")
	s = strings.NewReplacer(" ", "", "\u00a0", "", "(", "", ")", "", "$", "").Replace(s)
	if comma {
		s = strings.Replace(s, ",", ".", 1)
	}
	s = strings.ReplaceAll(s, ",", "")
	f, err := strconv.ParseFloat(s, 64)
	mantissa, exponent, _ := strings.Cut(strings.ToUpper(s), "E")
	_, places, _ := strings.Cut(mantissa, ".")
	tens, _ := strconv.Atoi(exponent) // "" is 0
	within = 0.51 * math.Pow(10, float64(tens-len(places)))
	if percent {
		f, within = f/100, within/100
	}
	if negative {
		f = -f
	}
	return f, within, err == nil
}

func evalEncodings(t *testing.T, data string) (good, all int) {
	names := map[string]string{"iso88599turkish": "windows-1254", "utf16": "utf-16"}
	files, _ := filepath.Glob(filepath.Join(data, "encodings", "*", "*", "*"))
	for _, f := range files {
		folder := filepath.Base(filepath.Dir(f))
		want := names[strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(folder))]
		if want == "" {
			base := strings.TrimRight(strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(folder, "-russian"), "-bulgarian"), "-turkish"), "-")
			cs, ok := lookupCharset(base)
			if !ok {
				continue
			}
			want = cs.name
		}
		text, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		all++
		rd := &reader{ctx: context.Background(), src: bytes.NewReader(text), size: int64(len(text)), report: &report{}}
		cs, _, err := rd.charset()
		if err == nil && (cs.name == want || want == "utf-16" && strings.HasPrefix(cs.name, want)) {
			good++
		} else {
			disagree(t, f, "%s, want %s; %v", cs.name, want, err)
		}
	}
	return good, all
}

// evalCSVW takes the tests that convert a table to JSON and whose files are there:
// the rows must have the same values, in order. Values that only metadata makes
// (types, separators, virtual columns) are not a matter of parsing, and such
// tests count as not passed.
func evalCSVW(t *testing.T, data string) (good, all int) {
	for _, dir := range folders(data, "validation/w3c-csvw*") {
		var manifest struct {
			Entries []struct {
				ID, Type, Action, Result string
			}
		}
		raw, err := os.ReadFile(filepath.Join(dir, "manifest-json.jsonld"))
		if err == nil {
			err = json.Unmarshal(raw, &manifest)
		}
		if err != nil {
			t.Log(err)
			continue
		}
		for _, e := range manifest.Entries {
			if !strings.HasSuffix(e.Action, ".csv") || !strings.HasSuffix(e.Result, ".json") {
				continue
			}
			result, err := os.ReadFile(filepath.Join(dir, e.Result))
			if err != nil {
				continue
			}
			if _, err := os.Stat(filepath.Join(dir, e.Action)); err != nil {
				continue
			}
			all++
			if why := csvwDiffers(t, filepath.Join(dir, e.Action), result); why == "" {
				good++
			} else {
				disagree(t, e.Action, "%s", why)
			}
		}
	}
	return good, all
}

// csvwDiffers compares the cells that have a value with those of the expected
// objects, in order.
func csvwDiffers(t *testing.T, path string, result []byte) string {
	t.Helper()
	var rows []json.RawMessage
	var tables struct {
		Tables []struct {
			Row []struct{ Describes []json.RawMessage }
		}
	}
	if json.Unmarshal(result, &rows) != nil {
		if err := json.Unmarshal(result, &tables); err != nil {
			return err.Error()
		}
		for _, table := range tables.Tables {
			for _, r := range table.Row {
				rows = append(rows, r.Describes...)
			}
		}
	}
	_, got, err := readAll(t, path, portal.Resource{Dialect: json.RawMessage(`{"header": true}`)})
	if err != nil {
		return err.Error()
	}
	if len(got) != len(rows) {
		return fmt.Sprintf("%d rows, want %d", len(got), len(rows))
	}
	for i, raw := range rows {
		var want []string
		err := members(bytes.TrimSpace(raw), func(key string, v []byte) error {
			if strings.HasPrefix(key, "@") {
				return nil // of the metadata
			}
			c, err := jsonCell(v)
			want = append(want, strings.TrimSpace(c.text))
			return err
		})
		have := slices.DeleteFunc(slices.Clone(got[i]), func(c string) bool { return strings.TrimSpace(c) == "" })
		for j := range have {
			have[j] = strings.TrimSpace(have[j])
		}
		if err != nil || !slices.EqualFunc(want, have, sameValue) {
			return fmt.Sprintf("row %d: %q, want %q %v", i+1, have, want, err)
		}
	}
	return ""
}

// evalVerdicts reads every file of the messy folders: each ends with tables, none
// or a rejection, in bounded time and memory.
func evalVerdicts(t *testing.T, data string) {
	for _, folder := range []string{"messy-csv", "spreadsheets", "encodings"} {
		var read, none, rejected int
		var slowest time.Duration
		var most uint64
		_ = filepath.WalkDir(filepath.Join(data, folder), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return nil //nolint:nilerr // a folder that is not there
			}
			r := portal.Resource{}
			if folder == "encodings" {
				r.Format = "csv"
			}
			begin := time.Now()
			infos, err := checkFile(t, path, r)
			slowest = max(slowest, time.Since(begin))
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapSys)
			switch {
			case err != nil && !isRejection(err):
				t.Errorf("%s: %v: must be a rejection", path, err)
			case err != nil:
				rejected++
				disagree(t, path, "rejected: %v", err)
			case len(infos) == 0:
				none++
			default:
				read++
			}
			return nil
		})
		if read+none+rejected > 0 {
			t.Logf("%-34s %4d read, %d no tables, %d refused with a reason; slowest %v, heap %d MiB", folder, read, none, rejected, slowest.Round(time.Millisecond), most>>20)
		}
		if slowest > time.Minute || most > 256<<20 {
			t.Errorf("%s: %v, %d MiB", folder, slowest, most>>20)
		}
	}
}
