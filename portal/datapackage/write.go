package datapackage

import (
	"strconv"
	"unicode/utf8"

	"koprik/portal"
)

// writer builds compact JSON whose bytes depend on nothing but the calls.
type writer struct {
	b     []byte
	comma bool
}

func (w *writer) sep() {
	if w.comma {
		w.b = append(w.b, ',')
	}
	w.comma = true
}

func (w *writer) open(c byte)  { w.sep(); w.b = append(w.b, c); w.comma = false }
func (w *writer) close(c byte) { w.b = append(w.b, c); w.comma = true }

func (w *writer) key(k string) {
	w.sep()
	w.b = append(appendString(w.b, k), ':')
	w.comma = false
}

func (w *writer) literal(s string) { w.sep(); w.b = append(w.b, s...) }
func (w *writer) string(s string)  { w.sep(); w.b = appendString(w.b, s) }

// The fields below write nothing when there is nothing to say.

func (w *writer) stringField(k, s string) {
	if s != "" {
		w.key(k)
		w.string(s)
	}
}

func (w *writer) intField(k string, n int64) {
	w.key(k)
	w.literal(strconv.FormatInt(n, 10))
}

func (w *writer) listField(k string, list []string) {
	if list == nil {
		return
	}
	w.key(k)
	w.open('[')
	for _, s := range list {
		w.string(s)
	}
	w.close(']')
}

// textField writes a text as a plain string and a sibling with its
// translations, in the order of portal.Langs.
func (w *writer) textField(k string, t portal.Text) {
	w.stringField(k, t.Plain)
	if len(t.Translated) == 0 {
		return
	}
	w.key(k + translated)
	w.open('{')
	for _, l := range portal.Langs {
		w.stringField(string(l), t.Translated[l])
	}
	w.close('}')
}

// value writes a parsed value with its members in their order.
func (w *writer) value(v value) {
	switch v.kind {
	case list:
		w.open('[')
		for _, item := range v.items {
			w.value(item)
		}
		w.close(']')
	case object:
		w.open('{')
		for i, k := range v.keys {
			w.key(k)
			w.value(v.items[i])
		}
		w.close('}')
	case text:
		w.string(v.str)
	case number:
		n, _ := jsonNumber(v.str)
		w.literal(n)
	case null:
		w.literal("null")
	default:
		w.literal(v.str)
	}
}

// appendString quotes s by the shortest rule of RFC 8259: only the quotation
// mark, the backslash and control characters are escaped.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
