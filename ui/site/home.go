package site

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"koprik/portal"
)

// homePage is the struct of templates/home.html.
type homePage struct {
	*Frame
	Datasets string // "600 datasets"
	Any      bool
	Figures  []figure // answers to questions
	Region   regionBox
	Themes   []Link
	Void     []Link // topics without datasets
	Updated  []Hit
	Overdue  []Link // the longest overdue
	// OverdueSaid counts all of them.
	OverdueSaid string
	Publishers  []Link
}

// How much the home page shows.
const (
	newest         = 5 // datasets
	shownQuestions = 6
	kioskQuestions = 8
)

func (s *site) home(v *visit) (answer, error) {
	count, err := v.view.Count(v.ctx)
	if err != nil {
		return answer{}, fmt.Errorf("count of datasets: %w", err)
	}
	results, err := v.view.Search(v.ctx, portal.Query{Lang: v.lang, Sort: portal.ByUpdated, Limit: newest})
	if err != nil {
		return answer{}, fmt.Errorf("newest datasets: %w", err)
	}
	v.Title = v.T("home.title")
	v.Feed = v.feedAddress("all")
	v.Wide = true
	p := &homePage{Frame: v.Frame, Datasets: v.N("home.datasets", count), Any: count > 0}
	if p.Updated, err = v.hits(results); err != nil {
		return answer{}, err
	}
	for _, t := range portal.Themes {
		if n := results.Facets[portal.FacetTheme][string(t)]; n > 0 {
			p.Themes = append(p.Themes, v.themeLink(t, v.Int(int64(n))))
		} else {
			p.Void = append(p.Void, v.themeLink(t, ""))
		}
	}
	shown := shownQuestions
	if v.Kiosk != nil {
		shown = kioskQuestions
	}
	if p.Figures, err = v.answered(country, shown); err != nil {
		return answer{}, err
	}
	if p.Region, err = v.regionBox(); err != nil {
		return answer{}, err
	}
	if p.Overdue, p.OverdueSaid, err = v.overdue(); err != nil {
		return answer{}, err
	}
	p.Publishers, err = v.whoPublishes(results)
	return answer{template: "home", data: p}, err
}

// whoPublishes leads to the publishers that have datasets.
func (v *visit) whoPublishes(results portal.Results) ([]Link, error) {
	publishers, err := v.view.Publishers(v.ctx)
	if err != nil {
		return nil, fmt.Errorf("publishers: %w", err)
	}
	var links []Link
	for _, o := range publishers {
		if n := results.Facets[portal.FacetPublisher][string(o.ID)]; n > 0 {
			link := v.publisherLink(o)
			link.Count = v.Int(int64(n))
			links = append(links, link)
		}
	}
	return links, nil
}

// themePage is the struct of templates/theme.html.
type themePage struct {
	*Frame
	Found string
	Hits  []Hit
	Pager Pager
	Ask   *askBox // where there is none
}

func (s *site) theme(v *visit) (answer, error) {
	id := portal.ThemeID(mux.Vars(v.r)["slug"])
	if !portal.IsTheme(id) {
		return answer{}, &pageError{status: http.StatusNotFound, title: v.T("error.notfound"), text: v.T("error.badtheme", "got", clip(string(id), 60))}
	}
	hits, total, pager, err := v.listing(map[portal.Facet][]string{portal.FacetTheme: {string(id)}})
	if err != nil {
		return answer{}, err
	}
	v.Title = v.Theme(id)
	v.Crumbs = []Link{{Shown: Shown{Text: v.T("home.themes")}, Href: v.Base + "/#themes"}}
	p := &themePage{Frame: v.Frame, Found: v.N("home.datasets", total), Hits: hits, Pager: pager}
	if len(hits) == 0 {
		p.Ask = v.askBox(v.Title)
	}
	return answer{template: "theme", data: p}, nil
}

// askBox says whom to ask for data that is not here; the struct of the template
// "ask".
type askBox struct {
	Title, Text string
	To          Value
}

// askBox leads to where data is asked for, with the words filled in; where no
// questions are taken, to the mailbox of those who run the node.
func (v *visit) askBox(words string) *askBox {
	if v.site.o.Asker != nil {
		return &askBox{Title: v.T("theme-page.ask"), Text: v.T("theme-page.askhere"), To: Value{
			Shown: Shown{Text: v.T("theme-page.askgo")}, Href: v.Base + "/ask?kind=" + string(portal.DataRequest) + "&text=" + escape(clip(words, 200)),
		}}
	}
	contact := v.site.o.Contact
	if contact == "" {
		who := Link{Shown: Shown{Text: v.T("home.who")}, Href: v.Base + "/#who"}
		return &askBox{Title: v.T("theme-page.ask"), Text: v.T("theme-page.asknobody"), To: Value{Shown: who.Shown, Href: who.Href}}
	}
	return &askBox{
		Title: v.T("theme-page.ask"), Text: v.T("theme-page.asktext"), To: v.kioskValue(Value{Shown: Shown{Text: contact}, Href: mail(contact)}),
	}
}

// publisherPage is the struct of templates/publisher.html.
type publisherPage struct {
	*Frame
	Heading     Shown
	Description Shown
	Homepage    Value
	Contacts    []contactCard
	Found       string
	Hits        []Hit
	Pager       Pager
	Suspended   bool // no signature of the publisher holds at present
}

// contactCard is one contact of a publisher.
type contactCard struct {
	Heading Shown
	Rows    []Row
	Former  string // "answered until …"
}

func (s *site) publisher(v *visit) (answer, error) {
	id, err := portal.ParsePublisherID(mux.Vars(v.r)["slug"])
	if err != nil {
		return answer{}, errors.Join(portal.ErrNotFound, err)
	}
	publishers, err := v.view.Publishers(v.ctx)
	if err != nil {
		return answer{}, fmt.Errorf("publishers: %w", err)
	}
	for _, o := range publishers {
		if o.ID == id {
			return s.publisherAnswer(v, o)
		}
	}
	return answer{}, fmt.Errorf("publisher %s: %w", id, portal.ErrNotFound)
}

func (s *site) publisherAnswer(v *visit, o portal.Publisher) (answer, error) {
	hits, total, pager, err := v.listing(map[portal.Facet][]string{portal.FacetPublisher: {string(o.ID)}})
	if err != nil {
		return answer{}, err
	}
	p := &publisherPage{
		Frame: v.Frame, Heading: v.publisherName(o), Description: v.text(o.Description),
		Found: v.N("home.datasets", total), Hits: hits, Pager: pager,
		Suspended: slices.ContainsFunc(hits, func(h Hit) bool { return h.Suspended != "" }),
	}
	if o.Homepage != "" {
		p.Homepage = v.kioskValue(Value{Shown: Shown{Text: strings.TrimSpace(o.Homepage)}, Href: web(o.Homepage)})
	}
	for _, c := range o.Contacts {
		card := contactCard{Rows: v.contactRows(c)}
		if c.Until != "" {
			card.Former = v.T("publisher.former", "date", v.Day(c.Until))
		}
		p.Contacts = append(p.Contacts, card)
	}
	v.Feed = v.feedAddress("publisher-" + string(o.ID))
	v.Title = p.Heading.Text
	v.Crumbs = []Link{{Shown: Shown{Text: v.T("home.who")}, Href: v.Base + "/#who"}}
	return answer{template: "publisher", data: p}, nil
}
