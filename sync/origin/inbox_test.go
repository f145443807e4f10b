package origin_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"koprik/internal/disk/disktest"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/origin"
	"koprik/sync/origin/origintest"
	"koprik/sync/tuf"
)

// at opens a repository's writer over contents.
func (w *world) at(c *origintest.Contents) *origin.Origin {
	w.Held = c
	return w.Origin()
}

// agencyOf makes an agency with one release, and gives its role file for a centre
// that delegates to it.
func agencyOf(w *world, c *origintest.Contents) (key tuf.Key, role []byte) {
	w.Helper()
	agency := &world{&origintest.Centre{TB: w.TB, Disk: disktest.New(), Held: c, Now: w.Now}}
	must(w, agency.Disk.MkdirAll("keys"))
	_, err := agency.at(c).Init(w.Context(), "health")
	must(w, err)
	table := []byte("a,b\n1,2\n")
	b, err := datapackage.Encode(portal.Release{
		Dataset: "health_a", Number: 1, Issued: w.Now, Title: portal.PlainText("A"), Reason: portal.PlainText("first"),
		Passport: portal.Passport{Contact: "desk", Uploaded: "2026-11-23"},
		Resources: []portal.Resource{{
			Name: "t", Path: "t.csv", Format: "csv", MediaType: "text/csv", Bytes: int64(len(table)), Hash: c.Put(table),
		}},
	})
	must(w, err)
	c.Put(b)
	_, err = agency.at(c).Publish(w.Context(), []origin.Batch{{
		Publisher: "health", Manifests: []portal.SignedManifest{{Dataset: "health_a", Number: 1, Bytes: b}},
	}})
	must(w, err)
	role, err = agency.at(c).SignFor("health", 2)
	must(w, err)
	keys, err := agency.at(c).Keys()
	must(w, err)
	return keys[len(keys)-1].Public, role
}

// TestPowerCutAtEveryWriteOfAnAcceptanceLeavesOneWholeGeneration: and the same
// file, handed in again, is accepted.
func TestPowerCutAtEveryWriteOfAnAcceptanceLeavesOneWholeGeneration(t *testing.T) {
	cuts := 0
	for n := 1; ; n++ {
		w, c := newWorld(t), &origintest.Contents{}
		key, role := agencyOf(w, c)
		_, err := w.at(c).Delegate(t.Context(), "health", 0, key)
		must(t, err)
		held := w.set()
		follow(w, held)
		accept := func() error {
			o := w.at(c)
			f, err := o.Offered("health", role)
			if err != nil {
				return err
			}
			_, err = o.Accept(t.Context(), f)
			return err
		}
		w.Disk.FailAt(w.Disk.Ops() + n)
		if err := accept(); err == nil {
			break
		}
		cuts++
		w.Disk = w.Disk.Reboot(rand.New(rand.NewPCG(uint64(n), 2)))
		follow(w, held)
		must(t, accept())
		if refused := follow(w, held); len(refused) > 0 {
			t.Fatalf("cut at %d: %v", n, refused)
		}
		if got := held.Signers("health"); len(got) != 1 || got[0] != key.ID() {
			t.Fatalf("cut at %d: signed by %v", n, got)
		}
		if v := held.Snapshot().Meta["health.json"].Version; !bytes.Equal(w.file("repository/metadata/2.health.json"), role) || v != 2 {
			t.Fatalf("cut at %d: version %d, or the file is not as it came", n, v)
		}
	}
	if cuts < 20 {
		t.Errorf("only %d cuts", cuts)
	}
}

func TestOfferAsksFirstForManifestsAndThenForWhatTheyName(t *testing.T) {
	w, all := newWorld(t), &origintest.Contents{}
	key, role := agencyOf(w, all)
	_, err := w.Origin().Delegate(t.Context(), "health", 0, key)
	must(t, err)
	here := &origintest.Contents{}
	for round, want := range []int{1, 1, 0} {
		f, err := w.at(here).Offered("health", role)
		must(t, err)
		missing, err := w.at(here).Missing(f)
		must(t, err)
		if len(missing) != want {
			t.Fatalf("round %d: %v is missing", round, missing)
		}
		if _, err := w.at(here).Accept(t.Context(), f); (err == nil) != (want == 0) {
			t.Fatalf("round %d: %v", round, err)
		}
		for _, m := range missing {
			in, size, err := all.Open(m.SHA256)
			must(t, err)
			if size != m.Bytes {
				t.Errorf("%d bytes are asked for, it has %d", m.Bytes, size)
			}
			b, err := io.ReadAll(in)
			must(t, err)
			here.Put(b)
		}
	}
}

func FuzzOffered(f *testing.F) {
	w := newWorld(f)
	private, public := newKeys(f, 1)
	if _, err := w.Origin().Delegate(f.Context(), "health", 0, public...); err != nil {
		f.Fatal(err)
	}
	good, err := tuf.SignTargets(tuf.Targets{Version: 2, Expires: w.Now.Add(time.Hour)}, private...)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := w.Origin().Offered("health", b)
		role, unread := tuf.ParseTargets(b)
		if err == nil && (unread != nil || role.Version != 2 || len(role.Targets) > 0) {
			t.Errorf("taken: %q", b)
		}
		if err != nil && !errors.Is(err, portal.ErrRejected) {
			t.Errorf("%q: %v", b, err)
		}
	})
}
