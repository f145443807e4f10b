package site

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"koprik/portal"
	"koprik/portal/lang"
)

// perPage is how many datasets a list shows at once: so many fit the 4 KB of a page,
// with titles and summaries as long as Russian ones are.
const perPage = 12

// Hit is one dataset in a list.
type Hit struct {
	Title     Link
	Publisher Link
	Summary   Shown
	Updated   string
	Formats   []string
	Withdrawn string // the word for it, of a withdrawn one
	Suspended string // the word for it, where no signature of the publisher holds
	Split     string // that it is split by sex, where it is
	Answer    *figure
	Also      string // where else than in its title and summary the words stand
}

// Pager leads through the pages of a list; its zero value shows nothing.
type Pager struct {
	Text, Previous, Next string
}

// hits gives the datasets of results as a list, in the results' order.
func (v *visit) hits(results portal.Results) ([]Hit, error) {
	datasets, err := v.datasets(results)
	if err != nil {
		return nil, err
	}
	return v.hitsOf(datasets, results), nil
}

// hitsOf writes what was found of the datasets that a search gave.
func (v *visit) hitsOf(datasets []portal.Dataset, results portal.Results) []Hit {
	found := map[portal.DatasetID]portal.Hit{}
	for _, h := range results.Hits {
		found[h.Dataset] = h
	}
	list := make([]Hit, len(datasets))
	for i, d := range datasets {
		list[i] = v.hit(d)
		if h := found[d.ID]; len(h.Words) > 0 {
			v.mark(&list[i], d, h)
		}
	}
	return list
}

// datasets gives what results name, in their order.
func (v *visit) datasets(results portal.Results) ([]portal.Dataset, error) {
	ids := make([]portal.DatasetID, len(results.Hits))
	for i, h := range results.Hits {
		ids[i] = h.Dataset
	}
	datasets, err := v.view.Datasets(v.ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("datasets of a list: %w", err)
	}
	return datasets, nil
}

func (v *visit) hit(d portal.Dataset) Hit {
	summary := v.text(d.Latest.Description)
	summary.Text = clip(strings.Join(strings.Fields(summary.Text), " "), 140)
	h := Hit{
		Title:     Link{Shown: v.title(d), Href: v.datasetURL(d.ID)},
		Publisher: v.publisherLink(d.Publisher),
		Summary:   summary,
		Updated:   v.T("hit.updated", "date", v.day(d.Latest.Issued)),
		Split:     v.splitBadge(d.Latest),
	}
	if d.Latest.Withdrawn != nil {
		h.Withdrawn = v.T("hit.withdrawn")
	}
	if d.Suspended {
		h.Suspended = v.T("hit.suspended")
	}
	seen := map[string]bool{}
	for _, r := range d.Latest.Resources {
		if r.Format != "" && !seen[r.Format] {
			seen[r.Format] = true
			h.Formats = append(h.Formats, strings.ToUpper(r.Format))
		}
	}
	return h
}

// excerptAt is how many characters of a summary are surely seen; words that
// stand behind them are brought forward.
const excerptAt, excerptBefore = 110, 40

// mark marks the words that were found in the title and the summary of a hit,
// and says where else they stand.
func (v *visit) mark(h *Hit, d portal.Dataset, found portal.Hit) {
	h.Title.mark(found.Words)
	whole := strings.Join(strings.Fields(v.text(d.Latest.Description).Text), " ")
	if at := lang.Marks(whole, found.Words); len(at) > 0 && utf8.RuneCountInString(whole[:at[0][0]]) > excerptAt {
		start := whole[:at[0][0]]
		runes := []rune(start)
		start = string(runes[:len(runes)-excerptBefore])
		if i := strings.LastIndexByte(start, ' '); i > 0 {
			start = start[:i+1]
		}
		h.Summary.Text = "… " + clip(whole[len(start):], 150)
	}
	h.Summary.mark(found.Words)
	var places []string
	for _, kind := range found.Matched {
		if kind != "title" && kind != "description" {
			places = append(places, v.Matched(kind))
		}
	}
	if len(places) > 0 {
		h.Also = v.T("hit.also", "places", v.List(places))
	}
}

