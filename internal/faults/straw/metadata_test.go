package straw_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"koprik/embed/blob"
	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
	"koprik/sync/origin"
)

// The catalogue whose metadata is measured.
const (
	manyDatasets   = 10_000
	manyPublishers = 40
	manyChanged    = manyDatasets / 50
)

// TestBenchMetadata is a part of `make bench-sync`: the signed metadata of a large
// catalogue of which 2 % changed, as one patch, manifests not counted.
func TestBenchMetadata(t *testing.T) {
	if os.Getenv("KOPRIK_BENCH_SYNC") == "" {
		t.Skip("a benchmark: make bench-sync DATA=…")
	}
	d := disktest.New()
	objects := blob.Open(disk.Sub(d, "objects"))
	for _, dir := range []string{"repository", "keys", "objects"} {
		must(t, d.MkdirAll(dir))
	}
	repo := disk.Sub(d, "repository")
	o := origin.Open(origin.Options{
		Repository: repo, Keys: disk.Sub(d, "keys"), Contents: objects, Now: func() time.Time { return after },
	})
	_, err := o.Init(t.Context(), "p00")
	must(t, err)
	for p := 1; p < manyPublishers; p++ {
		must(t, o.AddPublisher(t.Context(), publisherOf(p)))
	}
	data := []byte("region,value\nr1,1\n")
	hash, size, err := objects.Put(bytes.NewReader(data))
	must(t, err)
	file := portal.Resource{Name: "t", Path: "t.csv", Format: "csv", Bytes: size, Hash: hash}
	latest := make([]*portal.PreviousRelease, manyDatasets)
	publish := func(step int) map[string][]byte {
		batches := make([]origin.Batch, manyPublishers)
		for i := 0; i < manyDatasets; i += step {
			p := i * manyPublishers / manyDatasets
			batches[p].Publisher = publisherOf(p)
			batches[p].Manifests = append(batches[p].Manifests, manifest(t, i, file, latest))
		}
		_, err := o.Publish(t.Context(), batches)
		must(t, err)
		return newestMetadata(t, repo)
	}
	was := publish(1)
	now := publish(manyDatasets / manyChanged)
	var old, fresh []carrier.NamedBytes
	plain := 0
	for role, b := range now {
		if !bytes.Equal(was[role], b) {
			old = append(old, carrier.NamedBytes{Path: role, Bytes: was[role]})
			fresh = append(fresh, carrier.NamedBytes{Path: role, Bytes: b})
			plain += len(b)
		}
	}
	files, err := carrier.MakeFiles(old, fresh)
	must(t, err)
	fmt.Printf("metadata of %d datasets of %d publishers, %d changed: %d files of %d bytes, as one patch %d bytes\n",
		manyDatasets, manyPublishers, manyChanged, len(fresh), plain, len(files.Patch))
	note(t, "metadata, 2 % of 10,000 changed: bytes", float64(len(files.Patch)), 14_000)
}

func publisherOf(p int) portal.PublisherID { return portal.PublisherID(fmt.Sprintf("p%02d", p)) }

// manifest makes the next release of dataset i.
func manifest(t *testing.T, i int, file portal.Resource, latest []*portal.PreviousRelease) portal.SignedManifest {
	t.Helper()
	id := portal.DatasetID(fmt.Sprintf("p%02d_table-%05d", i*manyPublishers/manyDatasets, i))
	r := portal.Release{
		Dataset: id, Number: 1, Issued: after, Title: portal.PlainText(fmt.Sprint("Table ", i)), Reason: portal.PlainText("because"),
		Passport: portal.Passport{Contact: "desk", Uploaded: "2026-11-23"}, Resources: []portal.Resource{file}, Previous: latest[i],
	}
	if latest[i] != nil {
		r.Number = latest[i].Release + 1
	}
	b, err := datapackage.Encode(r)
	must(t, err)
	latest[i] = &portal.PreviousRelease{Release: r.Number, SHA256: portal.DigestOf(b), Length: int64(len(b))}
	return portal.SignedManifest{Dataset: id, Number: r.Number, Bytes: b}
}

// newestMetadata gives the newest file of each role.
func newestMetadata(t *testing.T, repo disk.FS) map[string][]byte {
	t.Helper()
	entries, err := repo.ReadDir("metadata")
	must(t, err)
	newest, name := map[string]int{}, map[string]string{}
	for _, e := range entries {
		var version int
		role := strings.TrimSuffix(e.Name(), ".json")
		if before, rest, ok := strings.Cut(role, "."); ok {
			_, err := fmt.Sscan(before, &version)
			must(t, err)
			role = rest
		}
		if role == "timestamp" || !strings.HasSuffix(e.Name(), ".json") {
			continue // it is the pack's head
		}
		if version >= newest[role] {
			newest[role], name[role] = version, e.Name()
		}
	}
	all := map[string][]byte{}
	for role, file := range name {
		b, err := disk.ReadFile(repo, "metadata/"+file, 64<<20)
		must(t, err)
		all["metadata/"+role+".json"] = b
	}
	return all
}

// note writes a target for the table that `make bench-sync` ends with.
func note(t *testing.T, what string, got, atMost float64) {
	t.Helper()
	name := os.Getenv("KOPRIK_TARGETS")
	if name == "" {
		return
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(t, err)
	defer f.Close()
	fmt.Fprintf(f, "%g %g %s\n", got, atMost, what)
}
