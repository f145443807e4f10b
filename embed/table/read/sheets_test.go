package read

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"koprik/portal"
)

// twoSheets is a workbook whose second sheet has a title over its header.
func twoSheets(t *testing.T) []byte {
	t.Helper()
	return workbook(t, func(f *excelize.File) {
		set(t, f, "Sheet1", "A1", []any{"yil", "aholi"}, []any{2024, 10}, []any{2025, 11})
		if _, err := f.NewSheet("Second"); err != nil {
			t.Fatal(err)
		}
		set(t, f, "Second", "A1", []any{"A title over the table"}, []any{"code", "n"}, []any{"1", 5}, []any{"2", 6})
	})
}

func TestEverySheetIsReadAsItsOwnSchemaSays(t *testing.T) {
	second := portal.Sheet{Name: "Second", Schema: &portal.TableSchema{Fields: []portal.Field{
		{Name: "code", Type: "string", Meaning: portal.Meaning{Role: portal.RoleID, Confidence: 100}}, {Name: "n", Type: "number"},
	}}}
	first := &portal.TableSchema{Fields: []portal.Field{{Name: "yil", Type: "string"}, {Name: "aholi", Type: "integer"}}}
	for name, c := range map[string]struct {
		schema *portal.TableSchema
		sheets []portal.Sheet
		want   string
	}{
		"nothing said":    {nil, nil, "yil:year aholi:integer; code:integer n:integer"},
		"of the first":    {first, nil, "yil:string aholi:integer; code:integer n:integer"},
		"of both":         {first, []portal.Sheet{{Name: "Sheet1"}, second}, "yil:string aholi:integer; code:string n:number"},
		"of the second":   {nil, []portal.Sheet{second, {Name: "Sheet1"}}, "yil:year aholi:integer; code:string n:number"},
		"header of one":   {nil, []portal.Sheet{{Name: "Second", Dialect: json.RawMessage(`{"headerRows":[3]}`)}}, "yil:year aholi:integer; 1:integer 5:integer"},
		"of another file": {nil, []portal.Sheet{{Name: "Third", Schema: first}}, ""},
	} {
		infos, err := checkXLSX(twoSheets(t), func(r *portal.Resource) { r.Schema, r.Sheets = c.schema, c.sheets })
		if c.want == "" {
			if !isRejection(err) || !strings.Contains(err.Error(), `has no table "Third"`) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var got []string
		for _, i := range infos {
			var cols []string
			for _, f := range i.Columns {
				cols = append(cols, f.Name+":"+f.Type)
			}
			got = append(got, strings.Join(cols, " "))
		}
		if err != nil || strings.Join(got, "; ") != c.want {
			t.Errorf("%s: %s %v, want %s", name, strings.Join(got, "; "), err, c.want)
		}
	}
}

func TestWhatIsSaidOfOneSheetIsCheckedThere(t *testing.T) {
	_, err := checkXLSX(twoSheets(t), func(r *portal.Resource) {
		r.Sheets = []portal.Sheet{{Name: "Sheet1"}, {Name: "Second", Schema: &portal.TableSchema{Fields: []portal.Field{{Name: "code", Type: "date"}, {Name: "n", Type: "integer"}}}}}
	})
	if want := `a.xlsx, sheet "Second": row 3, column "code": "1" is not a date`; !isRejection(err) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestFilesOfAnArchiveHaveNamesEncodingsAndSchemasOfTheirOwn(t *testing.T) {
	book := workbook(t, func(f *excelize.File) { set(t, f, "Sheet1", "A1", []any{"k", "v"}, []any{"a", 1}) })
	data := zipped(t, "water.csv", "k;v\na;1\n", "water.json", `[{"k": "b", "v": 2}]`, "old/list.csv", "\xe3\xee\xf0\xee\xe4;n\n\xc0\xed\xe4\xe8\xe6\xe0\xed;3\n", "book.xlsx", string(book))
	infos, err := check("a.zip", data, func(r *portal.Resource) {
		r.Sheets = []portal.Sheet{
			{Name: "water"},
			{Name: "old/list", Encoding: "windows-1251", Schema: &portal.TableSchema{Fields: []portal.Field{{Name: "город"}, {Name: "n", Type: "number"}}}},
			{Name: "book, Sheet1", Schema: &portal.TableSchema{Fields: []portal.Field{{Name: "k"}, {Name: "v", Type: "string"}}}},
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, i := range infos {
		got += fmt.Sprintf("%s/%d:%s ", i.Sheet, i.Rows, i.Columns[1].Type)
	}
	if want := "water/1:integer water (2)/1:integer old/list/1:number book, Sheet1/1:string "; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
