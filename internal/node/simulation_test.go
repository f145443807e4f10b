package node

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"koprik/embed/catalog"
	"koprik/embed/local"
	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/mirror"
)

// country is a centre, regions that relay, kiosks below them, and the post between
// all of them in virtual time. Nodes keep what they keep on real disks, in real
// databases; kiosks and regions only lack what they would show: catalogue, tables and
// index, which have no part in talkback. Nothing sleeps.
type country struct {
	t      *testing.T
	rng    *rand.Rand
	now    time.Time
	healed bool // clocks are right, and every line is up
	centre *Node
	nodes  []*outpost
	shelf  []string // sticks that somebody has kept

	asked   map[string]bool // texts of acknowledged questions
	counted int64           // uses
	tally   map[string]int  // what happened, for the record
}

// outpost is a node that is no centre: a region or a kiosk.
type outpost struct {
	*Node
	name   string
	up     *outpost // its region; nil: the centre
	skew   func(now time.Time) time.Time
	cut    time.Time // until when its line is down
	cloned bool
	stick  string // a stick that is on its way
}

// clocks are how the clocks of a country go wrong.
var clocks = []func(now time.Time) time.Time{
	func(time.Time) time.Time { return time.Unix(0, 0) },                                  // no battery
	func(now time.Time) time.Time { return now.AddDate(-2, 0, 0) },                        // set to the wrong year
	func(now time.Time) time.Time { return now.Add(60 * time.Hour) },                      // ahead by days
	func(now time.Time) time.Time { return now.AddDate(9, 0, 0) },                         // far ahead
	func(now time.Time) time.Time { return now.Add(-time.Duration(now.Hour()) * 3600e9) }, // jumps back through the day
}

func newCountry(t *testing.T, seed uint64, nodes int) *country {
	t.Helper()
	c := &country{
		t: t, rng: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 12, 10, 9, 0, 0, 0, time.UTC), //nolint:gosec // chance, no secret
		asked: map[string]bool{}, tally: map[string]int{},
	}
	dir := t.TempDir()
	config, err := SetConfig(map[string]string{"role": "central", "title": "Markaz", "contact": "desk@example.org"})
	c.must(err)
	opt := Options{NoPacks: true, Version: "test", Clock: func() time.Time { return c.now }, Environ: func(string) string { return "" }, Log: slog.New(slog.DiscardHandler)}
	_, err = Init(t.Context(), filepath.Join(dir, "centre"), InitOptions{Config: config}, opt)
	c.must(err)
	c.centre, err = Open(t.Context(), filepath.Join(dir, "centre"), opt)
	c.must(err)
	t.Cleanup(func() { c.must(c.centre.Close()) })
	regions := max(1, nodes/20)
	for i := range nodes {
		p := &outpost{name: fmt.Sprintf("node %d", i)}
		if i >= regions {
			p.up = c.nodes[i%regions]
		}
		if i%7 == 3 {
			p.skew = clocks[i/7%len(clocks)]
		}
		c.begin(p, filepath.Join(dir, strconv.Itoa(i)), i < regions)
		c.nodes = append(c.nodes, p)
	}
	return c
}

func (c *country) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// begin makes a node that follows the centre's root.
func (c *country) begin(p *outpost, dir string, relay bool) {
	c.t.Helper()
	root, err := c.centre.RootOfTrust()
	c.must(err)
	config, err := SetConfig(map[string]string{"role": "mirror", "title": p.name, "relay": strconv.FormatBool(relay), "upstream": "http://127.0.0.1:1/"})
	c.must(err)
	_, err = Init(c.t.Context(), dir, InitOptions{Config: config, Root: root}, c.options(p))
	c.must(err)
	c.open(p, dir)
	id, public, err := p.OwnKey(c.t.Context())
	c.must(err)
	c.must(c.centre.SetNode(c.t.Context(), portal.KnownNode{ID: id, Public: public, Name: p.name, Enrolled: c.now}))
}

