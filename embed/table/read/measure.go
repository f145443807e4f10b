package read

import (
	"slices"
	"strings"

	"koprik/portal"
	"koprik/portal/lang"
	"koprik/portal/period"
)

// asMeasure: numbers that are nothing else. The unit is taken from the labels,
// in the publisher's words.
func (s *subject) asMeasure(rows int64) portal.Meaning {
	m := guessed(portal.RoleMeasure, "", 80)
	m.Unit, m.Scale = s.unit()
	if m.Unit != "" {
		m.Confidence = 95
	} else if n := int64(len(s.tally.values.counts)); !s.tally.values.many && s.field.Type == "integer" && n <= 10 && rows >= 40 {
		m.Confidence = 55 // few whole numbers that come again may be codes
	}
	rate := strings.Contains(m.Unit+s.field.Name, "%") || rateWords.in(keysOf(m.Unit)) || s.says(rateWords)
	m.Additive = !rate && (s.field.Type == "integer" || m.Scale > 1)
	return m
}

// scaleOf reads what a unit is counted in.
func scaleOf(keys []string) int64 {
	switch {
	case thousandWords.in(keys):
		return 1_000
	case millionWords.in(keys):
		return 1_000_000
	case billionWords.in(keys):
		return 1_000_000_000
	case trillionWords.in(keys):
		return 1_000_000_000_000
	}
	return 0
}

// unit finds the unit in a title, in a description or in the name: what stands
// in brackets or after the last comma, if it reads like one.
func (s *subject) unit() (unit string, scale int64) {
	f := s.field
	var texts []string
	for _, t := range []portal.Text{f.Title, f.Description} {
		texts = append(texts, t.Plain)
		for _, l := range portal.Langs {
			texts = append(texts, t.Translated[l])
		}
	}
	for _, text := range append(texts, f.Name) {
		if u := unitIn(text); u != "" {
			return u, scaleOf(keysOf(u))
		}
	}
	var own []string
	for _, w := range s.keys {
		switch {
		case scaleOf([]string{w}) != 0, strings.HasPrefix(w, "percent"), strings.HasPrefix(w, "foiz"), strings.HasPrefix(w, "protsent"):
			own = append(own, w)
		}
	}
	if len(own) == 0 {
		return "", 0
	}
	for w := range strings.FieldsFuncSeq(f.Name, func(r rune) bool { return r == '_' || r == ' ' || r == '-' }) {
		if k := lang.FoldLoose(w); slices.Contains(own, k) {
			return w, scaleOf(own)
		}
	}
	return "", 0
}

// unitIn finds a unit at the end of a text.
func unitIn(text string) string {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > 1000 {
		return ""
	}
	for _, cut := range []string{"(", ", ", "; ", " — ", " – "} {
		i := strings.LastIndex(text, cut)
		if i < 0 {
			continue
		}
		u := strings.Trim(strings.TrimSpace(text[i+len(cut):]), "().:; ")
		keys := keysOf(u)
		if u == "%" || len(keys) > 0 && len(keys) <= 4 && (unitWords.has(keys[0]) || scaleOf(keys[:1]) != 0 || strings.HasPrefix(u, "%")) {
			return u
		}
	}
	// a comma before the last: "ming kishi, 2010-yil 1-yanvar holatiga"
	for part := range strings.SplitSeq(text, ", ") {
		keys := keysOf(part)
		if len(keys) > 1 && len(keys) <= 3 && scaleOf(keys[:1]) != 0 && unitWords.has(keys[len(keys)-1]) {
			return strings.TrimSpace(part)
		}
	}
	if strings.HasSuffix(text, "%") {
		return "%"
	}
	return ""
}

// aspect is what a measure's label says of the part that it is about.
type aspect struct {
	sex, period string
	total       bool
	rest        string // the other words
}

// partOf reads a label.
func partOf(label string) aspect {
	var p aspect
	keys := keysOf(label)
	if when, rest, ok := period.In(label); ok {
		p.period, keys = when.String(), rest
	}
	p.sex, keys = lang.SexOf(keys)
	var rest []string
	for _, k := range keys {
		if p.sex == "" && (totalWords.has(k) || bothWords.has(k)) {
			p.total = true
			continue
		}
		rest = append(rest, k)
	}
	p.rest = strings.Join(rest, " ")
	return p
}

// families finds measures that stand side by side: women and men, one column a
// year.
func families(subjects []*subject) {
	var measures []*subject
	parts := map[*subject]aspect{}
	for _, s := range subjects {
		if s.m.Role != portal.RoleMeasure {
			continue
		}
		p := partOf(s.field.Name)
		if p.sex == "" {
			if title := partOf(s.field.Title.Plain); title.sex != "" {
				p.sex = title.sex
			}
		}
		measures = append(measures, s)
		parts[s] = p
	}
	bySex(measures, parts)
	byPeriod(measures, parts)
}

// bySex pairs women's and men's columns whose other words and period are alike,
// and finds the total beside them.
func bySex(measures []*subject, parts map[*subject]aspect) {
	type key struct{ rest, period string }
	pairs := map[key]map[string]*subject{}
	for _, s := range measures {
		p := parts[s]
		if p.sex == "" {
			continue
		}
		k := key{p.rest, p.period}
		if pairs[k] == nil {
			pairs[k] = map[string]*subject{}
		}
		if pairs[k][p.sex] == nil {
			pairs[k][p.sex] = s
		}
	}
	for _, s := range measures {
		p := parts[s]
		pair := pairs[key{p.rest, p.period}]
		if len(pair) != 2 {
			continue
		}
		switch {
		case pair[p.sex] == s:
			s.m.Sex = p.sex
		case p.sex == "" && (p.total || p.rest != "" && unlessUnit(p.rest)) && s.field.Type == pair[portal.SexFemale].field.Type:
			s.m.Sex = portal.SexBoth
		default:
			continue
		}
		s.m.Of = pair[portal.SexFemale].field.Name
		s.m.Confidence = max(s.m.Confidence, 90)
	}
}

// unlessUnit: a rest that only says a scale names no measure.
func unlessUnit(rest string) bool {
	keys := strings.Fields(rest)
	return scaleOf(keys) == 0 || len(keys) > 1
}

// byPeriod joins columns that differ in their period only.
func byPeriod(measures []*subject, parts map[*subject]aspect) {
	type key struct{ rest, sex string }
	groups := map[key][]*subject{}
	for _, s := range measures {
		p := parts[s]
		if p.period == "" {
			continue
		}
		s.m.Period = p.period
		groups[key{p.rest, p.sex}] = append(groups[key{p.rest, p.sex}], s)
	}
	for _, group := range groups {
		if len(group) < 2 {
			continue
		}
		for _, s := range group {
			if s.m.Of == "" {
				s.m.Of = group[0].field.Name
			}
			s.m.Confidence = max(s.m.Confidence, 90)
		}
	}
}
