package index

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"

	"koprik/portal"
	"koprik/portal/lang"
)

//go:embed synonyms.toml
var ownSynonyms []byte

// theOwn reads the program's own synonyms when the first search asks for them:
// that takes a millisecond, in which an index of 600 datasets opens twice. A test
// reads them too, so that they can be read.
var theOwn = sync.OnceValue(func() *synonyms {
	s, err := parseSynonyms(ownSynonyms)
	if err != nil {
		return &synonyms{byKey: map[string][]int{}}
	}
	return s
})

// maxPhrase is the longest entry of the synonyms, in words.
const maxPhrase = 4

// synonyms are words and abbreviations that stand for each other, by the keys
// of any of their forms.
type synonyms struct {
	byKey map[string][]int // places in groups
	// groups are the entries that stand for each other, as they are spelt.
	groups [][]string
}

// synonymFile is the form of synonyms.toml: a list of groups, in each the
// entries by language.
type synonymFile struct {
	Group []map[string][]string `toml:"group"`
}

// parseSynonyms reads a table of synonyms. Unknown languages and entries of more
// than maxPhrase words are errors that name the group.
func parseSynonyms(tables ...[]byte) (*synonyms, error) {
	s := &synonyms{byKey: map[string][]int{}}
	for _, b := range tables {
		var file synonymFile
		meta, err := toml.Decode(string(b), &file)
		var syntax toml.ParseError
		if errors.As(err, &syntax) {
			return nil, portal.Rejected(fmt.Sprintf("line %d", syntax.Position.Line), "%s", syntax.Message)
		}
		if err != nil {
			return nil, portal.Rejected("", "%v", err)
		}
		if keys := meta.Undecoded(); len(keys) > 0 {
			return nil, portal.Rejected(keys[0].String(), "is not known here; a table has [[group]], and in each the entries by language")
		}
		for i, group := range file.Group {
			if err := s.add(i+1, group); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// add adds one group; number is its place in its file.
func (s *synonyms) add(number int, group map[string][]string) error {
	var entries []string
	place := len(s.groups)
	for name := range group {
		if _, err := portal.ParseLang(name); err != nil {
			return portal.Rejected(fmt.Sprintf("group %d", number), "%v", err)
		}
	}
	for _, l := range portal.Langs {
		for _, entry := range group[string(l)] {
			words := lang.Tokens(entry)
			if len(words) == 0 || len(words) > maxPhrase {
				return portal.Rejected(fmt.Sprintf("group %d", number), "%q has %d words, 1 to %d are allowed", entry, len(words), maxPhrase)
			}
			entries = append(entries, entry)
			for _, key := range keysOf(words, l) {
				if !slices.Contains(s.byKey[key], place) {
					s.byKey[key] = append(s.byKey[key], place)
				}
			}
		}
	}
	s.groups = append(s.groups, entries)
	return nil
}

// keysOf gives the keys under which words of a language are found: as they are,
// and by the stems of each family.
func keysOf(words []string, l portal.Lang) []string {
	keys := map[byte][]string{}
	families := []byte{0, turkic, kipchak, russian, english}
	for _, w := range words {
		t := analyse(w, l)
		for _, f := range families {
			key := t.loose
			for _, s := range t.stems {
				if s.family == f {
					key = s.term
				}
			}
			keys[f] = append(keys[f], key)
		}
	}
	var out []string
	for _, f := range families {
		if key := strings.Join(keys[f], " "); !slices.Contains(out, key) {
			out = append(out, key)
		}
	}
	return out
}

// of gives what stands for the words: entries of their groups, without the
// words themselves.
func (s *synonyms) of(words []string) []string {
	var out []string
	own := keysOf(words, "")
	for _, key := range own {
		for _, group := range s.byKey[key] {
			for _, entry := range s.groups[group] {
				if !slices.Contains(out, entry) && lang.FoldLoose(entry) != own[0] {
					out = append(out, entry)
				}
			}
		}
	}
	return out
}
