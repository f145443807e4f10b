package site

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"koprik/portal"
)

// reusePage is the struct of templates/reuse.html.
type reusePage struct {
	*Frame
	Heading Shown
	Kind    string
	Now     string
	Said    string // who said so, and when
	Wanted  bool   // it looks for somebody
	Summary Shown
	Link    Value
	Rows    []Row
	Risks   []reuseRisk
	Adopt   string // where somebody says that they would go on with it; "" where it looks for nobody
	Action  string // of the check-in; "" where nothing is taken
	States  []Choice
	Problem *problemBox
	Thanks  bool
}

// reuseRisk is a release that changed columns.
type reuseRisk struct {
	To   Link
	Said []string
}

func (v *visit) findReuse() (portal.Reuse, error) {
	id, err := portal.ParseInquiryID(mux.Vars(v.r)["id"])
	if err != nil {
		return portal.Reuse{}, portal.ErrNotFound
	}
	shown, err := v.showcase()
	if err != nil {
		return portal.Reuse{}, err
	}
	r, ok := shown.Reuse(id)
	if !ok {
		return r, portal.ErrNotFound
	}
	return r, nil
}

// reuse shows one.
func (s *site) reuse(v *visit) (answer, error) {
	r, err := v.findReuse()
	if err != nil {
		return answer{}, err
	}
	p, err := v.reusePage(r)
	return answer{template: "reuse", data: p}, err
}

func (v *visit) reusePage(r portal.Reuse) (*reusePage, error) {
	titles, err := v.titlesOf([]portal.Reuse{r}, portal.MaxReuseUses)
	if err != nil {
		return nil, err
	}
	p := &reusePage{
		Frame: v.Frame, Heading: v.text(r.Title), Kind: v.T(reuseKindWords[r.Kind]), Summary: v.text(r.Summary),
		Link: v.kioskValue(outside(r.Link, r.Link)),
	}
	v.Title = p.Heading.Text
	v.Crumbs = []Link{{Shown: Shown{Text: v.T("reuse.title")}, Href: v.Base + "/reuses"}}
	state, byRule := r.StateIn(v.asOf())
	p.Now, p.Wanted = v.T(reuseStateWords[state]), state == portal.ReuseAdopter
	p.Said = v.T("reuse.said", "date", v.Date(r.CheckedIn().Time()))
	if byRule {
		p.Said = v.T("reuse.byrule", "date", v.Date(r.CheckedIn().Time()), "days", portal.CheckInDays)
	}
	var rs rows
	v.add(&rs, v.T("reuse.by"), plain(r.By))
	var uses []Value
	for _, s := range r.Uses {
		one := Value{Shown: titles(s).Shown, Href: titles(s).Href}
		if s.Release > 0 {
			one.Address = v.T("dataset.release", "n", s.Release)
		}
		uses = append(uses, one)
	}
	v.add(&rs, v.T("reuse.uses"), uses...)
	if shown, err := v.showcase(); err == nil {
		if c, ok := shown.Cohort(r.Cohort); ok {
			v.add(&rs, v.T("reuse.cohort"), Value{Shown: v.text(c.Title), Href: v.Base + "/reuses?cohort=" + url.QueryEscape(string(c.ID))})
		}
	}
	v.add(&rs, v.T("reuse.published"), plain(v.Date(r.Published().Time())))
	if due := r.CheckInDue(); due != "" && !byRule {
		v.add(&rs, v.T("reuse.due"), plain(v.Date(due.Time())))
	}
	p.Rows = rs
	for _, risk := range r.Risks {
		p.Risks = append(p.Risks, v.reuseRisk(risk, titles))
	}
	if v.site.o.Asker != nil {
		p.Action = v.reuseURL(r.ID)
		for _, s := range portal.ReuseStates {
			p.States = append(p.States, Choice{Value: string(s), Label: Shown{Text: v.T(reuseStateWords[s])}})
		}
		if state == portal.ReuseAdopter {
			text := v.T("reuse.adopttext", "title", p.Heading.Text, "id", r.ID.String()) + "\n"
			p.Adopt = v.Base + "/ask?" + url.Values{"kind": {string(portal.Feedback)}, "text": {text}}.Encode()
		}
	}
	return p, nil
}

func (v *visit) reuseRisk(risk portal.ReuseRisk, titles func(portal.ReuseSource) Link) reuseRisk {
	to := titles(portal.ReuseSource{Dataset: risk.Dataset})
	line := reuseRisk{To: Link{Shown: to.Shown, Href: to.Href, Count: v.T("dataset.release", "n", strconv.Itoa(risk.Release))}}
	for _, c := range risk.Columns {
		said := v.T("reuse.gone", "column", c.Column, "table", c.Table)
		switch {
		case c.Column == "":
			said = v.T("reuse.gonetable", "table", c.Table)
		case c.What == portal.ColumnRenamed:
			said = v.T("reuse.renamed", "column", c.Column, "table", c.Table, "after", c.After)
		case c.What == portal.ColumnRetyped:
			said = v.T("reuse.retyped", "column", c.Column, "table", c.Table, "before", c.Before, "after", c.After)
		}
		line.Said = append(line.Said, said)
	}
	return line
}

// checkIn takes how a reuse is from whoever has its receipt. A code that opens
// nothing here yet is taken: the centre knows whose it is.
func (s *site) checkIn(v *visit) (answer, error) {
	v.w.Header().Set("Cache-Control", "no-store")
	field, err := v.form()
	if err != nil {
		return answer{}, err
	}
	r, err := v.findReuse()
	if err != nil {
		return answer{}, err
	}
	if err := v.canAsk(); err != nil {
		return answer{}, err
	}
	p, err := v.reusePage(r)
	if err != nil {
		return answer{}, err
	}
	refuse := func(text, href string) (answer, error) {
		p.Problem = &problemBox{Title: v.T("error.summary"), Items: []Link{{Shown: Shown{Text: text}, Href: href}}}
		return answer{template: "reuse", data: p, status: http.StatusUnprocessableEntity}, nil
	}
	state := portal.ReuseState(field("state"))
	if reuseStateWords[state] == "" {
		return refuse(v.T("reuse.choosestate"), "#state")
	}
	code, err := portal.ParseReceiptCode(strings.TrimSpace(field("code")))
	if err != nil {
		return refuse(v.T("talk.badcode"), "#code")
	}
	a, ok, err := s.o.Asker.OpenReceipt(v.ctx, code)
	if err != nil {
		return answer{}, err
	}
	if ok && a.Reuse != r.ID {
		return refuse(v.T("reuse.othercode"), "#code")
	}
	if _, err := v.submit(portal.Inquiry{Kind: portal.ReuseCheckIn, Lang: v.lang, CheckIn: state}, code); err != nil {
		return answer{}, err
	}
	p.Thanks, p.Action = true, ""
	return answer{template: "reuse", data: p}, nil
}
