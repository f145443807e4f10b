package carrier

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
)

// ReadHead reads the beginning of a pack: the snapshots of the mirror and of the
// head, and the head itself.
func ReadHead(r io.Reader) (from, to int64, head []byte, err error) {
	in := &scanner{r: bufio.NewReaderSize(r, 4<<10)}
	p, err := in.head()
	return p.From, p.To, p.Head, err
}

// Rehead copies a pack to w with another head: a timestamp that was signed again
// for the same snapshot. changed is false, and the copy not worth keeping, when
// the head is the same.
func Rehead(w io.Writer, r io.Reader, head []byte) (changed bool, err error) {
	in := &scanner{r: bufio.NewReaderSize(r, 32<<10)}
	p, err := in.head()
	if err != nil || bytes.Equal(p.Head, head) {
		return false, err
	}
	p.Head = head
	if err := p.check(); err != nil {
		return false, err
	}
	if _, err := w.Write(p.begin()); err != nil {
		return false, err
	}
	_, err = io.Copy(w, in.r)
	return true, err
}

// head reads what stands before the table of contents.
func (s *scanner) head() (Pack, error) {
	var p Pack
	if string(s.bytes(int64(len(packMagic)))) != packMagic && s.err == nil {
		s.err = errNoPack
	}
	if form := s.byte(); form != packForm && s.err == nil {
		s.err = &FormError{Form: form}
	}
	p.From, p.To = s.number(), s.number()
	p.Head = s.bytes(s.length(MaxHead))
	if s.err != nil {
		return Pack{}, torn(s.err)
	}
	return p, p.check()
}

// begin writes what stands before the table of contents.
func (p *Pack) begin() []byte {
	b := append([]byte(packMagic), packForm)
	b = binary.AppendUvarint(b, uint64(p.From)) //nolint:gosec // checked
	b = binary.AppendUvarint(b, uint64(p.To))   //nolint:gosec // checked
	b = binary.AppendUvarint(b, uint64(len(p.Head)))
	return append(b, p.Head...)
}
