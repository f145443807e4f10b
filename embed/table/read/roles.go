package read

import (
	"regexp"
	"slices"
	"strings"

	"koprik/portal"
	"koprik/portal/lang"
	"koprik/portal/period"
	"koprik/portal/region"
)

// subject is a column whose meaning is sought.
type subject struct {
	at     int // place in the table
	field  *portal.Field
	keys   []string   // loose keys of the words of its name
	labels [][]string // of its name and titles
	text   string     // name, titles and description, for units
	tally  *tally
	m      portal.Meaning
	said   portal.Meaning // what the publisher said
	places map[string]bool
	level  region.Level // the lowest of its places
}

// meanings guesses what the columns mean, by their types, labels and values,
// each by itself and then side by side. What the publisher said stays.
func (p *plan) meanings(sv *survey) {
	subjects := make([]*subject, len(p.columns))
	none := newTally()
	for i := range p.columns {
		c := &p.columns[i]
		s := &subject{at: i, field: &c.field, tally: &none, said: c.field.Meaning}
		if c.from >= 0 {
			s.tally = &sv.cols[c.from]
			s.tally.values.settle()
		}
		s.read()
		s.m = s.guess(sv.rows)
		if s.said.Role != "" && s.said.Role != s.m.Role {
			s.m = portal.Meaning{Role: s.said.Role}
		}
		subjects[i] = s
	}
	categories(subjects, sv.rows)
	sameAs(subjects)
	families(subjects)
	for _, s := range subjects {
		s.totals(subjects)
		s.field.Meaning = s.verdict()
		p.watch(s)
	}
}

// read takes the words of the labels.
func (s *subject) read() {
	f := s.field
	s.keys = keysOf(f.Name)
	s.labels = append(s.labels, s.keys)
	all := []string{f.Name}
	for _, t := range f.Title.All() {
		s.labels = append(s.labels, keysOf(t))
		all = append(all, t)
	}
	s.text = strings.Join(append(all, f.Description.All()...), "\n")
}

// says tells whether a label has one of the words.
func (s *subject) says(w words) bool {
	return slices.ContainsFunc(s.labels, func(keys []string) bool { return w.in(keys) })
}

// named tells whether a short label has one of the words: "Kod", "№", not "Number
// of codes given out".
func (s *subject) named(w words) bool {
	return strings.Contains(s.field.Name, "№") || slices.ContainsFunc(s.labels, func(keys []string) bool { return len(keys) <= 3 && w.in(keys) })
}

// numeric tells a column of numbers.
func (s *subject) numeric() bool {
	switch s.field.Type {
	case "integer", "number":
		return true
	}
	return false
}

// guess is what the column means by itself.
func (s *subject) guess(rows int64) portal.Meaning {
	for _, try := range []func() portal.Meaning{s.byType, s.asRegion, s.asSex, s.asAge, s.asTime, s.byLabel} {
		if m := try(); m.Role != "" {
			return m
		}
	}
	if s.numeric() {
		return s.asMeasure(rows)
	}
	return portal.Meaning{}
}

func guessed(role portal.ColumnRole, kind string, confidence int) portal.Meaning {
	return portal.Meaning{Role: role, Kind: kind, Confidence: confidence}
}

// byType: types that say it all.
func (s *subject) byType() portal.Meaning {
	switch s.field.Type {
	case "date":
		return guessed(portal.RoleTime, portal.KindDate, 95)
	case "datetime":
		return guessed(portal.RoleTime, portal.KindMoment, 95)
	case "year":
		return guessed(portal.RoleTime, portal.KindYear, 95)
	case "yearmonth":
		return guessed(portal.RoleTime, portal.KindMonth, 95)
	case "boolean":
		return guessed(portal.RoleCategory, portal.KindFlag, 90)
	case "geojson", "geopoint":
		return guessed(portal.RoleGeometry, "", 95)
	case "object", "array":
		return guessed(portal.RoleText, "", 80)
	}
	if s.numeric() && len(s.keys) <= 2 {
		switch {
		case s.says(geoLon):
			return guessed(portal.RoleGeometry, portal.KindLongitude, 85)
		case s.says(geoLat):
			return guessed(portal.RoleGeometry, portal.KindLatitude, 85)
		}
	}
	return portal.Meaning{}
}

