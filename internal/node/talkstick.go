package node

import (
	"context"
	"errors"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"koprik/embed/local"
	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/post"
)

// outboxDir holds posts on a stick, in KOPRIK/, one file each, named by the
// beginning of its SHA-256 (docs/reference/stick.md).
const outboxDir = "outbox"

var postName = regexp.MustCompile(`^[0-9a-f]{16}\.post$`)

// maxPosts bounds how many files of an outbox on a stick are looked at.
const maxPosts = 4096

// exchange takes what the accepted copy acknowledges, hands on what waits here, and
// takes the posts of others from a stick. What nobody takes waits: it is no error of
// the sync.
func (n *Node) exchange(ctx context.Context, used upstream, out *SyncReport) error {
	if err := n.takeAcks(ctx); err != nil {
		return err
	}
	if used.Source != nil {
		var err error
		if used.media {
			out.Sent, err = n.exchangeStick(ctx, used.String())
		} else {
			var size int64
			out.Sent, size, err = n.postOutbox(ctx, used.String())
			out.BytesUp += size
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			n.opt.Log.Warn("questions wait here for the next sync", "error", err)
		}
	}
	w, err := n.local.Waits(ctx)
	out.Left = w.Count
	return err
}

// exchangeStick takes the posts of other nodes from a stick, and writes what waits
// here onto it. A folder that is no stick of ours is left alone.
func (n *Node) exchangeStick(ctx context.Context, name string) (posts int, err error) {
	dir, ours := strings.CutSuffix(name, "/"+stickDir)
	if !ours {
		return 0, nil
	}
	waits, err := n.local.Waits(ctx)
	if err != nil {
		return 0, err
	}
	if err := n.relayStick(ctx, dir); err != nil {
		return 0, err
	}
	if err := n.makeReports(ctx); err != nil {
		return 0, err
	}
	reports, err := n.local.Reports(ctx)
	if err != nil || waits.Count+waits.Relayed+reports == 0 {
		return 0, err
	}
	root, err := disk.OpenRoot(dir)
	if err != nil {
		return 0, err
	}
	defer root.Close() //nolint:errcheck // every file is synced
	to := disk.Sub(root, stickDir)
	if err := to.MkdirAll(outboxDir); err != nil {
		return 0, err
	}
	// Everything goes onto every stick, whatever an earlier one got: nobody knows
	// which of them arrives.
	posts, _, err = n.handOn(ctx, "stick "+n.Now().Format(time.RFC3339Nano), func(b []byte) error {
		return leavePost(to, b)
	})
	return posts, err
}

// leavePost writes a post into the outbox of a stick, whole or not at all.
func leavePost(to disk.FS, b []byte) error {
	file := outboxDir + "/" + portal.DigestOf(b).Short() + ".post"
	if held, err := disk.ReadFile(to, file, post.MaxPost); err == nil && portal.DigestOf(held) == portal.DigestOf(b) {
		return nil
	}
	return disk.WriteFile(to, file, b)
}

// stickPosts reads the posts on a stick; what is none is passed over.
func stickPosts(dir string, each func(name string, b []byte, p post.Post) error) error {
	medium, err := disk.OpenMedia(dir, stickDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer medium.Close() //nolint:errcheck // opened for reading
	entries, err := medium.ReadDir(outboxDir)
	if err != nil {
		return nil //nolint:nilerr // there is no outbox on it
	}
	for _, e := range entries[:min(len(entries), maxPosts)] {
		if !postName.MatchString(e.Name()) {
			continue
		}
		b, err := disk.ReadFile(medium, outboxDir+"/"+e.Name(), post.MaxPost)
		if err != nil {
			continue // too long, or cannot be read
		}
		p, err := post.DecodePost(b)
		if err != nil {
			continue // torn when the stick was pulled out, or nobody's
		}
		if err := each(e.Name(), b, p); err != nil {
			return err
		}
	}
	return nil
}

// relayStick keeps the posts of other nodes until the centre has acknowledged them.
func (n *Node) relayStick(ctx context.Context, dir string) error {
	k, err := n.nodeKey()
	if err != nil {
		return err
	}
	return stickPosts(dir, func(_ string, b []byte, p post.Post) error {
		if p.Node.Hex() == k.Public().ID() {
			return nil
		}
		_, err := n.TakePost(ctx, b)
		if errors.Is(err, portal.ErrNoSpace) {
			return nil // they stay on the stick
		}
		return err
	})
}

// StickTaken says what a centre has taken from a stick.
type StickTaken struct {
	Posts   int
	Fresh   int  // questions that are new here
	Answers bool // acknowledgements and answers were written onto it
}

// TakeStick takes at a centre the questions that a stick carries, and writes
// acknowledgements and answers, and whatever else is newer, onto it. A stick without
// an outbox is left as it is.
func (n *Node) TakeStick(ctx context.Context, dir string) (out StickTaken, err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return out, notCentral("sync --from")
	}
	var taken []string
	var fresh []portal.InquiryID
	err = stickPosts(dir, func(name string, b []byte, p post.Post) error {
		ids, err := n.receiveStick(ctx, p)
		if err == nil {
			taken, out.Posts, fresh = append(taken, name), out.Posts+1, append(fresh, ids...)
		}
		return err
	})
	if err != nil || out.Posts == 0 {
		return out, err
	}
	if _, err := n.Speak(ctx, false); err != nil {
		return out, err
	}
	for _, id := range fresh {
		if _, err := n.local.Case(ctx, id); err == nil { // what was a report of use is no longer there
			out.Fresh++
		}
	}
	if _, err := n.Export(ctx, ExportOptions{To: dir}); err != nil {
		n.opt.Log.Warn("the stick gets no answers", "error", err)
		return out, nil
	}
	out.Answers = true
	root, err := disk.OpenRoot(dir)
	if err != nil {
		return out, nil //nolint:nilerr // a stick that cannot be written is carried as it is
	}
	defer root.Close() //nolint:errcheck // nothing is lost when a file stays
	for _, name := range taken {
		_ = root.Remove(stickDir + "/" + outboxDir + "/" + name) // what stays is taken again, and changes nothing
	}
	return out, nil
}

