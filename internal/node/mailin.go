package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"koprik/portal"
	"koprik/portal/email"
)

// endedLink is what a link says that was used, has ended, or is no longer for who
// holds it.
func endedLink() error {
	return &portal.Problem{Kind: portal.ErrExpired, Where: "link", Message: "was used already, or has ended", Hint: "sign in at the desk"}
}

// ByLetter gives what a one-time link is for. Looking uses nothing up: programs
// that check mail follow links too. portal.ErrNotFound for a token of none,
// portal.ErrExpired for one that is over.
func (n *Node) ByLetter(ctx context.Context, token string) (v portal.LetterVisit, err error) {
	defer named(n.dir, &err)
	if v.Link, err = n.local.Link(ctx, portal.DigestOf([]byte(token))); err != nil {
		return v, err
	}
	if !v.Link.Used.IsZero() || n.Now().After(v.Link.Ends) {
		return v, endedLink()
	}
	if v.Link.To.Publisher != "" {
		v.Publisher, v.Contact, err = n.contact(ctx, v.Link.To)
		if errors.Is(err, portal.ErrNotFound) {
			return v, endedLink()
		}
		if err != nil {
			return v, err
		}
	}
	if v.Link.Kind != portal.LetterQuestion {
		return v, nil
	}
	if v.Case, err = n.local.Case(ctx, v.Link.Inquiry); err == nil && !answerable(v.Link, &v.Case) {
		err = endedLink()
	}
	return v, err
}

// answerable tells whether a link may still answer a case: it is open, and waits
// for whom the letter went to.
func answerable(k portal.Link, c *portal.Case) bool {
	return k.Kind == portal.LetterQuestion && c.State.Open() && c.Route.Ref() == k.To
}

// AnswerByLetter answers or refuses the inquiry of a one-time link, and ends the
// link; who answers is the contact that the letter went to. portal.ErrExpired when
// it was used; an answer that is none is portal.ErrRejected, and the link stays.
func (n *Node) AnswerByLetter(ctx context.Context, token string, a portal.Answer) (err error) {
	defer named(n.dir, &err)
	k, err := n.local.Link(ctx, portal.DigestOf([]byte(token)))
	if err != nil {
		return err
	}
	return n.answerByLink(ctx, k, a, "by letter")
}

// PassOnByLetter gives the inquiry of a one-time link to the next office on its
// way, because it is not for the one that the letter went to, and ends the link.
// The due date stays. Errors as of AnswerByLetter.
func (n *Node) PassOnByLetter(ctx context.Context, token string, why portal.NotOurs) (err error) {
	defer named(n.dir, &err)
	v, err := n.ByLetter(ctx, token)
	if err != nil {
		return err
	}
	cal, err := n.Calendar(ctx)
	if err != nil {
		return err
	}
	next, err := n.findRoute(ctx, v.Publisher, v.Contact.ID, append(slices.Clone(v.Case.Passed), v.Link.To))
	if err != nil {
		return err
	}
	days, err := n.AnswerDays(ctx, next.Publisher)
	if err != nil {
		return err
	}
	_, err = n.local.UseLink(ctx, v.Link.Digest, n.Now().UTC(), func(k portal.Link, c *portal.Case) error {
		if !answerable(k, c) {
			return portal.ErrExpired
		}
		return c.PassOn(why, next, days, cal, portal.CaseEvent{At: n.Now().UTC(), By: k.To.String()})
	})
	if errors.Is(err, portal.ErrExpired) {
		return endedLink()
	}
	if err != nil {
		return err
	}
	return n.heardOf(ctx, v.Link.To)
}

func (n *Node) answerByLink(ctx context.Context, k portal.Link, a portal.Answer, note string) error {
	cal, err := n.Calendar(ctx)
	if err != nil {
		return err
	}
	publisher, contact, err := n.contact(ctx, k.To)
	if ignoreNotFound(err) != nil {
		return err
	}
	if known := err == nil; !known && k.To.Publisher != "" {
		return endedLink()
	}
	_, err = n.local.UseLink(ctx, k.Digest, n.Now().UTC(), func(k portal.Link, c *portal.Case) error {
		if !answerable(k, c) {
			return portal.ErrExpired
		}
		if a.Lang == "" {
			a.Lang = c.Inquiry.Lang
		}
		a.Post, a.Office = n.signature(publisher, contact, a.Lang)
		return c.Reply(a, cal, portal.CaseEvent{At: n.Now().UTC(), By: k.To.String(), Note: note})
	})
	if errors.Is(err, portal.ErrExpired) {
		return endedLink()
	}
	if err != nil {
		return err
	}
	return n.heardOf(ctx, k.To)
}

