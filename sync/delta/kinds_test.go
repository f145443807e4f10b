package delta_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"koprik/internal/sharedtest"
	"koprik/sync/delta"
)

// kinds are files of kinds that no codec was tuned on: each makes one from rows.
var kinds = map[string]func(d dice, rows [][]string) []byte{
	"xml":            asXML,
	"json":           func(_ dice, rows [][]string) []byte { b, _ := json.MarshalIndent(rows, "", "  "); return b },
	"json lines":     asLines,
	"geojson":        asPlaces,
	"sql dump":       asSQL,
	"html":           asHTML,
	"fixed width":    asColumns,
	"utf-16 table":   asUTF16,
	"log":            asLog,
	"workbook":       asWorkbook,
	"gzip":           asGzip,
	"doubles":        asDoubles,
	"database pages": asPages,
	"noise":          func(d dice, rows [][]string) []byte { return d.noise(len(rows) * 40) },
	"no newline": func(_ dice, rows [][]string) []byte {
		return bytes.ReplaceAll(asLines(dice{}, rows), []byte("\n"), nil)
	},
}

func asXML(_ dice, rows [][]string) []byte {
	var b bytes.Buffer
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rows>\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "  <row id=\"%s\"><region>%s</region><year>%s</year><value unit=\"ming\">%s</value></row>\n", r[0], r[1], r[2], r[3])
	}
	b.WriteString("</rows>\n")
	return b.Bytes()
}

func asLines(_ dice, rows [][]string) []byte {
	var b bytes.Buffer
	for _, r := range rows {
		fmt.Fprintf(&b, "{\"id\":%q,\"region\":%q,\"year\":%s,\"value\":%s}\n", r[0], r[1], r[2], r[3])
	}
	return b.Bytes()
}

