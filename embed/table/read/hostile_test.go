package read

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// zeros packs n bytes of a pattern into a gzip stream.
func zeros(t testing.TB, pattern string, n int) string {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	chunk := []byte(strings.Repeat(pattern, 1<<20/len(pattern)))
	for n > 0 {
		if _, err := z.Write(chunk[:min(n, len(chunk))]); err != nil {
			t.Fatal(err)
		}
		n -= len(chunk)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A hostile file ends in a rejection that says what is wrong, soon, and within
// 256 MiB (guarantee 5); the file's own bytes are not counted.
func TestHostileFilesAreRefusedWithinTheirBounds(t *testing.T) {
	if testing.Short() {
		t.Skip("under the race detector the bombs take more than a minute to be made; go test ./... makes them")
	}
	deep := func(n int, open, end string) string { return strings.Repeat(open, n) + "1" + strings.Repeat(end, n) }
	lol := `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>`
	content := func(head, cell string) string {
		return zipped(t, "mimetype", odsType, "content.xml", head+`<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:spreadsheet><table:table table:name="a"><table:table-row><table:table-cell><text:p>`+cell+`</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>`)
	}
	for name, c := range map[string]struct{ path, data, says string }{
		"gzip bomb":               {"a.csv.gz", zeros(t, "1,2\n", 300<<20), "larger than"},
		"gzip bomb of one line":   {"a.csv.gz", zeros(t, "a", 40<<20), "longer than 16 MiB"},
		"zip bomb":                {"a.zip", zipped(t, "a.csv", strings.Repeat("1,2\n", 30<<20)), "larger than"},
		"archive in an archive":   {"a.gz", gz(t, zipped(t, "a.csv", "a,b\n1,2\n")), ""},
		"damaged gzip":            {"a.csv.gz", gz(t, "a,b\n1,2\n")[:20], "damaged"},
		"billion laughs":          {"a.ods", content(lol, "&b;"), "damaged"},
		"external entity":         {"a.ods", content(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>`, "&e;"), "damaged"},
		"billion rows":            {"a.ods", ods(t, "a", `<table:table-row table:number-rows-repeated="1000000000"><table:table-cell office:value-type="float" office:value="1"/></table:table-row>`), "stands"},
		"million columns":         {"a.ods", ods(t, "a", `<table:table-row><table:table-cell table:number-columns-repeated="1000000" office:value-type="float" office:value="1"/></table:table-row>`), "columns are read"},
		"deep ODS":                {"a.ods", ods(t, "a", deep(100_000, "<table:table-row>", "</table:table-row>")), "deep"},
		"ODS cut short":           {"a.ods", zipped(t, "mimetype", odsType, "content.xml", "<a><b>"), "damaged"},
		"ODS cell of 100 MB":      {"a.ods", ods(t, "a", odsCells(strings.Repeat("x", 100<<20))), "larger than"},
		"locked ODS":              {"a.ods", zipped(t, "mimetype", odsType, "META-INF/manifest.xml", "<manifest:encryption-data/>", "content.xml", "<a/>"), "password"},
		"cell of 100 MB":          {"a.csv", "a,b\n" + strings.Repeat("x", 100<<20) + ",1\n", "longer than 16 MiB"},
		"quoted cell of 100 MB":   {"a.csv", "a,b\n\"" + strings.Repeat("x\n", 50<<20) + "\",1\n", "longer than 1 MiB"},
		"100,000 columns":         {"a.csv", strings.Repeat("a,", 100_000) + "a\n", "cells"},
		"deep JSON":               {"a.json", `[{"a":` + deep(100_000, "[", "]") + `}]`, "max depth"},
		"deep JSON below the top": {"a.json", `{"a":` + deep(1_000_000, `{"a":`, "}") + `}`, "deep"},
		"JSON string of 100 MB":   {"a.json", `[{"a":"` + strings.Repeat("x", 100<<20) + `"}]`, "MiB"},
		"JSON with 100,000 keys":  {"a.json", manyKeys(100_000), "keys"},
		"XLS":                     {"a.csv", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel"},
	} {
		t.Run(name, func(t *testing.T) {
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			infos, err := check(c.path, c.data)
			took := time.Since(begin)
			runtime.ReadMemStats(&after)
			if c.says != "" && (!isRejection(err) || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%d tables, %v; want a rejection with %q", len(infos), err, c.says)
			}
			if c.says == "" && len(infos) != 0 {
				t.Error("read", infos)
			}
			if took > 30*time.Second {
				t.Errorf("took %v", took)
			}
			if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 200<<20 {
				t.Errorf("the heap grew by %d MiB", grown>>20)
			}
		})
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	b.WriteString("[{")
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"k%d":1`, i)
	}
	return b.String() + "}]"
}

func TestAWorkbookOfABillionEmptyRowsIsReadAsWhatItHolds(t *testing.T) {
	data := workbook(t, func(f *excelize.File) { set(t, f, "Sheet1", "A1", []any{"a", "b"}, []any{1, 2}) })
	sheet := `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row><row r="1048576"><c r="A1048576" s="0"/></row></sheetData></worksheet>`
	infos, err := checkXLSX(part(t, data, "xl/worksheets/sheet1.xml", sheet))
	if err != nil || len(infos) != 1 || infos[0].Rows != 1 {
		t.Error(infos, err)
	}
	var rows strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&rows, `<row r="%d"/>`, i*1_000_000+1)
	}
	beyond := strings.Replace(sheet, `<row r="1048576"><c r="A1048576" s="0"/></row>`, `<row r="1000000000"/>`, 1)
	if _, err := checkXLSX(part(t, data, "xl/worksheets/sheet1.xml", beyond)); !isRejection(err) {
		t.Error("a row beyond the last is accepted", err)
	}
}

// NaN and infinities are words: neither JSON nor SQLite has such numbers.
// Formulas are text here, and are defused where files are generated.
func TestNumbersThatAreNoneAndFormulasStayText(t *testing.T) {
	info := mustCheck(t, "a.csv", "a,b,c\n1,=1+1,5\nNaN,@SUM(A1),6\n-Infinity,+cmd|' /C calc'!A0,7\n1e999,-2+3,8\n")
	if got := columns(info); got != "a:string, b:string, c:integer" {
		t.Error(got)
	}
	info = mustCheck(t, "a.json", `[{"a": 1e400, "b": 1}, {"a": 2, "b": 2}]`)
	if got := columns(info); got != "a:string, b:integer" {
		t.Error(got)
	}
}

// A file given in small pieces, or whose end fails, is read or refused.
func TestAReaderThatFailsIsNoTable(t *testing.T) {
	broken := io.NewSectionReader(failing{}, 0, 100)
	if _, err := checkReader(broken, 100, "a.csv"); err == nil || isRejection(err) {
		t.Error("an error of the disk is none of the file", err)
	}
}

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }
