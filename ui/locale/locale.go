// Package locale holds every word a person reads, in all five languages, and
// how each language writes numbers, dates, ages, sizes and lists.
//
// The words stand in words/*.toml, one file a language, and are compiled in.
// Uzbek in Cyrillic letters is made from words/uz.toml by lang.ToCyrillic;
// words/uz-cyrl.toml holds only what the rules do not give. An administrator's
// file of overrides corrects any wording without a build.
package locale

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"koprik/portal"
	"koprik/portal/lang"
)

//go:embed words/*.toml
var files embed.FS

// Key names a message: "search.button". Keys are written as constants in Go
// and in templates, so that tests find those missing and those unused.
type Key string

// message is one wording. Messages that count something have a form a plural
// category; all others have only the form Other.
type message struct {
	other   string
	counted map[Form]string // the forms beside other; nil where nothing is counted
}

// in gives the wording of a form; "" where the message has none.
func (m message) in(f Form) string {
	if f == Other {
		return m.other
	}
	return m.counted[f]
}

// Catalog holds the words of all languages, overrides applied.
type Catalog struct {
	words  map[portal.Lang]*Words
	digest string
}

// Words are the words of one language. Its methods are what templates call.
// The zero Words answers with keys in brackets.
type Words struct {
	lang     portal.Lang
	reviewed bool
	messages map[Key]message
}

// New reads the compiled-in words and then the overrides, a TOML file with a
// table a language:
//
//	[uz]
//	reviewed = true
//	search.button = "Qidirish"
//	[ru.home]
//	datasets = { one = "…", few = "…", many = "…", other = "…" }
//
// An unknown language, key or placeholder is a portal.Problem that names it.
// Overrides of uz also reach uz-cyrl, unless that has its own.
func New(overrides []byte) (*Catalog, error) {
	over, err := parseOverrides(overrides)
	if err != nil {
		return nil, err
	}
	c := &Catalog{words: map[portal.Lang]*Words{}}
	for _, l := range []portal.Lang{portal.English, portal.Uzbek, portal.Karakalpak, portal.Russian} {
		w, err := load(l)
		if err != nil {
			return nil, err
		}
		c.words[l] = w
	}
	var problems portal.Problems
	for _, l := range portal.Langs {
		if o := over[l]; o != nil && l != portal.UzbekCyrillic {
			c.override(l, o, &problems)
		}
	}
	cyrillic, err := load(portal.UzbekCyrillic)
	if err != nil {
		return nil, err
	}
	cyrillic.fillFrom(c.words[portal.Uzbek])
	c.words[portal.UzbekCyrillic] = cyrillic
	if o := over[portal.UzbekCyrillic]; o != nil {
		c.override(portal.UzbekCyrillic, o, &problems)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	c.digest = c.hash()
	return c, nil
}

// Words gives the words of l; an unknown language gives Uzbek.
func (c *Catalog) Words(l portal.Lang) *Words {
	if w := c.words[l]; w != nil {
		return w
	}
	return c.words[portal.Uzbek]
}

// Digest names these words, overrides included: it changes when any wording
// does, and goes into the ETag of pages.
func (c *Catalog) Digest() string { return c.digest }

// Tag is the language as BCP 47 writes it, for the lang attribute.
func (w *Words) Tag() string { return string(w.lang) }

// Draft tells whether no speaker has reviewed these words.
func (w *Words) Draft() bool { return !w.reviewed }

// T gives the message of key, with its placeholders replaced: args are pairs
// of a name and a value. Integers are written as the language writes them.
// A key that does not exist comes out in brackets; tests see to it that none does.
func (w *Words) T(key Key, args ...any) string {
	m, ok := w.messages[key]
	if !ok {
		return "[" + string(key) + "]"
	}
	return w.fill(m.other, args)
}

// N gives the form of the message that n asks for; {n} is n.
func (w *Words) N(key Key, n int, args ...any) string {
	return w.N64(key, int64(n), args...)
}

// N64 is N for counts that came as int64.
func (w *Words) N64(key Key, n int64, args ...any) string {
	m, ok := w.messages[key]
	if !ok {
		return "[" + string(key) + "]"
	}
	text := m.in(Plural(w.lang, n))
	if text == "" {
		text = m.other
	}
	return w.fill(text, append([]any{"n", n}, args...))
}

// fill replaces placeholders in one pass, so that a value that looks like a
// placeholder stays as it is.
func (w *Words) fill(text string, args []any) string {
	if len(args) < 2 || !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	for text != "" {
		before, rest, _ := strings.Cut(text, "{")
		b.WriteString(before)
		if len(before) == len(text) {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		value, given := w.argument(name, args)
		if !closed || !given {
			b.WriteByte('{')
			text = rest
			continue
		}
		b.WriteString(value)
		text = after
	}
	return b.String()
}

// argument is the value that follows a name.
func (w *Words) argument(name string, args []any) (value string, given bool) {
	for i := 0; i+1 < len(args); i += 2 {
		if n, ok := args[i].(string); ok && n == name || !ok && fmt.Sprint(args[i]) == name {
			return w.value(args[i+1]), true
		}
	}
	return "", false
}

func (w *Words) value(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return w.Int(int64(v))
	case int64:
		return w.Int(v)
	case float64:
		return w.Float(v)
	}
	return fmt.Sprint(v)
}

// fillFrom takes from the Latin catalogue what this one does not have itself.
func (w *Words) fillFrom(latin *Words) {
	for key, m := range latin.messages {
		if _, own := w.messages[key]; own {
			continue
		}
		c := message{other: cyrillic(m.other)}
		for form, text := range m.counted {
			c.count(form, cyrillic(text))
		}
		w.messages[key] = c
	}
}

// cyrillic transliterates everything but the placeholders.
func cyrillic(text string) string {
	var b strings.Builder
	for text != "" {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(lang.ToCyrillic(before))
		if !ok {
			break
		}
		name, after, _ := strings.Cut(rest, "}")
		b.WriteString("{" + name + "}")
		text = after
	}
	return b.String()
}

func load(l portal.Lang) (*Words, error) {
	name := "words/" + l.Path() + ".toml"
	data, err := files.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("words of %s: %w", l, err)
	}
	var tree map[string]any
	if err := toml.Unmarshal(data, &tree); err != nil {
		return nil, fmt.Errorf("words of %s: %w", l, err)
	}
	w := &Words{lang: l, messages: map[Key]message{}}
	var problems portal.Problems
	w.take(tree, "", name, &problems)
	return w, problems.Err()
}

