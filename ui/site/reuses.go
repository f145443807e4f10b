package site

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"koprik/portal"
	"koprik/ui/locale"
)

// reusesPage is the struct of templates/reuses.html.
type reusesPage struct {
	*Frame
	Found   string
	Cards   []reuseCard
	Filters []FacetBox // each with one choice
	Chosen  []Link     // the filters that are set; each link takes one back
	New     string     // where one is submitted; "" where nothing is taken
	Cohorts []cohortLine
	Pager   Pager
}

// reuseCard is a reuse in a list.
type reuseCard struct {
	Title   Link
	Kind    string
	State   string
	Wanted  bool // it looks for somebody
	Summary Shown
	By      string
	Uses    []Link
}

// cohortLine says how many of a cohort are still alive.
type cohortLine struct {
	Title Link
	When  string
	Said  []string
}

// usedBox is what a dataset's page shows of the reuses made with it.
type usedBox struct {
	Lines []usedLine
	All   Link
	New   string // "" where nothing is taken
}

// usedLine is a reuse in a short list.
type usedLine struct {
	To    Link
	Kind  string
	State string
}

func (s *site) reuseRoutes(get, post func(string, http.Handler), in string) {
	get(in+"/reuses", s.page(s.reuses))
	if s.o.Asker != nil {
		get(in+"/reuses/new", s.livePage(s.newReuse))
		post(in+"/reuses/new", s.formPage(s.newReuse))
		post(in+"/reuses/{id}", s.formPage(s.checkIn))
	}
	get(in+"/reuses/{id}", s.plainPage(s.reuse))
}

var reuseKindWords = map[portal.ReuseKind]locale.Key{
	portal.ReuseApplication: "reuse.application", portal.ReuseVisualization: "reuse.visualization", portal.ReuseNews: "reuse.news",
	portal.ReusePaper: "reuse.paper", portal.ReusePost: "reuse.post", portal.ReuseAPI: "reuse.api", portal.ReuseHardware: "reuse.hardware",
	portal.ReuseTeaching: "reuse.teaching",
}

var reuseStateWords = map[portal.ReuseState]locale.Key{
	portal.ReuseAlive: "reuse.alive", portal.ReuseSleeping: "reuse.sleeping", portal.ReuseAdopter: "reuse.adopter",
}

// asOf is the day of the copy: how a reuse is, is told as of it.
func (v *visit) asOf() portal.Date { return portal.DateOf(v.view.State().AsOf) }

func (v *visit) showcase() (portal.Showcase, error) { return portal.ShowcaseOf(v.ctx, v.view) }

// reuses lists what was made with the data.
func (s *site) reuses(v *visit) (answer, error) {
	shown, err := v.showcase()
	if err != nil {
		return answer{}, err
	}
	page, err := v.pageNumber()
	if err != nil {
		return answer{}, err
	}
	list, err := v.filtered(shown)
	if err != nil {
		return answer{}, err
	}
	v.Title, v.Feed = v.T("reuse.title"), v.feedAddress("reuses")
	p := &reusesPage{Frame: v.Frame, Found: v.N("reuse.count", len(list)), New: v.newReuseURL("")}
	if p.Pager, err = v.pager(page, len(list)); err != nil {
		return answer{}, err
	}
	from := min((page-1)*perPage, len(list))
	if p.Cards, err = v.cards(list[from:min(from+perPage, len(list))]); err != nil {
		return answer{}, err
	}
	p.Filters = v.reuseFilters(shown)
	for _, name := range []string{"state", "kind", "cohort", "dataset"} {
		if value := v.one(name); value != "" {
			p.Chosen = append(p.Chosen, Link{Shown: v.filterWord(shown, name, value), Href: v.address(name, "", "page", "")})
		}
	}
	for _, c := range shown.Cohorts {
		p.Cohorts = append(p.Cohorts, v.cohortLine(c, shown.Reuses))
	}
	return answer{template: "reuses", data: p}, nil
}

