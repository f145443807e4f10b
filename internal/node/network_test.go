package node_test

import (
	"crypto/rand"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"koprik/internal/faults"
	"koprik/internal/node"
	"koprik/portal"
)

// big is a package with one file of n bytes that cannot be compressed.
func big(t *testing.T, n int) node.Input {
	t.Helper()
	b := make([]byte, n)
	_, err := rand.Read(b)
	must(t, err)
	return node.Input{Label: "big", Name: ".", FS: fstest.MapFS{
		"datapackage.json": {Data: []byte(`{"name":"big","title":"Big","resources":[{"name":"scan","path":"scan.pdf"}]}`)},
		"scan.pdf":         {Data: b},
	}}
}

// sent sums what the origin sent of the files under a prefix.
func sent(origin *faults.Origin, prefix string) (bytes int64, ranged bool) {
	for _, r := range origin.Requests() {
		if strings.HasPrefix(r.Path, prefix) {
			bytes += r.Sent
			ranged = ranged || r.Range != ""
		}
	}
	return bytes, ranged
}

func TestBrokenConnectionsCostOnlyWhatTheyDidNotBring(t *testing.T) {
	const size = 400_000
	central := newCentral(t)
	publish(t, central, big(t, size))
	mirror := newMirror(t, central)
	origin, url := lyingOrigin(t, central)
	origin.Lie("objects/*/*", faults.CutAfter(30_000))
	_, err := mirror.Sync(t.Context(), node.SyncOptions{From: url})
	must(t, err)
	if got, ranged := sent(origin, "objects/"); !ranged || got > size*105/100 {
		t.Errorf("%d bytes were sent for %d, ranges: %v", got, size, ranged)
	}
}

func TestTheNextRoundGoesOnWhereTheLastOneWasCut(t *testing.T) {
	const size = 400_000
	central := newCentral(t)
	publish(t, central, big(t, size))
	mirror := newMirror(t, central)
	origin, url := lyingOrigin(t, central)
	origin.Lie("objects/*/*", faults.Status(500))
	origin.LieTimes(1, "objects/*/*", faults.CutAfter(250_000))
	_, err := mirror.Sync(t.Context(), node.SyncOptions{From: url})
	wantKind(t, err, portal.ErrUnreachable)
	if got := generation(t, mirror); got != 0 {
		t.Errorf("generation %d is shown", got)
	}
	origin.BeHonest()
	origin.Forget()
	_, err = mirror.Sync(t.Context(), node.SyncOptions{From: url})
	must(t, err)
	if got, _ := sent(origin, "objects/"); got > 160_000 {
		t.Errorf("%d bytes were sent again", got)
	}
}

func TestServerWithoutRangesIsReadFromItsBeginning(t *testing.T) {
	central := newCentral(t)
	publish(t, central, big(t, 200_000))
	mirror := newMirror(t, central)
	origin, url := lyingOrigin(t, central)
	origin.Lie("objects/*/*", faults.WithoutRanges())
	origin.LieTimes(1, "objects/*/*", faults.CutAfter(100_000))
	_, err := mirror.Sync(t.Context(), node.SyncOptions{From: url})
	must(t, err)
	if _, err := mirror.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestLyingOriginsChangeNothing: each lie is told to a mirror that has a copy.
func TestLyingOriginsChangeNothing(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	old := t.TempDir()
	copyTree(t, repository(central), old)
	publish(t, central, revision("a", 2))
	mirror := newMirror(t, central)
	sync(t, mirror)
	older := faults.NewOrigin(dirFS(old))
	rollback := httptest.NewServer(httpPrefix("/repository/", older))
	defer rollback.Close()
	_, err := mirror.Sync(t.Context(), node.SyncOptions{From: rollback.URL})
	wantKind(t, err, portal.ErrUnverified)

	publish(t, central, revision("a", 3))
	withoutPacks(t, central)
	origin, url := lyingOrigin(t, central)
	cases := []struct {
		name, path string
		lie        faults.Lie
		want       error
	}{
		{"an older timestamp", "metadata/timestamp.json", faults.Older(dirFS(old)), portal.ErrUnverified},
		{"an endless timestamp", "metadata/timestamp.json", faults.Endless(), portal.ErrUnverified},
		{"no timestamp", "metadata/timestamp.json", faults.Status(404), portal.ErrNotFound},
		{"an endless snapshot", "metadata/*.snapshot.json", faults.Endless(), portal.ErrUnverified},
		{"a page instead of the role", "metadata/*.main.json", faults.Replace([]byte("<html>login</html>")), portal.ErrUnverified},
		{"a torn manifest", "d/main/a/*", faults.Truncate(40), portal.ErrUnverified},
		{"no manifest", "d/main/a/*", faults.Status(404), portal.ErrUnverified},
		{"an endless object", "objects/*/*", faults.Endless(), portal.ErrUnverified},
		{"a torn object", "objects/*/*", faults.Truncate(10), portal.ErrUnverified},
		{"no object", "objects/*/*", faults.Status(404), portal.ErrUnverified},
		{"a broken server", "metadata/timestamp.json", faults.Status(500), portal.ErrUnreachable},
		{"an unasked-for root", "metadata/2.root.json", faults.Replace([]byte("{}")), portal.ErrUnverified},
	}
	for _, c := range cases {
		origin.BeHonest()
		origin.Lie(c.path, c.lie)
		_, err := mirror.Sync(t.Context(), node.SyncOptions{From: url})
		wantKind(t, err, c.want)
		if got := titles(t, mirror)["main_a"]; got != "Common a rev2" {
			t.Errorf("after %s the mirror shows %q", c.name, got)
		}
	}
	origin.BeHonest()
	_, err = mirror.Sync(t.Context(), node.SyncOptions{From: url})
	must(t, err)
	if got := titles(t, mirror)["main_a"]; got != "Common a rev3" {
		t.Errorf("after the lies the mirror shows %q", got)
	}
}
