package site

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"koprik/portal"
	"koprik/ui/locale"
)

// Asker takes questions to the centre and gives its answers, without a network.
type Asker interface {
	// CanAsk says before anything is typed whether a question could be kept:
	// portal.ErrNoSpace, or portal.ErrUnavailable where the centre takes none.
	CanAsk(ctx context.Context) error
	// Send seals an inquiry and keeps it; when it returns, it is on the platter. code
	// is that of an earlier receipt, or zero for a new one. What is wrong with the
	// inquiry is portal.ErrRejected.
	Send(ctx context.Context, q portal.Inquiry, code portal.ReceiptCode) (portal.ReceiptCode, error)
	// OpenReceipt gives what lies for a receipt; ok is false when nothing does.
	OpenReceipt(ctx context.Context, code portal.ReceiptCode) (a portal.Answer, ok bool, err error)
	// Threads gives the public questions about a dataset, "" for those about none, the
	// newest first, as v has them.
	Threads(ctx context.Context, v portal.View, id portal.DatasetID) ([]portal.Thread, error)
	// NewestThreads gives the public questions about anything, those of which something
	// was said last first.
	NewestThreads(ctx context.Context, v portal.View, most int) ([]portal.Thread, error)
	// Thread gives one by its public name; portal.ErrNotFound when there is none.
	Thread(ctx context.Context, v portal.View, id portal.InquiryID) (portal.Thread, error)
}

// maxForm bounds a form that somebody sends, in bytes: 2,000 characters of four
// bytes each, three times as long in a form's spelling, and the rest.
const maxForm = 64 << 10

// The steps of asking, one question a page.
const (
	stepKind    = "kind"
	stepText    = "text"
	stepContact = "contact"
	stepCheck   = "check"
	stepSend    = "send"
)

// askPage is the struct of templates/ask.html.
type askPage struct {
	*Frame
	Step    string
	Action  string
	Problem *problemBox
	Hidden  []hidden // what was said before, and is not asked here
	About   Link     // the dataset that it is about; no text when it is about none
	Kinds   []Link
	Kind    string // in the reader's words
	Place   bool   // row, column and value are asked
	Q       portal.Inquiry
	Public  string // "yes", "no" or "" while nothing was chosen
	Max     int
	Office  string // who reads it
	Reads   Shown  // the centre's own words of who reads it; no text: the program's
	Appeal  Shown  // and of where an appeal is made
	Similar []threadLine
	Rows    []Row
	Receipt *receiptBox
}

// hidden is a field that goes on from page to page.
type hidden struct{ Name, Value string }

// receiptBox is the one page that shows a code.
type receiptBox struct {
	Code, Travels, Open string
	QR                  *QR
}

func (s *site) askRoutes(get func(string, http.Handler), post func(string, http.Handler), in string) {
	if s.o.Asker == nil {
		return
	}
	get(in+"/ask", s.livePage(s.ask))
	post(in+"/ask", s.formPage(s.asked))
	get(in+"/receipt", s.livePage(s.receipt))
	post(in+"/receipt", s.formPage(s.openReceipt))
	get(in+"/inquiry/{id}", s.livePage(s.thread))
	post(in+"/inquiry/{id}", s.formPage(s.support))
}

// kindWord is a kind in the reader's words.
func (v *visit) kindWord(k portal.InquiryKind) string {
	switch k {
	case portal.Question:
		return v.T("talk.question")
	case portal.Correction:
		return v.T("talk.correction")
	case portal.DataRequest:
		return v.T("talk.data")
	case portal.BreakdownRequest:
		return v.T("talk.breakdown")
	case portal.Feedback:
		return v.T("talk.feedback")
	case portal.SupportRequest, portal.Opinion:
	}
	return string(k)
}

// ask shows the first pages: of what kind it is, and the text.
func (s *site) ask(v *visit) (answer, error) {
	v.w.Header().Set("Cache-Control", "no-store")
	v.AskLink.Href = "" // the form itself is open: no second button leads out of it
	return v.askStep(inquiryOf(v.query.Get), stepText, v.query.Get)
}

// asked answers a form.
func (s *site) asked(v *visit) (answer, error) {
	v.w.Header().Set("Cache-Control", "no-store")
	field, err := v.form()
	if err != nil {
		return answer{}, err
	}
	v.AskLink.Href = ""
	return v.askStep(inquiryOf(field), field("step"), field)
}

// form reads what was sent, in memory and no more than maxForm of it.
func (v *visit) form() (func(string) string, error) {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	if err := v.r.ParseForm(); err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) || v.r.ContentLength > maxForm {
			return nil, &pageError{status: http.StatusRequestEntityTooLarge, title: v.T("talk.long"), text: v.T("talk.longtext", "max", portal.MaxInquiryText)}
		}
		return nil, v.bad("error.badfilter", "got", "")
	}
	return v.r.PostForm.Get, nil
}

