package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"koprik/embed/local"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/origin"
	"koprik/sync/post"
)

// What the centre says to those who asked, and for how long.
const (
	ackedFor   = 60 * 24 * time.Hour  // a node that comes later sends again, and is told again
	laidFor    = 400 * 24 * time.Hour // answers by receipt
	batchSize  = 64                   // from so many answers on they are laid in daily batches of a multiple of it
	batchEvery = 24 * time.Hour
)

// State in local.db: when the centre spoke last, and when it last laid answers.
const (
	spokeKey = "talkback-spoke"
	laidKey  = "talkback-laid"
)

// Spoken says what Speak has published.
type Spoken struct {
	Generation int64
	Opened     int  // questions that were opened
	Changed    bool // there was something to say
}

// Speak opens what came in and publishes what there is to say to those who asked:
// acknowledgements, answers, public questions, numbers. now lays answers even though
// their daily batch is not due.
func (n *Node) Speak(ctx context.Context, now bool) (out Spoken, err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return out, notCentral("inquiry send")
	}
	release, err := n.writing(ctx)
	if err != nil {
		return out, err
	}
	defer release()
	if out, err = n.speak(ctx, now); err != nil || !out.Changed {
		return out, err
	}
	return out, n.settle(ctx, out.Generation, release)
}

// speak is Speak for who holds write.lock and makes the generation visible itself.
func (n *Node) speak(ctx context.Context, now bool) (out Spoken, err error) {
	if err := n.takeOwnLocked(ctx); err != nil {
		return out, err
	}
	if out.Changed, err = n.publishSealing(ctx); err != nil {
		return out, err
	}
	if out.Opened, err = n.openCases(ctx); err != nil {
		return out, err
	}
	if err := n.lookAtReleases(ctx); err != nil {
		return out, err
	}
	o, done, err := n.origin()
	if err != nil {
		return out, err
	}
	defer done()
	can, err := o.CanSign(datapackage.TalkbackRole)
	if err != nil || !can {
		return out, err
	}
	before, err := o.Side(datapackage.TalkbackRole)
	if err != nil {
		return out, err
	}
	files, err := n.talkbackFiles(ctx, now)
	if err != nil {
		return out, err
	}
	told, err := n.usageFile(ctx, before[post.UsagePath], files)
	if err != nil {
		return out, err
	}
	out.Changed = out.Changed || !sameFiles(before, files)
	if out.Generation, err = o.PublishSides(ctx, origin.Sides{datapackage.TalkbackRole: files}); err != nil {
		return out, err
	}
	at := n.Now().UTC().Format(time.RFC3339)
	if told {
		err = n.local.Set(ctx, usageToldKey, at)
	}
	return out, errors.Join(err, n.local.Set(ctx, spokeKey, at))
}

