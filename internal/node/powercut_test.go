package node_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"koprik/embed/blob"
	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/internal/faults"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/mirror"
	"koprik/sync/origin"
	"koprik/sync/packer"
)

// machine is a whole node's files on a disk whose power can be cut. Its writes
// become durable each by itself, or together as those of a node do.
type machine struct {
	disk    *disktest.Disk
	files   disk.FS
	objects *blob.Store
	many    int // datasets in a publication
}

// ways are how a machine writes.
var ways = map[string]func(*disktest.Disk) machine{
	"each by itself": newMachine,
	"together":       func(d *disktest.Disk) machine { return grouped(d, 1) },
	"many together":  func(d *disktest.Disk) machine { d.BulkSyncs(); return grouped(d, 17) },
}

func newMachine(d *disktest.Disk) machine {
	return machine{disk: d, files: d, objects: blob.Open(disk.Sub(d, "objects")), many: 1}
}

func grouped(d *disktest.Disk, many int) machine {
	g := disk.NewGroup(d)
	return machine{disk: d, files: g, objects: blob.Open(disk.Sub(g, "objects")), many: many}
}

func now() time.Time { return day }

func (m machine) origin() *origin.Origin {
	return origin.Open(origin.Options{
		Repository: disk.Sub(m.files, "repository"), Keys: disk.Sub(m.disk, "keys"), Contents: m.objects, Now: now,
	})
}

func (m machine) mirror() *mirror.Mirror {
	return mirror.Open(mirror.Options{
		Trust: disk.Sub(m.disk, "trust"), Staging: disk.Sub(m.disk, "staging"), Relay: disk.Sub(m.files, "relay"),
		Contents: m.objects, Flush: func() error { return disk.Flush(m.files) }, Now: now,
	})
}

// init makes a mirror's folders and its anchor of trust.
func (m machine) init(t *testing.T, root []byte) {
	t.Helper()
	for _, dir := range []string{"trust", "staging", "relay", "objects"} {
		must(t, m.disk.MkdirAll(dir))
	}
	must(t, mirror.Bootstrap(disk.Sub(m.disk, "trust"), root))
}

// publish makes release n of every dataset, following the release before it as
// the repository lists it. What is listed already is left as it is.
func (m machine) publish(ctx context.Context, number int) error {
	o := m.origin()
	listing, err := o.Listing("main")
	if err != nil {
		return err
	}
	batch := origin.Batch{Publisher: "main"}
	for i := range m.many {
		id := portal.DatasetID(fmt.Sprint("main_water-", i))
		if listing.Datasets[id].Number >= number {
			continue
		}
		b, err := m.release(id, number, listing.Datasets[id])
		if err != nil {
			return err
		}
		batch.Manifests = append(batch.Manifests, portal.SignedManifest{Dataset: id, Number: number, Bytes: b})
	}
	if len(batch.Manifests) == 0 {
		return nil
	}
	_, err = o.Publish(ctx, []origin.Batch{batch})
	return err
}

// release keeps the contents of a release and gives its manifest.
func (m machine) release(id portal.DatasetID, number int, held origin.Listed) ([]byte, error) {
	return m.releaseOf(id, number, held, fmt.Appendf(nil, "region,value\n%s,%d\n", id, number))
}

