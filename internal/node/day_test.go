package node_test

import (
	"testing"
	"time"

	"koprik/internal/node"
)

// TestWhatIsPublishedAtNightIsOfTheDayInTashkent: the passport has the day that the
// pages show, though the clock of the machine, in UTC, is a day behind.
func TestWhatIsPublishedAtNightIsOfTheDayInTashkent(t *testing.T) {
	dir := t.TempDir()
	o := options()
	o.Clock = func() time.Time { return time.Date(2026, 11, 23, 20, 30, 0, 0, time.UTC) }
	_, err := node.Init(t.Context(), dir, node.InitOptions{
		Config: config(t, "role", "central", "title", "Markaz", "contact", "desk@example.org"),
	}, o)
	must(t, err)
	n := open(t, dir, o)
	publish(t, n, wells(1))
	p := dataset(t, n, "main_wells").Latest.Passport
	if p.Uploaded != "2026-11-24" || p.FirstPublished != "2026-11-24" || p.LastChanged != "2026-11-24" {
		t.Errorf("uploaded %s, first published %s, changed %s", p.Uploaded, p.FirstPublished, p.LastChanged)
	}
}
