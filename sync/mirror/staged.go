package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"koprik/internal/disk"
	"koprik/portal"
)

// staged reads a file of the source that may be replaced there, and keeps what
// comes in staging/. A line that is cut is taken up again at the byte, in the
// same round or in the next; a file that was replaced meanwhile is errReplaced.
//
// What came of one state of the file stands under a name of its own: after a
// power cut a new mark must not find the bytes of an old one.
type staged struct {
	ctx   context.Context //nolint:containedctx // of the round that reads
	r     *round
	path  string
	name  string // in staging/: name.mark says which state the bytes are of
	limit int64

	file      disk.File
	mark      string
	total     int64 // bytes of the whole; -1 when unknown
	held, at  int64 // bytes in staging, and read
	body      io.ReadCloser
	fruitless int
	unchanged bool // the source says that all of it is in staging
}

var errReplaced = errors.New("the file was replaced while it was read")

// stage opens path. What staging/ has of it counts when the source says that the
// file is still the same.
func (r *round) stage(ctx context.Context, path, name string, limit int64) (*staged, error) {
	s := &staged{ctx: ctx, r: r, path: path, name: name, limit: limit, total: -1}
	if err := s.begin(); err != nil {
		if s.held == 0 {
			return nil, errors.Join(err, s.drop())
		}
		return nil, errors.Join(err, s.leave())
	}
	return s, nil
}

// part is where the bytes of the state that mark names stand.
func (s *staged) part() string {
	return s.name + "-" + portal.DigestOf([]byte(s.mark)).Short() + partSuffix
}

// begin asks for the file, or for what is missing of it.
func (s *staged) begin() error {
	if err := s.recall(); err != nil {
		return err
	}
	whole := s.total >= 0 && s.held == s.total
	offset := s.held
	if whole {
		offset = 0
	}
	s.r.trips.Add(1)
	a, err := s.r.src.getIf(s.ctx, s.path, offset, s.mark)
	switch {
	case err != nil:
		return err
	case a.unchanged && whole:
		s.unchanged = true
		return nil
	case a.unchanged:
		return fmt.Errorf("%s: is said to be unchanged: %w", s.path, portal.ErrUnverified)
	}
	s.body = a.body
	if a.start > 0 {
		return nil // the rest of what is there
	}
	old := ""
	if s.mark != "" {
		old = s.part()
	}
	s.held, s.mark, s.total = 0, a.mark, a.total
	return s.restart(old)
}

// recall finds what an earlier round has left. Without it the file is fetched
// from its beginning.
func (s *staged) recall() error {
	const limit = 2 << 10
	b, err := disk.ReadFile(s.r.m.o.Staging, s.name+markSuffix, limit)
	if err != nil {
		return nil //nolint:nilerr // nothing is known
	}
	lines := strings.Split(string(b), "\n")
	if len(lines) != 3 || lines[0] != s.r.src.String()+" "+s.path || lines[1] == "" {
		return nil
	}
	s.mark = lines[1]
	total, err := strconv.ParseInt(lines[2], 10, 64)
	if err == nil {
		s.file, err = s.r.m.o.Staging.OpenFile(s.part(), os.O_RDWR)
	}
	if err == nil {
		s.held, err = s.file.Seek(0, io.SeekEnd)
	}
	if s.total = total; err != nil || s.held == 0 || total >= 0 && s.held > total {
		s.held, s.mark, s.total = 0, "", -1
	}
	return nil
}

const markSuffix = ".mark"

// remember says what the bytes in staging are a part of.
func (s *staged) remember() error {
	if s.mark == "" {
		return nil
	}
	text := fmt.Sprintf("%s %s\n%s\n%d", s.r.src, s.path, s.mark, s.total)
	return disk.WriteFile(s.r.m.o.Staging, s.name+markSuffix, []byte(text))
}

// restart begins another state of the file, and takes away what is left of old.
func (s *staged) restart(old string) error {
	if err := s.Close(); err != nil {
		return err
	}
	var err error
	if s.file, err = s.r.m.o.Staging.OpenFile(s.part(), os.O_CREATE|os.O_RDWR|os.O_TRUNC); err != nil {
		s.file = nil
		return err
	}
	if err := s.remember(); err != nil || old == "" || old == s.part() {
		return err
	}
	return removed(s.r.m.o.Staging, old)
}

// removed takes a file away; one that is not there is no error.
func removed(fsys disk.FS, name string) error {
	if err := fsys.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Read gives what is in staging, and then what comes.
func (s *staged) Read(p []byte) (int, error) {
	for {
		if err := s.ctx.Err(); err != nil {
			return 0, context.Cause(s.ctx)
		}
		n, err := s.read(p)
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (s *staged) read(p []byte) (int, error) {
	if s.at < s.held {
		if _, err := s.file.Seek(s.at, io.SeekStart); err != nil {
			return 0, err
		}
		n, err := s.file.Read(p[:min(int64(len(p)), s.held-s.at)])
		s.at += int64(n)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return n, err
	}
	if s.unchanged || s.total >= 0 && s.at == s.total && s.body == nil {
		return 0, io.EOF
	}
	if s.body == nil {
		return 0, s.resume()
	}
	n, err := s.body.Read(p)
	if n > 0 {
		s.fruitless = 0
		if err := s.keep(p[:n]); err != nil {
			return 0, err
		}
	}
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		if s.total < 0 {
			s.total = s.at
		}
		s.hangUp()
		return n, io.EOF
	}
	return n, s.broken(err)
}

// keep writes what came behind what is there.
func (s *staged) keep(b []byte) error {
	if s.at+int64(len(b)) > s.limit {
		return portal.Unverified(s.r.where(s.path), "is longer than the %d bytes that are allowed", s.limit)
	}
	if _, err := s.file.Seek(s.at, io.SeekStart); err != nil {
		return err
	}
	n, err := s.file.Write(b)
	s.at += int64(n)
	s.held = s.at
	return err
}

// broken lets go of a line that was cut, and gives its error when several in a
// row brought nothing.
func (s *staged) broken(cause error) error {
	s.hangUp()
	if s.fruitless++; s.fruitless >= attempts || s.mark == "" {
		return unreachable(s.r.where(s.path), cause)
	}
	return nil
}

// resume asks for the rest.
func (s *staged) resume() error {
	s.r.trips.Add(1)
	a, err := s.r.src.getIf(s.ctx, s.path, s.at, s.mark)
	switch {
	case err != nil && errors.Is(err, portal.ErrUnreachable) && s.ctx.Err() == nil:
		return s.broken(err)
	case err != nil:
		return err
	case a.unchanged || a.mark != s.mark:
		if a.body != nil {
			err = a.body.Close()
		}
		return errors.Join(errReplaced, err)
	}
	if _, err := io.CopyN(io.Discard, a.body, s.at-a.start); err != nil {
		return errors.Join(s.broken(err), a.body.Close())
	}
	s.body = a.body
	return nil
}

// hangUp lets go of the line: how it closes says nothing of the bytes that came.
func (s *staged) hangUp() {
	if s.body != nil {
		_ = s.body.Close()
		s.body = nil
	}
}

// Close ends reading; what came stays in staging.
func (s *staged) Close() error {
	body := s.file
	s.file = nil
	if body == nil {
		return nil
	}
	return body.Close()
}

// leave ends reading and lets go of the line.
func (s *staged) leave() error {
	s.hangUp()
	return s.Close()
}

// drop takes away what came: it was not what it should be.
func (s *staged) drop() error {
	err := s.leave()
	return errors.Join(err, removed(s.r.m.o.Staging, s.name+markSuffix), removed(s.r.m.o.Staging, s.part()))
}