// filtered gives the reuses that the address asks for; alive ones first, those that
// look for an adopter then, each the newest first.
func (v *visit) filtered(s portal.Showcase) (list []portal.Reuse, err error) {
	state, kind := portal.ReuseState(v.one("state")), portal.ReuseKind(v.one("kind"))
	cohort, dataset := portal.CohortID(v.one("cohort")), portal.DatasetID(v.one("dataset"))
	if state != "" && reuseStateWords[state] == "" {
		return nil, v.bad("error.badfilter", "got", clip(string(state), 60))
	}
	if kind != "" && reuseKindWords[kind] == "" {
		return nil, v.bad("error.badfilter", "got", clip(string(kind), 60))
	}
	order := map[portal.ReuseState]int{portal.ReuseAlive: 0, portal.ReuseAdopter: 1, portal.ReuseSleeping: 2}
	rank := func(r portal.Reuse) int {
		now, _ := r.StateIn(v.asOf())
		return order[now]
	}
	for _, r := range s.Reuses {
		now, _ := r.StateIn(v.asOf())
		if (state == "" || now == state) && (kind == "" || r.Kind == kind) && (cohort == "" || r.Cohort == cohort) && (dataset == "" || r.UsesData(dataset)) {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b portal.Reuse) int { return rank(a) - rank(b) })
	return list, nil
}

// reuseFilters offers the states and kinds that there are.
func (v *visit) reuseFilters(s portal.Showcase) []FacetBox {
	states, kinds := map[portal.ReuseState]int{}, map[portal.ReuseKind]int{}
	for i := range s.Reuses {
		now, _ := s.Reuses[i].StateIn(v.asOf())
		states[now]++
		kinds[s.Reuses[i].Kind]++
	}
	state := FacetBox{Name: "state", Label: v.T("reuse.state")}
	for _, one := range portal.ReuseStates {
		if states[one] > 0 {
			state.Options = append(state.Options, Choice{Value: string(one), Label: Shown{Text: v.T(reuseStateWords[one])}, Count: v.Int(int64(states[one])), On: v.one("state") == string(one)})
		}
	}
	kind := FacetBox{Name: "kind", Label: v.T("reuse.kind")}
	for _, one := range portal.ReuseKinds {
		if kinds[one] > 0 {
			kind.Options = append(kind.Options, Choice{Value: string(one), Label: Shown{Text: v.T(reuseKindWords[one])}, Count: v.Int(int64(kinds[one])), On: v.one("kind") == string(one)})
		}
	}
	return slices.DeleteFunc([]FacetBox{state, kind}, func(b FacetBox) bool { return len(b.Options) < 2 })
}

// filterWord names the value of a filter.
func (v *visit) filterWord(s portal.Showcase, name, value string) Shown {
	switch name {
	case "state":
		return Shown{Text: v.T(reuseStateWords[portal.ReuseState(value)])}
	case "kind":
		return Shown{Text: v.T(reuseKindWords[portal.ReuseKind(value)])}
	case "cohort":
		if c, ok := s.Cohort(portal.CohortID(value)); ok {
			return v.text(c.Title)
		}
	default:
		if d, err := v.view.Dataset(v.ctx, portal.DatasetID(value)); err == nil {
			return v.title(d)
		}
	}
	return Shown{Text: clip(value, 60)}
}

func (v *visit) reuseURL(id portal.InquiryID) string { return v.Base + "/reuses/" + id.String() }

// newReuseURL leads to the form, about a dataset where one is given; "" where
// nothing is taken.
func (v *visit) newReuseURL(id portal.DatasetID) string {
	if v.site.o.Asker == nil {
		return ""
	}
	if id == "" {
		return v.Base + "/reuses/new"
	}
	return v.Base + "/reuses/new?uses=" + url.QueryEscape(string(id))
}

// reuseState says how a reuse is, and whether it looks for an adopter.
func (v *visit) reuseState(r portal.Reuse) (word string, wanted bool) {
	state, _ := r.StateIn(v.asOf())
	return v.T(reuseStateWords[state]), state == portal.ReuseAdopter
}

func (v *visit) cards(list []portal.Reuse) ([]reuseCard, error) {
	const shownUses = 3
	titles, err := v.titlesOf(list, shownUses)
	if err != nil {
		return nil, err
	}
	cards := make([]reuseCard, len(list))
	for i, r := range list {
		summary := v.text(r.Summary)
		summary.Text = clip(strings.Join(strings.Fields(summary.Text), " "), 200)
		cards[i] = reuseCard{Title: Link{Shown: v.text(r.Title), Href: v.reuseURL(r.ID)}, Kind: v.T(reuseKindWords[r.Kind]), Summary: summary, By: r.By}
		cards[i].State, cards[i].Wanted = v.reuseState(r)
		for _, s := range r.Uses[:min(len(r.Uses), shownUses)] {
			cards[i].Uses = append(cards[i].Uses, titles(s))
		}
		if more := len(r.Uses) - shownUses; more > 0 {
			cards[i].Uses = append(cards[i].Uses, Link{Shown: Shown{Text: "+" + strconv.Itoa(more)}, Href: v.reuseURL(r.ID)})
		}
	}
	return cards, nil
}

