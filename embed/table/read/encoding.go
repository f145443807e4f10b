package read

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"
)

// charset is how a file's bytes become characters.
type charset struct {
	name    string
	enc     encoding.Encoding
	skip    int64  // length of the byte order mark
	guessed string // the name, where nobody said it
}

// open reads the file as UTF-8 without a byte order mark. Bytes that mean
// nothing become U+FFFD.
func (c charset) open(src io.ReaderAt, size int64) *bufio.Reader {
	var r io.Reader = io.NewSectionReader(src, c.skip, size-c.skip)
	if c.enc != nil {
		r = transform.NewReader(r, c.enc.NewDecoder())
	}
	return bufio.NewReaderSize(r, int(min(2*size, textPiece)))
}

// textPiece is how much of a text is read at once, in bytes; of a small one no more
// than there is.
const textPiece = 64 << 10

var (
	utf16le = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	utf16be = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	utf32le = utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)
	utf32be = utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)
)

// charsets are the encodings that a resource may declare, by their names in
// lower case without hyphens, underscores and "x-".
var charsets = map[string]charset{
	"utf8": {name: "utf-8"}, "utf8sig": {name: "utf-8"}, "ascii": {name: "utf-8"}, "usascii": {name: "utf-8"},
	"utf16": {name: "utf-16le", enc: utf16le}, "utf16le": {name: "utf-16le", enc: utf16le}, "utf16be": {name: "utf-16be", enc: utf16be},
	"windows1251": {name: "windows-1251", enc: charmap.Windows1251}, "cp1251": {name: "windows-1251", enc: charmap.Windows1251},
	"koi8r": {name: "koi8-r", enc: charmap.KOI8R}, "koi8u": {name: "koi8-u", enc: charmap.KOI8U},
	"utf32": {name: "utf-32le", enc: utf32le}, "utf32le": {name: "utf-32le", enc: utf32le}, "utf32be": {name: "utf-32be", enc: utf32be},
	"ibm855": {name: "ibm855", enc: charmap.CodePage855}, "cp855": {name: "ibm855", enc: charmap.CodePage855},
	"ibm866": {name: "ibm866", enc: charmap.CodePage866}, "cp866": {name: "ibm866", enc: charmap.CodePage866},
	"iso88595":    {name: "iso-8859-5", enc: charmap.ISO8859_5},
	"maccyrillic": {name: "mac-cyrillic", enc: charmap.MacintoshCyrillic},
	"windows1252": {name: "windows-1252", enc: charmap.Windows1252}, "cp1252": {name: "windows-1252", enc: charmap.Windows1252},
	"latin1": {name: "windows-1252", enc: charmap.Windows1252}, "iso88591": {name: "windows-1252", enc: charmap.Windows1252},
	"windows1250": {name: "windows-1250", enc: charmap.Windows1250}, "cp1250": {name: "windows-1250", enc: charmap.Windows1250},
	"windows1254": {name: "windows-1254", enc: charmap.Windows1254}, "cp1254": {name: "windows-1254", enc: charmap.Windows1254},
	"iso88599": {name: "windows-1254", enc: charmap.Windows1254}, "iso885915": {name: "iso-8859-15", enc: charmap.ISO8859_15},
}

// lookupCharset finds a declared encoding; ok is false for one we don't read.
func lookupCharset(name string) (c charset, ok bool) {
	key := strings.NewReplacer("-", "", "_", "", " ", "", ".", "").Replace(strings.ToLower(name))
	c, ok = charsets[strings.TrimPrefix(key, "x")]
	return c, ok
}

// boms are the byte order marks; UTF-32's stands before UTF-16's, which begins it.
var boms = []struct {
	mark string
	cs   charset
}{
	{"\xef\xbb\xbf", charset{name: "utf-8", skip: 3}},
	{"\xff\xfe\x00\x00", charset{name: "utf-32le", enc: utf32le, skip: 4}},
	{"\x00\x00\xfe\xff", charset{name: "utf-32be", enc: utf32be, skip: 4}},
	{"\xff\xfe", charset{name: "utf-16le", enc: utf16le, skip: 2}},
	{"\xfe\xff", charset{name: "utf-16be", enc: utf16be, skip: 2}},
}

