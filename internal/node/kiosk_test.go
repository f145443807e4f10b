package node_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"koprik/internal/node"
	"koprik/portal"
)

// TestAKioskHasAListenerOfItsOwnAndNothingForPrograms: the pages of a public
// screen stand beside the others, of the same generation.
func TestAKioskHasAListenerOfItsOwnAndNothingForPrograms(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	dir := central.Dir()
	must(t, central.Close())
	o := options()
	o.Flags = map[string]string{"kiosk_listen": "127.0.0.1:0"}
	n := open(t, dir, o)
	serving, err := n.Serve(t.Context(), "127.0.0.1:0")
	must(t, err)
	defer func() { must(t, serving.Stop()) }()
	if serving.Kiosk == "" || serving.Kiosk == serving.Addr {
		t.Fatalf("pages on %q, kiosk on %q", serving.Addr, serving.Kiosk)
	}
	for path, want := range map[string]int{
		"/kiosk/": 200, "/uz/dataset/main_a": 200, "/api/v1/status": 404, "/repository/metadata/1.root.json": 404, "/desk/": 404, "/healthz": 404,
	} {
		res, err := http.Get("http://" + serving.Kiosk + path)
		must(t, err)
		body, err := io.ReadAll(res.Body)
		must(t, err)
		must(t, res.Body.Close())
		if res.StatusCode != want || !strings.Contains(string(body), `class="kiosk"`) {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	res, err := http.Get("http://" + serving.Addr + "/kiosk/")
	must(t, err)
	must(t, res.Body.Close())
	if res.StatusCode != 404 {
		t.Errorf("the other pages have /kiosk/: %d", res.StatusCode)
	}
}

// TestAKioskWhosePortIsTakenStopsTheStart: half a start would be found too late.
func TestAKioskWhosePortIsTakenStopsTheStart(t *testing.T) {
	central := newCentral(t)
	serving, err := central.Serve(t.Context(), "127.0.0.1:0")
	must(t, err)
	defer func() { must(t, serving.Stop()) }()
	o := options()
	o.Flags = map[string]string{"kiosk_listen": serving.Addr}
	other := newCentral(t)
	must(t, other.Close())
	n, err := node.Open(t.Context(), other.Dir(), o)
	must(t, err)
	defer func() { must(t, n.Close()) }()
	if _, err := n.Serve(t.Context(), "127.0.0.1:0"); !errors.Is(err, portal.ErrUnavailable) || !strings.Contains(err.Error(), "--kiosk-listen") {
		t.Errorf("got %v", err)
	}
}
