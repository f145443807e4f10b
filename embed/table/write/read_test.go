package write

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/xuri/excelize/v2"

	"koprik/embed/sqlite"
	"koprik/embed/table/read"
	"koprik/portal"
)

func unmarshal(b []byte, into any) error { return json.Unmarshal(b, into) }

// mended is a text as JSON keeps it: bytes that are no characters are U+FFFD.
func mended(s string) string { return string([]rune(s)) }

// ownReader reads the first table of a file as this program does.
func ownReader(t *testing.T, format portal.ExportFormat, data []byte) (portal.TableInfo, [][]any) {
	t.Helper()
	ctx := context.Background()
	r := portal.Resource{Name: "water", Path: "water." + string(format), Format: string(format), Bytes: int64(len(data)), Hash: portal.DigestOf(data)}
	f, err := read.Open(ctx, bytes.NewReader(data), int64(len(data)), r, t.TempDir())
	if err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	defer f.Close()
	var info portal.TableInfo
	var rows [][]any
	err = f.Each(func(table *read.Table) error {
		if info.Rows > 0 || rows != nil {
			return nil
		}
		info = table.Info()
		return table.Rows(ctx, make([]any, 0, table.Width()), func(out []any, _ int) ([]any, error) {
			row := append([]any(nil), out...)
			for i, c := range info.Columns {
				if n, ok := row[i].(int64); ok && c.Type == "boolean" {
					row[i] = n != 0
				}
			}
			rows = append(rows, row)
			return out[:0], nil
		})
	})
	if err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return info, rows
}

// plainRows are rows that every format keeps whole.
func plainRows() [][]any {
	var rows [][]any
	for i := range 60 {
		rows = append(rows, []any{
			fmt.Sprintf("Tuman %d, \"a\"; b", i), int64(1990 + i%30), int64(i * 1000), float64(i) + 0.25, i%2 == 0,
			fmt.Sprintf("2025-01-%02d", i%28+1), fmt.Sprintf("2025-01-%02dT10:00:00", i%28+1), 60 + float64(i)/8, 40 + float64(i)/16,
		})
	}
	return rows
}

func TestOurOwnReaderReadsEveryTextFormatAndWorkbookBack(t *testing.T) {
	rows := plainRows()
	for _, f := range []File{file(portal.ExportCSV), file(portal.ExportXLSX), file(portal.ExportJSON), file(portal.ExportNDJSON), variants()["csv;ru"]} {
		info, got := ownReader(t, f.Format, made(t, f, rows))
		if f.Format == portal.ExportNDJSON { // the line of provenance is a row of its own
			got = got[:len(got)-1]
			for i := range got {
				got[i] = got[i][:len(rows[0])]
			}
		}
		if diff := cmp.Diff(rows, got); diff != "" {
			t.Errorf("%s %s (-written +read):\n%s", f.Format, f.Lang, diff)
		}
		if f.Lang == "" && (info.Columns[0].Name != "region" || info.Columns[8].Name != "lat") {
			t.Errorf("%s: columns %v", f.Format, info.Columns)
		}
	}
}

func TestGeoJSONIsReadBackWithItsPoints(t *testing.T) {
	info, got := ownReader(t, portal.ExportGeoJSON, made(t, file(portal.ExportGeoJSON), sample))
	last := len(info.Columns) - 1
	if info.Columns[last].Name != "geometry" || len(got) != len(sample) {
		t.Fatalf("%d rows, columns %v", len(got), info.Columns)
	}
	for i, want := range []any{`{"type":"Point","coordinates":[71.78,40.38]}`, nil, nil, nil, `{"type":"Point","coordinates":[69,41]}`, `{"type":"Point","coordinates":[69.5,41.5]}`} {
		if got[i][last] != want {
			t.Errorf("row %d: %v, want %v", i, got[i][last], want)
		}
	}
	f := file(portal.ExportGeoJSON)
	f.Columns = []portal.Field{{Name: "name"}, {Name: "shape", Type: "geojson"}}
	f.Hidden = 1
	shape := `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`
	var all struct {
		Provenance string `json:"koprik_provenance"`
		Features   []struct {
			Geometry   json.RawMessage
			Properties map[string]any
		}
	}
	if err := json.Unmarshal(made(t, f, [][]any{{"a", shape}, {"b", "{broken"}, {"c", `{"type":"Feature"}`}}), &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Features) != 3 || string(all.Features[0].Geometry) != shape || string(all.Features[1].Geometry) != "null" || string(all.Features[2].Geometry) != "null" {
		t.Errorf("%+v", all)
	}
	if diff := cmp.Diff(map[string]any{"name": "a"}, all.Features[0].Properties); diff != "" {
		t.Error(diff)
	}
}

