package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/origin"
	"koprik/ui/api"
)

// HandedOver says what became of a hand-over.
type HandedOver struct {
	Publisher  portal.PublisherID
	To         string
	Version    int64 // of the role file
	Generation int64 // in which the centre shows it; 0 for a folder, which nobody has taken yet
	Objects    int
	Bytes      int64
	Unchanged  bool // the centre has all of it
}

// inboxPiece is how much of an object goes in one request: half a minute on a
// line of 64 kbit/s.
const inboxPiece = 256 << 10

// HandOver brings what this node has published to a centre that delegates to its
// publisher's key: to its address, or into a folder that is carried there. What
// the centre holds is not sent again, and what was cut off goes on from there.
func (n *Node) HandOver(ctx context.Context, to string) (out HandedOver, err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return out, notCentral("publish --to")
	}
	o, done, err := n.origin()
	if err != nil {
		return out, err
	}
	defer done()
	out = HandedOver{Publisher: n.config.Publisher, To: to}
	if strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "https://") {
		base, err := url.Parse(to)
		if err != nil || base.Host == "" {
			return out, &portal.Problem{Kind: portal.ErrUsage, Where: to, Message: "is not an http or https address"}
		}
		s := &sender{node: n, origin: o, base: base.JoinPath(inboxDir, string(out.Publisher)), client: client(), out: &out}
		if err := s.run(ctx); err != nil {
			return out, err
		}
		return out, n.rememberHanded(ctx, o, out)
	}
	return out, n.handOverFolder(ctx, o, to, &out)
}

// handedKey keeps in local.db what the centre has of this agency, as it last
// said: a stick is written where it cannot be asked.
const handedKey = "handed"

func (n *Node) rememberHanded(ctx context.Context, o *origin.Origin, h HandedOver) error {
	own, err := o.Standing(h.Publisher)
	if err != nil {
		return err
	}
	s := stateOf(h.Publisher, own)
	s.Version, s.Generation, s.Suspended = h.Version, h.Generation, false
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return n.local.Set(ctx, handedKey, string(b))
}

// lastKnown is what the centre has of p: what its answer in the folder says, or
// what it last said over the network, whichever is newer; before both, it has an
// empty role of a publisher that is new there.
func (n *Node) lastKnown(ctx context.Context, root disk.FS, p portal.PublisherID) (api.InboxState, error) {
	const limit = 64 << 20
	last := answerFile{InboxState: api.InboxState{Version: 1}}
	b, err := disk.ReadFile(root, partsDir(p)+"/"+answerName, limit)
	if err == nil {
		if err := json.Unmarshal(b, &last); err != nil {
			return last.InboxState, portal.Rejected(answerName, "the centre's answer cannot be read: %v", err)
		}
	}
	said, _, err := n.local.Get(ctx, handedKey)
	if err != nil || said == "" {
		return last.InboxState, err
	}
	var handed api.InboxState
	if err := json.Unmarshal([]byte(said), &handed); err == nil && handed.Publisher == p && handed.Version > last.Version {
		return handed, nil
	}
	return last.InboxState, nil
}

// nothingNew tells whether the centre has all that is published here, and its
// signature is good for long.
func (n *Node) nothingNew(o *origin.Origin, p portal.PublisherID, s api.InboxState) (bool, error) {
	own, err := o.Standing(p)
	if err != nil {
		return false, err
	}
	theirs := origin.Standing{Expires: s.Expires}
	return !s.Suspended && !theirs.Ageing(n.Now()) && maps.Equal(stateOf(p, own).Targets, s.Targets), nil
}

// sender hands over by HTTP.
type sender struct {
	node   *Node
	origin *origin.Origin
	base   *url.URL
	client *http.Client
	out    *HandedOver
	role   []byte
}

func (s *sender) run(ctx context.Context) error {
	var state api.InboxState
	if err := s.call(ctx, http.MethodGet, s.base, nil, nil, &state); err != nil {
		return err
	}
	same, err := s.node.nothingNew(s.origin, s.out.Publisher, state)
	if err != nil {
		return err
	}
	s.out.Version, s.out.Generation, s.out.Unchanged = state.Version, state.Generation, same
	if same {
		return nil
	}
	s.out.Version++
	if s.role, err = s.origin.SignFor(s.out.Publisher, s.out.Version); err != nil {
		return err
	}
	for {
		var answer api.InboxAnswer
		if err := s.call(ctx, http.MethodPut, s.base.JoinPath("role"), s.role, nil, &answer); err != nil {
			return err
		}
		s.out.Generation = answer.Generation
		if answer.Accepted {
			return nil
		}
		if len(answer.Missing) == 0 {
			return unreachableCentre(s.base.String(), errors.New("it neither accepts nor says what is missing"))
		}
		for _, w := range answer.Missing {
			if err := s.object(ctx, w); err != nil {
				return err
			}
		}
	}
}