// receiveStick is receive without the limit on strangers: somebody carried it here.
func (n *Node) receiveStick(ctx context.Context, p post.Post) ([]portal.InquiryID, error) {
	known, err := n.local.SeeNode(ctx, p.Node, p.Public, n.Now())
	if err != nil {
		return nil, err
	}
	return n.keepAll(ctx, p, known)
}

// HasOutbox tells whether a folder is a stick with questions on it.
func HasOutbox(dir string) bool {
	found := errors.New("found")
	return errors.Is(stickPosts(dir, func(string, []byte, post.Post) error { return found }), found)
}

// keepAll keeps all of a post at the centre, and gives what of it came for the first
// time: questions, and reports of use that nobody has opened yet.
func (n *Node) keepAll(ctx context.Context, p post.Post, known portal.KnownNode) (fresh []portal.InquiryID, err error) {
	all := make([]local.Incoming, len(p.Entries))
	for i, e := range p.Entries {
		all[i] = local.Incoming{ID: e.ID, Epoch: string(e.Epoch), Sealed: e.Sealed, Node: p.Node, Enrolled: known.Trusted(), Received: n.Now()}
	}
	arrivals, err := n.local.TakeAll(ctx, all)
	for i, a := range arrivals {
		switch a {
		case local.Fresh:
			fresh = append(fresh, all[i].ID)
		case local.Conflicting:
			n.opt.Log.Error("other bytes came under the id of a question: the first ones count, both are kept", "inquiry", all[i].ID.String(), "node", p.Node.Short())
		case local.Again:
		}
	}
	return fresh, err
}

// talkSettings say how a centre answers.
var talkSettings = []Setting{
	{
		Key: "talkback_every", Default: "1h0m0s", Help: "how often a serving centre publishes acknowledgements, answers and public questions when there are any, at least 1s",
		get: func(c *Config) string { return c.TalkbackEvery.String() },
		set: func(c *Config, v string) (err error) {
			c.TalkbackEvery, err = time.ParseDuration(v)
			if err != nil || c.TalkbackEvery < time.Second {
				return errors.New("must be a duration of at least 1s, like 15m or 24h")
			}
			return nil
		},
	},
}

// talkEvery is how often a serving centre looks for questions that came in.
const talkEvery = 5 * time.Second

// talkOnce opens at a centre what came in and says, when it is time, what there is
// to say.
func (n *Node) talkOnce(ctx context.Context) error {
	if !n.central() {
		return nil
	}
	due, err := n.due(ctx, spokeKey, n.config.TalkbackEvery)
	if err != nil {
		return err
	}
	held, _, err := n.local.Get(ctx, heldKey)
	if err != nil {
		return err
	}
	if !due || held != "" {
		if err := n.takeOwn(ctx); err != nil {
			return err
		}
		_, err := n.openCases(ctx)
		return err
	}
	if err := n.sumAhead(ctx); err != nil {
		return err
	}
	release, err := n.writing(ctx)
	if err != nil {
		return err
	}
	defer release()
	spoken, err := n.speak(ctx, false)
	if err != nil || !spoken.Changed {
		return err
	}
	if err := n.followOwn(ctx); err != nil {
		return err
	}
	n.pack(ctx)
	return nil
}
