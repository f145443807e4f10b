package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/mirror"
	"koprik/sync/origin"
	"koprik/ui/api"
)

// inboxDir holds what publishers with keys of their own are handing in:
// <publisher>/role, the newest offer that verified, and parts of objects beside
// it. It is safe to delete: they send it again.
const inboxDir = "inbox"

const maxOffer = 8 << 20

// inbox takes hand-overs over HTTP (docs/how-to/agency.md). The role file comes
// first, so that no byte of an object is taken that no publisher has signed for;
// it comes again when its objects are there, and is accepted.
type inbox struct {
	node *Node
	busy sync.Map // publisher and object → true: one writer at a time

	mu     sync.Mutex
	offers map[portal.PublisherID]offer
}

// offer is what one verified role file still needs.
type offer struct {
	id    portal.Digest
	wants map[portal.Digest]int64
}

func (n *Node) inbox() *inbox {
	return &inbox{node: n, offers: map[portal.PublisherID]offer{}}
}

// withInbox puts the inbox of a central node beside what programs read, and at
// every node the place for reports of equivocations.
func (n *Node) withInbox(next http.Handler) http.Handler {
	inbox := next
	if n.config.Role == portal.Central {
		inbox = api.NewInbox(n.inbox(), n.opt.Log)
	}
	reports, posts := api.NewReports(n, n.opt.Log), api.NewPosts(n, n.opt.Log)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case api.ReportAddress:
			reports.ServeHTTP(w, r)
			return
		case api.PostAddress:
			posts.ServeHTTP(w, r)
			return
		}
		if strings.HasPrefix(r.URL.Path, "/"+inboxDir+"/") {
			inbox.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// State implements api.Inbox.
func (i *inbox) State(_ context.Context, p portal.PublisherID) (api.InboxState, error) {
	o, done, err := i.node.origin()
	if err != nil {
		return api.InboxState{}, err
	}
	defer done()
	s, err := o.Standing(p)
	return stateOf(p, s), known(err)
}

func stateOf(p portal.PublisherID, s origin.Standing) api.InboxState {
	state := api.InboxState{
		Publisher: p, Version: s.Version, Generation: s.Generation, Expires: s.Expires, Suspended: s.Suspended, Targets: map[string]string{},
	}
	for path, d := range s.Targets {
		state.Targets[path] = d.Hex()
	}
	return state
}

// known tells a version that is not next from other refusals.
func known(err error) error {
	if errors.Is(err, origin.ErrVersion) {
		return errors.Join(err, api.ErrInboxConflict)
	}
	return err
}

// Offer implements api.Inbox.
func (i *inbox) Offer(ctx context.Context, p portal.PublisherID, role []byte) (out api.InboxAnswer, err error) {
	defer named(i.node.dir, &err)
	release, err := i.node.writing(ctx)
	if err != nil {
		return out, err
	}
	defer release()
	o, done, err := i.node.origin()
	if err != nil {
		return out, err
	}
	defer done()
	f, err := o.Offered(p, role)
	if err != nil {
		return out, known(err)
	}
	if f.Generation > 0 { // taken before: the answer was lost
		return api.InboxAnswer{Accepted: true, Generation: f.Generation}, nil
	}
	missing, err := o.Missing(f)
	if err != nil {
		return out, err
	}
	if len(missing) > 0 {
		return i.wanted(p, role, missing)
	}
	generation, err := o.Accept(ctx, f)
	if err != nil {
		return out, err
	}
	i.mu.Lock()
	delete(i.offers, p)
	i.mu.Unlock()
	if err := disk.RemoveAll(i.node.root, partsDir(p)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return out, err
	}
	return api.InboxAnswer{Accepted: true, Generation: generation}, i.node.settle(ctx, generation, release)
}

func partsDir(p portal.PublisherID) string { return inboxDir + "/" + string(p) }

func partFile(p portal.PublisherID, d portal.Digest) string {
	return partsDir(p) + "/" + d.Hex() + ".part"
}

// wanted remembers what an offer needs, and says so. The disk must have room for
// all of it, in the inbox, as contents and in the repository.
func (i *inbox) wanted(p portal.PublisherID, role []byte, missing []origin.Want) (out api.InboxAnswer, err error) {
	f := offer{portal.DigestOf(role), map[portal.Digest]int64{}}
	var total int64
	for _, w := range missing {
		f.wants[w.SHA256] = w.Bytes
		have := i.have(p, w.SHA256)
		total += w.Bytes - have
		out.Missing = append(out.Missing, api.InboxObject{SHA256: w.SHA256.Hex(), Bytes: w.Bytes, Have: have})
	}
	free, err := disk.Free(i.node.dir)
	if err != nil {
		return out, err
	}
	const reserve = 64 << 20
	if need := uint64(3*total) + reserve; total < 0 || free < need {
		return api.InboxAnswer{}, &portal.Problem{
			Kind: portal.ErrNoSpace, Where: "inbox", Message: fmt.Sprintf("the centre needs %d MiB for this, and %d MiB are free", need>>20, free>>20),
			Hint: "ask the centre to make room; what was published stays",
		}
	}
	i.mu.Lock()
	i.offers[p] = f
	i.mu.Unlock()
	return out, i.node.root.MkdirAll(partsDir(p))
}

// have is how much of an object has come.
func (i *inbox) have(p portal.PublisherID, d portal.Digest) int64 {
	info, err := i.node.root.Stat(partFile(p, d))
	if err != nil {
		return 0
	}
	return info.Size()
}

// Put implements api.Inbox.
func (i *inbox) Put(ctx context.Context, p portal.PublisherID, id, object portal.Digest, at int64, body io.Reader) (out api.InboxObject, err error) {
	defer named(i.node.dir, &err)
	i.mu.Lock()
	f := i.offers[p]
	i.mu.Unlock()
	size, ok := f.wants[object]
	where := "object " + object.Hex()
	if !ok || f.id != id {
		return out, conflict(where, "nobody who may has asked to hand it in").WithHint("hand in the role file first: its answer lists what is missing")
	}
	key := string(p) + "/" + object.Hex()
	if _, taken := i.busy.LoadOrStore(key, true); taken {
		return out, conflict(where, "is being sent already")
	}
	defer i.busy.Delete(key)
	out = api.InboxObject{SHA256: object.Hex(), Bytes: size, Have: i.have(p, object)}
	if i.node.blobs.Has(object) {
		out.Have = size
		return out, nil
	}
	if at != out.Have {
		return out, conflict(where, "goes on at byte %d, and not at %d", out.Have, at)
	}
	if out.Have, err = i.appendPart(p, object, at, size, body); err != nil || out.Have < size {
		return out, err
	}
	return out, i.keep(ctx, p, object, size)
}

func conflict(where, format string, args ...any) *portal.Problem {
	p := portal.Rejected(where, format, args...)
	p.Cause = api.ErrInboxConflict
	return p
}

// appendPart writes a piece behind what has come. What a cut connection brought
// stays; more than was signed is not written.
func (i *inbox) appendPart(p portal.PublisherID, object portal.Digest, at, size int64, body io.Reader) (have int64, err error) {
	w, err := i.node.root.OpenFile(partFile(p, object), os.O_CREATE|os.O_WRONLY)
	if err != nil {
		return at, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if _, err := w.Seek(at, io.SeekStart); err != nil {
		return at, err
	}
	n, copyErr := io.Copy(w, io.LimitReader(body, size-at))
	if err := w.Sync(); err != nil {
		return at, err
	}
	if at+n < size {
		return at + n, unreadable(object, copyErr)
	}
	if extra, _ := io.CopyN(io.Discard, body, 1); extra > 0 {
		return at + n, errors.Join(i.node.root.Remove(partFile(p, object)), portal.Rejected("object "+object.Hex(), "is longer than the %d bytes that are signed", size))
	}
	return size, nil
}

// unreadable says that a request was cut off: what came is kept.
func unreadable(object portal.Digest, err error) error {
	if err == nil {
		return nil
	}
	p := portal.Rejected("object "+object.Hex(), "was cut off: %v", err)
	p.Cause = err
	return p.WithHint("go on at the byte where it was cut")
}

// keep takes a whole object into the contents when it is what was signed, and
// throws it away otherwise.
func (i *inbox) keep(ctx context.Context, p portal.PublisherID, object portal.Digest, size int64) error {
	release, err := i.node.writing(ctx)
	if err != nil {
		return err
	}
	defer release()
	in, err := i.node.root.OpenFile(partFile(p, object), os.O_RDONLY)
	if err != nil {
		return err
	}
	err = errors.Join(i.node.blobs.PutExpect(in, object, size), in.Close())
	if errors.Is(err, portal.ErrUnverified) {
		err = portal.Rejected("object "+object.Hex(), "does not have this SHA-256: it was thrown away")
	}
	return errors.Join(err, i.node.root.Remove(partFile(p, object)))
}

// Taken is what became of one publisher's hand-over on a stick.
type Taken struct {
	Publisher  portal.PublisherID
	Generation int64 // 0 when it was refused
	Err        error
}

// TakeInbox takes what publishers with keys of their own have put into a folder
// (dir/inbox/<publisher>/), on a stick mostly, and leaves an answer there. What is
// refused does not stop the others; nothing but regular files is read.
func (n *Node) TakeInbox(ctx context.Context, dir string) (all []Taken, err error) {
	defer named(n.dir, &err)
	root, err := disk.OpenRoot(dir)
	if err != nil {
		return nil, portal.Rejected(dir, "cannot be opened: %v", err)
	}
	defer root.Close() //nolint:errcheck // what is written is synced
	entries, err := root.ReadDir(inboxDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &portal.Problem{
			Kind: portal.ErrNotFound, Where: dir, Message: "there is no inbox/ here", Hint: "koprik publish --to DIR makes one at the agency",
		}
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		p, err := portal.ParsePublisherID(e.Name())
		if err != nil {
			continue
		}
		t := Taken{Publisher: p}
		t.Generation, t.Err = n.takeOne(ctx, root, p)
		if t.Err != nil && !isInputError(t.Err) {
			return all, t.Err
		}
		all = append(all, t)
		if err := n.leaveAnswer(root, t); err != nil {
			n.opt.Log.Warn("no answer could be left", "publisher", p, "error", err)
		}
	}
	return all, nil
}

func (n *Node) takeOne(ctx context.Context, root disk.FS, p portal.PublisherID) (int64, error) {
	in := n.inbox()
	source := mirror.Folder(root, "inbox")
	role, err := readSmall(ctx, source, partsDir(p)+"/role")
	if err != nil {
		return 0, err
	}
	for {
		answer, err := in.Offer(ctx, p, role)
		if err != nil || answer.Accepted {
			return answer.Generation, err
		}
		for d, size := range in.offers[p].wants {
			if err := n.takeObject(ctx, source, partsDir(p)+"/objects/"+d.Hex(), d, size); err != nil {
				return 0, err
			}
		}
	}
}

func readSmall(ctx context.Context, source mirror.Source, name string) ([]byte, error) {
	body, _, err := source.Get(ctx, name, 0)
	if err != nil {
		return nil, portal.Rejected(name, "cannot be read: %v", err)
	}
	b, err := io.ReadAll(io.LimitReader(body, maxOffer+1))
	if err = errors.Join(err, body.Close()); err == nil && len(b) > maxOffer {
		err = errors.New("too long")
	}
	if err != nil {
		return nil, portal.Rejected(name, "cannot be read: %v", err)
	}
	return b, nil
}

func (n *Node) takeObject(ctx context.Context, source mirror.Source, name string, d portal.Digest, size int64) error {
	body, _, err := source.Get(ctx, name, 0)
	if err != nil {
		return portal.Rejected(name, "is missing: the hand-over is not complete").WithHint("copy the whole folder again")
	}
	release, err := n.writing(ctx)
	if err != nil {
		return errors.Join(err, body.Close())
	}
	defer release()
	err = errors.Join(n.blobs.PutExpect(body, d, size), body.Close())
	if errors.Is(err, portal.ErrUnverified) {
		return portal.Rejected(name, "is not what was signed: %v", err)
	}
	return err
}

// answerFile is what the centre leaves for the agency.
type answerFile struct {
	Accepted int64  `json:"accepted,omitempty"` // generation
	Refused  string `json:"refused,omitempty"`
	api.InboxState
}

const answerName = "answer.json"

func (n *Node) leaveAnswer(root disk.FS, t Taken) error {
	a := answerFile{Accepted: t.Generation}
	if t.Err != nil {
		a.Refused = t.Err.Error()
	}
	state, err := n.inbox().State(context.Background(), t.Publisher)
	if err == nil {
		a.InboxState = state
	}
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return disk.WriteFile(root, filepath.ToSlash(partsDir(t.Publisher))+"/"+answerName, b)
}