// object sends one object in pieces, from where the centre says.
func (s *sender) object(ctx context.Context, w api.InboxObject) error {
	d, err := portal.ParseDigest(w.SHA256)
	if err != nil {
		return unreachableCentre(s.base.String(), err)
	}
	in, size, err := s.node.blobs.Open(d)
	if err != nil {
		return fmt.Errorf("object %s, which the centre asks for: %w", d.Short(), err)
	}
	defer in.Close() //nolint:errcheck // opened for reading
	where := s.base.JoinPath("objects", w.SHA256)
	s.out.Objects++
	piece := make([]byte, inboxPiece)
	for at, fruitless := w.Have, 0; at < size; {
		if _, err := in.Seek(at, io.SeekStart); err != nil {
			return err
		}
		n, err := io.ReadFull(in, piece[:min(int64(len(piece)), size-at)])
		if err != nil {
			return err
		}
		head := http.Header{
			"Content-Range": {fmt.Sprintf("bytes %d-%d/%d", at, at+int64(n)-1, size)},
			api.OfferHeader: {portal.DigestOf(s.role).Hex()},
		}
		var got api.InboxObject
		err = s.call(ctx, http.MethodPut, where, piece[:n], head, &got)
		switch {
		case err == nil && got.Have > at:
			s.out.Bytes += got.Have - at
			at, fruitless = got.Have, 0
			s.node.opt.Progress("send", at, size)
		case err != nil && !errors.Is(err, portal.ErrUnreachable):
			return err
		default:
			const attempts = 3
			if fruitless++; fruitless == attempts {
				return errors.Join(err, unreachableCentre(where.String(), errors.New("nothing gets through")))
			}
			if at, err = s.where(ctx, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// where asks again how much of an object has come, after a piece was cut off.
func (s *sender) where(ctx context.Context, w api.InboxObject) (int64, error) {
	var answer api.InboxAnswer
	if err := s.call(ctx, http.MethodPut, s.base.JoinPath("role"), s.role, nil, &answer); err != nil {
		return 0, err
	}
	for _, m := range answer.Missing {
		if m.SHA256 == w.SHA256 {
			return m.Have, nil
		}
	}
	return w.Bytes, nil
}

// call makes one request and reads its answer into v. A refusal by the centre is
// portal.ErrRejected, with its own words.
func (s *sender) call(ctx context.Context, method string, where *url.URL, body []byte, head http.Header, v any) error {
	req, err := http.NewRequestWithContext(ctx, method, where.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	maps.Copy(req.Header, head)
	resp, err := s.client.Do(req)
	if err != nil {
		return unreachableCentre(where.String(), err)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxOffer))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return unreachableCentre(where.String(), err)
	}
	if resp.StatusCode/100 == 2 {
		if err := json.Unmarshal(b, v); err != nil {
			return unreachableCentre(where.String(), fmt.Errorf("no answer of an inbox: %w", err))
		}
		return nil
	}
	var fault struct {
		Error struct{ Code, Message, Where, Hint string }
	}
	if json.Unmarshal(b, &fault) != nil || fault.Error.Message == "" || resp.StatusCode/100 == 5 && resp.StatusCode != http.StatusInsufficientStorage {
		return unreachableCentre(where.String(), fmt.Errorf("answered %s", resp.Status))
	}
	return portal.Rejected(where.Host, "refused because: %s: %s", fault.Error.Where, fault.Error.Message).WithHint("%s", fault.Error.Hint)
}

func unreachableCentre(where string, cause error) error {
	return &portal.Problem{
		Kind: portal.ErrUnreachable, Where: where, Cause: cause, Message: fmt.Sprintf("cannot be reached: %v", cause),
		Hint: "run it again later: it goes on where it was cut",
	}
}

// handOverFolder writes a hand-over into dir/inbox/<publisher>/, the role file
// last.
func (n *Node) handOverFolder(ctx context.Context, o *origin.Origin, dir string, out *HandedOver) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return &portal.Problem{Kind: portal.ErrUsage, Where: dir, Message: "is no folder", Hint: "is the stick there?"}
	}
	root, err := disk.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // every file is synced
	last, err := n.lastKnown(ctx, root, out.Publisher)
	if err != nil {
		return err
	}
	if out.Unchanged, err = n.nothingNew(o, out.Publisher, last); err != nil || out.Unchanged {
		out.Version = last.Version
		return err
	}
	out.Version = last.Version + 1
	have := map[string]portal.Digest{}
	for path, hex := range last.Targets {
		if d, err := portal.ParseDigest(hex); err == nil {
			have[path] = d
		}
	}
	objects, err := o.Handed(out.Publisher, have)
	if err != nil {
		return err
	}
	for _, w := range objects {
		if err := n.copyOut(root, partsDir(out.Publisher)+"/objects/"+w.SHA256.Hex(), w, out); err != nil {
			return err
		}
	}
	role, err := o.SignFor(out.Publisher, out.Version)
	if err != nil {
		return err
	}
	if err := n.removeOthers(root, out.Publisher, objects); err != nil {
		return err
	}
	return disk.WriteFile(root, partsDir(out.Publisher)+"/role", role)
}

// copyOut writes one object to a stick. One that is there whole is kept; the
// centre verifies all of them.
func (n *Node) copyOut(root disk.FS, name string, w origin.Want, out *HandedOver) error {
	out.Objects++
	if info, err := root.Stat(name); err == nil && info.Size() == w.Bytes {
		return nil
	}
	in, _, err := n.blobs.Open(w.SHA256)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // opened for reading
	f, err := disk.Create(root, name)
	if err != nil {
		return err
	}
	defer f.Abort()
	size, err := io.Copy(f, in)
	if err != nil {
		return err
	}
	out.Bytes += size
	return f.Commit()
}

// removeOthers takes objects of earlier hand-overs from the stick, which the
// centre has taken.
func (n *Node) removeOthers(root disk.FS, p portal.PublisherID, keep []origin.Want) error {
	folder := partsDir(p) + "/objects"
	entries, err := root.ReadDir(folder)
	if err != nil {
		return nil //nolint:nilerr // no object was needed
	}
	for _, e := range entries {
		d, err := portal.ParseDigest(e.Name())
		if err != nil || slices.ContainsFunc(keep, func(w origin.Want) bool { return w.SHA256 == d }) {
			continue
		}
		if err := root.Remove(folder + "/" + e.Name()); err != nil {
			return err
		}
	}
	return nil
}
