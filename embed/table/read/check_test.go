package read

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"koprik/portal"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

func isRejection(err error) bool { return errors.Is(err, portal.ErrRejected) }

// check runs Check over text under a file's name.
func check(name, text string, change ...func(*portal.Resource)) ([]portal.TableInfo, error) {
	r := portal.Resource{Name: "t", Path: name}
	for _, f := range change {
		f(&r)
	}
	return Check(context.Background(), strings.NewReader(text), int64(len(text)), r)
}

func mustCheck(t *testing.T, name, text string, change ...func(*portal.Resource)) portal.TableInfo {
	t.Helper()
	infos, err := check(name, text, change...)
	if err != nil {
		t.Fatal(err)
	}
	if len(infos) != 1 {
		t.Fatalf("%d tables, want 1", len(infos))
	}
	return infos[0]
}

// columns writes a table's columns as "name:type, …".
func columns(i portal.TableInfo) string {
	var all []string
	for _, f := range i.Columns {
		all = append(all, f.Name+":"+f.Type)
	}
	return strings.Join(all, ", ")
}

func withSchema(fields ...portal.Field) func(*portal.Resource) {
	return func(r *portal.Resource) { r.Schema = &portal.TableSchema{Fields: fields} }
}

func withDialect(d string) func(*portal.Resource) {
	return func(r *portal.Resource) { r.Dialect = json.RawMessage(d) }
}

func TestTextTablesAreReadAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct{ name, file, text, columns string }{
		{"comma", "a.csv", "region,year,n\nXorazm,2020,5\nBuxoro,2021,7\n", "region:string, year:year, n:integer"},
		{"semicolon and decimal comma", "a.csv", "hudud;2020;2021\nXorazm;33,5;40\nBuxoro;1,25;7\n", "hudud:string, 2020:number, 2021:integer"},
		{"tab", "a.tsv", "a\tb\n1\tx,y\n", "a:integer, b:string"},
		{"vertical bar", "a.csv", "a|b\n1|x\n2|y\n", "a:integer, b:string"},
		{"quotes, commas and line breaks in cells", "a.csv", "a,b\n\"x, \"\"y\"\"\nz\",1\n", "a:string, b:integer"},
		{"single quotes", "a.csv", "'a','b'\n'x,y','1'\n", "a:string, b:integer"},
		{"CRLF", "a.csv", "a,b\r\n1,2\r\n", "a:integer, b:integer"},
		{"CR", "a.csv", "a,b\r1,2\r", "a:integer, b:integer"},
		{"mixed line ends and blank lines", "a.csv", "a,b\r\n\n1,2\r3,4\n\n", "a:integer, b:integer"},
		{"no line end at the end", "a.csv", "a,b\n1,2", "a:integer, b:integer"},
		{"byte order mark", "a.csv", "\ufeffa,b\n1,2\n", "a:integer, b:integer"},
		{"header only", "a.csv", "a,b\n", "a:string, b:string"},
		{"one column", "a.csv", "a\nx\ny\n", "a:string"},
		{"no header", "a.csv", "1,2.5\n3,4\n", "column_1:integer, column_2:number"},
		{"years as labels are a header", "a.csv", "2020,2021\n5,6\n", "2020:integer, 2021:integer"},
		{"space after the separator", "a.csv", "a, \"b\"\nx, \"1,2\"\n", "a:string, b:number"},
		{"empty columns without a label go", "a.csv", "a,,b,,\n1,,2,,\n", "a:integer, b:integer"},
		{"labels become unique and whole", "a.csv", "a,a,,b\n1,2,3,4\n", "a:integer, a_2:integer, column_3:integer, b:integer"},
		{"labels become one line", "a.csv", "\" a\n b \",c\n1,2\n", "a b:integer, c:integer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := columns(mustCheck(t, c.file, c.text)); got != c.columns {
				t.Errorf("%s, want %s", got, c.columns)
			}
		})
	}
}