// releaseOf is release with contents of the caller.
func (m machine) releaseOf(id portal.DatasetID, number int, held origin.Listed, data []byte) ([]byte, error) {
	hash, size, err := m.objects.Put(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	r := portal.Release{
		Dataset: id, Number: number, Issued: day, Title: portal.PlainText("Water"), Reason: portal.PlainText("because"),
		Passport:  portal.Passport{Contact: "desk", Uploaded: "2026-11-23"},
		Resources: []portal.Resource{{Name: "t", Path: "t.csv", Format: "csv", Bytes: size, Hash: hash}},
	}
	if number > 1 {
		r.Previous = &portal.PreviousRelease{Release: held.Number, SHA256: held.SHA256, Length: held.Length}
	}
	return datapackage.Encode(r)
}

// shown is what a mirror starting from nothing sees in a repository: the number
// of every dataset's release. Whatever does not verify ends the test.
func shown(t *testing.T, repo disk.FS, root []byte) int {
	t.Helper()
	fresh := newMachine(disktest.New())
	fresh.init(t, root)
	number := 0
	_, err := fresh.mirror().Round(t.Context(), mirror.Folder(repo, "repository"), mirror.RoundOptions{
		Apply: func(_ context.Context, c portal.Change) error {
			for u, err := range c.Upserts {
				must(t, err)
				if number > 0 && number != len(u.Manifests) {
					t.Errorf("%s is of another publication than those before it", u.Dataset)
				}
				number = len(u.Manifests)
			}
			return nil
		},
	})
	must(t, err)
	return number
}

// cuts runs do on copies of a disk, with the power cut at every operation in
// turn (of a long task at some sixty, thirty with -short, with KOPRIK_SOAK at every one), and gives
// what is left to check.
func cuts(t *testing.T, begin func() *disktest.Disk, do func(*disktest.Disk) error, check func(t *testing.T, d *disktest.Disk)) {
	t.Helper()
	d := begin()
	before := d.Ops()
	must(t, do(d))
	operations := d.Ops() - before
	if operations < 10 {
		t.Fatalf("only %d operations: nothing to cut", operations)
	}
	seeds := 3
	if testing.Short() {
		seeds = 1
	}
	step := 1
	if os.Getenv("KOPRIK_SOAK") == "" {
		most := 60
		if testing.Short() {
			most = 30
		}
		step, seeds = max(1, operations/most), max(1, seeds*most/max(most, operations))
	}
	for n := 1; n <= operations; n += step {
		for seed := range seeds {
			d := begin()
			d.FailAt(d.Ops() + n)
			if err := do(d); !errors.Is(err, disktest.ErrPowerCut) {
				t.Fatalf("operation %d of %d: %v, want a power cut", n, operations, err)
			}
			check(t, d.Reboot(rand.New(rand.NewPCG(uint64(n), uint64(seed))))) //nolint:gosec // repeatable
			if t.Failed() {
				t.Fatalf("power cut at operation %d of %d, seed %d", n, operations, seed)
			}
		}
	}
	t.Logf("%d operations, %d reboots at every %d", operations, seeds, step)
}

// TestPowerCutWhilePublishingLeavesOneWholeGeneration: whatever write it falls
// on, mirrors see the release before or the new one, and the next run gets there.
func TestPowerCutWhilePublishingLeavesOneWholeGeneration(t *testing.T) {
	for name, on := range ways {
		t.Run(name, func(t *testing.T) { cutWhilePublishing(t, on) })
	}
}

func cutWhilePublishing(t *testing.T, on func(*disktest.Disk) machine) {
	var root []byte
	begin := func() *disktest.Disk {
		m := on(disktest.New())
		for _, dir := range []string{"repository", "keys", "objects"} {
			must(t, m.disk.MkdirAll(dir))
		}
		var err error
		root, err = m.origin().Init(t.Context(), "main")
		must(t, err)
		must(t, m.publish(t.Context(), 1))
		return m.disk
	}
	cuts(t, begin,
		func(d *disktest.Disk) error { return on(d).publish(t.Context(), 2) },
		func(t *testing.T, d *disktest.Disk) {
			repo := disk.Sub(d, "repository")
			if got := shown(t, repo, root); got != 1 && got != 2 {
				t.Errorf("release %d is shown", got)
			}
			must(t, on(d).publish(t.Context(), 2))
			if got := shown(t, repo, root); got != 2 {
				t.Errorf("after another run release %d is shown", got)
			}
		})
}

// TestPowerCutWhileMakingARepositoryIsFinishedByTheNextRun: keys that signed
// anything are never lost or replaced.
func TestPowerCutWhileMakingARepositoryIsFinishedByTheNextRun(t *testing.T) {
	begin := func() *disktest.Disk {
		d := disktest.New()
		for _, dir := range []string{"repository", "keys", "objects"} {
			must(t, d.MkdirAll(dir))
		}
		return d
	}
	cuts(t, begin,
		func(d *disktest.Disk) error {
			_, err := newMachine(d).origin().Init(t.Context(), "main")
			return err
		},
		func(t *testing.T, d *disktest.Disk) {
			root, err := newMachine(d).origin().Init(t.Context(), "main")
			must(t, err)
			must(t, newMachine(d).publish(t.Context(), 1))
			if got := shown(t, disk.Sub(d, "repository"), root); got != 1 {
				t.Errorf("release %d is shown", got)
			}
		})
}

// TestPowerCutWhileSyncingLeavesAnAcceptedCopy: what a mirror has accepted
// always loads, what it relays always verifies, and the next round gets there.
func TestPowerCutWhileSyncingLeavesAnAcceptedCopy(t *testing.T) {
	for name, on := range ways {
		t.Run(name, func(t *testing.T) { cutWhileSyncing(t, on, inFolder) })
	}
}

// TestPowerCutWhileApplyingAPackLeavesAnAcceptedCopy is the same over HTTP, where
// a round is one pack.
func TestPowerCutWhileApplyingAPackLeavesAnAcceptedCopy(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector: runs without -short")
	}
	makePacks(t)
	for name, on := range ways {
		t.Run(name, func(t *testing.T) { cutWhileSyncing(t, on, withPacks) })
	}
}

