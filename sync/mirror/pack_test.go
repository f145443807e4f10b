package mirror_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"koprik/internal/disk"
	"koprik/internal/faults"
	"koprik/portal"
	"koprik/sync/carrier"
	"koprik/sync/mirror"
)

func TestAChangedRoundIsOneRequestAndAnUnchangedOneASmallOne(t *testing.T) {
	u := newUpstream(t)
	u.Publish("main", map[string][]byte{"a": rows(2000, 1, 50), "b": rows(20, 1, 5)})
	u.pack()
	f, source := follow(t, u), u.source()
	f.mustRound(source)
	u.Publish("main", map[string][]byte{"a": rows(2000, 2, 50), "c": rows(21, 1, 5)})
	u.pack()
	u.web.Forget()
	if r := f.mustRound(source); len(u.web.Requests()) != 1 || len(r.Updated) != 1 || len(r.Added) != 1 || r.Ways["pack"] != 2 {
		t.Errorf("asked for %v: %+v", u.web.Requests(), r)
	}
	f.holds(rows(2000, 2, 50), rows(21, 1, 5))
	for range 3 {
		u.web.Forget()
		r := f.mustRound(source)
		if list := u.web.Requests(); len(list) != 1 || list[0].Status != 304 || r.Generation != r.Previous {
			t.Errorf("unchanged, and asked for %v: %+v", list, r)
		}
	}
}

// behind is a mirror one publication behind a centre with packs: main_a has
// changed, main_c is new.
func behind(t *testing.T) (*upstream, *follower, string) {
	t.Helper()
	u := newUpstream(t)
	k := u.Publish("main", map[string][]byte{"a": rows(500, 1, 20), "b": rows(20, 1, 5)})
	u.pack()
	f := follow(t, u)
	f.mustRound(u.source())
	u.Publish("main", map[string][]byte{"a": rows(500, 2, 20), "c": rows(30, 1, 5)})
	u.pack()
	u.web.Forget()
	return u, f, carrier.PackPath(k)
}

// TestAPackThatIsWrongAnywhereCostsAnotherWay: whatever is done to it, the mirror
// gets there and nobody is told.
func TestAPackThatIsWrongAnywhereCostsAnotherWay(t *testing.T) {
	u, f, name := behind(t)
	older := carrier.Pack{From: f.have, To: f.have, Head: []byte("x")}
	var stale bytes.Buffer
	must(t, carrier.WritePack(&stale, older))
	elsewhere := newUpstream(t)
	elsewhere.Publish("main", map[string][]byte{"x": rows(10, 1, 2)})
	elsewhere.Publish("main", map[string][]byte{"x": rows(10, 2, 2)})
	elsewhere.pack()
	lies := map[string]faults.Lie{
		"none":                  faults.Status(404),
		"forbidden":             faults.Status(403),
		"a broken server":       faults.Status(500),
		"a page":                faults.Replace([]byte("<html>login</html>")),
		"nothing":               faults.Truncate(0),
		"endless":               faults.Endless(),
		"longer":                faults.Append([]byte("more")),
		"without ranges":        faults.WithoutRanges(),
		"of another repository": faults.Older(faults.Tree(elsewhere.Repository())),
		"always cut":            faults.CutAfter(100),
		"claims a huge head":    faults.Replace([]byte("KPP\x02\x02\x03\xff\xff\xff\xff\xff\x0f")),
		"claims a huge table":   faults.Replace([]byte("KPP\x02\x02\x03\x01x\xff\xff\xff\xff\xff\x0f")),
		"of a snapshot to come": faults.Replace([]byte("KPP\x02\x02\xff\x7f\x01x\x00")),
		"a head that is none":   faults.Replace(stale.Bytes()),
	}
	size := len(u.File(name))
	for at := 0; at < size; at += max(1, size/20) {
		lies[fmt.Sprintf("flipped at %d", at)] = faults.FlipByte(at)
		lies[fmt.Sprintf("torn at %d", at)] = faults.Truncate(at)
	}
	source := u.source()
	for what, lie := range lies {
		m := f.copied()
		u.web.BeHonest()
		u.web.Lie("from/*", lie)
		r, err := m.round(source)
		if err != nil || r.Note != "" {
			t.Errorf("%s: %v, %q", what, err, r.Note)
		}
		if m.shows["main_a"] != 2 || m.shows["main_c"] != 1 {
			t.Errorf("%s: the mirror shows %v", what, m.shows)
		}
		m.holds(rows(500, 2, 20), rows(30, 1, 5))
	}
}

