package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"koprik/internal/sharedtest"
	"koprik/portal"
)

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
	records, next := sharedtest.Records(t), 0
	for p, count := range sharedtest.Shares(n) {
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
			must(pub.add(ctx, Input{Label: "d" + strconv.Itoa(i), FS: records[next%len(records)].Package(t, "d"+strconv.Itoa(next), next), Name: "."}))
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
