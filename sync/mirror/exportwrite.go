package mirror

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// Names of what stands on a stick beside the repository's tree.
const (
	stickIndex = "INDEX.html"
	stickSums  = "SHA256SUMS.txt"
	stickNote  = "export.json"
	stickTemp  = "tmp"
)

// StickNote is export.json on a stick: unsigned, and only good for telling a
// person why a stick does not fit.
type StickNote struct {
	Generation int64 `json:"generation"`
	Since      int64 `json:"since"` // the generation that the stick follows; 0: it is whole
}

// ReadStickNote reads export.json of a stick. Whatever it says proves nothing.
func ReadStickNote(ctx context.Context, source Source) (note StickNote, err error) {
	body, _, err := source.Get(ctx, stickNote, 0)
	if err != nil {
		return note, err
	}
	defer body.Close() //nolint:errcheck // opened for reading
	const limit = 16 << 20
	return note, json.NewDecoder(io.LimitReader(body, limit)).Decode(&note)
}

// StickPage is a page for people: INDEX.html, and what it links to.
type StickPage struct {
	Name  string // below KOPRIK/
	Bytes []byte
}

// Written says what Write did.
type Written struct {
	Files   int   // written
	Bytes   int64 // of those
	Kept    int   // stood there whole
	Removed int   // belonged to an older copy
	Whole   bool  // a node that has nothing can begin with this stick
}

// Space is how much room a stick has.
type Space struct {
	Free    uint64 // bytes
	Cluster uint64 // every file takes a multiple of this
}

// Write brings the stick, or any folder, to this copy: whatever stands there
// whole is kept, everything else is written under a temporary name and renamed,
// timestamp.json last; then goes what an older copy had. In a disk.Group the many
// files become durable together, before what points at them. A stick that is pulled
// at any moment holds the copy before, or none; Write again completes it.
func (e *Export) Write(ctx context.Context, to disk.FS, pages []StickPage, space func() (Space, error)) (w Written, err error) {
	if err := e.fits(to); err != nil {
		return w, err
	}
	if err := cleanStick(to); err != nil {
		return w, err
	}
	todo := e.todo(pages)
	if err := e.room(to, todo, space); err != nil {
		return w, err
	}
	var total, done int64
	for _, p := range todo {
		total += p.size
	}
	for _, p := range todo {
		if err := ctx.Err(); err != nil {
			return w, err
		}
		n, err := e.put(ctx, to, p)
		if err != nil {
			return w, fmt.Errorf("%s: %w", p.name, err)
		}
		if n < 0 {
			w.Kept++
		} else {
			w.Files++
			w.Bytes += n
		}
		done += p.size
		e.progress("export", done, total)
	}
	if err := disk.Flush(to); err != nil {
		return w, err
	}
	w.Whole = e.whole(to)
	if err := e.point(to, pages, w.Whole); err != nil {
		return w, err
	}
	if w.Removed, err = e.prune(to, pages); err != nil {
		return w, err
	}
	return w, disk.Flush(to)
}

// cleanStick takes away what an export that was cut off left under temporary names.
func cleanStick(to disk.FS) error {
	entries, err := to.ReadDir(".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if disk.IsTemp(e.Name()) && e.Type().IsRegular() {
			if err := to.Remove(e.Name()); err != nil {
				return err
			}
		}
	}
	return disk.RemoveAll(to, stickTemp)
}

