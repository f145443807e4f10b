package portal

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ReuseKind says what was made with data. All but the last are the types of reuse
// of data.gouv.fr (udata, "reuse types"), which has the widest vocabulary of them;
// DCAT has none.
type ReuseKind string

// The kinds.
const (
	ReuseApplication   ReuseKind = "application"
	ReuseVisualization ReuseKind = "visualization"
	ReuseNews          ReuseKind = "news_article"
	ReusePaper         ReuseKind = "paper"
	ReusePost          ReuseKind = "post"
	ReuseAPI           ReuseKind = "api"
	ReuseHardware      ReuseKind = "hardware"
	ReuseTeaching      ReuseKind = "teaching" // ours
)

// ReuseKinds are all of them, in the order in which people are offered them.
var ReuseKinds = []ReuseKind{ReuseApplication, ReuseVisualization, ReuseNews, ReusePaper, ReusePost, ReuseAPI, ReuseHardware, ReuseTeaching}

// ReuseState says how a reuse is.
type ReuseState string

// The states.
const (
	ReuseAlive    ReuseState = "alive"
	ReuseSleeping ReuseState = "sleeping"
	ReuseAdopter  ReuseState = "adopter" // it runs, and looks for somebody who goes on with it
)

// ReuseStates are all of them, in the order in which people are offered them.
var ReuseStates = []ReuseState{ReuseAlive, ReuseSleeping, ReuseAdopter}

// How often somebody has to say how a reuse is, and after how many times that
// nobody did it sleeps by rule.
const (
	CheckInDays   = 90
	missedCheckIn = 2
)

// Limits of a reuse.
const (
	MaxReuseTitle   = 120  // characters, in each language
	MaxReuseSummary = 1000 // characters, in each language
	MaxReuseBy      = 200  // characters
	MaxReuseLink    = 500  // bytes
	MaxReuseUses    = 20   // datasets
	MaxCohorts      = 200
	maxCohortID     = 60
)

// ReuseSource is a dataset that a reuse was made with.
type ReuseSource struct {
	Dataset DatasetID `json:"dataset"`
	Release int       `json:"release,omitempty"` // 0: whichever is the latest
}

// String is how a person writes a source: "main_water", or "main_water@3" with
// its release.
func (s ReuseSource) String() string {
	if s.Release == 0 {
		return string(s.Dataset)
	}
	return string(s.Dataset) + "@" + strconv.Itoa(s.Release)
}

// ParseReuseSource reads what String gives, and the address of any page or file of
// a dataset, of whichever portal.
func ParseReuseSource(s string) (src ReuseSource, err error) {
	s = strings.TrimSpace(s)
	slug, release, numbered := strings.Cut(s, "@")
	if strings.ContainsAny(s, "/?") {
		u, err := url.Parse(s)
		if err != nil {
			return src, Rejected("uses", "%.100q is no address", s)
		}
		parts := strings.Split(strings.Trim(u.Path, "/"), "/")
		at := slices.Index(parts, "dataset")
		if at < 0 || at+1 == len(parts) {
			return src, Rejected("uses", "%.100q is no address of a dataset", s)
		}
		slug = parts[at+1]
		if numbered = len(parts) > at+3 && parts[at+2] == "release"; numbered {
			release = strings.TrimSuffix(parts[at+3], ".json")
		}
	}
	if src.Dataset, err = ParseDatasetID(slug); err != nil {
		return ReuseSource{}, Rejected("uses", "%.100q is neither a dataset nor an address of one", s)
	}
	if numbered {
		if src.Release, err = strconv.Atoi(release); err != nil || src.Release < 1 || src.Release > MaxNumber {
			return ReuseSource{}, Rejected("uses", "%.100q: %.20q is no release", s, release)
		}
	}
	return src, nil
}

// ReuseDetails are what is said of a reuse: by who submits it, and then by the
// centre as everybody reads it.
type ReuseDetails struct {
	Kind    ReuseKind     `json:"kind"`
	Title   Text          `json:"title"`
	Summary Text          `json:"summary"`
	Link    string        `json:"link"`
	By      string        `json:"by,omitempty"`      // who made it, as they want to be called
	Consent bool          `json:"consent,omitempty"` // that everybody reads By
	Uses    []ReuseSource `json:"uses"`
	Cohort  CohortID      `json:"cohort,omitempty"`
}

