package node_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"koprik/internal/node"
	"koprik/portal"
	"koprik/portal/datapackage"
)

// twoTables is an archive of two tables, as a workbook is, beside its package.
func twoTables(t *testing.T, pkg string) node.Input {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range [][2]string{
		{"aholi.csv", "viloyat,yil,aholi\nAndijon viloyati,2025,3394\nBuxoro viloyati,2025,2045\n"},
		{"holat.csv", "Holat jadvali\nkod;holat;soni\n1;aniq;5\n2;taxmin;6\n3;aniq;7\n"},
	} {
		w, err := z.Create(f[0])
		must(t, err)
		_, err = w.Write([]byte(f[1]))
		must(t, err)
	}
	must(t, z.Close())
	return node.Input{Label: "two", Name: ".", FS: fstest.MapFS{"datapackage.json": {Data: []byte(pkg)}, "two.zip": {Data: b.Bytes()}}}
}

// said is a line about every column of the tables of a dataset's one resource.
func said(t *testing.T, n *node.Node, id portal.DatasetID) (schema, tables string) {
	t.Helper()
	v, err := n.View(t.Context())
	must(t, err)
	defer v.Close()
	d, err := v.Dataset(t.Context(), id)
	must(t, err)
	lines := func(fields []portal.Field) (s string) {
		for _, f := range fields {
			s += fmt.Sprintf("%s:%s:%s:%d ", f.Name, f.Type, f.Meaning.Role, f.Meaning.Confidence)
		}
		return s
	}
	r := d.Latest.Resources[0]
	for s := range r.Schemas() {
		schema += lines(s.Fields)
	}
	infos, err := v.Tables(t.Context(), r)
	must(t, err)
	for _, i := range infos {
		tables += lines(i.Columns)
	}
	return schema, tables
}

func TestTheSchemaOfEverySheetIsKeptInTheReleaseAndCorrected(t *testing.T) {
	central := newCentral(t)
	publish(t, central, twoTables(t, `{"name": "two", "title": "Two", "resources": [{"name": "two", "path": "two.zip"}]}`))
	mirror := newMirror(t, central)
	sync(t, mirror)
	for _, n := range []*node.Node{central, mirror} {
		schema, tables := said(t, n, "main_two")
		if schema != tables || !strings.Contains(schema, "viloyat:string:region") || !strings.Contains(schema, "kod:integer:") {
			t.Errorf("release\n%s\ntables\n%s", schema, tables)
		}
	}
	in := twoTables(t, `{"name": "two", "title": "Two", "resources": [{"name": "two", "path": "two.zip"}]}`)
	if out := publish(t, central, in); len(out.Unchanged) != 1 {
		t.Errorf("the same again: %+v", out)
	}

	draft, files, err := node.Inspect(t.Context(), in)
	must(t, err)
	pkg, err := datapackage.Sketch("two", draft.Release.Title, []portal.Resource{files[0].Resource})
	must(t, err)
	corrected := strings.Replace(string(pkg), `"name": "kod",`, `"name": "kod", "title": "Kod",`, 1)
	at := strings.Index(corrected, `"name": "kod"`)
	corrected = corrected[:at] + strings.Replace(corrected[at:], `"type": "integer"`, `"type": "string"`, 1)
	role := strings.Index(corrected[at:], `"role": "`) + at + len(`"role": "`)
	corrected = corrected[:role] + "id" + corrected[role+strings.IndexByte(corrected[role:], '"'):]
	if out := publish(t, central, twoTables(t, corrected)); len(out.Published) != 1 || out.Published[0].Release != 2 {
		t.Fatalf("a correction: %+v\n%s", out, corrected)
	}
	sync(t, mirror)
	for _, n := range []*node.Node{central, mirror} {
		schema, tables := said(t, n, "main_two")
		if schema != tables || !strings.Contains(tables, "kod:string:id:100") {
			t.Errorf("release\n%s\ntables\n%s", schema, tables)
		}
	}
}
