package read

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"koprik/portal"
)

func gz(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

// zipped makes an archive of names and contents by turns.
func zipped(t testing.TB, pairs ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		h := &zip.FileHeader{Name: pairs[i], Method: zip.Deflate}
		if pairs[i] == "mimetype" {
			h.Method = zip.Store
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = w.Write([]byte(pairs[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const odsType = "application/vnd.oasis.opendocument.spreadsheet"

// ods makes a spreadsheet of the insides of its tables, by name and rows by turns.
func ods(t testing.TB, pairs ...string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:spreadsheet>`)
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, `<table:table table:name=%q>%s</table:table>`, pairs[i], pairs[i+1])
	}
	b.WriteString(`</office:spreadsheet></office:body></office:document-content>`)
	return zipped(t, "mimetype", odsType, "content.xml", b.String())
}

func odsCells(texts ...string) string {
	var b strings.Builder
	b.WriteString("<table:table-row>")
	for _, s := range texts {
		fmt.Fprintf(&b, `<table:table-cell office:value-type="string"><text:p>%s</text:p></table:table-cell>`, s)
	}
	return b.String() + "</table:table-row>"
}

func TestSpreadsheetsOfOpenDocumentAreRead(t *testing.T) {
	rows := odsCells("sana", "soni", "ulush", "nom") +
		`<table:table-row><table:table-cell office:value-type="date" office:date-value="2024-01-31"><text:p>31.01.24</text:p></table:table-cell>` +
		`<table:table-cell table:formula="of:=1+1" office:value-type="float" office:value="1234"><text:p>1 234</text:p></table:table-cell>` +
		`<table:table-cell office:value-type="percentage" office:value="0.5"><text:p>50%</text:p></table:table-cell>` +
		`<table:table-cell office:value-type="string"><office:annotation><text:p>izoh</text:p></office:annotation><text:p>bir<text:s text:c="2"/>ikki</text:p><text:p>uch</text:p></table:table-cell>` +
		`<table:table-cell table:number-columns-repeated="16000"/></table:table-row>` +
		`<table:table-row table:number-rows-repeated="2"><table:table-cell/><table:table-cell office:value-type="float" office:value="7"/></table:table-row>` +
		`<table:table-row table:number-rows-repeated="1048570"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>`
	data := ods(t, "Bir", rows, "Boʻsh", "", "Ikki", odsCells("a", "b")+odsCells("x", "y"))
	infos, err := check("a.ods", data)
	if err != nil || len(infos) != 2 {
		t.Fatal(err, len(infos))
	}
	if got := columns(infos[0]); got != "sana:date, soni:integer, ulush:number, nom:string" || infos[0].Rows != 3 || infos[1].Sheet != "Ikki" {
		t.Errorf("%s, %d rows, %q", got, infos[0].Rows, infos[1].Sheet)
	}
	_, rows2, err := readAll(t, writeFile(t, "a.ods", data), portal.Resource{})
	if err != nil || rows2[0][3] != "bir  ikki\nuch" || rows2[2][1] != "7" {
		t.Errorf("%q %v", rows2, err)
	}
}

func TestArchivesAreReadAsWhatIsInThem(t *testing.T) {
	csv := "a,b\n1,2\n3,4\n"
	for name, c := range map[string]struct {
		path, data string
		sheets     string
	}{
		"gzip":               {"a.csv.gz", gz(t, csv), ""},
		"gzip of a workbook": {"a.ods.gz", gz(t, ods(t, "Bir", odsCells("a", "b")+odsCells("1", "2"))), "Bir"},
		"zip with one":       {"a.zip", zipped(t, "data/x.csv", csv, "readme.txt", "hello"), ""},
		"zip with many":      {"a.zip", zipped(t, "x.csv", csv, "datapackage.json", "{}", "y.json", `[{"a":1}]`), "x|y"},
	} {
		infos, err := check(c.path, c.data)
		var sheets []string
		for _, i := range infos {
			sheets = append(sheets, i.Sheet)
		}
		if err != nil || strings.Join(sheets, "|") != c.sheets {
			t.Errorf("%s: %q %v", name, sheets, err)
		}
	}
	if infos, err := check("a.zip", zipped(t, "readme.txt", "hello")); err != nil || len(infos) != 0 {
		t.Error("an archive without a table", infos, err)
	}
}

func TestFeaturesOfGeoJSONAreRows(t *testing.T) {
	info := mustCheck(t, "a.geojson", `{"type": "FeatureCollection", "features": [
		{"type": "Feature", "id": 7, "properties": {"nom": "Andijon", "iso": "UZ-AN"}, "geometry": {"type": "Point", "coordinates": [72.3, 40.7]}},
		{"type": "Feature", "id": 8, "properties": {"nom": "Buxoro", "iso": "UZ-BU"}, "geometry": null}]}`)
	if got := columns(info); got != "id:integer, nom:string, iso:string, geometry:geojson" {
		t.Error(got)
	}
	if m := info.Columns[3].Meaning; m.Role != portal.RoleGeometry {
		t.Error(m)
	}
}

func TestSDMXTablesAreUnderstood(t *testing.T) {
	info := mustCheck(t, "a.csv", "DATAFLOW,REF_AREA,SEX,AGE,TIME_PERIOD,OBS_VALUE,UNIT_MEASURE\n"+
		"UZ:POP(1.0),UZ,F,0-14,2024-Q1,5.5,PS\nUZ:POP(1.0),UZ,M,0-14,2024-Q1,6.5,PS\nUZ:POP(1.0),UZ,_T,0-14,2024-Q2,12,PS\nUZ:POP(1.0),UZ,F,65+,2024-Q2,1.25,PS\n")
	var roles []string
	for _, f := range info.Columns {
		roles = append(roles, string(f.Meaning.Role)+" "+f.Meaning.Kind)
	}
	if got := strings.Join(roles, ","); got != "category ,region iso,sex code,age ,time quarter,measure ,unit " {
		t.Error(got)
	}
}

func TestOtherTablesAreRefusedInWords(t *testing.T) {
	for name, says := range map[string]string{"a.xls": "save it as XLSX", "a.rar": "use ZIP", "a.dbf": "CSV", "a.csv": "", "a.txt": ""} {
		if why := Unsupported(portal.Resource{Path: name}); !strings.Contains(why, says) || (says == "") != (why == "") {
			t.Errorf("%s: %q", name, why)
		}
	}
}