// signature is what stands beside an answer of a contact: post and office. The
// centre's own desk is named by the portal.
func (n *Node) signature(p portal.Publisher, c portal.Contact, lang portal.Lang) (post, office string) {
	if p.ID == "" {
		return "", n.config.Title
	}
	post, _ = c.Post.In(lang)
	office, _ = p.Title.In(lang)
	if unit, _ := c.Unit.In(lang); unit != "" && unit != office {
		office = unit + ", " + office
	}
	return post, office
}

// ConfirmByLetter takes the answer to "is this still you?". Who says no is passed
// over from now on.
func (n *Node) ConfirmByLetter(ctx context.Context, token string, still bool) (err error) {
	defer named(n.dir, &err)
	digest := portal.DigestOf([]byte(token))
	k, err := n.local.Link(ctx, digest)
	if err == nil && k.Kind != portal.LetterStill {
		err = portal.ErrNotFound
	}
	if err != nil {
		return err
	}
	if k, err = n.local.UseUp(ctx, digest, n.Now().UTC()); errors.Is(err, portal.ErrExpired) {
		return endedLink()
	}
	if err != nil {
		return err
	}
	if still {
		return n.heardOf(ctx, k.To)
	}
	return n.MarkAmber(ctx, k.To, "said by its own link that it no longer answers")
}

// MailTaken is what became of a message that came in.
type MailTaken struct {
	What    string // "answered", "bounced" or "ignored"
	Why     string // it was ignored
	Inquiry portal.InquiryID
	To      portal.ContactRef // whose letter it belongs to
}

// TakeMail takes one e-mail: a reply to a letter becomes the answer of whoever it
// was written to, a report that a letter could not be delivered marks the contact
// and moves its questions on, what no person wrote is ignored. A reply to nothing,
// or with nothing in it, is portal.ErrRejected, for the mail server to say so to
// its sender.
func (n *Node) TakeMail(ctx context.Context, r io.Reader) (out MailTaken, err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return out, notCentral("mail-in")
	}
	m, err := email.Read(r)
	if err != nil {
		return out, err
	}
	k, found, err := n.linkOf(ctx, m)
	if err != nil {
		return out, err
	}
	out.What, out.Inquiry, out.To = "ignored", k.Inquiry, k.To
	switch {
	case m.Kind == email.Automatic:
		out.Why = "no person wrote it"
		return out, nil
	case m.Kind == email.Bounce && !found:
		out.Why = "it reports on no letter of this portal"
		return out, nil
	case m.Kind == email.Bounce:
		return n.takeBounce(ctx, k, m, out)
	case !found:
		return out, portal.Rejected("message", "answers no letter of this portal: neither its recipient nor its subject has the tag of one").
			WithHint("reply to the letter itself, without changing address and subject, or use the link in it")
	case k.Kind != portal.LetterQuestion:
		return out, portal.Rejected("message", "answers a letter that is answered by its link alone")
	case strings.TrimSpace(m.Text) == "":
		return out, portal.Rejected("message", "has no words above the quoted letter").WithHint("write the answer above the first line of the letter")
	}
	note := "by e-mail"
	if m.Attachments > 0 {
		note = fmt.Sprintf("by e-mail; attachments that were left out: %d", m.Attachments)
	}
	if err := n.answerByLink(ctx, k, portal.Answer{State: portal.Answered, Text: m.Text}, note); err != nil {
		if errors.Is(err, portal.ErrExpired) {
			return out, portal.Rejected("message", "comes too late: the question was answered, or went to somebody else")
		}
		return out, err
	}
	out.What = "answered"
	return out, nil
}

// linkOf finds the letter that a message belongs to.
func (n *Node) linkOf(ctx context.Context, m email.Message) (k portal.Link, found bool, err error) {
	for _, tag := range m.Tags {
		k, err := n.local.LinkOfReply(ctx, portal.DigestOf([]byte(tag)))
		if err == nil {
			return k, true, nil
		}
		if !errors.Is(err, portal.ErrNotFound) {
			return k, false, err
		}
	}
	return k, false, nil
}

// takeBounce marks a contact whose letter came back, when it still has the address
// that the letter went to.
func (n *Node) takeBounce(ctx context.Context, k portal.Link, m email.Message, out MailTaken) (MailTaken, error) {
	now, err := n.mailOf(ctx, k.To)
	if ignoreNotFound(err) != nil {
		return out, err
	}
	switch {
	case k.To == (portal.ContactRef{}):
		out.Why = "the centre's own address cannot be reached"
		n.opt.Log.Error("letters to the centre come back", "status", m.Status)
		return out, nil
	case now != k.Email:
		out.Why = "the contact has another address by now"
		return out, nil
	}
	out.What = "bounced"
	why := strings.TrimSpace("a letter came back: " + m.Status + " " + m.Diagnostic)
	return out, n.MarkAmber(ctx, k.To, why)
}