// Validate names everything that is wrong, by the field of the form.
func (d ReuseDetails) Validate() error {
	var k checker
	if !slices.Contains(ReuseKinds, d.Kind) {
		k.add("kind", "%.40q is no kind of reuse", d.Kind)
	}
	k.required("title", d.Title, MaxReuseTitle)
	k.required("summary", d.Summary, MaxReuseSummary)
	for where, t := range map[string]Text{"title": d.Title, "summary": d.Summary} {
		if !t.IsZero() && strings.TrimSpace(strings.Join(t.All(), "")) == "" {
			k.add(where, "is empty")
		}
	}
	if err := checkReuseLink(d.Link); err != nil {
		k.add("link", "%v", err)
	}
	k.line("by", d.By, MaxReuseBy)
	if d.By != "" && !d.Consent {
		k.add("by", "is shown to everybody only with consent")
	}
	if len(d.Uses) == 0 {
		k.add("uses", "at least one dataset must be named")
	}
	k.count("uses", len(d.Uses), MaxReuseUses)
	seen := map[DatasetID]bool{}
	for _, s := range d.Uses[:min(len(d.Uses), MaxReuseUses)] {
		if again, err := ParseReuseSource(s.String()); err != nil || again != s {
			k.add("uses", "%.100q is no dataset", s.String())
		}
		if seen[s.Dataset] {
			k.add("uses", "%s is named twice", s.Dataset)
		}
		seen[s.Dataset] = true
	}
	if d.Cohort != "" {
		if _, err := ParseCohortID(string(d.Cohort)); err != nil {
			k.add("cohort", "%v", err)
		}
	}
	return k.problems.Err()
}

// checkReuseLink accepts what a page may lead to: no other scheme than those of the
// web, and no name before an @ that looks like a host.
func checkReuseLink(s string) error {
	if len(s) > MaxReuseLink {
		return fmt.Errorf("%d bytes, at most %d are allowed", len(s), MaxReuseLink)
	}
	if err := CheckURL(s); err != nil {
		return err
	}
	if u, err := url.Parse(s); err != nil || u.User != nil || u.Scheme == "ftp" {
		return fmt.Errorf("%.200q is not an address that begins with https:// or http://", s)
	}
	return nil
}

// Lived is a time through which a reuse was said to be in one state: from the day
// on which somebody said so first to the one on which somebody said so last.
type Lived struct {
	State ReuseState `json:"state"`
	From  Date       `json:"from"`
	Until Date       `json:"until"`
}

// Reuse is an application, a story or anything else made with data, as the public
// sees it: on its datasets' pages, on every node, inside the signed repository.
type Reuse struct {
	ID InquiryID `json:"id"` // its public name
	ReuseDetails
	Lived []Lived     `json:"lived"` // oldest first; the first begins when it was published
	Risks []ReuseRisk `json:"risks,omitempty"`
}

// ReuseRisk is a release that changed columns of a dataset since somebody last said
// how the reuse is.
type ReuseRisk struct {
	Day     Date           `json:"day"`
	Dataset DatasetID      `json:"dataset"`
	Release int            `json:"release"`
	Columns []ColumnChange `json:"columns"`
}

// Published is the day since which everybody can see it.
func (r *Reuse) Published() Date {
	if len(r.Lived) == 0 {
		return ""
	}
	return r.Lived[0].From
}

// CheckedIn is the day on which somebody last said how it is.
func (r *Reuse) CheckedIn() Date {
	if len(r.Lived) == 0 {
		return ""
	}
	return r.Lived[len(r.Lived)-1].Until
}

// CheckInDue is the day by which somebody has to say so again; "" for one that
// sleeps because somebody said so.
func (r *Reuse) CheckInDue() Date {
	if n := len(r.Lived); n > 0 && r.Lived[n-1].State != ReuseSleeping {
		return r.Lived[n-1].Until.AddDays(CheckInDays)
	}
	return ""
}

// StateOn gives how a reuse was on a day: as it was last said until then, and
// sleeping once two check-ins were missed. byRule tells that from a word of
// somebody. "" before it was published.
func (r *Reuse) StateOn(day Date) (state ReuseState, byRule bool) {
	for _, l := range slices.Backward(r.Lived) {
		if day < l.From {
			continue
		}
		if l.State != ReuseSleeping && day >= l.Until.AddDays(missedCheckIn*CheckInDays) {
			return ReuseSleeping, true
		}
		return l.State, false
	}
	return "", false
}