// TestAPackOfAnotherFormIsPassedByWithANote: an upstream of another version is
// walked, and whoever looks after the node is told why.
func TestAPackOfAnotherFormIsPassedByWithANote(t *testing.T) {
	u, f, name := behind(t)
	for _, form := range []byte{1, 3} {
		m := f.copied()
		other := u.File(name)
		other[3] = form
		u.web.Lie("from/*", faults.Replace(other))
		r := m.mustRound(u.source())
		if want := fmt.Sprintf("is of form %d, and this program reads form 2", form); !strings.Contains(r.Note, want) {
			t.Errorf("form %d: %q", form, r.Note)
		}
		if m.shows["main_a"] != 2 {
			t.Errorf("form %d: shows %v", form, m.shows)
		}
	}
}

func TestACutPackGoesOnAtTheByte(t *testing.T) {
	u := newUpstream(t)
	k := u.Publish("main", map[string][]byte{"a": rows(3000, 1, 2)})
	u.pack()
	f, source := follow(t, u), u.source()
	f.mustRound(source)
	u.Publish("main", map[string][]byte{"a": rows(3000, 2, 2)})
	u.pack()
	size := int64(len(u.File(carrier.PackPath(k))))
	u.web.Lie("*/*", faults.Status(500))
	u.web.Lie("*/*/*", faults.Status(500))
	u.web.Lie("from/*", faults.Status(500))
	u.web.LieTimes(1, "from/*", faults.CutAfter(size/2))
	_, err := f.round(source)
	wantKind(t, "cut", err, portal.ErrUnreachable)
	u.web.BeHonest()
	u.web.Forget()
	u.web.Lie("from/*", faults.CutAfter(size/8))
	f.mustRound(source)
	if list, got := u.asked("from/"); got != size-size/2 || len(u.web.Requests()) != len(list) {
		t.Errorf("%d bytes were sent for the second half of %d: %v", got, size, u.web.Requests())
	}
}

// TestForgottenPacksAreBelievedForADayAndTwoHours: a packer that died holds nobody
// up for longer, and what the mirror says of its age is that of the signature.
func TestForgottenPacksAreBelievedForADayAndTwoHours(t *testing.T) {
	u := newUpstream(t)
	u.Publish("main", map[string][]byte{"a": rows(50, 1, 5)})
	u.pack()
	f, source := follow(t, u), u.source()
	f.mustRound(source)
	signed := u.Now
	u.Now = u.Now.Add(time.Hour)
	u.Publish("main", map[string][]byte{"a": rows(50, 2, 5)}) // and no packs
	f.now = signed.Add(mirror.Restless)
	r := f.mustRound(source)
	if f.shows["main_a"] != 1 || !r.State.AsOf.Equal(signed) {
		t.Errorf("shows %v as of %v; it was signed %v", f.shows, r.State.AsOf, signed)
	}
	f.now = f.now.Add(time.Minute)
	if f.mustRound(source); f.shows["main_a"] != 2 {
		t.Errorf("after %v it shows %v", mirror.Restless, f.shows)
	}
}

