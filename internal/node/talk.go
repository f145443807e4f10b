package node

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/mirror"
	"koprik/sync/post"
)

// talk is what a node needs to take questions and to open answers.
type talk struct {
	inLine   chan struct{} // a place for each code that waits or is worked on
	deriving chan struct{} // a place for each that is worked on: it takes 19 MiB
	decoy    func() (post.Sealed, error)
	sides    sides // guarded by Node.mu

	strangers bucket // of nodes that are not enrolled, at the centre
}

// sides are the files beside the publishers of one generation.
type sides struct {
	generation int64
	files      map[string]mirror.Side
	threads    *threadIndex
	showcase   *showcaseMemo
}

// atOnceDerived bounds the memory that receipts take: 38 MiB. inLineDerived bounds
// how long somebody waits for theirs, 3 s on a board that takes 0.2 s for one, and
// how many pages hold a view of the catalogue meanwhile: half of those there are.
const (
	atOnceDerived = 2
	inLineDerived = 32
)

func newTalk() talk {
	return talk{
		inLine:   make(chan struct{}, inLineDerived),
		deriving: make(chan struct{}, atOnceDerived),
		decoy: sync.OnceValues(func() (post.Sealed, error) {
			return post.Dummy(post.Slot{}, SystemClock())
		}),
	}
}

// readSides reads what the accepted copy has beside the publishers.
func (n *Node) readSides() (sides, error) {
	files, generation, err := n.mirror.Sides()
	return sides{generation: generation, files: files, threads: &threadIndex{}, showcase: &showcaseMemo{}}, err
}

// sidesNow are those that a request may use: of the generation that is shown. A
// copy whose trust is damaged has none until a sync mends it, and is shown without.
func (n *Node) sidesNow() (sides, error) {
	n.mu.RLock()
	s := n.talk.sides
	n.mu.RUnlock()
	if s.files != nil {
		return s, nil
	}
	s, err := n.readSides()
	if errors.Is(err, portal.ErrUnverified) {
		return sides{threads: &threadIndex{}, showcase: &showcaseMemo{}}, nil
	}
	return s, err
}

// side gives the verified bytes of a file beside the publishers; portal.ErrNotFound
// when there is none.
func (n *Node) side(s sides, path string) ([]byte, error) {
	f, ok := s.files[path]
	if !ok {
		return nil, fmt.Errorf("%s: %w", path, portal.ErrNotFound)
	}
	return n.blobs.ReadAll(f.SHA256, datapackage.MaxSide)
}

// sealingKey is the public key of the centre that questions are sealed to today.
func (n *Node) sealingKey() (post.Epoch, []byte, error) {
	s, err := n.sidesNow()
	if err != nil {
		return "", nil, err
	}
	var have []post.Epoch
	for path := range s.files {
		name, ok := strings.CutPrefix(path, post.SealPath(""))
		if e, err := post.ParseEpoch(name); ok && err == nil {
			have = append(have, e)
		}
	}
	e, ok := post.NewestEpoch(have, portal.DateOf(n.Now()))
	if !ok {
		return "", nil, &portal.Problem{
			Kind: portal.ErrUnavailable, Where: "questions", Message: "the centre takes no questions yet: it has published no key to seal them with",
			Hint: "at the centre: koprik key show must list seal, and koprik serve publishes its keys",
		}
	}
	key, err := n.side(s, post.SealPath(e))
	return e, key, err
}

// outboxRoom is how much may wait here for the centre, in bytes. A sync leaves as
// much free on the disk.
const outboxRoom = 64 << 20

// leastFree is what must be free on the disk beside that: the log of a database
// that writes one more question.
const leastFree = 2 << 20

