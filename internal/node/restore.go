package node

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"koprik/embed/blob"
	"koprik/embed/local"
	"koprik/internal/backup"
	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/mirror"
	"koprik/sync/tuf"
)

// heldKey says in local.db that a centre was restored, from a backup of when, and does
// not sign before it has asked for what was signed since.
const heldKey = "held"

// refillKey says in local.db that a restored centre has not put back yet what its
// repository has of earlier releases.
const refillKey = "refill"

// RestoreOptions say what is restored.
type RestoreOptions struct {
	From    string // the backup
	Key     backup.Key
	Replace bool // a node stands there, and is put aside
}

// Restored says what a restore has brought.
type Restored struct {
	backup.Manifest
	Held  bool     // a centre: ResumeSigning comes next
	Aside []string // what stood there before, in the data directory
}

// Restore makes dir the node that a backup is of. The backup is verified whole before
// anything is replaced, and when the work is cut off the directory has what it had, or
// what the backup has. The node begins a new life: it gives no number again that it
// gave after the backup was made.
func Restore(ctx context.Context, dir string, o RestoreOptions, opt Options) (out Restored, err error) {
	defer named(dir, &err)
	opt.defaults()
	f, err := openBackup(o.From)
	if err != nil {
		return out, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	r, err := backup.Open(o.From, f, o.Key)
	if err != nil {
		return out, err
	}
	defer r.Close()
	out.Manifest = r.Manifest
	made := newFolder(dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return out, disk.Classify(err)
	}
	if err := restoreInto(ctx, dir, o, opt, r); err != nil {
		if made {
			_ = os.RemoveAll(dir) // nothing of it was there before
		}
		return out, err
	}
	return out, out.look(ctx, dir, opt)
}

// newFolder tells whether there is nothing at a path.
func newFolder(dir string) bool {
	_, err := os.Lstat(dir)
	return errors.Is(err, fs.ErrNotExist)
}

func restoreInto(ctx context.Context, dir string, o RestoreOptions, opt Options, r *backup.Reader) error {
	if err := completeRestore(dir); err != nil && !o.Replace {
		return err
	}
	unlock, err := lockWhole(dir)
	if err != nil {
		return err
	}
	defer unlock()
	root, err := disk.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // every change is synced
	if err := mayReplace(ctx, dir, root, o.Replace); err != nil {
		return err
	}
	if free, err := disk.Free(dir); err == nil && int64(min(free, 1<<62)) < r.Manifest.Total() { //nolint:gosec // bounded
		return &portal.Problem{Kind: portal.ErrNoSpace, Where: dir, Message: fmt.Sprintf("the backup needs %d MB, %d MB are free", r.Manifest.Total()/1e6+1, free/1e6), Hint: "nothing was changed: make room, or name another directory with --dir"}
	}
	private, err := disk.OpenPrivateRoot(dir)
	if err != nil {
		return err
	}
	defer private.Close() //nolint:errcheck // every change is synced
	err = unpack(root, private, r, func(done, total int64) { opt.Progress("restore", done, total) })
	if err == nil {
		err = beginLife(ctx, root, incomingLocal(dir), r.Manifest)
	}
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return errors.Join(err, dropIncoming(root))
	}
	decided := restoring{}
	if decided.Moment, err = freshMoment(root, opt.now()); err != nil {
		return err
	}
	for _, top := range tops() {
		if r.Manifest.Holds(top) {
			decided.Items = append(decided.Items, top)
		}
	}
	for _, sub := range []string{objectsDir, stagingDir} {
		if err := root.MkdirAll(sub); err != nil {
			return err
		}
	}
	if err := decide(root, decided); err != nil {
		return err
	}
	return finishRestore(root)
}

// mayReplace guards a node that stands in the directory, and the questions in it that
// nobody else has.
func mayReplace(ctx context.Context, dir string, root *disk.Root, consent bool) error {
	there, err := standing(root)
	if err != nil || !there {
		return err
	}
	if !consent {
		return &portal.Problem{
			Kind: portal.ErrUsage, Where: dir, Message: "there is a Koprik node here already, and nothing was changed",
			Hint: "name another directory with --dir, or put this node aside with --replace",
		}
	}
	if _, err := root.Stat(localFile); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	db, err := local.Open(ctx, filepath.Join(dir, localFile))
	if errors.Is(err, local.ErrDamaged) {
		return nil // that is why there are backups
	}
	if err != nil {
		return err
	}
	w, err := db.Waits(ctx)
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	if w.Count+w.Relayed > 0 {
		return &portal.Problem{
			Kind: portal.ErrUsage, Where: dir, Message: fmt.Sprintf("%d questions wait in this node for the centre, and nobody else has them", w.Count+w.Relayed),
			Hint: "hand them on first: koprik sync, or a stick; or restore into another directory with --dir",
		}
	}
	return nil
}