func sameFiles(a, b map[string][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for path := range a {
		if other, ok := b[path]; !ok || string(other) != string(a[path]) {
			return false
		}
	}
	return true
}

// talkbackFiles are all files of the talkback role as they are to be.
func (n *Node) talkbackFiles(ctx context.Context, now bool) (map[string][]byte, error) {
	cases, _, err := n.local.Cases(ctx, portal.CaseQuery{Limit: math.MaxInt32})
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	marks, err := n.local.Marks(ctx, n.Now().Add(-ackedFor))
	if err != nil {
		return nil, err
	}
	for node, m := range marks {
		files[post.AckPath(node)] = post.EncodeAcks(m)
	}
	if err := n.layReceipts(ctx, cases, now); err != nil {
		return nil, err
	}
	for _, add := range []func(context.Context, []portal.Case, map[string][]byte) error{n.receiptFiles, n.threadFiles, n.numberFiles, n.reuseFiles, n.noticeFiles} {
		if err := add(ctx, cases, files); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// receiptFiles writes the buckets of everything that lies at a slot.
func (n *Node) receiptFiles(ctx context.Context, _ []portal.Case, files map[string][]byte) error {
	all, err := n.local.Receipts(ctx)
	if err != nil {
		return err
	}
	buckets := map[string][]post.Sealed{}
	for _, r := range all {
		slot, err := parseSlot(r.Slot)
		if err != nil {
			return err
		}
		buckets[slot.Bucket()] = append(buckets[slot.Bucket()], post.Sealed{Slot: slot, Data: r.Sealed})
	}
	for name, entries := range buckets {
		b, err := post.EncodeBucket(name, entries)
		if err != nil {
			return err
		}
		files[post.BucketPath(name)] = b
	}
	return nil
}

func parseSlot(s string) (slot post.Slot, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(slot) {
		return slot, fmt.Errorf("slot %.40q: must be %d bytes in hexadecimal", s, len(slot))
	}
	return post.Slot(b), nil
}

// layReceipts seals what each asker is to be told and was not told yet. From 64
// answers on that is done once a day, and so many dummies are renewed beside them
// that their number says little.
func (n *Node) layReceipts(ctx context.Context, cases []portal.Case, now bool) error {
	held, err := n.local.Receipts(ctx)
	if err != nil {
		return err
	}
	said := map[string]string{}
	for _, r := range held {
		said[r.Slot] = r.Says
	}
	at := n.Now().UTC().Truncate(time.Microsecond)
	oldest := at.Add(-laidFor)
	var fresh []local.Lying
	laid := 0
	told := map[string]bool{}
	for i := range cases {
		c := &cases[i]
		if c.Slot == "" || c.Changed.Before(oldest) || told[c.Slot] || c.Inquiry.Kind.OfReceipt() {
			continue
		}
		told[c.Slot] = true
		laid++
		a, err := n.toTell(ctx, c)
		if err != nil {
			return err
		}
		if said[c.Slot] == says(a) {
			continue
		}
		slot, err := parseSlot(c.Slot)
		if err != nil {
			return err
		}
		sealed, err := post.SealAnswer(c.ReceiptKey, slot, a)
		if errors.Is(err, portal.ErrRejected) && a.Question != "" { // together they are too long
			short := a
			short.Question = ""
			sealed, err = post.SealAnswer(c.ReceiptKey, slot, short)
		}
		if err != nil { // one that cannot be told keeps nobody else waiting
			n.opt.Log.Error("an answer cannot be sealed", "inquiry", c.Inquiry.ID.String(), "error", err)
			continue
		}
		fresh = append(fresh, local.Lying{Slot: c.Slot, Sealed: sealed, Says: says(a), At: at})
	}
	if len(fresh) == 0 {
		return nil
	}
	if laid >= batchSize {
		due, err := n.due(ctx, laidKey, batchEvery)
		if err != nil || !due && !now {
			return err
		}
		if fresh, err = fillUp(fresh, held, at); err != nil {
			return err
		}
	}
	if err := n.local.PutReceipts(ctx, fresh, oldest); err != nil {
		return err
	}
	return n.local.Set(ctx, laidKey, at.Format(time.RFC3339))
}

// toTell is what an asker is told: who wants a thing too, is told of that thing.
func (n *Node) toTell(ctx context.Context, c *portal.Case) (portal.Answer, error) {
	if c.Inquiry.Kind != portal.SupportRequest {
		return c.Status(), nil
	}
	about, err := n.local.CaseByThread(ctx, c.Inquiry.Thread)
	if errors.Is(err, portal.ErrNotFound) {
		return portal.Answer{Inquiry: c.Inquiry.ID, State: portal.Received, At: c.Changed}, nil
	}
	if err != nil {
		return portal.Answer{}, err
	}
	a := about.Status()
	a.Inquiry, a.Question = c.Inquiry.ID, ""
	if t, shown := about.Public(); shown {
		a.Question = t.Text
	}
	return a, nil
}

// fillUp adds dummies to a batch up to a multiple of batchSize: half of them old
// ones, sealed anew, as states of real ones change too.
func fillUp(fresh, held []local.Lying, at time.Time) ([]local.Lying, error) {
	var old []string
	for _, r := range held {
		if r.Says == "" {
			old = append(old, r.Slot)
		}
	}
	missing := (batchSize - len(fresh)%batchSize) % batchSize
	for i := range missing {
		var slot post.Slot
		_, _ = rand.Read(slot[:]) // never fails
		if i < missing/2 && len(old) > 0 {
			pick := int(slot[0])<<8 + int(slot[1])
			j := pick % len(old)
			again, err := parseSlot(old[j])
			if err != nil {
				return nil, err
			}
			slot, old = again, slices.Delete(old, j, j+1)
		}
		d, err := post.Dummy(slot, at)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, local.Lying{Slot: slot.String(), Sealed: d.Data, At: at})
	}
	return fresh, nil
}

// due tells whether a time has passed since what is kept under a key.
func (n *Node) due(ctx context.Context, key string, every time.Duration) (bool, error) {
	v, ok, err := n.local.Get(ctx, key)
	if err != nil || !ok {
		return true, err
	}
	last, err := time.Parse(time.RFC3339, v)
	return err != nil || n.Now().Sub(last) >= every || last.After(n.Now().Add(time.Hour)), nil //nolint:nilerr // what is no time is long ago
}

// threadFiles writes the public questions of each dataset, the newest first.
func (n *Node) threadFiles(_ context.Context, cases []portal.Case, files map[string][]byte) error {
	threads := map[string][]portal.Thread{}
	for i := range slices.Backward(cases) {
		if t, ok := cases[i].Public(); ok {
			path := threadsPath(t.About.Dataset)
			threads[path] = append(threads[path], t)
		}
	}
	for path, list := range threads {
		b, err := post.EncodeThreads(list)
		if err != nil {
			return err
		}
		files[path] = b
	}
	return nil
}

// numberFiles writes the numbers of publishers and units, and the calendar.
func (n *Node) numberFiles(ctx context.Context, cases []portal.Case, files map[string][]byte) error {
	cal, err := n.Calendar(ctx)
	if err != nil {
		return err
	}
	if len(cal.Holidays)+len(cal.Working) > 0 {
		if files["talkback/calendar"], err = post.EncodeCalendar(cal); err != nil {
			return err
		}
	}
	asked := slices.DeleteFunc(slices.Clone(cases), func(c portal.Case) bool { return !c.Opened || !c.Inquiry.Kind.Asks() })
	if len(asked) == 0 {
		return nil
	}
	publishers, err := n.Publishers(ctx)
	if err != nil {
		return err
	}
	unit := func(r portal.Route) portal.Text {
		for _, p := range publishers {
			if c, ok := p.Contact(r.Contact); ok && p.ID == r.Publisher {
				return c.Unit
			}
		}
		return portal.Text{}
	}
	files["talkback/numbers"], err = post.EncodeNumbers(portal.CountCases(asked, unit, portal.DateOf(n.Now()), cal))
	return err
}

// NodeKey reads an enrolment: 64 hexadecimal digits of a node's public key.
func NodeKey(public string) (portal.Digest, error) {
	public = strings.TrimSpace(public)
	id, err := post.NodeID(public)
	if err != nil {
		return id, portal.Rejected("node", "%v", err).WithHint("koprik node show, at that node, prints its key")
	}
	return id, nil
}

// SetNode enrols a node at the centre, names it, or revokes it.
func (n *Node) SetNode(ctx context.Context, k portal.KnownNode) error {
	if !n.central() {
		return notCentral("node")
	}
	return n.local.SetNode(ctx, k)
}

// KnownNodes are those that the centre has heard of.
func (n *Node) KnownNodes(ctx context.Context) ([]portal.KnownNode, error) {
	if !n.central() {
		return nil, notCentral("node")
	}
	return n.local.Nodes(ctx)
}
