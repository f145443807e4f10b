package straw_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"koprik/embed/blob"
	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/mirror"
)

// The crowd of spec/sync.md: mirrors that stand at different old snapshots.
const (
	crowd     = 1000
	snapshots = 40
	tables    = 60 // of which a few change with each snapshot
)

// follower is a mirror in memory: everything of one but its catalogue.
type follower struct {
	disk       *disktest.Disk
	objects    *blob.Store
	generation int64
	shows      map[portal.DatasetID]portal.Digest // manifests
}

func newFollower(t *testing.T, root []byte) *follower {
	t.Helper()
	f := &follower{disk: disktest.New(), shows: map[portal.DatasetID]portal.Digest{}}
	for _, dir := range []string{"trust", "staging", "relay", "objects"} {
		must(t, f.disk.MkdirAll(dir))
	}
	f.objects = blob.Open(disk.Sub(f.disk, "objects"))
	must(t, mirror.Bootstrap(disk.Sub(f.disk, "trust"), root))
	return f
}

// round follows a source.
func (f *follower) round(ctx context.Context, source mirror.Source) (mirror.Report, error) {
	m := mirror.Open(mirror.Options{
		Trust: disk.Sub(f.disk, "trust"), Staging: disk.Sub(f.disk, "staging"), Contents: f.objects, Now: time.Now,
	})
	return m.Round(ctx, source, mirror.RoundOptions{Have: f.generation, Apply: f.apply})
}

// apply remembers what is shown, all of it verified again.
func (f *follower) apply(ctx context.Context, c portal.Change) error {
	if c.Full {
		clear(f.shows)
	}
	for u, err := range c.Upserts {
		if err != nil {
			return err
		}
		last := u.Manifests[len(u.Manifests)-1]
		r, err := datapackage.Decode(last.Bytes)
		if err != nil {
			return err
		}
		for _, res := range r.Resources {
			if err := f.objects.Verify(ctx, res.Hash); err != nil {
				return err
			}
		}
		f.shows[u.Dataset] = portal.DigestOf(last.Bytes)
	}
	for _, id := range c.Removed {
		delete(f.shows, id)
	}
	f.generation = c.Generation
	return nil
}

// clone gives another mirror at the same snapshot.
func (f *follower) clone(t *testing.T) *follower {
	t.Helper()
	c := &follower{disk: disktest.New(), generation: f.generation, shows: map[portal.DatasetID]portal.Digest{}}
	for id, d := range f.shows {
		c.shows[id] = d
	}
	copyFolder(t, f.disk, c.disk, ".")
	c.objects = blob.Open(disk.Sub(c.disk, "objects"))
	return c
}

func copyFolder(t *testing.T, from, to disk.FS, dir string) {
	t.Helper()
	must(t, to.MkdirAll(dir))
	entries, err := from.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		name := strings.TrimPrefix(dir+"/"+e.Name(), "./")
		if e.IsDir() {
			copyFolder(t, from, to, name)
			continue
		}
		b, err := disk.ReadFile(from, name, 64<<20)
		must(t, err)
		must(t, disk.WriteFile(to, name, b))
	}
}

// TestBenchMirrors is `make bench-mirrors`: nginx alone serves the folder that a
// centre has published, to 1,000 mirrors that stand at 40 different snapshots.
func TestBenchMirrors(t *testing.T) {
	program := os.Getenv("KOPRIK_BENCH_SYNC")
	if program == "" {
		t.Skip("KOPRIK_BENCH_SYNC names no program: make bench-mirrors")
	}
	if _, err := findNginx(); err != nil {
		t.Skip("nginx is not installed: nothing but our own server could serve the folder")
	}
	dir, standing := longHistory(t, program)
	site := serveByNginx(t, dir, "")
	began := time.Now()
	rounds := everyone(t, site, standing)
	took := time.Since(began)
	report := site.answered(t)
	fmt.Printf("%d mirrors at %d snapshots, nginx serves a folder of %d files and %d bytes: %v\n", crowd, len(standing), countFiles(t, dir), folderSize(t, dir), took.Round(time.Millisecond))
	fmt.Printf("%d requests, %d bytes up, %d bytes down, %d answers of 500 and above\n", report.requests, report.up, report.down, report.errors)
	fmt.Printf("%-28s %8s %10s %10s %8s\n", "snapshots behind", "mirrors", "requests", "bytes", "waits")
	for _, group := range [][2]int{{0, 0}, {1, 1}, {2, 4}, {5, 9}, {10, 19}, {20, 31}, {32, 99}} {
		var n, requests, down, trips int64
		for _, r := range rounds {
			if behind := int(r.Generation - r.Previous); behind >= group[0] && behind <= group[1] {
				n, requests, down, trips = n+1, requests+int64(r.Requests), down+r.BytesDown, trips+int64(r.RoundTrips)
			}
		}
		if n > 0 {
			fmt.Printf("%-28s %8d %10.1f %10d %8.1f\n", fmt.Sprintf("%d to %d", group[0], group[1]), n, float64(requests)/float64(n), down/n, float64(trips)/float64(n))
		}
	}
	if report.errors > 0 {
		t.Errorf("%d requests were not answered", report.errors)
	}
}

