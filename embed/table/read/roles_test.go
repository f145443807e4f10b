package read

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"koprik/internal/sharedtest"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/portal/siat"
)

var update = flag.Bool("update", false, "write the golden tables of roles anew")

// meant writes what a column means in a line.
func meant(f portal.Field) string {
	m := f.Meaning
	w := []string{string(m.Role)}
	for _, s := range []struct{ name, value string }{
		{"", m.Kind},
		{"", string(m.Lang)},
		{"same as ", m.SameAs},
		{"unit ", m.Unit},
		{"of ", m.Of},
		{"", m.Sex},
		{"", m.Period},
		{"", m.Age},
		{"totals ", strings.Join(m.Totals, ", ")},
	} {
		if s.value != "" {
			w = append(w, s.name+s.value)
		}
	}
	if m.Scale != 0 {
		w = append(w, fmt.Sprintf("× %d", m.Scale))
	}
	if m.Additive {
		w = append(w, "adds up")
	}
	if m.Uncertain() {
		w = append(w, "uncertain")
	}
	return strings.Join(w, "; ")
}

// describe writes a table's columns, one a line.
func describe(name string, t portal.TableInfo) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d rows", name, t.Rows)
	if t.Totals > 0 {
		fmt.Fprintf(&b, ", %d of them totals", t.Totals)
	}
	b.WriteByte('\n')
	columns := t.Columns
	if len(columns) > 40 { // one column a month
		columns = append(slices.Clone(columns[:10]), columns[len(columns)-3:]...)
	}
	for _, f := range columns {
		fmt.Fprintf(&b, "  %s %s: %s\n", f.Name, f.Type, meant(f))
	}
	return b.String()
}

// golden compares with the file of expected roles.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	a, b := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(a), len(b)) {
		x, y := "", ""
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			t.Errorf("line %d\n got %s\nwant %s", i+1, x, y)
			return
		}
	}
}

// rolesOf reads every table of a draft as publishing does; bare leaves out the
// schema, so that everything is guessed.
func rolesOf(t *testing.T, name string, d datapackage.Draft, dir string, bare bool) string {
	t.Helper()
	var b strings.Builder
	for i, r := range d.Release.Resources {
		in, err := d.Files[i].Open(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		in.Close()
		if err != nil {
			t.Fatal(err)
		}
		if bare {
			r.Schema = nil
		}
		infos, err := Check(context.Background(), bytes.NewReader(data), int64(len(data)), r)
		if err != nil {
			t.Fatalf("%s: %v", r.Path, err)
		}
		for _, info := range infos {
			b.WriteString(describe(name+"/"+r.Path, info))
		}
	}
	return b.String()
}

// The golden files were read by a person, line by line.
func TestEveryTableOfTheDemonstrationHasItsRoles(t *testing.T) {
	packages, err := filepath.Glob(filepath.Join("..", "..", "..", "internal", "demo", "packages", "*"))
	if err != nil || len(packages) == 0 {
		t.Fatal("no packages", err)
	}
	for name, bare := range map[string]bool{"demo.roles": false, "demo-bare.roles": true} {
		var b strings.Builder
		for _, dir := range packages {
			d, err := datapackage.Load(os.DirFS(dir), ".")
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString(rolesOf(t, filepath.Base(dir), d, dir, bare))
		}
		golden(t, name, b.String())
	}
}

func TestEveryOfficialFileHasItsRoles(t *testing.T) {
	dir := sharedtest.Path(t, "data/uz-statistics")
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) == ".md" {
			return err
		}
		name := filepath.Base(path)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if d, err := siat.Decode(data, name); err == nil {
			d.Release.Resources = d.Release.Resources[:1] // the figures; the other is the file itself
			b.WriteString(rolesOf(t, name, d, dir, false))
			return nil
		}
		infos, err := checkFile(t, path, portal.Resource{})
		if err != nil {
			fmt.Fprintf(&b, "%s: %s\n", name, clip(err.Error(), 200))
		}
		if err == nil && len(infos) == 0 {
			fmt.Fprintf(&b, "%s: no table\n", name)
		}
		for _, info := range infos {
			b.WriteString(describe(name+" "+info.Sheet, info))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "official.roles", b.String())
}