// charset finds how a text file is encoded: by its byte order mark, by what is
// declared, because it is UTF-8, or by the scorer. All of the file is looked
// at: one letter in the last row can decide.
func (rd *reader) charset() (charset, []string, error) {
	head := make([]byte, 4)
	n, err := rd.src.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return charset{}, nil, err
	}
	marked := charset{}
	for _, b := range boms {
		if bytes.HasPrefix(head[:n], []byte(b.mark)) {
			marked = b.cs
			break
		}
	}
	declared, known := lookupCharset(rd.res.Encoding)
	var notes []string
	switch {
	case marked.enc != nil:
		return marked, nil, nil // UTF-16 or -32, as its mark says
	case rd.res.Encoding != "" && !known && rd.strict:
		return charset{}, nil, unreadable(rd.where(nil), "encoding %q is not one that is read here; save the file as UTF-8", rd.res.Encoding)
	case known && declared.enc != nil && marked.name == "":
		return declared, lostLetters(declared.name), nil
	}
	scan, err := scanText(rd.ctx, rd.src, rd.size, marked.skip)
	switch {
	case err != nil:
		return charset{}, nil, err
	case scan.nul > 0 && rd.unmarked(head[:n]).enc != nil:
		wide := rd.unmarked(head[:n])
		wide.guessed = wide.name
		return wide, []string{"the encoding is guessed: " + wide.name}, nil
	case scan.nul > 0:
		return charset{}, nil, unreadable(rd.where(nil), "line %d has a NUL byte: this is not text, or UTF-16 without a byte order mark", scan.nul)
	case scan.invalid == 0:
		return charset{name: "utf-8", skip: marked.skip}, nil, nil
	case known || marked.name != "":
		lossy := charset{name: "utf-8", enc: unicode.UTF8, skip: marked.skip}
		if rd.strict {
			p := unreadable(rd.where(nil), "line %d is not UTF-8, as the file says it is", scan.invalid)
			if best, ok := guessCharset(scan.sample); ok {
				p = unreadable(rd.where(nil), "line %d is not UTF-8, as the file says it is; it looks like %s", scan.invalid, best.name)
			}
			return lossy, nil, p
		}
		return lossy, []string{"some bytes are not UTF-8, as the file says it is; they are shown as \uFFFD"}, nil
	}
	best, ok := guessCharset(scan.sample)
	if !ok {
		if rd.strict {
			return charset{}, nil, unreadable(rd.where(nil), "line %d is not UTF-8, and the encoding cannot be guessed; declare it", scan.invalid)
		}
		best = charsets["windows1252"]
	}
	best.guessed = best.name
	notes = append(notes, "the encoding is guessed: "+best.name)
	return best, append(notes, lostLetters(best.name)...), nil
}

// unmarked guesses UTF-16 and UTF-32 without a byte order mark by where zeros
// stand among the first characters; the zero value is neither.
func (rd *reader) unmarked(head []byte) charset {
	buf := make([]byte, 512)
	n, _ := rd.src.ReadAt(buf, 0) // what cannot be read was met before
	buf = buf[:n&^3]
	var zeros [4]int
	for i, b := range buf {
		if b == 0 {
			zeros[i%4]++
		}
	}
	quarter := len(buf) / 4
	most := func(k int) bool { return zeros[k]*10 >= quarter*5 }
	few := func(k int) bool { return zeros[k] == 0 }
	switch {
	case len(head) < 4 || quarter == 0:
	case most(2) && most(3) && few(0):
		return charset{name: "utf-32le", enc: utf32le}
	case most(0) && most(1) && few(3):
		return charset{name: "utf-32be", enc: utf32be}
	case most(1) && most(3) && few(0) && few(2):
		return charset{name: "utf-16le", enc: utf16le}
	case most(0) && most(2) && few(1) && few(3):
		return charset{name: "utf-16be", enc: utf16be}
	}
	return charset{}
}

// lostLetters warns of an encoding that cannot write Uzbek in Cyrillic.
func lostLetters(name string) []string {
	switch name {
	case "windows-1251", "koi8-r", "ibm855", "ibm866", "iso-8859-5", "mac-cyrillic":
		return []string{name + " has no қ, ғ and ҳ: Uzbek words in Cyrillic may have lost letters"}
	}
	return nil
}

// textScan is what one look over all bytes says.
type textScan struct {
	invalid int    // line of the first byte that is not UTF-8; 0: all is
	nul     int    // line of the first NUL; 0: none
	sample  []byte // lines' parts with bytes over 127
}

const maxSample = 256 << 10

// scanText reads src once in pieces.
func scanText(ctx context.Context, src io.ReaderAt, size, skip int64) (textScan, error) {
	var s textScan
	line := 1
	buf := make([]byte, min(max(size-skip, utf8.UTFMax), textPiece))
	kept := 0 // bytes of a character that the piece before cut
	for off := skip; off < size; {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		n, err := src.ReadAt(buf[kept:min(int64(len(buf)), size-off+int64(kept))], off)
		if n == 0 {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return s, err
		}
		off += int64(n)
		kept = s.look(buf[:kept+n], &line, off >= size)
		copy(buf, buf[:kept])
		if s.nul > 0 {
			break
		}
	}
	return s, nil
}

// look scans one piece, moves the unfinished character at its end to its
// beginning, and gives that character's length so far.
func (s *textScan) look(p []byte, line *int, last bool) (kept int) {
	valid := s.invalid == 0
	for i := 0; i < len(p); i++ {
		switch b := p[i]; {
		case b == '\n':
			*line++
		case b == 0:
			s.nul = *line
			return 0
		case b >= utf8.RuneSelf && valid:
			r, size := utf8.DecodeRune(p[i:])
			if r == utf8.RuneError && size == 1 {
				if !last && !utf8.FullRune(p[i:]) {
					return copy(p, p[i:])
				}
				s.invalid, valid = *line, false
			}
			i += size - 1
		}
	}
	s.collect(p)
	return 0
}

// collect keeps the words around high bytes for the scorer.
func (s *textScan) collect(p []byte) {
	for i := 0; i < len(p) && len(s.sample) < maxSample; i++ {
		if p[i] < utf8.RuneSelf {
			continue
		}
		start, end := max(0, i-1), i
		for end < len(p) && end-i < 64 && (p[end] >= utf8.RuneSelf || isASCIILetter(p[end])) {
			end++
		}
		end = min(end+1, len(p))
		s.sample = append(append(s.sample, p[start:end]...), ' ')
		i = end
	}
}

func isASCIILetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
