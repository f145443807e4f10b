package table

import (
	"bytes"
	"encoding/json"
	"testing"

	"koprik/portal"

	"github.com/xuri/excelize/v2"
)

// workbook makes an XLSX in memory.
func workbook(t testing.TB, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// set writes rows into a sheet, from a cell on.
func set(t testing.TB, f *excelize.File, sheet, cell string, rows ...[]any) {
	t.Helper()
	col, row, err := excelize.CellNameToCoordinates(cell)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		at, _ := excelize.CoordinatesToCellName(col, row+i)
		if err := f.SetSheetRow(sheet, at, &r); err != nil {
			t.Fatal(err)
		}
	}
}

func withDialect(d string) func(*portal.Resource) {
	return func(r *portal.Resource) { r.Dialect = json.RawMessage(d) }
}
