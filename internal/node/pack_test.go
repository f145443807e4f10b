package node_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"koprik/internal/faults"
	"koprik/internal/node"
	"koprik/portal"
	"koprik/sync/carrier"
)

// table is a package with one file of rows, of which every changed-th differs
// between revisions.
func table(name string, rows, rev, changed int) node.Input {
	var b strings.Builder
	b.WriteString("region,year,value,note\n")
	for i := range rows {
		v := i * 7919 % 10007
		if changed > 0 && i%changed == 0 {
			v += rev
		}
		fmt.Fprintf(&b, "region %d,%d,%d,%x\n", i%14, 2000+i%25, v, uint64(i)*2654435761)
	}
	return node.Input{Label: name, Name: ".", FS: fstest.MapFS{
		"datapackage.json": {Data: fmt.Appendf(nil, `{"name":%q,"title":"Table %s rev%d","resources":[{"name":"t","path":"t.csv"}]}`, name, name, rev)},
		"t.csv":            {Data: []byte(b.String())},
	}}
}

// overHTTP is a mirror that follows central over HTTP, from an origin that may lie.
func overHTTP(t *testing.T, central *node.Node) (*node.Node, *faults.Origin, string) {
	t.Helper()
	mirror := newMirror(t, central)
	origin, url := lyingOrigin(t, central)
	from(t, mirror, url)
	origin.Forget()
	return mirror, origin, url
}

func from(t *testing.T, n *node.Node, url string) node.SyncReport {
	t.Helper()
	r, err := n.Sync(t.Context(), node.SyncOptions{From: url})
	must(t, err)
	return r
}

// withoutPacks makes mirrors of central walk, and ask for every file.
func withoutPacks(t *testing.T, central *node.Node) {
	t.Helper()
	must(t, os.RemoveAll(filepath.Join(repository(central), "from")))
}

// paths are what was asked for.
func paths(o *faults.Origin) (list []string) {
	for _, r := range o.Requests() {
		list = append(list, fmt.Sprintf("%s %d", r.Path, r.Status))
	}
	return list
}

func TestAChangedRoundIsOneRequest(t *testing.T) {
	makePacks(t)
	central := newCentral(t)
	publish(t, central, table("a", 2000, 1, 50), revision("b", 1))
	mirror, origin, url := overHTTP(t, central)
	publish(t, central, table("a", 2000, 2, 50), revision("c", 1))
	r := from(t, mirror, url)
	if len(origin.Requests()) != 1 || r.Requests != 1 || len(r.Updated) != 1 || len(r.Added) != 1 {
		t.Errorf("asked for %v: %+v", paths(origin), r.Report)
	}
	if got := titles(t, mirror)["main_a"]; got != "Table a rev2" {
		t.Errorf("the mirror shows %q", got)
	}
	if _, err := mirror.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	t.Logf("%d bytes of body", r.BytesDown)
}

func TestAnUnchangedRoundIsOneSmallRequest(t *testing.T) {
	makePacks(t)
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	mirror, origin, url := overHTTP(t, central)
	for i := range 3 {
		origin.Forget()
		r := from(t, mirror, url)
		if list := origin.Requests(); len(list) != 1 || list[0].Status != 304 || r.Generation != r.Previous || r.BytesDown+r.BytesUp > 700 {
			t.Errorf("round %d asked for %v: %+v", i, paths(origin), r.Report)
		}
	}
}

// TestARelayMakesPacksOfItsOwn: a mirror of a mirror has rounds of one request,
// too, by patches that the first one got and passes on.
func TestARelayMakesPacksOfItsOwn(t *testing.T) {
	makePacks(t)
	central := newCentral(t)
	publish(t, central, table("a", 3000, 1, 3))
	first, _, url := overHTTP(t, central)
	second, origin, relayed := overHTTP(t, first)
	publish(t, central, table("a", 3000, 2, 3))
	from(t, first, url)
	r := from(t, second, relayed)
	if len(origin.Requests()) != 1 || len(r.Updated) != 1 || r.Ways["pack"] != 1 {
		t.Errorf("asked for %v: %+v", paths(origin), r.Report)
	}
	if got := titles(t, second)["main_a"]; got != "Table a rev2" {
		t.Errorf("the mirror of the mirror shows %q", got)
	}
}

func TestWithdrawnContentsLeaveThePacks(t *testing.T) {
	makePacks(t)
	central := newCentral(t)
	publish(t, central, table("a", 300, 1, 3))
	mirror, _, url := overHTTP(t, central)
	publish(t, central, table("a", 300, 2, 3))
	from(t, mirror, url)
	secret := resources(t, central, "main_a", 2)[0]
	_, err := central.Withdraw(t.Context(), "main_a", portal.PlainText("names of persons"))
	must(t, err)
	from(t, mirror, url)
	for _, n := range []*node.Node{central, mirror} {
		if _, err := os.Stat(filepath.Join(repository(n), "patches", secret.Hash.Hex()[:2], secret.Hash.Hex())); err == nil {
			t.Errorf("%s still gives away patches to what was withdrawn", n.Dir())
		}
		packs, err := filepath.Glob(filepath.Join(repository(n), "from", "[0-9]*"))
		must(t, err)
		for _, name := range packs {
			f, err := os.Open(name)
			must(t, err)
			p, err := carrier.OpenPack(f)
			must(t, err)
			if p.To != generation(t, central) || len(p.Objects) > 0 {
				t.Errorf("%s leads to %d with %d contents", name, p.To, len(p.Objects))
			}
			must(t, f.Close())
		}
	}
}