func TestCSVIsWhatSpreadsheetProgramsOpen(t *testing.T) {
	data := made(t, file(portal.ExportCSV), sample)
	text, ok := strings.CutPrefix(string(data), "\ufeff")
	if !ok || strings.Count(text, "\r\n") < len(sample)+2 {
		t.Error("no byte order mark, or no CR LF")
	}
	got, err := csv.NewReader(strings.NewReader(text)).ReadAll() // wants as many cells in every line
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(sample)+2 {
		t.Fatalf("%d lines", len(got))
	}
	if got[2][0] != `'=HYPERLINK("http://x")` || got[2][2] != "-5" || got[5][0] != "-" || got[3][2] != "1152921504606846976" || got[6][3] != "1e+300" {
		t.Errorf("%q", got)
	}
	if !strings.HasPrefix(got[len(got)-1][0], "# koprik-provenance:1;") {
		t.Errorf("last line %q", got[len(got)-1])
	}
	ru := string(made(t, variants()["csv;ru"], sample))
	if !strings.Contains(ru, "\ufeffРегион;year;") || !strings.Contains(ru, ";0,5;true;") {
		t.Errorf("%s", ru)
	}
	one := file(portal.ExportCSV)
	one.Columns, one.Bare = one.Columns[:1], true
	if got := string(made(t, one, [][]any{{nil}, {"a"}})); got != "\ufeffregion\r\n\"\"\r\na\r\n" {
		t.Errorf("%q", got)
	}
}

func TestJSONKeepsEveryValue(t *testing.T) {
	data := made(t, file(portal.ExportJSON), sample)
	var got struct {
		Provenance string `json:"koprik_provenance"`
		Dataset    string
		Release    int
		Title      string
		Schema     struct{ Fields []map[string]string }
		Rows       []map[string]any
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Provenance != file("json").From.String() || got.Release != 3 || got.Title != "Water" || len(got.Schema.Fields) != 9 {
		t.Errorf("%+v", got)
	}
	if got.Rows[1]["region"] != `=HYPERLINK("http://x")` || got.Rows[2]["region"] != sample[2][0] || fmt.Sprint(got.Rows[2]["count"]) != "1152921504606846976" || got.Rows[3]["ok"] != nil {
		t.Errorf("%+v", got.Rows)
	}
	lines := strings.Split(strings.TrimSpace(string(made(t, file(portal.ExportNDJSON), sample))), "\n")
	for _, l := range lines {
		if !json.Valid([]byte(l)) {
			t.Errorf("no JSON: %s", l)
		}
	}
}

func workbook(t *testing.T, data []byte) *excelize.File {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { book.Close() })
	return book
}

