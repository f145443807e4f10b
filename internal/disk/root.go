package disk

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

// Root is the FS of a real folder. A name or a symbolic link that leads out of
// it is refused. It is safe for concurrent use.
type Root struct {
	dir      string
	root     *os.Root
	fileMode fs.FileMode
	dirMode  fs.FileMode
	sync     func(root *os.Root, name string) error // syncDir, or what a test watches it with

	mu   sync.Mutex
	made map[string]bool // folders whose name this Root knows to be durable
}

// OpenRoot opens a folder, which must exist. New files and folders get the
// permissions that the process's umask leaves of 0666 and 0777.
func OpenRoot(dir string) (*Root, error) { return openRoot(dir, 0o666, 0o777) }

// OpenPrivateRoot is OpenRoot for what nobody else on the machine may read, such
// as keys: new files are 0600 and new folders 0700. Windows keeps to the
// permissions of the folder above.
func OpenPrivateRoot(dir string) (*Root, error) { return openRoot(dir, 0o600, 0o700) }

func openRoot(dir string, fileMode, dirMode fs.FileMode) (*Root, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, Classify(err)
	}
	return &Root{dir: abs, root: root, fileMode: fileMode, dirMode: dirMode, sync: syncDir, made: map[string]bool{}}, nil
}

// Dir is the absolute path of the folder, as it was when it was opened.
func (r *Root) Dir() string { return r.dir }

// Close lets go of the folder. Files that are open stay open.
func (r *Root) Close() error { return r.root.Close() }

// OpenFile implements FS. A file that is opened only for reading is an *os.File,
// so that the kernel can send it without copying.
func (r *Root) OpenFile(name string, flag int) (File, error) {
	local, err := localize("open", name)
	if err != nil {
		return nil, err
	}
	f, err := r.root.OpenFile(local, flag, r.fileMode)
	if err != nil {
		return nil, Classify(err)
	}
	if flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		return f, nil
	}
	return &rootFile{f}, nil
}

// Rename implements FS.
func (r *Root) Rename(oldname, newname string) error {
	oldLocal, err := localize("rename", oldname)
	if err != nil {
		return err
	}
	newLocal, err := localize("rename", newname)
	if err != nil {
		return err
	}
	r.mu.Lock()
	if r.made[oldname] || r.made[newname] {
		clear(r.made) // a folder moved: nothing that was known of names is sure
	}
	r.mu.Unlock()
	return Classify(r.root.Rename(oldLocal, newLocal))
}

// Remove implements FS.
func (r *Root) Remove(name string) error {
	local, err := localize("remove", name)
	if err != nil {
		return err
	}
	r.mu.Lock()
	delete(r.made, name)
	r.mu.Unlock()
	return Classify(r.root.Remove(local))
}

// MkdirAll implements FS. A folder that is there already may have been made by a
// process that was killed before it synced the name, so the first time that this
// Root meets one it syncs the folder above it too.
func (r *Root) MkdirAll(name string) error {
	if _, err := localize("mkdir", name); err != nil {
		return err
	}
	if name == "." {
		return nil
	}
	r.mu.Lock() // held while syncing, so that nobody takes an unsynced folder for a made one
	defer r.mu.Unlock()
	if info, err := r.Stat(name); err == nil && info.IsDir() && r.made[name] {
		return nil
	}
	made := ""
	for part := range strings.SplitSeq(name, "/") {
		made = path.Join(made, part)
		if err := r.mkdir(made); err != nil {
			return err
		}
	}
	return nil
}

func (r *Root) mkdir(name string) error {
	local, err := localize("mkdir", name)
	if err != nil {
		return err
	}
	err = r.root.Mkdir(local, r.dirMode)
	if errors.Is(err, fs.ErrExist) {
		info, statErr := r.Stat(name)
		if statErr != nil {
			return statErr
		}
		if !info.IsDir() {
			return err
		}
		if r.made[name] {
			return nil
		}
	} else if err != nil {
		return Classify(err)
	}
	if err := r.SyncDir(path.Dir(name)); err != nil {
		return err
	}
	r.made[name] = true
	return nil
}

// ReadDir implements FS.
func (r *Root) ReadDir(name string) ([]fs.DirEntry, error) {
	if _, err := localize("readdir", name); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(r.root.FS(), name)
	return entries, Classify(err)
}

// Stat implements FS.
func (r *Root) Stat(name string) (fs.FileInfo, error) {
	local, err := localize("stat", name)
	if err != nil {
		return nil, err
	}
	info, err := r.root.Stat(local)
	return info, Classify(err)
}

// SyncDir implements FS. Windows has no such call: NTFS keeps its names in a
// journal, and there it only looks whether the folder exists.
func (r *Root) SyncDir(name string) error {
	local, err := localize("sync", name)
	if err != nil {
		return err
	}
	return Classify(r.sync(r.root, local))
}

// localize gives the operating system's spelling of a name.
func localize(op, name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	local, err := filepath.Localize(name)
	if err != nil {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return local, nil
}

// rootFile is an open file whose errors of writing are classified.
type rootFile struct{ f *os.File }

func (f *rootFile) Read(p []byte) (int, error)                { return f.f.Read(p) }
func (f *rootFile) ReadAt(p []byte, off int64) (int, error)   { return f.f.ReadAt(p, off) }
func (f *rootFile) Seek(off int64, whence int) (int64, error) { return f.f.Seek(off, whence) }
func (f *rootFile) Stat() (fs.FileInfo, error)                { return f.f.Stat() }
func (f *rootFile) Close() error                              { return Classify(f.f.Close()) }
func (f *rootFile) Sync() error                               { return Classify(f.f.Sync()) }

func (f *rootFile) Write(p []byte) (int, error) {
	n, err := f.f.Write(p)
	return n, Classify(err)
}
