package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"koprik/embed/local"
	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/post"
	"koprik/sync/tuf"
	"koprik/ui/api"
)

// nodeKeyFile is the node's own key in keys/, made when it is first needed and never
// part of an image: it signs what the node hands on.
const nodeKeyFile = "node.pem"

// nodeKey reads the node's own key, or makes it. The caller holds write.lock.
func (n *Node) nodeKey() (k tuf.PrivateKey, err error) {
	keys, err := openKeys(n.dir)
	if err != nil {
		return k, err
	}
	defer keys.Close() //nolint:errcheck // every key is synced
	const limit = 16 << 10
	b, err := disk.ReadFile(keys, nodeKeyFile, limit)
	if err == nil {
		if k, err = tuf.ParsePrivateKey(b); err != nil {
			return k, fmt.Errorf("keys/%s: %w", nodeKeyFile, err)
		}
		return k, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if k, err = tuf.GenerateKey(); err != nil {
		return k, err
	}
	return k, disk.WriteFile(keys, nodeKeyFile, k.MarshalPEM())
}

// OwnKey is the node's own key as the centre enrols it: its id, and 64 hexadecimal
// digits.
func (n *Node) OwnKey(ctx context.Context) (id portal.Digest, public string, err error) {
	release, err := n.writing(ctx)
	if err != nil {
		return id, "", err
	}
	defer release()
	k, err := n.nodeKey()
	if err != nil {
		return id, "", err
	}
	id, err = portal.ParseDigest(k.Public().ID())
	return id, k.Public().Value.Public, err
}

// sendAgain is after what time a question that is still not acknowledged is handed
// on again to the same neighbour: it may have lost it.
const sendAgain = 24 * time.Hour

// ownPost makes the next post of this node's own questions and reports of use; none
// left gives nil.
func (n *Node) ownPost(ctx context.Context, to string) (b []byte, ids []portal.InquiryID, err error) {
	list, err := n.outgoing(ctx, to)
	if err != nil || len(list) == 0 {
		return nil, nil, err
	}
	k, err := n.nodeKey()
	if err != nil {
		return nil, nil, err
	}
	entries := make([]post.Entry, len(list))
	for i, o := range list {
		entries[i] = post.Entry{ID: o.ID, Epoch: post.Epoch(o.Epoch), Sealed: o.Sealed}
		ids = append(ids, o.ID)
	}
	b, err = post.EncodePost(k, entries)
	return b, ids, err
}

// handOn gives to everything that waits here, post by post, until there is nothing
// more or an error. to names whoever takes it; the caller holds write.lock. It says
// how many posts, and how many bytes, were taken.
func (n *Node) handOn(ctx context.Context, to string, give func(b []byte) error) (posts int, size int64, err error) {
	if err := n.makeReports(ctx); err != nil {
		return 0, 0, err
	}
	for {
		b, ids, err := n.ownPost(ctx, to)
		if err != nil {
			return posts, size, err
		}
		if b == nil {
			break
		}
		if err := give(b); err != nil {
			return posts, size, err
		}
		if err := n.local.Sent(ctx, ids, to, n.Now()); err != nil {
			return posts, size, err
		}
		posts, size = posts+1, size+int64(len(b))
	}
	for {
		p, ok, err := n.local.NextPost(ctx, to, n.Now().Add(-sendAgain))
		if err != nil || !ok {
			return posts, size, err
		}
		if err := give(p.Bytes); err != nil {
			return posts, size, err
		}
		if err := n.local.PostSent(ctx, p.Digest, to, n.Now()); err != nil {
			return posts, size, err
		}
		posts, size = posts+1, size+int64(len(p.Bytes))
	}
}

// postOutbox hands on what waits here over HTTP to the upstream that a sync used,
// and gives how many posts and bytes went. What nobody takes waits for the next sync.
func (n *Node) postOutbox(ctx context.Context, upstream string) (posts int, size int64, err error) {
	base, err := url.Parse(upstream)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" {
		return 0, 0, nil //nolint:nilerr // a folder: see exchangeStick
	}
	base.Path = strings.TrimSuffix(strings.TrimSuffix(base.Path, "/"), "/"+repositoryDir)
	where := base.JoinPath(api.PostAddress).String()
	http := client()
	defer http.CloseIdleConnections()
	return n.handOn(ctx, upstream, func(b []byte) error { return givePost(ctx, http, where, b) })
}

func givePost(ctx context.Context, client *http.Client, where string, b []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, where, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := client.Do(req) //nolint:gosec // an upstream that the settings name
	if err != nil {
		return &portal.Problem{Kind: portal.ErrUnreachable, Where: where, Message: err.Error(), Cause: err}
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return &portal.Problem{
			Kind: portal.ErrUnreachable, Where: where, Message: "takes no questions now: it answered " + resp.Status,
			Hint: "they are kept here and go with a later sync",
		}
	}
	return nil
}