// CanAsk says before anything is typed whether a question could be kept here:
// portal.ErrNoSpace when there is no room, portal.ErrUnavailable when the centre
// takes none.
func (n *Node) CanAsk(ctx context.Context) error {
	if _, _, err := n.sealingKey(); err != nil {
		return err
	}
	w, err := n.local.Waits(ctx)
	if err != nil {
		return err
	}
	free, err := disk.Free(n.dir)
	if err != nil {
		return err
	}
	if w.Bytes+2*post.MaxSealed > outboxRoom || free < leastFree {
		return &portal.Problem{
			Kind: portal.ErrNoSpace, Where: "outbox",
			Message: fmt.Sprintf("there is no room for another question: %d wait here, and %d MiB are free", w.Count, free>>20),
			Hint:    "a sync or a stick takes them to the centre",
		}
	}
	return nil
}

// Waits says what waits here for the centre.
func (n *Node) Waits(ctx context.Context) (portal.Waits, error) { return n.local.Waits(ctx) }

// NewInquiryID makes an id for an inquiry that is to be written.
func NewInquiryID() (id portal.InquiryID) {
	_, _ = rand.Read(id[:]) // never fails
	return id
}

// Send seals an inquiry to the centre and keeps it until the centre has it: when
// Send returns it is on the platter. The code that it gives is nowhere else. code
// is that of an earlier receipt, or zero for a new one; an id that is zero is made.
// portal.ErrTooMuch when too many ask at this moment, portal.ErrNoSpace when there
// is no room, portal.ErrRejected for an id that was sent before: nothing is kept.
func (n *Node) Send(ctx context.Context, q portal.Inquiry, code portal.ReceiptCode) (portal.ReceiptCode, error) {
	if err := n.CanAsk(ctx); err != nil {
		return code, err
	}
	if q.ID == (portal.InquiryID{}) {
		q.ID = NewInquiryID()
	}
	q.Day = portal.DateOf(n.Now())
	if err := q.Validate(); err != nil {
		return code, err
	}
	if code.IsZero() {
		var random [portal.ReceiptRandom]byte
		_, _ = rand.Read(random[:]) // never fails
		code = portal.NewReceiptCode(random)
	}
	r, err := n.derive(ctx, code)
	if err != nil {
		return code, err
	}
	epoch, key, err := n.sealingKey()
	if err != nil {
		return code, err
	}
	err = n.local.Enqueue(ctx, q.ID, string(epoch), q.Day, outboxRoom, func(sequence uint64) ([]byte, error) {
		return post.SealQuestion(key, epoch, post.Question{Inquiry: q, Slot: r.Slot, PublicKey: r.PublicKey, Sequence: sequence})
	})
	return code, err
}

// derive works on one code, when it is its turn; portal.ErrTooMuch when the line is
// long already.
func (n *Node) derive(ctx context.Context, code portal.ReceiptCode) (post.Receipt, error) {
	select {
	case n.talk.inLine <- struct{}{}:
		defer func() { <-n.talk.inLine }()
	default:
		return post.Receipt{}, &portal.Problem{
			Kind: portal.ErrTooMuch, Where: "receipts", Message: fmt.Sprintf("%d wait already, and no more are let in", inLineDerived), Hint: "try again in a moment",
		}
	}
	select {
	case n.talk.deriving <- struct{}{}:
		defer func() { <-n.talk.deriving }()
	case <-ctx.Done():
		return post.Receipt{}, context.Cause(ctx)
	}
	state, err := n.mirror.State()
	if err != nil {
		return post.Receipt{}, err
	}
	return post.Derive(code, state.Repository)
}

// OpenReceipt gives what the centre has laid for a receipt; ok is false when there
// is nothing. A code that nobody was given and one that the centre has not heard of
// yet take the same way.
func (n *Node) OpenReceipt(ctx context.Context, code portal.ReceiptCode) (a portal.Answer, ok bool, err error) {
	r, err := n.derive(ctx, code)
	if err != nil {
		return a, false, err
	}
	decoy, err := n.talk.decoy()
	if err != nil {
		return a, false, err
	}
	sealed := decoy.Data
	s, err := n.sidesNow()
	if err != nil {
		return a, false, err
	}
	b, err := n.side(s, post.BucketPath(r.Slot.Bucket()))
	if err == nil {
		var entries []post.Sealed
		if entries, err = post.DecodeBucket(r.Slot.Bucket(), b); err != nil {
			return a, false, err
		}
		if held, found := post.Find(entries, r.Slot); found {
			sealed = held
		}
	}
	if err != nil && !errors.Is(err, portal.ErrNotFound) {
		return a, false, err
	}
	a, err = r.OpenAnswer(sealed)
	if errors.Is(err, post.ErrSealed) {
		return portal.Answer{}, false, nil
	}
	return a, err == nil, err
}

