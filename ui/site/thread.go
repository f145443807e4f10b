package site

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/gorilla/mux"

	"koprik/portal"
	"koprik/portal/lang"
)

// threadLine is a public question in a list.
type threadLine struct {
	To    Link
	State string
}

// threadPage is the struct of templates/thread.html.
type threadPage struct {
	*Frame
	Kind    string
	Text    Shown
	Rows    []Row
	Answers []threadAnswer
	Support string // how many want it too; "" nobody
	Useful  string // what askers said of the answer; "" nothing
	Action  string // of the form "I want this too"; "" where it is not offered
	Receipt *receiptBox
}

type threadAnswer struct {
	State string
	Text  Shown
	Who   string
	When  string
	To    Link
}

// shownThreads is how many public questions stand on a dataset's page.
const shownThreads = 5

// threadLines lists public questions, the newest first.
func (v *visit) threadLines(threads []portal.Thread, most int) (lines []threadLine) {
	for _, t := range threads[:min(most, len(threads))] {
		text := v.said(clip(t.Text, 160), t.Lang)
		lines = append(lines, threadLine{Link{Shown: text, Href: v.Base + "/inquiry/" + t.ID.String()}, v.stateWord(t.State)})
	}
	return lines
}

// similar are answered questions that share words with a text, the most alike first;
// without a text the newest ones.
func (v *visit) similar(threads []portal.Thread, text string) []threadLine {
	const most = 3
	type scored struct {
		portal.Thread
		score int
	}
	words := stemsOf(text)
	var found []scored
	for _, t := range threads {
		if t.State.Open() {
			continue
		}
		s := scored{Thread: t}
		for w := range stemsOf(t.Text) {
			if words[w] {
				s.score++
			}
		}
		if s.score > 0 || text == "" {
			found = append(found, s)
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return b.score - a.score })
	var best []portal.Thread
	for _, s := range found[:min(most, len(found))] {
		best = append(best, s.Thread)
	}
	return v.threadLines(best, most)
}

// stemsOf are the words of a text of four letters and more, folded so that both
// scripts meet.
func stemsOf(text string) map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.FieldsFunc(lang.ToLatin(strings.ToLower(text)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		const least = 4
		if r := []rune(w); len(r) >= least {
			words[string(r[:min(len(r), 6)])] = true // the beginning: endings differ
		}
	}
	return words
}

func (v *visit) findThread() (portal.Thread, error) {
	id, err := portal.ParseInquiryID(mux.Vars(v.r)["id"])
	if err != nil {
		return portal.Thread{}, portal.ErrNotFound
	}
	return v.site.o.Asker.Thread(v.ctx, v.view, id)
}

// thread shows one public question with its answers.
func (s *site) thread(v *visit) (answer, error) {
	t, err := v.findThread()
	if err != nil {
		return answer{}, err
	}
	return answer{template: "thread", data: v.threadPage(t)}, nil
}

// titleOf is the title of a dataset; of one that this copy doesn't have, its id.
func (v *visit) titleOf(id portal.DatasetID) Shown {
	if d, err := v.view.Dataset(v.ctx, id); err == nil {
		return v.text(d.Latest.Title)
	}
	return Shown{Text: string(id)}
}

func (v *visit) threadPage(t portal.Thread) *threadPage {
	v.Title = v.T("talk.thread")
	p := &threadPage{Frame: v.Frame, Kind: v.kindWord(t.Kind), Text: v.said(t.Text, t.Lang)}
	var rs rows
	if t.About.Dataset != "" {
		v.add(&rs, v.T("talk.about"), Value{Shown: v.titleOf(t.About.Dataset), Href: v.datasetURL(t.About.Dataset)})
	}
	v.add(&rs, v.T("talk.state"), plain(v.stateWord(t.State)))
	v.add(&rs, v.T("talk.asked"), plain(v.Date(t.Asked.Time())))
	if t.Due != "" && t.State.Open() {
		v.add(&rs, v.T("talk.due"), plain(v.Date(t.Due.Time())))
	}
	if !t.Stopped.IsZero() {
		v.add(&rs, v.T("talk.stopped"), Value{Shown: v.text(t.Stopped)})
	}
	p.Rows = rs
	for _, a := range t.Answers {
		one := threadAnswer{
			State: v.stateWord(a.State), Text: v.said(a.Text, a.Lang), Who: strings.Trim(a.Post+", "+a.Office, ", "),
			When: v.Date(a.Day.Time()) + ", " + v.afterDays(a.Days),
		}
		if a.Dataset != "" {
			one.To = Link{Shown: v.titleOf(a.Dataset), Href: v.datasetURL(a.Dataset)}
		}
		p.Answers = append(p.Answers, one)
	}
	if t.Support > 0 {
		p.Support = v.N("talk.supporters", t.Support)
	}
	if u := t.Useful; u.Yes+u.Partly+u.No > 0 {
		p.Useful = v.T("talk.usefulcount", "yes", strconv.Itoa(u.Yes), "partly", strconv.Itoa(u.Partly), "no", strconv.Itoa(u.No))
	}
	if t.State.Open() && t.Kind != portal.Feedback {
		p.Action = v.Base + "/inquiry/" + t.ID.String()
	}
	return p
}

// support counts somebody who wants it too, once per receipt: a new one, or an
// earlier one whose code is given.
func (s *site) support(v *visit) (answer, error) {
	v.w.Header().Set("Cache-Control", "no-store")
	field, err := v.form()
	if err != nil {
		return answer{}, err
	}
	t, err := v.findThread()
	if err != nil {
		return answer{}, err
	}
	if err := v.canAsk(); err != nil {
		return answer{}, err
	}
	var code portal.ReceiptCode
	if typed := strings.TrimSpace(field("code")); typed != "" {
		if code, err = portal.ParseReceiptCode(typed); err != nil {
			return answer{}, &pageError{status: http.StatusUnprocessableEntity, title: v.T("talk.badcode"), text: v.T("talk.badcodetext")}
		}
	}
	if code, err = v.submit(portal.Inquiry{Kind: portal.SupportRequest, Lang: v.lang, Thread: t.ID}, code); err != nil {
		return answer{}, err
	}
	p := v.threadPage(t)
	p.Action, p.Receipt = "", v.receiptBox(code)
	return answer{template: "thread", data: p}, nil
}

// askURL leads to the question pages, about a dataset where one is given.
func (v *visit) askURL(id portal.DatasetID) string {
	if v.site.o.Asker == nil {
		return ""
	}
	if id == "" {
		return v.Base + "/ask"
	}
	return v.Base + "/ask?dataset=" + url.QueryEscape(string(id))
}

// questions puts the public questions onto a dataset's page, and the way to ask.
func (v *visit) questions(p *datasetPage, id portal.DatasetID) error {
	if v.site.o.Asker == nil {
		return nil
	}
	threads, err := v.site.o.Asker.Threads(v.ctx, v.view, id)
	p.Ask, p.Threads = v.askURL(id), v.threadLines(threads, shownThreads)
	return err
}

// afterDays says after how many working days an answer came.
func (v *visit) afterDays(n int) string {
	if n == 0 {
		return v.T("talk.soon")
	}
	return v.N("talk.days", n)
}