func TestDialectsAreObeyed(t *testing.T) {
	for _, c := range []struct{ name, dialect, text, columns string }{
		{"delimiter", `{"delimiter": "~"}`, "a~b\n1~2\n", "a:integer, b:integer"},
		{"long delimiter", `{"delimiter": "::"}`, "a::b:c\n1::2\n", "a:integer, b:c:integer"},
		{"quote", `{"quoteChar": "|"}`, "a,b\n|x,y|,2\n", "a:string, b:integer"},
		{"escape", `{"escapeChar": "\\"}`, "a,b\nx\\,y,2\n", "a:string, b:integer"},
		{"comment", `{"commentChar": "#"}`, "#title, made by, hand\na,b\n1,2\n# end\n", "a:integer, b:integer"},
		{"no header", `{"header": false}`, "x,1\ny,2\n", "column_1:string, column_2:integer"},
		{"header in a later row", `{"headerRows": [3]}`, "title\n\na,b\n1,2\n", "a:integer, b:integer"},
		{"header in two rows", `{"headerRows": [1, 2], "headerJoin": "-"}`, "a,b\n2020,2021\n1,2\n", "a-2020:integer, b-2021:integer"},
		{"null sequence", `{"nullSequence": "NA"}`, "a,b\nNA,2\n1,NA\n", "a:integer, b:integer"},
		{"version 1, nested", `{"csv": {"delimiter": ";"}}`, "a;b\n1;2\n", "a:integer, b:integer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := columns(mustCheck(t, "a.csv", c.text, withDialect(c.dialect))); got != c.columns {
				t.Errorf("%s, want %s", got, c.columns)
			}
		})
	}
	for _, bad := range []string{`{"delimiter": ""}`, `{"delimiter": "\n"}`, `{"quoteChar": "xx"}`, `{"delimiter": ";", "quoteChar": ";"}`, `{"headerRows": [2, 1]}`, `{"headerRows": [0]}`, `[1]`, `{"delimiter": 5}`} {
		if _, err := check("a.csv", "a,b\n1,2\n", withDialect(bad)); !isRejection(err) || !strings.Contains(err.Error(), "dialect") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

const sentence = "shahar,аҳоли сони,изоҳ\nТошкент,2571,Пойтахт шаҳри — Ўзбекистон\nСамарканд,546,Город на реке Зарафшан\n"

func TestEncodingsAreFound(t *testing.T) {
	russian := "город,население,примечание\nТашкент,2571,Столица Республики Узбекистан\nСамарканд,546,Город на реке Зарафшан\n"
	latin := "stadt,einwohner\nMünchen,1512\nKöln,1084\nDüsseldorf,629\n"
	encode := func(e encoding.Encoding, s string) string {
		out, err := e.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, c := range []struct {
		name, declared, bytes, text, note string
	}{
		{"UTF-8", "", sentence, sentence, ""},
		{"UTF-8 with a mark", "", "\ufeff" + sentence, sentence, ""},
		{"UTF-16 LE", "", encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), sentence), sentence, ""},
		{"UTF-16 BE", "", encode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), sentence), sentence, ""},
		{"windows-1251 guessed", "", encode(charmap.Windows1251, russian), russian, "windows-1251"},
		{"KOI8-R guessed", "", encode(charmap.KOI8R, russian), russian, "koi8-r"},
		{"DOS guessed", "", encode(charmap.CodePage866, russian), russian, "ibm866"},
		{"windows-1252 guessed", "", encode(charmap.Windows1252, latin), latin, "windows-1252"},
		{"windows-1251 declared", "Windows-1251", encode(charmap.Windows1251, russian), russian, "қ, ғ and ҳ"},
		{"KOI8-R declared", "KOI8-R", encode(charmap.KOI8R, russian), russian, ""},
		{"latin1 declared", "ISO-8859-1", encode(charmap.Windows1252, latin), latin, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := portal.Resource{Path: "a.csv", Encoding: c.declared}
			rd := &reader{ctx: context.Background(), src: strings.NewReader(c.bytes), size: int64(len(c.bytes)), res: r, strict: true, report: &report{}}
			cs, notes, err := rd.charset()
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(cs.open(rd.src, rd.size))
			if err != nil || string(got) != c.text {
				t.Errorf("%v\n%s", err, cmp.Diff(c.text, string(got)))
			}
			if all := strings.Join(notes, "; "); !strings.Contains(all, c.note) {
				t.Errorf("notes %q say nothing of %q", all, c.note)
			}
		})
	}
}

