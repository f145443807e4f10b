package node_test

import (
	"archive/zip"
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"koprik/internal/node"
	"koprik/portal"
)

// wells is a dataset with a table that goes into every format.
func wells(rev int) node.Input {
	rows := fmt.Sprintf("name,people,lon,lat\nXorazm,%d,60.6,41.5\nBuxoro,30,64.4,39.7\n=1+1,40,64.5,39.8\n", 10+rev)
	return node.Input{Label: "wells", Name: ".", FS: fstest.MapFS{
		"datapackage.json": {Data: []byte(`{"name":"wells","title":"Wells","resources":[{"name":"wells","path":"wells.csv"}]}`)},
		"wells.csv":        {Data: []byte(rows)},
	}}
}

// altered is a file with one cell changed and all else as it was.
func altered(t *testing.T, format portal.ExportFormat, made []byte) []byte {
	t.Helper()
	switch format {
	case portal.ExportXLSX:
		return alteredWorkbook(t, made)
	case portal.ExportSQLite:
		path := filepath.Join(t.TempDir(), "wells.db")
		must(t, os.WriteFile(path, made, 0o600))
		db, err := sql.Open("sqlite", path)
		must(t, err)
		_, err = db.ExecContext(t.Context(), "UPDATE wells SET people = 31 WHERE people = 30")
		must(t, err)
		must(t, db.Close())
		b, err := os.ReadFile(path)
		must(t, err)
		return b
	case portal.ExportParquet:
		b := bytes.Clone(made)
		b[len(b)/4] ^= 1 // among the pages of the columns
		return b
	default:
	}
	b := bytes.Replace(made, []byte("30"), []byte("31"), 1)
	if !bytes.Contains(made, []byte("Buxoro")) || bytes.Equal(b, made) {
		t.Fatalf("%s has no 30: %s", format, made)
	}
	return b
}

// alteredWorkbook packs a workbook again, as it was packed, with one number changed.
func alteredWorkbook(t *testing.T, made []byte) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(made), int64(len(made)))
	must(t, err)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range r.File {
		part, err := f.Open()
		must(t, err)
		b, err := io.ReadAll(part)
		must(t, err)
		into, err := w.CreateHeader(&zip.FileHeader{Name: f.Name, Method: f.Method})
		must(t, err)
		_, err = into.Write(bytes.Replace(b, []byte("<v>30</v>"), []byte("<v>31</v>"), 1))
		must(t, err)
	}
	must(t, w.Close())
	return out.Bytes()
}

func TestAnExportIsProvedOnAMirrorAndOneAlteredCellIsNoticed(t *testing.T) {
	central := newCentral(t)
	publish(t, central, wells(1))
	publish(t, central, wells(2))
	mirror := newMirror(t, central)
	sync(t, mirror)
	base := serveHTTP(t, central, nil)
	for _, format := range portal.ExportFormats {
		for _, choice := range []string{"", "&lang=uz", "&release=1", "&people__ge=12&sort=people__desc&columns=name,people"} {
			address := base + "/api/v1/tables/main_wells/wells/export?format=" + string(format) + choice
			made := fetched(t, address)
			prover, want := mirror, 2
			if strings.Contains(choice, "release") { // the mirror has never held its contents
				examined(t, mirror, made, portal.Elsewhere)
				prover, want = central, 1
			}
			p := examined(t, prover, made, portal.MadeFile)
			if p.Dataset != "main_wells" || p.Release != want || p.Latest != 2 {
				t.Errorf("%s: %+v", address, p)
			}
			examined(t, prover, altered(t, format, made), portal.Altered)
		}
	}
	bare := fetched(t, base+"/api/v1/tables/main_wells/wells/export?format=csv&bare=1")
	examined(t, mirror, bare, portal.Unknown)
	// Files of another version of the rules cannot be made again: no word of altering.
	made := fetched(t, base+"/api/v1/tables/main_wells/wells/export?format=csv")
	examined(t, mirror, bytes.Replace(made, []byte("%26v%3D"), []byte("%26v%3D99"), 1), portal.Elsewhere)
}

func TestAReaderOfAnExportMayAskForMoreOnTheSameConnection(t *testing.T) {
	central := newCentral(t)
	publish(t, central, wells(1))
	base := serveHTTP(t, central, nil)
	for range 3 {
		resp, err := http.Get(base + "/api/v1/tables/main_wells/wells/export?format=csv") //nolint:noctx // a test's own server
		must(t, err)
		b, err := io.ReadAll(resp.Body)
		must(t, err)
		must(t, resp.Body.Close())
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Koprik-Release") != "1" || !bytes.Contains(b, []byte("'=1+1")) {
			t.Errorf("%d %v %s", resp.StatusCode, resp.Header, b)
		}
	}
	original := fetched(t, base+"/dataset/main_wells/release/1/wells.csv")
	if !bytes.Equal(original, wells(1).FS.(fstest.MapFS)["wells.csv"].Data) {
		t.Error("the original was touched")
	}
}
