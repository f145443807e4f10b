package cli_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"koprik/internal/sharedtest"

	"github.com/klauspost/compress/zstd"
)

// scalePublishers sign the datasets of a measurement, as in a national portal.
const scalePublishers = 40

// scaleShares parts n datasets between the publishers: the first has the most, 9 %
// of a large n, the last 1 %.
func scaleShares(n int) []int {
	weights, sum := make([]float64, scalePublishers), 0.0
	for i := range weights {
		weights[i] = 1 / float64(i+5)
		sum += weights[i]
	}
	shares, left := make([]int, scalePublishers), n
	for i := range shares {
		shares[i] = min(left, max(1, int(float64(n)*weights[i]/sum)))
		left -= shares[i]
	}
	shares[0] += left
	return shares
}

// scaleRecord is what of a record is published.
type scaleRecord struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
}

// scaleRecords are those of ../shared/data/catalogues/dataportals-registry, and
// where that is absent as many made of words.
func scaleRecords(t *testing.T) []scaleRecord {
	t.Helper()
	const source = "data/catalogues/dataportals-registry/portals.jsonl.zst"
	if !sharedtest.Has(t, source) {
		t.Log("without ../shared/data/catalogues the records are made of words")
		return madeRecords()
	}
	f, err := os.Open(sharedtest.Path(t, source))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var records []scaleRecord
	for lines := bufio.NewReader(z); ; {
		line, err := lines.ReadBytes('\n')
		var r scaleRecord
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

func madeRecords() []scaleRecord {
	nouns := strings.Fields("aholi maktab shifoxona suv havo yoʻl energiya paxta bugʻdoy savdo turizm byudjet xarid litsenziya reyestr")
	places := strings.Fields("Toshkent Samarqand Buxoro Xorazm Navoiy Jizzax Sirdaryo Namangan Andijon Fargʻona Qashqadaryo Surxondaryo Nukus")
	records := make([]scaleRecord, 0, 10_000)
	for i := range cap(records) {
		noun, other, place := nouns[i%len(nouns)], nouns[(i/7)%len(nouns)], places[(i/3)%len(places)]
		records = append(records, scaleRecord{
			Name:        fmt.Sprintf("%s: %s va %s", place, noun, other),
			Description: strings.Repeat(fmt.Sprintf("%s boʻyicha %s va %s haqidagi maʼlumotlar. ", place, noun, other), 3),
			Tags:        []string{noun, other, place},
		})
	}
	return records
}

// scalePackage writes a data package of one small table.
func scalePackage(t *testing.T, folder, name string, number int, r scaleRecord) {
	t.Helper()
	about, err := json.Marshal(map[string]any{
		"name": name, "title": fmt.Sprintf("%.200s %d", strings.Join(strings.Fields(r.Name), " "), number),
		"description": fmt.Sprintf("%.2000s", r.Description), "keywords": r.Tags[:min(len(r.Tags), 20)],
		"resources": []any{map[string]any{"name": "t", "path": "t.csv"}},
	})
	if err == nil {
		err = os.MkdirAll(folder, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "datapackage.json"), about, 0o644)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "t.csv"), scaleTable(number, 1), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// scaleTable is a table of thirteen rows; another version has other figures.
func scaleTable(number, version int) []byte {
	b := []byte("year,region,value\n")
	for i := range 13 {
		b = fmt.Appendf(b, "%d,%d,%d\n", 2012+i, 1700+i, number*1000+i*version)
	}
	return b
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// statusOf reads a line of /proc/<pid>/status, in bytes; 0 where there is none.
func statusOf(t *testing.T, pid int, name string) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	return 0
}
