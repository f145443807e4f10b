package tuf

import (
	"bytes"
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
	p := parser{tokens: json.NewDecoder(bytes.NewReader(b))}
	p.tokens.UseNumber()
	return p.value(0), p.err
}

// parser walks a text that is known to be valid JSON, and stops at an error.
type parser struct {
	tokens *json.Decoder
	values int
	err    error
}

func (p *parser) value(depth int) any {
	if p.values++; p.values > maxValues || depth > maxDepth {
		p.err = errors.New("too many values, or nested too deeply")
		return nil
	}
	token, _ := p.tokens.Token()
	switch token {
	case json.Delim('['):
		list := []any{}
		for p.err == nil && p.tokens.More() {
			list = append(list, p.value(depth+1))
		}
		_, _ = p.tokens.Token()
		return list
	case json.Delim('{'):
		object := map[string]any{}
		for p.err == nil && p.tokens.More() {
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
		_, _ = p.tokens.Token()
		return object
	}
	if s, ok := token.(string); ok && strings.ContainsRune(s, utf8.RuneError) {
		p.err = fmt.Errorf("%.80q: invalid UTF-8, a lone surrogate, or U+FFFD", s)
	}
	return token
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
