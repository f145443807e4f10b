package sharedtest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"
)

// Publishers sign the datasets of a measurement, as in a national portal.
const Publishers = 40

// Shares parts n datasets between the publishers: the first has the most, 9 % of a
// large n, the last 1 %.
func Shares(n int) []int {
	weights, sum := make([]float64, Publishers), 0.0
	for i := range weights {
		weights[i] = 1 / float64(i+5)
		sum += weights[i]
	}
	shares, left := make([]int, Publishers), n
	for i := range shares {
		shares[i] = min(left, max(1, int(float64(n)*weights[i]/sum)))
		left -= shares[i]
	}
	shares[0] += left
	return shares
}

// Record is what of a portal's record is published where many datasets are measured.
type Record struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
}

// Records are those of ../shared/data/catalogues/dataportals-registry, and where
// that is absent as many made of words.
func Records(t testing.TB) []Record {
	t.Helper()
	const source = "data/catalogues/dataportals-registry/portals.jsonl.zst"
	if !Has(t, source) {
		t.Log("without ../shared/data/catalogues the records are made of words")
		return madeRecords()
	}
	f, err := os.Open(Path(t, source))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var records []Record
	for lines := bufio.NewReader(z); ; {
		line, err := lines.ReadBytes('\n')
		var r Record
		if json.Unmarshal(line, &r) == nil && r.Name != "" {
			records = append(records, r)
		}
		if errors.Is(err, io.EOF) {
			return records
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func madeRecords() []Record {
	nouns := strings.Fields("aholi maktab shifoxona suv havo yoʻl energiya paxta bugʻdoy savdo turizm byudjet xarid litsenziya reyestr")
	places := strings.Fields("Toshkent Samarqand Buxoro Xorazm Navoiy Jizzax Sirdaryo Namangan Andijon Fargʻona Qashqadaryo Surxondaryo Nukus")
	records := make([]Record, 0, 10_000)
	for i := range cap(records) {
		noun, other, place := nouns[i%len(nouns)], nouns[(i/7)%len(nouns)], places[(i/3)%len(places)]
		records = append(records, Record{
			Name:        fmt.Sprintf("%s: %s va %s", place, noun, other),
			Description: strings.Repeat(fmt.Sprintf("%s boʻyicha %s va %s haqidagi maʼlumotlar. ", place, noun, other), 3),
			Tags:        []string{noun, other, place},
		})
	}
	return records
}

// Package is a data package of one small table, t.csv.
func (r Record) Package(t testing.TB, name string, number int) fstest.MapFS {
	t.Helper()
	about, err := json.Marshal(map[string]any{
		"name": name, "title": fmt.Sprintf("%.200s %d", strings.Join(strings.Fields(r.Name), " "), number),
		"description": fmt.Sprintf("%.2000s", r.Description), "keywords": r.Tags[:min(len(r.Tags), 20)],
		"resources": []any{map[string]any{"name": "t", "path": "t.csv"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{
		"datapackage.json": {Data: about, Mode: 0o644}, "t.csv": {Data: Table(number, 1), Mode: 0o644},
	}
}

// Write puts Package into a folder, over what is there.
func (r Record) Write(t testing.TB, folder, name string, number int) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, content := range r.Package(t, name, number) {
		if err := os.WriteFile(filepath.Join(folder, file), content.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Table is a table of thirteen rows; another version has other figures.
func Table(number, version int) []byte {
	b := []byte("year,region,value\n")
	for i := range 13 {
		b = fmt.Appendf(b, "%d,%d,%d\n", 2012+i, 1700+i, number*1000+i*version)
	}
	return b
}