// beginLife makes of a copied local.db one that may be used: it is checked, and gives
// no number again.
func beginLife(ctx context.Context, root *disk.Root, path string, m backup.Manifest) error {
	db, err := local.Open(ctx, path)
	if err != nil {
		return portal.Unverified("backup: "+localFile, "%v", err)
	}
	faults, err := db.Check(ctx)
	if err == nil && len(faults) > 0 {
		err = portal.Unverified("backup: "+localFile, "is damaged: %s", strings.Join(faults, "; ")).WithHint("take an older backup")
	}
	if err == nil {
		state := map[string]string{backupKey: m.Made.Format(time.RFC3339), writingKey: ""}
		if m.Role != portal.Mirror {
			state[heldKey], state[refillKey] = m.Made.Format(time.RFC3339), "due"
		}
		err = db.BeginLife(ctx, newLife(), state)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	f, err := root.OpenFile(incomingPrefix+localFile, os.O_RDWR)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close(), root.SyncDir("."))
}

// newLife draws a life: two restores of one backup must not begin the same.
func newLife() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:])                      // never fails
	return binary.BigEndian.Uint32(b[:])>>1 | 1 // never 0, which is the first life
}

// look opens the node once, which builds what is derived, and says what it is now.
func (out *Restored) look(ctx context.Context, dir string, opt Options) error {
	n, err := Open(ctx, dir, opt)
	if err != nil {
		return err
	}
	defer n.Close() //nolint:errcheck // opened for reading
	held, _, err := n.local.Get(ctx, heldKey)
	if err != nil {
		return err
	}
	out.Held = held != ""
	out.Aside, err = replaced(n.root)
	return err
}

// maySign keeps a centre that was restored from signing again under a number that it
// has given before: the repository must be the newest that anybody has.
func (n *Node) maySign() error {
	held, _, err := n.local.Get(context.Background(), heldKey)
	if err != nil {
		return err
	}
	if held != "" {
		return &portal.Problem{
			Kind: portal.ErrUnavailable, Where: repositoryDir, Message: "this centre was restored from a backup of " + held + ", and does not sign before it has what was signed since",
			Hint: "koprik restore --newer MIRROR takes it from a mirror or a stick; koprik restore --alone says that there is none",
		}
	}
	return n.notBehind()
}

// notBehind compares the repository with what was accepted of it: one that was put
// back by hand may be older.
func (n *Node) notBehind() error {
	const limit = 64 << 10
	var at [2]tuf.Timestamp
	for i, name := range []string{repositoryDir + "/metadata/timestamp.json", trustDir + "/timestamp.json"} {
		b, err := disk.ReadFile(n.root, name, limit)
		if err != nil {
			return nil //nolint:nilerr // nothing was published yet, or nothing is left: that is told where it is read
		}
		if at[i], err = tuf.ParseTimestamp(b); err != nil {
			return nil //nolint:nilerr // as above
		}
	}
	if at[0].Version < at[1].Version || at[0].Snapshot.Version < at[1].Snapshot.Version {
		return portal.Unverified(repositoryDir, "is at generation %d, and generation %d was signed here before", at[0].Snapshot.Version, at[1].Snapshot.Version).
			WithHint("koprik restore --newer MIRROR takes the newer one from a mirror or a stick")
	}
	return nil
}

// Resumed says from whom a restored centre took what was newer.
type Resumed struct {
	Generation, Previous int64
	Asked                []string
	Missing              int // files of earlier releases that nobody who was asked has
}

