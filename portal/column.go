package portal

import (
	"fmt"
	"slices"
	"strings"
)

// ColumnRole says what a column means to a reader, where Field.Type says how its
// values are written. Charts, maps and sentences are made from roles.
type ColumnRole string

// The roles. Time, region, sex, age and category are dimensions: they say what a
// row is about. A measure is what was counted. A later version may have more:
// take a role that you do not know for RoleText.
const (
	RoleTime     ColumnRole = "time"
	RoleRegion   ColumnRole = "region"
	RoleSex      ColumnRole = "sex"
	RoleAge      ColumnRole = "age"
	RoleCategory ColumnRole = "category"
	RoleMeasure  ColumnRole = "measure"
	RoleUnit     ColumnRole = "unit"     // the unit of the row's measure, row by row
	RoleID       ColumnRole = "id"       // codes and running numbers: never added up, never drawn
	RoleText     ColumnRole = "text"     // remarks, names, addresses
	RoleGeometry ColumnRole = "geometry" // GeoJSON, WKT, a longitude or a latitude
)

// ColumnRoles are all of them, in the order in which documents list them.
var ColumnRoles = []ColumnRole{
	RoleTime, RoleRegion, RoleSex, RoleAge, RoleCategory, RoleMeasure, RoleUnit, RoleID, RoleText, RoleGeometry,
}

// Kinds narrow a role.
const (
	KindDate    = "date"    // of RoleTime: 2026-01-31
	KindMoment  = "moment"  // 2026-01-31T10:00:00
	KindYear    = "year"    // 2026, and school years: 2025/2026
	KindHalf    = "half"    // 2026-H1
	KindQuarter = "quarter" // 2026-Q1
	KindMonth   = "month"   // 2026-01, 2026-M01 (the М also Cyrillic)
	KindPeriod  = "period"  // several of these in one column
	KindSpan    = "span"    // from a day to a day: 26.07.2024 — 23.03.2025

	KindSOATO = "soato" // of RoleRegion: 1703, 1703202
	KindISO   = "iso"   // UZ-AN
	KindName  = "name"  // Andijon viloyati; Lang says in which language

	KindCode      = "code"      // of RoleCategory and RoleSex: the codes of a column of words (SameAs)
	KindFlag      = "flag"      // of RoleCategory: yes and no
	KindLongitude = "longitude" // of RoleGeometry
	KindLatitude  = "latitude"
)

// Kinds are all of them.
var Kinds = []string{
	KindDate, KindMoment, KindYear, KindHalf, KindQuarter, KindMonth, KindPeriod, KindSpan,
	KindSOATO, KindISO, KindName, KindCode, KindFlag, KindLongitude, KindLatitude,
}

// Values of Meaning.Sex.
const (
	SexFemale = "female"
	SexMale   = "male"
	SexBoth   = "both" // the total beside the two
)

// Sexes are the values of Meaning.Sex.
var Sexes = []string{SexFemale, SexMale, SexBoth}

// Meaning is what a column means: in a release as the member "koprik" of a
// schema's field, in TableInfo of every table that is read. The zero value says
// that nobody knows.
type Meaning struct {
	Role ColumnRole
	Kind string // "" or one of the kinds
	// Lang is the language of the words in a column that stands in several
	// languages (region_uz, region_ru); "" where there is only one.
	Lang Lang
	// SameAs names the column that says the same: the first of columns with one
	// dimension in other languages or as codes. "" for the first one itself.
	SameAs string
	// Unit of a measure as the publisher wrote it, in his words: "ming kishi", "%".
	Unit string
	// Scale is what a value is multiplied by to be in whole units: 1000 for
	// "ming", "тыс.", "thousand". 0 where nothing was said, which means 1.
	Scale int64
	// Additive says that values may be added up over the rows of a dimension.
	// Shares, rates, averages and indexes may not; neither may a stock (the
	// population of a day) over time.
	Additive bool
	// Of names what several measures side by side have in common: the columns
	// "women" and "men", or one column a year. "" where the column stands alone.
	Of string
	// Sex, Period and Age of a measure say which part its column is about.
	Sex    string // SexFemale, SexMale, SexBoth
	Period string // "2025", "2025-Q1", "2025-01"
	Age    string // "0-14", "65+"
	// Totals are values of a dimension, as written, that stand for the whole of
	// others in the same column: "Jami", "Oʻzbekiston Respublikasi". A row with
	// one is a total: do not add it to its parts. Empty and not nil: the publisher
	// says that there are none.
	Totals []string
	// Confidence is in percent; 100 where the publisher said so, less for a guess.
	Confidence int
}

// MaxTotals is how many values of one column may be totals.
const MaxTotals = 100

// Sure is the confidence from which a guess is not marked as uncertain.
const Sure = 80

// Uncertain tells a guess that a person should look at.
func (m Meaning) Uncertain() bool { return m.Role != "" && m.Confidence < Sure }

// Dimension tells whether the column says what its rows are about.
func (m Meaning) Dimension() bool {
	switch m.Role {
	case RoleTime, RoleRegion, RoleSex, RoleAge, RoleCategory:
		return true
	}
	return false
}

// IsTotal tells whether a value of the column stands for the whole of others.
func (m Meaning) IsTotal(value string) bool {
	return slices.Contains(m.Totals, strings.TrimSpace(value))
}

// IsZero tells whether nothing is said.
func (m Meaning) IsZero() bool { return m.Role == "" }

// Equal compares all but the confidence.
func (m Meaning) Equal(o Meaning) bool {
	return m.Role == o.Role && m.Kind == o.Kind && m.Lang == o.Lang && m.SameAs == o.SameAs && m.Unit == o.Unit &&
		m.Scale == o.Scale && m.Additive == o.Additive && m.Of == o.Of && m.Sex == o.Sex && m.Period == o.Period &&
		m.Age == o.Age && slices.Equal(m.Totals, o.Totals)
}

// Find gives the places of the columns of a role, in the order of the table;
// those that say again what another column says (SameAs) are left out.
func (t TableInfo) Find(role ColumnRole) []int {
	var found []int
	for i, f := range t.Columns {
		if f.Meaning.Role == role && f.Meaning.SameAs == "" {
			found = append(found, i)
		}
	}
	return found
}

// meaning checks what a column means. A role that is not known is left: a later
// version wrote it.
func (k *checker) meaning(at string, m Meaning) {
	if m.IsZero() {
		if !m.Equal(Meaning{}) {
			k.add(at+"role", "is missing: what a column means begins with its role")
		}
		return
	}
	for _, w := range []struct {
		name, value string
		limit       int
	}{
		{"role", string(m.Role), 40},
		{"kind", m.Kind, 40},
		{"lang", string(m.Lang), 40},
		{"sameAs", m.SameAs, MaxTitle},
		{"unit", m.Unit, MaxTitle},
		{"of", m.Of, MaxTitle},
		{"sex", m.Sex, 40},
		{"period", m.Period, 40},
		{"age", m.Age, 40},
	} {
		k.line(at+w.name, w.value, w.limit)
	}
	k.count(at+"totals", len(m.Totals), MaxTotals)
	for i, t := range m.Totals[:min(len(m.Totals), MaxTotals)] {
		k.must(fmt.Sprintf("%stotals[%d]", at, i), t, MaxTitle)
	}
	if m.Scale < 0 {
		k.add(at+"scale", "%d is less than nothing", m.Scale)
	}
	if m.Confidence < 1 || m.Confidence > 100 {
		k.add(at+"confidence", "%d: must be from 1 to 100 percent", m.Confidence)
	}
}