// asRegion: codes of SOATO or ISO 3166-2, or names of places.
func (s *subject) asRegion() portal.Meaning {
	v := &s.tally.values
	if v.many && !s.says(regionLabels) || len(v.counts) == 0 {
		return portal.Meaning{}
	}
	labelled := s.says(regionLabels)
	switch {
	case v.share(region.IsSOATO) >= 0.95 && (labelled || len(v.counts) > 1 && s.says(idLabels)):
		s.place(func(x string) (region.Place, bool) { return region.BySOATO(x) })
		return guessed(portal.RoleRegion, portal.KindSOATO, 95)
	case s.numeric():
		return portal.Meaning{}
	case v.share(func(x string) bool { _, ok := region.ByISO(x); return ok && len(x) > 1 }) >= 0.9:
		s.place(region.ByISO)
		return guessed(portal.RoleRegion, portal.KindISO, 95)
	}
	share := v.share(func(x string) bool { _, ok := region.ByName(x); return ok || isTotalWord(x) })
	found := len(s.place(region.ByName))
	if share >= 0.7 && (labelled || found > 2) || labelled && share >= 0.4 && found > 2 {
		return guessed(portal.RoleRegion, portal.KindName, 55+int(40*share))
	}
	if share == 1 && found > 0 {
		return guessed(portal.RoleRegion, portal.KindName, 75) // one or two names may be chance
	}
	s.places, s.level = nil, 0
	return portal.Meaning{}
}

// place finds the places among the values.
func (s *subject) place(find func(string) (region.Place, bool)) map[string]bool {
	s.places, s.level = map[string]bool{}, 0
	for v := range s.tally.values.counts {
		if p, ok := find(v); ok {
			s.places[p.SOATO] = true
			s.level = max(s.level, p.Level)
		}
	}
	return s.places
}

// asSex: words for women and men, or their codes under a label that says so.
func (s *subject) asSex() portal.Meaning {
	v := &s.tally.values
	if v.many || len(v.counts) == 0 || len(v.counts) > 12 {
		return portal.Meaning{}
	}
	seen := map[string]bool{}
	for value := range v.counts {
		sex, rest := lang.SexOf(keysOf(value))
		if isTotalWord(value) {
			continue
		}
		if sex == "" || len(rest) > 1 {
			seen = nil
			break
		}
		seen[sex] = true
	}
	labelled := s.says(sexLabels)
	switch {
	case len(seen) == 2, len(seen) == 1 && labelled:
		return guessed(portal.RoleSex, "", 95)
	case labelled && len(v.counts) <= 4 && v.share(isSexCode) == 1:
		return guessed(portal.RoleSex, portal.KindCode, 85)
	}
	return portal.Meaning{}
}

func isSexCode(v string) bool {
	keys := keysOf(v)
	return len(keys) == 1 && (femaleCodes.has(keys[0]) || maleCodes.has(keys[0]) || slices.Contains([]string{"0", "1", "2", "9", "t"}, keys[0]))
}

// ageGroup is how offices write ages: 0-14, 15–29, 65+, 65 yosh va undan katta.
var ageGroup = regexp.MustCompile(`^\D{0,25}\d{1,3}(\s*[-–—]\s*\d{1,3})?\s*(\+|[^\d]{0,40})$`)

func isAge(v string) bool {
	if len(v) > 80 || !ageGroup.MatchString(v) {
		return false
	}
	for _, k := range keysOf(v) {
		if (k[0] < '0' || k[0] > '9') && !ageUnits.has(k) {
			return false
		}
	}
	return true
}

// asAge: years of age under a label that says so, or groups.
func (s *subject) asAge() portal.Meaning {
	v := &s.tally.values
	labelled := slices.ContainsFunc(s.labels, func(keys []string) bool {
		return len(keys) <= 3 && ageLabels.in(keys) && !rateWords.in(keys)
	})
	switch {
	case v.many || len(v.counts) == 0:
		return portal.Meaning{}
	case labelled && s.field.Type == "integer":
		return guessed(portal.RoleAge, "", 90)
	case s.numeric():
		return portal.Meaning{}
	}
	share := v.share(func(x string) bool { return isAge(x) || isTotalWord(x) })
	worded := v.share(func(x string) bool { return isAge(x) && (ageLabels.in(keysOf(x)) || strings.HasSuffix(x, "+")) })
	if labelled && share >= 0.8 || share >= 0.9 && worded > 0 && len(v.counts) > 1 {
		return guessed(portal.RoleAge, "", 90)
	}
	return portal.Meaning{}
}

// asTime: texts that are periods.
func (s *subject) asTime() portal.Meaning {
	v := &s.tally.values
	if v.many || len(v.counts) == 0 {
		return portal.Meaning{}
	}
	if s.numeric() {
		years := v.share(isYear)
		if years == 1 && s.field.Type == "integer" && s.says(timeLabels) {
			return guessed(portal.RoleTime, portal.KindYear, 85)
		}
		return portal.Meaning{}
	}
	if v.share(func(x string) bool { _, _, ok := period.Span(x); return ok }) >= 0.9 {
		return guessed(portal.RoleTime, portal.KindSpan, 90)
	}
	kinds := map[string]int{}
	share := v.share(func(x string) bool {
		p, ok := period.Parse(x)
		if ok {
			kinds[p.Kind]++
		}
		return ok || isTotalWord(x)
	})
	if share < 0.95 || len(kinds) == 0 {
		return portal.Meaning{}
	}
	kind := portal.KindPeriod
	if len(kinds) == 1 {
		for kind = range kinds { //nolint:revive // the only one
		}
	}
	return guessed(portal.RoleTime, kind, 90)
}

