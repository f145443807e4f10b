package node_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"koprik/internal/node"
	"koprik/portal"
)

// firstRoot is what a new node of a repository begins with.
func firstRoot(t *testing.T, central *node.Node) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(repository(central), "metadata", "1.root.json"))
	must(t, err)
	return b
}

// TestAPublisherMovesToANodeOfItsOwnWithItsWholeHistory: the centre has signed for
// "health" until now; the office takes its datasets over, signs them anew, and
// publishes on.
func TestAPublisherMovesToANodeOfItsOwnWithItsWholeHistory(t *testing.T) {
	central := newCentral(t)
	must(t, central.AddPublisher(t.Context(), "health", "Sogʻliq", "desk@health.example.org"))
	publish(t, central, revision("own", 1))
	for rev := 1; rev <= 3; rev++ {
		_, err := central.Publish(t.Context(), "health", []node.Input{revision("a", rev)})
		must(t, err)
	}
	_, err := central.Publish(t.Context(), "health", []node.Input{revision("b", 1)})
	must(t, err)
	_, err = central.Withdraw(t.Context(), "health_b", portal.PlainText("names of persons"))
	must(t, err)
	m := newMirror(t, central)
	sync(t, m)
	url := serveHTTP(t, central, nil)

	agency := newAgency(t, nil, "health")
	for range 2 { // run again, it finds nothing new
		moved, err := agency.Move(t.Context(), "health", url, firstRoot(t, central))
		must(t, err)
		if moved.Datasets != 2 || moved.Releases != 5 || moved.Generation != generation(t, agency) {
			t.Errorf("%+v, generation %d", moved, generation(t, agency))
		}
	}
	if got := titles(t, agency); !maps.Equal(got, map[portal.DatasetID]string{"health_a": "Common a rev3"}) {
		t.Errorf("the agency shows %v", got)
	}
	if d := dataset(t, agency, "health_a"); len(d.History) != 3 || d.Publisher.Title.Plain != "Sogʻliq" {
		t.Errorf("%+v", d)
	}
	for rev := 1; rev <= 3; rev++ { // an agency holds all of them, for ever
		if _, _, err := objectOf(t, agency, resources(t, agency, "health_a", rev)[0].Hash); err != nil {
			t.Error(err)
		}
	}
	tombstone(t, agency, "health_b", "names of persons")
	_, err = agency.Verify(t.Context())
	must(t, err)

	_, err = central.Delegate(t.Context(), "health", 0, []node.KeyFile{givenKey(t, agency, "health")})
	must(t, err)
	if r := sync(t, m); !slices.Equal(r.Suspended, []portal.PublisherID{"health"}) {
		t.Errorf("%+v", r)
	}
	_, err = agency.HandOver(t.Context(), url)
	must(t, err)
	publish(t, agency, revision("a", 4))
	if out, err := agency.HandOver(t.Context(), url); err != nil || out.Objects != 2 {
		t.Errorf("%+v, %v: a manifest and a file are new", out, err)
	}
	if r := sync(t, m); len(r.Suspended) > 0 {
		t.Errorf("%+v", r)
	}
	key := keyOf(t, agency, "health").ID
	for _, n := range []*node.Node{central, m, newMirrorOf(t, central)} {
		wantSigner(t, n, "health_a", key)
		if d := dataset(t, n, "health_a"); d.Latest.Number != 4 || len(d.History) != 4 {
			t.Errorf("%s: %+v", n.Dir(), d.History)
		}
		tombstone(t, n, "health_b", "names of persons")
	}
}

func newMirrorOf(t *testing.T, central *node.Node) *node.Node {
	t.Helper()
	m := newMirror(t, central)
	sync(t, m)
	return m
}

func objectOf(t *testing.T, n *node.Node, d portal.Digest) (int64, bool, error) {
	t.Helper()
	v, err := n.View(t.Context())
	must(t, err)
	defer v.Close()
	o, size, err := v.Object(t.Context(), d)
	if err != nil {
		return 0, false, err
	}
	return size, true, o.Close()
}

func TestAMoveRefusesWhatCannotBeJoined(t *testing.T) {
	central := newCentral(t)
	must(t, central.AddPublisher(t.Context(), "health", "Sogʻliq", "desk@health.example.org"))
	_, err := central.Publish(t.Context(), "health", []node.Input{revision("a", 1)})
	must(t, err)
	agency, other := newAgency(t, nil, "health"), newAgency(t, nil, "health")
	publish(t, agency, revision("a", 7)) // another first release under the same name
	_, err = agency.Move(t.Context(), "health", repository(central), firstRoot(t, central))
	wantKind(t, err, portal.ErrRejected)
	_, err = other.Move(t.Context(), "health", repository(central), firstRoot(t, newCentral(t)))
	wantKind(t, err, portal.ErrUnverified)
	_, err = other.Move(t.Context(), "nobody", repository(central), firstRoot(t, central))
	wantKind(t, err, portal.ErrRejected)
	_, err = newMirror(t, central).Move(t.Context(), "health", repository(central), firstRoot(t, central))
	wantKind(t, err, portal.ErrUsage)
	if got := titles(t, other); len(got) > 0 {
		t.Errorf("%v", got)
	}
	if _, err := os.Stat(filepath.Join(other.Dir(), "staging", "move")); err == nil {
		t.Error("something is left in staging/")
	}
	// What the office has published since stays when the centre is behind.
	_, err = other.Move(t.Context(), "health", repository(central), firstRoot(t, central))
	must(t, err)
	publish(t, other, revision("a", 2))
	_, err = other.Move(t.Context(), "health", repository(central), firstRoot(t, central))
	wantKind(t, err, portal.ErrRejected)
	if d := dataset(t, other, "health_a"); d.Latest.Number != 2 {
		t.Errorf("release %d", d.Latest.Number)
	}
}

// TestAnAgencyOfTwoKeysSignsWithTheOneThatIsBrought: one key on its server, one in
// a safe; the centre asks for both.
func TestAnAgencyOfTwoKeysSignsWithTheOneThatIsBrought(t *testing.T) {
	central := newCentral(t)
	agency := newAgency(t, nil, "health")
	_, safe, _ := keyFile(t)
	first := givenKey(t, agency, "health")
	_, err := agency.KeyThreshold(t.Context(), "health", 2, []node.KeyFile{safe})
	must(t, err)
	public := safe
	public.Private = nil
	_, err = central.Delegate(t.Context(), "health", 2, []node.KeyFile{first, public})
	must(t, err)
	url := serveHTTP(t, central, nil)
	_, err = agency.Publish(t.Context(), "", []node.Input{revision("a", 1)})
	wantKind(t, err, portal.ErrUsage)
	_, err = agency.HandOver(t.Context(), url)
	wantKind(t, err, portal.ErrUsage)
	agency.Bring(safe)
	publish(t, agency, revision("a", 1))
	_, err = agency.HandOver(t.Context(), url)
	must(t, err)
	m := newMirrorOf(t, central)
	for _, n := range []*node.Node{central, m} {
		if d := dataset(t, n, "health_a"); len(d.Signers) != 2 || d.Suspended {
			t.Errorf("%s: signed by %v", n.Dir(), d.Signers)
		}
	}
}
