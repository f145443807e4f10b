package demo

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"koprik/embed/table/read"
	"koprik/internal/sharedtest"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/portal/siat"
	"koprik/ui/chart"
)

// plainNames leave what a table says as it is.
var plainNames = chart.Names{
	Lang: portal.Uzbek, Sex: func(f portal.Field) string { return f.Meaning.Sex }, Period: func(p string) string { return p },
	Value: func(_ portal.Field, text string) string { return text },
}

// TestEveryTableIsDrawnAsItWasLookedAt holds what becomes of every table of the
// demonstration and of every real official file beside the project: the figure that
// is chosen, the regions on its map and the sentence over it, one paragraph a table
// in testdata/figures.txt. A file without a paragraph fails. -update writes them
// anew, to be looked at. What the columns mean is held in embed/table/read.
func TestEveryTableIsDrawnAsItWasLookedAt(t *testing.T) {
	const golden = "testdata/figures.txt"
	old, err := os.ReadFile(golden)
	if err != nil && !*update {
		t.Fatal(err)
	}
	want := paragraphs(string(old))
	got := map[string]string{}
	for _, p := range append(Packages(), Updates()...) {
		d, err := datapackage.Load(p.FS, ".")
		if err != nil {
			t.Fatal(p.Name, err)
		}
		for i, r := range d.Release.Resources {
			describe(t, got, p.Name+"/"+r.Name, r, draftBytes(t, d, i, p.FS))
		}
	}
	if sharedtest.Has(t, "data/uz-statistics") {
		for _, folder := range []string{"uz-statistics", "facts"} {
			official(t, got, folder)
		}
	} else {
		t.Log("without ../shared/data the official files are not looked at")
	}
	if *update {
		writeParagraphs(t, golden, got)
		return
	}
	for name, text := range got {
		if want[name] != text {
			t.Errorf("%s: look at it, and write it down with -update:\n%s\nwas\n%s", name, text, want[name])
		}
	}
	for name := range want {
		if _, ok := got[name]; !ok && (!strings.HasPrefix(name, "data/") || got[sharedMark] != "") {
			t.Errorf("%s is there no longer", name)
		}
	}
}

// sharedMark is a real file that is there where any are.
const sharedMark = "data/uz-statistics/README.md"

// official describes the files of a folder of real data; without it that says so.
func official(t *testing.T, got map[string]string, folder string) {
	t.Helper()
	root := sharedtest.Path(t, "data")
	err := filepath.WalkDir(filepath.Join(root, folder), func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		key := "data/" + filepath.ToSlash(rel)
		if d, err := siat.Decode(data, rel); err == nil {
			describe(t, got, key, d.Release.Resources[0], draftBytes(t, d, 0, nil))
			return nil
		}
		describe(t, got, key, portal.Resource{Name: path.Base(key), Path: path.Base(key)}, data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func draftBytes(t *testing.T, d datapackage.Draft, i int, fsys fs.FS) []byte {
	t.Helper()
	f, err := d.Files[i].Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// describe puts a paragraph for every table of a file into all.
func describe(t *testing.T, all map[string]string, name string, r portal.Resource, data []byte) {
	t.Helper()
	f, err := read.Open(t.Context(), bytes.NewReader(data), int64(len(data)), r, t.TempDir())
	if err != nil {
		all[name] = "refused\n"
		return
	}
	defer f.Close()
	all[name] = "no table\n"
	err = f.Each(func(table *read.Table) error {
		key := name
		if table.Sheet() != "" {
			key += ", " + table.Sheet()
		}
		var rows [][]any
		err := table.Rows(t.Context(), nil, func(out []any, _ int) ([]any, error) {
			rows = append(rows, out)
			return nil, nil
		})
		if err == nil {
			all[key] = figuresOf(t, table.Info(), rows)
			if key != name {
				delete(all, name)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(name, err)
	}
}

// figuresOf says what is drawn and said of each measure of a table.
func figuresOf(t *testing.T, info portal.TableInfo, rows [][]any) string {
	t.Helper()
	var b strings.Builder
	for i, c := range info.Columns {
		for _, row := range rows {
			if n, ok := row[i].(int64); ok && c.Type == "boolean" {
				row[i] = n == 1
			}
		}
	}
	if len(rows) > chart.MaxTable {
		return "longer than a figure\n"
	}
	table := chart.Table{Columns: info.Columns, Rows: rows}
	for _, m := range chart.Measures(info.Columns) {
		fmt.Fprintf(&b, "%s = %s\n", m.Name, drawnAs(t, table, m))
	}
	if b.Len() == 0 {
		return "nothing to draw\n"
	}
	return b.String()
}

// drawnAs draws a measure in every way that the form of its page offers, at both
// widths, and gives the first with its sentence.
func drawnAs(t *testing.T, table chart.Table, m chart.Measure) string {
	t.Helper()
	c, err := chart.NewCube(table, m, plainNames)
	if err != nil {
		return "no figure"
	}
	plans := c.Plans()
	if len(plans) == 0 {
		return "no figure"
	}
	said := ""
	for i, p := range plans {
		f, err := c.Figure(p)
		if err != nil {
			t.Errorf("%s: %v", p.Kind, err)
			continue
		}
		found, _ := f.Find()
		for _, width := range []int{chart.Narrow, chart.Wide} {
			if _, err := chart.Draw(f, plainWords, width); err != nil {
				t.Errorf("%s: %v", p.Kind, err)
			}
		}
		if i == 0 {
			said = fmt.Sprintf("%s by %s", p.Kind, c.Dims[p.Label].Name)
			if p.Series >= 0 {
				said += " and " + c.Dims[p.Series].Name
			}
			if _, mapped := c.MapPlan(outline(t), ""); mapped > 0 {
				said += fmt.Sprintf("; map of %d", mapped)
			}
			said += fmt.Sprintf("; %s %s %s %.6g, %s %s %.6g", found.Kind, found.Label, found.Series, found.Value, found.Other, found.OtherSeries, found.Before)
		}
	}
	for _, kind := range chart.Kinds { // what an address may ask for is drawn or refused
		if p, err := c.Adjust(plans[0], kind, "", "", nil); err == nil {
			if f, err := c.Figure(p); err == nil {
				f.Find()
			}
		}
	}
	return strings.Join(strings.Fields(said), " ")
}

// outline is that of the demonstration's maps.
func outline(t *testing.T) *chart.Outline {
	t.Helper()
	f, err := files.Open("packages/region-outlines/region_outlines.geojson")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, err := chart.ReadGeoJSON(f, func(p map[string]any) string { s, _ := p["iso_code"].(string); return s })
	if err != nil {
		t.Fatal(err)
	}
	o, err := chart.NewOutline(g.Areas)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

var plainWords = func() chart.Words {
	plain := func(v float64) string { return fmt.Sprintf("%.6g", v) }
	return chart.Words{Number: plain, Short: plain, Signed: plain, Share: plain, None: "–"}
}()

// paragraphs reads the golden file: "# name" and lines.
func paragraphs(text string) map[string]string {
	all := map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		if head, ok := strings.CutPrefix(line, "# "); ok {
			name = strings.TrimSpace(head)
			continue
		}
		all[name] += line
	}
	return all
}

func writeParagraphs(t *testing.T, file string, all map[string]string) {
	t.Helper()
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		b.WriteString("# " + name + "\n" + all[name])
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