func (c *country) options(p *outpost) Options {
	return Options{
		Version: "test", Environ: func(string) string { return "" }, Log: slog.New(slog.DiscardHandler),
		Clock: func() time.Time {
			if p.skew != nil && !c.healed {
				return p.skew(c.now)
			}
			return c.now
		},
	}
}

// open opens what of a node has a part in talkback.
func (c *country) open(p *outpost, dir string) {
	c.t.Helper()
	n := &Node{dir: dir, opt: c.options(p), talk: newTalk()}
	n.opt.defaults()
	c.must(n.openFiles())
	var err error
	n.local, err = local.Open(c.t.Context(), filepath.Join(dir, localFile))
	c.must(err)
	n.closers = append(n.closers, n.local)
	n.catalog, err = catalog.Open(c.t.Context(), filepath.Join(dir, catalogFile)) // empty: nobody looks into it
	c.must(err)
	n.closers = append(n.closers, closer(n.catalog.Close))
	if state, err := n.mirror.State(); err == nil {
		n.raiseFloor(state)
	}
	p.Node = n
	c.t.Cleanup(func() { c.must(n.Close()) })
}

// does counts what happened.
func (c *country) does(what string) { c.tally[what]++ }

func (c *country) chance(percent int) bool { return c.rng.IntN(100) < percent }

// asks lets somebody ask at a node, which may be offline, and look at some pages.
func (c *country) asks(p *outpost) {
	c.t.Helper()
	key := portal.UsageKey{Kind: portal.Visits, Name: "main_water", Lang: portal.Uzbek}
	if !p.signedTime().IsZero() { // who has no copy shows no page of it
		for range c.rng.IntN(4) {
			p.countUse(key)
			c.counted++
			if portal.DateOf(p.Now()) > portal.DateOf(c.now) {
				c.does("uses on days that had not come")
			}
		}
	}
	c.must(p.FlushUsage(c.t.Context()))
	if !c.chance(15) {
		return
	}
	text := fmt.Sprintf("savol %d", len(c.asked))
	_, err := p.Send(c.t.Context(), portal.Inquiry{Kind: portal.Question, Text: text, Lang: portal.Uzbek}, portal.ReceiptCode{})
	if errors.Is(err, portal.ErrUnavailable) {
		c.does("not asked: no key of the centre yet")
		return
	}
	c.must(err)
	c.asked[text] = true
	c.does("asked")
}

// takes brings a node to a repository in a folder.
func (c *country) takes(p *outpost, folder string, media bool) {
	c.t.Helper()
	root, err := disk.OpenRoot(folder)
	c.must(err)
	defer root.Close()
	report, err := p.mirror.Round(c.t.Context(), mirror.Folder(root, folder), mirror.RoundOptions{Have: c.accepted(p), Media: media})
	switch {
	case err == nil:
		p.raiseFloor(report.State)
		p.mu.Lock()
		p.talk.sides = sides{}
		p.mu.Unlock()
		c.does("rounds")
	case errors.Is(err, portal.ErrUnverified), errors.Is(err, portal.ErrUnreachable), errors.Is(err, portal.ErrNotFound):
		c.does("rounds refused: the clock, or an older stick")
	default:
		c.t.Fatalf("%s: %v", p.name, err)
	}
	c.must(p.takeAcks(c.t.Context()))
}

func (c *country) accepted(p *outpost) int64 {
	g, err := p.accepted()
	c.must(err)
	return g
}

