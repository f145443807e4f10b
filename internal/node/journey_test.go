package node_test

import (
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"koprik/internal/faults"
	"koprik/internal/node"
	"koprik/portal"
	"koprik/portal/datapackage"
)

func httpPrefix(prefix string, h http.Handler) http.Handler {
	return http.StripPrefix(strings.TrimSuffix(prefix, "/"), h)
}

func TestMirrorShowsWhatTheCentreSignedAndRelaysIt(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1), revision("b", 1))
	first := newMirror(t, central)
	if r := sync(t, first); len(r.Added) != 2 || r.Fresh != portal.Fresh {
		t.Fatalf("first sync: %+v", r)
	}
	second := newMirror(t, central)
	r, err := second.Sync(t.Context(), node.SyncOptions{From: repository(first)})
	must(t, err)
	if len(r.Added) != 2 {
		t.Fatalf("sync off a mirror: %+v", r)
	}
	want := map[portal.DatasetID]string{"main_a": "Common a rev1", "main_b": "Common b rev1"}
	for name, n := range map[string]*node.Node{"central": central, "mirror": first, "mirror of the mirror": second} {
		if got := titles(t, n); !maps.Equal(got, want) {
			t.Errorf("%s shows %v", name, got)
		}
		if v, err := n.Verify(t.Context()); err != nil || v.Objects != 2 {
			t.Errorf("%s: verify: %+v, %v", name, v, err)
		}
	}
}

func TestUnchangedInputMakesNoRelease(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	before := generation(t, central)
	out := publish(t, central, revision("a", 1))
	if len(out.Published) != 0 || len(out.Unchanged) != 1 || generation(t, central) != before {
		t.Fatalf("%+v at generation %d, was %d", out, generation(t, central), before)
	}
	out = publish(t, central, revision("a", 2))
	if len(out.Published) != 1 || out.Published[0].Release != 2 {
		t.Fatalf("changed input: %+v", out)
	}
}

func TestOneBadInputDoesNotStopTheOthers(t *testing.T) {
	central := newCentral(t)
	bad := revision("bad", 1)
	bad.FS = os.DirFS(t.TempDir())
	out, err := central.Publish(t.Context(), "", []node.Input{revision("a", 1), bad})
	wantKind(t, err, portal.ErrPartly)
	if len(out.Published) != 1 || len(out.Rejected) != 1 || len(titles(t, central)) != 1 {
		t.Fatalf("%+v", out)
	}
}

func TestWithdrawalRemovesBytesEverywhereAndKeepsTheReason(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1), revision("b", 1))
	publish(t, central, revision("a", 2))
	mirror := newMirror(t, central)
	sync(t, mirror)
	secret := resources(t, central, "main_a", 1, 2)
	_, err := central.Withdraw(t.Context(), "main_a", portal.PlainText("names of persons"))
	must(t, err)
	sync(t, mirror)
	for _, n := range []*node.Node{central, mirror} {
		if got := titles(t, n); len(got) != 1 {
			t.Errorf("search still finds %v", got)
		}
		tombstone(t, n, "main_a", "names of persons")
		for _, r := range secret {
			if _, err := os.Stat(filepath.Join(repository(n), datapackage.ObjectFile(r.Hash))); err == nil {
				t.Errorf("%s still gives away %s", n.Dir(), r.Path)
			}
			if _, err := os.Stat(filepath.Join(n.Dir(), "objects", r.Hash.Hex()[:2], r.Hash.Hex())); err == nil {
				t.Errorf("%s still holds %s", n.Dir(), r.Path)
			}
		}
		if _, err := n.Verify(t.Context()); err != nil {
			t.Errorf("verify: %v", err)
		}
	}
	if r := publish(t, central, revision("a", 3)); r.Published[0].Release != 4 {
		t.Errorf("a withdrawn dataset comes back as release %d, want 4", r.Published[0].Release)
	}
}

