package carrier

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"koprik/portal"
	"koprik/sync/delta"
)

// PackReader reads a pack as it arrives: the head and the table of contents are
// there when it is opened, the rest follows in order. Its memory is bounded by
// the limits of Pack, whatever the pack says.
type PackReader struct {
	Pack // Files.Patch and the objects' Patch are not filled

	r       *bufio.Reader
	patched int64 // bytes of the files' patch; -1 when it was read or passed by
	next    int
	body    *io.LimitedReader // of the object that was given last
}

// OpenPack reads up to the table of contents. A pack that is torn is ErrCarrier,
// one of another form a FormError too; errors of r are its own.
func OpenPack(r io.Reader) (*PackReader, error) {
	p := &PackReader{r: bufio.NewReaderSize(r, 32<<10)}
	in := &scanner{r: p.r}
	var err error
	if p.Pack, err = in.head(); err != nil {
		return nil, err
	}
	if n := in.length(MaxContents); n > 0 {
		sum := in.digest()
		patch := in.bytes(in.length(MaxContents + 1024))
		if in.err == nil {
			in.err = p.table(patch, delta.Content{SHA256: sum, Size: n})
		}
	}
	if in.err != nil {
		return nil, torn(in.err)
	}
	return p, p.check()
}

var errNoPack = errors.New("does not begin as a pack")

// FormError says that a pack is of a form that this program does not read: an
// older or newer program made it. It is ErrCarrier too.
type FormError struct{ Form byte }

func (e *FormError) Error() string {
	return fmt.Sprintf("is of form %d, and this program reads form %d", e.Form, packForm)
}

// torn makes what a pack's bytes did ErrCarrier, and leaves errors of the line.
func torn(err error) error {
	var line *lineError
	if errors.As(err, &line) {
		return fmt.Errorf("read pack: %w", line.err)
	}
	if errors.Is(err, ErrCarrier) {
		return err
	}
	return fmt.Errorf("%w: pack: %w", ErrCarrier, err)
}

// lineError is an error of the reader below.
type lineError struct{ err error }

func (e *lineError) Error() string { return e.err.Error() }

func (e *lineError) Unwrap() error { return e.err }

// table reads the table of contents.
func (p *PackReader) table(patch []byte, want delta.Content) error {
	var plain bytes.Buffer
	if err := delta.Apply(&plain, nil, 0, bytes.NewReader(patch), want); err != nil {
		return err
	}
	in := &scanner{r: bufio.NewReader(&plain)}
	p.Files.Old, p.Files.New = in.files(), in.files()
	if len(p.Files.New) > 0 {
		p.Files.Sum.SHA256 = in.digest()
		p.Files.Sum.Size = in.length(2 * MaxFiles)
		p.patched = in.length(MaxFiles + MaxFiles/128 + 2048)
	}
	n := in.length(MaxContents)
	for range n {
		if in.err != nil {
			return in.err
		}
		o := PackObject{Way: Way(in.byte()), New: in.name()}
		if o.Way.hasOld() {
			o.Old = in.name()
		}
		o.Size, o.Length = in.number(), in.number()
		p.Objects = append(p.Objects, o)
	}
	if len(p.Files.New)+len(p.Objects) == 0 && in.err == nil {
		in.err = errors.New("a table of contents of nothing")
	}
	if _, err := in.r.ReadByte(); in.err == nil && !errors.Is(err, io.EOF) {
		in.err = errors.New("bytes follow the table of contents")
	}
	return in.err
}