// calls is a sync over the network: what came down, then what goes up, of which any
// answer may be lost though it was taken.
func (c *country) calls(p *outpost) {
	c.t.Helper()
	if !c.healed && c.now.Before(p.cut) {
		c.does("no line")
		return
	}
	to := c.centre
	if p.up != nil {
		to = p.up.Node
	}
	if _, err := to.root.Stat(repositoryDir + "/metadata/timestamp.json"); err == nil {
		c.takes(p, filepath.Join(to.dir, repositoryDir), false)
	}
	lost := errors.New("the answer was lost")
	_, _, err := p.handOn(c.t.Context(), to.dir, func(b []byte) error {
		if !c.healed && c.chance(10) {
			c.does("posts lost")
			return lost
		}
		if _, err := to.TakePost(c.t.Context(), b); err != nil {
			return err
		}
		c.does("posts")
		if !c.healed && c.chance(10) {
			c.does("posts taken whose answer was lost")
			return lost
		}
		return nil
	})
	if err != nil && !errors.Is(err, lost) {
		c.t.Fatalf("%s: %v", p.name, err)
	}
}

// carries is somebody with a stick: written at the centre, filled at a node, and
// brought back now, later, or twice.
func (c *country) carries(p *outpost) {
	c.t.Helper()
	ctx := c.t.Context()
	if p.stick == "" {
		p.stick = c.t.TempDir()
		_, err := c.centre.Export(ctx, ExportOptions{To: p.stick})
		c.must(err)
		return
	}
	c.takes(p, filepath.Join(p.stick, stickDir), true)
	_, err := p.exchangeStick(ctx, p.stick+"/"+stickDir)
	c.must(err)
	if c.chance(20) && len(c.shelf) < 20 {
		kept := filepath.Join(c.t.TempDir(), "kept")
		c.must(os.CopyFS(kept, os.DirFS(p.stick)))
		c.shelf = append(c.shelf, kept)
	}
	if c.chance(70) {
		_, err := c.centre.TakeStick(ctx, p.stick)
		c.must(err)
		c.does("sticks")
	} else {
		c.does("sticks lost")
	}
	c.must(os.RemoveAll(p.stick))
	p.stick = ""
}

// clones copies a node's card; both go on.
func (c *country) clones(p *outpost) {
	c.t.Helper()
	dir := c.t.TempDir()
	old := p.dir
	c.must(p.Close())
	c.must(os.CopyFS(dir, os.DirFS(old)))
	c.open(p, old)
	twin := &outpost{name: p.name + " again", up: p.up}
	c.open(twin, dir)
	p.cloned, twin.cloned = true, true
	c.nodes = append(c.nodes, twin)
	c.does("cards cloned")
}

// lives is one day.
func (c *country) lives(day int) {
	c.t.Helper()
	for _, i := range c.rng.Perm(len(c.nodes)) {
		p := c.nodes[i]
		if c.chance(5) {
			p.cut = c.now.Add(time.Duration(1+c.rng.IntN(10)) * 24 * time.Hour)
		}
		c.asks(p)
		switch n := c.rng.IntN(20); {
		case n < 6 || p.up == nil:
			c.calls(p)
		case n == 6:
			c.carries(p)
		}
		c.now = c.now.Add(10 * time.Minute / time.Duration(1+len(c.nodes)/50))
	}
	if day%10 == 4 {
		c.clones(c.nodes[c.rng.IntN(len(c.nodes))])
	}
	if len(c.shelf) > 0 && c.chance(30) {
		_, err := c.centre.TakeStick(c.t.Context(), c.shelf[c.rng.IntN(len(c.shelf))])
		c.must(err)
		c.does("old sticks replayed")
	}
	c.speaks()
	c.now = c.now.Truncate(24 * time.Hour).Add(33 * time.Hour)
}

func (c *country) speaks() {
	c.t.Helper()
	c.must(c.centre.refresh(c.t.Context()))
	_, err := c.centre.Speak(c.t.Context(), false)
	c.must(err)
}

