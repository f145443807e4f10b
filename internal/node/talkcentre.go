package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/origin"
	"koprik/sync/post"
)

// sealingFile is where the private half of an epoch's key is kept, in keys/, unless
// it lives on a machine without a network.
func sealingFile(e post.Epoch) string { return "sealing-" + string(e) + ".key" }

// nextEpoch is the quarter after one.
func nextEpoch(e post.Epoch) post.Epoch {
	begin := portal.Date(fmt.Sprintf("%s-%02d-01", e[:4], int(e[5]-'0')*3-2))
	return post.EpochOf(portal.DateOf(begin.Time().AddDate(0, 3, 0)))
}

// sealingKeys makes the keys of this quarter and the next where they are not there,
// and gives the files of the seal role; nil when nothing is to be added. have is what
// it lists now.
func sealingKeys(keys disk.FS, have map[string][]byte, today portal.Date) (map[string][]byte, error) {
	now := post.EpochOf(today)
	added := map[string][]byte{}
	for _, e := range []post.Epoch{now, nextEpoch(now)} {
		if have[post.SealPath(e)] != nil {
			continue
		}
		k, err := readSealingKey(keys, e)
		if errors.Is(err, fs.ErrNotExist) {
			if k, err = post.NewCentreKey(); err != nil {
				return nil, err
			}
			secret, err := k.Bytes()
			if err != nil {
				return nil, err
			}
			if err := disk.WriteFile(keys, sealingFile(e), secret); err != nil {
				return nil, err
			}
		} else if err != nil {
			return nil, err
		}
		added[post.SealPath(e)] = k.Public()
	}
	if len(added) == 0 {
		return nil, nil
	}
	for path, b := range have {
		added[path] = b
	}
	return added, nil
}

func readSealingKey(keys disk.FS, e post.Epoch) (k post.CentreKey, err error) {
	const limit = 4 << 10
	b, err := disk.ReadFile(keys, sealingFile(e), limit)
	if err != nil {
		return k, err
	}
	if k, err = post.ParseCentreKey(b); err != nil {
		return k, fmt.Errorf("keys/%s: %w", sealingFile(e), err)
	}
	return k, nil
}

// publishSealing publishes the keys that questions are to be sealed to, where the
// key of the seal role is at hand: a one-person centre does it by itself, a national
// one brings the key once a quarter. The caller holds write.lock.
func (n *Node) publishSealing(ctx context.Context) (changed bool, err error) {
	o, done, err := n.origin()
	if err != nil {
		return false, err
	}
	defer done()
	ready, err := o.EnsureSides(ctx)
	if err != nil || !ready {
		return false, err
	}
	can, err := o.CanSign(datapackage.SealRole)
	if err != nil || !can {
		return false, err
	}
	have, err := o.Side(datapackage.SealRole)
	if err != nil {
		return false, err
	}
	keys, err := openKeys(n.dir)
	if err != nil {
		return false, err
	}
	defer keys.Close() //nolint:errcheck // every key is synced
	files, err := sealingKeys(keys, have, portal.DateOf(n.Now()))
	if err != nil || files == nil {
		return false, err
	}
	_, err = o.PublishSides(ctx, origin.Sides{datapackage.SealRole: files})
	return true, err
}

// openCases opens what came in, with the keys that are in keys/, finds who has to
// answer, and counts what only counts. It says how many were opened.
func (n *Node) openCases(ctx context.Context) (opened int, err error) {
	ids, err := n.local.Unopened(ctx)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	keys, err := openKeys(n.dir)
	if err != nil {
		return 0, err
	}
	defer keys.Close() //nolint:errcheck // opened for reading
	return n.openWith(ctx, ids, func(e post.Epoch) (post.CentreKey, error) { return readSealingKey(keys, e) })
}

