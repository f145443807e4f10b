package site

import (
	"cmp"
	"fmt"
	"net/url"
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
	Hits     []Hit
	Facets   []FacetBox
	Filtered bool   // some filter is set
	Chosen   []Link // the filters that are set; each link takes one back
	Clear    string
	Orders   []Choice
	Pager    Pager
}

// FacetBox is a group of checkboxes.
type FacetBox struct {
	Name    string // of the parameter
	Label   string
	Options []Choice
}

// Choice is one checkbox or option.
type Choice struct {
	ID    string
	Value string
	Label Shown
	Count string
	On    bool
}

// Limits of a search's form.
const (
	maxFilterValues = 50  // over all facets
	maxFilterText   = 100 // characters of one value
	shownOptions    = 12  // of one facet; chosen ones always show
)

var searchFacets = []portal.Facet{portal.FacetTheme, portal.FacetPublisher, portal.FacetFormat, portal.FacetLicense}

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
		Filtered: len(q.Filters) > 0, Orders: v.orders(q.Sort),
	}
	if p.Pager, err = v.pager(page, results.Total); err != nil {
		return answer{}, err
	}
	if p.Hits, err = v.hits(results); err != nil {
		return answer{}, err
	}
	if p.Facets, err = v.facets(q, results); err != nil {
		return answer{}, err
	}
	p.Chosen = v.chosen(p.Facets)
	clear := []string{"page", ""}
	for _, f := range searchFacets {
		clear = append(clear, string(f), "")
	}
	p.Clear = v.address(clear...)
	v.Title = v.T("search.title")
	if q.Text != "" {
		v.Title = v.T("search.titlefor", "q", clip(q.Text, 60))
	}
	return answer{template: "search", data: p}, nil
}

// readSearch reads the form; what it cannot use is an error that names it.
func (v *visit) readSearch() (q portal.Query, page int, err error) {
	q = portal.Query{Text: v.one("q"), Lang: v.lang, Filters: map[portal.Facet][]string{}, Limit: perPage}
	if n := utf8.RuneCountInString(q.Text); n > portal.MaxQueryText {
		return q, 0, v.bad("error.longquery", "max", portal.MaxQueryText, "n", n)
	}
	count := 0
	for _, f := range searchFacets {
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
	case portal.ByRelevance, portal.ByUpdated, portal.ByName:
		q.Sort = order
	default:
		return q, 0, v.bad("error.badorder", "got", clip(string(order), 60))
	}
	page, err = v.pageNumber()
	q.Offset = (page - 1) * perPage
	return q, page, err
}

func (v *visit) checkFilter(f portal.Facet, value string) error {
	switch {
	case utf8.RuneCountInString(value) > maxFilterText:
		return v.bad("error.longvalue", "max", maxFilterText)
	case f == portal.FacetTheme && !portal.IsTheme(portal.ThemeID(value)):
		return v.bad("error.badtheme", "got", value)
	case f == portal.FacetPublisher:
		if _, err := portal.ParsePublisherID(value); err != nil {
			return v.bad("error.badfilter", "got", value)
		}
	}
	return nil
}

func (v *visit) orders(current portal.Sort) []Choice {
	all := []Choice{
		{Value: string(portal.ByRelevance), Label: Shown{Text: v.T("search.relevance")}},
		{Value: string(portal.ByUpdated), Label: Shown{Text: v.T("search.updated")}},
		{Value: string(portal.ByName), Label: Shown{Text: v.T("search.name")}},
	}
	for i := range all {
		all[i].On = all[i].Value == string(current)
	}
	return all
}

// facets makes the checkboxes: the most frequent values first, chosen ones
// always, empty facets never.
func (v *visit) facets(q portal.Query, results portal.Results) ([]FacetBox, error) {
	names, err := v.publisherNames()
	if err != nil {
		return nil, err
	}
	var boxes []FacetBox
	for _, f := range searchFacets {
		counts := map[string]int{}
		for value, n := range results.Facets[f] {
			counts[value] = n
		}
		for _, value := range q.Filters[f] {
			counts[value] += 0 // a chosen value can always be taken back
		}
		box := FacetBox{Name: string(f), Label: v.Facet(f)}
		for value, n := range counts {
			on := slices.Contains(q.Filters[f], value)
			if n == 0 && !on {
				continue
			}
			box.Options = append(box.Options, Choice{
				Value: value, Label: v.facetLabel(f, value, names), Count: v.Int(int64(n)), On: on,
			})
		}
		slices.SortFunc(box.Options, func(a, b Choice) int {
			return cmp.Or(cmp.Compare(counts[b.Value], counts[a.Value]), cmp.Compare(a.Value, b.Value))
		})
		box.Options = firstOptions(box.Options)
		for i := range box.Options {
			box.Options[i].ID = fmt.Sprintf("%s-%d", f, i)
		}
		if len(box.Options) > 0 {
			boxes = append(boxes, box)
		}
	}
	return boxes, nil
}

// chosen lists the filters that are set, each with the address without it.
func (v *visit) chosen(boxes []FacetBox) []Link {
	var links []Link
	for _, box := range boxes {
		for _, o := range box.Options {
			if !o.On {
				continue
			}
			q := url.Values{}
			for name, values := range v.query {
				if name == box.Name {
					values = slices.DeleteFunc(slices.Clone(values), func(s string) bool { return s == o.Value })
				}
				if name != "page" && len(values) > 0 {
					q[name] = values
				}
			}
			links = append(links, Link{Shown: o.Label, Href: v.r.URL.EscapedPath() + "?" + q.Encode()})
		}
	}
	return links
}

// firstOptions keeps the first shownOptions and every chosen one.
func firstOptions(all []Choice) []Choice {
	kept := all[:0:0]
	for i, o := range all {
		if i < shownOptions || o.On {
			kept = append(kept, o)
		}
	}
	return kept
}

func (v *visit) publisherNames() (map[string]Shown, error) {
	publishers, err := v.view.Publishers(v.ctx)
	if err != nil {
		return nil, fmt.Errorf("publishers: %w", err)
	}
	names := map[string]Shown{}
	for _, p := range publishers {
		names[string(p.ID)] = v.publisherName(p)
	}
	return names, nil
}

func (v *visit) facetLabel(f portal.Facet, value string, publishers map[string]Shown) Shown {
	switch f {
	case portal.FacetTheme:
		return Shown{Text: v.Theme(portal.ThemeID(value))}
	case portal.FacetFormat:
		return Shown{Text: strings.ToUpper(value)}
	case portal.FacetPublisher:
		if name, ok := publishers[value]; ok {
			return name
		}
	}
	return Shown{Text: value}
}