// threadIndex says on which dataset's file a public thread stands: built once a
// generation, when somebody first asks.
type threadIndex struct {
	mu    sync.Mutex
	built bool
	files map[portal.InquiryID]string
}

// threadsOfPortal is the name of the file of threads that are about no dataset.
const threadsOfPortal = "portal"

// threadsPrefix begins the paths of files of threads; a dataset or threadsOfPortal
// follows.
const threadsPrefix = "talkback/threads."

func threadsPath(id portal.DatasetID) string {
	name := string(id)
	if name == "" {
		name = threadsOfPortal
	}
	return threadsPrefix + name
}

// Threads gives the public questions about a dataset, "" for those about none, the
// newest first, as the generation of v has them.
func (n *Node) Threads(_ context.Context, v portal.View, id portal.DatasetID) ([]portal.Thread, error) {
	s, err := n.sidesOf(v)
	if err != nil {
		return nil, err
	}
	return n.threadsIn(s, threadsPath(id))
}

func (n *Node) sidesOf(v portal.View) (sides, error) {
	if own, ok := v.(*view); ok && own.sides.files != nil {
		return own.sides, nil
	}
	return n.sidesNow()
}

func (n *Node) threadsIn(s sides, path string) ([]portal.Thread, error) {
	b, err := n.side(s, path)
	if errors.Is(err, portal.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return post.DecodeThreads(b)
}

// NewestThreads gives the public questions about anything, those of which something
// was said last first.
func (n *Node) NewestThreads(ctx context.Context, v portal.View, most int) (all []portal.Thread, err error) {
	s, err := n.sidesOf(v)
	if err != nil {
		return nil, err
	}
	for path := range s.files {
		if !strings.HasPrefix(path, threadsPrefix) {
			continue
		}
		threads, err := n.threadsIn(s, path)
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		all = append(all, threads...)
	}
	slices.SortFunc(all, func(a, b portal.Thread) int {
		return cmp.Or(cmp.Compare(portal.LastSaid(b), portal.LastSaid(a)), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return all[:min(len(all), most)], nil
}

// Thread gives one public question by its public name; portal.ErrNotFound when
// there is none.
func (n *Node) Thread(_ context.Context, v portal.View, id portal.InquiryID) (portal.Thread, error) {
	absent := fmt.Errorf("question %s: %w", id, portal.ErrNotFound)
	s, err := n.sidesOf(v)
	if err != nil {
		return portal.Thread{}, err
	}
	path, err := n.threadFile(s, id)
	if err != nil || path == "" {
		return portal.Thread{}, errors.Join(err, absent)
	}
	threads, err := n.threadsIn(s, path)
	if err != nil {
		return portal.Thread{}, err
	}
	if i := slices.IndexFunc(threads, func(t portal.Thread) bool { return t.ID == id }); i >= 0 {
		return threads[i], nil
	}
	return portal.Thread{}, absent
}

func (n *Node) threadFile(s sides, id portal.InquiryID) (string, error) {
	x := s.threads
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.built {
		x.files = map[portal.InquiryID]string{}
		for path := range s.files {
			if !strings.HasPrefix(path, threadsPrefix) {
				continue
			}
			threads, err := n.threadsIn(s, path)
			if err != nil {
				return "", err
			}
			for _, t := range threads {
				x.files[t.ID] = path
			}
		}
		x.built = true
	}
	return x.files[id], nil
}