// titlesOf reads the datasets of reuses at once. One that is not here is called by
// its name and leads nowhere.
func (v *visit) titlesOf(list []portal.Reuse, each int) (func(portal.ReuseSource) Link, error) {
	var ids []portal.DatasetID
	for _, r := range list {
		for _, s := range r.Uses[:min(len(r.Uses), each)] {
			ids = append(ids, s.Dataset)
		}
	}
	slices.Sort(ids)
	datasets, err := v.view.Datasets(v.ctx, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	known := map[portal.DatasetID]Shown{}
	for _, d := range datasets {
		known[d.ID] = v.title(d)
	}
	return func(s portal.ReuseSource) Link {
		if title, ok := known[s.Dataset]; ok {
			return Link{Shown: title, Href: v.datasetURL(s.Dataset)}
		}
		return Link{Shown: Shown{Text: string(s.Dataset)}}
	}, nil
}

// cohortLine says in words what has become of a cohort, computed on its days.
func (v *visit) cohortLine(c portal.Cohort, reuses []portal.Reuse) cohortLine {
	line := cohortLine{Title: Link{Shown: v.text(c.Title), Href: v.Base + "/reuses?cohort=" + url.QueryEscape(string(c.ID))}, When: v.Date(c.Day.Time())}
	for _, s := range c.Survived(reuses, v.asOf()) {
		alive, of := v.Int(int64(s.Alive)), v.Int(int64(s.Of))
		if s.Years == 0 {
			line.Said = append(line.Said, v.T("reuse.survivenow", "alive", alive, "of", of, "date", v.day(v.view.State().AsOf)))
		} else {
			line.Said = append(line.Said, v.N("reuse.survived", s.Years, "alive", alive, "of", of))
		}
	}
	return line
}

// usedLines lists reuses in short.
func (v *visit) usedLines(list []portal.Reuse) (lines []usedLine) {
	for _, r := range list {
		word, _ := v.reuseState(r)
		lines = append(lines, usedLine{To: Link{Shown: v.text(r.Title), Href: v.reuseURL(r.ID)}, Kind: v.T(reuseKindWords[r.Kind]), State: word})
	}
	return lines
}

// usedBy is what a dataset's page shows of the reuses made with it.
func (v *visit) usedBy(id portal.DatasetID) (*usedBox, error) {
	shown, err := v.showcase()
	if err != nil {
		return nil, err
	}
	const most = 5
	list := shown.Using(id)
	box := &usedBox{Lines: v.usedLines(list[:min(len(list), most)]), New: v.newReuseURL(id)}
	if len(list) > most {
		box.All = Link{Shown: Shown{Text: v.N("reuse.count", len(list))}, Href: v.Base + "/reuses?dataset=" + url.QueryEscape(string(id))}
	}
	if len(list) == 0 && box.New == "" {
		return nil, nil
	}
	return box, nil
}

// reusesFound lists the reuses that a search found.
func (v *visit) reusesFound(found []portal.ReuseHit) ([]usedLine, error) {
	if len(found) == 0 {
		return nil, nil
	}
	shown, err := v.showcase()
	if err != nil {
		return nil, err
	}
	var list []portal.Reuse
	for _, h := range found {
		if r, ok := shown.Reuse(h.Reuse); ok {
			list = append(list, r)
		}
	}
	return v.usedLines(list), nil
}

// reuseFeed are the newest reuses.
func (v *visit) reuseFeed() ([]atomEntry, error) {
	shown, err := v.showcase()
	if err != nil {
		return nil, err
	}
	var entries []atomEntry
	for _, r := range shown.Reuses[:min(len(shown.Reuses), feedEntries)] {
		by := r.By
		if by == "" {
			by = v.Site
		}
		entries = append(entries, atomEntry{
			ID: "koprik-reuse:" + r.ID.String(), Title: v.text(r.Title).Text, Updated: string(r.Published()) + "T00:00:00Z", Author: atomAuthor{by},
			Links:   []atomLink{{"alternate", "text/html", origin(v.r) + v.reuseURL(r.ID)}, {"related", "text/html", r.Link}},
			Summary: v.T(reuseKindWords[r.Kind]) + ". " + v.text(r.Summary).Text,
		})
	}
	return entries, nil
}