// fits refuses a stick that holds another repository, or a newer copy of this one.
func (e *Export) fits(to disk.FS) error {
	first := e.pieces[0] // the oldest root
	b, err := readRegular(to, first.name, maxRoot)
	if err == nil && !bytes.Equal(b, first.bytes) {
		if _, err = tuf.NewSet(b); err != nil { // damaged: it is written anew
			return nil //nolint:nilerr // what is damaged forbids nothing
		}
		return portal.Rejected("KOPRIK/"+first.name, "this stick holds another repository").
			WithHint("take another stick, or remove the folder KOPRIK from this one")
	}
	b, err = readRegular(to, "metadata/timestamp.json", maxTimestamp)
	if err != nil {
		return nil //nolint:nilerr // nothing whole stands there
	}
	theirs, err := tuf.ParseTimestamp(b)
	if err != nil {
		return nil //nolint:nilerr // torn: it is written anew
	}
	ours, err := tuf.ParseTimestamp(e.timestamp)
	if err != nil {
		return err
	}
	if theirs.Version > ours.Version {
		return portal.Rejected("KOPRIK/", "this stick holds generation %d, which is newer than the generation %d of this node",
			theirs.Snapshot.Version, ours.Snapshot.Version).
			WithHint("koprik sync --from takes it; to go back, remove the folder KOPRIK from the stick first")
	}
	return nil
}

// todo is what is to be written before the timestamp. Pages are named anew for
// each copy, but for the index, which is exchanged at the end.
func (e *Export) todo(pages []StickPage) []piece {
	var todo []piece
	for _, p := range e.pieces {
		if e.Since == 0 || p.lacking {
			todo = append(todo, p)
		}
	}
	for _, p := range pages {
		if p.Name != stickIndex {
			todo = append(todo, piece{name: p.Name, bytes: p.Bytes, size: int64(len(p.Bytes))})
		}
	}
	return todo
}

// room refuses an export that the stick cannot hold, before it starts.
func (e *Export) room(to disk.FS, todo []piece, space func() (Space, error)) error {
	if space == nil {
		return nil
	}
	s, err := space()
	if err != nil {
		return err
	}
	cluster := max(s.Cluster, 512)
	clusters := func(n int64) uint64 { return (uint64(max(n, 1)) + cluster - 1) / cluster * cluster } //nolint:gosec // never negative
	need := clusters(maxTimestamp) + 64*cluster                                                       // index, sums, and folders of the top
	folders := map[string]bool{}
	for _, p := range todo {
		size := e.size(p)
		if info, err := to.Stat(p.name); err == nil && info.Mode().IsRegular() && (info.Size() == size || p.carrier) {
			continue
		}
		need += clusters(size)
		for dir := path.Dir(p.name); dir != "." && !folders[dir]; dir = path.Dir(dir) {
			folders[dir] = true
			need += cluster
		}
	}
	if s.Free >= need {
		return nil
	}
	const mib = 1 << 20
	return &portal.Problem{
		Kind: portal.ErrNoSpace, Where: "KOPRIK/",
		Message: fmt.Sprintf("this export needs %d MiB on the stick, %d MiB are free", (need+mib-1)/mib, s.Free/mib),
		Hint:    "take a larger stick or make room on this one; --since GENERATION writes less",
	}
}

// size is how many bytes a piece has on the stick; of a carrier that must be
// made, at most.
func (e *Export) size(p piece) int64 {
	if !p.carrier {
		return p.size
	}
	if e.served != nil {
		if info, err := e.served.Stat(p.name); err == nil {
			return info.Size()
		}
	}
	return carrier.MaxCompressed(p.size)
}

// whole tells whether everything of this copy stands on the stick by name: what
// an earlier export brought counts.
func (e *Export) whole(to disk.FS) bool {
	if e.Since == 0 {
		return true
	}
	return !slices.ContainsFunc(e.pieces, func(p piece) bool {
		info, err := to.Stat(p.name)
		return err != nil || !info.Mode().IsRegular() || !p.carrier && info.Size() != p.size
	})
}

