package node_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"koprik/internal/node"
	"koprik/portal"
)

const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// later are options of a node whose clock is so many days ahead of the tests' day.
func later(days *int) node.Options {
	o := options()
	o.Clock = func() time.Time { return day.AddDate(0, 0, *days) }
	return o
}

// again opens a node's directory anew, as after a restart.
func again(t *testing.T, n *node.Node, o node.Options) *node.Node {
	t.Helper()
	must(t, n.FlushUsage(t.Context()))
	must(t, n.Close())
	return open(t, n.Dir(), o)
}

func asking(agent, address string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	r.Header.Set("User-Agent", agent)
	return r
}

func count(n *node.Node, times int, k portal.UsageKey) {
	for range times {
		n.Count(asking(browser, "/"), k)
	}
}

func visits(id string) portal.UsageKey {
	return portal.UsageKey{Kind: portal.Visits, Lang: portal.Uzbek, Name: id}
}

func downloads(id string) portal.UsageKey {
	return portal.UsageKey{Kind: portal.Downloads, Lang: portal.Russian, Name: id}
}

func numbers(t *testing.T, n *node.Node) portal.Numbers {
	t.Helper()
	v, err := n.View(t.Context())
	must(t, err)
	defer v.Close()
	out, err := n.Numbers(t.Context(), v)
	must(t, err)
	return out
}

func countryVisits(t *testing.T, n *node.Node) int64 {
	t.Helper()
	if c := numbers(t, n).Country; c != nil {
		return c.Year.Visits
	}
	return 0
}

func enrol(t *testing.T, central, n *node.Node) {
	t.Helper()
	id, public, err := n.OwnKey(t.Context())
	must(t, err)
	must(t, central.SetNode(t.Context(), portal.KnownNode{ID: id, Public: public, Name: "Koʻzgu", Enrolled: day}))
}

// network is a centre with datasets and a mirror that it has enrolled, both on one
// clock.
func network(t *testing.T, days *int) (central, kiosk *node.Node) {
	t.Helper()
	first := newCentral(t)
	publish(t, first, revision("water", 1), revision("zinc", 1))
	central = again(t, first, later(days))
	kiosk = open(t, initMirror(t, central), later(days))
	sync(t, kiosk)
	enrol(t, central, kiosk)
	return central, kiosk
}

func TestUseTravelsSealedAndComesBackSigned(t *testing.T) {
	days := 0
	central, kiosk := network(t, &days)
	count(kiosk, 7, visits("main_water"))
	count(kiosk, 2, downloads("main_water"))
	count(central, 6, visits("main_water"))
	count(central, 3, visits("main_zinc"))
	if own := numbers(t, kiosk).Own; own.Year.Visits != 0 {
		t.Errorf("a day that is not over is told: %+v", own)
	}
	days = 1
	must(t, kiosk.FlushUsage(t.Context()))
	must(t, central.FlushUsage(t.Context()))
	stick := stickOf(t, central, 0)
	_, err := kiosk.Sync(t.Context(), node.SyncOptions{From: stick})
	must(t, err)
	for _, file := range posts(t, stick) {
		must(t, holdsNone(t, file, []string{"main_water", "koprik usage"}))
	}
	if w := waiting(t, kiosk); w != 0 {
		t.Errorf("%d questions wait, and nobody asked one", w)
	}
	taken, err := central.TakeStick(t.Context(), stick)
	must(t, err)
	if taken.Fresh != 0 || taken.Posts != 1 || !taken.Answers {
		t.Errorf("a report of use is told as a question: %+v", taken)
	}
	_, err = kiosk.Sync(t.Context(), node.SyncOptions{From: stick})
	must(t, err)
	if list := cases(t, central); len(list) != 0 {
		t.Errorf("a report of use is a question: %+v", list)
	}
	for _, n := range []*node.Node{central, kiosk} {
		c := numbers(t, n).Country
		if c == nil || c.Year.Visits != 16 || c.Year.Downloads != 1 || c.Nodes != 2 || c.Until != "2026-11-23" {
			t.Fatalf("%s: %+v", n.Config().Title, c)
		}
		if !slices.Equal(c.Datasets, []portal.DatasetUse{{Dataset: "main_water", Visits: 13, Downloads: 1}}) {
			t.Errorf("%s: %+v", n.Config().Title, c.Datasets)
		}
	}
	own := numbers(t, kiosk).Own
	if own.Year.Visits != 7 || own.Year.Downloads != 1 || own.Year.Langs[portal.Uzbek] != 7 || own.Nodes != 0 {
		t.Errorf("this office: %+v", own)
	}
	empty := stickOf(t, central, 0)
	_, err = kiosk.Sync(t.Context(), node.SyncOptions{From: empty})
	must(t, err)
	if left := posts(t, empty); len(left) != 0 {
		t.Errorf("what was acknowledged goes again: %v", left)
	}
}

