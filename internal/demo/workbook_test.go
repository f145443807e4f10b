package demo

import (
	"bytes"
	"encoding/csv"
	"flag"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

var update = flag.Bool("update", false, "write the workbook anew from the table beside it")

const (
	districts      = "packages/population-by-district/population_by_district.csv"
	workbook       = "packages/population-by-district/population_by_district_and_year.xlsx"
	yearColumn     = "population_" // and the year
	workbookSheet  = "population"
	workbookHeader = "district_uz,region_uz,year,population_thousand,soato"
)

// The workbook is the table of districts with a row for each year. This test
// wrote it, with -update, and keeps it so.
func TestWorkbookSaysWhatTheTableBesideItSays(t *testing.T) {
	want := districtYears(t)
	if *update {
		if err := os.WriteFile(workbook, makeWorkbook(t, want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(workbook)
	if err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := f.GetRows(workbookSheet, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table and workbook differ (-table +workbook); write it with -update:\n%s", diff)
	}
}

// districtYears turns the table's columns of years into rows. A unit that did
// not exist in a year has no row of it.
func districtYears(t *testing.T) [][]string {
	t.Helper()
	table := readCSV(t, files, districts)
	rows := [][]string{strings.Split(workbookHeader, ",")}
	for _, r := range table.rows {
		for _, name := range table.header {
			year, ok := strings.CutPrefix(name, yearColumn)
			if !ok || r[name] == "" {
				continue
			}
			n, err := strconv.ParseFloat(r[name], 64)
			if err != nil {
				t.Fatal(err)
			}
			people := strconv.FormatFloat(n, 'f', -1, 64) // as a workbook keeps numbers
			rows = append(rows, []string{r["district_uz"], r["region_uz"], year, people, r["soato"]})
		}
	}
	return rows
}

func makeWorkbook(t *testing.T, rows [][]string) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(f.SetDocProps(&excelize.DocProperties{Creator: "Demonstration publisher", LastModifiedBy: "Demonstration publisher", Created: "2026-11-23T00:00:00Z", Modified: "2026-11-23T00:00:00Z"}))
	must(f.SetSheetName("Sheet1", workbookSheet))
	must(f.SetColWidth(workbookSheet, "A", "B", 30))
	must(f.SetColWidth(workbookSheet, "C", "E", 20))
	must(f.SetPanes(workbookSheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
	for y, row := range rows {
		for x, text := range row {
			cell, err := excelize.CoordinatesToCellName(x+1, y+1)
			must(err)
			var value any = text
			if name := rows[0][x]; y > 0 && (name == "year" || name == "population_thousand") {
				value, err = strconv.ParseFloat(text, 64)
				must(err)
			}
			must(f.SetCellValue(workbookSheet, cell, value))
		}
	}
	var b bytes.Buffer
	must(f.Write(&b))
	return b.Bytes()
}

// records is a CSV file as a person reads it: rows of named cells.
type records struct {
	header []string
	rows   []map[string]string
}

func readCSV(t *testing.T, fsys fs.FS, name string) records {
	t.Helper()
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	r := records{header: lines[0]}
	for _, line := range lines[1:] {
		row := make(map[string]string, len(line))
		for i, cell := range line {
			row[r.header[i]] = cell
		}
		r.rows = append(r.rows, row)
	}
	return r
}