// everyone lets each of the crowd make a round, some of them side by side.
func everyone(t *testing.T, site *nginx, standing []*follower) []mirror.Report {
	t.Helper()
	rounds := make([]mirror.Report, crowd)
	last := standing[len(standing)-1]
	queue := make(chan int)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range queue {
				client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4, DisableCompression: true}}
				source, err := mirror.HTTP("http://"+site.addr+"/repository", client)
				f := standing[i%len(standing)].clone(t)
				if err == nil {
					rounds[i], err = f.round(context.Background(), source)
				}
				client.CloseIdleConnections()
				if err != nil || f.generation != last.generation || !sameShown(f, last) {
					t.Errorf("mirror %d of generation %d ends with %d: %v", i, standing[i%len(standing)].generation, f.generation, err)
				}
			}
		})
	}
	for i := range crowd {
		queue <- i
	}
	close(queue)
	all.Wait()
	return rounds
}

func sameShown(a, b *follower) bool {
	if len(a.shows) != len(b.shows) {
		return false
	}
	for id, d := range a.shows {
		if b.shows[id] != d {
			return false
		}
	}
	return true
}

// longHistory lets a centre publish, process by process, and gives the folder
// that holds its repository and one mirror standing at each of the last snapshots.
func longHistory(t *testing.T, program string) (dir string, standing []*follower) {
	t.Helper()
	c := newCentre(t, program)
	list := make([]entry, tables)
	for i := range list {
		list[i] = entry{name: fmt.Sprintf("table-%02d", i), ext: ".csv", fresh: steady(i)}
	}
	var generation int64
	publish := func(some []entry) {
		generation, _ = c.publish(t, some, func(e entry) []byte { return e.fresh })
	}
	began := time.Now()
	publish(list)
	c.serve(t) // it makes the carriers while more is published
	root, err := os.ReadFile(filepath.Join(c.dir, "repository", "metadata", "1.root.json"))
	must(t, err)
	f := newFollower(t, root)
	d := rand.New(rand.NewPCG(1000, 40)) //nolint:gosec // repeatable
	folder, err := disk.OpenRoot(filepath.Join(c.dir, "repository"))
	must(t, err)
	t.Cleanup(func() { _ = folder.Close() })
	for n := range snapshots {
		if n > 0 {
			var some []entry
			for _, i := range slices.Sorted(slices.Values(d.Perm(tables)[:1+d.IntN(4)])) {
				lines := bytes.SplitAfter(list[i].fresh, []byte("\n"))
				lines[1+d.IntN(len(lines)-2)] = fmt.Appendf(nil, "1799999,Region Z,2026,%d.0,0.5\n", d.IntN(100_000))
				list[i].fresh = bytes.Join(lines, nil)
				some = append(some, list[i])
			}
			publish(some)
		}
		_, err := f.round(t.Context(), mirror.Folder(folder, "repository"))
		must(t, err)
		standing = append(standing, f.clone(t))
	}
	took := time.Since(began)
	fmt.Printf("%d snapshots of %d tables are published in %v, all carriers are made %v later\n", snapshots, tables,
		took.Round(time.Millisecond), c.settled(t, generation).Round(time.Millisecond))
	return c.dir, standing
}

func countFiles(t *testing.T, dir string) (n int) {
	t.Helper()
	out, err := command("find", filepath.Join(dir, "repository"), "-type", "f").Output()
	must(t, err)
	return bytes.Count(out, []byte("\n"))
}

func folderSize(t *testing.T, dir string) (n int64) {
	t.Helper()
	out, err := command("du", "-sb", filepath.Join(dir, "repository")).Output()
	must(t, err)
	_, err = fmt.Sscan(string(out), &n)
	must(t, err)
	return n
}
