package read

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"koprik/portal"

	"github.com/xuri/excelize/v2"
)

// workbook makes an XLSX in memory.
func workbook(t testing.TB, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func set(t testing.TB, f *excelize.File, sheet, cell string, rows ...[]any) {
	t.Helper()
	col, row, err := excelize.CellNameToCoordinates(cell)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		at, _ := excelize.CoordinatesToCellName(col, row+i)
		if err := f.SetSheetRow(sheet, at, &r); err != nil {
			t.Fatal(err)
		}
	}
}

func checkXLSX(data []byte, change ...func(*portal.Resource)) ([]portal.TableInfo, error) {
	return check("a.xlsx", string(data), change...)
}

func style(t testing.TB, f *excelize.File, cell, code string, builtin int) {
	t.Helper()
	s := &excelize.Style{NumFmt: builtin}
	if code != "" {
		s = &excelize.Style{CustomNumFmt: &code}
	}
	id, err := f.NewStyle(s)
	if err == nil {
		err = f.SetCellStyle("Sheet1", cell, cell, id)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestEachSheetOfAWorkbookIsATable(t *testing.T) {
	data := workbook(t, func(f *excelize.File) {
		set(t, f, "Sheet1", "A3", []any{"hudud", "aholi"}, []any{"Xorazm", 1893.3}, nil, []any{"Buxoro", 1976})
		f.NewSheet("Йиллар")
		set(t, f, "Йиллар", "B2", []any{"yil", "n"}, []any{2020, 5})
		f.NewSheet("empty")
		f.NewSheet("hidden")
		set(t, f, "hidden", "A1", []any{"a"}, []any{"x"})
		f.SetSheetVisible("hidden", false)
	})
	infos, err := checkXLSX(data)
	if err != nil || len(infos) != 3 {
		t.Fatal(infos, err)
	}
	for i, want := range []string{"Sheet1 hudud:string, aholi:number 2", "Йиллар yil:year, n:integer 1", "hidden a:string 1"} {
		if got := fmt.Sprintf("%s %s %d", infos[i].Sheet, columns(infos[i]), infos[i].Rows); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if notes := infos[2].Notes; len(notes) != 1 || !strings.Contains(notes[0], "hidden") {
		t.Errorf("notes %q", notes)
	}
	infos, err = checkXLSX(data, withDialect(`{"sheetName": "Йиллар"}`))
	if err != nil || len(infos) != 1 || infos[0].Sheet != "Йиллар" {
		t.Error(infos, err)
	}
	if _, err = checkXLSX(data, withDialect(`{"sheetNumber": 9}`)); !isRejection(err) {
		t.Error(err)
	}
}

func TestDatesOfAWorkbookAreISO(t *testing.T) {
	day := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	moment := time.Date(2026, 1, 31, 14, 5, 0, 0, time.UTC)
	for _, c := range []struct {
		code    string
		builtin int
		value   any
		want    string
	}{
		{"", 14, day, "2026-01-31"},
		{"", 17, day, "2026-01-31"},
		{"dd.mm.yyyy", 0, day, "2026-01-31"},
		{`[$-419]d mmmm yyyy" г.";@`, 0, day, "2026-01-31"},
		{"mmm-yy", 0, day, "2026-01-31"},
		{"", 22, moment, "2026-01-31T14:05:00"},
		{`dd.mm.yy\ h:mm`, 0, moment, "2026-01-31T14:05:00"},
		{"h:mm AM/PM", 0, 0.5, "12:00:00"},
		{"", 9, 0.335, "0.335"},
		{`#,##0.00\ "so'm"`, 0, 1234567.5, "1234567.5"},
		{"[Red]0.00", 0, 33.3, "33.3"},
		{"0.00E+00", 0, 12345, "12345"},
		{"0000", 0, 35, "0035"},
		{"General", 0, 0.1 + 0.2, "0.3"},
	} {
		data := workbook(t, func(f *excelize.File) {
			set(t, f, "Sheet1", "A1", []any{"v"})
			if err := f.SetCellValue("Sheet1", "A2", c.value); err != nil {
				t.Fatal(err)
			}
			style(t, f, "A2", c.code, c.builtin)
		})
		rd := &reader{ctx: context.Background(), src: bytes.NewReader(data), size: int64(len(data)), res: portal.Resource{Path: "a.xlsx"}, report: &report{}, tmp: t.TempDir()}
		sheets, err := rd.open()
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		err = sheets[0].each(rd.ctx, func(_ int, cells []cell) error { got = cells[0].text; return nil })
		if rd.close(); err != nil || got != c.want {
			t.Errorf("%q %d: %q, %v, want %q", c.code, c.builtin, got, err, c.want)
		}
	}
}

func TestAWorkbookKeepsCodesAndDropsErrors(t *testing.T) {
	data := workbook(t, func(f *excelize.File) {
		set(t, f, "Sheet1", "A1", []any{"soato", "ok", "n", "text"}, []any{"01735", true, 5, "x"}, []any{"01703", false, "#DIV/0!", "y", "beside"})
	})
	infos, err := checkXLSX(data)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := columns(infos[0]), "soato:string, ok:boolean, n:integer, text:string, column_5:string"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if notes := strings.Join(infos[0].Notes, "; "); !strings.Contains(notes, "1 value is an error of the spreadsheet") || !strings.Contains(notes, "row 3 has 5 cells, the header 4") {
		t.Errorf("notes %q", notes)
	}
}

func TestASchemaBelongsToTheFirstSheet(t *testing.T) {
	data := workbook(t, func(f *excelize.File) {
		set(t, f, "Sheet1", "A1", []any{"d", "n"}, []any{"soon", 5})
	})
	_, err := checkXLSX(data, withSchema(portal.Field{Name: "d", Type: "date"}, portal.Field{Name: "n", Type: "integer"}))
	if want := "a.xlsx, sheet \"Sheet1\": row 2, column \"d\": \"soon\" is not a date"; !isRejection(err) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// part replaces or adds one part of a workbook.
func part(t *testing.T, data []byte, name, content string) []byte {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for _, f := range zr.File {
		if f.Name != name {
			if err := zw.Copy(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	w, err := zw.Create(name)
	if err == nil {
		_, err = w.Write([]byte(content))
	}
	if err != nil || zw.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestHostileWorkbooksAreRejected(t *testing.T) {
	good := workbook(t, func(f *excelize.File) { set(t, f, "Sheet1", "A1", []any{"a"}, []any{1}) })
	sheet := func(rows string) string {
		return `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>` + rows
	}
	const end = `</sheetData></worksheet>`
	big := strings.Repeat("x", 3<<20)
	for _, c := range []struct{ name, part, content, says string }{
		{"cut sheet", "xl/worksheets/sheet1.xml", sheet(`<row r="1"><c r="A1"><v>1</v></c></row>`), "sheet1.xml is damaged"},
		{"malformed sheet", "xl/worksheets/sheet1.xml", sheet(`<row r="1"><c r="A1"><v>1</c></row>` + end), "sheet1.xml is damaged"},
		{"rows out of order", "xl/worksheets/sheet1.xml", sheet(`<row r="5"/><row r="2"/>` + end), `row "2" stands after row 5`},
		{"row beyond the last", "xl/worksheets/sheet1.xml", sheet(`<row r="99999999"/>` + end), "stands after row 0"},
		{"column beyond the limit", "xl/worksheets/sheet1.xml", sheet(`<row r="1"><c r="XFD1"><v>1</v></c></row>` + end), "a value stands in column 16384"},
		{"giant cell", "xl/worksheets/sheet1.xml", sheet(`<row r="1"><c r="A1" t="str"><v>` + big + `</v></c></row>` + end), "more than 2 MiB in one piece"},
		{"giant cell in pieces", "xl/worksheets/sheet1.xml", sheet(`<row r="1"><c r="A1" t="inlineStr"><is>` + strings.Repeat("<r><t>xxxxxxxx</t></r>", 1<<17) + `</is></c></row>` + end), "a cell is longer"},
		{"giant attribute", "xl/worksheets/sheet1.xml", `<worksheet a="` + big + `"/>`, "more than 2 MiB in one piece"},
		{"deep", "xl/worksheets/sheet1.xml", strings.Repeat("<a>", 100), "100 deep"},
		{"entity", "xl/sharedStrings.xml", `<!DOCTYPE x [<!ENTITY a "aaaa">]><sst><si><t>&a;</t></si></sst>`, "sharedStrings.xml is damaged"},
		{"empty styles", "xl/styles.xml", "", "styles.xml is damaged"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			_, err := checkXLSX(part(t, good, c.part, c.content))
			if c.name == "deep" {
				c.says = "65 deep"
			}
			if !isRejection(err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want a rejection with %q", err, c.says)
			}
		})
	}
	bomb := part(t, good, "xl/worksheets/sheet1.xml", sheet(strings.Repeat(" ", 64<<20)+end))
	if _, err := checkXLSX(bomb); !isRejection(err) || !strings.Contains(err.Error(), "when it is unpacked") {
		t.Errorf("a bomb of %d bytes: %v", len(bomb), err)
	}
	zipped := part(t, good, "xl/media/image1.png", strings.Repeat("p", 64<<20)) // not looked at
	if infos, err := checkXLSX(zipped); err != nil || len(infos) != 1 {
		t.Error(infos, err)
	}
	noBook := part(t, good, "xl/workbook.xml", "<workbook/>")
	if infos, err := checkXLSX(noBook); err == nil && infos != nil {
		t.Error(infos)
	}
}

func FuzzCheckXLSX(f *testing.F) {
	good := workbook(f, func(x *excelize.File) {
		set(f, x, "Sheet1", "A1", []any{"a", "b"}, []any{1, "x"}, []any{2.5, "yy"})
	})
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Fuzz(func(t *testing.T, data []byte) { fuzzCheck(t, data, "a.xlsx", "") })
}

// FuzzSheetXML gets past the ZIP, whose checksums stop a fuzzer at the door.
func FuzzSheetXML(f *testing.F) {
	f.Add(`<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><f>1+1</f><v>2</v></c></row></sheetData></worksheet>`,
		`<sst><si><t>x</t></si><si><r><t>y</t></r></si></sst>`, `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="d.m.yy"/></numFmts><cellXfs><xf numFmtId="164"/></cellXfs></styleSheet>`)
	f.Fuzz(func(t *testing.T, sheet, texts, styles string) {
		var b bytes.Buffer
		zw := zip.NewWriter(&b)
		for _, p := range [][2]string{
			{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`},
			{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
			{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>`},
			{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`},
			{"xl/worksheets/sheet1.xml", sheet},
			{"xl/sharedStrings.xml", texts},
			{"xl/styles.xml", styles},
		} {
			w, err := zw.Create(p[0])
			if err == nil {
				_, err = w.Write([]byte(p[1]))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := zw.Close(); err != nil {
			t.Fatal(err)
		}
		fuzzCheck(t, b.Bytes(), "a.xlsx", "")
	})
}