func TestTypesAreDecidedByAllRows(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   string
	}{
		{[]string{"1", "-2", "0"}, "integer"},
		{[]string{"1", "2.5"}, "number"},
		{[]string{"1.5e3", "2"}, "number"},
		{[]string{"33,5", "1,25"}, `number {"decimalChar":","}`},
		{[]string{"1 234 567", "5"}, `integer {"groupChar":" "}`},
		{[]string{"1\u00a0234,5", "12\u202f345,6", "7"}, `number {"decimalChar":",","groupChar":" "}`},
		{[]string{"1,234.5", "2"}, `number {"groupChar":","}`},
		{[]string{"1.234,5", "2"}, `number {"decimalChar":",","groupChar":"."}`},
		{[]string{"1,234,567"}, `integer {"groupChar":","}`},
		{[]string{"1,234", "5,678"}, "string"}, // thousands or decimals: nobody can tell
		{[]string{"1,234", "5,6"}, `number {"decimalChar":","}`},
		{[]string{"1.5", "2,5"}, "string"},
		{[]string{"1 23", "4"}, "string"},
		{[]string{"1703", "1706", "01710"}, "string"}, // a code with a leading zero
		{[]string{"0", "1"}, "integer"},
		{[]string{"+998712030000"}, "string"},
		{[]string{"998712030000", "998901234567"}, "string"},
		{[]string{"12345678901234567890"}, "string"},
		{[]string{"123456789012345"}, "integer"},
		{[]string{"33%"}, "string"},
		{[]string{"1", "-", "2"}, "string"},
		{[]string{"1", "", " ", "2"}, "integer"},
		{[]string{"true", "FALSE"}, "boolean"},
		{[]string{"yes", "no"}, "string"},
		{[]string{"2020-01-31", "1999-12-01"}, "date"},
		{[]string{"2020-02-30"}, "string"},
		{[]string{"31.01.2020", "01.12.1999"}, "date %d.%m.%Y"},
		{[]string{"31.01.2020", "2020-01-31"}, "string"},
		{[]string{"2020-01-31T10:00:00", "2020-01-31 10:00:01"}, "datetime"},
		{[]string{"2018/2019"}, "string"},
		{[]string{"−5", "6"}, "integer"}, // a real minus sign
		{[]string{"1e999"}, "string"},
		{[]string{"NaN", "1"}, "string"},
		{[]string{"0x1F"}, "string"},
	} {
		text := "x;v\n"
		for _, v := range c.values {
			text += "a;" + v + "\n"
		}
		i := mustCheck(t, "a.csv", text)
		f := i.Columns[1]
		got := f.Type
		if f.Format != "" {
			got += " " + f.Format
		}
		if f.Type != "boolean" && len(f.Options) > 0 {
			got += " " + string(f.Options)
		}
		if got != c.want {
			t.Errorf("%q: %s, want %s", c.values, got, c.want)
		}
	}
}

func TestYearsNeedALabelThatSaysSo(t *testing.T) {
	for label, want := range map[string]string{"year": "year", "Yil": "year", "йил": "year", "Год": "year", "jıl": "year", "hospitals": "integer"} {
		if got := mustCheck(t, "a.csv", label+",b\n2019,x\n2020,y\n").Columns[0].Type; got != want {
			t.Errorf("%s: %s, want %s", label, got, want)
		}
	}
}

func TestDoubtsBecomeNotes(t *testing.T) {
	numbers := "region,n\n" + strings.Repeat("x,5\n", 60)
	for _, c := range []struct{ name, text, note string }{
		{"semicolons", "a;b\n1;2\n", "separated by semicolons"},
		{"a stray word", numbers + "y,n/a\n", `1 value is not a number, first "n/a" in row 62`},
		{"short row", "a,b,c\n1,2,3\n4,5\n", "1 row is too short, first row 3"},
		{"a separator too many", "a,b,c\n1,,2,\n4,5,6\n", "1 row is an empty cell too long, first row 2"},
		{"duplicate label", "a,a\n1,2\n", `labelled "a"; column 2 is named "a_2"`},
		{"no label", "a,\n1,2\n", `named by its place: "column_2"`},
		{"no values", "a,b\n1,\n", `column "b" has no values`},
		{"ambiguous comma", "a;b\nx;1,234\n", "may mark decimals or thousands"},
		{"decimal comma", "a;b\nx;1,5\n", "written like 1234,5"},
		{"no header", "1,2\n3,4\n", "no header row"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if notes := strings.Join(mustCheck(t, "a.csv", c.text).Notes, "\n"); !strings.Contains(notes, c.note) {
				t.Errorf("notes %q lack %q", notes, c.note)
			}
		})
	}
}

