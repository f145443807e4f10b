package site

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"koprik/portal"
)

// searchPage is the struct of templates/search.html.
type searchPage struct {
	*Frame
	Query    string
	Found    string
	Any      bool
	Partly   bool   // the hits have only some of the words
	Meant    Link   // the search for what the reader may have meant
	Also     string // what else was searched
	Themes   []Link // where nothing was found
	Ask      *askBox
	Hits     []Hit
	Asked    []threadLine // public questions that have all words
	Reuses   []usedLine
	Answered bool // some hit has a figure
	Answer   *answerBox
	Facets   []FacetBox
	Filtered bool   // some filter is set
	Chosen   []Link // the filters that are set; each link takes one back
	Clear    string
	Orders   []Choice
	Pager    Pager
}

// Limits of a search's form.
const (
	maxFilterValues = 50  // over all facets
	maxFilterText   = 100 // characters of one value
)

func (s *site) search(v *visit) (answer, error) {
	q, page, err := v.readSearch()
	if err != nil {
		return answer{}, err
	}
	results, err := v.view.Search(v.ctx, q)
	if err != nil {
		return answer{}, fmt.Errorf("search: %w", err)
	}
	p := &searchPage{
		Frame: v.Frame, Query: q.Text, Found: v.N("search.found", results.Total), Any: results.Total > 0,
		Filtered: len(q.Filters) > 0, Orders: v.orders(q.Sort, results.Counted), Partly: results.Partly, Also: strings.Join(results.AlsoSearched, ", "),
	}
	if meant := results.DidYouMean; meant != "" {
		p.Meant = Link{Shown: Shown{Text: meant}, Href: v.address("q", meant, "page", "")}
	}
	if !p.Any {
		p.Ask = v.askBox(q.Text)
		if p.Themes, err = v.filledThemes(); err != nil {
			return answer{}, err
		}
	}
	if p.Pager, err = v.pager(page, results.Total); err != nil {
		return answer{}, err
	}
	datasets, err := v.datasets(results)
	if err != nil {
		return answer{}, err
	}
	p.Hits = v.hitsOf(datasets, results)
	if page == 1 && !results.Partly && len(q.Filters) == 0 {
		p.Answer = v.answerTo(q.Text, datasets)
	}
	if q.Text != "" { // nothing was asked otherwise
		p.Answered = v.answerHits(p.Hits, datasets, results, q.Text)
	}
	if p.Asked, err = v.asked(results); err != nil {
		return answer{}, err
	}
	if p.Reuses, err = v.reusesFound(results.Reuses); err != nil {
		return answer{}, err
	}
	if p.Facets, err = v.facets(q, results); err != nil {
		return answer{}, err
	}
	p.Chosen = v.chosen(p.Facets)
	clear := []string{"page", ""}
	for _, f := range portal.Facets {
		clear = append(clear, string(f), "")
	}
	p.Clear = v.address(clear...)
	v.Title = v.T("search.title")
	if q.Text != "" {
		v.Title = v.T("search.titlefor", "q", clip(q.Text, 60))
	}
	return answer{template: "search", data: p, missed: results.Total == 0 && len(q.Filters) == 0}, nil
}

// asked lists the public questions that were found.
func (v *visit) asked(results portal.Results) ([]threadLine, error) {
	threads, err := portal.ThreadsFound(v.ctx, v.view, results.Threads)
	if err != nil {
		return nil, fmt.Errorf("questions: %w", err)
	}
	return v.threadLines(threads, portal.MaxThreadHits), nil
}

// readSearch reads the form; what it cannot use is an error that names it.
func (v *visit) readSearch() (q portal.Query, page int, err error) {
	q = portal.Query{Text: v.one("q"), Lang: v.lang, Filters: map[portal.Facet][]string{}, Limit: perPage, AsOf: v.view.State().AsOf}
	if n := utf8.RuneCountInString(q.Text); n > portal.MaxQueryText {
		return q, 0, v.bad("error.longquery", "max", portal.MaxQueryText, "n", n)
	}
	count := 0
	for _, f := range portal.Facets {
		values := slices.DeleteFunc(slices.Clone(v.query[string(f)]), func(s string) bool { return s == "" })
		slices.Sort(values)
		values = slices.Compact(values)
		if count += len(values); count > maxFilterValues {
			return q, 0, v.bad("error.manyfilters", "max", maxFilterValues)
		}
		for _, value := range values {
			if err := v.checkFilter(f, value); err != nil {
				return q, 0, err
			}
		}
		if len(values) > 0 {
			q.Filters[f] = values
		}
	}
	switch order := portal.Sort(v.one("sort")); order {
	case portal.ByRelevance, portal.ByUpdated, portal.ByTitle, portal.ByUse:
		q.Sort = order
	case portal.ByName: // as older addresses call it
		q.Sort = portal.ByTitle
	default:
		return q, 0, v.bad("error.badorder", "got", clip(string(order), 60))
	}
	page, err = v.pageNumber()
	q.Offset = (page - 1) * perPage
	return q, page, err
}

// orders offers the order by use where uses are counted.
func (v *visit) orders(current portal.Sort, counted bool) []Choice {
	all := []Choice{
		{Value: string(portal.ByRelevance), Label: Shown{Text: v.T("search.relevance")}},
		{Value: string(portal.ByUpdated), Label: Shown{Text: v.T("search.updated")}},
		{Value: string(portal.ByTitle), Label: Shown{Text: v.T("search.name")}},
	}
	if counted {
		all = append(all, Choice{Value: string(portal.ByUse), Label: Shown{Text: v.T("search.used")}})
	}
	for i := range all {
		all[i].On = all[i].Value == string(current)
	}
	return all
}

// filledThemes leads to every theme that has datasets.
func (v *visit) filledThemes() ([]Link, error) {
	all, err := v.view.Search(v.ctx, portal.Query{Lang: v.lang, Limit: 1})
	if err != nil {
		return nil, fmt.Errorf("themes: %w", err)
	}
	var links []Link
	for _, t := range portal.Themes {
		if n := all.Facets[portal.FacetTheme][string(t)]; n > 0 {
			links = append(links, v.themeLink(t, v.Int(int64(n))))
		}
	}
	return links, nil
}
