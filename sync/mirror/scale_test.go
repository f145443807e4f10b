package mirror_test

import (
	"fmt"
	"strings"
	"testing"

	"koprik/internal/disk"
	"koprik/portal"
)

// A verdict is believed of the bytes and the keys that it was given of, and of
// nothing else; without it the role is verified.
func TestARoleThatHasNotChangedIsNotVerifiedAgain(t *testing.T) {
	u := newUpstream(t)
	for _, p := range []portal.PublisherID{"agro", "trade"} {
		must(t, u.Origin().AddPublisher(t.Context(), p))
		u.Publish(p, map[string][]byte{"a": rows(5, 1, 5)})
	}
	u.Publish("main", map[string][]byte{"a": rows(5, 1, 5)})
	f, source := follow(t, u), u.source()
	f.mustRound(source)
	f.open() // as the next process does
	all := f.vets("after a round", 0)
	u.Publish("trade", map[string][]byte{"a": rows(5, 2, 5)})
	f.mustRound(source)
	f.vets("after another", 0)

	tree := f.disk.Tree()
	spoil := func(name string, at int) {
		t.Helper()
		b := []byte(tree[name])
		b[at] ^= 1
		must(t, disk.WriteFile(f.disk, name, b))
	}
	spoil("trust/vetted", len(tree["trust/vetted"])/2)
	f.vets("with verdicts that rotted", all)
	must(t, disk.WriteFile(f.disk, "trust/vetted", []byte(tree["trust/vetted"])))
	for name := range tree {
		if strings.HasPrefix(name, "trust/") && strings.HasSuffix(name, ".agro.json") {
			spoil(name, len(tree[name])/2)
			if again, believed, err := f.Vetted(); err != nil || len(again) != 0 || len(believed) != all-1 {
				t.Errorf("a role that rotted: %v verified, %v believed, %v", again, believed, err)
			}
		}
	}
	f.mustRound(source) // mends it
	f.vets("mended", 0)

	_, err := u.Origin().Rotate(t.Context(), "agro", "", nil)
	must(t, err)
	f.mustRound(source)
	f.vets("under another key", 0)
	if f.shows["agro_a"] != 1 || f.shows["trade_a"] != 2 {
		t.Errorf("it shows %v", f.shows)
	}
}

// vets checks how many roles are verified again when trust/ is read, and gives how
// many there are.
func (f *follower) vets(when string, want int) int {
	f.Helper()
	again, believed, err := f.Vetted()
	must(f, err)
	if len(again) != want {
		f.Errorf("%s: %v are verified again, %v believed", when, again, believed)
	}
	return len(again) + len(believed)
}

// A change of one dataset among a thousand comes in one request of a few
// kilobytes (spec/sync.md; of a hundred thousand: docs/reference/speed.md).
func TestARoundCostsWhatChangedAndNotWhatThereIs(t *testing.T) {
	if testing.Short() {
		t.Skip("a thousand datasets")
	}
	u := newUpstream(t)
	all := map[string][]byte{}
	for i := range 1000 {
		all[fmt.Sprintf("d%d", i)] = rows(2, i, 1)
	}
	u.Publish("main", all)
	f, source := follow(t, u), u.source()
	if r := f.mustRound(source); len(r.Added) != 1000 {
		t.Fatalf("%d datasets came", len(r.Added))
	}
	u.Publish("main", map[string][]byte{"d77": rows(2, 1001, 1)})
	u.pack()
	r := f.mustRound(source)
	if r.Requests != 1 || r.BytesDown > 8<<10 || len(r.Updated) != 1 || f.shows["main_d77"] != 2 {
		t.Errorf("%d requests, %d bytes, %d updated", r.Requests, r.BytesDown, len(r.Updated))
	}
	t.Logf("one of 1,000: %d bytes down, %d up", r.BytesDown, r.BytesUp)
}