func TestAWorkbookHasRealNumbersDatesAndASheetAboutTheData(t *testing.T) {
	f := file(portal.ExportXLSX)
	f.Lang = portal.Russian
	book := workbook(t, made(t, f, sample))
	if got := book.GetSheetList(); !cmp.Equal(got, []string{"water", "О данных"}) {
		t.Fatal(got)
	}
	for cell, want := range map[string]string{
		"A1": "Регион", "B2": "2025", "C2": "1,893,300", "D2": "0.5", "E2": "TRUE", "F2": "01-31-25", "A3": `=HYPERLINK("http://x")`,
		"F3": "1899-12-30", "C4": "1152921504606846976", "A6": "-", "A4": "Ўзбекистон\r\nсатр <&> _x0041_ \x07", "A5": "",
	} {
		if got, err := book.GetCellValue("water", cell); err != nil || got != want {
			t.Errorf("%s: %q, want %q (%v)", cell, got, want, err)
		}
	}
	for cell, want := range map[string]excelize.CellType{"A3": excelize.CellTypeInlineString, "C2": excelize.CellTypeUnset, "F2": excelize.CellTypeUnset, "E2": excelize.CellTypeBool} {
		if got, err := book.GetCellType("water", cell); err != nil || got != want {
			t.Errorf("%s: type %v, want %v (%v)", cell, got, want, err)
		}
	}
	if formula, _ := book.GetCellFormula("water", "A3"); formula != "" {
		t.Errorf("A3 is the formula %s", formula)
	}
	style, _ := book.GetCellStyle("water", "A1")
	if s, err := book.GetStyle(style); err != nil || !s.Font.Bold {
		t.Errorf("the heading is not bold: %v", err)
	}
	if panes, err := book.GetPanes("water"); err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("the heading is not frozen: %+v, %v", panes, err)
	}
	if w, err := book.GetColWidth("water", "A"); err != nil || w < 20 {
		t.Errorf("width %v, %v", w, err)
	}
	about, err := book.GetRows("О данных")
	if err != nil || !strings.Contains(fmt.Sprint(about), "main_water") || !strings.Contains(fmt.Sprint(about), f.From.String()) {
		t.Errorf("about: %v, %v", about, err)
	}
}

func TestRowsThatDoNotFitASheetGoOnInTheNextWithAWord(t *testing.T) {
	f := file(portal.ExportXLSX)
	var b bytes.Buffer
	out := newBuffer(&b)
	enc, err := newXLSX(out, f)
	if err != nil {
		t.Fatal(err)
	}
	enc.(*xlsxFile).maxRows = 150
	for range 400 {
		if err := enc.row(sample[0]); err != nil {
			t.Fatal(err)
		}
	}
	if err := enc.end(); err != nil {
		t.Fatal(err)
	}
	out.Flush()
	book := workbook(t, b.Bytes())
	if got := book.GetSheetList(); !cmp.Equal(got, []string{"water", "water (2)", "water (3)", "About"}) {
		t.Fatal(got)
	}
	total := 0
	for _, s := range book.GetSheetList()[:3] {
		rows, err := book.GetRows(s)
		if err != nil || rows[0][0] != "region" || len(rows) > 150 {
			t.Errorf("%s: %d rows, %v", s, len(rows), err)
		}
		total += len(rows) - 1
	}
	about, _ := book.GetRows("About")
	if total != 400 || !strings.Contains(fmt.Sprint(about), "go on in the next ones") {
		t.Errorf("%d rows; %v", total, about)
	}
}

func TestACellThatIsTooLongIsCutAndNamed(t *testing.T) {
	f := file(portal.ExportXLSX)
	long := append([]any{strings.Repeat("😀", 20_000)}, sample[0][1:]...)
	exact := append([]any{strings.Repeat("я", maxCellUnits)}, sample[0][1:]...)
	book := workbook(t, made(t, f, [][]any{sample[0], long, exact}))
	got, _ := book.GetCellValue("water", "A3")
	if !strings.HasSuffix(got, "😀…") || len([]rune(got)) != maxCellUnits/2+1 {
		t.Errorf("%d characters", len([]rune(got)))
	}
	if got, _ := book.GetCellValue("water", "A4"); got != exact[0] {
		t.Errorf("a text that just fits was cut to %d characters", len([]rune(got)))
	}
	about, _ := book.GetRows("About")
	if s := fmt.Sprint(about); !strings.Contains(s, "water!A3") || strings.Contains(s, "water!A4") {
		t.Errorf("%s", s)
	}
}

