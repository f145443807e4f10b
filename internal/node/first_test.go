package node_test

import (
	"context"
	"errors"
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

// firstSync brings a new mirror the catalogue over a link, in as many rounds as it
// takes, and gives the last one's report and how long it was. It runs in a bubble,
// whose time passes on the line and not by what the machine computes.
func firstSync(t *testing.T, c traveller, link *faults.Link) (r mirror.Report, took time.Duration) {
	t.Helper()
	source := overNetwork(t, link, httpPrefix("/repository/", faults.NewOrigin(faults.Tree(disk.Sub(c.disk, "repository")))))
	m := newMachine(disktest.New())
	m.init(t, c.root)
	var err error
	began := time.Now()
	for range 100 {
		r, err = m.mirror().Round(t.Context(), source, mirror.RoundOptions{Apply: func(context.Context, portal.Change) error { return nil }})
		if !errors.Is(err, portal.ErrUnreachable) {
			must(t, err)
			break
		}
	}
	must(t, err)
	return r, time.Since(began)
}

// overNetwork serves h in memory until the test ends, and gives it as a source on the
// other side of a link. In a bubble its time is the bubble's.
func overNetwork(t *testing.T, link *faults.Link, h http.Handler) mirror.Source {
	t.Helper()
	network := faults.NewNetwork()
	server := &http.Server{Handler: h} //nolint:gosec // in memory
	go server.Serve(network)           //nolint:errcheck // ends with Close
	t.Cleanup(func() { _ = server.Close() })
	transport := &http.Transport{DialContext: link.Dial(network.Dial), MaxIdleConnsPerHost: mirror.MaxRequests, MaxConnsPerHost: mirror.MaxRequests}
	t.Cleanup(transport.CloseIdleConnections)
	source, err := mirror.HTTP("http://centre", &http.Client{Transport: transport})
	must(t, err)
	return source
}

// TestAFirstSyncWaitsLittle: of a first sync over a thin line at most a tenth of the
// time is spent waiting while the line is empty, over a satellite's little more than
// a third (four fifths with four requests at a time).
func TestAFirstSyncWaitsLittle(t *testing.T) {
	c := catalogueOf600(t)
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
				r, took := firstSync(t, c, link)
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

// TestLossAndCutsCostAFirstSyncWhatWasUnderWay: on the thin line with 30 % of all
// segments lost and a cut every 20 s nothing that came is asked for again. What was
// under way at a cut is lost: some 8 KB of the 160 that the line carries between two,
// whether few requests share it or many.
func TestLossAndCutsCostAFirstSyncWhatWasUnderWay(t *testing.T) {
	c := catalogueOf600(t)
	carried := map[bool]int64{}
	for _, bad := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			link, rng := &faults.Link{Delay: 300 * time.Millisecond, Rate: 8_000}, seeded(30, 20)
			if bad {
				link.CutAge = 20 * time.Second
				link.Lost = func(int) bool { return rng.IntN(100) < 30 }
			}
			_, took := firstSync(t, c, link)
			up, down, conns := link.Carried()
			carried[bad] = up + down
			t.Logf("bad %t: %d bytes up, %d down, over %d connections, in %v", bad, up, down, conns, took.Round(time.Second))
		})
	}
	if ratio := float64(carried[true]) / float64(carried[false]); ratio > 1.10 {
		t.Errorf("loss and cuts cost %.3f of the bytes", ratio)
	}
}
