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
type staged struct {
	ctx   context.Context //nolint:containedctx // of the round that reads
	r     *round
	path  string
	name  string // in staging/; beside it name.mark says what it is a part of
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
	var err error
	if s.file, err = r.m.o.Staging.OpenFile(name, os.O_CREATE|os.O_RDWR); err != nil {
		return nil, err
	}
	if err := s.begin(); err != nil {
		if s.held == 0 {
			return nil, errors.Join(err, s.drop())
		}
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
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
	s.held, s.mark, s.total = 0, a.mark, a.total
	return errors.Join(s.forget(), s.remember())
}

// recall finds what an earlier round has left.
func (s *staged) recall() error {
	end, err := s.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	const limit = 2 << 10
	b, err := disk.ReadFile(s.r.m.o.Staging, s.name+markSuffix, limit)
	if err != nil {
		return nil //nolint:nilerr // nothing is known: it is fetched from its beginning
	}
	lines := strings.Split(string(b), "\n")
	if len(lines) != 3 || lines[0] != s.r.src.String()+" "+s.path || lines[1] == "" {
		return nil
	}
	s.held, s.mark = end, lines[1]
	if s.total, err = strconv.ParseInt(lines[2], 10, 64); err != nil || s.total >= 0 && end > s.total {
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

// forget empties staging before other bytes come.
func (s *staged) forget() error {
	if err := s.r.m.o.Staging.Remove(s.name + markSuffix); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	err := s.file.Close()
	s.file = nil // Close is called once more, also when it cannot be opened again
	if err != nil {
		return err
	}
	file, err := s.r.m.o.Staging.OpenFile(s.name, os.O_CREATE|os.O_RDWR|os.O_TRUNC)
	if err == nil {
		s.file = file
	}
	return err
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
	s.hangUp()
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// drop takes away what came: it was not what it should be.
func (s *staged) drop() error {
	err := s.Close()
	for _, name := range []string{s.name + markSuffix, s.name} {
		if rm := s.r.m.o.Staging.Remove(name); rm != nil && !errors.Is(rm, os.ErrNotExist) {
			err = errors.Join(err, rm)
		}
	}
	return err
}