func parseOverrides(data []byte) (map[portal.Lang]map[string]any, error) {
	var tree map[string]any
	if err := toml.Unmarshal(data, &tree); err != nil {
		return nil, portal.Rejected("words", "not a TOML file: %v", err)
	}
	over := map[portal.Lang]map[string]any{}
	for name, v := range tree {
		l, err := portal.ParseLang(name)
		table, ok := v.(map[string]any)
		if err != nil || !ok {
			return nil, portal.Rejected("words: "+name, "must be a table named after a language: uz, uz-cyrl, kaa, ru or en")
		}
		over[l] = table
	}
	return over, nil
}

// override replaces wordings of one language, each checked against English:
// the key must exist there, with the same placeholders.
func (c *Catalog) override(l portal.Lang, table map[string]any, problems *portal.Problems) {
	o := &Words{lang: l, reviewed: c.words[l].reviewed, messages: map[Key]message{}}
	o.take(table, "", "words: "+l.Path(), problems)
	english := c.words[portal.English].messages
	for _, key := range slices.Sorted(maps.Keys(o.messages)) {
		where := fmt.Sprintf("words: %s: %s", l.Path(), key)
		model, ok := english[key]
		if !ok {
			problems.Add(where, "no message has this name")
			continue
		}
		if want, got := model.placeholders(), o.messages[key].placeholders(); !slices.Equal(want, got) {
			problems.Add(where, "must have the placeholders %v, and has %v", want, got)
			continue
		}
		c.words[l].messages[key] = o.messages[key]
	}
	c.words[l].reviewed = o.reviewed
}

// take flattens a TOML tree into messages: tables become parts of keys, and a
// table of plural forms becomes one message.
func (w *Words) take(tree map[string]any, prefix, where string, problems *portal.Problems) {
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		key := prefix + name
		switch v := tree[name].(type) {
		case string:
			w.messages[Key(key)] = message{other: v}
		case bool:
			if key != "reviewed" {
				problems.Add(where+": "+key, "must be a text")
			}
			w.reviewed = v
		case map[string]any:
			if m, ok := plurals(v); ok {
				w.messages[Key(key)] = m
				continue
			}
			w.take(v, key+".", where, problems)
		default:
			problems.Add(where+": "+key, "must be a text")
		}
	}
}

// plurals reads a table of plural forms; ok is false when it is another table.
func plurals(table map[string]any) (m message, ok bool) {
	for name, v := range table {
		form := Form(name)
		text, isText := v.(string)
		if !isText || !slices.Contains(forms, form) {
			return message{}, false
		}
		m.count(form, text)
	}
	return m, m.other != ""
}

func (m *message) count(f Form, text string) {
	if f == Other {
		m.other = text
		return
	}
	if m.counted == nil {
		m.counted = map[Form]string{}
	}
	m.counted[f] = text
}

// placeholders are the names in braces over all forms, sorted.
func (m message) placeholders() []string {
	found := map[string]bool{}
	for _, form := range forms {
		text := m.in(form)
		for {
			_, rest, ok := strings.Cut(text, "{")
			if !ok {
				break
			}
			name, after, _ := strings.Cut(rest, "}")
			found[name] = true
			text = after
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func (c *Catalog) hash() string {
	h := sha256.New()
	for _, l := range portal.Langs {
		w := c.words[l]
		fmt.Fprintln(h, l, w.reviewed)
		for _, key := range slices.Sorted(maps.Keys(w.messages)) {
			for _, form := range forms {
				fmt.Fprintf(h, "%s %s %q\n", key, form, w.messages[key].in(form))
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
