package node_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"koprik/internal/node"
	"koprik/portal"
)

// districts is a package whose table has names that stand nowhere else.
func districts(values ...string) node.Input {
	return node.Input{Label: "suv", Name: ".", FS: fstest.MapFS{
		"datapackage.json": {Data: []byte(`{"name": "suv", "title": "Ichimlik suvi", "resources": [{"name": "t", "path": "t.csv"}]}`)},
		"t.csv":            {Data: []byte("tuman,hajm\n" + strings.Join(values, ",1\n") + ",1\n")},
	}}
}

// found gives the names of the datasets that a search finds.
func found(t *testing.T, n *node.Node, q portal.Query) []portal.Hit {
	t.Helper()
	v, err := n.View(t.Context())
	must(t, err)
	defer v.Close()
	results, err := v.Search(t.Context(), q)
	must(t, err)
	return results.Hits
}

func TestTheNameOfADistrictFindsItsTablesOnEveryNode(t *testing.T) {
	central := newCentral(t)
	publish(t, central, districts("Chirchiq", "Zangiota"))
	mirror := newMirror(t, central)
	sync(t, mirror)
	for _, n := range []*node.Node{central, mirror} {
		for _, text := range []string{"Chirchiq", "Чирчиқда", "zangiota"} {
			hits := found(t, n, portal.Query{Text: text})
			if len(hits) != 1 || hits[0].Dataset != "main_suv" || len(hits[0].Matched) != 1 || hits[0].Matched[0] != "value" {
				t.Errorf("%q: %+v", text, hits)
			}
		}
	}
	publish(t, central, districts("Olmaliq"))
	if hits := found(t, central, portal.Query{Text: "Chirchiq"}); len(hits) != 0 {
		t.Errorf("what is in the table no longer is found: %+v", hits)
	}
	if hits := found(t, central, portal.Query{Text: "Olmaliq"}); len(hits) != 1 {
		t.Errorf("what is new in the table is not found: %+v", hits)
	}
}

func TestAnIndexThatIsBuiltAgainKnowsTheTables(t *testing.T) {
	central := newCentral(t)
	publish(t, central, districts("Chirchiq", "Zangiota"))
	must(t, central.Close())
	must(t, os.RemoveAll(filepath.Join(central.Dir(), "index")))
	if hits := found(t, open(t, central.Dir(), options()), portal.Query{Text: "Chirchiq"}); len(hits) != 1 {
		t.Errorf("found %+v", hits)
	}
}

func TestANodesOwnSynonymsAreReadAtItsStart(t *testing.T) {
	central := newCentral(t)
	publish(t, central, districts("Chirchiq"))
	must(t, central.Close())
	path := filepath.Join(central.Dir(), "synonyms.toml")
	must(t, os.WriteFile(path, []byte("[[group]]\nuz = [\"obi hayot\", \"ichimlik suvi\"]\n"), 0o600))
	n := open(t, central.Dir(), options())
	if hits := found(t, n, portal.Query{Text: "обиҳаёт"}); len(hits) != 0 {
		t.Errorf("found %+v", hits)
	}
	if hits := found(t, n, portal.Query{Text: "оби ҳаёт"}); len(hits) != 1 {
		t.Errorf("by a synonym: %+v", hits)
	}
	must(t, n.Close())
	for table, where := range map[string]string{
		"[[group]]\nuz = [\"suv\n":         "line 2",
		"[[group]]\nde = [\"Wasser\"]\n":   "group 1",
		"[[group]]\nuz = [\"a\"]\nx = 1\n": "synonyms.toml",
		"[group]\n":                        "synonyms.toml",
	} {
		must(t, os.WriteFile(path, []byte(table), 0o600))
		_, err := node.Open(t.Context(), central.Dir(), options())
		wantKind(t, err, portal.ErrRejected)
		if !strings.Contains(err.Error(), "synonyms.toml") || !strings.Contains(err.Error(), where) {
			t.Errorf("%q: %v", table, err)
		}
	}
}
