package siat_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"koprik/internal/sharedtest"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/portal/siat"
)

// line is one line of SIAT metadata, the same in all languages but for en.
func line(uz, ru, en, value string) string {
	return fmt.Sprintf(`{"name_uz":%q,"name_ru":%q,"name_en":%q,"name_uzc":null,"value_uz":%q,"value_ru":"","value_en":%q,"value_uzc":null}`, uz, ru, en, value, value)
}

// water is an indicator of our own, in SIAT's shape.
func water(extra, data string) string {
	lines := []string{
		line("Birinchi chop etilgan sana", "", "", "2022-08-06"),
		line("", "", "Last modified date :", "2026-01-16"),
		line("", "Идентификационный номер индикатора (код)", "", "9.01.02.0003"),
		line("Ma’lumotlar to‘plami nomi", "", "", "Suv sifati, o'rtacha"),
		line("", "", "Periodicity", "oylik"),
		line("", "", "Name of department:", "Suv boshqarmasi"),
		line("", "Oтветственный сотрудник ФИО", "", "Falonchiyev F."), // a Latin O
		line("", "", "Phone number :", "+99871 000 00 00"),
		line("", "", "Email", "a.b@example.uz; c@example.uz"),
		line("", "", "Note", "for 2025 preliminary"),
		line("", "", "Colour of the folder", "blue"),
	}
	return `[{"metadata":[` + strings.Join(lines, ",") + extra + `],"data":` + data + `}]`
}

const rows = `[{"Code":"1","Klassifikator":"Jami","Klassifikator_ru":"Всего","Klassifikator_en":"Total","Klassifikator_uzc":"Жами",
	"2026-М01":100.0,"2026-M02":null},{"Code":"02","Klassifikator":"Quduq, chuqur","2026-М01":"7,5","2026-М02":1e2}]`