var (
	webAddress = regexp.MustCompile(`^(https?://|www\.|[^@\s]+@[^@\s]+\.[a-z]+$)`)
	codeShape  = regexp.MustCompile(`^[A-Z0-9][A-Z0-9./_-]{0,30}$`)
)

// byLabel: units, codes and remarks say so in their label.
func (s *subject) byLabel() portal.Meaning {
	v := &s.tally.values
	switch {
	case !s.numeric() && s.says(unitLabels) && len(v.counts) <= 50 && !v.many:
		return guessed(portal.RoleUnit, "", 85)
	case s.field.Type == "integer" && s.named(idLabels):
		return guessed(portal.RoleID, "", 85)
	case s.numeric():
		return portal.Meaning{}
	case v.share(webAddress.MatchString) >= 0.8, s.says(noteLabels):
		return guessed(portal.RoleText, "", 85)
	case s.named(idLabels) && (v.many || v.share(codeShape.MatchString) >= 0.9):
		return guessed(portal.RoleID, "", 85)
	}
	return portal.Meaning{}
}

// categories settles the columns of words: those whose values come again are
// categories; where nothing else says what a row is about, so are names.
func categories(subjects []*subject, rows int64) {
	measures, dimensions := 0, 0
	for _, s := range subjects {
		switch {
		case s.m.Role == portal.RoleMeasure:
			measures++
		case s.m.Dimension() && s.m.Kind != portal.KindFlag && s.m.Role != portal.RoleTime:
			dimensions++
		}
	}
	for _, s := range subjects {
		if s.m.Role != "" {
			continue
		}
		v := &s.tally.values
		n := int64(len(v.counts))
		switch {
		case s.tally.filled == 0:
			s.m = guessed(portal.RoleText, "", 40)
		case v.many || v.long:
			s.m = guessed(portal.RoleText, "", 75)
		case n*2 <= s.tally.filled:
			s.m = guessed(portal.RoleCategory, "", 85)
		case n*10 <= s.tally.filled*9, n <= 20 && n > 0 && measures > 0 && rows < 40:
			s.m = guessed(portal.RoleCategory, "", 65)
		case measures > 0 && dimensions == 0 && rows <= 1000:
			s.m = guessed(portal.RoleCategory, "", 65)
		default:
			s.m = guessed(portal.RoleText, "", 65)
		}
	}
}

// totals finds the values that stand for the whole of others in the column.
func (s *subject) totals(all []*subject) {
	v := &s.tally.values
	if s.m.Role == portal.RoleMeasure || s.m.Role == portal.RoleGeometry || s.m.Role == portal.RoleUnit || len(v.counts) < 2 {
		return
	}
	var totals []string
	for value := range v.counts {
		if isTotalWord(value) || s.m.Role == portal.RoleRegion && s.above(value, all) {
			totals = append(totals, value)
		}
	}
	if len(totals) == len(v.counts) || len(totals) > portal.MaxTotals {
		return
	}
	slices.Sort(totals)
	s.m.Totals = totals
}

// above tells whether a value of a column of regions is a place that others of
// the column lie in. Where codes stand beside the names they say which place is
// meant: a city may be called as its region is.
func (s *subject) above(value string, all []*subject) bool {
	p, ok := region.Find(value)
	if !ok || p.Level >= s.level {
		return false
	}
	for _, o := range all {
		if o != s && o.m.Kind == portal.KindSOATO && s.sameDimension(o) && len(o.tally.values.counts) >= len(s.tally.values.counts) {
			if _, there := o.places[p.SOATO]; !there {
				return false
			}
		}
	}
	for code := range s.places {
		if code != p.SOATO && (p.Level == region.Country || strings.HasPrefix(code, p.SOATO)) {
			return true
		}
	}
	return false
}

// verdict puts together what was said and what is guessed.
func (s *subject) verdict() portal.Meaning {
	if s.said.Role == "" {
		return s.m
	}
	m := s.said
	if m.Confidence < 100 {
		return m // a guess that travelled in the release
	}
	fill := func(to *string, from string) {
		if *to == "" {
			*to = from
		}
	}
	fill(&m.Kind, s.m.Kind)
	fill(&m.SameAs, s.m.SameAs)
	fill(&m.Unit, s.m.Unit)
	fill(&m.Of, s.m.Of)
	fill(&m.Sex, s.m.Sex)
	fill(&m.Period, s.m.Period)
	if m.Lang == "" {
		m.Lang = s.m.Lang
	}
	if m.Scale == 0 {
		m.Scale = s.m.Scale
	}
	if m.Totals == nil {
		m.Totals = s.m.Totals
	}
	return m
}

// sameDimension tells whether two columns say the same.
func (s *subject) sameDimension(o *subject) bool {
	return s.m.SameAs == o.field.Name || o.m.SameAs == s.field.Name || s.m.SameAs != "" && s.m.SameAs == o.m.SameAs
}
