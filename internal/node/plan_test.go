package node_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"koprik/internal/node"
)

// lines is a table of many rows of which one says the revision.
func lines(name string, rev int) node.Input {
	var rows strings.Builder
	rows.WriteString("region,value\n")
	rng := seeded(9, 9)
	for i := range 3000 {
		value := rng.IntN(1e9)
		if i == 1500 {
			value = rev
		}
		fmt.Fprintf(&rows, "r%d,%d\n", i, value)
	}
	return node.Input{Label: name, Name: ".", FS: fstest.MapFS{
		"datapackage.json": {Data: fmt.Appendf(nil, `{"name":%q,"title":%q,"resources":[{"name":"t","path":"t.csv"}]}`, name, name)},
		"t.csv":            {Data: []byte(rows.String())},
	}}
}

// TestADryRunSaysByWhichWayAndHowMuchAndChangesNothing: and what comes then, came
// so, for no more than was said.
func TestADryRunSaysByWhichWayAndHowMuchAndChangesNothing(t *testing.T) {
	central := newCentral(t)
	_, upstream := lyingOrigin(t, central) // an honest one
	publish(t, central, lines("a", 1))
	m := open(t, initMirror(t, central), with("upstream", upstream))
	dry := func() node.SyncPlan {
		t.Helper()
		before := generation(t, m)
		r, err := m.Sync(t.Context(), node.SyncOptions{DryRun: true})
		must(t, err)
		p, err := m.Plan(t.Context(), r.Report)
		must(t, err)
		if generation(t, m) != before || p.Files != 1 || len(p.Datasets) != 1 {
			t.Fatalf("%+v", p)
		}
		return p
	}
	p := dry()
	if f := p.Datasets[0].Files[0]; f.Way != "whole" || p.Rate != 0 || p.Takes != 0 {
		t.Errorf("first: %+v", p)
	}
	r := sync(t, m)
	if r.Ways["whole"] != 1 || r.BytesDown > p.AtMost+20<<10 {
		t.Errorf("came by %v with %d bytes", r.Ways, r.BytesDown)
	}
	publish(t, central, lines("a", 2))
	p = dry()
	f := p.Datasets[0].Files[0]
	r = sync(t, m)
	if r.Ways[f.Way] != 1 {
		t.Errorf("would come by %s, and came by %v", f.Way, r.Ways)
	}
	t.Logf("a row of 3,000: by %s, at most %d bytes of %d; the round brought %d", f.Way, f.AtMost, f.Resource.Bytes, r.BytesDown)
}
