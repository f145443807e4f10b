package node_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"koprik/internal/node"
	"koprik/portal"
)

// damage overwrites the middle byte of a file.
func damage(t *testing.T, path string) (mend func()) {
	t.Helper()
	whole, err := os.ReadFile(path)
	must(t, err)
	b := bytes.Clone(whole)
	b[len(b)/2] ^= 0x11
	must(t, os.WriteFile(path, b, 0o600))
	return func() { must(t, os.WriteFile(path, whole, 0o600)) }
}

// TestVerifyNoticesDamageInEveryFileThatCounts: a centre and a mirror with two
// releases; every file of objects/, trust/ and repository/ is damaged in turn.
// What is left to older generations alone is excused by name, and so is what
// anybody can make anew.
func TestVerifyNoticesDamageInEveryFileThatCounts(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	publish(t, central, revision("a", 2))
	mirror := newMirror(t, central)
	sync(t, mirror)
	for _, n := range []*node.Node{central, mirror} {
		newest := newestMetadata(t, n)
		for _, dir := range []string{"objects", "trust", "repository"} {
			must(t, filepath.WalkDir(filepath.Join(n.Dir(), dir), func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() || superseded(filepath.Base(path), newest) || derived(n, path) {
					return err
				}
				mend := damage(t, path)
				_, err = n.Verify(t.Context())
				mend()
				if err == nil {
					t.Errorf("damage in %s of %s is not noticed", strings.TrimPrefix(path, n.Dir()), n.Config().Role)
				}
				return nil
			}))
		}
		_, err := n.Verify(t.Context())
		must(t, err)
	}
}

// derived tells packs and patches, which nobody signs and nobody trusts: what is
// wrong in them costs mirrors another way.
func derived(n *node.Node, path string) bool {
	if filepath.Base(path) == "vetted" {
		return true // what it says is believed only of roles that are whole; without it they are verified
	}
	for _, name := range []string{"from", "head", "patches"} {
		if strings.HasPrefix(path, filepath.Join(repository(n), name)) {
			return true
		}
	}
	return false
}

// newestMetadata are the names of the roles' files that count.
func newestMetadata(t *testing.T, n *node.Node) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(n.Dir(), "trust"))
	must(t, err)
	names := map[string]bool{}
	for _, e := range entries {
		names[e.Name()] = true // trust/ keeps the accepted ones alone
	}
	return names
}

// superseded tells a role's file that newer metadata has replaced.
func superseded(name string, newest map[string]bool) bool {
	role := strings.Count(name, ".") == 2 && strings.HasSuffix(name, ".json") && len(name) < 60
	return role && !newest[name]
}

func TestRottenBytesAreNotGivenAway(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	res := resources(t, central, "main_a", 1)[0]
	must(t, central.Close())
	damage(t, filepath.Join(central.Dir(), "objects", res.Hash.Hex()[:2], res.Hash.Hex()))
	n := open(t, central.Dir(), options())
	v, err := n.View(t.Context())
	must(t, err)
	defer v.Close()
	_, _, err = v.Object(t.Context(), res.Hash)
	wantKind(t, err, portal.ErrUnverified)
}

func TestDoctorMendsObjectsAndRepositoryFromEachOther(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	publish(t, central, revision("a", 2))
	must(t, central.Close())
	for _, dir := range []string{"objects", "repository/metadata", "repository/d", "repository/objects"} {
		must(t, filepath.WalkDir(filepath.Join(central.Dir(), dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.Contains(path, ".koprik-tmp") {
				return err
			}
			damage(t, path)
			_, err = node.Doctor(t.Context(), central.Dir(), options(), true)
			if dir == "objects" && err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			must(t, err)
			return nil
		}))
	}
	n := open(t, central.Dir(), options())
	if got := titles(t, n)["main_a"]; got != "Common a rev2" {
		t.Errorf("after all repairs: %q", got)
	}
}

// A relay takes what is damaged back from its own repository; a mirror that is none
// has no other copy, and the next sync brings it.
func TestDamagedFilesBesideThePublishersAreMended(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	speak(t, central)
	root, err := os.ReadFile(filepath.Join(repository(central), "metadata", "1.root.json"))
	must(t, err)
	for relay, alone := range map[string]bool{"true": true, "false": false} {
		dir := t.TempDir()
		_, err := node.Init(t.Context(), dir, node.InitOptions{
			Config: config(t, "role", "mirror", "title", "Koʻzgu", "upstream", repository(central), "relay", relay), Root: root,
		}, options())
		must(t, err)
		m := open(t, dir, options())
		sync(t, m)
		must(t, m.CanAsk(t.Context()))
		must(t, m.Close())
		must(t, filepath.WalkDir(filepath.Join(dir, "objects"), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				damage(t, path)
			}
			return err
		}))
		if _, err := node.Doctor(t.Context(), dir, options(), true); (err == nil) != alone {
			t.Errorf("relay %s: the doctor says %v", relay, err)
		}
		m = open(t, dir, options())
		sync(t, m)
		_, err = m.Verify(t.Context())
		must(t, err)
		must(t, m.CanAsk(t.Context()))
	}
}

func TestRejectedInputLeavesNoBytes(t *testing.T) {
	central := newCentral(t)
	shared := revision("a", 1)
	publish(t, central, shared)
	before := objects(t, central)
	broken := node.Input{Label: "broken", Name: ".", FS: fstest.MapFS{
		"datapackage.json": {Data: []byte(`{"name":"broken","resources":[{"name":"good","path":"good.csv"},{"name":"t","path":"t.csv"}]}`)},
		"good.csv":         shared.FS.(fstest.MapFS)["t.csv"], // as published before
		"t.csv":            {Data: []byte("a,b\n1,2,3,4,5\n")},
	}}
	_, err := central.Publish(t.Context(), "", []node.Input{broken})
	wantKind(t, err, portal.ErrRejected)
	if after := objects(t, central); after != before {
		t.Errorf("%d objects, were %d", after, before)
	}
	_, err = central.Verify(t.Context())
	must(t, err)
}

func objects(t *testing.T, n *node.Node) (count int) {
	t.Helper()
	must(t, filepath.WalkDir(filepath.Join(n.Dir(), "objects"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			count++
		}
		return err
	}))
	return count
}

func TestFileIsProvedUnalteredWithoutANetwork(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	publish(t, central, revision("a", 2))
	mirror := newMirror(t, central)
	sync(t, mirror)
	for rev := 1; rev <= 2; rev++ {
		file := revision("a", rev).FS.(fstest.MapFS)["t.csv"].Data
		p, err := mirror.Prove(t.Context(), bytes.NewReader(file))
		must(t, err)
		if p.Dataset != "main_a" || p.Release != rev || p.Latest != 2 || len(p.Signers) == 0 || p.SHA256 != portal.DigestOf(file) {
			t.Errorf("rev %d: %+v", rev, p)
		}
		altered := io.MultiReader(bytes.NewReader(file), strings.NewReader(" "))
		_, err = mirror.Prove(t.Context(), altered)
		wantKind(t, err, portal.ErrUnverified)
	}
}