func TestBrokenTablesAreRejectedWithTheirPlace(t *testing.T) {
	long := strings.Repeat("x", maxCell+1)
	for _, c := range []struct{ name, file, text, where string }{
		{"long row", "data/a.csv", "a,b\n1,2\n1,2,3\n", "data/a.csv: row 3: 3 cells, 2 expected"},
		{"a broken line", "a.csv", "a,b,c\n1,2,3\nxyz\n", "a.csv: row 3: 1 cell, 3 expected"},
		{"quote that never ends", "a.csv", "a,b\n1,\"2\n3,4\n", "a.csv: row 2: a quoted cell never ends"},
		{"text after a quote", "a.csv", "a,b\n\"1\"x,2\n", "a.csv: row 2: text stands after a closing quotation mark"},
		{"NUL", "a.csv", "a,b\n1,\x002\n", "a.csv: line 2 has a NUL byte"},
		{"empty", "a.csv", "", "a.csv: the file is empty"},
		{"blank", "a.csv", "\n \n", "a.csv: the file has no rows"},
		{"workbook named csv", "a.csv", "PK\x03\x04xxxx", "a.csv: the file is a ZIP archive"},
		{"old workbook", "a.xlsx", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xlsx: the file is an old Excel workbook"},
		{"text named xlsx", "a.xlsx", "a,b\n", "a.xlsx: the file is no XLSX"},
		{"cut zip", "a.xlsx", "PK\x03\x04xxxx", "a.xlsx: the workbook is damaged"},
		{"noise", "a.csv", "a,b\n\xb1\xb4,\xb4\xb1\n", "a.csv: line 2 is not UTF-8"},
		{"endless cell", "a.csv", "a,b\n" + long + ",2\n", "a.csv: row 2 has a cell longer than 1 MiB"},
		{"too many columns", "a.csv", strings.Repeat("a,", MaxColumns) + "b\n", "at most 1998"},
		{"broken JSON", "a.json", `[{"a": 1}, {"a": ]`, "a.json: record 2"},
		{"cut JSON", "a.json", `[{"a": 1}, {"a"`, "a.json: record 2"},
		{"JSON with more behind", "a.json", `[{"a": 1}] x`, "a.json"},
		{"deep JSON", "a.json", `[{"a": ` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}]`, "a.json: record 1: values stand more than 64 deep"},
		{"a key twice", "a.json", `[{"a": 1, "a": 2}]`, `a.json: row 1: the key "a" stands twice`},
		{"JSON that is not UTF-8", "a.json", "[{\"a\": \"\xff\"}]", "a.json: line 1 is not UTF-8"},
		{"lines of JSON of two kinds", "a.ndjson", "{\"a\":1}\n[2]\n", "a.ndjson: record 2"},
		{"endless JSON string", "a.json", `[{"a": "` + long + `"}]`, "a.json: record 1: a value is longer than 1 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := check(c.file, c.text)
			if !isRejection(err) || !strings.Contains(err.Error(), c.where) {
				t.Errorf("%v, want a rejection with %q", err, c.where)
			}
			var p *portal.Problem
			if errors.As(err, &p) && p.Where == "" {
				t.Error("the problem names no place")
			}
		})
	}
}

func TestDeclaredEncodingThatIsWrongIsNamed(t *testing.T) {
	text, err := charmap.Windows1251.NewEncoder().String("город,n\nТашкент,1\n")
	if err != nil {
		t.Fatal(err)
	}
	_, err = check("a.csv", text, func(r *portal.Resource) { r.Encoding = "utf-8" })
	if !isRejection(err) || !strings.Contains(err.Error(), "line 1 is not UTF-8, as the file says it is; it looks like windows-1251") {
		t.Error(err)
	}
	if _, err := check("a.csv", "a,b\n", func(r *portal.Resource) { r.Encoding = "EBCDIC" }); !isRejection(err) {
		t.Error(err)
	}
}

func TestOtherFilesAreNoTables(t *testing.T) {
	for file, text := range map[string]string{
		"a.pdf": "%PDF-1.7", "a.txt": "words\nwords\n", "a.docx": "PK\x03\x04", "a": "x,y\n1,2\n",
		"object.json": `{"name": "x", "n": 1}`, "two.json": `{"a": [{"x": 1}], "b": [{"y": 1}]}`, "scalar.json": "5", "words.json": `["a", "b"]`, "empty.json": "[]",
		"siat.json": `[{"metadata": [{"name_uz": "x"}], "data": [{"code": "1"}]}]`,
	} {
		if infos, err := check(file, text); err != nil || infos != nil {
			t.Errorf("%s: %v, %v", file, infos, err)
		}
	}
}

func TestASchemaMakesATableOfAnUnnamedFile(t *testing.T) {
	if i := mustCheck(t, "data/table", "a;b\n1;2\n", withSchema(portal.Field{Name: "a", Type: "integer"}, portal.Field{Name: "b", Type: "string"})); i.Rows != 1 {
		t.Error(i)
	}
}

func TestJSONTables(t *testing.T) {
	for _, c := range []struct {
		name, file, text, columns string
		rows                      int64
	}{
		{"array of objects", "a.json", `[{"a": 1, "b": "x"}, {"b": "y", "c": 2.5}]`, "a:integer, b:string, c:number", 2},
		{"object with one array", "a.json", `{"ok": true, "meta": {"n": [1]}, "data": [{"a": 1}]}`, "a:integer", 1},
		{"array of arrays", "a.json", `[["a", "b"], [1, null], [2, true]]`, "a:integer, b:boolean", 2},
		{"array of arrays without labels", "a.json", `[[1, 2], [3, 4]]`, "column_1:integer, column_2:integer", 2},
		{"lines", "a.ndjson", "{\"a\": 1}\n{\"a\": 2}\n", "a:integer", 2},
		{"lines named json", "a.json", "{\"a\": 1}\n{\"a\": 2}\n", "a:integer", 2},
		{"strings are never numbers", "a.json", `[{"a": "1", "d": "2020-01-31"}]`, "a:string, d:date", 1},
		{"nested values are JSON text", "a.json", `[{"a": {"x": [1, 2]}, "b": 1}, {"b": 2}]`, "a:string, b:integer", 2},
		{"byte order mark", "a.json", "\ufeff[{\"a\": 1}]", "a:integer", 1},
		{"escapes", "a.json", `[{"a\u0062": "\"\u0432,\\"}]`, "ab:string", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := mustCheck(t, c.file, c.text)
			if got := columns(i); got != c.columns || i.Rows != c.rows {
				t.Errorf("%s, %d rows, want %s, %d", got, i.Rows, c.columns, c.rows)
			}
		})
	}
}

func TestReadingStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	src := newEndless(90<<20, func(off int64) {
		if off > 8<<20 {
			cancel()
		}
	})
	if _, err := Check(ctx, src, src.size, portal.Resource{Path: "a.csv"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestALongFileIsReadInBoundedMemory(t *testing.T) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	base, peak, calls := m.HeapAlloc, uint64(0), 0
	src := newEndless(12<<20, func(int64) {
		if calls++; calls%64 == 0 {
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
	})
	infos, err := Check(context.Background(), src, src.size, portal.Resource{Path: "a.csv"})
	if err != nil || infos[0].Rows < 250_000 {
		t.Fatal(infos, err)
	}
	if peak > base+8<<20 {
		t.Errorf("a file of 12 MiB took %d MiB", (peak-base)>>20)
	}
}

// endless is a file that is made as it is read, and says where it is read.
type endless struct {
	head, row string
	size      int64
	look      func(off int64)
}

func newEndless(size int64, look func(off int64)) *endless {
	e := &endless{head: "region,year,n\n", row: "Qoraqalpogʻiston Respublikasi,2020,1234567.5\n", look: look}
	e.size = int64(len(e.head)) + size/int64(len(e.row))*int64(len(e.row))
	return e
}

func (e *endless) ReadAt(p []byte, off int64) (int, error) {
	e.look(off)
	n := int(min(int64(len(p)), e.size-off))
	for i := range n {
		at := off + int64(i)
		if at < int64(len(e.head)) {
			p[i] = e.head[at]
		} else {
			p[i] = e.row[(at-int64(len(e.head)))%int64(len(e.row))]
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func checkReader(src io.ReaderAt, size int64, name string) ([]portal.TableInfo, error) {
	return Check(context.Background(), src, size, portal.Resource{Path: name})
}
