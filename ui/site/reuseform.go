package site

import (
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strings"

	"koprik/portal"
)

// The steps of submitting a reuse; then stepCheck and stepSend, as of asking.
const (
	stepWhat  = "what"  // what it is
	stepWhere = "where" // where it is, and what it was made with
	stepWho   = "who"   // who made it
)

// reuseFormPage is the struct of templates/reuseform.html.
type reuseFormPage struct {
	*Frame
	Step    string
	Action  string
	Problem *problemBox
	Hidden  []hidden // what was said before, and is not asked here
	F       reuseFields
	Kinds   []Choice
	Cohorts []Choice
	Rows    []Row
	Receipt *receiptBox

	MaxTitle, MaxSummary, MaxUses int
}

// reuseFields are the form as it was typed.
type reuseFields struct {
	Kind, Title, Summary, Link, Uses, Cohort, By, Consent, Email, ID string
}

// readReuse reads the fields, of a form or of an address.
func readReuse(field func(string) string) reuseFields {
	clean := func(name string) string {
		return strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(field(name), "\r\n", "\n"), "\r", "\n"))
	}
	line := func(name string) string { return strings.ReplaceAll(clean(name), "\n", " ") }
	return reuseFields{
		Kind: field("kind"), Title: line("title"), Summary: clean("summary"), Link: line("link"), Uses: clean("uses"), Cohort: field("cohort"),
		By: line("by"), Consent: field("consent"), Email: line("email"), ID: field("id"),
	}
}

// inquiry is what the fields say. Lines of Uses that name nothing are given apart.
func (f reuseFields) inquiry(l portal.Lang) (q portal.Inquiry, unknown []string) {
	in := func(s string) (t portal.Text) {
		if s != "" {
			t.Translated = map[portal.Lang]string{l: s}
		}
		return t
	}
	d := portal.ReuseDetails{
		Kind: portal.ReuseKind(f.Kind), Title: in(f.Title), Summary: in(f.Summary), Link: f.Link, By: f.By, Consent: f.Consent != "", Cohort: portal.CohortID(f.Cohort),
	}
	lines := strings.FieldsFunc(f.Uses, func(r rune) bool { return r == '\n' || r == ' ' || r == ',' })
	for _, one := range lines[:min(len(lines), portal.MaxReuseUses+1)] {
		src, err := portal.ParseReuseSource(one)
		switch {
		case err != nil:
			unknown = append(unknown, one)
		case !slices.ContainsFunc(d.Uses, func(s portal.ReuseSource) bool { return s.Dataset == src.Dataset }):
			d.Uses = append(d.Uses, src)
		}
	}
	q = portal.Inquiry{Kind: portal.ReuseSubmission, Lang: l, Email: f.Email, Reuse: &d}
	if id, err := portal.ParseInquiryID(f.ID); err == nil {
		q.ID = id
	}
	return q, unknown
}

// newReuse shows the form and takes it. Whatever step is asked for, the first one
// with something wrong in it comes first.
func (s *site) newReuse(v *visit) (answer, error) {
	v.w.Header().Set("Cache-Control", "no-store")
	field := v.query.Get
	if v.r.Method == http.MethodPost {
		var err error
		if field, err = v.form(); err != nil {
			return answer{}, err
		}
	}
	if err := v.canAsk(); err != nil {
		return answer{}, err
	}
	v.Title = v.T("reuse.new")
	v.AskLink.Href = ""
	p := &reuseFormPage{
		Frame: v.Frame, Action: v.Base + "/reuses/new", F: readReuse(field), Step: stepWhat,
		MaxTitle: portal.MaxReuseTitle, MaxSummary: portal.MaxReuseSummary, MaxUses: portal.MaxReuseUses,
	}
	q, unknown := p.F.inquiry(v.lang)
	wanted := field("step")
	if v.r.Method == http.MethodPost {
		if err := v.chooseStep(p, q, unknown, wanted); err != nil {
			return answer{}, err
		}
	}
	if p.Step == stepSend {
		return v.sendReuse(p, q)
	}
	return v.reuseForm(p, q)
}

// chooseStep finds the step that comes next.
func (v *visit) chooseStep(p *reuseFormPage, q portal.Inquiry, unknown []string, wanted string) error {
	steps := []string{stepWhat, stepWhere, stepWho, stepCheck, stepSend}
	to := max(0, slices.Index(steps, wanted))
	wrong, err := v.wrongWithReuse(q, unknown)
	if err != nil {
		return err
	}
	for i, step := range steps[:to] {
		if box := wrong[step]; len(box.Items) > 0 {
			p.Step, p.Problem = steps[i], &box
			return nil
		}
	}
	p.Step = steps[to]
	return nil
}

