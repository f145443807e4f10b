package node

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"
	"unicode"

	"koprik/portal"
	"koprik/portal/lang"
)

// How counts are kept (docs/reference/usage.md).
const (
	usageFlush = time.Minute              // what a killed node loses
	usageKept  = 400                      // days in which a count can still come to the centre
	missedKept = 90                       // days in which a word must be missed on missedDays of them
	missedDays = 5                        // different days after which a word may leave the node
	missedADay = 500                      // new places of words on one day
	missedHeld = 200                      // words between two flushes
	usageSpare = portal.MaxUsageKeys / 10 // keys of a day that are not of datasets
)

// usage counts what people use. Counts are held in memory, and are written every
// minute and at a clean stop, each time as the whole of what this process has
// counted on a day: writing it twice changes nothing.
type usage struct {
	mu     sync.Mutex
	boot   portal.Boot
	date   portal.Date
	days   map[portal.Date]portal.Usage
	dirty  bool
	missed map[string]int64 // words of searches without hits, since the last flush
	folded portal.Date

	told toldUsage
}

// countUse counts one use.
func (n *Node) countUse(k portal.UsageKey) {
	today := portal.DateOf(n.Now())
	u := &n.usage
	u.mu.Lock()
	defer u.mu.Unlock()
	if today != u.date || u.days == nil {
		u.turn(today)
	}
	u.add(k, 1)
}

// turn begins a day.
func (u *usage) turn(date portal.Date) {
	if u.days == nil {
		u.days = map[portal.Date]portal.Usage{}
		_, _ = rand.Read(u.boot[:]) // never fails
	}
	u.date = date
	if u.days[date] == nil {
		u.days[date] = portal.Usage{}
	}
}

// add counts under a key of today. Datasets beyond the bound of a day are counted
// together.
func (u *usage) add(k portal.UsageKey, n int64) {
	today := u.days[u.date]
	have := today[k]
	if have == 0 && k.Name != "" && len(today) >= portal.MaxUsageKeys-usageSpare {
		if !k.Kind.OfDataset() {
			return
		}
		k.Name = ""
		have = today[k]
	}
	today[k] = min(have+n, portal.MaxUses)
	u.dirty = true
}

// missed counts a search that found nothing, and holds its words.
func (n *Node) missed(l portal.Lang, text string) {
	n.countUse(portal.UsageKey{Kind: portal.Misses, Lang: l})
	words := missedWords(text)
	u := &n.usage
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.missed == nil {
		u.missed = map[string]int64{}
	}
	for _, w := range words {
		if u.missed[w] > 0 || len(u.missed) < missedHeld {
			u.missed[w]++
		}
	}
}

// missedWords are the words of a search that may be held: of letters alone, folded.
// A text with an address or a long number in it is somebody's own, and has none.
func missedWords(text string) []string {
	if strings.Contains(text, "@") || strings.Contains(text, "://") {
		return nil
	}
	digits := 0
	for _, r := range text {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	const aYear = 4
	if digits > aYear {
		return nil
	}
	var words []string
	seen := map[string]bool{}
	for _, token := range lang.Tokens(text) {
		w := apostrophes.Replace(strings.ToLower(token))
		if seen[w] || (portal.UsageKey{Name: w, Kind: portal.MissedWords}).Validate() != nil {
			continue
		}
		seen[w] = true
		words = append(words, w)
	}
	return words
}

// apostrophes gives the two of Uzbek one spelling each.
var apostrophes = strings.NewReplacer("o'", "oʻ", "g'", "gʻ", "o’", "oʻ", "g’", "gʻ", "o‘", "oʻ", "g‘", "gʻ", "o`", "oʻ", "g`", "gʻ", "'", "ʼ", "’", "ʼ", "‘", "ʼ", "`", "ʼ")

// FlushUsage writes what was counted since the last time.
func (n *Node) FlushUsage(ctx context.Context) error {
	u := &n.usage
	today := portal.DateOf(n.Now())
	if err := n.foldUsage(ctx, today); err != nil {
		return err
	}
	u.mu.Lock()
	missed := u.missed
	u.missed = nil
	u.mu.Unlock()
	if err := n.flushMissed(ctx, today, missed); err != nil {
		return err
	}
	u.mu.Lock()
	if !u.dirty {
		u.mu.Unlock()
		return nil
	}
	states := make([]portal.UsageState, 0, len(u.days))
	for day, counts := range u.days {
		if len(counts) > 0 {
			states = append(states, portal.UsageState{Boot: u.boot, Day: day, Counts: maps.Clone(counts)})
		}
	}
	u.dirty = false
	u.mu.Unlock()
	err := n.local.KeepUsage(ctx, states)
	u.mu.Lock()
	defer u.mu.Unlock()
	if err != nil {
		u.dirty = true
		return err
	}
	yesterday := portal.DateOf(today.Time().AddDate(0, 0, -1))
	maps.DeleteFunc(u.days, func(d portal.Date, _ portal.Usage) bool { return d < yesterday && d != u.date })
	return nil
}

// missedKey is where local.db has the key under which words have their places.
const missedKey = "usage-missed-key"

// flushMissed notes the places of words on a day, and counts those words that were
// missed on enough days. The others are forgotten: what stays of a word is a place
// that it shares with thousands of others, and nobody can tell which it was.
func (n *Node) flushMissed(ctx context.Context, today portal.Date, missed map[string]int64) error {
	if len(missed) == 0 {
		return nil
	}
	key, err := n.missedSecret(ctx)
	if err != nil {
		return err
	}
	places := map[int64][]string{}
	var order []int64
	for w := range missed {
		p := missedPlace(key, w)
		if places[p] == nil {
			order = append(order, p)
		}
		places[p] = append(places[p], w)
	}
	days, err := n.local.Missed(ctx, order, today, missedADay)
	if err != nil {
		return err
	}
	u := &n.usage
	u.mu.Lock()
	defer u.mu.Unlock()
	for p, words := range places {
		if days[p] < missedDays || u.days == nil {
			continue
		}
		for _, w := range words {
			u.add(portal.UsageKey{Name: w, Kind: portal.MissedWords}, missed[w])
		}
	}
	return nil
}

// missedPlace is the place of a word among 65,536.
func missedPlace(key []byte, word string) int64 {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(lang.Fold(word)))
	return int64(binary.BigEndian.Uint16(h.Sum(nil)))
}

func (n *Node) missedSecret(ctx context.Context) ([]byte, error) {
	v, ok, err := n.local.Get(ctx, missedKey)
	if err != nil {
		return nil, err
	}
	if key, err := hex.DecodeString(v); ok && err == nil {
		return key, nil
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return key, n.local.Set(ctx, missedKey, hex.EncodeToString(key))
}

// foldUsage sums once a day what is too old to come again. What is closed stays
// closed: how old it is goes by the newest signed time, because a clock that is
// ahead would close days that were not reported, or have not come yet. A centre's
// own clock is what the others go by.
func (n *Node) foldUsage(ctx context.Context, today portal.Date) error {
	past := n.signedTime()
	if n.central() {
		past = n.Now()
	} else if past.IsZero() {
		return nil
	}
	u := &n.usage
	u.mu.Lock()
	done := u.folded == today
	u.folded = today
	u.mu.Unlock()
	if done {
		return nil
	}
	err := n.local.FoldUsage(ctx, portal.DateOf(portal.DateOf(past).Time().AddDate(0, 0, -usageKept)), past.Add(-ackedFor), portal.DateOf(today.Time().AddDate(0, 0, -missedKept)))
	return errors.Join(err, ctx.Err())
}
