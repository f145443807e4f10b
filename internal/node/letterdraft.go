package node

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"koprik/portal"
	"koprik/portal/email"
	"koprik/sync/mailer"
	"koprik/ui/letter"
)

// draft is a letter that lacks its link.
type draft struct {
	needless string        // why it is not sent any more
	life     time.Duration // of its link; 0: it has none
	message  mailer.Message
	writer   letter.Writer
}

// finish writes the link and the reply address into the letter. reply is the
// setting mail_reply.
func (d *draft) finish(link, tag, reply string, ends time.Time) {
	d.message.Text += d.writer.Link(link, ends)
	if reply != "" {
		d.message.ReplyTo = email.Tagged(reply, tag)
		d.message.Subject += " " + email.SubjectTag(tag)
	}
}

// draft writes a letter of what is known now.
func (n *Node) draft(ctx context.Context, m portal.Letter) (*draft, error) {
	lang, err := n.letterLang(ctx, m)
	if err != nil {
		return nil, err
	}
	words, err := n.words()
	if err != nil {
		return nil, err
	}
	d := &draft{
		writer:  letter.Writer{Words: words.Words(lang), Site: n.config.Title, Address: n.config.Address},
		message: mailer.Message{From: n.config.MailFrom, Name: n.config.Title, Date: n.Now(), ID: n.messageID(m)},
	}
	if m.Kind != portal.LetterAnswer {
		d.message.To, err = n.mailOf(ctx, m.To)
		if d.message.To == "" {
			d.needless = "there is no such contact any more, or it has no e-mail"
			return d, ignoreNotFound(err)
		}
	}
	if m.Kind == portal.LetterStill {
		p, c, err := n.contact(ctx, m.To)
		d.message.Subject, d.message.Text = d.writer.Still(p, c)
		d.life = stillLink
		return d, err
	}
	c, err := n.local.Case(ctx, m.Inquiry)
	if errors.Is(err, portal.ErrNotFound) {
		d.needless = "the question is gone"
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	d.ofCase(m, &c, n.titleOf(ctx, c.Inquiry.About.Dataset), n.config.MailReply != "")
	return d, nil
}

// ofCase writes a letter about an inquiry, unless it has become needless.
func (d *draft) ofCase(m portal.Letter, c *portal.Case, title portal.Text, reply bool) {
	switch m.Kind {
	case portal.LetterQuestion:
		if !c.State.Open() || c.Route.Ref() != m.To {
			d.needless = "the question was answered, or went to somebody else"
			return
		}
		d.life = questionLink
		d.message.Subject, d.message.Text = d.writer.Question(c, title, reply)
	case portal.LetterLate:
		if !c.State.Open() || c.Told > m.Level {
			d.needless = "the question was answered, or somebody higher was told"
			return
		}
		d.message.Subject, d.message.Text = d.writer.Late(c, title)
	case portal.LetterAnswer:
		if c.Inquiry.Email == "" || len(c.Answers) == 0 {
			d.needless = "there is no answer to write of"
			return
		}
		d.message.To = c.Inquiry.Email
		d.message.Subject, d.message.Text = d.writer.Answer(c)
	case portal.LetterStill:
	}
}

func ignoreNotFound(err error) error {
	if errors.Is(err, portal.ErrNotFound) {
		return nil
	}
	return err
}

// titleOf is a dataset's title; zero when it is not there any more.
func (n *Node) titleOf(ctx context.Context, id portal.DatasetID) portal.Text {
	if id == "" {
		return portal.Text{}
	}
	snap, err := n.catalog.Snapshot(ctx)
	if err != nil {
		return portal.Text{}
	}
	defer snap.Close()
	d, err := snap.Dataset(ctx, id)
	if err != nil {
		return portal.Text{}
	}
	return d.Latest.Title
}

// messageID is the same at every try of a letter, so that mail programs show one
// that was sent twice once.
func (n *Node) messageID(m portal.Letter) string {
	_, domain, _ := strings.Cut(n.config.MailFrom, "@")
	return "koprik-" + portal.DigestOf([]byte(m.Key+strconv.FormatInt(m.Made.UnixMicro(), 10))).Short() + "@" + domain
}

// mailOf is where letters to a contact go; "" when nowhere.
func (n *Node) mailOf(ctx context.Context, r portal.ContactRef) (string, error) {
	if r == (portal.ContactRef{}) {
		return n.config.Contact, nil
	}
	_, c, err := n.contact(ctx, r)
	return c.Email, err
}

// letterLang is the language of whoever gets a letter: that of their account at
// the desk, that of the asker for the asker, otherwise Uzbek.
func (n *Node) letterLang(ctx context.Context, m portal.Letter) (portal.Lang, error) {
	if m.Kind == portal.LetterAnswer {
		c, err := n.local.Case(ctx, m.Inquiry)
		if err == nil && c.Inquiry.Lang != "" {
			return c.Inquiry.Lang, nil
		}
		return portal.Uzbek, ignoreNotFound(err)
	}
	accounts, err := n.local.Accounts(ctx)
	if err != nil {
		return "", err
	}
	for _, a := range accounts {
		if a.Lang != "" && a.Disabled.IsZero() && a.Publisher == m.To.Publisher && a.Contact == m.To.Contact {
			return a.Lang, nil
		}
	}
	return portal.Uzbek, nil
}
