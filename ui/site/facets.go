package site

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"koprik/portal"
)

// FacetBox is a group of checkboxes.
type FacetBox struct {
	Name    string // of the parameter
	Label   string
	Options []Choice
	More    []Choice // those behind "more values"
	MoreOf  string   // its words
}

// Choice is one checkbox or option.
type Choice struct {
	Value string
	Label Shown
	Count string
	On    bool
}

// Limits of one group of checkboxes; chosen ones always show.
const (
	shownOptions = 8
	mostOptions  = 40 // with those behind "more values"
)

// freshest are the values of portal.FacetFreshness in the order of time.
var freshest = []string{portal.FreshMonth, portal.FreshQuarter, portal.FreshYear, portal.FreshOlder}

func (v *visit) checkFilter(f portal.Facet, value string) error {
	ok := true
	switch f {
	case portal.FacetTheme:
		if !portal.IsTheme(portal.ThemeID(value)) && utf8.RuneCountInString(value) <= maxFilterText {
			return v.bad("error.badtheme", "got", value)
		}
	case portal.FacetPublisher:
		_, err := portal.ParsePublisherID(value)
		ok = err == nil
	case portal.FacetYear:
		_, err := strconv.ParseUint(value, 10, 16)
		ok = err == nil && len(value) == 4
	case portal.FacetRegion, portal.FacetLanguage, portal.FacetSex, portal.FacetFreshness:
		_, ok = v.FacetValue(f, value)
	}
	if utf8.RuneCountInString(value) > maxFilterText {
		return v.bad("error.longvalue", "max", maxFilterText)
	}
	if !ok {
		return v.bad("error.badfilter", "got", value)
	}
	return nil
}

// facets makes the checkboxes. A facet that has one value, or whose values all
// hits have, narrows nothing and is left out unless one of them is chosen.
func (v *visit) facets(q portal.Query, results portal.Results) ([]FacetBox, error) {
	names, err := v.publisherNames()
	if err != nil {
		return nil, err
	}
	var boxes []FacetBox
	for _, f := range portal.Facets {
		counts, chosen := results.Facets[f], q.Filters[f]
		values, narrows := slices.Clone(chosen), false // a chosen value can always be taken back
		for value, n := range counts {
			if n > 0 && !slices.Contains(chosen, value) {
				values, narrows = append(values, value), narrows || n < results.Total
			}
		}
		if len(chosen) == 0 && (len(values) < 2 || !narrows) {
			continue
		}
		slices.SortFunc(values, inOrder(f, counts))
		box := FacetBox{Name: string(f), Label: v.Facet(f)}
		for i, value := range values {
			o := Choice{
				Value: value, Label: v.facetLabel(f, value, names),
				Count: v.Int(int64(counts[value])), On: slices.Contains(chosen, value),
			}
			switch {
			case i < shownOptions || o.On:
				box.Options = append(box.Options, o)
			case i < mostOptions:
				box.More = append(box.More, o)
			}
		}
		box.MoreOf = v.T("search.more", "n", len(box.More))
		boxes = append(boxes, box)
	}
	return boxes, nil
}

// inOrder compares two values of a facet: years the newest first, freshness by
// time, all others the most frequent first.
func inOrder(f portal.Facet, counts map[string]int) func(a, b string) int {
	return func(a, b string) int {
		switch f {
		case portal.FacetYear:
			return cmp.Compare(b, a)
		case portal.FacetFreshness:
			return cmp.Compare(slices.Index(freshest, a), slices.Index(freshest, b))
		}
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	}
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
	case portal.FacetLicense:
		return Shown{Text: portal.LicenseLabel(value)}
	case portal.FacetPublisher:
		if name, ok := publishers[value]; ok {
			return name
		}
	}
	text, _ := v.FacetValue(f, value)
	return Shown{Text: text}
}
