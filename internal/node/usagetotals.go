package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"koprik/portal"
	"koprik/sync/post"
)

// State in local.db: when the centre summed last, and words that are not told.
const (
	usageToldKey   = "usage-told"
	usageHiddenKey = "usage-hidden"
)

// usageEvery is how often the centre sums what nodes have reported.
const usageEvery = 6 * time.Hour

// toldUsage keeps what was last read and summed.
type toldUsage struct {
	mu      sync.Mutex
	digest  portal.Digest // of the file that country was read from
	country *portal.UsageTotals
	fed     portal.Digest // of the file that the index was told

	ahead   *portal.UsageTotals // summed before write.lock was taken; nil: it was not
	aheadAt time.Time

	ownMu sync.Mutex
	own   portal.UsageTotals
	ownAt time.Time
}

// usageFile adds the sums of all nodes to the files of the talkback role: anew when
// that is due, and as they were when nothing was counted since. told says that they
// were summed.
func (n *Node) usageFile(ctx context.Context, before []byte, files map[string][]byte) (told bool, err error) {
	keep := func() {
		if before != nil {
			files[post.UsagePath] = before
		}
	}
	due, err := n.due(ctx, usageToldKey, usageEvery)
	if err != nil || !due {
		keep()
		return false, err
	}
	totals, err := n.countrySum(ctx)
	if err != nil {
		return false, err
	}
	if len(totals.Months) == 0 {
		return false, nil // the first day that is over is told at once
	}
	if old, err := post.DecodeTotals(before); err == nil {
		old.Until = totals.Until
		if same, err := post.EncodeTotals(old); err == nil {
			now, err := post.EncodeTotals(totals)
			if err == nil && string(now) == string(same) {
				keep()
				return true, nil
			}
		}
	}
	files[post.UsagePath], err = post.EncodeTotals(totals)
	return true, err
}

// sumAhead sums what nodes have reported, when that is due, for who is about to take
// write.lock: of 1,000 nodes it takes seconds (embed/local.BenchmarkSumOfACountry),
// in which nobody else could publish.
func (n *Node) sumAhead(ctx context.Context) error {
	due, err := n.due(ctx, usageToldKey, usageEvery)
	if err != nil || !due {
		return err
	}
	if _, err := n.openCases(ctx); err != nil { // reports among them
		return err
	}
	totals, err := n.sumUsage(ctx, true, n.usageUntil())
	if err != nil {
		return err
	}
	t := &n.usage.told
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ahead, t.aheadAt = &totals, n.Now()
	return nil
}

// aheadFor is how long a sum that was made ahead is good for.
const aheadFor = time.Minute

// countrySum is what sumAhead has summed just now, used once, or a sum made here.
func (n *Node) countrySum(ctx context.Context) (portal.UsageTotals, error) {
	t, until := &n.usage.told, n.usageUntil()
	t.mu.Lock()
	ahead, age := t.ahead, n.Now().Sub(t.aheadAt)
	t.ahead = nil
	t.mu.Unlock()
	if ahead != nil && ahead.Until == until && age >= 0 && age < aheadFor {
		return *ahead, nil
	}
	return n.sumUsage(ctx, true, until)
}

// usageUntil is the last day that is over.
func (n *Node) usageUntil() portal.Date {
	return portal.DateOf(portal.DateOf(n.Now()).Time().AddDate(0, 0, -1))
}

// sumUsage sums what this node has counted up to a day, and with all what enrolled
// nodes have reported.
func (n *Node) sumUsage(ctx context.Context, all bool, until portal.Date) (portal.UsageTotals, error) {
	hidden, err := n.HiddenWords(ctx)
	if err != nil {
		return portal.UsageTotals{}, err
	}
	year := portal.MonthOf(until).Before(11)
	nodes := map[portal.Digest]bool{}
	var failed error
	totals := portal.SumUsage(func(yield func(portal.UsageDay) bool) {
		enough := errors.New("enough")
		failed = n.local.EachUsage(ctx, all, func(node portal.Digest, d portal.UsageDay) error {
			if d.Day <= until && portal.MonthOf(d.Day) >= year {
				nodes[node] = true
			}
			if !yield(d) {
				return enough
			}
			return nil
		})
	}, until, func(word string) bool { return slices.Contains(hidden, word) })
	if all {
		totals.Nodes = len(nodes)
	}
	return totals, failed
}

// HiddenWords are words that the centre does not tell of searches without hits.
func (n *Node) HiddenWords(ctx context.Context) (words []string, err error) {
	v, ok, err := n.local.Get(ctx, usageHiddenKey)
	if err != nil || !ok {
		return nil, err
	}
	if err := json.Unmarshal([]byte(v), &words); err != nil {
		return nil, fmt.Errorf("hidden words: %w", err)
	}
	return words, nil
}

// maxHidden is how many words a centre may hide.
const maxHidden = 10_000

