package tuf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of a JSON text. With maxLength they keep what a hostile file takes
// under 200 MiB; a publisher of 50,000 datasets has 200,000 values.
const (
	maxDepth  = 32
	maxValues = 1 << 20
)

// wireNames are the names that the shapes in metadata.go give a meaning to.
// encoding/json, and so go-tuf, takes "Version" for "version": a name that
// differs from one of these only in case is an error, wherever it stands.
var wireNames = strings.Fields(`_type consistent_snapshot delegations expires hashes keyid keyids keytype keyval keys
	length meta name paths public roles scheme sha256 sig signatures signed snapshot.json spec_version targets
	terminating threshold version x-signed-at`)

// object is a JSON object, its members sorted by name.
type object []member

type member struct {
	name  string
	value any // object, []any, string, json.Number, bool or nil
}

func byName(a, b member) int { return strings.Compare(a.name, b.name) }

// get returns nil when there is no such member.
func (o object) get(name string) any {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// parseJSON reads one JSON text. encoding/json checks the grammar; on top of
// it a name twice in one object, a wire name in another case and invalid UTF-8
// are errors, and so is U+FFFD, which encoding/json makes of lone surrogates.
func parseJSON(b []byte) (any, error) {
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrFormat)
	}
	if !json.Valid(b) {
		return nil, fmt.Errorf("%w: %w", ErrFormat, json.Unmarshal(b, new(json.RawMessage)))
	}
	p := parser{tokens: json.NewDecoder(bytes.NewReader(b))}
	p.tokens.UseNumber()
	v := p.value(0)
	if p.wrong != "" {
		return nil, fmt.Errorf("%w: JSON: %s", ErrFormat, p.wrong)
	}
	return v, nil
}

// parser walks a text that is known to be valid JSON.
type parser struct {
	tokens *json.Decoder
	values int
	wrong  string // the first thing wrong; the walk ends there
}

func (p *parser) value(depth int) any {
	if p.values++; p.values > maxValues || depth > maxDepth {
		p.wrong = "too many values, or nested too deeply"
	}
	token, err := p.tokens.Token()
	if err != nil {
		p.wrong = err.Error()
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for p.wrong == "" && p.tokens.More() {
			list = append(list, p.value(depth+1))
		}
		_, _ = p.tokens.Token()
		return list
	case json.Delim('{'):
		var members object
		for p.wrong == "" && p.tokens.More() {
			name, _ := p.value(depth + 1).(string)
			members = append(members, member{name, p.value(depth + 1)})
		}
		_, _ = p.tokens.Token()
		p.checkNames(members)
		return members
	}
	if s, ok := token.(string); ok && strings.ContainsRune(s, utf8.RuneError) {
		p.wrong = "a lone surrogate, or U+FFFD"
	}
	return token
}

// checkNames sorts the members of an object. Those of our own files are.
func (p *parser) checkNames(members object) {
	if !slices.IsSortedFunc(members, byName) {
		slices.SortFunc(members, byName)
	}
	for i, m := range members {
		if i > 0 && m.name == members[i-1].name {
			p.wrong = fmt.Sprintf("the name %.80q twice", m.name)
		}
		for _, w := range wireNames {
			if m.name != w && strings.EqualFold(m.name, w) {
				p.wrong = fmt.Sprintf("the name %.80q: write %s", m.name, w)
			}
		}
	}
}

// appendCanonical appends v as OLPC canonical JSON, the bytes that TUF signs:
// names in code point order, no white space, only quote and backslash escaped
// (a control character stands raw, so the result need not be JSON). A null,
// and a number that isn't a whole one written as such, are errors.
func appendCanonical(dst []byte, v any) (_ []byte, err error) {
	switch v := v.(type) {
	case string:
		return appendQuoted(dst, v), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return nil, fmt.Errorf("%w: %.40s: not a whole number of 64 bits", ErrFormat, v)
		}
		return strconv.AppendInt(dst, n, 10), nil
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			dst = append(dst, ","[:min(i, 1)]...)
			if dst, err = appendCanonical(dst, e); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case object:
		dst = append(dst, '{')
		for i, m := range v {
			dst = append(dst, ","[:min(i, 1)]...)
			if dst, err = appendCanonical(append(appendQuoted(dst, m.name), ':'), m.value); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	}
	return nil, fmt.Errorf("%w: null", ErrFormat)
}

var escaper = strings.NewReplacer(`"`, `\"`, `\`, `\\`)

func appendQuoted(dst []byte, s string) []byte {
	return append(append(append(dst, '"'), escaper.Replace(s)...), '"')
}
