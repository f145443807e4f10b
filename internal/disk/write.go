package disk

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// tempPrefix begins the name of every file that a durable write has not finished.
// It says nothing of the final name, which may be as long as the system allows.
const tempPrefix = ".koprik-tmp-"

// IsTemp tells whether a name, or the last part of a path, is one that durable
// writes use while they are under way. Whoever lists a folder passes it over.
func IsTemp(name string) bool { return strings.HasPrefix(path.Base(name), tempPrefix) }

// Writer is a durable write under way. It ends with Commit, CommitAs or Abort;
// until then nothing is seen under the file's name. It is not safe for concurrent
// use.
type Writer struct {
	fsys    FS
	name    string // final name; "" when CommitAs is to give it
	temp    string
	file    File // nil once ended
	written int64
	err     error // the first error of Write; nothing is committed after it
}

// WriteFile makes data the content of a file, durably: when it returns nil the
// file outlasts a power cut, and whatever happens before, the file is wholly what
// it was or wholly data. Folders are made as needed.
func WriteFile(fsys FS, name string, data []byte) error {
	w, err := Create(fsys, name)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Commit()
}

// Create begins the durable write of a file, with what WriteFile promises. The
// usual shape is a deferred Abort and, at the end, Commit.
func Create(fsys FS, name string) (*Writer, error) {
	if !fs.ValidPath(name) || name == "." {
		return nil, &fs.PathError{Op: "write", Path: name, Err: fs.ErrInvalid}
	}
	w, err := CreateIn(fsys, path.Dir(name))
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	w.name = name
	return w, nil
}

// CreateIn begins the durable write of a file whose name is known only at the
// end, as that of content named by its hash is: CommitAs ends it. Until then its
// bytes stand in folder dir.
func CreateIn(fsys FS, dir string) (*Writer, error) {
	if err := fsys.MkdirAll(dir); err != nil {
		return nil, err
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	temp := path.Join(dir, tempPrefix+hex.EncodeToString(random[:]))
	file, err := fsys.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	return &Writer{fsys: fsys, temp: temp, file: file}, nil
}

// Write appends to the file. After an error nothing can be committed.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.file == nil {
		return 0, w.wrap(fs.ErrClosed)
	}
	n, err := w.file.Write(p)
	w.written += int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.err = w.wrap(err)
	}
	return n, w.err
}

// Stat describes the file that is being written, as it is now.
func (w *Writer) Stat() (fs.FileInfo, error) {
	if w.file == nil {
		return nil, w.wrap(fs.ErrClosed)
	}
	return w.file.Stat()
}

// Commit makes what was written the content of the file, durably. After an error
// the file is wholly what it was or, when only the last sync gave the error,
// wholly what was written.
func (w *Writer) Commit() error { return w.CommitAs(w.name) }

// CommitAs is Commit under a name given now, in any folder of the same FS.
func (w *Writer) CommitAs(name string) error {
	w.name = name
	switch {
	case w.err != nil:
		return errors.Join(w.err, w.Abort())
	case w.file == nil:
		return w.wrap(fs.ErrClosed)
	case !fs.ValidPath(name) || name == ".":
		return errors.Join(&fs.PathError{Op: "write", Path: name, Err: fs.ErrInvalid}, w.Abort())
	}
	if err := w.settle(); err != nil {
		return errors.Join(w.wrap(err), w.Abort())
	}
	if err := w.publish(); err != nil {
		return errors.Join(w.wrap(err), w.fsys.Remove(w.temp))
	}
	if err := w.fsys.SyncDir(path.Dir(name)); err != nil {
		return w.wrap(err)
	}
	return nil
}

// settle brings the bytes to the platter and checks that all of them are there.
func (w *Writer) settle() error {
	info, err := w.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != w.written {
		return fmt.Errorf("%d bytes arrived of %d: %w", info.Size(), w.written, io.ErrShortWrite)
	}
	return w.file.Sync()
}

// publish closes the file and gives it its name.
func (w *Writer) publish() error {
	err := w.file.Close()
	w.file = nil
	if err != nil {
		return err
	}
	if path.Dir(w.name) != path.Dir(w.temp) {
		if err := w.fsys.MkdirAll(path.Dir(w.name)); err != nil {
			return err
		}
	}
	return w.fsys.Rename(w.temp, w.name)
}

// Abort ends the write and takes its bytes away. After Commit or Abort it does
// nothing.
func (w *Writer) Abort() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return errors.Join(err, w.fsys.Remove(w.temp))
}

func (w *Writer) wrap(err error) error {
	name := w.name
	if name == "" {
		name = w.temp
	}
	return fmt.Errorf("write %s: %w", name, err)
}
