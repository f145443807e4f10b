// Package node opens a data directory and connects the rooms: it owns the
// generation switch, publishing, syncing, background work and the clean stop.
//
// Two locks keep processes apart. write.lock is held while objects, trust or
// the repository are written: one publisher or sync at a time. node.lock is held
// for as long as a process has the index open: by `koprik serve`, or by a
// command when nothing serves. Only the holder of node.lock applies generations
// to catalog.db and the index; a command that runs beside a server leaves that
// to the server, which sees that the repository or trust is ahead
// (docs/adr, "One writer beside a running server").
package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"koprik/embed/blob"
	"koprik/embed/catalog"
	"koprik/embed/index"
	"koprik/embed/local"
	"koprik/embed/table"
	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/mirror"
	"koprik/sync/origin"
	"koprik/sync/packer"
	"koprik/sync/tuf"
)

// Options are what a node gets from the program around it.
type Options struct {
	Version  string
	Build    time.Time                             // the commit's time; zero when unknown
	Clock    func() time.Time                      // the machine's clock; nil: SystemClock
	Environ  func(string) string                   // nil: the process's
	Flags    map[string]string                     // settings given as flags, by key
	Log      *slog.Logger                          // nil: nothing is logged
	Progress func(stage string, done, total int64) // nil: nobody looks

	// NoPacks makes no packs: whoever follows this node fetches file by file. For a
	// node that nobody follows, and for tests of other things: packs take most of
	// their time.
	NoPacks bool

	// Dial reaches the mail server; nil: the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Development bool // adds /desk/components, the page of all parts of the pages
}

func (o *Options) defaults() {
	if o.Clock == nil {
		o.Clock = SystemClock
	}
	if o.Environ == nil {
		o.Environ = Environ
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
}

// now is the trusted time of a node that has not accepted anything yet.
func (o *Options) now() time.Time {
	t, _ := trustedNow(o.Build, time.Time{}, o.Clock())
	return t
}

// Node is one open data directory.
type Node struct {
	dir    string
	opt    Options
	config Config

	root     *disk.Root
	blobs    *blob.Store
	mirror   *mirror.Mirror
	catalog  *catalog.Catalog
	local    *local.Local
	tables   *table.Store
	line     line // to the upstreams
	lineOnce sync.Once
	packer   *packer.Packer // nil: nothing is served to mirrors
	packing  chan struct{}  // tells the background of a server to pack; nil without a server
	traffic  traffic        // whom the packer gives way to

	lock  *disk.FileLock // node.lock; nil when another process has it
	index *index.Index   // nil without the lock

	// The switch: see view.go.
	mu     sync.RWMutex
	reader *sharedReader

	floor time.Time // newest signed time accepted
	talk  talk
	usage usage

	brought     []tuf.PrivateKey // keys that sign this time beside those in keys/
	checked     sync.Map         // portal.Digest → true: objects hashed by this process
	noticedLast []byte           // the timestamp that the background work saw last

	templates sync.Mutex              // one change of answers given often at a time
	applying  sync.Mutex              // one apply at a time in this process
	syncing   stages                  // what a sync of this process is doing
	trouble   atomic.Pointer[trouble] // why the last sync of this process did not succeed
	arrivals  atomic.Int64            // how often contents came without a new generation
	closers   []io.Closer
}

// The layout of a data directory (DESIGN.md, "A node's data directory").
const (
	objectsDir    = "objects"
	trustDir      = "trust"
	stagingDir    = "staging"
	repositoryDir = "repository"
	keysDir       = "keys"
	tablesDir     = "tables"
	indexDir      = "index"
	catalogFile   = "catalog.db"
	localFile     = "local.db"
	nodeLock      = "node.lock"
	writeLock     = "write.lock"
	wordsFile     = "words.toml"
)

// Open opens the node in dir. When another process serves from it, the node is
// open for reading the catalogue and for writing beside that server; what needs
// the index says portal.ErrLocked.
func Open(ctx context.Context, dir string, o Options) (n *Node, err error) {
	defer named(dir, &err)
	o.defaults()
	n = &Node{dir: dir, opt: o, talk: newTalk()}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
			n = nil
		}
	}()
	if err := completeRestore(dir); err != nil {
		return n, err
	}
	if err := n.openFiles(); err != nil {
		return n, err
	}
	n.lock, err = disk.Lock(dir, nodeLock)
	if err != nil && !errors.Is(err, disk.ErrLocked) {
		return n, err
	}
	if n.local, err = local.Open(ctx, filepath.Join(dir, localFile)); err != nil {
		return n, damagedLocal(fmt.Errorf("open %s: %w", localFile, err))
	}
	n.closers = append(n.closers, n.local)
	if err := n.openDerived(ctx); err != nil {
		return n, err
	}
	return n, nil
}

// isDir says in words that a data directory is not there.
func isDir(dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && !info.IsDir() {
		return &portal.Problem{
			Kind: portal.ErrNotFound, Where: dir, Message: "there is no such data directory",
			Hint: "koprik init makes one; --dir or KOPRIK_DIR names another directory",
		}
	}
	return err
}