// TestLyingOriginsChangeNothing: each lie is told to a mirror that has a copy.
func TestLyingOriginsChangeNothing(t *testing.T) {
	u := newUpstream(t)
	u.Publish("main", map[string][]byte{"a": rows(50, 1, 5)})
	old := u.Disk.Tree()
	u.Publish("main", map[string][]byte{"a": rows(50, 2, 5)})
	f, source := follow(t, u), u.source()
	f.mustRound(source)
	older := follow(t, u)
	for name, b := range old {
		if file, ok := strings.CutPrefix(name, "repository/"); ok && file != "" && !strings.HasSuffix(file, "/") {
			must(t, disk.WriteFile(disk.Sub(older.disk, "relay"), file, []byte(b)))
		}
	}
	was := faults.Older(faults.Tree(disk.Sub(older.disk, "relay")))
	u.Publish("main", map[string][]byte{"a": rows(50, 3, 5)})
	for _, c := range []struct {
		name, path string
		lie        faults.Lie
		want       error
	}{
		{"an older timestamp", "metadata/timestamp.json", was, portal.ErrUnverified},
		{"an endless timestamp", "metadata/timestamp.json", faults.Endless(), portal.ErrUnverified},
		{"no timestamp", "metadata/timestamp.json", faults.Status(404), portal.ErrNotFound},
		{"an endless snapshot", "metadata/*.snapshot.json", faults.Endless(), portal.ErrUnverified},
		{"a page instead of the role", "metadata/*.main.json", faults.Replace([]byte("<html>login</html>")), portal.ErrUnverified},
		{"a torn manifest", "d/main/a/*", faults.Truncate(40), portal.ErrUnverified},
		{"no manifest", "d/main/a/*", faults.Status(404), portal.ErrUnverified},
		{"an endless object", "objects/*/*", faults.Endless(), portal.ErrUnverified},
		{"a torn object", "objects/*/*", faults.Truncate(10), portal.ErrUnverified},
		{"no object", "objects/*/*", faults.Status(404), portal.ErrUnverified},
		{"a broken server", "metadata/timestamp.json", faults.Status(500), portal.ErrUnreachable},
		{"an unasked-for root", "metadata/2.root.json", faults.Replace([]byte("{}")), portal.ErrUnverified},
	} {
		u.web.BeHonest()
		u.web.Lie(c.path, c.lie)
		_, err := f.round(source)
		wantKind(t, c.name, err, c.want)
		if f.shows["main_a"] != 2 {
			t.Errorf("after %s the mirror shows %v", c.name, f.shows)
		}
	}
	u.web.BeHonest()
	if f.mustRound(source); f.shows["main_a"] != 3 {
		t.Errorf("after the lies the mirror shows %v", f.shows)
	}
}

// TestAPolicyPartsWhatIsMissing: what it leaves out is told, and not fetched.
func TestAPolicyPartsWhatIsMissing(t *testing.T) {
	u := newUpstream(t)
	u.Publish("main", map[string][]byte{"a": rows(50, 1, 5)})
	must(t, u.Origin().AddPublisher(t.Context(), "agro"))
	u.Publish("agro", map[string][]byte{"b": rows(60, 1, 5)})
	f := follow(t, u)
	m := mirror.Open(mirror.Options{
		Trust: disk.Sub(f.disk, "trust"), Staging: disk.Sub(f.disk, "staging"), Contents: f.held,
		Now:    func() time.Time { return f.now },
		Policy: func() mirror.Policy { return mirror.Policy{Publishers: []portal.PublisherID{"agro"}} },
	})
	r, err := m.Round(t.Context(), u.source(), mirror.RoundOptions{})
	must(t, err)
	if len(r.Plan) != 1 || r.Plan[0].Dataset != "agro_b" || len(r.LeftOut) != 1 || r.LeftOut[0].Dataset != "main_a" {
		t.Errorf("plan %v, left out %v", r.Plan, r.LeftOut)
	}
	owed, left, err := m.Lacking(t.Context())
	if err != nil || len(owed) != 0 || len(left) != 1 || f.held.Has(portal.DigestOf(rows(50, 1, 5))) {
		t.Errorf("owed %v, left %v, %v", owed, left, err)
	}
}
