package node_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	gosync "sync"
	"sync/atomic"
	"testing"
	"time"

	"koprik/internal/node"
)

// TestNoAnswerMixesTwoGenerations: while a mirror applies 100 generations, 50
// clients read pages and API, and every answer is of one generation: whatever
// revisions it shows are one, and it is the one of the generation it names.
func TestNoAnswerMixesTwoGenerations(t *testing.T) {
	generations, clients := 100, 50
	if testing.Short() {
		generations = 20
	}
	central := newCentral(t)
	mirror := newMirror(t, central)
	apply := func(rev int) int64 {
		publish(t, central, revision("a", rev), revision("b", rev), revision("c", rev))
		return sync(t, mirror).Generation
	}
	var of gosync.Map // generation → revision
	of.Store(fmt.Sprint(apply(0)), "rev0")
	handler, err := mirror.Handler()
	must(t, err)
	server := httptest.NewServer(handler)
	defer server.Close()

	r := &readers{base: server.URL, of: &of}
	for rev := 1; rev <= generations; rev++ {
		// The pages of a generation can be read before its apply returns, so its
		// revision is known before.
		of.Store(fmt.Sprint(generation(t, central)+1), fmt.Sprintf("rev%d", rev))
		var group gosync.WaitGroup
		for i := range clients {
			group.Go(func() { r.read(t, rev+i) })
		}
		apply(rev)
		group.Wait()
		if t.Failed() {
			return
		}
	}
	if all := int64(generations * clients * 3); r.answers.Load() < all*9/10 {
		t.Errorf("only %d of %d answers", r.answers.Load(), all)
	}
	t.Logf("%d answers during %d generations", r.answers.Load(), generations)
}

// readers read pages and remember how many.
type readers struct {
	base    string
	of      *gosync.Map
	answers atomic.Int64
}

var revisions = regexp.MustCompile(`rev[0-9]+`)

// addresses that show revisions of several datasets, of metadata and of rows.
var addresses = []string{
	"/en/search?q=common", "/uz/", "/en/dataset/main_a", "/ru/dataset/main_b/table/t",
	"/api/v1/datasets?q=common", "/api/v1/datasets/main_c", "/api/v1/tables/main_a/t/rows",
}

// read reads three addresses, beginning with the i-th.
func (r *readers) read(t *testing.T, i int) {
	for n := range 3 {
		address := addresses[(i+n)%len(addresses)]
		if err := r.one(address); err != nil {
			t.Errorf("%s: %v", address, err)
			return
		}
	}
}

func (r *readers) one(address string) error {
	resp, err := http.Get(r.base + address)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close() //nolint:errcheck // read to its end
	if resp.StatusCode == http.StatusServiceUnavailable {
		return nil // a machine too busy to answer in time says so, and mixes nothing
	}
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s, %w", resp.Status, err)
	}
	r.answers.Add(1)
	generation := resp.Header.Get("Koprik-Generation")
	want, known := r.of.Load(generation)
	if !known {
		return fmt.Errorf("names the generation %q", generation)
	}
	shown := revisions.FindAllString(string(body), -1)
	if len(shown) == 0 {
		return errors.New("shows no revision")
	}
	for _, got := range shown {
		if got != want {
			return fmt.Errorf("%s in an answer of generation %s, which is %s", got, generation, want)
		}
	}
	return nil
}

// TestCommandsBesideAServerAreShownByIt: the process that serves has the index;
// another one publishes and syncs beside it, and returns when it is shown.
func TestCommandsBesideAServerAreShownByIt(t *testing.T) {
	central := newCentral(t)
	serving, err := central.Serve(t.Context(), "127.0.0.1:0")
	must(t, err)
	defer func() { must(t, serving.Stop()) }()
	beside := open(t, central.Dir(), options())
	if _, err := beside.Serve(t.Context(), "127.0.0.1:0"); err == nil {
		t.Fatal("two processes serve from one directory")
	}
	publish(t, beside, revision("a", 1))
	if got := titles(t, central); got["main_a"] != "Common a rev1" {
		t.Errorf("the server shows %v", got)
	}
	mirror := newMirror(t, central)
	sync(t, mirror)
	mirrorServing, err := mirror.Serve(t.Context(), "127.0.0.1:0")
	must(t, err)
	defer func() { must(t, mirrorServing.Stop()) }()
	publish(t, beside, revision("a", 2))
	sync(t, open(t, mirror.Dir(), options()))
	if got := titles(t, mirror); got["main_a"] != "Common a rev2" {
		t.Errorf("the serving mirror shows %v", got)
	}
}

// TestStoppedCentralChangesNothingOnTheMirror: only its state line gets older.
func TestStoppedCentralChangesNothingOnTheMirror(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	dir := initMirror(t, central)
	m := open(t, dir, options())
	sync(t, m)
	must(t, m.Close())
	must(t, central.Close())

	for _, c := range []struct {
		days int
		want string
	}{{1, "FRESH"}, {8, "STALE"}, {366, "OLD"}} {
		o := options()
		o.Clock = func() time.Time { return day.AddDate(0, 0, c.days) }
		n, err := node.Open(t.Context(), dir, o)
		must(t, err)
		if _, err := n.Sync(t.Context(), node.SyncOptions{From: "http://127.0.0.1:1"}); err == nil {
			t.Error("a sync with nobody there succeeded")
		}
		if got := titles(t, n); got["main_a"] != "Common a rev1" {
			t.Errorf("after %d days the mirror shows %v", c.days, got)
		}
		s, err := n.Status(t.Context())
		must(t, err)
		if string(s.Fresh) != c.want {
			t.Errorf("after %d days: %s, want %s", c.days, s.Fresh, c.want)
		}
		must(t, n.Close())
	}
}
