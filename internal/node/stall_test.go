package node_test

import (
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"koprik/internal/disk/disktest"
	"koprik/internal/faults"
	"koprik/portal"
	"koprik/sync/mirror"
)

// TestSilentServerIsGivenUp: a server that takes the request and then says
// nothing does not hold a sync for ever.
func TestSilentServerIsGivenUp(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	root, err := central.RootOfTrust()
	must(t, err)
	synctest.Test(t, func(t *testing.T) {
		origin := faults.NewOrigin(os.DirFS(repository(central)))
		origin.Lie("metadata/*.main.json", faults.StallAfter(100))
		network := faults.NewNetwork()
		server := &http.Server{Handler: httpPrefix("/repository/", origin)} //nolint:gosec // in memory
		go server.Serve(network)                                            //nolint:errcheck // ends with Close
		defer server.Close()                                                //nolint:errcheck // in memory
		transport := &http.Transport{DialContext: network.Dial}
		defer transport.CloseIdleConnections()
		m := newMachine(disktest.New())
		m.init(t, root)
		source, err := mirror.HTTP("http://centre", &http.Client{Transport: transport})
		must(t, err)
		began := time.Now()
		_, err = m.mirror().Round(t.Context(), source, mirror.RoundOptions{})
		wantKind(t, err, portal.ErrUnreachable)
		if waited := time.Since(began); waited > 2*time.Minute {
			t.Errorf("gave up after %v", waited)
		}
	})
}
