package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"koprik/internal/backup"
	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/tuf"
)

// backupKey says in local.db when the last backup was made.
const backupKey = "backup"

// BackupOptions say where a backup goes and who can open it.
type BackupOptions struct {
	To         string // a file; what stands there must be a backup, or nothing
	Seal       backup.Seal
	Passphrase bool // one was asked for: it may not be short
	// NoRepository leaves out what a centre has published: a restore takes it from a
	// mirror then.
	NoRepository bool
}

// Backup says what a backup is, or that one was made.
type Backup struct {
	backup.Manifest
	File   string
	Bytes  int64 // of the file itself
	Sealed bool
}

// Backup writes what this node may not lose into one file: local.db, keys, trust and
// settings, and at a centre the repository. A server may be running. The file is whole
// or not there, and what stood there before stays until then.
func (n *Node) Backup(ctx context.Context, o BackupOptions) (out Backup, err error) {
	defer named(n.dir, &err)
	if err := o.Seal.Check(); err != nil {
		return out, &portal.Problem{Kind: portal.ErrUsage, Where: "backup", Message: err.Error()}
	}
	if o.Passphrase && len(o.Seal.Passphrase) < minPassphrase {
		return out, &portal.Problem{
			Kind: portal.ErrUsage, Where: "passphrase", Message: fmt.Sprintf("must have at least %d characters", minPassphrase),
			Hint: "four words that do not belong together are easy to keep and hard to guess",
		}
	}
	folder, name, err := n.backupPlace(o)
	if err != nil {
		return out, err
	}
	defer folder.Close() //nolint:errcheck // the file is synced
	release, err := n.writing(ctx)
	if err != nil {
		return out, err
	}
	defer release()
	copied, done, err := n.copyLocal(ctx)
	if err != nil {
		return out, err
	}
	defer done()
	out.Manifest, err = n.manifest(copied, !o.NoRepository)
	if err != nil {
		return out, err
	}
	w, err := disk.Create(folder, name)
	if err != nil {
		return out, inPlace(o.To, err)
	}
	defer w.Abort() //nolint:errcheck // after Commit there is nothing to undo
	counted := &countingWriter{w: w}
	err = backup.Write(counted, out.Manifest, o.Seal, func(f backup.File) (io.ReadCloser, error) { return n.openFor(f.Name, copied) },
		func(done, total int64) { n.opt.Progress("backup", done, total) })
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = w.Commit()
	}
	if err != nil {
		return out, inPlace(o.To, err)
	}
	out.File, out.Bytes, out.Sealed = o.To, counted.n, o.Seal.Sealed()
	return out, n.local.Set(ctx, backupKey, out.Made.Format(time.RFC3339))
}

// inPlace says of an error where the backup was to go.
func inPlace(to string, err error) error {
	if errors.Is(err, disk.ErrNoSpace) {
		return &portal.Problem{Kind: portal.ErrNoSpace, Where: to, Message: "there is no room for the backup: " + err.Error(), Hint: "what stood there before stands; make room, or name another place", Cause: err}
	}
	return err
}

// backupPlace opens the folder of the file, which only its owner will be able to read.
func (n *Node) backupPlace(o BackupOptions) (*disk.Root, string, error) {
	full, err := filepath.Abs(o.To)
	if err != nil {
		return nil, "", err
	}
	own, err := filepath.Abs(n.dir)
	if err != nil {
		return nil, "", err
	}
	bad := func(hint, format string, args ...any) (*disk.Root, string, error) {
		return nil, "", &portal.Problem{Kind: portal.ErrUsage, Where: o.To, Message: fmt.Sprintf(format, args...), Hint: hint}
	}
	if within, err := filepath.Rel(own, full); err == nil && filepath.IsLocal(within) {
		return bad("name a file on another disk", "is inside the data directory, and would be lost with it")
	}
	if info, err := os.Stat(full); err == nil && info.IsDir() {
		return bad("name a file in it, like koprik.backup", "is a folder")
	} else if err == nil && !looksLikeBackup(full) {
		return bad("name another file", "another file stands there, which is no backup")
	}
	folder, err := disk.OpenPrivateRoot(filepath.Dir(full))
	if err != nil {
		return bad("is the disk there?", "its folder cannot be opened: %v", err)
	}
	if !o.Seal.Sealed() && !keepsSecrets(folder) {
		_ = folder.Close()
		return bad("--passphrase or --recipient seals it", "this disk does not keep files from other users, and the backup holds the keys of this node")
	}
	return folder, filepath.Base(full), nil
}

// looksLikeBackup tells whether a file may be replaced by a backup.
func looksLikeBackup(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // opened for reading
	return backup.Looks(f)
}