// OpenFiles gives the new files. open gives an old file as it is held; when one
// is not, or not of the size the pack says, nothing can be made of the patch and
// the error is open's, or delta.ErrBase. It must come before Next, and once.
func (p *PackReader) OpenFiles(open func(path string) ([]byte, error)) ([]NamedBytes, error) {
	if len(p.Files.New) == 0 || p.patched < 0 {
		return nil, nil
	}
	var old []byte
	for _, f := range p.Files.Old {
		b, err := open(f.Path)
		if err != nil {
			return nil, fmt.Errorf("old file %s: %w", f.Path, err)
		}
		if int64(len(b)) != f.Size {
			return nil, fmt.Errorf("%w: %s has %d bytes, not %d", delta.ErrBase, f.Path, len(b), f.Size)
		}
		old = append(old, b...)
	}
	old = fold(old)
	body := &io.LimitedReader{R: &line{p.r}, N: p.patched}
	p.patched = -1
	out := bytes.NewBuffer(make([]byte, 0, p.Files.Sum.Size))
	err := delta.Apply(out, bytes.NewReader(old), int64(len(old)), body, p.Files.Sum)
	if err != nil {
		p.body = body
		return nil, torn(err)
	}
	var size int64
	for _, f := range p.Files.New {
		size += f.Size
	}
	all, err := unfold(out.Bytes(), size)
	if err != nil {
		return nil, torn(err)
	}
	files := make([]NamedBytes, len(p.Files.New))
	for i, f := range p.Files.New {
		files[i] = NamedBytes{f.Path, all[:f.Size:f.Size]}
		all = all[f.Size:]
	}
	return files, nil
}

// Next gives the next object that the pack holds, with its patch for
// delta.Apply; what of a patch was not read is passed by. After the last one
// the error is io.EOF, when nothing follows it.
func (p *PackReader) Next() (PackObject, io.Reader, error) {
	if p.patched > 0 {
		p.body = &io.LimitedReader{R: &line{p.r}, N: p.patched}
		p.patched = -1
	}
	if p.body != nil {
		if _, err := io.Copy(io.Discard, p.body); err != nil {
			return PackObject{}, nil, torn(err)
		}
		if p.body.N > 0 {
			return PackObject{}, nil, torn(io.ErrUnexpectedEOF)
		}
		p.body = nil
	}
	for p.next < len(p.Objects) {
		o := p.Objects[p.next]
		p.next++
		if o.Way.inline() {
			p.body = &io.LimitedReader{R: &line{p.r}, N: o.Length}
			return o, p.body, nil
		}
	}
	switch _, err := p.r.ReadByte(); {
	case err == nil:
		return PackObject{}, nil, torn(errors.New("bytes follow the last object"))
	case errors.Is(err, io.EOF):
		return PackObject{}, nil, io.EOF
	default:
		return PackObject{}, nil, torn(&lineError{err})
	}
}

// line marks errors of the line, so that they are not taken for a damaged pack.
type line struct{ r io.Reader }

func (l *line) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &lineError{err}
	}
	return n, err
}

// scanner reads the parts of a pack; after an error it gives zeros.
type scanner struct {
	r   *bufio.Reader
	err error
}

func (s *scanner) bytes(n int64) []byte {
	if s.err != nil {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(&line{s.r}, n))
	if err == nil && int64(len(b)) < n {
		err = io.ErrUnexpectedEOF
	}
	if s.err = err; err != nil {
		return nil
	}
	return b
}

func (s *scanner) byte() byte {
	if s.err != nil {
		return 0
	}
	b, err := s.r.ReadByte()
	switch {
	case errors.Is(err, io.EOF):
		s.err = io.ErrUnexpectedEOF
	case err != nil:
		s.err = &lineError{err}
	}
	return b
}

// number reads a uvarint in its shortest spelling.
func (s *scanner) number() int64 {
	var v int64
	for shift := 0; shift <= 49; shift += 7 {
		b := s.byte()
		if s.err != nil {
			return 0
		}
		if v |= int64(b&0x7f) << shift; b < 0x80 {
			if b == 0 && shift > 0 {
				break
			}
			return v
		}
	}
	s.err = errors.New("a number is not in its shortest spelling, or too large")
	return 0
}

// length reads a number of at most limit.
func (s *scanner) length(limit int64) int64 {
	n := s.number()
	if n > limit && s.err == nil {
		s.err = fmt.Errorf("%d is over the limit of %d", n, limit)
	}
	if s.err != nil {
		return 0
	}
	return n
}

func (s *scanner) digest() (d portal.Digest) {
	copy(d[:], s.bytes(int64(len(d))))
	return d
}

func (s *scanner) name() (n ObjectName) {
	copy(n[:], s.bytes(int64(len(n))))
	return n
}

func (s *scanner) files() []PackFile {
	var files []PackFile
	for n := s.length(MaxContents); n > 0 && s.err == nil; n-- {
		path := string(s.bytes(s.length(maxPath)))
		files = append(files, PackFile{path, s.number()})
	}
	return files
}
