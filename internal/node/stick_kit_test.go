package node_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/internal/node"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/mirror"
	"koprik/sync/origin"
)

// traveller is a centre on a disk in memory whose copy goes onto sticks.
type traveller struct {
	machine
	root []byte
}

// newTraveller makes a centre with the given number of releases of one dataset.
func newTraveller(t *testing.T, releases int) traveller {
	t.Helper()
	c := traveller{machine: newMachine(disktest.New())}
	for _, dir := range []string{"repository", "keys", "objects", "trust", "staging", "relay"} {
		must(t, c.disk.MkdirAll(dir))
	}
	var err error
	c.root, err = c.origin().Init(t.Context(), "main")
	must(t, err)
	must(t, mirror.Bootstrap(disk.Sub(c.disk, "trust"), c.root))
	for n := 1; n <= releases; n++ {
		must(t, c.publish(t.Context(), n))
	}
	must(t, c.follow(t.Context()))
	return c
}

// publishBytes makes release n of the dataset with contents of the caller.
func (c traveller) publishBytes(ctx context.Context, number int, data []byte) error {
	const id portal.DatasetID = "main_water-0"
	listing, err := c.origin().Listing("main")
	if err != nil {
		return err
	}
	b, err := c.releaseOf(id, number, listing.Datasets[id], data)
	if err != nil {
		return err
	}
	_, err = c.origin().Publish(ctx, []origin.Batch{{Publisher: "main", Manifests: []portal.SignedManifest{{Dataset: id, Number: number, Bytes: b}}}})
	return err
}

// follow accepts what was published, as a centre does.
func (c traveller) follow(ctx context.Context) error {
	have, err := c.mirror().State()
	if err != nil {
		return err
	}
	_, err = c.mirror().Round(ctx, mirror.Folder(disk.Sub(c.disk, "repository"), "repository"), mirror.RoundOptions{
		Have: have.Generation, Media: true, Apply: func(context.Context, portal.Change) error { return nil },
	})
	return err
}

// export writes the accepted copy to a stick, with pages as a node makes them.
func (c traveller) export(ctx context.Context, stick disk.FS, since int64) (mirror.Written, error) {
	plan, err := c.mirror().PlanExport(ctx, mirror.ExportOptions{Since: since, Repository: disk.Sub(c.disk, "repository")})
	if err != nil {
		return mirror.Written{}, err
	}
	return plan.Write(ctx, stick, []mirror.StickPage{
		{Name: "index/" + strings.Repeat("1", int(plan.Generation)) + "/uz.html", Bytes: []byte("list")}, {Name: "INDEX.html", Bytes: []byte("index")},
	}, nil)
}

// takes lets a node that begins with nothing take a stick, and gives the release
// that it then shows; 0 and the error when it refuses.
func takes(t *testing.T, stick disk.FS, root []byte) (int, error) {
	t.Helper()
	fresh := newMachine(disktest.New())
	fresh.init(t, root)
	return fresh.take(t.Context(), stick)
}

// take is one import from a stick.
func (m machine) take(ctx context.Context, stick disk.FS) (number int, err error) {
	have, err := m.mirror().State()
	if err != nil {
		return 0, err
	}
	_, err = m.mirror().Round(ctx, mirror.Folder(stick, "stick"), mirror.RoundOptions{
		Have: have.Generation, Media: true, Apply: func(ctx context.Context, c portal.Change) error {
			for u, err := range c.Upserts {
				if err != nil {
					return err
				}
				last := u.Manifests[len(u.Manifests)-1]
				number = last.Number
				release, err := datapackage.Decode(last.Bytes)
				if err != nil {
					return err
				}
				for _, r := range release.Resources {
					if err := m.objects.Verify(ctx, r.Hash); err != nil {
						return err
					}
				}
			}
			return nil
		},
	})
	if err != nil {
		return 0, err
	}
	return number, nil
}

// names are all files on a stick.
func names(t *testing.T, fsys disk.FS, dir string) (all []string) {
	t.Helper()
	entries, err := fsys.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		name := strings.TrimPrefix(dir+"/"+e.Name(), "./")
		if e.IsDir() {
			all = append(all, names(t, fsys, name)...)
			continue
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// refused tells an error that a person can act on from one that nobody expected.
func refused(err error) bool {
	return errors.Is(err, portal.ErrUnverified) || errors.Is(err, portal.ErrUnreachable) ||
		errors.Is(err, portal.ErrNotFound) || errors.Is(err, portal.ErrRejected)
}

// pulled is a stick that is pulled out after so many bytes were moved.
type pulled struct {
	disk.FS
	left *int64
}

func pull(fsys disk.FS, after int64) pulled { return pulled{fsys, &after} }

func (p pulled) gone(op, name string) error {
	if *p.left > 0 {
		return nil
	}
	return &os.PathError{Op: op, Path: name, Err: disktest.ErrIO}
}

func (p pulled) OpenFile(name string, flag int) (disk.File, error) {
	if err := p.gone("open", name); err != nil {
		return nil, err
	}
	f, err := p.FS.OpenFile(name, flag)
	return pulledFile{f, p, name}, err
}

func (p pulled) Rename(a, b string) error {
	if err := p.gone("rename", a); err != nil {
		return err
	}
	return p.FS.Rename(a, b)
}

func (p pulled) Remove(name string) error {
	if err := p.gone("remove", name); err != nil {
		return err
	}
	return p.FS.Remove(name)
}

func (p pulled) MkdirAll(name string) error {
	if err := p.gone("mkdir", name); err != nil {
		return err
	}
	return p.FS.MkdirAll(name)
}

type pulledFile struct {
	disk.File
	stick pulled
	name  string
}

func (f pulledFile) move(op string, p []byte, do func([]byte) (int, error)) (int, error) {
	if err := f.stick.gone(op, f.name); err != nil {
		return 0, err
	}
	short := p[:min(int64(len(p)), *f.stick.left)]
	n, err := do(short)
	*f.stick.left -= int64(n)
	if err == nil && n < len(p) && op == "write" {
		err = &os.PathError{Op: op, Path: f.name, Err: disktest.ErrIO}
	}
	return n, err
}

func (f pulledFile) Read(p []byte) (int, error)  { return f.move("read", p, f.File.Read) }
func (f pulledFile) Write(p []byte) (int, error) { return f.move("write", p, f.File.Write) }

func seeded(a, b uint64) *rand.Rand { return rand.New(rand.NewPCG(a, b)) } //nolint:gosec // repeatable

// stickOf exports a node into a folder, and gives it.
func stickOf(t *testing.T, n *node.Node, since int64) string {
	t.Helper()
	dir := t.TempDir()
	_, err := n.Export(t.Context(), node.ExportOptions{To: dir, Since: since})
	must(t, err)
	return dir
}

// oneOf is one file of a stick that the pattern matches.
func oneOf(t *testing.T, stick, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(stick, "KOPRIK", pattern))
	must(t, err)
	if len(found) == 0 {
		t.Fatalf("no %s on the stick", pattern)
	}
	return found[0]
}

// problem is the problem in an error; nil when there is none.
func problem(err error) *portal.Problem {
	var p *portal.Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}