func TestSheetsAreNamedAsWorkbooksAllow(t *testing.T) {
	for name, want := range map[string]string{
		"": "Data", "a/b:[c]*?\\": "a b c", "About": "Data", "'x'": "x", strings.Repeat("ў", 40): strings.Repeat("ў", 31), "History": "Data", "\xff\x01": "Data",
	} {
		f := file(portal.ExportXLSX)
		f.Table = name
		if got := workbook(t, made(t, f, sample)).GetSheetList()[0]; got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestAnArchiveHasNoTimes(t *testing.T) {
	data := made(t, file(portal.ExportXLSX), sample)
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		if f.ModifiedDate != 0 || f.ModifiedTime != 0 { //nolint:staticcheck // the fields as they stand in the file
			t.Errorf("%s has a time", f.Name)
		}
	}
}

func TestParquetHasTypedColumnsInTheirOrder(t *testing.T) {
	data := made(t, file(portal.ExportParquet), sample)
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, c := range f.Schema().Fields() {
		types = append(types, c.Name()+" "+c.Type().String())
	}
	want := []string{"region STRING", "year INT(64,true)", "count INT(64,true)", "share DOUBLE", "ok BOOLEAN", "day DATE", "at TIMESTAMP(isAdjustedToUTC=false,unit=MICROS)", "lon DOUBLE", "lat DOUBLE"}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Error(diff)
	}
	if line, ok := f.Lookup("koprik_provenance"); !ok || line != file(portal.ExportParquet).From.String() {
		t.Errorf("%q", line)
	}
	reader := parquet.NewReader(f) //nolint:staticcheck // rows without a Go type
	rows := make([]parquet.Row, 10)
	n, err := reader.ReadRows(rows)
	if n != len(sample) || err != nil && err != io.EOF {
		t.Fatal(n, err)
	}
	day := time.Unix(int64(rows[1][5].Int32())*86400, 0).UTC().Format(time.DateOnly)
	at := time.UnixMicro(rows[0][6].Int64()).UTC().Format("2006-01-02T15:04:05")
	if rows[1][0].String() != `=HYPERLINK("http://x")` || rows[2][2].Int64() != 1<<60 || !rows[3][0].IsNull() || day != "1899-12-30" || at != "2025-01-31T10:00:00" || rows[1][4].Boolean() || !rows[0][4].Boolean() {
		t.Errorf("%v %s %s", rows[:n], day, at)
	}
}

func TestSQLiteHasTheTableItsColumnsAndWhereItIsFrom(t *testing.T) {
	f := file(portal.ExportSQLite)
	f.Columns[1].Name, f.Columns[2].Name = `Year "x"`, `YEAR "X"` // SQLite heeds no case
	data := made(t, f, sample)
	path := filepath.Join(t.TempDir(), "water.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", sqlite.FileURI(path)+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var check, line, dataset, kind string
	var n, big int64
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&check); err != nil || check != "ok" {
		t.Error(check, err)
	}
	if err := db.QueryRow(`SELECT line FROM koprik_provenance`).Scan(&line); err != nil || line != f.From.String() {
		t.Error(line, err)
	}
	if err := db.QueryRow(`SELECT value FROM about WHERE name = 'dataset'`).Scan(&dataset); err != nil || dataset != "main_water" {
		t.Error(dataset, err)
	}
	if err := db.QueryRow(`SELECT count(*), max("YEAR ""X""_2") FROM water`).Scan(&n, &big); err != nil || n != int64(len(sample)) || big != 1<<60 {
		t.Error(n, big, err)
	}
	if err := db.QueryRow(`SELECT typeof(region)||typeof(share)||typeof(ok)||typeof(day) FROM water`).Scan(&kind); err != nil || kind != "textrealintegertext" {
		t.Error(kind, err)
	}
	if err := db.QueryRow(`SELECT count(*) FROM columns`).Scan(&n); err != nil || n != 9 {
		t.Error(n, err)
	}
}

func newBuffer(w io.Writer) *bufio.Writer { return bufio.NewWriterSize(w, buffered) }
