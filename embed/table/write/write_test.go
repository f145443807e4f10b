package write

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"koprik/portal"
)

var update = flag.Bool("update", false, "write testdata/bytes.golden")

// file is one with every kind of column.
func file(f portal.ExportFormat) File {
	from := portal.Provenance{Dataset: "main_water", Release: 3, Fingerprint: portal.DigestOf([]byte("manifest"))}
	from.Address = "/api/v1/tables/main_water/water/export?format=" + string(f) + "&release=3&v=1"
	return File{
		Export: portal.Export{
			Format: f, From: from,
			Release: portal.Release{
				Dataset: "main_water", Number: 3, Issued: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
				Title:    portal.Text{Plain: "Suv", Translated: map[portal.Lang]string{"uz": "Suv", "en": "Water", "ru": "Вода"}},
				Licenses: []portal.License{{Name: "CC-BY-4.0", Title: "CC BY 4.0", Path: "https://creativecommons.org/licenses/by/4.0/"}},
				Passport: portal.Passport{Uploaded: "2026-02-27", Unit: portal.PlainText("m³"), Notes: []portal.Text{portal.PlainText("<&\"'>")}},
			},
		},
		Table: "water",
		Columns: []portal.Field{
			{Name: "region", Type: "string", Title: portal.Text{Translated: map[portal.Lang]string{"uz": "Hudud", "ru": "Регион"}}, Meaning: portal.Meaning{Role: portal.RoleRegion}},
			{Name: "year", Type: "year", Meaning: portal.Meaning{Role: portal.RoleTime}},
			{Name: "count", Type: "integer", Meaning: portal.Meaning{Role: portal.RoleMeasure, Unit: "m³"}},
			{Name: "share", Type: "number"},
			{Name: "ok", Type: "boolean"},
			{Name: "day", Type: "date"},
			{Name: "at", Type: "datetime"},
			{Name: "lon", Type: "number", Meaning: portal.Meaning{Role: portal.RoleGeometry, Kind: portal.KindLongitude}},
			{Name: "lat", Type: "number", Meaning: portal.Meaning{Role: portal.RoleGeometry, Kind: portal.KindLatitude}},
		},
	}
}

// sample are rows of file, with what is hard to write.
var sample = [][]any{
	{"Fargʻona; \"ichki\", shahri", int64(2025), int64(1893300), 0.5, true, "2025-01-31", "2025-01-31T10:00:00", 71.78, 40.38},
	{"=HYPERLINK(\"http://x\")", int64(2024), int64(-5), -1.5, false, "1899-12-30", "1900-01-01T00:00:00", nil, nil},
	{"Ўзбекистон\r\nсатр <&> _x0041_ \x07", int64(1991), int64(1) << 60, 1e-9, nil, nil, nil, 200.0, 10.0},
	{nil, nil, nil, nil, nil, nil, nil, nil, nil},
	{"-", int64(2026), int64(0), 33.0, true, "2026-02-28", "2026-02-28T23:59:59", 69.0, 41.0},
	{"😀 " + strings.Repeat("ʻ", 40), int64(2026), int64(7), 1e300, true, "2026-12-31", "2026-12-31T00:00:01", 69.5, 41.5},
}

// each gives rows as an iterator that uses one slice again.
func each(rows [][]any) Rows {
	return func(yield func([]any, error) bool) {
		var one []any
		for _, r := range rows {
			one = append(one[:0], r...)
			if !yield(one, nil) {
				return
			}
		}
	}
}

func made(t testing.TB, f File, rows [][]any) []byte {
	t.Helper()
	f.Folder = t.TempDir()
	var b bytes.Buffer
	if err := Write(&b, f, each(rows)); err != nil {
		t.Fatalf("%s: %v", f.Format, err)
	}
	empty(t, f.Folder)
	return b.Bytes()
}