// mark takes the text to pieces where one of words stands in it.
func (s *Shown) mark(words []string) {
	done := 0
	for _, m := range lang.Marks(s.Text, words) {
		if m[0] > done {
			s.Parts = append(s.Parts, Part{Text: s.Text[done:m[0]]})
		}
		s.Parts = append(s.Parts, Part{Text: s.Text[m[0]:m[1]], Found: true})
		done = m[1]
	}
	if done > 0 && done < len(s.Text) {
		s.Parts = append(s.Parts, Part{Text: s.Text[done:]})
	}
}

// title is never empty: a dataset without one is called by its id.
func (v *visit) title(d portal.Dataset) Shown {
	if t := v.text(d.Latest.Title); t.Text != "" {
		return t
	}
	return Shown{Text: string(d.ID)}
}

func (v *visit) publisherName(p portal.Publisher) Shown {
	if t := v.text(p.Title); t.Text != "" {
		return t
	}
	return Shown{Text: string(p.ID)}
}

func (v *visit) publisherLink(p portal.Publisher) Link {
	return Link{Shown: v.publisherName(p), Href: v.Base + "/publisher/" + url.PathEscape(string(p.ID))}
}

func (v *visit) themeLink(id portal.ThemeID, count string) Link {
	return Link{Shown: Shown{Text: v.Theme(id)}, Href: v.Base + "/theme/" + url.PathEscape(string(id)), Count: count}
}

func (v *visit) datasetURL(id portal.DatasetID) string {
	return v.Base + "/dataset/" + url.PathEscape(string(id))
}

// pageNumber reads the parameter "page".
func (v *visit) pageNumber() (int, error) { return v.number("page", portal.MaxOffset/perPage) }

// pager leads from page to its neighbours; a page behind the last is an error.
func (v *visit) pager(page, total int) (Pager, error) {
	pages := max(1, (total+perPage-1)/perPage)
	if page > pages {
		return Pager{}, &pageError{
			status: 404, title: v.T("error.notfound"), text: v.T("error.nopage", "page", page, "pages", pages),
			back: Link{Shown: Shown{Text: v.T("page.first")}, Href: v.address("page", "")},
		}
	}
	if pages == 1 {
		return Pager{}, nil
	}
	p := Pager{Text: v.T("page.of", "page", page, "pages", pages)}
	if page == 2 {
		p.Previous = v.address("page", "")
	} else if page > 2 {
		p.Previous = v.address("page", strconv.Itoa(page-1))
	}
	if page < pages && page < portal.MaxOffset/perPage {
		p.Next = v.address("page", strconv.Itoa(page+1))
	}
	return p, nil
}

// address is this page's address with parameters set, or removed where the
// value is "": changes are pairs of a name and a value.
func (v *visit) address(changes ...string) string {
	q := url.Values{}
	for name, values := range v.query {
		q[name] = values
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "" {
			q.Del(changes[i])
		} else {
			q.Set(changes[i], changes[i+1])
		}
	}
	if len(q) == 0 {
		return v.r.URL.EscapedPath()
	}
	return v.r.URL.EscapedPath() + "?" + q.Encode()
}

// listing searches with filters for one page of a list, newest first.
func (v *visit) listing(filters map[portal.Facet][]string) (list []Hit, total int, pager Pager, err error) {
	page, err := v.pageNumber()
	if err != nil {
		return nil, 0, Pager{}, err
	}
	results, err := v.view.Search(v.ctx, portal.Query{
		Lang: v.lang, Filters: filters, Sort: portal.ByUpdated, Offset: (page - 1) * perPage, Limit: perPage,
	})
	if err != nil {
		return nil, 0, Pager{}, fmt.Errorf("search: %w", err)
	}
	if pager, err = v.pager(page, results.Total); err != nil {
		return nil, 0, Pager{}, err
	}
	list, err = v.hits(results)
	return list, results.Total, pager, err
}