// heals puts the clocks right and the lines up, and lets everybody call until nothing
// waits anywhere. Days pass meanwhile: what was sent is sent again after one.
func (c *country) heals() (days int) {
	c.t.Helper()
	c.healed = true
	for days = 1; days < 12; days++ {
		for _, p := range slices.Backward(c.nodes) { // kiosks, then their regions
			c.must(p.FlushUsage(c.t.Context()))
			c.must(p.makeReports(c.t.Context()))
			c.calls(p)
		}
		c.speaks()
		waits := 0
		for _, p := range c.nodes {
			c.calls(p)
			w, err := p.Waits(c.t.Context())
			c.must(err)
			waits += w.Count + w.Relayed
		}
		if waits == 0 {
			return days
		}
		c.now = c.now.Add(25 * time.Hour)
	}
	c.t.Fatal("questions wait still")
	return days
}

// ages lets the days come on which clocks that were ahead have counted.
func (c *country) ages() {
	c.t.Helper()
	for range 5 {
		c.now = c.now.Add(maxAhead / 4)
		c.speaks()
		c.heals()
	}
	for _, p := range c.nodes {
		reports, err := p.local.Reports(c.t.Context())
		c.must(err)
		if reports > 0 {
			c.t.Errorf("%s: %d reports of use wait still", p.name, reports)
		}
	}
}

// isRight is the promise.
func (c *country) isRight() {
	c.t.Helper()
	ctx := c.t.Context()
	all, total, err := c.centre.Cases(ctx, portal.CaseQuery{Limit: 1 << 20})
	c.must(err)
	times := map[string]int{}
	for _, one := range all {
		times[one.Inquiry.Text]++
	}
	for text := range c.asked {
		if times[text] != 1 {
			c.t.Errorf("%s came %d times", text, times[text])
		}
	}
	if total != len(c.asked) {
		c.t.Errorf("%d questions at the centre, %d were asked", total, len(c.asked))
	}
	known, err := c.centre.KnownNodes(ctx)
	c.must(err)
	clonedIDs := map[string]bool{}
	for _, p := range c.nodes {
		if p.cloned {
			id, _, err := p.OwnKey(ctx)
			c.must(err)
			clonedIDs[id.Hex()] = true
		}
	}
	for _, k := range known {
		if seen := len(k.Duplicates) > 0; seen && !clonedIDs[k.ID.Hex()] {
			c.t.Errorf("%s is taken for a cloned card: %v", k.Name, k.Duplicates)
		} else if seen {
			c.does("cloned cards that the centre noticed")
		}
		if k.Missing > 0 && !clonedIDs[k.ID.Hex()] {
			c.t.Errorf("%s: %d numbers are missing", k.Name, k.Missing)
		}
	}
	var uses int64
	c.must(c.centre.local.EachUsage(ctx, true, func(_ portal.Digest, d portal.UsageDay) error {
		for _, n := range d.Counts {
			uses += n
		}
		return nil
	}))
	if uses != c.counted {
		c.t.Errorf("the centre counts %d uses; the nodes have counted %d", uses, c.counted)
	}
	c.tally["uses"] = int(c.counted)
}

// TestACountryOfNodesCountsEveryQuestionOnce lets nodes live for days with partitions,
// lost answers, sticks that come late, twice or never, cloned cards and wrong clocks:
// 26 nodes over 6 days, with KOPRIK_SOAK 200 over 30. KOPRIK_SEED repeats one.
func TestACountryOfNodesCountsEveryQuestionOnce(t *testing.T) {
	nodes, days := 26, 6
	if os.Getenv("KOPRIK_SOAK") != "" {
		nodes, days = 200, 30
	}
	seed := rand.Uint64() >> 16
	if s, err := strconv.ParseUint(os.Getenv("KOPRIK_SEED"), 10, 64); err == nil {
		seed = s
	}
	c := newCountry(t, seed, nodes)
	for day := range days {
		c.lives(day)
		if nodes > 100 {
			t.Logf("day %d: %d questions", day+1, len(c.asked))
		}
	}
	healing := c.heals()
	c.ages()
	c.isRight()
	t.Logf("KOPRIK_SEED=%d: %d nodes, %d days and %d to heal: %v", seed, nodes, days, healing, c.tally)
}
