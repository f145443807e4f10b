package table

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"testing"

	"koprik/embed/table/read"
	"koprik/portal"

	"github.com/xuri/excelize/v2"
)

// statistics is a table of n rows and ten columns as offices publish them.
func statistics(n int) []byte {
	var b bytes.Buffer
	b.WriteString("soato,region,district,year,sex,age,population,share,updated,note\n")
	for i := range n {
		fmt.Fprintf(&b, "17%05d,Viloyat %d,Туман %d,%d,%s,%d,%d,%d.%d,20%02d-%02d-%02d,\n",
			i%100000, i%14, i%206, 2000+i%27, []string{"f", "m"}[i%2], i%100, i*7919%1000003, i%100, i%10, i%27, i%12+1, i%28+1)
	}
	return b.Bytes()
}

func perRow(b *testing.B, rows int) {
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapSys)/(1<<20), "MB-heap")
}

func BenchmarkCheckCSV(b *testing.B) {
	const rows = 200_000
	data := statistics(rows)
	for b.Loop() {
		if _, err := read.Check(context.Background(), bytes.NewReader(data), int64(len(data)), portal.Resource{Path: "a.csv"}); err != nil {
			b.Fatal(err)
		}
	}
	perRow(b, rows)
}

// ingest makes the table of r anew each time.
func ingest(b *testing.B, m *memory, r portal.Resource, rows int) {
	b.Helper()
	for b.Loop() {
		s := Open(b.TempDir(), m)
		if _, err := s.Ensure(context.Background(), r); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
	perRow(b, rows)
}

// BenchmarkIngestCSV is everything: two readings, casting, inserting, fsync.
func BenchmarkIngestCSV(b *testing.B) {
	const rows = 200_000
	m := &memory{}
	r := m.add("a.csv", statistics(rows))
	ingest(b, m, r, rows)
}

func BenchmarkIngestXLSX(b *testing.B) {
	const rows = 20_000
	m := &memory{}
	f := excelize.NewFile()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	for i := range rows {
		cell, _ := excelize.CoordinatesToCellName(1, i+1)
		if err := w.SetRow(cell, []any{fmt.Sprintf("17%05d", i), "Viloyat", 2000 + i%27, i, float64(i) / 8, "note", i % 7, i % 9, "f", 1.5}); err != nil {
			b.Fatal(err)
		}
	}
	var book bytes.Buffer
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Write(&book); err != nil {
		b.Fatal(err)
	}
	r := m.add("a.xlsx", book.Bytes())
	ingest(b, m, r, rows)
}

func BenchmarkIngestJSON(b *testing.B) {
	const rows = 50_000
	var text bytes.Buffer
	text.WriteByte('[')
	for i := range rows {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `{"soato": "17%05d", "year": %d, "n": %d, "share": %d.5, "region": "Viloyat %d"}`, i, 2000+i%27, i, i%100, i%14)
	}
	text.WriteByte(']')
	m := &memory{}
	r := m.add("a.json", text.Bytes())
	ingest(b, m, r, rows)
}

func BenchmarkRows(b *testing.B) {
	const rows = 200_000
	m := &memory{}
	r := m.add("a.csv", statistics(rows))
	s := Open(b.TempDir(), m)
	defer s.Close()
	if _, err := s.Ensure(context.Background(), r); err != nil {
		b.Fatal(err)
	}
	for name, q := range map[string]portal.RowQuery{
		"first page":     {},
		"filter":         {Filters: []portal.RowFilter{{Column: "region", Op: "eq", Value: "Viloyat 7"}}},
		"filter, sort":   {Filters: []portal.RowFilter{{Column: "year", Op: "eq", Value: "2010"}}, Sort: "population", Desc: true},
		"contains":       {Filters: []portal.RowFilter{{Column: "district", Op: "contains", Value: "tuman 77"}}},
		"sort, all rows": {Sort: "population"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Rows(context.Background(), r, "", q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