func (n *Node) openWith(ctx context.Context, ids []portal.InquiryID, keyOf func(post.Epoch) (post.CentreKey, error)) (opened int, err error) {
	held := map[post.Epoch]post.CentreKey{}
	missing := map[post.Epoch]bool{}
	for _, id := range ids {
		in, err := n.local.Sealed(ctx, id)
		if errors.Is(err, portal.ErrNotFound) {
			continue // a report of use, which another process has counted meanwhile
		}
		if err != nil {
			return opened, err
		}
		e := post.Epoch(in.Epoch)
		k, ok := held[e]
		if !ok && !missing[e] {
			k, err = keyOf(e)
			if ok = err == nil; ok {
				held[e] = k
			} else if !errors.Is(err, fs.ErrNotExist) {
				return opened, err
			}
			missing[e] = !ok
		}
		if missing[e] {
			continue
		}
		q, err := post.OpenQuestion(k, e, id, in.Sealed)
		if errors.Is(err, post.ErrSealed) {
			states, wrong := post.OpenUsage(k, e, id, in.Sealed)
			if !errors.Is(wrong, post.ErrSealed) {
				if err := n.takeReport(ctx, in, states, wrong); err != nil {
					return opened, err
				}
				continue
			}
		}
		if err != nil {
			err = n.unreadable(ctx, id, err)
		} else {
			err = n.openCase(ctx, id, q)
		}
		if err != nil {
			return opened, err
		}
		opened++
	}
	return opened, nil
}

// unreadable closes a case that nobody can ever open: a node sealed what is no
// question, or to a key that never was.
func (n *Node) unreadable(ctx context.Context, id portal.InquiryID, why error) error {
	n.opt.Log.Warn("what came as a question is none", "inquiry", id.String(), "error", why)
	_, err := n.local.ChangeCase(ctx, id, func(c *portal.Case) error {
		c.Opened, c.State = true, portal.Refused
		c.Events = append(c.Events, portal.CaseEvent{At: n.Now(), What: "cannot be opened"})
		return nil
	})
	return err
}

func (n *Node) openCase(ctx context.Context, id portal.InquiryID, q post.Question) error {
	cal, err := n.Calendar(ctx)
	if err != nil {
		return err
	}
	route, err := n.route(ctx, q.Inquiry.About.Dataset)
	if err != nil {
		return err
	}
	days, err := n.AnswerDays(ctx, route.Publisher)
	if err != nil {
		return err
	}
	if err := n.count(ctx, q.Inquiry, q.Slot.String()); err != nil {
		return err
	}
	c, err := n.local.ChangeCase(ctx, id, func(c *portal.Case) error {
		c.Open(q.Inquiry, q.Slot.String(), q.PublicKey, q.Sequence)
		switch {
		case q.Inquiry.Kind == portal.ReuseSubmission: // a moderator's
			return nil
		case !q.Inquiry.Kind.Asks():
			c.State = portal.Answered // it is counted, and nobody owes an answer
			return nil
		}
		return c.Assign(route, days, cal, portal.CaseEvent{At: n.Now()})
	})
	if err != nil {
		return err
	}
	return n.local.AddSequence(ctx, c.Node, q.Sequence, id)
}

