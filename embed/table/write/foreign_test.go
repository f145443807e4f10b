package write

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"koprik/portal"
)

// foreign reads each file with what people read files with, and prints what it
// found as JSON.
const foreign = `
import json, sqlite3, sys
import openpyxl, pandas, pyarrow.parquet
folder = sys.argv[1]
book = openpyxl.load_workbook(folder + "/f.xlsx")
sheet = book.worksheets[0]
table = pyarrow.parquet.read_table(folder + "/f.parquet")
frame = pandas.read_csv(folder + "/f.csv", comment="#")
rows = json.load(open(folder + "/f.json"))["rows"]
lines = pandas.read_json(folder + "/f.ndjson", lines=True)
db = sqlite3.connect(folder + "/f.sqlite")
geo = json.load(open(folder + "/f.geojson"))
print(json.dumps({
    "xlsx": [sheet.max_row, sheet["A2"].value, sheet["C2"].value, sheet["D2"].value, str(sheet["F2"].value), str(sheet["G2"].value), sheet["A1"].font.bold, sheet.freeze_panes],
    "parquet": [table.num_rows, table.column_names, str(table["day"][0]), str(table["at"][0]), table["share"][0].as_py(), str(table.schema.field("count").type), "koprik_provenance" in {k.decode() for k in (table.schema.metadata or {})}],
    "csv": [len(frame), list(frame.columns), int(frame["count"].sum())],
    "json": [len(rows), rows[0]["region"]],
    "ndjson": [len(lines), int(lines["count"].sum())],
    "sqlite": list(db.execute("select count(*), sum(count) from water").fetchone()),
    "geojson": [geo["type"], len(geo["features"]), geo["features"][1]["geometry"]["coordinates"]],
}))
`

func TestForeignProgramsReadTheSame(t *testing.T) {
	python := os.Getenv("KOPRIK_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.CommandContext(t.Context(), python, "-c", "import openpyxl, pandas, pyarrow").Run(); err != nil {
		t.Skip("no Python with openpyxl, pandas and pyarrow here (KOPRIK_PYTHON names one):", err)
	}
	folder, rows := t.TempDir(), plainRows()
	for _, format := range portal.ExportFormats {
		if err := os.WriteFile(filepath.Join(folder, "f."+string(format)), made(t, file(format), rows), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", foreign, folder)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	names := []any{"region", "year", "count", "share", "ok", "day", "at", "lon", "lat"}
	const total = 60 * 59 / 2 * 1000.0
	want := map[string]any{
		"xlsx":    []any{61.0, `Tuman 0, "a"; b`, 0.0, 0.25, "2025-01-01 00:00:00", "2025-01-01 10:00:00", true, "A2"},
		"parquet": []any{60.0, names, "2025-01-01", "2025-01-01 10:00:00", 0.25, "int64", true},
		"csv":     []any{60.0, names, total},
		"json":    []any{60.0, `Tuman 0, "a"; b`},
		"ndjson":  []any{61.0, total},
		"sqlite":  []any{60.0, total},
		"geojson": []any{"FeatureCollection", 60.0, []any{60.125, 40.0625}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
