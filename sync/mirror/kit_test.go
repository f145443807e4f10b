package mirror_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/internal/faults"
	"koprik/portal"
	"koprik/sync/mirror"
	"koprik/sync/origin/origintest"
	"koprik/sync/packer"
)

var (
	must = origintest.Must
	rows = origintest.Rows
)

// upstream is a centre, and the web server that lies for it.
type upstream struct {
	*origintest.Centre
	web *faults.Origin
}

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	c := origintest.New(t)
	return &upstream{c, faults.NewOrigin(faults.Tree(c.Repository()))}
}

// pack makes all packs of what the centre has published.
func (u *upstream) pack() {
	u.Helper()
	must(u, packer.Open(packer.Options{Repository: u.Repository(), Contents: u.Held, Effort: -1}).Pack(u.Context()))
}

// source is the way there over the network of this machine.
func (u *upstream) source() mirror.Source {
	u.Helper()
	server := httptest.NewServer(http.StripPrefix("/repository/", u.web))
	u.Cleanup(server.Close)
	source, err := mirror.HTTP(server.URL, server.Client())
	must(u, err)
	return source
}

// asked are the paths that were asked for since the record was emptied.
func (u *upstream) asked(pattern string) (paths []string, bytes int64) {
	for _, r := range u.web.Requests() {
		if ok, err := path.Match(pattern, r.Path); err == nil && ok || strings.HasPrefix(r.Path, pattern) {
			paths, bytes = append(paths, r.Path), bytes+r.Sent
		}
	}
	return paths, bytes
}

// follower is a mirror with all that it keeps in memory.
type follower struct {
	*testing.T
	disk  *disktest.Disk
	held  *origintest.Contents
	now   time.Time
	shows map[portal.DatasetID]int // numbers of latest releases, as it was told to show them
	have  int64
	*mirror.Mirror
}

func follow(t *testing.T, u *upstream) *follower {
	t.Helper()
	f := &follower{T: t, disk: disktest.New(), held: &origintest.Contents{}, now: u.Now, shows: map[portal.DatasetID]int{}}
	for _, dir := range []string{"trust", "staging", "relay"} {
		must(t, f.disk.MkdirAll(dir))
	}
	must(t, mirror.Bootstrap(disk.Sub(f.disk, "trust"), u.Root))
	f.open()
	return f
}

func (f *follower) open() {
	f.Mirror = mirror.Open(mirror.Options{
		Trust: disk.Sub(f.disk, "trust"), Staging: disk.Sub(f.disk, "staging"), Relay: disk.Sub(f.disk, "relay"),
		Contents: f.held, Now: func() time.Time { return f.now },
	})
}

// copied is the same mirror on a machine of its own.
func (f *follower) copied() *follower {
	f.Helper()
	c := *f
	c.disk, c.held, c.shows = disktest.New(), &origintest.Contents{}, maps.Clone(f.shows)
	for name, b := range f.disk.Tree() {
		if strings.HasSuffix(name, "/") {
			must(f, c.disk.MkdirAll(strings.TrimSuffix(name, "/")))
			continue
		}
		must(f, disk.WriteFile(c.disk, name, []byte(b)))
	}
	for _, b := range f.held.All() {
		c.held.Put(b)
	}
	c.open()
	return &c
}

// round makes one round and shows what it brings.
func (f *follower) round(source mirror.Source) (mirror.Report, error) {
	f.Helper()
	return f.Round(f.Context(), source, mirror.RoundOptions{Have: f.have, Apply: func(_ context.Context, c portal.Change) error {
		if c.Full {
			clear(f.shows)
		}
		for u, err := range c.Upserts {
			if err != nil {
				return err
			}
			f.shows[u.Dataset] = u.Manifests[len(u.Manifests)-1].Number
		}
		f.have = c.Generation
		return nil
	}})
}

// mustRound is round where nothing may go wrong.
func (f *follower) mustRound(source mirror.Source) mirror.Report {
	f.Helper()
	r, err := f.round(source)
	must(f, err)
	return r
}

// holds asserts that the latest contents of a table are held.
func (f *follower) holds(contents ...[]byte) {
	f.Helper()
	for _, b := range contents {
		if !f.held.Has(portal.DigestOf(b)) {
			f.Errorf("%d bytes that begin with %q are not held", len(b), b[:min(len(b), 20)])
		}
	}
}

func wantKind(t *testing.T, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: %v, want %v", what, err, kind)
	}
}