// posts are the files of the outbox of a stick.
func posts(t *testing.T, stick string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(stick, "KOPRIK", "outbox", "*.post"))
	must(t, err)
	return found
}

func TestUsedDatasetsRankBeforeUnusedOnes(t *testing.T) {
	days := 0
	central, kiosk := network(t, &days)
	first := func(n *node.Node) portal.DatasetID {
		t.Helper()
		v, err := n.View(t.Context())
		must(t, err)
		defer v.Close()
		found, err := v.Search(t.Context(), portal.Query{Text: "common"})
		must(t, err)
		if len(found.Hits) != 2 {
			t.Fatalf("%+v", found.Hits)
		}
		return found.Hits[0].Dataset
	}
	before := first(kiosk)
	other := portal.DatasetID("main_zinc")
	if before == other {
		other = "main_water"
	}
	count(central, 50, visits(string(other)))
	days = 1
	must(t, central.FlushUsage(t.Context()))
	speak(t, central)
	sync(t, kiosk)
	for _, n := range []*node.Node{central, kiosk} {
		if got := first(n); got != other {
			t.Errorf("%s: %s is first, and only %s is used", n.Config().Title, got, other)
		}
	}
	kiosk = again(t, kiosk, later(&days))
	if got := first(kiosk); got != other {
		t.Errorf("after a restart %s is first", got)
	}
}

func TestReplaysAndClonedCardsCountNothingTwice(t *testing.T) {
	days := 0
	central, kiosk := network(t, &days)
	count(kiosk, 100, visits("main_water"))
	days = 1
	kiosk = again(t, kiosk, later(&days))

	// The card is copied; both go on, each by itself, without the other's key or counts.
	twinDir := t.TempDir()
	must(t, kiosk.Close())
	must(t, os.CopyFS(twinDir, os.DirFS(kiosk.Dir())))
	kiosk = open(t, kiosk.Dir(), later(&days))
	twin := open(t, twinDir, later(&days))
	count(kiosk, 10, visits("main_water"))
	count(twin, 1000, visits("main_water"))
	days = 2
	var kept [][]byte
	for round := range 3 {
		for _, n := range []*node.Node{kiosk, twin} {
			must(t, n.FlushUsage(t.Context()))
			stick := stickOf(t, central, 0)
			_, err := n.Sync(t.Context(), node.SyncOptions{From: stick})
			must(t, err)
			for _, file := range posts(t, stick) {
				b, err := os.ReadFile(file)
				must(t, err)
				kept = append(kept, b)
			}
			_, err = central.TakeStick(t.Context(), stick)
			must(t, err)
		}
		for i := range kept { // each stick again, the newest first
			_, err := central.TakePost(t.Context(), kept[len(kept)-1-i])
			must(t, err)
		}
		days++ // the centre sums anew
		speak(t, central)
		if got := countryVisits(t, central); got != 1110 {
			t.Fatalf("round %d: %d visits, want 1110", round, got)
		}
	}
	// A year later the days of the sticks are closed for good.
	days += 500
	must(t, central.FlushUsage(t.Context()))
	for _, b := range kept {
		_, err := central.TakePost(t.Context(), b)
		must(t, err)
	}
	days++
	speak(t, central)
	c := numbers(t, central).Country
	if len(c.Months) != 1 || c.Months[0].Visits != 1110 {
		t.Errorf("after 500 days: %+v", c)
	}
}

