package node

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"koprik/portal"
	"koprik/portal/email"
	"koprik/sync/mailer"
)

// How long one-time links are good for, and how far back answers are written of to
// askers: a centre that gets a mail server does not write of old ones.
const (
	questionLink = 60 * 24 * time.Hour
	stillLink    = portal.ConfirmWithin
	keepLinks    = 90 * 24 * time.Hour // after their end, to say "it has ended" and not "there is none"
	answersSince = 7 * 24 * time.Hour
)

// attend looks after what waits at a centre: it marks what waits too long, asks
// those who answer whether they are still there, and queues the letters of all
// that. Doing it again changes nothing.
func (n *Node) attend(ctx context.Context) error {
	if !n.central() {
		return nil
	}
	cal, err := n.Calendar(ctx)
	if err != nil {
		return err
	}
	waiting, err := n.waitingCases(ctx, portal.ContactRef{})
	if err != nil {
		return err
	}
	for i := range waiting {
		if c := &waiting[i]; c.Inquiry.Kind.Asks() {
			if err := errors.Join(n.escalate(ctx, c, cal), n.queueQuestion(ctx, c)); err != nil {
				return err
			}
		}
	}
	return errors.Join(n.queueAnswers(ctx), n.review(ctx))
}

// queue keeps a letter to be sent, where letters are written.
func (n *Node) queue(ctx context.Context, m portal.Letter) error {
	if n.config.MailServer == "" {
		return nil
	}
	m.Made = n.Now().UTC()
	m.Next = m.Made
	_, err := n.local.QueueLetter(ctx, m)
	return err
}

// escalate marks a case that waits too long, and has a letter written of it first:
// a crash between the two does both again.
func (n *Node) escalate(ctx context.Context, c *portal.Case, cal portal.WorkCalendar) error {
	level := c.Escalation(portal.DateOf(n.Now()), cal)
	if level <= c.Told {
		return nil
	}
	to := portal.ContactRef{}
	if level == portal.ToCoordinator && c.Route.Publisher != "" {
		all, err := n.Publishers(ctx)
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.ID == c.Route.Publisher && p.Default != "" {
				to = portal.ContactRef{Publisher: p.ID, Contact: p.Default}
			}
		}
	}
	key := "late:" + c.Inquiry.ID.String() + ":" + string(c.Route.Publisher) + ":" + strconv.Itoa(int(level))
	if err := n.queue(ctx, portal.Letter{Key: key, Kind: portal.LetterLate, Inquiry: c.Inquiry.ID, To: to, Level: level}); err != nil {
		return err
	}
	_, err := n.ChangeCase(ctx, c.Inquiry.ID, "", func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error {
		c.Escalate(cal, e)
		return nil
	})
	return err
}

// queueQuestion has whoever has to answer written to, once each time that the
// question comes to them.
func (n *Node) queueQuestion(ctx context.Context, c *portal.Case) error {
	to := c.Route.Ref()
	key := "question:" + c.Inquiry.ID.String() + ":" + to.String()
	if c.Turn > 0 {
		key += ":" + strconv.Itoa(c.Turn)
	}
	return n.queue(ctx, portal.Letter{Key: key, Kind: portal.LetterQuestion, Inquiry: c.Inquiry.ID, To: to})
}

// queueAnswers has askers who left an e-mail told of their answers.
func (n *Node) queueAnswers(ctx context.Context) error {
	const most = 10_000
	list, _, err := n.local.Cases(ctx, portal.CaseQuery{
		States: []portal.InquiryState{portal.Answered, portal.Refused, portal.Published}, Changed: n.Now().Add(-answersSince), Limit: most,
	})
	if err != nil {
		return err
	}
	for i := range list {
		c := &list[i]
		if c.Inquiry.Email == "" || len(c.Answers) == 0 {
			continue
		}
		key := "answer:" + c.Inquiry.ID.String() + ":" + strconv.Itoa(len(c.Answers))
		if err := n.queue(ctx, portal.Letter{Key: key, Kind: portal.LetterAnswer, Inquiry: c.Inquiry.ID}); err != nil {
			return err
		}
	}
	return nil
}

// backoff is when a letter is tried again: after a minute, then twice as long each
// time, at most six hours. Letters wait for a network as long as it takes.
func backoff(tries int) time.Duration {
	const first, most = time.Minute, 6 * time.Hour
	if tries > 9 {
		return most
	}
	return min(first<<(tries-1), most)
}

// SendLetters hands the letters that are due to the mail server, and says how many
// it took. A letter leaves the queue when that was recorded: a process that dies
// between the two sends it once more, under the same Message-ID. An error of the
// server ends the round; what waits is tried again later.
func (n *Node) SendLetters(ctx context.Context) (sent int, err error) {
	server, ok, err := n.mailServer()
	if err != nil || !ok {
		return 0, err
	}
	for ctx.Err() == nil {
		now := n.Now().UTC()
		m, ok, err := n.local.ClaimLetter(ctx, now, func(tries int) time.Time { return now.Add(backoff(tries)) })
		if err != nil || !ok {
			return sent, err
		}
		left, err := n.sendLetter(ctx, server, m)
		if left {
			sent++
		}
		if err != nil {
			return sent, errors.Join(err, n.local.LetterFailed(ctx, m.ID, firstLineOf(err)))
		}
	}
	return sent, context.Cause(ctx)
}