// ResumeSigning lets a restored centre sign again, after it has taken from mirrors or
// sticks whatever was signed since its backup. newer may be empty when nobody has
// anything newer, and somebody has said so.
func (n *Node) ResumeSigning(ctx context.Context, newer []string) (out Resumed, err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return out, notCentral("restore --newer")
	}
	if !n.owner() {
		return out, locked(n.dir, nil)
	}
	release, err := n.writing(ctx)
	if err != nil {
		return out, err
	}
	defer release()
	if out.Previous, err = n.accepted(); err != nil {
		return out, err
	}
	for _, from := range newer {
		if err := n.takeNewer(ctx, from); err != nil {
			return out, err
		}
		out.Asked = append(out.Asked, from)
	}
	if _, err := n.root.Stat(repositoryDir + "/metadata/timestamp.json"); errors.Is(err, fs.ErrNotExist) {
		return out, &portal.Problem{
			Kind: portal.ErrUsage, Where: repositoryDir, Message: "there is no repository in this backup",
			Hint: "koprik restore --newer MIRROR takes it from a mirror or a stick",
		}
	}
	if err := n.followOwn(ctx); err != nil {
		return out, err
	}
	if err := n.notBehind(); err != nil {
		return out, err
	}
	lacking, err := n.lackingHistory(ctx)
	if err != nil {
		return out, err
	}
	out.Missing = len(lacking)
	if out.Generation, err = n.accepted(); err != nil {
		return out, err
	}
	return out, n.local.Set(ctx, heldKey, "")
}

// takeNewer makes this centre's repository what a mirror or a stick has, when that is
// newer: verified as a mirror would, and written byte for byte.
func (n *Node) takeNewer(ctx context.Context, from string) error {
	list, done, err := n.openUpstreams(from)
	if err != nil {
		return err
	}
	defer done()
	have, err := n.catalog.Generation(ctx)
	if err != nil {
		return err
	}
	group := disk.NewGroup(n.root)
	m := mirror.Open(mirror.Options{
		Trust: disk.Sub(n.root, trustDir), Staging: disk.Sub(n.root, stagingDir), Relay: disk.Sub(group, repositoryDir), Spare: disk.Sub(n.root, repositoryDir),
		Known: n.knownRepository, Contents: blob.Open(disk.Sub(group, objectsDir)), Flush: group.Flush, Now: n.Now,
		Free: func() (uint64, error) { return disk.Free(n.dir) }, Progress: n.progress,
	})
	_, err = m.Round(ctx, list[0].Source, mirror.RoundOptions{Have: have, Media: list[0].media, Apply: n.apply})
	if err != nil && !errors.Is(err, tuf.ErrRollback) { // what it has may be older than what is here
		return errors.Join(err, n.raise(err))
	}
	lacking, err := n.lackingHistory(ctx)
	if err != nil {
		return err
	}
	for _, it := range lacking { // one by one: a mirror need not have all of them
		_, err := m.Fetch(ctx, list[0].Source, []mirror.Item{it}, mirror.RoundOptions{})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil && !passable(err) {
			return err
		}
	}
	return nil
}

// lackingHistory are contents of any release that a centre has to hold and does not.
func (n *Node) lackingHistory(ctx context.Context) (items []mirror.Item, err error) {
	inv, err := n.mirror.Inventory(ctx, func(error) {})
	for digest, c := range inv.Contents {
		if n.mustHold(c) && !n.blobs.Has(digest) {
			items = append(items, mirror.Item{Dataset: c.Dataset, Resource: c.Resource})
		}
	}
	return items, err
}

// refill puts back at a restored centre what its own repository has of earlier
// releases: a round brings the latest alone.
func (n *Node) refill(ctx context.Context) error {
	if due, _, err := n.local.Get(ctx, refillKey); err != nil || due == "" || !n.central() {
		return err
	}
	lacking, err := n.lackingHistory(ctx)
	if err != nil {
		return nil //nolint:nilerr // there is no repository yet: ResumeSigning brings it
	}
	for _, it := range lacking {
		if err := n.restore(it.Resource); err != nil && !errors.Is(err, fs.ErrNotExist) {
			n.opt.Log.Warn("an earlier release is not whole in the repository", "dataset", it.Dataset, "file", it.Resource.Path, "error", err)
		}
	}
	return n.local.Set(ctx, refillKey, "")
}

// damagedLocal says what to do about a local.db that cannot be read.
func damagedLocal(err error) error {
	if !errors.Is(err, local.ErrDamaged) {
		return err
	}
	p := portal.Unverified(localFile, "%v", err).WithHint("koprik restore --from FILE --replace takes it from a backup; what cannot be read is kept beside it")
	p.Cause = err
	return p
}
