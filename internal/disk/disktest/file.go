package disktest

import (
	"io"
	"io/fs"
	"os"
	"time"

	"koprik/internal/disk"
)

// file is an open file. Removing and renaming it does not disturb it.
type file struct {
	disk   *Disk
	node   *inode
	name   string
	flag   int
	off    int64
	closed bool
}

// use tells whether the file can be used.
func (f *file) use() error {
	switch {
	case f.disk.cut:
		return ErrPowerCut
	case f.closed:
		return fs.ErrClosed
	}
	return nil
}

func (f *file) readable() error {
	if f.flag&os.O_WRONLY != 0 {
		return fs.ErrPermission
	}
	return f.use()
}

func (f *file) Read(p []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.readable(); err != nil {
		return 0, wrap("read", f.name, err)
	}
	n, err := f.readAt(p, f.off)
	f.off += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.readable(); err != nil {
		return 0, wrap("read", f.name, err)
	}
	if off < 0 {
		return 0, wrap("read", f.name, fs.ErrInvalid)
	}
	return f.readAt(p, off)
}

func (f *file) readAt(p []byte, off int64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if off >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) Seek(off int64, whence int) (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.use(); err != nil {
		return 0, wrap("seek", f.name, err)
	}
	switch whence {
	case io.SeekCurrent:
		off += f.off
	case io.SeekEnd:
		off += int64(len(f.node.data))
	case io.SeekStart:
	default:
		return 0, wrap("seek", f.name, fs.ErrInvalid)
	}
	if off < 0 {
		return 0, wrap("seek", f.name, fs.ErrInvalid)
	}
	f.off = off
	return off, nil
}

func (f *file) Write(p []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	err := f.use()
	if err == nil && f.flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		err = fs.ErrPermission
	}
	if err == nil {
		err = f.disk.change()
	}
	if err != nil {
		return 0, wrap("write", f.name, err)
	}
	if f.disk.full && int64(len(p)) > f.disk.space {
		p, err = p[:f.disk.space], disk.ErrNoSpace
	}
	f.disk.space -= int64(len(p))
	f.write(p)
	return len(p), wrap("write", f.name, err)
}

func (f *file) write(p []byte) {
	n := f.node
	if f.flag&os.O_APPEND != 0 {
		f.off = int64(len(n.data))
	}
	end := f.off + int64(len(p))
	if len(p) == 0 {
		return
	}
	if grow := end - int64(len(n.data)); grow > 0 {
		n.data = append(n.data, make([]byte, grow)...)
	}
	copy(n.data[f.off:end], p)
	n.unsynced = true
	f.off = end
}

func (f *file) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	err := f.use()
	if err == nil {
		err = f.disk.sync(f.node)
	}
	return wrap("sync", f.name, err)
}

func (f *file) Stat() (fs.FileInfo, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.use(); err != nil {
		return nil, wrap("stat", f.name, err)
	}
	return f.node.info(f.name), nil
}

func (f *file) Close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	err := f.use()
	f.closed = true
	return wrap("close", f.name, err)
}

// info describes a file as it was when asked.
type info struct {
	name  string
	size  int64
	isDir bool
}

func (n *inode) info(name string) info {
	return info{name: name, size: int64(len(n.data)), isDir: n.isDir}
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) IsDir() bool        { return i.isDir }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) Sys() any           { return nil }

func (i info) Mode() fs.FileMode {
	if i.isDir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}