// wrongWithReuse lists what is wrong, by the step that asks it, and fills in the
// releases that were not named: the latest ones.
func (v *visit) wrongWithReuse(q portal.Inquiry, unknown []string) (map[string]problemBox, error) {
	all := map[string]problemBox{}
	seen := map[string]bool{}
	add := func(step, text, id string) {
		if seen[id] {
			return
		}
		seen[id] = true
		box := all[step]
		box.Title = v.T("error.summary")
		box.Items = append(box.Items, Link{Shown: Shown{Text: text}, Href: "#" + id})
		all[step] = box
	}
	if len(unknown) > 0 {
		add(stepWhere, v.T("reuse.unknown", "name", clip(unknown[0], 100)), "uses")
	}
	for i, s := range q.Reuse.Uses {
		d, err := v.view.Dataset(v.ctx, s.Dataset)
		switch {
		case errors.Is(err, portal.ErrNotFound):
			add(stepWhere, v.T("reuse.unknown", "name", string(s.Dataset)), "uses")
		case err != nil:
			return nil, err
		case s.Release == 0:
			q.Reuse.Uses[i].Release = d.Latest.Number // later ones may have other columns
		}
	}
	q.Day = v.today()
	err := q.Validate()
	var several portal.Problems
	var one *portal.Problem
	if errors.As(err, &one) && !errors.As(err, &several) {
		several = portal.Problems{one}
	}
	for _, problem := range several {
		where, _, _ := strings.Cut(problem.Where, "_")
		switch where {
		case "kind":
			add(stepWhat, v.T("reuse.choosekind"), where)
		case "title":
			add(stepWhat, v.T("reuse.badtitle", "max", portal.MaxReuseTitle), where)
		case "summary":
			add(stepWhat, v.T("reuse.badsummary", "max", portal.MaxReuseSummary), where)
		case "link":
			add(stepWhere, v.T("reuse.badlink", "secure", "https://", "plain", "http://"), where)
		case "by":
			if q.Reuse.Consent {
				add(stepWho, v.T("talk.badplace", "max", portal.MaxReuseBy), "by")
			} else {
				add(stepWho, v.T("reuse.badby"), "consent")
			}
		case "email":
			add(stepWho, v.T("talk.bademail"), where)
		default:
			add(stepWhere, v.T("reuse.baduses", "max", portal.MaxReuseUses), "uses")
		}
	}
	return all, nil
}

func (v *visit) reuseForm(p *reuseFormPage, q portal.Inquiry) (answer, error) {
	f := p.F
	if p.Step == stepCheck {
		v.Title = v.T("talk.check")
		rows, err := v.reuseRows(q)
		if err != nil {
			return answer{}, err
		}
		p.Rows = rows
		if f.ID == "" {
			var id portal.InquiryID
			_, _ = rand.Read(id[:]) // never fails
			f.ID = id.String()
		}
	}
	steps := map[string][]hidden{
		stepWhat:  {{"kind", f.Kind}, {"title", f.Title}, {"summary", f.Summary}},
		stepWhere: {{"link", f.Link}, {"uses", f.Uses}, {"cohort", f.Cohort}},
		stepWho:   {{"by", f.By}, {"consent", f.Consent}, {"email", f.Email}},
		stepCheck: {{"id", f.ID}},
	}
	for _, step := range []string{stepWhat, stepWhere, stepWho, stepCheck} {
		if step == p.Step && step != stepCheck {
			continue
		}
		for _, h := range steps[step] {
			if h.Value != "" {
				p.Hidden = append(p.Hidden, h)
			}
		}
	}
	for _, k := range portal.ReuseKinds {
		p.Kinds = append(p.Kinds, Choice{Value: string(k), Label: Shown{Text: v.T(reuseKindWords[k])}, On: string(k) == f.Kind})
	}
	shown, err := v.showcase()
	if err != nil {
		return answer{}, err
	}
	for _, c := range shown.Cohorts {
		p.Cohorts = append(p.Cohorts, Choice{Value: string(c.ID), Label: v.text(c.Title), On: string(c.ID) == f.Cohort})
	}
	status := 0
	if p.Problem != nil {
		status = http.StatusUnprocessableEntity
	}
	return answer{template: "reuseform", data: p, status: status}, nil
}

// reuseRows is what will be sent.
func (v *visit) reuseRows(q portal.Inquiry) ([]Row, error) {
	d := *q.Reuse
	titles, err := v.titlesOf([]portal.Reuse{{ReuseDetails: d}}, portal.MaxReuseUses)
	if err != nil {
		return nil, err
	}
	var rs rows
	v.add(&rs, v.T("reuse.kind"), plain(v.T(reuseKindWords[d.Kind])))
	v.add(&rs, v.T("reuse.name"), v.shown(d.Title))
	v.add(&rs, v.T("reuse.summary"), v.shown(d.Summary))
	v.add(&rs, v.T("reuse.link"), plain(d.Link))
	var uses []Value
	for _, s := range d.Uses {
		uses = append(uses, Value{Shown: titles(s).Shown})
	}
	v.add(&rs, v.T("reuse.uses"), uses...)
	shown, err := v.showcase()
	if c, ok := shown.Cohort(d.Cohort); ok {
		v.add(&rs, v.T("reuse.cohort"), v.shown(c.Title))
	}
	by := d.By
	if by == "" {
		by = v.T("reuse.nobody")
	}
	v.add(&rs, v.T("reuse.by"), plain(by))
	v.add(&rs, v.T("talk.email"), plain(q.Email))
	return rs, err
}

// sendReuse keeps it and shows the receipt, once.
func (v *visit) sendReuse(p *reuseFormPage, q portal.Inquiry) (answer, error) {
	code, err := v.submit(q, portal.ReceiptCode{})
	if status, box, again := v.pressAgain(err); again {
		p.Step, p.Problem = stepCheck, box
		a, err := v.reuseForm(p, q)
		a.status = status
		return a, err
	}
	if err != nil {
		return answer{}, err
	}
	v.Title = v.T("reuse.done")
	p.F, p.Receipt = reuseFields{}, v.receiptBox(code)
	return answer{template: "reuseform", data: p}, nil
}
