package origin_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/origin"
	"koprik/sync/origin/origintest"
	"koprik/sync/tuf"
)

var must = origintest.Must

// world is a centre on a disk in memory.
type world struct{ *origintest.Centre }

func newWorld(t testing.TB) *world {
	t.Helper()
	return &world{origintest.New(t)}
}

func (w *world) file(name string) []byte {
	w.Helper()
	b, err := disk.ReadFile(w.Disk, name, 1<<20)
	must(w, err)
	return b
}

// files are the names in a folder.
func (w *world) files(dir string) (names []string) {
	entries, err := w.Disk.ReadDir(dir)
	must(w, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// follow takes a set, as a mirror does, to what the centre has now. It gives
// what each publisher's role is refused for.
func follow(w *world, set *tuf.Set) map[string]error {
	w.Helper()
	for {
		b, err := disk.ReadFile(w.Disk, fmt.Sprintf("repository/metadata/%d.root.json", set.Root().Version+1), 1<<20)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		must(w, err)
		must(w, set.UpdateRoot(b))
	}
	p := tuf.Policy{Now: w.Now, Expire: tuf.ExpireNetwork}
	if err := set.UpdateTimestamp(w.file("repository/metadata/timestamp.json"), p); !errors.Is(err, tuf.ErrUnchanged) {
		must(w, err)
	}
	read := func(role string, v int64) []byte {
		return w.file(fmt.Sprintf("repository/metadata/%d.%s.json", v, role))
	}
	must(w, set.UpdateSnapshot(read("snapshot", set.Timestamp().Snapshot.Version), p))
	must(w, set.UpdateTargets(read("targets", set.Snapshot().Meta["targets.json"].Version), p))
	refused := map[string]error{}
	for _, d := range set.Targets().Roles {
		if err := set.UpdateDelegated(d.Name, read(d.Name, set.Snapshot().Meta[d.Name+".json"].Version), p); err != nil {
			refused[d.Name] = err
		}
	}
	return refused
}

func (w *world) set() *tuf.Set {
	w.Helper()
	set, err := tuf.NewSet(w.file("repository/metadata/1.root.json"))
	must(w, err)
	return set
}

// keysOf are the key ids of a role.
func (w *world) keysOf(role string) (ids []string) {
	w.Helper()
	all, err := w.Origin().Keys()
	must(w, err)
	for _, k := range all {
		if k.Role == role {
			ids = append(ids, k.ID)
		}
	}
	return ids
}

func newKeys(t testing.TB, n int) (private []tuf.PrivateKey, public []tuf.Key) {
	t.Helper()
	for range n {
		k, err := tuf.GenerateKey()
		must(t, err)
		private, public = append(private, k), append(public, k.Public())
	}
	return private, public
}

func TestEveryKeyIsShownWithItsRoleAndItsFile(t *testing.T) {
	w := newWorld(t)
	all, err := w.Origin().Keys()
	must(t, err)
	var got []string
	for _, k := range all {
		got = append(got, k.Role+" "+k.File)
		if k.Threshold != 1 || k.Public.ID() != k.ID {
			t.Errorf("%+v", k)
		}
	}
	want := []string{"root root.pem", "targets targets.pem", "snapshot snapshot.pem", "timestamp timestamp.pem", "seal seal.pem", "talkback talkback.pem", "main publisher-main.pem"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestMirrorsFollowEveryRotationAlsoWhenTheySkippedSome(t *testing.T) {
	w := newWorld(t)
	each, late := w.set(), w.set()
	follow(w, late)
	for round := range 3 {
		for _, role := range []string{"root", "targets", "snapshot", "timestamp", "seal", "talkback", "main"} {
			before := w.keysOf(role)
			out, err := w.Origin().Rotate(t.Context(), role, "", nil)
			must(t, err)
			if after := w.keysOf(role); len(after) != 1 || after[0] == before[0] || out.Old != before[0] || out.New != after[0] {
				t.Errorf("%s: %v after %v: %+v", role, after, before, out)
			}
			if !strings.HasSuffix(out.OldFile, ".pem.old") || w.file("keys/"+out.OldFile) == nil {
				t.Errorf("%s: the old key is in %q", role, out.OldFile)
			}
			if refused := follow(w, each); len(refused) > 0 {
				t.Fatalf("round %d: after %s: %v", round, role, refused)
			}
		}
	}
	for name, set := range map[string]*tuf.Set{"a mirror that slept through all": late, "a new mirror": w.set()} {
		if refused := follow(w, set); len(refused) > 0 {
			t.Errorf("%s: %v", name, refused)
		}
	}
	if got := len(w.files("keys")); got != 14 {
		t.Errorf("%d files in keys: %q", got, w.files("keys"))
	}
}

// TestPowerCutAtEveryWriteOfARotationNeverBreaksAMirror: and running it again
// finishes it.
func TestPowerCutAtEveryWriteOfARotationNeverBreaksAMirror(t *testing.T) {
	for _, role := range []string{"root", "targets", "timestamp", "main"} {
		cuts := 0
		for n := 1; ; n++ {
			w := newWorld(t)
			held := w.set()
			follow(w, held)
			before := w.keysOf(role)[0]
			w.Disk.FailAt(w.Disk.Ops() + n)
			_, err := w.Origin().Rotate(t.Context(), role, "", nil)
			if err == nil {
				break
			}
			cuts++
			w.Disk = w.Disk.Reboot(rand.New(rand.NewPCG(uint64(n), 1)))
			for _, set := range []*tuf.Set{held, w.set()} {
				if refused := follow(w, set); len(refused) > 0 {
					t.Fatalf("%s, cut at %d: %v", role, n, refused)
				}
			}
			out, err := w.Origin().Rotate(t.Context(), role, "", nil)
			if err != nil {
				t.Fatalf("%s, cut at %d: again: %v", role, n, err)
			}
			if now := w.keysOf(role); len(now) != 1 || now[0] == before || out.New != now[0] {
				t.Fatalf("%s, cut at %d: %v, %+v", role, n, now, out)
			}
			if refused := follow(w, held); len(refused) > 0 {
				t.Fatalf("%s, cut at %d, finished: %v", role, n, refused)
			}
		}
		if cuts < 10 {
			t.Errorf("%s: only %d cuts", role, cuts)
		}
	}
}

func TestOneSetOfKeysGrowsToTheTableOfTheSpecification(t *testing.T) {
	w := newWorld(t)
	early := w.set()
	follow(w, early)
	roots, rootKeys := newKeys(t, 4)
	targets, targetKeys := newKeys(t, 2)
	if _, err := w.Origin().Threshold(t.Context(), "root", 3, rootKeys); !errors.Is(err, origin.ErrTooFewKeys) {
		t.Fatalf("three keys are to sign and one is at hand: %v", err)
	}
	out, err := w.Origin(roots[:2]...).Threshold(t.Context(), "root", 3, rootKeys)
	must(t, err)
	if out.Keys != 5 || out.Threshold != 3 || out.Root != 2 {
		t.Errorf("%+v", out)
	}
	_, err = w.Origin(roots[2], roots[3], targets[0]).Threshold(t.Context(), "targets", 2, targetKeys)
	must(t, err)
	if refused := follow(w, early); len(refused) > 0 {
		t.Error(refused)
	}
	if got := early.Signers("root"); len(got) != 3 {
		t.Errorf("root is signed by %v", got)
	}
	if got := early.Signers("targets"); len(got) < 2 {
		t.Errorf("targets is signed by %v", got)
	}
	if err := w.Origin().AddPublisher(t.Context(), "health"); !errors.Is(err, origin.ErrTooFewKeys) {
		t.Errorf("one person alone adds a publisher: %v", err)
	}
	must(t, w.Origin(targets[1]).AddPublisher(t.Context(), "health"))
	if refused := follow(w, early); len(refused) > 0 {
		t.Error(refused)
	}
	w.Now = w.Now.Add(300 * 24 * time.Hour) // targets is due and its keys are in safes
	_, err = w.Origin().Refresh(t.Context())
	must(t, err)
	if refused := follow(w, early); len(refused) > 0 {
		t.Error(refused)
	}
	// A key in a safe is replaced by another one in a safe.
	_, more := newKeys(t, 1)
	_, err = w.Origin(roots[0], roots[1]).Rotate(t.Context(), "root", roots[3].Public().ID(), &more[0])
	must(t, err)
	follow(w, early)
	if ids := w.keysOf("root"); slices.Contains(ids, roots[3].Public().ID()) || !slices.Contains(ids, more[0].ID()) || len(ids) != 5 {
		t.Errorf("%v", ids)
	}
}

func TestThresholdsThatNobodyCanMeetAreRefusedAndChangeNothing(t *testing.T) {
	w := newWorld(t)
	before := w.files("repository/metadata")
	_, keys := newKeys(t, 2)
	for _, c := range []struct {
		role string
		n    int
	}{{"root", 0}, {"root", 4}, {"targets", -1}, {"snapshot", 1}, {"timestamp", 2}, {"nobody", 1}, {"main", 9}} {
		if _, err := w.Origin().Threshold(t.Context(), c.role, c.n, keys); !errors.Is(err, portal.ErrUsage) {
			t.Errorf("%s %d: %v", c.role, c.n, err)
		}
	}
	if after := w.files("repository/metadata"); !slices.Equal(before, after) {
		t.Errorf("%q", after)
	}
}

func TestStolenKeyIsRevokedAndTheNextPublishSignsAgain(t *testing.T) {
	w := newWorld(t)
	set := w.set()
	follow(w, set)
	stolen := w.keysOf("main")[0]
	_, err := w.Origin().Revoke(t.Context(), "main", stolen)
	must(t, err)
	if refused := follow(w, set); !errors.Is(refused["main"], tuf.ErrSignature) {
		t.Errorf("%v", refused)
	}
	suspended, err := w.Origin().Suspended()
	must(t, err)
	if !slices.Equal(suspended, []portal.PublisherID{"main"}) || slices.Contains(w.keysOf("main"), stolen) {
		t.Errorf("%v suspended, keys %v", suspended, w.keysOf("main"))
	}
	w.Now = w.Now.Add(300 * 24 * time.Hour)
	_, err = w.Origin().Refresh(context.Background())
	must(t, err)
	if refused := follow(w, set); refused["main"] == nil {
		t.Error("what a stolen key signed is signed anew unseen")
	}
	_, err = w.Origin().Publish(t.Context(), []origin.Batch{{Publisher: "main"}})
	must(t, err)
	if refused := follow(w, set); len(refused) > 0 {
		t.Error(refused)
	}
}

func TestPublisherWithItsOwnKeyIsSuspendedUntilItSigns(t *testing.T) {
	w := newWorld(t)
	private, public := newKeys(t, 2)
	out, err := w.Origin().Delegate(t.Context(), "health", 2, public...)
	must(t, err)
	if out.Keys != 2 || out.Threshold != 2 {
		t.Errorf("%+v", out)
	}
	set := w.set()
	if refused := follow(w, set); !errors.Is(refused["health"], tuf.ErrSignature) || refused["main"] != nil {
		t.Errorf("%v", refused)
	}
	_, err = w.Origin(private...).Publish(t.Context(), []origin.Batch{{Publisher: "health"}})
	must(t, err)
	if refused := follow(w, set); len(refused) > 0 {
		t.Error(refused)
	}
	if got := set.Signers("health"); len(got) != 2 {
		t.Errorf("signed by %v", got)
	}
	// A publisher that the centre signed for gets a key of its own: the centre's goes.
	_, err = w.Origin().Delegate(t.Context(), "main", 0, public[0])
	must(t, err)
	if got := w.keysOf("main"); !slices.Equal(got, []string{public[0].ID()}) {
		t.Errorf("main is signed by %v", got)
	}
	if !slices.Contains(w.files("keys"), "publisher-main.pem.old") {
		t.Errorf("%q", w.files("keys"))
	}
}

func TestMetadataOfThirtySnapshotsOr400DaysIsKept(t *testing.T) {
	w := newWorld(t)
	publish := func() {
		_, err := w.Origin().Publish(t.Context(), []origin.Batch{{Publisher: "main"}})
		must(t, err)
	}
	count := func(role string) (n int) {
		for _, name := range w.files("repository/metadata") {
			if strings.HasSuffix(name, "."+role+".json") {
				n++
			}
		}
		return n
	}
	for range 40 {
		publish()
	}
	if got := count("snapshot"); got != 41 {
		t.Errorf("%d snapshots after a day, want all 41", got)
	}
	_, err := w.Origin().Rotate(t.Context(), "root", "", nil)
	must(t, err)
	w.Now = w.Now.Add(399 * 24 * time.Hour)
	publish()
	if got := count("snapshot"); got != 43 {
		t.Errorf("%d snapshots after 399 days, want all 43", got)
	}
	w.Now = w.Now.Add(2 * 24 * time.Hour)
	publish()
	if s, r := count("snapshot"), count("main"); s != 30 || r != 30 && r != 29 {
		t.Errorf("%d snapshots and %d roles after 401 days, want 30", s, r)
	}
	if count("root") != 2 || count("targets") != 1 {
		t.Errorf("%q", w.files("repository/metadata"))
	}
	_, err = w.Origin().Refresh(t.Context()) // talkback and seal, which nobody published
	must(t, err)
	if refused := follow(w, w.set()); len(refused) > 0 {
		t.Error(refused)
	}
}