func TestWhatANodeThatIsNotEnrolledReportsDoesNotCountUntilItIs(t *testing.T) {
	days := 0
	central, _ := network(t, &days)
	stranger := open(t, initMirror(t, central), later(&days))
	sync(t, stranger)
	count(stranger, 1000, visits("main_water"))
	for range 20 { // more days than reports may wait
		days++
		must(t, stranger.FlushUsage(t.Context()))
		carry(t, stickOf(t, central, 0), stranger, central)
		count(stranger, 1, visits("main_water"))
	}
	if got := countryVisits(t, central); got != 0 {
		t.Errorf("%d visits of a stranger are counted", got)
	}
	id, _, err := stranger.OwnKey(t.Context())
	must(t, err)
	nodes, err := central.KnownNodes(t.Context())
	must(t, err)
	marked := slices.ContainsFunc(nodes, func(k portal.KnownNode) bool { return k.ID == id && k.Uncounted > 0 && k.Inquiries == 0 })
	if !marked {
		t.Errorf("the stranger is not marked: %+v", nodes)
	}
	days++
	stick := stickOf(t, central, 0)
	must(t, stranger.FlushUsage(t.Context()))
	_, err = stranger.Sync(t.Context(), node.SyncOptions{From: stick})
	must(t, err)
	size := int64(0)
	for _, file := range posts(t, stick) {
		info, err := os.Stat(file)
		must(t, err)
		size += info.Size()
	}
	if size == 0 || size > 64<<10 {
		t.Errorf("20 days that nobody acknowledges take %d bytes of a stick", size)
	}
	enrol(t, central, stranger)
	days++
	carry(t, stick, stranger, central)
	days++
	speak(t, central)
	if got := countryVisits(t, central); got != 1020 {
		t.Errorf("%d visits once it is enrolled", got)
	}
}

func TestOnlyWhatAPersonAskedForIsCounted(t *testing.T) {
	days := 0
	_, n := network(t, &days)
	page := "/uz/dataset/main_water"
	h := handler(t, n)
	get := func(address string, header ...string) {
		t.Helper()
		r := asking(browser, address)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code >= 400 {
			t.Fatalf("%s: %d %s", address, rec.Code, rec.Body)
		}
	}
	for range 6 {
		get(page)
	}
	for _, agent := range []string{
		"", "curl/8.14", "Googlebot/2.1", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "python-requests/2.32", "Mozilla/5.0 HeadlessChrome/120",
	} {
		get(page, "User-Agent", agent)
	}
	get(page, "Sec-Purpose", "prefetch;prerender")
	get(page, "Purpose", "prefetch")
	get(page, "X-Moz", "prefetch")
	const file = "/dataset/main_water/release/1/t.csv"
	for range 5 {
		get(file, "Referer", "http://example.com/ru/dataset/main_water")
	}
	get(file, "User-Agent", "curl/8.14")
	get(file, "Range", "bytes=0-")
	get(file, "Range", "bytes=10-")
	get(file, "User-Agent", "AhrefsBot/7.0")
	get("/api/v1/tables/main_water/t/export?format=csv")
	days = 1
	own := numbers(t, n).Own.Year
	if own.Visits != 6 || own.Downloads != 8 {
		t.Errorf("%+v", own)
	}
}

