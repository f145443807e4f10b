package site

import (
	"net/http"
	"net/url"

	"koprik/portal"
)

// receiptPage is the struct of templates/receipt.html.
type receiptPage struct {
	*Frame
	Action  string
	Problem *problemBox
	Nothing string // said of a code for which nothing lies here; "" otherwise
	Found   *foundBox
	Thanks  bool
}

// foundBox is what a receipt opens.
type foundBox struct {
	State    string
	Rows     []Row
	Question string
	Text     Shown
	Thread   string // the address of its public page, "" where there is none
	Reuse    string // the same of a reuse, where its state is told as well
	Useful   bool   // whether the answer was useful is asked
	Code     string // only for the form that asks it; it stands on this page alone
}

func (s *site) receipt(v *visit) (answer, error) {
	v.w.Header().Set("Cache-Control", "no-store")
	return answer{template: "receipt", data: v.receiptPage()}, nil
}

func (v *visit) receiptPage() *receiptPage {
	v.Title = v.T("talk.receipt")
	v.AskLink.Href = ""
	return &receiptPage{Frame: v.Frame, Action: v.Base + "/receipt"}
}

// openReceipt opens an answer with a code. A code that nobody was given and one whose
// question is still on its way are answered alike.
func (s *site) openReceipt(v *visit) (answer, error) {
	v.w.Header().Set("Cache-Control", "no-store")
	field, err := v.form()
	if err != nil {
		return answer{}, err
	}
	p := v.receiptPage()
	code, err := portal.ParseReceiptCode(field("code"))
	if err != nil {
		p.Problem = &problemBox{Title: v.T("error.summary"), Items: []Link{{Shown: Shown{Text: v.T("talk.badcode")}, Href: "#code"}}}
		return answer{template: "receipt", data: p, status: http.StatusUnprocessableEntity}, nil //nolint:nilerr // it is told on the page
	}
	if u := portal.Useful(field("useful")); u != "" {
		if err := v.canAsk(); err != nil {
			return answer{}, err
		}
		if _, err := v.submit(portal.Inquiry{Kind: portal.Opinion, Lang: v.lang, Useful: u}, code); err != nil {
			return answer{}, err
		}
		p.Thanks = true
		return answer{template: "receipt", data: p}, nil
	}
	a, ok, err := s.o.Asker.OpenReceipt(v.ctx, code)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		p.Nothing = v.T("talk.nothingtext", "date", v.day(v.view.State().AsOf))
		return answer{template: "receipt", data: p}, nil
	}
	p.Found = v.found(a, code)
	return answer{template: "receipt", data: p}, nil
}

// stateWord is a state in the reader's words.
func (v *visit) stateWord(s portal.InquiryState) string {
	switch s {
	case portal.Received:
		return v.T("talk.received")
	case portal.Assigned:
		return v.T("talk.assigned")
	case portal.Answered:
		return v.T("talk.answered")
	case portal.Refused:
		return v.T("talk.refused")
	case portal.Published:
		return v.T("talk.published")
	case portal.Queued:
	}
	return string(s)
}

func (v *visit) found(a portal.Answer, code portal.ReceiptCode) *foundBox {
	box := &foundBox{State: v.stateWord(a.State), Question: a.Question, Code: code.Norm(), Useful: a.Text != "" && !a.State.Open()}
	if a.Text != "" {
		box.Text = v.said(a.Text, a.Lang)
	}
	var rs rows
	v.add(&rs, v.T("talk.since"), plain(v.moment(a.At)))
	if a.Due != "" && a.State.Open() {
		v.add(&rs, v.T("talk.due"), plain(v.Date(a.Due.Time())))
	}
	if a.Stopped != "" {
		v.add(&rs, v.T("talk.stopped"), plain(a.Stopped))
	}
	for _, who := range []string{a.Post, a.Office} {
		if who != "" {
			v.add(&rs, v.T("talk.by"), plain(who))
		}
	}
	if a.Dataset != "" {
		v.add(&rs, v.T("talk.about"), Value{Shown: v.titleOf(a.Dataset), Href: v.datasetURL(a.Dataset)})
	}
	box.Rows = rs
	if a.Thread != (portal.InquiryID{}) {
		box.Thread = v.Base + "/inquiry/" + a.Thread.String()
	}
	if a.Reuse != (portal.InquiryID{}) {
		box.State, box.Reuse = v.T("reuse.shown"), v.reuseURL(a.Reuse)
	}
	return box
}

// said shows a text that somebody wrote in a language: as it is, marked where it is
// not the page's.
func (v *visit) said(text string, l portal.Lang) Shown {
	if l == "" {
		return Shown{Text: text}
	}
	return v.text(portal.Text{Translated: map[portal.Lang]string{l: text}})
}

// keptFields takes the fields that were sent on into an address.
func keptFields(field func(string) string, names ...string) url.Values {
	values := url.Values{}
	for _, name := range names {
		if value := field(name); value != "" {
			values.Set(name, value)
		}
	}
	return values
}