// keepsSecrets tells whether a file in a folder can be kept from other users of the
// machine; a FAT stick cannot. Windows has no such bits: there it is the folder's
// business.
func keepsSecrets(folder *disk.Root) bool {
	if runtime.GOOS == "windows" {
		return true
	}
	w, err := disk.Create(folder, "koprik-backup-probe")
	if err != nil {
		return true // that it cannot be written is told when it is written
	}
	defer w.Abort() //nolint:errcheck // a file of no bytes
	info, err := w.Stat()
	return err != nil || info.Mode().Perm()&0o077 == 0
}

// copyLocal copies local.db as it is at one moment into staging/, readable by nobody
// else, and gives the copy's name in the data directory.
func (n *Node) copyLocal(ctx context.Context) (name string, done func(), err error) {
	private, err := disk.OpenPrivateRoot(n.dir)
	if err != nil {
		return "", nil, err
	}
	defer private.Close() //nolint:errcheck // an empty file
	name = stagingDir + "/local.backup"
	remove := func() { _ = n.root.Remove(name) }
	remove() // of a backup that was killed
	f, err := private.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL)
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		err = n.local.CopyTo(ctx, filepath.Join(n.dir, filepath.FromSlash(name)))
	}
	if err != nil {
		remove()
		return "", nil, err
	}
	return name, remove, nil
}

// openFor opens a file as it stands in a backup; copied is where local.db was copied.
func (n *Node) openFor(name, copied string) (disk.File, error) {
	if name == localFile {
		name = copied
	}
	return n.root.OpenFile(name, os.O_RDONLY)
}

// manifest hashes all files that are to be in a backup. The caller holds write.lock.
func (n *Node) manifest(copied string, repository bool) (m backup.Manifest, err error) {
	m = backup.Manifest{Format: backup.Format, Made: n.Now().UTC().Truncate(time.Second), Version: n.opt.Version, Role: n.config.Role, Title: n.config.Title}
	if state, err := n.mirror.State(); err == nil {
		m.Repository, m.Generation = state.Repository, state.Generation
	}
	if m.Node, err = n.ownKeyID(); err != nil {
		return m, err
	}
	for _, top := range backup.Tops {
		folder, isFolder := strings.CutSuffix(top, "/")
		switch {
		case !isFolder:
			err = n.addFile(&m, top, copied)
		case folder != repositoryDir || n.central() && repository:
			err = n.addFolder(&m, folder, copied)
		}
		if err != nil {
			return m, err
		}
	}
	return m, nil
}

func (n *Node) addFile(m *backup.Manifest, name, copied string) error {
	f, err := n.openFor(name, copied)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	entry, err := backup.Digest(name, f)
	m.Files = append(m.Files, entry)
	return errors.Join(err, f.Close())
}

// derivedParts of a repository are made again after a restore: packs and patches.
var derivedParts = []string{repositoryDir + "/from", repositoryDir + "/patches"}

func (n *Node) addFolder(m *backup.Manifest, folder, copied string) error {
	for _, d := range derivedParts {
		if folder == d {
			return nil
		}
	}
	entries, err := n.root.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(folder, e.Name())
		switch {
		case disk.IsTemp(name):
			continue
		case e.IsDir():
			err = n.addFolder(m, name, copied)
		case e.Type().IsRegular():
			err = n.addFile(m, name, copied)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ownKeyID is the id of the node's own key; "" before it has one.
func (n *Node) ownKeyID() (string, error) {
	const limit = 16 << 10
	b, err := disk.ReadFile(n.root, keysDir+"/"+nodeKeyFile, limit)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	k, err := tuf.ParsePrivateKey(b)
	if err != nil {
		return "", fmt.Errorf("%s/%s: %w", keysDir, nodeKeyFile, err)
	}
	return k.Public().ID(), nil
}

// lastBackup is when the last backup was made; zero when never.
func (n *Node) lastBackup(ctx context.Context) (time.Time, error) {
	v, ok, err := n.local.Get(ctx, backupKey)
	if err != nil || !ok {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, v)
	if err != nil {
		return time.Time{}, nil //nolint:nilerr // what is no time is never
	}
	return t, nil
}

// CheckBackup reads a whole backup and says what it is; portal.ErrUnverified when it
// is damaged.
func CheckBackup(file string, k backup.Key, progress func(stage string, done, total int64)) (out Backup, err error) {
	f, err := openBackup(file)
	if err != nil {
		return out, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	info, err := f.Stat()
	if err != nil {
		return out, err
	}
	r, err := backup.Open(file, f, k)
	if err != nil {
		return out, err
	}
	defer r.Close()
	out = Backup{Manifest: r.Manifest, File: file, Bytes: info.Size(), Sealed: r.Sealed}
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	return out, r.Verify(func(done, total int64) { progress("backup", done, total) })
}

func openBackup(file string) (*os.File, error) {
	f, err := os.Open(file)
	if err == nil {
		return f, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &portal.Problem{Kind: portal.ErrNotFound, Where: file, Message: "there is no such file", Hint: "check the path"}
	}
	return nil, portal.Rejected(file, "cannot be read: %v", err)
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
