package node

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"

	"koprik/portal"
)

// scalePublishers sign the datasets of a measurement, as in a national portal.
const scalePublishers = 40

// TestMakeScale makes a centre of KOPRIK_SCALE_DATASETS datasets in
// KOPRIK_SCALE_DIR for `make bench-scale`: read, checked and signed as `koprik
// publish` does, one generation a publisher, and neither applied nor packed.
func TestMakeScale(t *testing.T) {
	dir, n := os.Getenv("KOPRIK_SCALE_DIR"), 0
	if dir == "" {
		t.Skip("makes a centre to be measured: make bench-scale")
	}
	if _, err := fmt.Sscan(os.Getenv("KOPRIK_SCALE_DATASETS"), &n); err != nil {
		t.Fatal(err)
	}
	makeScale(t, filepath.Join(dir, "centre"), n, Options{NoPacks: true, Version: "bench"})
}

// makeScale makes a centre in dir whose repository has n datasets of 40 publishers.
func makeScale(t *testing.T, dir string, n int, o Options) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	c, err := SetConfig(map[string]string{"role": "central", "title": "Scale", "contact": "desk@example.org"})
	must(err)
	_, err = Init(ctx, dir, InitOptions{Config: c}, o)
	must(err)
	node, err := Open(ctx, dir, o)
	must(err)
	defer node.Close()
	release, err := node.writing(ctx)
	must(err)
	defer release()
	records, next := scaleRecords(t), 0
	for p, count := range scaleShares(n) {
		id := scalePublisher(p)
		if p > 0 {
			signer, done, err := node.origin()
			must(err)
			must(signer.AddPublisher(ctx, id))
			done()
		}
		pub, done, err := node.publication(id)
		must(err)
		contact := portal.Contact{ID: "desk", Post: portal.Text{Plain: "Desk of " + string(id)}, Email: "desk@example.org"}
		pub.record.Title = portal.Text{Plain: string(id)}
		pub.record.Contacts, pub.record.Default = []portal.Contact{contact}, contact.ID
		pub.recordChanged = true
		for i := range count {
			must(pub.add(ctx, Input{Label: "d" + strconv.Itoa(i), FS: scalePackage(t, next, records[next%len(records)]), Name: "."}))
			next++
		}
		must(pub.sign(ctx))
		done()
		t.Logf("%s: %d datasets", id, count)
	}
}

func scalePublisher(p int) portal.PublisherID {
	if p == 0 {
		return "main"
	}
	return portal.PublisherID("p" + strconv.Itoa(p))
}

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
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "catalogues", "dataportals-registry", "portals.jsonl.zst"))
	if errors.Is(err, os.ErrNotExist) {
		return madeRecords()
	}
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

// scalePackage is a data package of one small table.
func scalePackage(t *testing.T, number int, r scaleRecord) fstest.MapFS {
	t.Helper()
	about, err := json.Marshal(map[string]any{
		"name": "d" + strconv.Itoa(number), "title": fmt.Sprintf("%.200s %d", strings.Join(strings.Fields(r.Name), " "), number),
		"description": fmt.Sprintf("%.2000s", r.Description), "keywords": r.Tags[:min(len(r.Tags), 20)],
		"resources": []any{map[string]any{"name": "t", "path": "t.csv"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{
		"datapackage.json": {Data: about, Mode: 0o644}, "t.csv": {Data: scaleTable(number, 1), Mode: 0o644},
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
