package node_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"koprik/internal/node"
	"koprik/portal"
)

// keyOf is the only key of a role.
func keyOf(t *testing.T, n *node.Node, role string) node.Key {
	t.Helper()
	keys, err := n.Keys()
	must(t, err)
	for _, k := range keys {
		if k.Role == role {
			return k
		}
	}
	t.Fatalf("%s has no key", role)
	return node.Key{}
}

func dataset(t *testing.T, n *node.Node, id portal.DatasetID) portal.Dataset {
	t.Helper()
	v, err := n.View(t.Context())
	must(t, err)
	defer v.Close()
	d, err := v.Dataset(t.Context(), id)
	must(t, err)
	return d
}

// keyFile makes a key outside of any node.
func keyFile(t *testing.T) (path string, file node.KeyFile, key node.Key) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "officer.key")
	key, err := node.NewKey(path, []byte("olma anor uzum"))
	must(t, err)
	file, err = node.ReadKeyFile(path, func() ([]byte, error) { return []byte("olma anor uzum"), nil })
	must(t, err)
	return path, file, key
}

func TestMirrorThatSkippedSeveralRotationsFollows(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	m := newMirror(t, central)
	sync(t, m)
	first := dataset(t, m, "main_a").Signers
	for range 2 {
		for _, role := range []string{"timestamp", "snapshot", "targets", "root", "main"} {
			_, err := central.RotateKey(t.Context(), role, "", nil)
			must(t, err)
		}
	}
	if r := sync(t, m); len(r.Suspended) > 0 || len(r.Added)+len(r.Updated) > 0 {
		t.Errorf("%+v", r)
	}
	fresh := newMirror(t, central)
	sync(t, fresh)
	for name, n := range map[string]*node.Node{"centre": central, "mirror": m, "new mirror": fresh} {
		d := dataset(t, n, "main_a")
		if now := keyOf(t, central, "main").ID; !slices.Equal(d.Signers, []string{now}) || slices.Equal(d.Signers, first) || d.Suspended {
			t.Errorf("%s: signed by %v, suspended: %v; the key is %s", name, d.Signers, d.Suspended, now)
		}
		if _, err := n.Verify(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStolenKeySuspendsWhatItSignedAndNothingIsLost(t *testing.T) {
	central := newCentral(t)
	must(t, central.AddPublisher(t.Context(), "health", "Health", "desk@health.example.org"))
	publish(t, central, revision("a", 1))
	_, err := central.Publish(t.Context(), "health", []node.Input{revision("b", 1)})
	must(t, err)
	m := newMirror(t, central)
	sync(t, m)
	was := titles(t, m)
	stolen := keyOf(t, central, "health")
	_, err = central.Revoke(t.Context(), "health", stolen.Words)
	must(t, err)
	if !keyOf(t, central, "health").Suspended || keyOf(t, central, "main").Suspended {
		t.Error("the centre does not say who is suspended")
	}
	publish(t, central, revision("a", 2)) // the others go on
	fresh := newMirror(t, central)
	for range 2 { // also when nothing is new
		if r := sync(t, m); !slices.Equal(r.Suspended, []portal.PublisherID{"health"}) {
			t.Errorf("%+v", r)
		}
	}
	sync(t, fresh)
	for _, n := range []*node.Node{central, m} {
		b, a := dataset(t, n, "health_b"), dataset(t, n, "main_a")
		if !b.Suspended || len(b.Signers) > 0 || b.Latest.Number != 1 || a.Suspended || a.Latest.Number != 2 {
			t.Errorf("%s: %v %v, %v %v", n.Dir(), b.Suspended, b.Signers, a.Suspended, a.Latest.Number)
		}
		if _, err := n.Verify(t.Context()); err != nil {
			t.Errorf("%s: %v", n.Dir(), err)
		}
		if got := titles(t, n); len(got) != len(was) {
			t.Errorf("%s shows %v", n.Dir(), got)
		}
	}
	if got := titles(t, fresh); len(got) != 1 {
		t.Errorf("a new mirror takes what a stolen key signed: %v", got)
	}
	// The same content again: no release, but a signature.
	out, err := central.Publish(t.Context(), "health", []node.Input{revision("b", 1)})
	must(t, err)
	if len(out.Published) > 0 {
		t.Errorf("%+v", out)
	}
	for _, n := range []*node.Node{m, fresh} {
		if r := sync(t, n); len(r.Suspended) > 0 {
			t.Errorf("%+v", r)
		}
		if d := dataset(t, n, "health_b"); d.Suspended || !slices.Equal(d.Signers, []string{keyOf(t, central, "health").ID}) {
			t.Errorf("signed by %v, suspended: %v", d.Signers, d.Suspended)
		}
	}
}

func TestSuspensionSurvivesALostCatalogue(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	_, err := central.Revoke(t.Context(), "main", keyOf(t, central, "main").ID)
	must(t, err)
	must(t, central.Close())
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(filepath.Join(central.Dir(), "catalog.db"+suffix))
	}
	again := open(t, central.Dir(), options())
	if d := dataset(t, again, "main_a"); !d.Suspended || d.Latest.Number != 1 {
		t.Errorf("%+v", d)
	}
}

func TestThresholdsRiseToTheTableAndMirrorsFollow(t *testing.T) {
	central := newCentral(t)
	m := newMirror(t, central)
	sync(t, m)
	var roots, targets []node.KeyFile
	for i := range 4 {
		_, f, _ := keyFile(t)
		if i > 1 {
			f.Private = nil // its owner sent the public half
		}
		roots = append(roots, f)
	}
	for range 2 {
		_, f, _ := keyFile(t)
		targets = append(targets, f)
	}
	c, err := central.KeyThreshold(t.Context(), "root", 3, roots)
	must(t, err)
	if c.Keys != 5 || c.Threshold != 3 {
		t.Errorf("%+v", c)
	}
	_, err = central.KeyThreshold(t.Context(), "targets", 2, targets)
	wantKind(t, err, portal.ErrUsage) // the new root lacks signatures
	_, err = central.KeyThreshold(t.Context(), "targets", 2, targets, roots[:2]...)
	must(t, err)
	publish(t, central, revision("a", 1)) // needs no key of a safe
	sync(t, m)
	wantKind(t, central.AddPublisher(t.Context(), "health", "Health", ""), portal.ErrUsage)
	if got := titles(t, m); len(got) != 1 {
		t.Errorf("%v", got)
	}
	for _, n := range []*node.Node{central, m} {
		if _, err := n.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestKeyFilesAreNeverOverwrittenAndNeedAPassphrase(t *testing.T) {
	path, file, key := keyFile(t)
	if file.Private == nil || file.Public.ID() != key.ID || key.Words != portal.SixWords(key.ID) {
		t.Errorf("%+v", key)
	}
	_, err := node.NewKey(path, []byte("olma anor uzum"))
	wantKind(t, err, portal.ErrUsage)
	_, err = node.NewKey(filepath.Join(t.TempDir(), "x"), []byte("short"))
	wantKind(t, err, portal.ErrUsage)
	public, err := node.ReadKeyFile(path+".pub", nil)
	must(t, err)
	if public.Private != nil || public.Public != file.Public {
		t.Errorf("%+v", public)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	_, err = node.ReadKeyFile(filepath.Join(t.TempDir(), "absent"), nil)
	wantKind(t, err, portal.ErrRejected)
}