// takeAcks removes from the outbox what the accepted copy acknowledges.
func (n *Node) takeAcks(ctx context.Context) error {
	own, relayed, err := n.local.Waiting(ctx)
	if err != nil || len(own)+len(relayed) == 0 {
		return err
	}
	s, err := n.readSides()
	if err != nil {
		return err
	}
	if len(own) > 0 {
		k, err := n.nodeKey()
		if err != nil {
			return err
		}
		id, err := portal.ParseDigest(k.Public().ID())
		if err != nil {
			return err
		}
		relayed[id] = append(relayed[id], own...)
	}
	for node := range relayed {
		b, err := n.side(s, post.AckPath(node))
		if errors.Is(err, portal.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		marks, err := post.DecodeAcks(b)
		if err != nil {
			return err
		}
		if _, err := n.local.Acknowledged(ctx, marks); err != nil {
			return err
		}
	}
	return nil
}

// bucket lets so many through in an hour, and a full hour's worth at once.
type bucket struct {
	mu   sync.Mutex
	left float64
	last time.Time
}

func (b *bucket) take(n, anHour float64, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last.IsZero() {
		b.left = anHour
	} else {
		b.left = min(anHour, b.left+now.Sub(b.last).Hours()*anHour)
	}
	b.last = now
	if b.left < n {
		return false
	}
	b.left -= n
	return true
}

// strangersAnHour is how many questions are taken in an hour from all nodes together
// that the centre has not enrolled: keys cost nothing, so each alone would be no limit.
const strangersAnHour = 600

// TakePost takes what a node hands on: at the centre for good, elsewhere until the
// centre has acknowledged it. Whatever is said to be taken is on the platter. What
// came before changes nothing. taken is how many of its questions are new here.
func (n *Node) TakePost(ctx context.Context, b []byte) (taken int, err error) {
	defer named(n.dir, &err)
	p, err := post.DecodePost(b)
	if err != nil {
		return 0, portal.Rejected("post", "%v", err)
	}
	if n.central() {
		return n.receive(ctx, p)
	}
	w, err := n.local.Waits(ctx)
	if err != nil {
		return 0, err
	}
	free, err := disk.Free(n.dir)
	if err != nil {
		return 0, err
	}
	// Half of the room stays for those who ask here.
	if w.Bytes+int64(len(b)) > outboxRoom/2 || free < outboxRoom {
		return 0, &portal.Problem{Kind: portal.ErrNoSpace, Where: "post", Message: "this node has no room for the questions of others", Hint: "they are kept where they are, and may go another way"}
	}
	err = n.local.KeepPost(ctx, local.Post{Digest: portal.DigestOf(b), Node: p.Node, Bytes: b, Marks: p.Marks()}, n.Now())
	return len(p.Entries), err
}

// receive is TakePost at the centre.
func (n *Node) receive(ctx context.Context, p post.Post) (fresh int, err error) {
	now := n.Now()
	known, err := n.local.SeeNode(ctx, p.Node, p.Public, now)
	if err != nil {
		return 0, err
	}
	if !known.Trusted() && !n.talk.strangers.take(float64(len(p.Entries)), strangersAnHour, now) {
		return 0, &portal.Problem{
			Kind: portal.ErrTooMuch, Where: "post", Message: "too many questions come from nodes that are not enrolled here",
			Hint: "they are kept where they are and go with a later sync; koprik node add enrols a node",
		}
	}
	ids, err := n.keepAll(ctx, p, known)
	return len(ids), err
}

// takeOwn is takeOwnLocked for who does not hold write.lock; without a question of
// its own it does not ask for it.
func (n *Node) takeOwn(ctx context.Context) error {
	if w, err := n.local.Waits(ctx); err != nil || w.Count == 0 {
		return err
	}
	release, err := n.writing(ctx)
	if err != nil {
		return err
	}
	defer release()
	return n.takeOwnLocked(ctx)
}

// takeOwnLocked hands the questions that were asked at the centre itself to the
// centre. The caller holds write.lock.
func (n *Node) takeOwnLocked(ctx context.Context) error {
	for {
		b, _, err := n.ownPost(ctx, "")
		if err != nil || b == nil {
			return err
		}
		p, err := post.DecodePost(b)
		if err != nil {
			return err
		}
		if err := n.local.SetNode(ctx, portal.KnownNode{ID: p.Node, Public: p.Public, Name: n.config.Title, Enrolled: n.Now()}); err != nil {
			return err
		}
		if _, err := n.receive(ctx, p); err != nil {
			return err
		}
		if _, err := n.local.Acknowledged(ctx, p.Marks()); err != nil {
			return err
		}
	}
}
