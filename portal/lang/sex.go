package lang

import (
	"slices"
	"strings"
	"sync"

	"koprik/portal"
)

// sexWords are words for women and men, girls and boys; one with an asterisk
// stands for all that begin like it. fillers may stand beside them and say nothing.
var (
	sexWords = map[string]string{
		portal.SexFemale: "ayol* qiz qizlar qizlari xotin* женщин* женск* девочк* девочек девуш* female females feminine woman women women's girl girls hayal* qızlar",
		portal.SexMale:   "erkak* oʻgʻil мужчин* мужск* мальчик* юнош* male males masculine man men men's boy boys erkek* ul",
	}
	sexFillers = "bolalar balalar дети детей children aholi"
)

// sexKeys are the loose keys of sexWords; what a key begins with stands apart.
type sexKeys struct {
	whole    map[string]string
	begins   map[string][]string
	nothings map[string]bool
}

var sexes = sync.OnceValue(func() sexKeys {
	k := sexKeys{map[string]string{}, map[string][]string{}, map[string]bool{}}
	for sex, list := range sexWords {
		for w := range strings.FieldsSeq(list) {
			if base, ok := strings.CutSuffix(w, "*"); ok {
				k.begins[sex] = append(k.begins[sex], FoldLoose(base))
			} else {
				k.whole[FoldLoose(w)] = sex
			}
		}
	}
	for w := range strings.FieldsSeq(sexFillers) {
		k.nothings[FoldLoose(w)] = true
	}
	return k
})

// SexOf reads the words of a value, a heading or a search, given as loose keys
// (FoldLoose): portal.SexFemale, portal.SexMale, or "" where neither or both are
// named. rest are the other words, without those that say nothing beside; all of
// them where sex is "".
func SexOf(keys []string) (sex string, rest []string) {
	for _, key := range keys {
		switch one := sexes().of(key); {
		case one != "" && sex != "" && one != sex:
			return "", keys
		case one != "":
			sex = one
		case !sexes().nothings[key]:
			rest = append(rest, key)
		}
	}
	if sex == "" {
		return "", keys
	}
	return sex, rest
}

func (k sexKeys) of(key string) string {
	if sex := k.whole[key]; sex != "" {
		return sex
	}
	for _, sex := range []string{portal.SexFemale, portal.SexMale} {
		if slices.ContainsFunc(k.begins[sex], func(b string) bool { return strings.HasPrefix(key, b) }) {
			return sex
		}
	}
	return ""
}