// inquiryOf reads the fields of a form.
func inquiryOf(field func(string) string) portal.Inquiry {
	clean := func(name string) string {
		return strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(field(name), "\r\n", "\n"), "\r", "\n"))
	}
	q := portal.Inquiry{
		Kind: portal.InquiryKind(field("kind")), Text: clean("text"), Email: clean("email"), Public: field("public") == "yes", Clerk: field("clerk") != "",
		About: portal.Place{
			Dataset: portal.DatasetID(field("dataset")), Resource: field("table"), Row: clean("row"), Column: clean("column"), Value: clean("value"),
		},
	}
	q.About.Release, _ = strconv.Atoi(field("release"))
	if id, err := portal.ParseInquiryID(field("id")); err == nil {
		q.ID = id
	}
	return q
}

// askStep shows the page that comes next, or an earlier one whose answer is wrong.
func (v *visit) askStep(q portal.Inquiry, step string, field func(string) string) (answer, error) {
	q.Lang = v.lang
	if err := v.canAsk(); err != nil {
		return answer{}, err
	}
	v.Title = v.T("talk.title")
	p := &askPage{Frame: v.Frame, Action: v.Base + "/ask", Q: q, Max: portal.MaxInquiryText, Public: field("public")}
	d, err := v.askedDataset(p)
	if err != nil {
		return answer{}, err
	}
	p.Office = v.officeOf(d)
	said, err := portal.NoticesOf(v.ctx, v.view)
	if err != nil {
		return answer{}, err
	}
	p.Reads, p.Appeal = v.text(said.Form.Reads), v.text(said.Form.Appeal)
	p.Place = q.Kind == portal.Correction && q.About.Resource != ""
	wrong := v.wrongWith(q)
	switch {
	case !q.Kind.Asks() || q.Kind == portal.Correction && q.About.Dataset == "":
		p.Step = stepKind
		p.Kinds = v.kinds(q, field)
	case step != stepContact && step != stepCheck && step != stepSend:
		p.Step = stepText
	case len(wrong.Items) > 0 && wrong.Items[0].Href != "#email":
		p.Step, p.Problem = stepText, &wrong
	case step == stepContact:
		p.Step = stepContact
	case len(wrong.Items) > 0 || p.Public == "":
		if p.Public == "" {
			wrong.Items = append(wrong.Items, Link{Shown: Shown{Text: v.T("talk.choosepublic")}, Href: "#public"})
		}
		p.Step, p.Problem = stepContact, &wrong
	case step == stepCheck:
		p.Step = stepCheck
	default:
		return v.sendInquiry(p, q, d)
	}
	return v.askPage(p, q, d)
}

// canAsk says before anything is typed that nothing can be kept.
func (v *visit) canAsk() error {
	if err := v.site.o.Asker.CanAsk(v.ctx); err != nil {
		return v.notSent(err)
	}
	return nil
}

// askedDataset finds what it is about; what is not there any more is left out.
func (v *visit) askedDataset(p *askPage) (d portal.Dataset, err error) {
	id := p.Q.About.Dataset
	if id == "" {
		p.Q.About = portal.Place{}
		return d, nil
	}
	if _, err := portal.ParseDatasetID(string(id)); err != nil {
		return d, v.bad("error.badfilter", "got", clip(string(id), 100))
	}
	if d, err = v.view.Dataset(v.ctx, id); err != nil {
		return d, err
	}
	if p.Q.About.Release == 0 {
		p.Q.About.Release = d.Latest.Number
	}
	p.About = Link{Shown: v.text(d.Latest.Title), Href: v.datasetURL(id)}
	return d, nil
}

// officeOf names who will read it.
func (v *visit) officeOf(d portal.Dataset) string {
	if d.ID == "" {
		return v.Site
	}
	return v.text(d.Publisher.Title).Text
}

// kinds are the kinds as links: one touch.
func (v *visit) kinds(q portal.Inquiry, field func(string) string) []Link {
	var all []Link
	for _, k := range portal.InquiryKinds {
		if k == portal.Correction && q.About.Dataset == "" {
			continue
		}
		values := keptFields(field, "dataset", "release", "table", "row", "column", "value", "text")
		values.Set("kind", string(k))
		all = append(all, Link{Shown: Shown{Text: v.kindWord(k)}, Href: v.Base + "/ask?" + values.Encode()})
	}
	return all
}

// wrongWith lists what is wrong with what was typed, each with its field.
func (v *visit) wrongWith(q portal.Inquiry) problemBox {
	box := problemBox{Title: v.T("error.summary")}
	q.Day = v.today()
	err := q.Validate()
	var all portal.Problems
	var one *portal.Problem
	switch {
	case errors.As(err, &all):
	case errors.As(err, &one):
		all = portal.Problems{one}
	}
	for _, p := range all {
		text, href := v.T("talk.badtext", "max", portal.MaxInquiryText), "#text"
		switch p.Where {
		case "email":
			text, href = v.T("talk.bademail"), "#email"
		case "row", "column", "value":
			text, href = v.T("talk.badplace", "max", 500), "#"+p.Where
		}
		box.Items = append(box.Items, Link{Shown: Shown{Text: text}, Href: href})
	}
	return box
}