// StateIn gives how a reuse is for the reader of a copy of that day, which is not
// today: a copy that is old has not heard of the check-ins since.
func (r *Reuse) StateIn(copied Date) (state ReuseState, byRule bool) {
	return r.StateOn(max(copied, r.Published())) // whoever shows it knows of it
}

// UsesData tells whether it was made with a dataset.
func (r *Reuse) UsesData(id DatasetID) bool {
	return slices.ContainsFunc(r.Uses, func(s ReuseSource) bool { return s.Dataset == id })
}

// CohortID names a cohort: 1 to 60 of [a-z0-9-].
type CohortID string

// ParseCohortID accepts exactly the spelling that comes out.
func ParseCohortID(s string) (CohortID, error) {
	if err := checkSlug(s, maxCohortID); err != nil {
		return "", fmt.Errorf("cohort %.80q: %w", s, err)
	}
	return CohortID(s), nil
}

// Cohort are the reuses that were begun together: at a hackathon mostly.
type Cohort struct {
	ID      CohortID `json:"id"`
	Title   Text     `json:"title"`
	Day     Date     `json:"day"`               // on which it ended
	Entries int      `json:"entries,omitempty"` // how many took part; 0: as many as stand here
}

// Validate names everything that is wrong.
func (c Cohort) Validate() error {
	var k checker
	if _, err := ParseCohortID(string(c.ID)); err != nil {
		k.add("cohort", "%v", err)
	}
	k.required("title", c.Title, MaxReuseTitle)
	if _, err := ParseDate(string(c.Day)); err != nil {
		k.add("day", "%.40q: must be a day written as 2026-01-31", c.Day)
	}
	const most = 10_000
	if c.Entries < 0 || c.Entries > most {
		k.add("entries", "%d: must be 0 to %d", c.Entries, most)
	}
	return k.problems.Err()
}

// Survival is how many of a cohort were alive so many years after its day.
type Survival struct {
	Years     int // 0: on the day of the copy
	Alive, Of int
}

// Survived counts a cohort on every anniversary until the day of a copy, and on
// that day. One that nobody had published by then, or that nobody has heard of for
// two check-ins, is not counted as alive; all that took part are counted below.
func (c Cohort) Survived(reuses []Reuse, asOf Date) []Survival {
	alive := func(day Date) (n, of int) {
		for i := range reuses {
			if reuses[i].Cohort != c.ID {
				continue
			}
			of++
			if state, _ := reuses[i].StateOn(day); state == ReuseAlive {
				n++
			}
		}
		return n, max(of, c.Entries)
	}
	var all []Survival
	add := func(years int, day Date) {
		n, of := alive(day)
		all = append(all, Survival{Years: years, Alive: n, Of: of})
	}
	const most = 20
	for years := 1; years <= most; years++ {
		day := DateOf(c.Day.Time().AddDate(years, 0, 0))
		if day > asOf {
			break
		}
		add(years, day)
	}
	add(0, asOf)
	return all
}

// Showcase are all public reuses of one generation, and their cohorts.
type Showcase struct {
	Cohorts []Cohort `json:"cohorts,omitempty"`
	Reuses  []Reuse  `json:"reuses"` // newest first
}

// Using are the reuses made with a dataset.
func (s Showcase) Using(id DatasetID) (list []Reuse) {
	for _, r := range s.Reuses {
		if r.UsesData(id) {
			list = append(list, r)
		}
	}
	return list
}

// Reuse gives one by its public name.
func (s Showcase) Reuse(id InquiryID) (Reuse, bool) {
	i := slices.IndexFunc(s.Reuses, func(r Reuse) bool { return r.ID == id })
	if i < 0 {
		return Reuse{}, false
	}
	return s.Reuses[i], true
}

// Cohort gives one by its name.
func (s Showcase) Cohort(id CohortID) (Cohort, bool) {
	i := slices.IndexFunc(s.Cohorts, func(c Cohort) bool { return c.ID == id })
	if i < 0 {
		return Cohort{}, false
	}
	return s.Cohorts[i], true
}

// ShowcaseReader reads public reuses. A View that has any is one. Callers do not
// change what it gives: it is shared.
type ShowcaseReader interface {
	Showcase(ctx context.Context) (Showcase, error)
}

// ShowcaseOf gives the reuses of a view; none where it has none to give.
func ShowcaseOf(ctx context.Context, v View) (Showcase, error) {
	if reader, ok := v.(ShowcaseReader); ok {
		return reader.Showcase(ctx)
	}
	return Showcase{}, nil
}
