package tuf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of a JSON text. With the lengths in metadata.go they keep the memory
// of a hostile file under 150 MiB: a value costs 64 bytes, a slice may double.
const (
	maxDepth  = 32
	maxValues = 1 << 20
)

type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

// value is one JSON value. text is the decoded string, or the literal or
// number as it was written; members are in the order of their names for an
// object, and nameless for an array.
type value struct {
	kind    kind
	text    string
	members []member
}

type member struct {
	name string
	value
}

// parseJSON decodes exactly one JSON text (RFC 8259), more strictly than
// encoding/json: a name twice in one object, invalid UTF-8, a lone surrogate
// and a byte order mark are errors, and so is anything after the value.
func parseJSON(b []byte) (value, error) {
	if !utf8.Valid(b) {
		return value{}, fmt.Errorf("%w: not UTF-8", ErrFormat)
	}
	p := parser{text: string(b)}
	v := p.value(0)
	p.space()
	if p.err == nil && p.at != len(p.text) {
		p.fail("something after the value")
	}
	if p.err != nil {
		return value{}, p.err
	}
	return v, nil
}

// parser keeps its first error; every step after it does nothing.
type parser struct {
	text   string
	at     int
	values int
	err    error
}

func (p *parser) fail(what string) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: byte %d: %s", ErrFormat, p.at, what)
	}
}

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// peek returns the next byte, or 0 at the end (a real NUL is legal nowhere).
func (p *parser) peek() byte {
	if p.err != nil || p.at >= len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *parser) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.at++
	return true
}

func (p *parser) value(depth int) value {
	p.space()
	if p.values++; p.values > maxValues {
		p.fail("too many values")
	}
	switch c := p.peek(); {
	case (c == '{' || c == '[') && depth >= maxDepth:
		p.fail("nested too deeply")
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		return value{kind: kindString, text: p.string()}
	case c == '-' || '0' <= c && c <= '9':
		return value{kind: kindNumber, text: p.number()}
	default:
		for _, l := range [...]value{{kind: kindNull, text: "null"}, {kind: kindBool, text: "true"}, {kind: kindBool, text: "false"}} {
			if p.err == nil && strings.HasPrefix(p.text[p.at:], l.text) {
				p.at += len(l.text)
				return l
			}
		}
		p.fail("a JSON value belongs here")
	}
	return value{}
}

func (p *parser) array(depth int) value {
	v := value{kind: kindArray}
	p.take('[')
	if p.space(); p.take(']') {
		return v
	}
	for p.err == nil {
		v.members = append(v.members, member{value: p.value(depth + 1)})
		p.space()
		if p.take(']') {
			break
		}
		if !p.take(',') {
			p.fail("a comma or ] belongs here")
		}
	}
	return v
}

func (p *parser) object(depth int) value {
	v := value{kind: kindObject}
	p.take('{')
	if p.space(); p.take('}') {
		return v
	}
	for p.err == nil {
		if p.space(); p.peek() != '"' {
			p.fail("a name belongs here")
		}
		name := p.string()
		if p.space(); !p.take(':') {
			p.fail("a colon belongs here")
		}
		v.members = append(v.members, member{name, p.value(depth + 1)})
		p.space()
		if p.take('}') {
			break
		}
		if !p.take(',') {
			p.fail("a comma or } belongs here")
		}
	}
	byName := func(a, b member) int { return strings.Compare(a.name, b.name) }
	if !slices.IsSortedFunc(v.members, byName) { // our own files are
		slices.SortFunc(v.members, byName)
	}
	for i := 1; i < len(v.members) && p.err == nil; i++ {
		if v.members[i].name == v.members[i-1].name {
			p.fail(fmt.Sprintf("the name %.80q twice", v.members[i].name))
		}
	}
	return v
}

func (p *parser) digits() {
	start := p.at
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.at++
	}
	if p.at == start {
		p.fail("a digit belongs here")
	}
}

func (p *parser) number() string {
	start := p.at
	p.take('-')
	if !p.take('0') {
		p.digits()
	}
	if p.take('.') {
		p.digits()
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		p.digits()
	}
	return p.text[start:p.at]
}

func (p *parser) string() string {
	if !p.take('"') {
		return ""
	}
	start := p.at
	var decoded []byte // stays nil while the text can be used as it stands
	for p.err == nil {
		switch c := p.peek(); {
		case c == '"':
			s := p.text[start:p.at]
			p.at++
			if decoded != nil {
				s = string(append(decoded, s...))
			}
			return s
		case c < ' ':
			p.fail("a string ends, or has a control character")
		case c == '\\':
			decoded = append(decoded, p.text[start:p.at]...)
			p.at++
			decoded = p.escape(decoded)
			start = p.at
		default:
			p.at++
		}
	}
	return ""
}

func (p *parser) escape(dst []byte) []byte {
	c := p.peek()
	p.at++
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		return append(dst, "\"\\/\b\f\n\r\t"[i])
	}
	if c != 'u' {
		p.at--
		p.fail("no such escape")
		return dst
	}
	r := p.hex4()
	if utf16.IsSurrogate(r) {
		var low rune
		if p.take('\\') && p.take('u') {
			low = p.hex4()
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			p.fail("half of a surrogate pair")
		}
	}
	return utf8.AppendRune(dst, r)
}

func (p *parser) hex4() rune {
	if p.at+4 <= len(p.text) {
		if n, err := strconv.ParseUint(p.text[p.at:p.at+4], 16, 16); err == nil {
			p.at += 4
			return rune(n)
		}
	}
	p.fail("four hexadecimal digits belong here")
	return 0
}

// integer reads a whole number written as one: 1.0 and 1e3 are none, and so
// is what int64 cannot hold.
func (v value) integer() (int64, error) {
	n, err := strconv.ParseInt(v.text, 10, 64)
	if v.kind != kindNumber || err != nil {
		return 0, fmt.Errorf("%w: %.40q: not a whole number", ErrFormat, v.text)
	}
	return n, nil
}

// appendCanonical appends v as OLPC canonical JSON, the bytes that TUF signs:
// names in code point order, no white space, only quote and backslash escaped
// (so a control character stands raw, and the result need not be JSON).
func (v value) appendCanonical(dst []byte) ([]byte, error) {
	switch v.kind {
	case kindString:
		return appendQuoted(dst, v.text), nil
	case kindNumber:
		n, err := v.integer()
		return strconv.AppendInt(dst, n, 10), err
	case kindArray, kindObject:
		brackets := "[]"
		if v.kind == kindObject {
			brackets = "{}"
		}
		dst = append(dst, brackets[0])
		for i, m := range v.members {
			if i > 0 {
				dst = append(dst, ',')
			}
			if v.kind == kindObject {
				dst = append(appendQuoted(dst, m.name), ':')
			}
			var err error
			if dst, err = m.appendCanonical(dst); err != nil {
				return nil, err
			}
		}
		return append(dst, brackets[1]), nil
	}
	return append(dst, v.text...), nil
}

func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	return append(dst, '"')
}
