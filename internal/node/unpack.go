package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"koprik/internal/backup"
	"koprik/internal/disk"
	"koprik/portal"
)

// How a restore is one step. What comes out of a backup is laid beside what stands,
// each file and folder of the data directory under its name with incomingPrefix before
// it. When all of it is there and verified, restoringFile is written: from then on
// the backup is restored, and what is left to do is done by whoever opens the
// directory next, as often as that takes. What stood before is kept, under names that
// begin with replacedPrefix and the moment.
const (
	incomingPrefix = "restore."
	replacedPrefix = "before-"
	restoringFile  = "restoring.json"
)

// restoring is what stands in restoringFile.
type restoring struct {
	Moment string   `json:"moment"` // 20261123T090000Z
	Items  []string `json:"items"`  // what is to take its place
}

var momentForm = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z(-[0-9]{1,9})?$`)

// tops are the names that a backup has in the data directory itself.
func tops() (names []string) {
	for _, top := range backup.Tops {
		names = append(names, strings.TrimSuffix(top, "/"))
	}
	return names
}

// unpack lays all files of a backup beside what stands, durably. local.db and keys go
// to private, where nobody else may read.
func unpack(fsys, private disk.FS, r *backup.Reader, progress func(done, total int64)) error {
	if err := dropIncoming(fsys); err != nil {
		return err
	}
	public, secret := disk.NewGroup(fsys), disk.NewGroup(private)
	defer public.Abandon() //nolint:errcheck // after Flush there is nothing left in it
	defer secret.Abandon() //nolint:errcheck // as above
	done, total := int64(0), r.Manifest.Total()
	err := r.Each(func(f backup.File, in io.Reader) error {
		to := disk.FS(public)
		if top := backup.Top(f.Name); top == localFile || top == keysDir {
			to = secret
		}
		w, err := disk.Create(to, incomingPrefix+f.Name)
		if err != nil {
			return err
		}
		defer w.Abort() //nolint:errcheck // after Commit there is nothing to undo
		if _, err := io.Copy(w, in); err != nil {
			return err
		}
		done += f.Bytes
		progress(done, total)
		return w.Commit()
	})
	return errors.Join(err, public.Flush(), secret.Flush())
}

// dropIncoming takes away what a restore that was never complete has left.
func dropIncoming(fsys disk.FS) error {
	entries, err := fsys.ReadDir(".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), incomingPrefix) {
			if err := disk.RemoveAll(fsys, e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// freshMoment is a name for the moment under which nothing was put aside yet.
func freshMoment(fsys disk.FS, at time.Time) (string, error) {
	aside, err := replaced(fsys)
	if err != nil {
		return "", err
	}
	moment := at.UTC().Format("20060102T150405Z")
	for next := 2; slices.ContainsFunc(aside, func(name string) bool { return strings.HasPrefix(name, replacedPrefix+moment+".") }); next++ {
		moment = fmt.Sprintf("%s-%d", at.UTC().Format("20060102T150405Z"), next)
	}
	return moment, nil
}

// decide makes the restore of what lies beside a fact.
func decide(fsys disk.FS, r restoring) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return disk.WriteFile(fsys, restoringFile, b)
}

// finishRestore puts what was decided into its place; it may be cut off anywhere, and
// called again.
func finishRestore(fsys disk.FS) error {
	const limit = 64 << 10
	b, err := disk.ReadFile(fsys, restoringFile, limit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var r restoring
	if err := json.Unmarshal(b, &r); err != nil || !momentForm.MatchString(r.Moment) {
		return portal.Unverified(restoringFile, "is damaged").WithHint("koprik restore --from FILE --replace begins again")
	}
	for _, item := range r.Items {
		if !slices.Contains(tops(), item) {
			return portal.Unverified(restoringFile, "names %.40q", item)
		}
		if err := place(fsys, item, r.Moment); err != nil {
			return fmt.Errorf("restore %s: %w", item, err)
		}
	}
	for _, derived := range []string{catalogFile, catalogFile + "-wal", catalogFile + "-shm", tablesDir, indexDir} {
		if err := disk.RemoveAll(fsys, derived); err != nil {
			return err
		}
	}
	if err := fsys.Remove(restoringFile); err != nil {
		return err
	}
	return fsys.SyncDir(".")
}

// place gives one item its name, and what had it another. A log belongs to the
// database beside which it stands, so it goes where that goes.
func place(fsys disk.FS, item, moment string) error {
	if _, err := fsys.Stat(incomingPrefix + item); errors.Is(err, fs.ErrNotExist) {
		return nil // it has its place
	} else if err != nil {
		return err
	}
	old := []string{item}
	if item == localFile {
		old = []string{localFile + "-wal", localFile + "-shm", localFile}
	}
	for _, name := range old {
		err := fsys.Rename(name, replacedPrefix+moment+"."+name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := fsys.SyncDir("."); err != nil {
		return err
	}
	if err := fsys.Rename(incomingPrefix+item, item); err != nil {
		return err
	}
	return fsys.SyncDir(".")
}

// completeRestore finishes a restore that was decided and cut off.
func completeRestore(dir string) error {
	root, err := disk.OpenRoot(dir)
	if err != nil {
		return nil //nolint:nilerr // Open says in words what is wrong with it
	}
	defer root.Close() //nolint:errcheck // every change is synced
	if _, err := root.Stat(restoringFile); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	unlock, err := lockWhole(dir)
	if err != nil {
		return err
	}
	defer unlock()
	return finishRestore(root)
}

// lockWhole keeps every other process out of a data directory.
func lockWhole(dir string) (unlock func(), err error) {
	node, err := disk.Lock(dir, nodeLock)
	if err != nil {
		return nil, err
	}
	write, err := disk.Lock(dir, writeLock)
	if err != nil {
		return nil, errors.Join(err, node.Unlock())
	}
	return func() {
		_ = write.Unlock()
		_ = node.Unlock()
	}, nil
}

// replaced lists what earlier restores have put aside in a data directory.
func replaced(fsys disk.FS) (names []string, err error) {
	entries, err := fsys.ReadDir(".")
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), replacedPrefix) {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// standing tells whether a folder has anything that a restore would replace.
func standing(fsys disk.FS) (bool, error) {
	for _, name := range tops() {
		if _, err := fsys.Stat(name); err == nil {
			return true, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	return false, nil
}

// incomingLocal is where the local.db of a backup lies until it has its place.
func incomingLocal(dir string) string { return filepath.Join(dir, incomingPrefix+localFile) }