// resources are the files of some releases of a dataset.
func resources(t *testing.T, n *node.Node, id portal.DatasetID, releases ...int) (all []portal.Resource) {
	t.Helper()
	v, err := n.View(t.Context())
	must(t, err)
	defer v.Close()
	for _, number := range releases {
		r, err := v.Release(t.Context(), id, number)
		must(t, err)
		all = append(all, r.Resources...)
	}
	return all
}

func tombstone(t *testing.T, n *node.Node, id portal.DatasetID, reason string) {
	t.Helper()
	v, err := n.View(t.Context())
	must(t, err)
	defer v.Close()
	d, err := v.Dataset(t.Context(), id)
	must(t, err)
	if d.Latest.Withdrawn == nil || d.Latest.Withdrawn.Reason.Plain != reason || d.Latest.Passport.Contact == "" {
		t.Errorf("tombstone: %+v", d.Latest)
	}
}

func TestFlippedByteAnywhereIsRefusedAndNamedAndTheOldCopyStays(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1), revision("b", 1))
	first := initMirror(t, central)
	m := open(t, first, options())
	sync(t, m)
	must(t, m.Close())
	publish(t, central, revision("a", 2), revision("c", 1))
	withoutPacks(t, central)
	origin, url := lyingOrigin(t, central)
	needed := askedFor(t, first, origin, url) // nobody asks for older files: flips in them are told by koprik verify
	offsets := []int{0, 1, 2, 3}
	if testing.Short() {
		offsets = offsets[1:3]
	}
	refused := 0
	must(t, filepath.WalkDir(repository(central), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(repository(central), path)
		must(t, err)
		info, err := d.Info()
		must(t, err)
		if !needed[filepath.ToSlash(name)] {
			return nil
		}
		for _, part := range offsets {
			at := part * int(info.Size()-1) / 3
			if flip(t, first, origin, url, filepath.ToSlash(name), at) {
				refused++
			}
		}
		return nil
	}))
	// timestamp, snapshot, the role, two manifests and two objects are new.
	if refused < 7*len(offsets) {
		t.Errorf("only %d flips were asked for", refused)
	}
}

// askedFor are the files that a copy of the mirror in dir asks for.
func askedFor(t *testing.T, dir string, origin *faults.Origin, url string) map[string]bool {
	t.Helper()
	copied := t.TempDir()
	copyTree(t, dir, copied)
	mirror := open(t, copied, options())
	_, err := mirror.Sync(t.Context(), node.SyncOptions{From: url})
	must(t, err)
	must(t, mirror.Close())
	names := map[string]bool{}
	for _, r := range origin.Requests() {
		names[r.Path] = r.Status == http.StatusOK
	}
	return names
}

// flip lets a copy of the mirror in dir sync from an origin with one byte
// flipped. What is asked for must be refused, by name, and change nothing.
func flip(t *testing.T, dir string, origin *faults.Origin, url, name string, at int) (refused bool) {
	t.Helper()
	copied := t.TempDir()
	must(t, os.CopyFS(copied, os.DirFS(dir)))
	mirror, err := node.Open(t.Context(), copied, options())
	must(t, err)
	defer mirror.Close() //nolint:errcheck // a copy
	was := titles(t, mirror)
	origin.BeHonest()
	origin.Forget()
	origin.Lie(name, faults.FlipByte(at))
	_, err = mirror.Sync(t.Context(), node.SyncOptions{From: url})
	if !slices.ContainsFunc(origin.Requests(), func(r faults.Request) bool { return r.Path == name }) {
		must(t, err) // an older file that nobody needs
		return false
	}
	wantKind(t, err, portal.ErrUnverified)
	if !strings.Contains(err.Error(), name[strings.LastIndex(name, "/")+1:]) {
		t.Errorf("flip at %d of %s: the error does not name it: %v", at, name, err)
	}
	if got := titles(t, mirror); !maps.Equal(got, was) {
		t.Errorf("after a flip at %d of %s the mirror shows %v, was %v", at, name, got, was)
	}
	return true
}
