package datapackage

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// kind is the kind of a JSON or YAML value.
type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	list
	object
)

var kindNames = [...]string{"nothing", "a yes or no", "a number", "a text", "a list", "a set of named values"}

// value is one value of a document, JSON or YAML. Scalars keep the spelling
// they have in the file.
type value struct {
	kind  kind
	str   string   // of a scalar
	keys  []string // of an object, in the order of the file; distinct
	items []value  // of a list or an object
}

func (v value) get(key string) (value, bool) {
	for i, k := range v.keys {
		if k == key {
			return v.items[i], true
		}
	}
	return value{}, false
}

// What one document may hold: beyond it lie only attacks. A value takes some 90
// bytes, so 300,000 of them stay far below the 256 MiB of guarantee 5.
const (
	maxDepth  = 32
	maxValues = 300_000
)

// parseJSON reads exactly one JSON text (RFC 8259) and refuses what
// encoding/json lets pass: duplicate keys, invalid UTF-8, lone surrogates.
func parseJSON(data []byte) (value, error) {
	if !utf8.Valid(data) {
		return value{}, fmt.Errorf("is not UTF-8")
	}
	p := jsonParser{in: string(data)}
	v, err := p.value(0)
	if err == nil {
		p.space()
		if p.at < len(p.in) {
			err = p.wrong("something after the end")
		}
	}
	return v, err
}

type jsonParser struct {
	in    string
	at    int
	count int
}

func (p *jsonParser) wrong(format string, args ...any) error {
	at := min(p.at, len(p.in))
	line := 1 + strings.Count(p.in[:at], "\n")
	return fmt.Errorf("line %d, byte %d: %s", line, at-strings.LastIndexByte(p.in[:at], '\n'), fmt.Sprintf(format, args...))
}

func (p *jsonParser) space() {
	for p.at < len(p.in) && strings.IndexByte(" \t\r\n", p.in[p.at]) >= 0 {
		p.at++
	}
}

// take moves over c, after white space, when it comes next.
func (p *jsonParser) take(c byte) bool {
	p.space()
	if p.at < len(p.in) && p.in[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *jsonParser) value(depth int) (value, error) {
	if p.count++; p.count > maxValues {
		return value{}, p.wrong("more than %d values", maxValues)
	}
	if depth > maxDepth {
		return value{}, p.wrong("nested more than %d deep", maxDepth)
	}
	p.space()
	if p.at == len(p.in) {
		return value{}, p.wrong("ends too early")
	}
	switch c := p.in[p.at]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.list(depth)
	case c == '"':
		s, err := p.text()
		return value{kind: text, str: s}, err
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	}
	for word, k := range map[string]kind{"null": null, "true": boolean, "false": boolean} {
		if strings.HasPrefix(p.in[p.at:], word) {
			p.at += len(word)
			return value{kind: k, str: word}, nil
		}
	}
	return value{}, p.wrong("not a JSON value")
}

func (p *jsonParser) object(depth int) (value, error) {
	p.at++
	v := value{kind: object}
	if p.take('}') {
		return v, nil
	}
	seen := map[string]bool{}
	for {
		p.space()
		if p.at == len(p.in) || p.in[p.at] != '"' {
			return v, p.wrong("a name in quotation marks is missing")
		}
		key, err := p.text()
		if err != nil {
			return v, err
		}
		if seen[key] {
			return v, p.wrong("%.80q stands twice", key)
		}
		seen[key] = true
		if !p.take(':') {
			return v, p.wrong("a colon is missing")
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.keys, v.items = append(v.keys, key), append(v.items, item)
		if p.take('}') {
			return v, nil
		}
		if !p.take(',') {
			return v, p.wrong("a comma is missing")
		}
	}
}

func (p *jsonParser) list(depth int) (value, error) {
	p.at++
	v := value{kind: list}
	if p.take(']') {
		return v, nil
	}
	for {
		item, err := p.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
		if p.take(']') {
			return v, nil
		}
		if !p.take(',') {
			return v, p.wrong("a comma is missing")
		}
	}
}

func (p *jsonParser) number() (value, error) {
	n := numberLength(p.in[p.at:])
	if n == 0 || n > 100 {
		return value{}, p.wrong("not a number")
	}
	p.at += n
	return value{kind: number, str: p.in[p.at-n : p.at]}, nil
}

// numberLength is how many bytes at the beginning of s are a JSON number.
func numberLength(s string) int {
	i := 0
	digits := func() bool {
		from := i
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(s) && s[i] == '-' {
		i++
	}
	if i < len(s) && s[i] == '0' {
		i++
	} else if !digits() {
		return 0
	}
	if i < len(s) && s[i] == '.' {
		if i++; !digits() {
			return 0
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digits() {
			return 0
		}
	}
	return i
}

// text reads a string from its opening quotation mark to its closing one.
func (p *jsonParser) text() (string, error) {
	p.at++
	from := p.at
	var b *strings.Builder // nil as long as the text has no escape
	for p.at < len(p.in) {
		switch c := p.in[p.at]; {
		case c == '"':
			s := p.in[from:p.at]
			p.at++
			if b == nil {
				return strings.Clone(s), nil
			}
			b.WriteString(s)
			return b.String(), nil
		case c < ' ':
			return "", p.wrong("a control character in a text")
		case c == '\\':
			if b == nil {
				b = &strings.Builder{}
			}
			b.WriteString(p.in[from:p.at])
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
			from = p.at
		default:
			p.at++
		}
	}
	return "", p.wrong("a text does not end")
}

func (p *jsonParser) escape() (rune, error) {
	if p.at+1 >= len(p.in) {
		return 0, p.wrong("a text does not end")
	}
	c := p.in[p.at+1]
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		p.at += 2
		return rune("\"\\/\b\f\n\r\t"[i]), nil
	}
	r, ok := p.hex4()
	if !ok {
		return 0, p.wrong("an unknown escape in a text")
	}
	if utf16.IsSurrogate(r) {
		low, ok := p.hex4()
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return 0, p.wrong("half a character (a lone surrogate) in a text")
		}
	}
	return r, nil
}

// hex4 reads \uXXXX.
func (p *jsonParser) hex4() (rune, bool) {
	if len(p.in)-p.at < 6 || p.in[p.at] != '\\' || p.in[p.at+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(p.in[p.at+2 : p.at+6]) {
		i := strings.IndexByte("0123456789abcdef", c|0x20)
		if c < '0' || i < 0 {
			return 0, false
		}
		r = r<<4 | rune(i)
	}
	p.at += 6
	return r, true
}