// HideWord takes a word out of what is told of searches without hits, or lets it be
// told again. It holds from the next time that the centre speaks.
func (n *Node) HideWord(ctx context.Context, word string, hide bool) error {
	if !n.central() {
		return notCentral("usage hide")
	}
	word = strings.ToLower(strings.TrimSpace(word))
	if err := (portal.UsageKey{Name: word, Kind: portal.MissedWords}).Validate(); err != nil {
		return portal.Rejected("word", "%v", err)
	}
	words, err := n.HiddenWords(ctx)
	if err != nil {
		return err
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == word })
	if hide {
		words = append(words, word)
	}
	if len(words) > maxHidden {
		return portal.Rejected("word", "%d words are hidden, and that is the most", maxHidden)
	}
	slices.Sort(words)
	b, err := json.Marshal(words)
	if err != nil {
		return err
	}
	return errors.Join(n.local.Set(ctx, usageHiddenKey, string(b)), n.local.Set(ctx, usageToldKey, ""))
}

// UsageTotals sums what was counted up to yesterday: at a centre by all enrolled
// nodes, elsewhere by this one.
func (n *Node) UsageTotals(ctx context.Context) (portal.UsageTotals, error) {
	return n.sumUsage(ctx, n.central(), n.usageUntil())
}

// countryUsage reads the sums of all nodes that a copy has; nil when it has none.
func (n *Node) countryUsage(s sides) (*portal.UsageTotals, error) {
	f, ok := s.files[post.UsagePath]
	if !ok {
		return nil, nil
	}
	t := &n.usage.told
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.country != nil && t.digest == f.SHA256 {
		return t.country, nil
	}
	b, err := n.side(s, post.UsagePath)
	if err != nil {
		return nil, err
	}
	totals, err := post.DecodeTotals(b)
	if err != nil {
		return nil, err
	}
	t.digest, t.country = f.SHA256, &totals
	return t.country, nil
}

// feedUses tells the index how often each dataset is used, for the order of hits:
// used before unused. The caller exchanges the reader. What cannot be read is told in
// the log; the generation does not wait for it.
func (n *Node) feedUses(s sides) {
	t := &n.usage.told
	digest := s.files[post.UsagePath].SHA256 // zero where there is none
	t.mu.Lock()
	same := t.fed == digest
	t.fed = digest
	t.mu.Unlock()
	if same || n.index == nil {
		return
	}
	totals, err := n.countryUsage(s)
	if err != nil {
		n.opt.Log.Warn("what is used cannot be read", "error", err)
	}
	if totals == nil {
		n.index.SetUses(nil)
		return
	}
	uses := make(map[portal.DatasetID]int64, len(totals.Datasets))
	for _, d := range totals.Datasets {
		uses[d.Dataset] = d.Uses()
	}
	n.index.SetUses(func(id portal.DatasetID) int64 { return uses[id] })
}

// Numbers gives what was counted here and in the country, and what offices have done
// with inquiries, as the generation of v has them.
func (n *Node) Numbers(ctx context.Context, v portal.View) (out portal.Numbers, err error) {
	s, err := n.sidesOf(v)
	if err != nil {
		return out, err
	}
	if out.Country, err = n.countryUsage(s); err != nil {
		return out, err
	}
	if out.Desks, err = n.deskNumbers(s); err != nil {
		return out, err
	}
	out.Own, err = n.ownUsage(ctx)
	return out, err
}

// deskNumbers are what publishers and their units have done with inquiries, as the
// centre has told it; none before it has.
func (n *Node) deskNumbers(s sides) ([]portal.DeskNumbers, error) {
	b, err := n.side(s, "talkback/numbers")
	if errors.Is(err, portal.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return post.DecodeNumbers(b)
}

// ownUsage sums what was counted here, at most once a minute.
func (n *Node) ownUsage(ctx context.Context) (portal.UsageTotals, error) {
	t := &n.usage.told
	t.ownMu.Lock()
	defer t.ownMu.Unlock()
	now := n.Now()
	if age := now.Sub(t.ownAt); portal.DateOf(t.ownAt) == portal.DateOf(now) && age >= 0 && age < usageFlush {
		return t.own, nil
	}
	if n.usage.unflushed(portal.DateOf(now)) {
		if err := n.FlushUsage(ctx); err != nil {
			return portal.UsageTotals{}, err
		}
	}
	own, err := n.sumUsage(ctx, false, n.usageUntil())
	if err == nil {
		t.own, t.ownAt = own, now
	}
	return own, err
}

// unflushed tells whether days that are over may have counts in memory alone.
func (u *usage) unflushed(today portal.Date) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.dirty && len(u.days) > 0 && (u.date < today || len(u.days) > 1)
}

// Used is how often a dataset was used in the country within a year, as the
// generation of v tells it; 0 where that is small or not known.
func (n *Node) Used(_ context.Context, v portal.View, id portal.DatasetID) (int64, error) {
	s, err := n.sidesOf(v)
	if err != nil {
		return 0, err
	}
	totals, err := n.countryUsage(s)
	return totals.Used(id), err
}
