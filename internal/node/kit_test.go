package node_test

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"koprik/internal/faults"
	"koprik/internal/node"
	"koprik/portal"
)

// day is when the tests take place.
var day = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func options() node.Options {
	return node.Options{
		NoPacks: !packing,
		Version: "test", Clock: func() time.Time { return day }, Environ: func(string) string { return "" },
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), // shown when a test fails
	}
}

// packing is whether nodes of the running test make packs.
var packing bool

// makePacks lets the nodes of a test make packs: most tests are about something
// else, and packs would take most of their time.
func makePacks(t *testing.T) {
	t.Helper()
	packing = true
	t.Cleanup(func() { packing = false })
}

// must ends the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func config(t *testing.T, values ...string) node.Config {
	t.Helper()
	m := map[string]string{}
	for i := 0; i < len(values); i += 2 {
		m[values[i]] = values[i+1]
	}
	c, err := node.SetConfig(m)
	must(t, err)
	return c
}

// open opens a node that is closed with the test.
func open(t *testing.T, dir string, o node.Options) *node.Node {
	t.Helper()
	n, err := node.Open(t.Context(), dir, o)
	must(t, err)
	t.Cleanup(func() { must(t, n.Close()) }) // closing twice is allowed
	return n
}

// newCentral makes a central node with a publisher that has a contact.
func newCentral(t *testing.T) *node.Node {
	t.Helper()
	dir := t.TempDir()
	_, err := node.Init(t.Context(), dir, node.InitOptions{
		Config: config(t, "role", "central", "title", "Markaz", "contact", "desk@example.org"),
	}, options())
	must(t, err)
	return open(t, dir, options())
}

// initMirror makes a mirror that trusts central's repository, and gives its directory.
func initMirror(t *testing.T, central *node.Node) string {
	t.Helper()
	root, err := central.RootOfTrust()
	must(t, err)
	dir := t.TempDir()
	_, err = node.Init(t.Context(), dir, node.InitOptions{
		Config: config(t, "role", "mirror", "title", "Koʻzgu", "upstream", repository(central)), Root: root,
	}, options())
	must(t, err)
	return dir
}

func newMirror(t *testing.T, central *node.Node) *node.Node {
	t.Helper()
	return open(t, initMirror(t, central), options())
}

func repository(n *node.Node) string { return filepath.Join(n.Dir(), "repository") }

// revision is a package whose title, description and rows all say the same revision.
func revision(name string, rev int) node.Input {
	tag := fmt.Sprintf("rev%d", rev)
	var rows strings.Builder
	rows.WriteString("dataset,region,value,revision\n")
	for i := range 5 {
		fmt.Fprintf(&rows, "%s,r%d,%d,%s\n", name, i, rev*10+i, tag)
	}
	return node.Input{Label: name, Name: ".", FS: fstest.MapFS{
		"datapackage.json": {Data: fmt.Appendf(nil, `{"name":%q,"title":"Common %s %s","resources":[{"name":"t","path":"t.csv"}]}`, name, name, tag)},
		"t.csv":            {Data: []byte(rows.String())},
	}}
}

// big is a package with one file of n bytes that cannot be compressed.
func big(t *testing.T, n int) node.Input {
	t.Helper()
	b := make([]byte, n)
	_, err := crand.Read(b)
	must(t, err)
	return node.Input{Label: "big", Name: ".", FS: fstest.MapFS{
		"datapackage.json": {Data: []byte(`{"name":"big","title":"Big","resources":[{"name":"scan","path":"scan.pdf"}]}`)},
		"scan.pdf":         {Data: b},
	}}
}

func publish(t *testing.T, n *node.Node, inputs ...node.Input) node.Published {
	t.Helper()
	out, err := n.Publish(t.Context(), "", inputs)
	must(t, err)
	return out
}

func sync(t *testing.T, n *node.Node) node.SyncReport {
	t.Helper()
	r, err := n.Sync(t.Context(), node.SyncOptions{})
	must(t, err)
	return r
}

// lyingOrigin serves central's repository over HTTP and lies where it is told to.
func lyingOrigin(t *testing.T, central *node.Node) (*faults.Origin, string) {
	t.Helper()
	origin := faults.NewOrigin(os.DirFS(repository(central)))
	server := httptest.NewServer(httpPrefix("/repository/", origin))
	t.Cleanup(server.Close)
	return origin, server.URL
}

// titles are what a node shows: the title of every dataset, by id.
func titles(t *testing.T, n *node.Node) map[portal.DatasetID]string {
	t.Helper()
	v, err := n.View(t.Context())
	must(t, err)
	defer v.Close()
	res, err := v.Search(t.Context(), portal.Query{Limit: portal.MaxLimit})
	must(t, err)
	out := map[portal.DatasetID]string{}
	for _, h := range res.Hits {
		d, err := v.Dataset(t.Context(), h.Dataset)
		must(t, err)
		out[d.ID] = d.Latest.Title.Plain
	}
	return out
}

func generation(t *testing.T, n *node.Node) int64 {
	t.Helper()
	s, err := n.Status(context.WithoutCancel(t.Context()))
	must(t, err)
	return s.State.Generation
}

// wantKind asserts which sentinel an error carries.
func wantKind(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("%v, want %v", err, kind)
	}
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	must(t, os.CopyFS(to, os.DirFS(from)))
}