func asPlaces(_ dice, rows [][]string) []byte {
	var b bytes.Buffer
	b.WriteString(`{"type":"FeatureCollection","features":[`)
	for i, r := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"Feature","properties":{"name":%q},"geometry":{"type":"Point","coordinates":[6%s,4%s]}}`, r[1], r[3], r[3])
	}
	b.WriteString("]}")
	return b.Bytes()
}

func asSQL(_ dice, rows [][]string) []byte {
	var b bytes.Buffer
	for _, r := range rows {
		fmt.Fprintf(&b, "INSERT INTO t VALUES (%s,'%s',%s,%s,NULL);\n", r[0], r[1], r[2], r[3])
	}
	return b.Bytes()
}

func asHTML(_ dice, rows [][]string) []byte {
	var b bytes.Buffer
	b.WriteString("<!doctype html>\n<table class=\"data\">\n")
	for i, r := range rows {
		fmt.Fprintf(&b, "<tr class=\"%s\"><td>%s</td><td>%s</td></tr>\n", []string{"odd", "even"}[i%2], strings.Join(r[:2], "</td><td>"), strings.Join(r[2:], "</td><td>"))
	}
	b.WriteString("</table>\n")
	return b.Bytes()
}

func asColumns(_ dice, rows [][]string) []byte {
	var b bytes.Buffer
	for _, r := range rows {
		fmt.Fprintf(&b, "%-10s%-20s%4s%14s\r\n", r[0], r[1], r[2], r[3])
	}
	return b.Bytes()
}

func asUTF16(_ dice, rows [][]string) []byte {
	out := []byte{0xff, 0xfe}
	for _, r := range rows {
		for _, u := range utf16.Encode([]rune(strings.Join(r, "\t") + "\r\n")) {
			out = binary.LittleEndian.AppendUint16(out, u)
		}
	}
	return out
}

func asLog(_ dice, rows [][]string) []byte {
	var b bytes.Buffer
	for i, r := range rows {
		fmt.Fprintf(&b, "%s-11-23T09:%02d:%02dZ INFO node=%s took=%sms\n", r[2], i/60%60, i%60, r[1], r[3])
	}
	return b.Bytes()
}

// asWorkbook is a zip whose members are compressed, as office programs write them.
func asWorkbook(d dice, rows [][]string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range map[int][]byte{0: []byte(`<Types/>`), 1: asXML(d, rows)} {
		f, err := w.Create([]string{"[Content_Types].xml", "xl/worksheets/sheet1.xml"}[name])
		if err == nil {
			_, _ = f.Write(content)
		}
	}
	_ = w.Close()
	return b.Bytes()
}

func asGzip(d dice, rows [][]string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(asSQL(d, rows))
	_ = w.Close()
	return b.Bytes()
}

// asDoubles is a column of numbers as shapefiles and Parquet hold them.
func asDoubles(_ dice, rows [][]string) []byte {
	var out []byte
	for i, r := range rows {
		var v float64
		_, _ = fmt.Sscan(r[3], &v)
		out = binary.LittleEndian.AppendUint32(out, uint32(i))
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
		out = binary.BigEndian.AppendUint64(out, math.Float64bits(v/3))
	}
	return out
}

// asPages puts rows from the ends of pages of 4,096 bytes, as databases do.
func asPages(_ dice, rows [][]string) []byte {
	var out []byte
	page, at, n := make([]byte, 4096), 4096, 0
	for _, r := range rows {
		cell := []byte(strings.Join(r, "\x00"))
		if at-len(cell) < 16+2*n {
			out = append(out, page...)
			page, at, n = make([]byte, 4096), 4096, 0
		}
		at -= len(cell)
		copy(page[at:], cell)
		binary.BigEndian.PutUint16(page[8+2*n:], uint16(at))
		n++
	}
	return append(out, page...)
}

func (d dice) noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(d.IntN(256))
	}
	return b
}

func (d dice) rows(n int) [][]string {
	rows := make([][]string, n)
	for i := range rows {
		rows[i] = []string{fmt.Sprint(1000 + 3*i), "Hudud " + string(rune('A'+d.IntN(14))), fmt.Sprint(2000 + d.IntN(26)), fmt.Sprintf("%d.%d", d.IntN(90000), d.IntN(10))}
	}
	return rows
}

// revised gives rows as the next version of a table has them: some figures
// differ, some rows go, some come.
func (d dice) revised(rows [][]string) [][]string {
	var out [][]string
	for _, r := range rows {
		switch d.IntN(30) {
		case 0:
			continue
		case 1, 2:
			r = []string{r[0], r[1], r[2], fmt.Sprintf("%d.%d", d.IntN(90000), d.IntN(10))}
		}
		out = append(out, r)
	}
	return append(out, d.rows(1+d.IntN(10))...)
}

// holds tells whether the patch from old to fresh verifies and is not above the
// best whole codec and 64 bytes; with what it cost.
func holds(t *testing.T, name string, old, fresh []byte) (bytesOf int) {
	t.Helper()
	best := encode(t, old, fresh)
	got, err := apply(best.Patch, old, delta.ContentOf(fresh))
	if err != nil || !bytes.Equal(got, fresh) {
		t.Fatalf("%s: %s gave %d of %d bytes: %v", name, best.Codec, len(got), len(fresh), err)
	}
	whole := encode(t, nil, fresh, delta.Stored, delta.Zstd, delta.Brotli)
	if len(best.Patch) > len(whole.Patch)+64 {
		t.Errorf("%s: %s of %d bytes, %s takes %d", name, best.Codec, len(best.Patch), whole.Codec, len(whole.Patch))
	}
	return len(best.Patch)
}

// TestKindsThatNoCodecWasTunedOn: every patch verifies and none is larger than
// the best whole codec and 64 bytes, for a next version, for one that a hand
// edited, and for one that has nothing to do with the one before.
func TestKindsThatNoCodecWasTunedOn(t *testing.T) {
	rows, rounds := 250, uint64(2)
	if testing.Short() {
		rows, rounds = 40, 1
	}
	if os.Getenv("KOPRIK_SOAK") != "" {
		rows, rounds = 4000, 20
	}
	t.Logf("seeds 0 to %d", rounds-1)
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			for seed := range rounds {
				d := seeded(seed)
				was := d.rows(rows/2 + d.IntN(rows))
				old := kind(d, was)
				holds(t, "next version", old, kind(d, d.revised(was)))
				holds(t, "edited", old, d.edit(d.edit(old)))
				holds(t, "unlike", asSQL(d, d.rows(rows)), old)
			}
		})
	}
}

// sharedKinds are folders of real files beside the repository, in which nothing
// was measured while the codecs were made.
var sharedKinds = []string{"spreadsheets", "encodings", "uz-geo", "catalogues", "messy-csv", "datapackages", "json", "strings", "locale"}

// TestRealFilesOfOtherKinds is the same on real files: an edited version of each,
// and the next file of its folder as if it were the next version.
func TestRealFilesOfOtherKinds(t *testing.T) {
	dir := sharedtest.Path(t, "data")
	limit, every := int64(90_000), 20 // bytes of a file; one file of so many
	if testing.Short() {
		limit, every = 20_000, 240
	}
	if os.Getenv("KOPRIK_SOAK") != "" {
		limit, every = 4_000_000, 1
	}
	for _, folder := range sharedKinds {
		t.Run(folder, func(t *testing.T) {
			var before []byte
			files, patched, n := 0, 0, 0
			err := filepath.WalkDir(filepath.Join(dir, folder), func(path string, e fs.DirEntry, err error) error {
				if err != nil || e.IsDir() {
					return err
				}
				info, err := e.Info()
				if err != nil || info.Size() > limit || info.Size() == 0 {
					return err
				}
				if n++; n%every != 1 && every > 1 {
					return nil
				}
				b, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				d := seeded(uint64(n))
				patched += holds(t, path+", edited", b, d.edit(d.edit(b)))
				holds(t, path+", after another", before, b)
				before, files = b, files+1
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d files of at most %d bytes, patches of edited versions: %d bytes", files, limit, patched)
		})
	}
}