// inFolder gives a centre's repository as a folder.
func inFolder(_ *testing.T, centre machine) mirror.Source {
	return mirror.Folder(disk.Sub(centre.disk, "repository"), "repository")
}

// withPacks gives a centre's repository, as it is now, over HTTP.
func withPacks(t *testing.T, centre machine) mirror.Source {
	must(t, packer.Open(packer.Options{Repository: disk.Sub(centre.disk, "repository"), Contents: centre.objects, Effort: -1}).Pack(t.Context()))
	tree := fstest.MapFS{}
	for name, b := range centre.disk.Tree() {
		if file, ok := strings.CutPrefix(name, "repository/"); ok && !strings.HasSuffix(name, "/") {
			tree[file] = &fstest.MapFile{Data: []byte(b)}
		}
	}
	server := httptest.NewServer(httpPrefix("/repository/", faults.NewOrigin(tree)))
	t.Cleanup(server.Close)
	source, err := mirror.HTTP(server.URL, server.Client())
	must(t, err)
	return source
}

func cutWhileSyncing(t *testing.T, on func(*disktest.Disk) machine, serve func(*testing.T, machine) mirror.Source) {
	centre := on(disktest.New())
	for _, dir := range []string{"repository", "keys", "objects"} {
		must(t, centre.disk.MkdirAll(dir))
	}
	root, err := centre.origin().Init(t.Context(), "main")
	must(t, err)
	must(t, centre.publish(t.Context(), 1))
	source := serve(t, centre)
	round := func(d *disktest.Disk) error {
		m := on(d).mirror()
		have, err := m.State()
		if err != nil {
			return err
		}
		_, err = m.Round(t.Context(), source, mirror.RoundOptions{
			Have: have.Generation, Apply: func(context.Context, portal.Change) error { return nil },
		})
		return err
	}
	begun := disktest.New()
	on(begun).init(t, root)
	must(t, round(begun))
	must(t, centre.publish(t.Context(), 2))
	source = serve(t, centre)
	begin := func() *disktest.Disk { return begun.Reboot(rand.New(rand.NewPCG(1, 1))) } //nolint:gosec // everything is synced
	cuts(t, begin, round, func(t *testing.T, d *disktest.Disk) {
		if got := shown(t, disk.Sub(d, "relay"), root); got != 1 && got != 2 {
			t.Errorf("the relay shows release %d", got)
		}
		must(t, round(d))
		if got := shown(t, disk.Sub(d, "relay"), root); got != 2 {
			t.Errorf("after another round the relay shows release %d", got)
		}
		c, err := on(d).mirror().Change(t.Context())
		must(t, err)
		datasets := 0
		for u, err := range c.Upserts {
			must(t, err)
			datasets++
			if len(u.Manifests) != 2 {
				t.Errorf("accepted: %+v", u)
			}
		}
		if datasets != centre.many {
			t.Errorf("accepted: %d datasets", datasets)
		}
	})
}