// firstLineOf is an error as it is kept beside a letter.
func firstLineOf(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	const most = 400
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}

// sendLetter sends one. An error means that it is to be tried again.
func (n *Node) sendLetter(ctx context.Context, server mailer.Server, m portal.Letter) (sent bool, err error) {
	d, err := n.draft(ctx, m)
	if err != nil {
		return false, err
	}
	if d.needless != "" {
		return false, n.local.LetterDone(ctx, m.ID, n.Now(), d.needless)
	}
	link, err := n.withLink(ctx, m, d)
	if err != nil {
		return false, err
	}
	err = server.Send(ctx, d.message)
	switch {
	case err == nil:
		return true, errors.Join(n.local.LetterDone(context.WithoutCancel(ctx), m.ID, n.Now(), ""), n.afterSending(ctx, m))
	case errors.Is(err, mailer.ErrRecipient):
		n.opt.Log.Warn("a letter is refused", "kind", string(m.Kind), "to", m.To.String())
		return false, errors.Join(n.local.DropLink(ctx, link), n.local.LetterDone(ctx, m.ID, n.Now(), firstLineOf(err)), n.refused(ctx, m, firstLineOf(err)))
	case !errors.Is(err, mailer.ErrDoubt):
		err = errors.Join(err, n.local.DropLink(context.WithoutCancel(ctx), link))
	}
	return false, err
}

// refused marks whoever a letter could not be delivered to. Of an asker's address
// nobody is told.
func (n *Node) refused(ctx context.Context, m portal.Letter, why string) error {
	if m.Kind == portal.LetterAnswer || m.To == (portal.ContactRef{}) {
		return nil
	}
	return n.MarkAmber(ctx, m.To, why)
}

// afterSending begins the wait for an answer to "is this still you?".
func (n *Node) afterSending(ctx context.Context, m portal.Letter) error {
	if m.Kind != portal.LetterStill {
		return nil
	}
	reach, err := n.Reach(ctx, m.To)
	if err != nil {
		return err
	}
	reach.Asked = n.Now().UTC()
	return n.setReach(ctx, m.To, reach)
}

// tokens are random: 160 bits for a link, 80 for a reply address, which stands in
// logs of mail servers and opens nothing.
var tokens = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func newToken(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return tokens.EncodeToString(b)
}

// withLink makes the one-time link of a letter that has one, keeps what it hashes
// to, and writes it into the letter: the link itself is in no file.
func (n *Node) withLink(ctx context.Context, m portal.Letter, d *draft) (digest portal.Digest, err error) {
	if d.life == 0 {
		return digest, nil
	}
	const linkBytes, tagBytes = 20, email.TagLength * 5 / 8
	token, tag := newToken(linkBytes), newToken(tagBytes)
	now := n.Now().UTC()
	digest = portal.DigestOf([]byte(token))
	k := portal.Link{
		Digest: digest, Reply: portal.DigestOf([]byte(tag)), Kind: m.Kind, Inquiry: m.Inquiry, To: m.To, Email: d.message.To, Made: now, Ends: now.Add(d.life),
	}
	d.finish(n.config.Address+"/desk/by-letter/"+token, tag, n.config.MailReply, k.Ends)
	return digest, n.local.AddLink(ctx, k, now.Add(-keepLinks))
}

// Letters are those that wait, the next one first, and how many there are.
func (n *Node) Letters(ctx context.Context, limit int) ([]portal.Letter, int, error) {
	if !n.central() {
		return nil, 0, notCentral("inquiry letters")
	}
	return n.local.Letters(ctx, limit)
}

// address is an e-mail address in what a mail server says: an asker's is nobody's
// to read beside a queue.
var address = regexp.MustCompile(`[^\s<>]+@[^\s<>]+`)

// MailState says how the letters of this centre get on; nothing elsewhere.
func (n *Node) MailState(ctx context.Context) (portal.MailState, error) {
	if !n.central() {
		return portal.MailState{}, nil
	}
	s, err := n.local.MailState(ctx)
	s.Problem = address.ReplaceAllString(s.Problem, "…")
	return s, err
}

// WriteLetters queues what there is to write and sends it now, whatever was to be
// waited for.
func (n *Node) WriteLetters(ctx context.Context) (sent int, err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return 0, notCentral("inquiry letters")
	}
	if n.config.MailServer == "" {
		return 0, portal.Rejected("mail_server", "is not set: this centre writes no letters").WithHint("docs/how-to/mail.md says how to set it")
	}
	if err := errors.Join(n.attend(ctx), n.local.HurryLetters(ctx, n.Now())); err != nil {
		return 0, err
	}
	return n.SendLetters(ctx)
}

// mailEvery is how often a serving centre looks after letters.
const mailEvery = 15 * time.Second

// mailWhenDue does so until ctx ends. A mail server that cannot be reached is
// logged once, and again when something else is wrong.
func (n *Node) mailWhenDue(ctx context.Context) {
	tick := time.NewTicker(mailEvery)
	defer tick.Stop()
	said := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n.logged("look after questions", n.attend(ctx))
		_, err := n.SendLetters(ctx)
		switch {
		case err == nil:
			said = ""
		case err.Error() != said && ctx.Err() == nil:
			said = err.Error()
			n.logged("send letters", err)
		}
	}
}
