// Package origintest is a centre on a disk in memory, for the tests of those who
// write, derive from or follow a repository.
package origintest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/origin"
	"koprik/sync/tuf"
)

// Day is when these tests take place.
var Day = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// Must ends the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Centre publishes on a disk in memory: repository/ and keys/.
type Centre struct {
	testing.TB
	Disk *disktest.Disk
	Held *Contents
	Now  time.Time
	Root []byte // 1.root.json
}

// New makes a centre with the publisher main.
func New(t testing.TB) *Centre {
	t.Helper()
	c := &Centre{TB: t, Disk: disktest.New(), Held: &Contents{}, Now: Day}
	Must(t, c.Disk.MkdirAll("repository"))
	Must(t, c.Disk.MkdirAll("keys"))
	var err error
	c.Root, err = c.Origin().Init(t.Context(), "main")
	Must(t, err)
	return c
}

// Origin is the repository's writer, with keys that somebody brought.
func (c *Centre) Origin(brought ...tuf.PrivateKey) *origin.Origin {
	return origin.Open(origin.Options{
		Repository: c.Repository(), Keys: disk.Sub(c.Disk, "keys"), Contents: c.Held, Brought: brought,
		Now: func() time.Time { return c.Now },
	})
}

// Repository is what mirrors follow.
func (c *Centre) Repository() disk.FS { return disk.Sub(c.Disk, "repository") }

// Publish makes the next release of datasets of one publisher, each with one table;
// nil withdraws. It gives the generation.
func (c *Centre) Publish(p portal.PublisherID, datasets map[string][]byte) int64 {
	c.Helper()
	o := c.Origin()
	listing, err := o.Listing(p)
	Must(c, err)
	batch := origin.Batch{Publisher: p}
	for _, name := range slices.Sorted(maps.Keys(datasets)) {
		id, err := portal.NewDatasetID(p, name)
		Must(c, err)
		batch.Manifests = append(batch.Manifests, c.release(id, listing.Datasets[id], datasets[name]))
	}
	generation, err := o.Publish(c.Context(), []origin.Batch{batch})
	Must(c, err)
	return generation
}

func (c *Centre) release(id portal.DatasetID, last origin.Listed, data []byte) portal.SignedManifest {
	c.Helper()
	r := portal.Release{
		Dataset: id, Number: last.Number + 1, Issued: c.Now, Title: portal.PlainText("Table " + string(id)), Reason: portal.PlainText("because"),
		Passport: portal.Passport{Contact: "desk", Uploaded: "2026-11-23"},
	}
	if last.Number > 0 {
		r.Previous = &portal.PreviousRelease{Release: last.Number, SHA256: last.SHA256, Length: last.Length}
	}
	if data == nil {
		r.Withdrawn = &portal.Withdrawal{Reason: portal.PlainText("names of persons")}
	} else {
		r.Resources = []portal.Resource{{Name: "t", Path: "t.csv", Format: "csv", Bytes: int64(len(data)), Hash: c.Held.Put(data)}}
	}
	b, err := datapackage.Encode(r)
	Must(c, err)
	return portal.SignedManifest{Dataset: id, Number: r.Number, Bytes: b}
}

// File reads a file of the repository.
func (c *Centre) File(name string) []byte {
	c.Helper()
	b, err := disk.ReadFile(c.Repository(), name, 64<<20)
	Must(c, err)
	return b
}

// Rows is a table of n rows of which every changed-th differs between revisions.
func Rows(n, rev, changed int) []byte {
	var b strings.Builder
	for i := range n {
		v := i * 7919 % 10007
		if i%changed == 0 {
			v += rev
		}
		fmt.Fprintf(&b, "region %d,%d,%d,%x\n", i%14, 2000+i%25, v, uint64(i)*2654435761)
	}
	return []byte(b.String())
}