// count adds "I want this too", "useful" and how a reuse is to what they are about.
// What they name may not be there: then they count for nothing. It is done before
// the case is opened, and again after a cut between the two: that changes nothing.
func (n *Node) count(ctx context.Context, q portal.Inquiry, slot string) error {
	if q.Kind.Asks() || q.Kind == portal.ReuseSubmission {
		return nil
	}
	var about portal.Case
	var err error
	if q.Thread == (portal.InquiryID{}) {
		about, err = n.local.CaseBySlot(ctx, slot) // the asker's own
	} else {
		about, err = n.local.CaseByThread(ctx, q.Thread)
	}
	if errors.Is(err, portal.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = n.local.ChangeCase(ctx, about.Inquiry.ID, func(a *portal.Case) error {
		switch q.Kind {
		case portal.SupportRequest:
			a.Support(slot)
		case portal.Opinion:
			a.Vote(slot, q.Useful)
		case portal.ReuseCheckIn:
			return n.checkIn(a, q)
		case portal.Question, portal.Correction, portal.DataRequest, portal.BreakdownRequest, portal.Feedback, portal.ReuseSubmission:
		}
		return nil
	})
	return err
}

// checkIn counts on the day on which it was written: a stick may take weeks. One for
// what is no public reuse counts for nothing.
func (n *Node) checkIn(c *portal.Case, q portal.Inquiry) error {
	at := q.Day.Time()
	if now := n.Now().UTC(); at.After(now) {
		at = now
	}
	err := c.CheckInReuse(q.CheckIn, portal.CaseEvent{At: at})
	if errors.Is(err, portal.ErrRejected) {
		return nil
	}
	return err
}

// route finds who answers for a dataset; the centre does where there is none.
func (n *Node) route(ctx context.Context, id portal.DatasetID) (portal.Route, error) {
	top := portal.Route{Level: portal.ToPortalTop}
	if id == "" {
		return top, nil
	}
	snap, err := n.catalog.Snapshot(ctx)
	if err != nil {
		return top, err
	}
	defer snap.Close()
	d, err := snap.Dataset(ctx, id)
	if errors.Is(err, portal.ErrNotFound) {
		return top, nil
	}
	if err != nil {
		return top, err
	}
	return n.findRoute(ctx, d.Publisher, d.Latest.Passport.Contact, nil)
}

// AnswerDays is how many working days a publisher has to answer; "" is the centre.
func (n *Node) AnswerDays(ctx context.Context, p portal.PublisherID) (int, error) {
	v, ok, err := n.local.Get(ctx, "answer-days:"+string(p))
	if err != nil || !ok {
		return portal.DefaultAnswerDays, err
	}
	days := 0
	if _, err := fmt.Sscan(v, &days); err != nil || days < 1 || days > portal.MaxAnswerDays {
		return portal.DefaultAnswerDays, nil //nolint:nilerr // what is no number of days is none
	}
	return days, nil
}

// SetAnswerDays sets how many working days a publisher has; "" is the centre. It
// holds for what comes from now on.
func (n *Node) SetAnswerDays(ctx context.Context, p portal.PublisherID, days int) error {
	if days < 1 || days > portal.MaxAnswerDays {
		return portal.Rejected("days", "%d: must be 1 to %d working days", days, portal.MaxAnswerDays)
	}
	return n.local.Set(ctx, "answer-days:"+string(p), fmt.Sprint(days))
}

const calendarKey = "calendar"

// Calendar is the calendar of holidays and moved working days that the centre has
// set; without one Monday to Friday are worked.
func (n *Node) Calendar(ctx context.Context) (portal.WorkCalendar, error) {
	v, ok, err := n.local.Get(ctx, calendarKey)
	if err != nil || !ok {
		return portal.WorkCalendar{}, err
	}
	return post.DecodeCalendar([]byte(v))
}

// SetCalendar sets it. Due dates that were set before stay.
func (n *Node) SetCalendar(ctx context.Context, c portal.WorkCalendar) error {
	if !n.central() {
		return notCentral("inquiry calendar")
	}
	b, err := post.EncodeCalendar(c)
	if err != nil {
		return err
	}
	if _, err := post.DecodeCalendar(b); err != nil {
		return portal.Rejected("calendar", "%v", err)
	}
	return n.local.Set(ctx, calendarKey, string(b))
}

// Cases gives inquiries as the centre works on them, oldest first, and how many
// there are in all.
func (n *Node) Cases(ctx context.Context, q portal.CaseQuery) ([]portal.Case, int, error) {
	if !n.central() {
		return nil, 0, notCentral("inquiry")
	}
	return n.local.Cases(ctx, q)
}

// FindCase gives the one inquiry whose id begins with prefix.
func (n *Node) FindCase(ctx context.Context, prefix string) (portal.Case, error) {
	if !n.central() {
		return portal.Case{}, notCentral("inquiry")
	}
	prefix = strings.ToLower(strings.ReplaceAll(prefix, "-", ""))
	const least, most = 6, 32
	if len(prefix) < least || len(prefix) > most || strings.Trim(prefix, "0123456789abcdef") != "" {
		return portal.Case{}, &portal.Problem{Kind: portal.ErrUsage, Where: "inquiry", Message: fmt.Sprintf("%.40q: must be an id, or its first %d digits at least", prefix, least)}
	}
	ids, err := n.local.CaseIDs(ctx, prefix)
	switch {
	case err != nil:
		return portal.Case{}, err
	case len(ids) == 0:
		return portal.Case{}, &portal.Problem{Kind: portal.ErrNotFound, Where: "inquiry " + prefix, Message: "is not here", Hint: "koprik inquiry list shows those that are"}
	case len(ids) > 1:
		return portal.Case{}, &portal.Problem{Kind: portal.ErrUsage, Where: "inquiry " + prefix, Message: "is the beginning of several ids", Hint: "write more of it"}
	}
	return n.local.Case(ctx, ids[0])
}

// ChangeCase changes an inquiry in one step, durable when it returns. do gets the
// calendar and an event of now by the one who is named; what it leaves undone stays
// as it was.
func (n *Node) ChangeCase(ctx context.Context, id portal.InquiryID, by string, do func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error) (portal.Case, error) {
	if !n.central() {
		return portal.Case{}, notCentral("inquiry")
	}
	cal, err := n.Calendar(ctx)
	if err != nil {
		return portal.Case{}, err
	}
	e := portal.CaseEvent{At: n.Now().UTC(), By: by}
	return n.local.ChangeCase(ctx, id, func(c *portal.Case) error { return do(c, cal, e) })
}

// says tells by its digest whether an asker was told the same already.
func says(a portal.Answer) string {
	b, err := json.Marshal(a)
	if err != nil {
		return "?"
	}
	return portal.DigestOf(b).Hex()
}

// OpenCases opens what came in, with the sealing keys in keys/ and those in files,
// which are named sealing-<quarter>.key. left is how many stay sealed.
func (n *Node) OpenCases(ctx context.Context, files []string) (opened, left int, err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return 0, 0, notCentral("inquiry open")
	}
	brought := map[post.Epoch]post.CentreKey{}
	for _, file := range files {
		e, k, err := sealingKeyIn(file)
		if err != nil {
			return 0, 0, err
		}
		brought[e] = k
	}
	keys, err := openKeys(n.dir)
	if err != nil {
		return 0, 0, err
	}
	defer keys.Close() //nolint:errcheck // opened for reading
	ids, err := n.local.Unopened(ctx)
	if err != nil {
		return 0, 0, err
	}
	opened, err = n.openWith(ctx, ids, func(e post.Epoch) (post.CentreKey, error) {
		if k, ok := brought[e]; ok {
			return k, nil
		}
		return readSealingKey(keys, e)
	})
	sealed, errLeft := n.local.Unopened(ctx)
	return opened, len(sealed), errors.Join(err, errLeft)
}

// sealingKeyIn reads a sealing key that is kept elsewhere.
func sealingKeyIn(file string) (post.Epoch, post.CentreKey, error) {
	name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "sealing-"), ".key")
	e, err := post.ParseEpoch(name)
	if err != nil {
		return "", post.CentreKey{}, portal.Rejected(file, "must be named sealing-<quarter>.key, like sealing-2026q4.key")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", post.CentreKey{}, portal.Rejected(file, "cannot be read: %v", err)
	}
	k, err := post.ParseCentreKey(b)
	if err != nil {
		return "", post.CentreKey{}, portal.Rejected(file, "%v", err)
	}
	return e, k, nil
}
