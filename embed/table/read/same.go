package read

import (
	"maps"
	"slices"
	"strings"

	"koprik/portal"
	"koprik/portal/period"
)

// suffixes are the words at the end of a column's name that say its language.
var suffixes = []struct {
	words []string
	lang  portal.Lang
}{
	{[]string{"uz", "cyrl"}, portal.UzbekCyrillic},
	{[]string{"uz", "kiril"}, portal.UzbekCyrillic},
	{[]string{"uzc"}, portal.UzbekCyrillic},
	{[]string{"uzcyrl"}, portal.UzbekCyrillic},
	{[]string{"uz", "latn"}, portal.Uzbek},
	{[]string{"uz", "lat"}, portal.Uzbek},
	{[]string{"uzb"}, portal.Uzbek},
	{[]string{"uz"}, portal.Uzbek},
	{[]string{"kaa"}, portal.Karakalpak},
	{[]string{"qq"}, portal.Karakalpak},
	{[]string{"rus"}, portal.Russian},
	{[]string{"ru"}, portal.Russian},
	{[]string{"eng"}, portal.English},
	{[]string{"en"}, portal.English},
}

// tongue takes the language off the end of a name.
func tongue(keys []string) (base string, l portal.Lang) {
	for _, s := range suffixes {
		if len(keys) > len(s.words) && slices.Equal(keys[len(keys)-len(s.words):], s.words) {
			return strings.Join(keys[:len(keys)-len(s.words)], " "), s.lang
		}
	}
	return strings.Join(keys, " "), ""
}

// sameAs finds columns that say again what another says: in another language, as
// codes, or as another spelling of the same time.
func sameAs(subjects []*subject) {
	groups := map[string][]*subject{}
	var order []string
	for _, s := range subjects {
		k := s.dimension()
		for _, o := range order {
			if other := groups[o][0]; s.samePlaces(other) {
				k = o
			}
		}
		if k != "" {
			if groups[k] == nil {
				order = append(order, k)
			}
			groups[k] = append(groups[k], s)
		}
	}
	for _, k := range order {
		group := groups[k]
		first := group[0]
		for _, s := range group { // words before codes
			if first.m.Kind != portal.KindName && s.m.Kind == portal.KindName {
				first = s
			}
		}
		for _, s := range group {
			if _, l := tongue(s.keys); len(group) > 1 && s.m.Kind != portal.KindSOATO && s.m.Kind != portal.KindISO {
				s.m.Lang = l
			}
			if len(group) > 1 {
				s.m.Confidence = max(s.m.Confidence, 85) // each bears the others out
			}
			if s != first {
				s.m.SameAs, s.m.Role = first.field.Name, first.m.Role
			}
		}
	}
	codesOfWords(subjects)
}

// samePlaces tells whether two columns of regions name the same ones: names
// that are not known are in one and not in the other.
func (s *subject) samePlaces(o *subject) bool {
	if s.m.Role != portal.RoleRegion || o.m.Role != portal.RoleRegion || s.level != o.level || len(s.places) == 0 {
		return false
	}
	both := 0
	for code := range s.places {
		if o.places[code] {
			both++
		}
	}
	return both*10 >= 7*min(len(s.places), len(o.places)) && both > 0
}

// dimension is a key that columns of one dimension share; "" for a column that
// repeats none.
func (s *subject) dimension() string {
	switch s.m.Role {
	case portal.RoleRegion:
		if len(s.places) == 0 {
			return ""
		}
		return "region " + strings.Join(slices.Sorted(maps.Keys(s.places)), " ")
	case portal.RoleTime:
		var all []string
		for v := range s.tally.values.counts {
			p, ok := period.Parse(v)
			if !ok {
				return ""
			}
			all = append(all, p.String())
		}
		if slices.Sort(all); len(all) > 1 {
			return "time " + strings.Join(slices.Compact(all), " ")
		}
	case portal.RoleCategory, portal.RoleText:
		if base, l := tongue(s.keys); l != "" {
			return "words " + base
		}
	case portal.RoleSex, portal.RoleAge:
		return string(s.m.Role)
	}
	return ""
}

// codesOfWords: a column of codes beside exactly one column of as many words.
func codesOfWords(subjects []*subject) {
	for _, s := range subjects {
		n := len(s.tally.values.counts)
		if s.m.Role != portal.RoleID || s.tally.values.many || n < 2 {
			continue
		}
		var words *subject
		for _, w := range subjects {
			if (w.m.Role == portal.RoleCategory || w.m.Role == portal.RoleSex) && w.m.SameAs == "" && w.m.Kind == "" && len(w.tally.values.counts) == n {
				if words != nil {
					words = nil
					break
				}
				words = w
			}
		}
		if words != nil {
			s.m.Role, s.m.Kind, s.m.SameAs = words.m.Role, portal.KindCode, words.field.Name
		}
	}
}