func (v *visit) askPage(p *askPage, q portal.Inquiry, d portal.Dataset) (answer, error) {
	q.About = p.Q.About
	if p.Step == stepText || p.Step == stepContact || p.Step == stepCheck {
		p.Kind = v.kindWord(q.Kind)
		v.Title = p.Kind
		p.Hidden = hiddenOf(q, p)
	}
	if p.Step == stepCheck {
		v.Title = v.T("talk.check")
		p.Rows = v.checkRows(q, p)
		if q.ID == (portal.InquiryID{}) {
			_, _ = rand.Read(q.ID[:]) // never fails
		}
		p.Hidden = append(p.Hidden, hidden{"id", q.ID.String()})
	}
	if p.Step == stepText || p.Step == stepCheck {
		threads, err := v.site.o.Asker.Threads(v.ctx, v.view, d.ID)
		if err != nil {
			return answer{}, err
		}
		p.Similar = v.similar(threads, q.Text)
	}
	status := 0
	if p.Problem != nil {
		status = http.StatusUnprocessableEntity
	}
	return answer{template: "ask", data: p, status: status}, nil
}

// hiddenOf carries what this step does not ask.
func hiddenOf(q portal.Inquiry, p *askPage) []hidden {
	release := ""
	if q.About.Release > 0 {
		release = strconv.Itoa(q.About.Release)
	}
	all := []hidden{{"kind", string(q.Kind)}, {"dataset", string(q.About.Dataset)}, {"release", release}, {"table", q.About.Resource}}
	if p.Step != stepText || !p.Place {
		all = append(all, hidden{"row", q.About.Row}, hidden{"column", q.About.Column}, hidden{"value", q.About.Value})
	}
	if p.Step != stepText {
		all = append(all, hidden{"text", q.Text})
	}
	if p.Step == stepText || p.Step == stepCheck {
		clerk := ""
		if q.Clerk {
			clerk = "1"
		}
		all = append(all, hidden{"email", q.Email}, hidden{"public", p.Public}, hidden{"clerk", clerk})
	}
	kept := all[:0]
	for _, h := range all {
		if h.Value != "" {
			kept = append(kept, h)
		}
	}
	return kept
}

// checkRows is what will be sent.
func (v *visit) checkRows(q portal.Inquiry, p *askPage) []Row {
	var rs rows
	v.add(&rs, v.T("talk.kind"), plain(p.Kind))
	if p.About.Text != "" {
		v.add(&rs, v.T("talk.about"), Value{Shown: p.About.Shown})
	}
	for _, part := range []struct {
		key   locale.Key
		value string
	}{{"talk.row", q.About.Row}, {"talk.column", q.About.Column}, {"talk.value", q.About.Value}, {"talk.text", q.Text}, {"talk.email", q.Email}} {
		if part.value != "" {
			v.add(&rs, v.T(part.key), plain(part.value))
		}
	}
	public := v.T("talk.publicno")
	if q.Public {
		public = v.T("talk.publicyes")
	}
	v.add(&rs, v.T("talk.public"), plain(public))
	return rs
}

// sendInquiry keeps it and shows the receipt, once.
func (v *visit) sendInquiry(p *askPage, q portal.Inquiry, d portal.Dataset) (answer, error) {
	q.About = p.Q.About
	code, err := v.submit(q, portal.ReceiptCode{})
	if status, box, again := v.pressAgain(err); again {
		p.Step, p.Problem = stepCheck, box
		a, err := v.askPage(p, q, d)
		a.status = status
		return a, err
	}
	if err != nil {
		return answer{}, err
	}
	v.Title = v.T("talk.done")
	p.Step, p.Q, p.Similar = stepSend, portal.Inquiry{}, nil
	p.Receipt = v.receiptBox(code)
	return answer{template: "ask", data: p}, nil
}

func (v *visit) receiptBox(code portal.ReceiptCode) *receiptBox {
	shown := code.Reveal()
	b := &receiptBox{Code: shown, QR: qrOf(code.Norm(), v.T("talk.code")), Open: v.T("talk.open", "site", v.Site)}
	switch {
	case v.status.Role != portal.Mirror:
		b.Travels = v.T("talk.atcentre")
	case v.status.LastSync.IsZero():
		b.Travels = v.T("talk.travels")
	default:
		b.Travels = v.T("talk.travels") + " " + v.T("talk.lastcontact", "ago", v.Ago(v.now.Sub(v.status.LastSync)))
	}
	return b
}
