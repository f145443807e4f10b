package portal

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"unicode"
	"unicode/utf8"
)

// UsageKind says what is counted (spec/talkback.md, "Usage, without watching anyone").
type UsageKind uint8

// The kinds, in the order in which they travel: a number is never given away again.
const (
	Visits        UsageKind = iota // pages of a dataset that were looked at
	Downloads                      // files of a dataset that were begun
	Searches                       // searches with words
	Misses                         // those of them that found nothing
	KioskSessions                  // visits to a public screen
	MissedWords                    // searches that found nothing and had a word; UsageKey.Name is the word
)

// usageKinds are their names in files and addresses.
var usageKinds = [...]string{"visits", "downloads", "searches", "misses", "kiosk_sessions", "missed_words"}

// String is the kind's name in files and addresses.
func (k UsageKind) String() string {
	if int(k) < len(usageKinds) {
		return usageKinds[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// OfDataset tells kinds that are counted by dataset.
func (k UsageKind) OfDataset() bool { return k == Visits || k == Downloads }

// Bounds of what a node may say it has counted. An honest node stays below them;
// what is above is not counted.
const (
	MaxUses      = 10_000_000 // of one key on one day
	MaxUsageKeys = 4_000      // of one day; what is more counts under no dataset
	MaxMissed    = 40         // characters of a word
)

// UsageKey names one count of a node's day.
type UsageKey struct {
	Name string // the dataset, or the word of MissedWords; "" for a kind without
	Kind UsageKind
	Lang Lang // of the page; "" where no page tells it
}

// Compare orders keys as they travel: by name, kind and language.
func (k UsageKey) Compare(o UsageKey) int {
	return cmp.Or(cmp.Compare(k.Name, o.Name), cmp.Compare(k.Kind, o.Kind), cmp.Compare(slices.Index(Langs, k.Lang), slices.Index(Langs, o.Lang)))
}

// Validate says whether an honest node could have counted under the key.
func (k UsageKey) Validate() error {
	if k.Lang != "" && !slices.Contains(Langs, k.Lang) {
		return fmt.Errorf("%.20q is no language of the portal", k.Lang)
	}
	switch {
	case k.Kind.OfDataset() && k.Name == "":
		return nil // of datasets beyond MaxUsageKeys
	case k.Kind.OfDataset():
		_, err := ParseDatasetID(k.Name)
		return err
	case k.Kind == MissedWords:
		return checkMissed(k.Name)
	case k.Kind > MissedWords:
		return fmt.Errorf("%s is not counted", k.Kind)
	case k.Name != "":
		return fmt.Errorf("%s of %.40q: are counted together", k.Kind, k.Name)
	}
	return nil
}

// checkMissed accepts a word of letters alone: no number of a telephone or a
// document, no address.
func checkMissed(word string) error {
	n := utf8.RuneCountInString(word)
	if n < 2 || n > MaxMissed || !utf8.ValidString(word) {
		return fmt.Errorf("word %.80q: must have 2 to %d letters", word, MaxMissed)
	}
	for _, r := range word {
		if !unicode.IsLetter(r) && r != 'ʻ' && r != 'ʼ' {
			return fmt.Errorf("word %.80q: must be of letters", word)
		}
	}
	return nil
}

// Usage are counts of one process of a node on one day, or sums of such.
type Usage map[UsageKey]int64

// Merge takes of each count the larger. Counts of one process and one day only
// grow, so that whatever comes twice, late or in another order changes nothing:
// merging is commutative, associative and idempotent.
func (u Usage) Merge(o Usage) {
	for k, n := range o {
		u[k] = max(u[k], n)
	}
}

// Add sums counts of different processes or days.
func (u Usage) Add(o Usage) {
	for k, n := range o {
		u[k] += n
	}
}

// Validate names the first count that no honest node has.
func (u Usage) Validate() error {
	if len(u) > MaxUsageKeys {
		return fmt.Errorf("%d counts of one day, at most %d", len(u), MaxUsageKeys)
	}
	for _, k := range slices.SortedFunc(maps.Keys(u), UsageKey.Compare) {
		if err := k.Validate(); err != nil {
			return err
		}
		if n := u[k]; n < 1 || n > MaxUses {
			return fmt.Errorf("%s of %.80q: %d, must be 1 to %d", k.Kind, k.Name, n, MaxUses)
		}
	}
	return nil
}

// Boot names one process of a node: 8 random bytes, made when it begins to count
// and never used by another, so that the copies of a card that was cloned count
// under names of their own.
type Boot [8]byte

// UsageState is what one process of a node has counted on one day so far.
type UsageState struct {
	Boot   Boot
	Day    Date
	Counts Usage
}

// SmallCount is the least number that is told: smaller ones could be about a person.
const SmallCount = 5

// Few hides a small count: 1 stands for any from 1 to SmallCount-1, and is shown
// as "<5".
func Few(n int64) int64 {
	if n > 0 && n < SmallCount {
		return 1
	}
	return n
}

// Month is a month as 2026-11.
type Month string

// MonthOf is the month of a day.
func MonthOf(d Date) Month {
	const length = len("2026-11")
	return Month(d[:min(len(d), length)])
}

// Before is the month n months before m.
func (m Month) Before(n int) Month {
	return MonthOf(DateOf(Date(m+"-01").Time().AddDate(0, -n, 0)))
}

// UsageTotals are counts as they are told: sums of nodes, small ones hidden by Few.
type UsageTotals struct {
	Until    Date         `json:"until"`           // the last day that is counted
	Nodes    int          `json:"nodes,omitempty"` // that reported within the last year; 0: this node alone
	Year     UsageCounts  `json:"year"`            // twelve months with the one of Until
	Months   []UsageMonth `json:"months,omitempty"`
	Datasets []DatasetUse `json:"datasets,omitempty"` // of those twelve months, the most used first
	Words    []WordUse    `json:"words,omitempty"`    // of the same, the most missed first
}

// UsageCounts are counts of a time.
type UsageCounts struct {
	Visits        int64          `json:"visits"`
	Downloads     int64          `json:"downloads"`
	Searches      int64          `json:"searches"`
	Misses        int64          `json:"misses"`
	KioskSessions int64          `json:"kiosk_sessions"`
	Langs         map[Lang]int64 `json:"languages,omitempty"` // visits by language
}

// UsageMonth are the counts of a month.
type UsageMonth struct {
	Month Month `json:"month"`
	UsageCounts
}

// DatasetUse is how often a dataset was used.
type DatasetUse struct {
	Dataset   DatasetID `json:"dataset"`
	Visits    int64     `json:"visits"`
	Downloads int64     `json:"downloads"`
}

// Uses is how often a dataset was looked at or fetched; small counts are none.
func (d DatasetUse) Uses() int64 {
	n := int64(0)
	for _, c := range []int64{d.Visits, d.Downloads} {
		if c >= SmallCount {
			n += c
		}
	}
	return n
}

// WordUse is how many searches without hits had a word.
type WordUse struct {
	Word     string `json:"word"`
	Searches int64  `json:"searches"`
}

// Limits of what totals tell.
const (
	UsageMonths   = 24
	UsageDatasets = 20_000
	UsageWords    = 100
)

// UsageDay is a sum of counts with the day, or the first day of the month, that
// they are of.
type UsageDay struct {
	Day    Date
	Counts Usage
}

// SumUsage sums days up to until and hides what is small. hidden are words that
// are not told.
func SumUsage(days iter.Seq[UsageDay], until Date, hidden func(word string) bool) UsageTotals {
	last := MonthOf(until)
	year, first := last.Before(11), last.Before(UsageMonths-1)
	total := UsageTotals{Until: until}
	months := map[Month]*UsageCounts{}
	datasets := map[DatasetID]*DatasetUse{}
	words := map[string]int64{}
	for d := range days {
		month := MonthOf(d.Day)
		if d.Day > until || month < first {
			continue
		}
		m := months[month]
		if m == nil {
			m = &UsageCounts{}
			months[month] = m
		}
		m.add(d.Counts)
		if month < year {
			continue
		}
		total.Year.add(d.Counts)
		addByName(d.Counts, datasets, words)
	}
	total.Year.hide()
	for _, month := range slices.Sorted(maps.Keys(months)) {
		months[month].hide()
		total.Months = append(total.Months, UsageMonth{month, *months[month]})
	}
	total.Datasets = mostUsed(datasets)
	total.Words = mostMissed(words, hidden)
	return total
}

func addByName(u Usage, datasets map[DatasetID]*DatasetUse, words map[string]int64) {
	for k, n := range u {
		switch {
		case k.Name == "":
		case k.Kind == MissedWords:
			words[k.Name] += n
		case k.Kind.OfDataset():
			id := DatasetID(k.Name)
			d := datasets[id]
			if d == nil {
				d = &DatasetUse{Dataset: id}
				datasets[id] = d
			}
			if k.Kind == Visits {
				d.Visits += n
			} else {
				d.Downloads += n
			}
		}
	}
}

func (c *UsageCounts) add(u Usage) {
	for k, n := range u {
		switch k.Kind {
		case Visits:
			c.Visits += n
			if c.Langs == nil {
				c.Langs = map[Lang]int64{}
			}
			c.Langs[k.Lang] += n
		case Downloads:
			c.Downloads += n
		case Searches:
			c.Searches += n
		case Misses:
			c.Misses += n
		case KioskSessions:
			c.KioskSessions += n
		case MissedWords:
		}
	}
}

func (c *UsageCounts) hide() {
	for _, n := range []*int64{&c.Visits, &c.Downloads, &c.Searches, &c.Misses, &c.KioskSessions} {
		*n = Few(*n)
	}
	for l, n := range c.Langs {
		c.Langs[l] = Few(n)
	}
}

// mostUsed gives datasets by use, but those of which all is small.
func mostUsed(datasets map[DatasetID]*DatasetUse) []DatasetUse {
	var list []DatasetUse
	for _, d := range datasets {
		d.Visits, d.Downloads = Few(d.Visits), Few(d.Downloads)
		if d.Uses() > 0 {
			list = append(list, *d)
		}
	}
	slices.SortFunc(list, func(a, b DatasetUse) int {
		return cmp.Or(cmp.Compare(b.Uses(), a.Uses()), cmp.Compare(a.Dataset, b.Dataset))
	})
	return list[:min(len(list), UsageDatasets)]
}

// mostMissed gives words by how often they were searched, but the small ones.
func mostMissed(words map[string]int64, hidden func(word string) bool) []WordUse {
	var list []WordUse
	for w, n := range words {
		if n >= SmallCount && !hidden(w) {
			list = append(list, WordUse{w, n})
		}
	}
	slices.SortFunc(list, func(a, b WordUse) int {
		return cmp.Or(cmp.Compare(b.Searches, a.Searches), cmp.Compare(a.Word, b.Word))
	})
	return list[:min(len(list), UsageWords)]
}

// Numbers are what /numbers shows beside the catalogue.
type Numbers struct {
	Own     UsageTotals
	Country *UsageTotals  // nil: none has come
	Desks   []DeskNumbers // publishers and their units
}

// Used gives how often a dataset was used in the country; 0 where that is small or
// not known.
func (t *UsageTotals) Used(id DatasetID) int64 {
	if t == nil {
		return 0
	}
	for _, d := range t.Datasets {
		if d.Dataset == id {
			return d.Uses()
		}
	}
	return 0
}