// empty is true of a folder in which no temporary file was left.
func empty(t testing.TB, folder string) {
	t.Helper()
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// variants are the files whose bytes are kept, by name.
func variants() map[string]File {
	all := map[string]File{}
	for _, format := range portal.ExportFormats {
		all[string(format)] = file(format)
	}
	semicolon := file(portal.ExportCSV)
	semicolon.Separator, semicolon.DecimalComma, semicolon.Lang = ';', true, portal.Russian
	all["csv;ru"] = semicolon
	for _, l := range portal.Langs {
		f := file(portal.ExportXLSX)
		f.Lang = l
		all["xlsx "+l.Path()] = f
	}
	return all
}

func TestTheBytesOfEveryFormatAreThoseOfItsVersion(t *testing.T) {
	const golden = "testdata/bytes.golden"
	got := fmt.Sprintf("version %d\n", Version)
	for _, name := range []string{"csv", "csv;ru", "xlsx", "xlsx uz", "xlsx uz-cyrl", "xlsx kaa", "xlsx ru", "xlsx en", "json", "ndjson", "parquet", "sqlite", "geojson"} {
		f := variants()[name]
		one := made(t, f, sample)
		if again := made(t, f, sample); !bytes.Equal(one, again) {
			t.Errorf("%s: two runs make different bytes", name)
		}
		sum := sha256.Sum256(one)
		got += name + " " + hex.EncodeToString(sum[:]) + "\n"
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("files that were made before would be called altered: raise Version, then run with -update (-want +got):\n%s", diff)
	}
}

func TestEveryFileCarriesItsProvenanceWhereVerifyLooks(t *testing.T) {
	many := make([][]any, 0, 1200)
	for len(many) < cap(many) {
		many = append(many, sample...)
	}
	for name, f := range variants() {
		for _, filter := range []string{"", strings.Repeat("Қ", 200), strings.Repeat("%", 2000)} {
			f.From.Address += filter
			for _, rows := range [][][]any{nil, sample, many} {
				if len(rows) > len(sample) && filter != "" {
					continue // the length of a table and that of a line don't meet
				}
				var find portal.ProvenanceFinder
				if _, err := find.Write(made(t, f, rows)); err != nil {
					t.Fatal(err)
				}
				if got, ok := find.Found(); !ok || got != f.From {
					t.Errorf("%s, %d rows, address of %d bytes: %v, %v", name, len(rows), len(f.From.Address), got, ok)
				}
			}
		}
	}
}

func TestABareFileHasRowsAndNothingElse(t *testing.T) {
	for _, format := range []portal.ExportFormat{portal.ExportCSV, portal.ExportNDJSON} {
		f := file(format)
		full := made(t, f, sample)
		f.Bare = true
		bare := made(t, f, sample)
		if rest, ok := bytes.CutPrefix(full, bare); !ok || bytes.Count(rest, []byte("\n")) != 1 || bytes.Contains(bare, []byte("koprik-provenance")) {
			t.Errorf("%s: the bare file is not the full one without its last line", format)
		}
	}
}

func TestAnErrorBeforeTheFirstRowWritesNothing(t *testing.T) {
	want := errors.New("no such column")
	for name, f := range variants() {
		f.Folder = t.TempDir()
		var b bytes.Buffer
		err := Write(&b, f, func(yield func([]any, error) bool) { yield(nil, want) })
		if !errors.Is(err, want) || b.Len() > 0 {
			t.Errorf("%s: %v, %d bytes", name, err, b.Len())
		}
		empty(t, f.Folder)
	}
}

func TestAnErrorInTheMiddleIsToldAndLeavesNoFile(t *testing.T) {
	want := errors.New("the disk broke")
	for name, f := range variants() {
		f.Folder = t.TempDir()
		err := Write(io.Discard, f, func(yield func([]any, error) bool) {
			_ = yield(sample[0], nil) && yield(nil, want)
		})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
		empty(t, f.Folder)
	}
}

// full is a reader who goes away after n bytes.
type full struct{ left int }

func (w *full) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

func TestAReaderWhoGoesAwayEndsTheWriting(t *testing.T) {
	for name, f := range variants() {
		f.Folder = t.TempDir()
		n := 0
		err := Write(&full{left: 10_000}, f, func(yield func([]any, error) bool) {
			for n = 0; n < 100_000; n++ {
				row := append([]any(nil), sample[0]...)
				row[2] = int64(n) * 7919 % 1_000_003
				if !yield(row, nil) {
					return
				}
			}
		})
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: %v after %d rows", name, err, n)
		}
		if f.Format != portal.ExportSQLite && n == 100_000 {
			t.Errorf("%s went on to the end", name)
		}
		empty(t, f.Folder)
	}
}

func TestWhatCannotBeWrittenIsUsage(t *testing.T) {
	geo := file(portal.ExportGeoJSON)
	geo.Columns = geo.Columns[:7]
	odd := file(portal.ExportCSV)
	odd.Separator = '|'
	comma := file(portal.ExportCSV)
	comma.DecimalComma = true
	for name, f := range map[string]File{"no geometry": geo, "separator": odd, "decimal": comma, "format": file("xls")} {
		var b bytes.Buffer
		if err := Write(&b, f, each(nil)); !errors.Is(err, portal.ErrUsage) || b.Len() > 0 {
			t.Errorf("%s: %v, %d bytes", name, err, b.Len())
		}
	}
}

func TestTheTemporaryFileIsBounded(t *testing.T) {
	f := file(portal.ExportSQLite)
	f.Folder, f.MaxTemporary = t.TempDir(), 1<<20
	var b bytes.Buffer
	err := Write(&b, f, func(yield func([]any, error) bool) {
		for range 100_000 {
			if !yield(sample[0], nil) {
				return
			}
		}
	})
	if !errors.Is(err, portal.ErrTooMuch) || b.Len() > 0 {
		t.Errorf("%v, %d bytes", err, b.Len())
	}
	empty(t, f.Folder)
}

func TestOnlyWhatCouldRunIsRisky(t *testing.T) {
	for s, want := range map[string]bool{
		"": false, "=1+1": true, "=": true, "+998 71 200": true, "+998712000000": false, "-": false, "+": false, "-5,3": false, "-5.3.1": true,
		"-cmd|' /C calc'!A0": true, "@SUM(A1)": true, "\t=1": true, "\r=1": true, "\n=1": true, " =1": false, "＝1+1": true, "＠a": true, "–": false,
		"Jami": false, "'=1": false, "5-6": false, "--1": true, "-1+1": true,
	} {
		if got := risky(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func FuzzStringsAreJSON(f *testing.F) {
	f.Add("a\"\\\x00\u2028\xff😀")
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		if err := unmarshal(appendString(nil, s), &back); err != nil || back != mended(s) {
			t.Errorf("%q: %q, %v", s, back, err)
		}
	})
}
