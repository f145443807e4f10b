package table

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"koprik/embed/table/read"
	"koprik/portal"
)

func exported(t *testing.T, s *Store, r portal.Resource, q portal.TableQuery, f portal.ExportFormat) []byte {
	t.Helper()
	e := portal.Export{Format: f, From: portal.Provenance{Dataset: "main_water", Release: 1, Address: "/x"}}
	var b bytes.Buffer
	if err := s.Export(t.Context(), &b, r, "", q, e); err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	left, err := os.ReadDir(s.dir)
	for _, e := range left {
		if strings.HasPrefix(e.Name(), tempPrefix) || err != nil {
			t.Errorf("%s left %s behind (%v)", f, e.Name(), err)
		}
	}
	return b.Bytes()
}

const places = "name,year,people,lon,lat\nXorazm,2025,10,60.6,41.5\nBuxoro,2025,30,64.4,39.7\nXorazm,2024,9,60.6,41.5\nBuxoro,2024,,64.4,39.7\n"

func TestAnExportHasTheRowsOfItsQueryAndNoOther(t *testing.T) {
	s, m := newStore(t)
	r := m.add("places.csv", []byte(places))
	q := portal.TableQuery{
		Columns: []string{"people", "name"}, Order: []portal.TableOrder{{By: "people", Desc: true}},
		Filters: []portal.TableFilter{{Column: "year", Op: portal.OpEqual, Values: []string{"2025"}}},
	}
	got, err := csv.NewReader(bytes.NewReader(exported(t, s, r, q, portal.ExportCSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"\ufeffpeople", "name"}, {"30", "Buxoro"}, {"10", "Xorazm"}}
	if diff := cmp.Diff(want, got[:len(got)-1]); diff != "" {
		t.Error(diff)
	}
	groups := portal.TableQuery{Group: []string{"name"}, Aggregates: []portal.Aggregate{{Column: "people", Func: portal.AggSum}}}
	for _, f := range portal.ExportFormats[:6] {
		if b := exported(t, s, r, groups, f); len(b) == 0 {
			t.Errorf("%s of groups is empty", f)
		}
	}
	text := string(exported(t, s, r, groups, portal.ExportNDJSON))
	if !strings.Contains(text, `{"name":"Buxoro","__count":2,"people__sum":30}`) {
		t.Error(text)
	}
}

func TestGeoJSONHasItsPlaceAlsoWhereTheColumnsWereNotChosen(t *testing.T) {
	s, m := newStore(t)
	var got struct {
		Features []struct {
			Geometry   struct{ Coordinates []float64 }
			Properties map[string]any
		}
	}
	q := portal.TableQuery{Columns: []string{"name", "lat"}}
	if err := json.Unmarshal(exported(t, s, m.add("places.csv", []byte(places)), q, portal.ExportGeoJSON), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Features) != 4 || !cmp.Equal(got.Features[0].Geometry.Coordinates, []float64{60.6, 41.5}) || !cmp.Equal(got.Features[0].Properties, map[string]any{"name": "Xorazm", "lat": 41.5}) {
		t.Errorf("%+v", got)
	}
}

// mixed is a table whose columns are not all of their declared types.
const mixed = "n,whole,share,day,at,flag\n1,1,0.5,2025-01-31,2025-01-31T10:00:00,true\nx,2.5,n/a,31 yanvar,soon,balki\n3,3,1.5,2025-02-30,2025-02-01T00:00:00,false\n"

func TestAColumnThatIsNotAllOfItsTypeIsTextInFilesWithTypes(t *testing.T) {
	s, m := newStore(t)
	r := m.add("mixed.csv", []byte(mixed))
	r.Schema = &portal.TableSchema{}
	for _, c := range []string{"n integer", "whole integer", "share number", "day date", "at datetime", "flag boolean"} {
		name, kind, _ := strings.Cut(c, " ")
		r.Schema.Fields = append(r.Schema.Fields, portal.Field{Name: name, Type: kind})
	}
	first := portal.TableQuery{Filters: []portal.TableFilter{{Column: "n", Op: portal.OpEqual, Values: []string{"1"}}}}
	for _, q := range []portal.TableQuery{{}, first} {
		data := exported(t, s, r, q, portal.ExportParquet)
		f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range f.Schema().Fields() {
			if kind := c.Type().String(); kind != "STRING" {
				t.Errorf("%s is %s", c.Name(), kind)
			}
		}
		if len(exported(t, s, r, q, portal.ExportSQLite)) == 0 {
			t.Error("no database")
		}
	}
	good := m.add("good.csv", []byte(strings.Split(mixed, "\nx,")[0]+"\n"))
	good.Schema = r.Schema
	data := exported(t, s, good, portal.TableQuery{}, portal.ExportParquet)
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if kind := f.Schema().Fields()[3].Type().String(); kind != "DATE" {
		t.Errorf("day is %s", kind)
	}
}

// TestTheWidestTableGoesOutInEveryFormat: it has as many columns as a table may
// have, and all of them are looked at before a file with types begins.
func TestTheWidestTableGoesOutInEveryFormat(t *testing.T) {
	s, m := newStore(t)
	var head, row strings.Builder
	for i := range read.MaxColumns {
		fmt.Fprintf(&head, "c%d,", i)
		fmt.Fprintf(&row, "%d,", i)
	}
	r := m.add("a.csv", []byte(strings.TrimSuffix(head.String(), ",")+"\n"+strings.Repeat(strings.TrimSuffix(row.String(), ",")+"\n", 3)))
	last := fmt.Sprintf("c%d", read.MaxColumns-1)
	for _, format := range portal.ExportFormats {
		if format == portal.ExportGeoJSON {
			continue // it has no places
		}
		b := exported(t, s, r, portal.TableQuery{}, format)
		if plain := format == portal.ExportCSV || format == portal.ExportJSON || format == portal.ExportNDJSON; len(b) < 1000 || plain && !bytes.Contains(b, []byte(last)) {
			t.Errorf("%s: %d bytes without %s", format, len(b), last)
		}
	}
}

func TestAnExportThatCannotBeSaysSoBeforeTheFirstByte(t *testing.T) {
	s, m := newStore(t)
	r := m.add("water.csv", []byte("a,b\n1,2\n"))
	none := portal.TableQuery{Columns: []string{"c"}}
	for _, c := range []struct {
		name   string
		r      portal.Resource
		sheet  string
		q      portal.TableQuery
		format portal.ExportFormat
		want   error
	}{
		{"column", r, "", none, portal.ExportCSV, portal.ErrUsage},
		{"geometry", r, "", portal.TableQuery{}, portal.ExportGeoJSON, portal.ErrUsage},
		{"sheet", r, "Varaq", portal.TableQuery{}, portal.ExportCSV, portal.ErrNotFound},
		{"bytes", portal.Resource{Name: "x", Path: "x.csv", Hash: portal.DigestOf([]byte("x"))}, "", portal.TableQuery{}, portal.ExportCSV, portal.ErrNotHeld},
	} {
		var b bytes.Buffer
		if err := s.Export(t.Context(), &b, c.r, c.sheet, c.q, portal.Export{Format: c.format}); !errors.Is(err, c.want) || b.Len() > 0 {
			t.Errorf("%s: %v, %d bytes", c.name, err, b.Len())
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Export(gone, io.Discard, r, "", portal.TableQuery{}, portal.Export{Format: portal.ExportCSV}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// weigh notes the most memory that is in use while a file is made.
type weigh struct {
	peak  uint64
	bytes int64
	next  int64
}

func (w *weigh) Write(b []byte) (int, error) {
	if w.bytes += int64(len(b)); w.bytes >= w.next {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w.peak, w.next = max(w.peak, m.HeapInuse+m.StackInuse), w.bytes+4<<20
	}
	return len(b), nil
}

// TestFiveMillionRowsGoOutInConstantMemory takes five minutes: KOPRIK_SOAK=1.
func TestFiveMillionRowsGoOutInConstantMemory(t *testing.T) {
	if os.Getenv("KOPRIK_SOAK") == "" {
		t.Skip("takes minutes; runs with KOPRIK_SOAK=1")
	}
	const rows, most = 5_000_000, 256 << 20
	var b bytes.Buffer
	b.WriteString("place,year,people,share,day\n")
	for i := range rows {
		fmt.Fprintf(&b, "Tuman %d,%d,%d,%d.%d,2025-01-%02d\n", i*7919%203, 2000+i%26, i*31%100_003, i%100, i%7, i%28+1)
	}
	s, m := newStore(t)
	r := m.add("long.csv", b.Bytes())
	if _, err := s.Tables(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	clear(m.objects)
	b = bytes.Buffer{}
	for _, f := range portal.ExportFormats[:6] {
		runtime.GC()
		var w weigh
		if err := s.Export(t.Context(), &w, r, "", portal.TableQuery{}, portal.Export{Format: f}); err != nil {
			t.Fatal(f, err)
		}
		t.Logf("%s: %d bytes, at most %.1f MiB of memory", f, w.bytes, float64(w.peak)/(1<<20))
		if w.peak > most {
			t.Errorf("%s took %d bytes of memory", f, w.peak)
		}
	}
}