// point exchanges what points at the copy: the index, the sums, the note, and
// timestamp.json last.
func (e *Export) point(to disk.FS, pages []StickPage, whole bool) error {
	note := StickNote{Generation: e.Generation, Since: e.Since}
	if whole {
		note.Since = 0
	}
	b, err := json.Marshal(note)
	if err != nil {
		return err
	}
	left, err := leftOut(e.LeftOut)
	if err != nil {
		return err
	}
	last := []piece{
		{name: stickSums, bytes: e.sums(to, pages)},
		{name: stickNote, bytes: append(b, '\n')},
		{name: leftOutFile, bytes: left},
		{name: "metadata/timestamp.json", bytes: e.timestamp},
	}
	for _, p := range pages {
		if p.Name == stickIndex {
			last = slices.Insert(last, 0, piece{name: p.Name, bytes: p.Bytes})
		}
	}
	for _, p := range last {
		if held, err := readRegular(to, p.name, int64(len(p.bytes))); err == nil && bytes.Equal(held, p.bytes) {
			continue
		}
		if err := disk.WriteFile(to, p.name, p.bytes); err != nil {
			return err
		}
		if err := disk.Flush(to); err != nil { // one after the other: the timestamp is the last
			return err
		}
	}
	return nil
}

// sums lists what people open, as `sha256sum -c` reads it.
func (e *Export) sums(to disk.FS, pages []StickPage) []byte {
	var b bytes.Buffer
	for _, p := range pages {
		fmt.Fprintf(&b, "%s  %s\n", portal.DigestOf(p.Bytes).Hex(), p.Name)
	}
	for _, d := range e.Datasets {
		for _, f := range d.Files {
			if f.Name == "" {
				continue
			}
			if info, err := to.Stat(f.Name); err == nil && info.Size() == f.Resource.Bytes {
				fmt.Fprintf(&b, "%s  %s\n", f.Resource.Hash.Hex(), f.Name)
			}
		}
	}
	return b.Bytes()
}

// OnStick tells whether Write leaves a plain file there: it is written now, or
// an earlier export left it.
func (e *Export) OnStick(to disk.FS) func(f StickFile) bool {
	written := map[string]bool{}
	for _, p := range e.todo(nil) {
		written[p.name] = true
	}
	return func(f StickFile) bool {
		if f.Name == "" || written[f.Name] {
			return f.Name != ""
		}
		info, err := to.Stat(f.Name)
		return err == nil && info.Mode().IsRegular() && info.Size() == f.Resource.Bytes
	}
}

// prune removes what belonged to older copies: files of our own names in folders
// of ours, and nothing else.
func (e *Export) prune(to disk.FS, pages []StickPage) (removed int, err error) {
	keep := map[string]bool{"metadata/timestamp.json": true}
	for _, p := range e.pieces {
		keep[p.name] = true
	}
	for _, p := range pages {
		keep[p.Name] = true
	}
	for _, dir := range []string{"metadata", "d", "objects", "files", "index", "acks", "receipts", "seal", "talkback"} {
		n, _, err := pruneDir(to, dir, keep)
		removed += n
		if err != nil {
			return removed, err
		}
	}
	return removed, disk.RemoveAll(to, stickTemp)
}

// pruneDir goes through one folder; empty tells that nothing is left in it.
func pruneDir(to disk.FS, dir string, keep map[string]bool) (removed int, empty bool, err error) {
	entries, err := to.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	left := len(entries)
	for _, entry := range entries {
		name := path.Join(dir, entry.Name())
		switch {
		case entry.IsDir():
			n, empty, err := pruneDir(to, name, keep)
			removed += n
			if err != nil {
				return removed, false, err
			}
			if !empty {
				continue
			}
		case keep[name] || !entry.Type().IsRegular() || strings.ContainsAny(entry.Name(), " ~") || entry.Name()[0] == '.' && !disk.IsTemp(name):
			continue // a person's, or the operating system's
		default:
			removed++
		}
		if err := to.Remove(name); err != nil {
			return removed, false, err
		}
		left--
	}
	if left < len(entries) {
		err = to.SyncDir(dir)
	}
	return removed, left == 0, err
}

// readRegular reads a whole small file; what is no regular file is not opened.
func readRegular(fsys disk.FS, name string, limit int64) ([]byte, error) {
	info, err := fsys.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", name, errNotRegular)
	}
	return disk.ReadFile(fsys, name, limit)
}

var errNotRegular = errors.New("is not a regular file")