func (n *Node) openFiles() (err error) {
	if err := isDir(n.dir); err != nil {
		return err
	}
	if n.root, err = disk.OpenRoot(n.dir); err != nil {
		return err
	}
	n.closers = append(n.closers, n.root)
	if n.config, err = LoadConfig(n.root, n.opt.Environ, n.opt.Flags); err != nil {
		return err
	}
	group := disk.NewGroup(n.root) // what a round brings becomes durable together
	var relay disk.FS              // a centre's repository is written by its origin alone
	if !n.central() && n.config.Relay {
		relay = disk.Sub(group, repositoryDir)
	}
	n.blobs = blob.Open(disk.Sub(n.root, objectsDir))
	var quota func() (int64, error)
	if n.config.DiskQuota > 0 && !n.central() {
		quota = n.quotaLeft
	}
	n.mirror = mirror.Open(mirror.Options{
		Policy: n.policy, Quota: quota,
		Trust:    disk.Sub(n.root, trustDir),
		Staging:  disk.Sub(n.root, stagingDir),
		Relay:    relay,
		Spare:    disk.Sub(n.root, repositoryDir),
		Known:    n.knownRepository,
		Contents: blob.Open(disk.Sub(group, objectsDir)),
		Flush:    group.Flush,
		Now:      n.Now,
		Free:     func() (uint64, error) { return disk.Free(n.dir) },
		Progress: n.progress,
	})
	n.packer = n.newPacker()
	return nil
}

// knownRepository is the repository that the catalogue was made of; zero before
// the first sync.
func (n *Node) knownRepository() portal.Digest {
	snap, err := n.catalog.Snapshot(context.Background())
	if err != nil {
		return portal.Digest{}
	}
	defer snap.Close()
	return snap.State().Repository
}

// Close releases everything in the order opposite to opening.
func (n *Node) Close() error {
	var errs []error
	n.mu.Lock()
	if n.reader != nil {
		n.reader.release()
		n.reader = nil
	}
	n.mu.Unlock()
	for i := len(n.closers) - 1; i >= 0; i-- {
		errs = append(errs, n.closers[i].Close())
	}
	n.closers = nil
	if n.line.client != nil {
		n.line.client.CloseIdleConnections()
	}
	if n.lock != nil {
		errs = append(errs, n.lock.Unlock())
		n.lock = nil
	}
	return errors.Join(errs...)
}

// Config is how the node is set.
func (n *Node) Config() Config { return n.config }

// Dir is the data directory.
func (n *Node) Dir() string { return n.dir }

// owner tells whether this process holds the index, and so applies generations itself.
func (n *Node) owner() bool { return n.lock != nil }

// central tells whether this node signs its own repository.
func (n *Node) central() bool { return n.config.Role != portal.Mirror }

// Now is the trusted time (spec/trust.md).
func (n *Node) Now() time.Time {
	now, _ := n.clock()
	return now
}

func (n *Node) clock() (now time.Time, wrong bool) {
	return trustedNow(n.opt.Build, n.signedTime(), n.opt.Clock())
}

// signedTime is the newest signed time that was accepted: certainly past, whatever
// the machine's clock says. Zero before there is any.
func (n *Node) signedTime() time.Time {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.floor
}

// origin opens the writer of this node's own repository, with its keys.
func (n *Node) origin() (*origin.Origin, func(), error) { return n.originOn(n.root, n.blobs) }

// originOn is origin with the repository in files, which is the data directory
// or a group over it.
func (n *Node) originOn(files disk.FS, contents origin.Contents) (*origin.Origin, func(), error) {
	keys, err := openKeys(n.dir)
	if err != nil {
		return nil, nil, err
	}
	o := origin.Open(origin.Options{
		Repository: disk.Sub(files, repositoryDir), Keys: keys, Contents: contents, Now: n.Now, Brought: n.brought, May: n.maySign,
	})
	return o, func() { _ = keys.Close() }, nil
}

// openKeys opens keys/, which only its owner may read.
func openKeys(dir string) (*disk.Root, error) {
	path := filepath.Join(dir, keysDir)
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, disk.Classify(err)
	}
	return disk.OpenPrivateRoot(path)
}

// writing takes write.lock, waiting a little for a short-lived holder. The
// function that lets go of it may be called more than once.
func (n *Node) writing(ctx context.Context) (func(), error) {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		l, err := disk.Lock(n.dir, writeLock)
		if err == nil {
			return n.wrote(ctx, l)
		}
		if !errors.Is(err, disk.ErrLocked) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, n.busy(locked(n.dir, err))
		case <-tick.C:
		}
	}
}

// writingKey says in local.db that somebody is writing: when write.lock is free
// and it still stands, that one was killed.
const writingKey = "writing"

// wrote cleans up after a writer that was killed, and gives what ends this one.
func (n *Node) wrote(ctx context.Context, l *disk.FileLock) (func(), error) {
	killed, _, err := n.local.Get(ctx, writingKey)
	if err == nil && killed != "" {
		err = n.cleanTemps()
	}
	if err == nil {
		err = n.local.Set(ctx, writingKey, "now")
	}
	if err != nil {
		return nil, errors.Join(err, l.Unlock())
	}
	return sync.OnceFunc(func() {
		_ = n.local.Set(context.WithoutCancel(ctx), writingKey, "")
		_ = l.Unlock()
	}), nil
}

// cleanTemps removes what interrupted durable writes have left.
func (n *Node) cleanTemps() error {
	errs := []error{n.blobs.CleanTemps()}
	for _, dir := range []string{trustDir, repositoryDir, stagingDir} {
		errs = append(errs, disk.CleanTemps(n.root, dir))
	}
	return errors.Join(errs...)
}