func TestASearchLeavesNothingOnTheDiskButItsCount(t *testing.T) {
	days := 0
	central, kiosk := network(t, &days)
	search := func(n *node.Node, text string) {
		t.Helper()
		r := asking(browser+" plantedagent", "/uz/search?q="+url.QueryEscape(text))
		r.RemoteAddr = "203.0.113.77:4711"
		r.Header.Set("X-Forwarded-For", "203.0.113.78")
		r.Header.Set("Cookie", "lang=uz; planted=plantedcookie")
		r.Header.Set("Referer", "http://example.com/plantedreferer")
		rec := httptest.NewRecorder()
		handler(t, n).ServeHTTP(rec, r)
		if rec.Code != 200 {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
	}
	for d := range 7 { // "yoʻlkira" is looked for every day, the others on too few, or are nobody's words
		days = d
		if d < 4 {
			search(kiosk, "plantedword")
		}
		search(kiosk, "yo'lkira")
		search(kiosk, fmt.Sprintf("plantedonce%s AA1234567 +998901234567", strings.Repeat("x", d)))
		search(kiosk, "planted@example.org plantedmail")
		must(t, kiosk.FlushUsage(t.Context()))
	}
	days = 7
	carry(t, stickOf(t, central, 0), kiosk, central)
	kiosk = again(t, kiosk, later(&days))
	must(t, kiosk.Close())
	secrets := []string{"planted", "203.0.113", "AA1234567", "998901234567"}
	for _, dir := range []string{kiosk.Dir(), central.Dir()} {
		must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			return holdsNone(t, path, secrets)
		}))
	}
	kiosk = open(t, kiosk.Dir(), later(&days))
	own := numbers(t, kiosk).Own
	if own.Year.Searches != 25 || own.Year.Misses != 25 || len(own.Words) != 0 {
		t.Errorf("%+v", own)
	}
	for d := 8; d < 12; d++ { // from the fifth day on each is counted: 3 + 4 times
		days = d
		search(kiosk, "yo'lkira")
		must(t, kiosk.FlushUsage(t.Context()))
	}
	days = 12
	carry(t, stickOf(t, central, 0), kiosk, central)
	days = 13
	speak(t, central)
	want := []portal.WordUse{{Word: "yoʻlkira", Searches: 7}}
	if c := numbers(t, central).Country; !slices.Equal(c.Words, want) {
		t.Errorf("%+v", c.Words)
	}
	must(t, central.HideWord(t.Context(), "yoʻlkira", true))
	speak(t, central)
	if c := numbers(t, central).Country; len(c.Words) != 0 {
		t.Errorf("a hidden word is told: %+v", c.Words)
	}
}

func TestDatasetsBeyondTheBoundOfADayAreCountedTogether(t *testing.T) {
	days := 0
	_, n := network(t, &days)
	const many = 3 * portal.MaxUsageKeys
	for i := range many {
		count(n, 1, visits(fmt.Sprintf("main_d%d", i)))
	}
	count(n, 9, portal.UsageKey{Kind: portal.Searches, Lang: portal.English})
	days = 1
	if own := numbers(t, n).Own.Year; own.Visits != many || own.Searches != 9 {
		t.Errorf("%+v", own)
	}
}

func TestAnIdleCentreSaysNothingNew(t *testing.T) {
	days := 0
	central, _ := network(t, &days)
	count(central, 8, visits("main_water"))
	days = 1
	must(t, central.FlushUsage(t.Context()))
	speak(t, central)
	for range 5 {
		days++
		out, err := central.Speak(t.Context(), false)
		must(t, err)
		if out.Changed {
			t.Errorf("day %d: a generation without news", days)
		}
	}
}

func BenchmarkCount(b *testing.B) {
	dir := b.TempDir()
	c, err := node.SetConfig(map[string]string{"role": "central", "title": "Markaz", "contact": "desk@example.org"})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := node.Init(b.Context(), dir, node.InitOptions{Config: c}, options()); err != nil {
		b.Fatal(err)
	}
	o := options()
	o.Clock = node.SystemClock
	n, err := node.Open(b.Context(), dir, o)
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	r, key := asking(browser, "/uz/dataset/main_water"), visits("main_water")
	b.ReportAllocs()
	for b.Loop() {
		n.Count(r, key)
	}
}
