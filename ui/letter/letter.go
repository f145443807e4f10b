// Package letter writes what the centre's letters say, as plain text, in the
// language of whoever gets them. How they travel is not known here.
package letter

import (
	"strings"
	"time"

	"koprik/portal"
	"koprik/portal/email"
	"koprik/ui/locale"
)

// Writer writes in the name of a portal.
type Writer struct {
	Words   *locale.Words
	Site    string // its title
	Address string // its web address, without a slash at the end
}

func (w Writer) lang() portal.Lang { return portal.Lang(w.Words.Tag()) }

// about says what an inquiry is about, a line each. title is the dataset's; zero
// when it is not known.
func (w Writer) about(q portal.Inquiry, title portal.Text) string {
	at := q.About
	if at.Dataset == "" {
		return ""
	}
	name, _ := title.In(w.lang())
	lines := []string{w.Words.T("desk.about") + ": " + strings.TrimSpace(name+" "+w.Address+"/"+w.lang().Path()+"/dataset/"+string(at.Dataset))}
	if where := strings.Trim(strings.Join([]string{at.Resource, at.Row, at.Column}, " · "), " ·"); where != "" {
		lines = append(lines, w.Words.T("desk.place")+": "+where)
	}
	if at.Value != "" {
		lines = append(lines, w.Words.T("desk.value")+": "+at.Value)
	}
	return strings.Join(lines, "\n") + "\n"
}

// indented sets words apart that others wrote.
func indented(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") + "\n" }

func (w Writer) day(d portal.Date) string { return locale.Plain(w.Words.Day(d)) }

func short(id portal.InquiryID) string { return id.String()[:8] }

func (w Writer) foot() string { return "\n" + w.Words.T("letter.foot", "site", w.Site) + "\n" }

// Question is to who has to answer; Link is put behind it. reply says that it may
// be answered by e-mail. The asker's address is not in it.
func (w Writer) Question(c *portal.Case, title portal.Text, reply bool) (subject, text string) {
	due := w.day(c.Deadline.Due)
	var t strings.Builder
	if reply {
		t.WriteString(email.Above + " " + w.Words.T("letter.above") + "\n\n")
	}
	t.WriteString(w.Words.T("letter.question-lead", "site", w.Site) + "\n\n" + w.about(c.Inquiry, title))
	t.WriteString(w.Words.T("desk.due") + ": " + due + "\n\n" + indented(c.Inquiry.Text) + "\n")
	return w.Words.T("letter.question", "id", short(c.Inquiry.ID), "date", due), t.String()
}

// Link is the end of a letter with a one-time link.
func (w Writer) Link(link string, ends time.Time) string {
	return w.Words.T("letter.link") + "\n" + link + "?lang=" + w.lang().Path() + "\n\n" +
		w.Words.T("letter.link-note", "date", locale.Plain(w.Words.Date(ends))) + "\n" + w.foot()
}

// Late is to who has to be told that an inquiry waits too long. Its words stay at
// the desk.
func (w Writer) Late(c *portal.Case, title portal.Text) (subject, text string) {
	at := portal.ContactRef{Publisher: c.Route.Publisher, Contact: c.Route.Contact}
	return w.Words.T("letter.late", "id", short(c.Inquiry.ID)),
		w.Words.T("letter.late-lead", "site", w.Site, "date", w.day(c.Deadline.Due), "office", at.String()) + "\n\n" +
			w.about(c.Inquiry, title) + "\n" + w.Address + "/desk/inquiry/" + c.Inquiry.ID.String() + "\n" + w.foot()
}

// Answer is to an asker. The asker's own words are not repeated: whoever typed a
// stranger's address sends them nothing but an office's answer.
func (w Writer) Answer(c *portal.Case) (subject, text string) {
	a := c.Answers[len(c.Answers)-1]
	text = w.Words.T("letter.answer-lead", "site", w.Site, "date", w.day(c.Inquiry.Day)) + "\n\n" + indented(a.Text)
	if a.Dataset != "" {
		text += "\n" + w.Address + "/" + w.lang().Path() + "/dataset/" + string(a.Dataset) + "\n"
	}
	if by := strings.Trim(a.Post+", "+a.Office, ", "); by != "" {
		text += "\n" + by + "\n"
	}
	return w.Words.T("letter.answer", "site", w.Site), text + "\n" + w.Words.T("letter.answer-foot", "site", w.Site) + "\n"
}

// Still asks a contact whether it still answers; Link is put behind it.
func (w Writer) Still(p portal.Publisher, c portal.Contact) (subject, text string) {
	office, _ := p.Title.In(w.lang())
	post, _ := c.Post.In(w.lang())
	return w.Words.T("letter.still", "site", w.Site), w.Words.T("letter.still-lead", "site", w.Site, "post", post, "office", office) + "\n\n"
}
