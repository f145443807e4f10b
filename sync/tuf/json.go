package tuf

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of a JSON text. A publisher of 50,000 datasets has 400,000 values.
const (
	maxDepth  = 32
	maxValues = 1 << 20
)

// wireNames are the names that the shapes in metadata.go give a meaning to.
// encoding/json, and so go-tuf, takes "Version" for "version": a name that
// differs from one of these only in case is an error, wherever it stands.
var wireNames = strings.Fields(`_type consistent_snapshot delegations expires hashes keyid keyids keytype keyval keys
	length meta name path_hash_prefixes paths public roles scheme sha256 sha512 sig signatures signed snapshot.json
	spec_version succinct_roles targets terminating threshold version x-signed-at`)

// parseJSON reads one JSON text into map[string]any, []any, string, json.Number,
// bool and nil. encoding/json checks the grammar; on top of it a name twice in
// one object and a wire name in another case are errors, and so is U+FFFD, which
// encoding/json makes of invalid UTF-8 and of lone surrogates.
func parseJSON(b []byte) (any, error) {
	if !json.Valid(b) {
		return nil, json.Unmarshal(b, new(json.RawMessage)) // says where
	}
	p := parser{text: string(b)}
	return p.value(0), p.err
}

// parser walks a text that is known to be valid JSON, and stops at an error.
// What it gives are pieces of the text, where that has no escapes.
type parser struct {
	text   string // what is left
	values int
	err    error
}

// more skips what only separates values, and tells whether the list or object
// that is being read goes on; its end is taken.
func (p *parser) more() bool {
	p.text = strings.TrimLeft(p.text, " \t\r\n,:")
	ends := p.text[0] == ']' || p.text[0] == '}'
	if ends {
		p.text = p.text[1:]
	}
	return !ends && p.err == nil
}

func (p *parser) value(depth int) any {
	if p.values++; p.values > maxValues || depth > maxDepth {
		p.err = errors.New("too many values, or nested too deeply")
		return nil
	}
	p.text = strings.TrimLeft(p.text, " \t\r\n,:")
	first := p.text[0]
	if first == '[' || first == '{' {
		p.text = p.text[1:]
	}
	switch first {
	case '[':
		list := []any{}
		for p.more() {
			list = append(list, p.value(depth+1))
		}
		return list
	case '{':
		object := map[string]any{}
		for p.more() {
			name, _ := p.value(depth).(string)
			if _, twice := object[name]; twice || name == "path_hash_prefixes" || name == "succinct_roles" {
				p.err = fmt.Errorf("the name %.80q: twice, or a delegation of a kind that is not read", name)
			}
			for _, w := range wireNames {
				if name != w && strings.EqualFold(name, w) {
					p.err = fmt.Errorf("the name %.80q: write %s", name, w)
				}
			}
			object[name] = p.value(depth + 1)
		}
		return object
	case '"':
		return p.string()
	}
	rest := strings.TrimLeft(p.text, "+-.0123456789Eaeflnrstu") // what numbers and literals are made of
	literal := p.text[:len(p.text)-len(rest)]
	p.text = rest
	switch literal {
	case "true", "false":
		return literal == "true"
	case "null":
		return nil
	}
	return json.Number(literal)
}

func (p *parser) string() (s string) {
	end := 1
	for p.text[end] != '"' {
		end += 1 + strings.Count(p.text[end:end+1], `\`) // and what is escaped
	}
	quoted := p.text[:end+1]
	p.text = p.text[end+1:]
	if s = quoted[1:end]; strings.ContainsRune(s, '\\') {
		_ = json.Unmarshal([]byte(quoted), &s) // valid
	}
	if strings.ContainsRune(s, utf8.RuneError) {
		p.err = fmt.Errorf("%.80q: invalid UTF-8, a lone surrogate, or U+FFFD", s)
	}
	return s
}

// appendCanonical appends v as OLPC canonical JSON, the bytes that TUF signs:
// names in code point order, which is that of UTF-8; no white space; only quote
// and backslash escaped (a control character stands raw, so the result need not
// be JSON). A null, and a number that isn't a whole one written as such, are
// errors.
func appendCanonical(dst []byte, v any) (_ []byte, err error) {
	switch v := v.(type) {
	case string:
		return appendQuoted(dst, v), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return nil, fmt.Errorf("%.40s: not a whole number of 64 bits", v)
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
	case map[string]any:
		dst = append(dst, '{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			dst = append(dst, ","[:min(i, 1)]...)
			if dst, err = appendCanonical(append(appendQuoted(dst, name), ':'), v[name]); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	}
	return nil, errors.New("a null")
}

var escaper = strings.NewReplacer(`"`, `\"`, `\`, `\\`)

func appendQuoted(dst []byte, s string) []byte {
	return append(append(append(dst, '"'), escaper.Replace(s)...), '"')
}
