package node_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/internal/faults"
	"koprik/portal"
	"koprik/sync/mirror"
	"koprik/sync/origin"
)

// catalogueOf600 is a centre with 600 tables of 1 to 50 KB that compress by half.
func catalogueOf600(t *testing.T) traveller {
	t.Helper()
	c, rng := newTraveller(t, 0), seeded(600, 1)
	batch := origin.Batch{Publisher: "main"}
	for i := range 600 {
		id := portal.DatasetID(fmt.Sprintf("main_d%d", i))
		data := []byte("region,value\n")
		for range 50 + rng.IntN(3000) {
			data = fmt.Appendf(data, "r%d,%012d\n", rng.IntN(14), rng.Int64N(1e12))
		}
		b, err := c.releaseOf(id, 1, origin.Listed{}, data)
		must(t, err)
		batch.Manifests = append(batch.Manifests, portal.SignedManifest{Dataset: id, Number: 1, Bytes: b})
	}
	_, err := c.origin().Publish(t.Context(), []origin.Batch{batch})
	must(t, err)
	return c
}

// TestAFirstSyncWaitsLittle: of a first sync over a thin line at most a tenth of the
// time is spent waiting while the line is empty, over a satellite's little more than
// a third (four fifths with four requests at a time).
// Time is the bubble's: what the machine computes takes none.
func TestAFirstSyncWaitsLittle(t *testing.T) {
	c := catalogueOf600(t)
	repo := disk.Sub(c.disk, "repository")
	for _, line := range []struct {
		name    string
		rate    int64 // bytes a second
		waiting float64
	}{
		{"64 kbit/s", 8_000, 0.10},
		{"2 Mbit/s", 250_000, 0.36},
	} {
		t.Run(line.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				link := &faults.Link{Delay: 300 * time.Millisecond, Rate: line.rate}
				network := faults.NewNetwork()
				server := &http.Server{Handler: httpPrefix("/repository/", faults.NewOrigin(faults.Tree(repo)))} //nolint:gosec // in memory
				go server.Serve(network)                                                                         //nolint:errcheck // ends with Close
				defer server.Close()                                                                             //nolint:errcheck // in memory
				transport := &http.Transport{DialContext: link.Dial(network.Dial), MaxIdleConnsPerHost: mirror.MaxRequests, MaxConnsPerHost: mirror.MaxRequests}
				defer transport.CloseIdleConnections()
				m := newMachine(disktest.New())
				m.init(t, c.root)
				source, err := mirror.HTTP("http://centre", &http.Client{Transport: transport})
				must(t, err)
				began := time.Now()
				r, err := m.mirror().Round(t.Context(), source, mirror.RoundOptions{Apply: func(context.Context, portal.Change) error { return nil }})
				must(t, err)
				took := time.Since(began)
				_, down, conns := link.Carried()
				waiting := 1 - float64(down)/float64(line.rate)/took.Seconds()
				t.Logf("%d bytes in %d requests, over %d connections, in %v: %.0f %% of it waiting", down, r.Requests, conns, took.Round(time.Second), 100*waiting)
				if len(r.Plan) != 600 || waiting > line.waiting {
					t.Errorf("%d contents came, and %.2f of the time was spent waiting; at most %.2f are allowed", len(r.Plan), waiting, line.waiting)
				}
			})
		})
	}
}