func table(t *testing.T, d datapackage.Draft) string {
	t.Helper()
	in, err := d.Files[0].Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAnIndicatorBecomesATidyTableWithAPassport(t *testing.T) {
	source := water("", rows)
	d, err := siat.Decode([]byte(source), "a.json")
	if err != nil {
		t.Fatal(err)
	}
	want := "code,name_uz,name_uz_cyrl,name_ru,name_en,period,value\n" +
		"1,Jami,Жами,Всего,Total,2026-01,100.0\n" +
		"1,Jami,Жами,Всего,Total,2026-02,\n" +
		"02,\"Quduq, chuqur\",,,,2026-01,7.5\n" +
		"02,\"Quduq, chuqur\",,,,2026-02,1e2\n"
	if got := table(t, d); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	r, p := d.Release, d.Release.Passport
	s := r.Resources[0].Schema
	if d.Name != "siat-9-01-02-0003" || !d.HasPassport || s.Fields[5].Type != "yearmonth" || s.Fields[6].Type != "number" {
		t.Errorf("name %q, passport %v, fields %+v", d.Name, d.HasPassport, s.Fields)
	}
	if string(d.Files[1].Inline) != source || r.Resources[1].Path != "siat-9-01-02-0003.json" {
		t.Errorf("the original is not kept as given")
	}
	if r.Title.Plain != "Suv sifati, o'rtacha" || p.Indicator != "9.01.02.0003" || p.Periodicity != portal.Monthly {
		t.Errorf("title %q, code %q, periodicity %q", r.Title.Plain, p.Indicator, p.Periodicity)
	}
	if p.FirstPublished != "2022-08-06" || p.LastChanged != "2026-01-16" || p.Uploaded != "2026-01-16" {
		t.Errorf("dates %+v", p)
	}
	if len(p.Notes) != 2 || p.Notes[1].Plain != "Colour of the folder: blue" {
		t.Errorf("notes %+v", p.Notes)
	}
	c := d.Contact
	if c == nil || c.Email != "a.b@example.uz" || c.Unit.Plain != "Suv boshqarmasi" || c.Name.Plain != "Falonchiyev F." || p.Contact != c.ID {
		t.Fatalf("contact %+v, named %q", c, p.Contact)
	}
	if problems := p.Validate(*c, true); len(problems) > 0 {
		t.Error(problems)
	}
	if len(r.Themes) != 0 {
		t.Errorf("themes %v: the file says nothing of themes", r.Themes)
	}
}

func TestFiguresThatAgreeMayStandTwiceAndOthersMayNot(t *testing.T) {
	row := func(code, name, cells string) string {
		return fmt.Sprintf(`{"Code":%q,"Klassifikator":%q,%s}`, code, name, cells)
	}
	for _, c := range []struct{ name, data, want string }{
		{"agree", row("1", "a", `"2024":1,"2025":2`) + "," + row("1", "a", `"2024":1`), "2 lines"},
		{"one is missing", row("1", "a", `"2024":null`) + "," + row("1", "a", `"2024":3`), "1 lines"},
		{"other name", row("1", "a", `"2024":1`) + "," + row("1", "b", `"2024":2`), "2 lines"},
		{"both Ms", row("1", "a", `"2026-M01":1,"2026-М01":2`), "code 1, period 2026-01: the figure stands twice, as 1 and as 2"},
		{"conflict", row("1", "a", `"2024":1`) + "," + row("1", "a", `"2024":2`), "row 2: code 1, period 2024"},
		{"thousand or fraction", row("1", "a", `"2024":"1,234"`), "may be a thousand or a decimal fraction"},
		{"no period", row("1", "a", `"Parent":"2"`), `the column "Parent" is no period`},
		{"nested", row("1", "a", `"2024":{}`), "neither a number nor a text"},
		{"nobody", row("", "", `"2024":1`), "neither a code nor a name"},
		{"empty", "", "there are no figures"},
	} {
		d, err := siat.Decode([]byte(water("", "["+c.data+"]")), "a.json")
		got := ""
		if err != nil {
			got = err.Error()
			if !errors.Is(err, portal.ErrRejected) || !strings.HasPrefix(got, "a.json: ") {
				t.Errorf("%s: %v", c.name, err)
			}
		} else {
			got = fmt.Sprintf("%d lines", strings.Count(table(t, d), "\n")-1)
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPeriodsHaveOneSpellingAndAType(t *testing.T) {
	for _, c := range []struct{ in, out, kind string }{
		{"2024", "2024", "year"},
		{"2026-М1", "2026-01", "yearmonth"},
		{"2026M12", "2026-12", "yearmonth"},
		{"2026-03", "2026-03", "yearmonth"},
		{"2024-Q1", "2024-Q1", "string"},
		{" 2024-I  chorak ", "2024-I chorak", "string"},
		{"2024-М13", "2024-М13", "string"},
	} {
		d, err := siat.Decode([]byte(water("", fmt.Sprintf(`[{"Code":"1",%q:1}]`, c.in))), "a.json")
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		kind := d.Release.Resources[0].Schema.Fields[5].Type
		if got := table(t, d); !strings.Contains(got, ","+c.out+",1\n") || kind != c.kind {
			t.Errorf("%q: %s in %q", c.in, kind, got)
		}
	}
}

func TestWordsInThePlaceOfAFigureAreMissingValues(t *testing.T) {
	d, err := siat.Decode([]byte(water("", `[{"Code":"1","2024":"x","2025":"…","2026":3}]`)), "a.json")
	if err != nil {
		t.Fatal(err)
	}
	s := d.Release.Resources[0].Schema
	if fmt.Sprint(s.MissingValues) != "[ x …]" || s.Fields[6].Type != "number" {
		t.Errorf("missing values %q, type %s", s.MissingValues, s.Fields[6].Type)
	}
}

func TestWhatIsNoIndicatorIsRejected(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"empty":         {"", "no JSON"},
		"other":         {`{"a":1}`, "metadata or data are missing"},
		"two":           {strings.TrimSuffix(water("", rows), "]") + `,{}]`, "more than one indicator"},
		"trailing":      {water("", rows) + "1", "something after the end"},
		"truncated":     {water("", rows)[:900], ""},
		"not UTF-8":     {"\xff", "UTF-8"},
		"no code":       {`[{"metadata":[],"data":[{"Code":"1","2024":1}]}]`, "code is missing"},
		"bad day":       {water(","+line("", "", "Last modified date", "yesterday"), rows), "is no day"},
		"twice":         {`{"metadata":[],"metadata":[],"data":[]}`, `"metadata" stands twice`},
		"metadata text": {`{"metadata":"x","data":[]}`, "expected"},
		"odd value":     {`{"metadata":[{"value_uz":[]}],"data":[]}`, "is no text"},
	} {
		if _, err := siat.Decode([]byte(c.in), "a.json"); !errors.Is(err, portal.ErrRejected) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestASmallFileCannotUnfoldIntoALargeOne(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, `[{"Code":"1","Klassifikator":%q`, strings.Repeat("x", 60_000))
	for i := range 2000 {
		fmt.Fprintf(&b, `,"2024 %d":1`, i)
	}
	b.WriteString("}]")
	if _, err := siat.Decode([]byte(water("", b.String())), "a.json"); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("got %v", err)
	}
	cells := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"2024 %d":1`, i)
		}
		return b.String()
	}
	row := `{"Code":"1"` + cells(3001) + "}"
	for want, data := range map[string]string{
		"more than 5000 periods":   `{"Code":"1"` + cells(5001) + "}",
		"more than 300000 figures": strings.Repeat(row+",", 99) + row,
	} {
		if _, err := siat.Decode([]byte(water("", "["+data+"]")), "a.json"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// The real files name officials: this test prints no text of theirs.
func TestRealIndicatorsComeThrough(t *testing.T) {
	dir := sharedtest.Path(t, "data", "uz-statistics", "siat-cerr")
	for file, want := range map[string]struct {
		name   string
		rows   int
		period string
		every  portal.Periodicity
		notes  int
	}{
		"siat-cpi-all-items-mom-4585.json": {"siat-1-11-01-0026", 14580, "yearmonth", portal.Monthly, 3},
		"siat-cpi-coicop-yoy-1292.json":    {"siat-1-11-01-0008", 85, "year", portal.Annual, 1},
		"siat-gdp-growth-annual-582.json":  {"siat-1-01-01-0009", 16, "year", portal.Annual, 2},
	} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		d, err := siat.Decode(data, file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		p := d.Release.Passport
		lines, err := csv.NewReader(strings.NewReader(table(t, d))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if d.Name != want.name || len(lines)-1 != want.rows || d.Release.Resources[0].Schema.Fields[5].Type != want.period || p.Periodicity != want.every || len(p.Notes) != want.notes {
			t.Errorf("%s: %s, %d rows, periods %s, %s, %d notes", file, d.Name, len(lines)-1, d.Release.Resources[0].Schema.Fields[5].Type, p.Periodicity, len(p.Notes))
		}
		if len(d.Release.Title.Translated) != 4 || len(d.Contact.Name.Translated) != 4 || p.MethodURL.IsZero() || p.PrimarySource.IsZero() || p.CompiledBy.IsZero() {
			t.Errorf("%s: something of the passport is missing", file)
		}
		if problems := p.Validate(*d.Contact, true); len(problems) > 0 {
			t.Errorf("%s: %v", file, problems)
		}
		if !bytes.Contains(data, []byte(d.Release.Title.Plain)) {
			t.Errorf("%s: the title is not as published", file)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(water("", rows)))
	f.Add([]byte(`{"metadata":[],"data":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := siat.Decode(data, "fuzz")
		if err != nil {
			if !errors.Is(err, portal.ErrRejected) {
				t.Fatalf("not a rejection: %v", err)
			}
			return
		}
		if problems := d.Release.ValidateContent(); len(problems) > 0 {
			t.Fatal(problems)
		}
		r := csv.NewReader(strings.NewReader(table(t, d)))
		r.FieldsPerRecord = 7
		if _, err := r.ReadAll(); err != nil {
			t.Fatal(err)
		}
	})
}
