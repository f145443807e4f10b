package chart

import (
	"math"
	"slices"
)

// FindingKind says which sentence a finding makes.
type FindingKind string

// The sentences. The words are ui/locale's, one key a kind: "chart.found.change".
const (
	FoundChange   FindingKind = "change"   // Label: Value, Diff more (less) than in Other, which had Before
	FoundSame     FindingKind = "same"     // Label: Value, as in Other
	FoundValue    FindingKind = "value"    // Label: Value
	FoundExtremes FindingKind = "extremes" // most in Label: Value; least in Other: Before
	FoundGap      FindingKind = "gap"      // Label: Series Value, OtherSeries Before, a gap of Diff
	FoundMost     FindingKind = "most"     // Label: most in Series, Value; least in OtherSeries, Before
	FoundShare    FindingKind = "share"    // Label: Series is Diff (of 1) of the whole, Before
)

// Finding is the one thing that a figure says first. It is computed from what is
// drawn and marked as computed where it is shown; it claims no cause, and nothing
// across a break.
type Finding struct {
	Kind                FindingKind
	Label, Other        string
	Series, OtherSeries string
	Value, Before, Diff float64
}

// Find gives the finding of a figure; ok is false when there is nothing to say.
// A figure of two series tells their gap where it is widest, or at its Mark.
func (f Figure) Find() (found Finding, ok bool) {
	if f.check() != nil {
		return Finding{}, false
	}
	switch f.Kind {
	case Line, Spark, Multiples:
		if len(f.Series) == 1 {
			return f.change()
		}
		return f.across(len(f.Labels) - 1)
	case Bars, Dots, Map:
		return f.extremes()
	case Grouped, Gap, Pyramid:
		if len(f.Series) == 1 {
			return f.extremes()
		}
		return f.across(f.widest())
	case Stacked, Shares:
		return f.share()
	}
	return Finding{}, false
}

// change compares the last value with the one before.
func (f Figure) change() (Finding, bool) {
	values := f.Series[0].Values
	last := -1
	for i, v := range slices.Backward(values) {
		if !math.IsNaN(v) {
			last = i
			break
		}
	}
	found := Finding{Kind: FoundValue, Label: f.Labels[last], Value: values[last]}
	for i := last - 1; i >= 0 && !slices.Contains(f.Breaks, i+1); i-- {
		if math.IsNaN(values[i]) {
			continue
		}
		found.Kind, found.Other, found.Before, found.Diff = FoundChange, f.Labels[i], values[i], values[last]-values[i]
		if found.Diff == 0 {
			found.Kind = FoundSame
		}
		break
	}
	return found, true
}

// extremes are the most and the least of the labels. One label alone, or all
// alike, say nothing.
func (f Figure) extremes() (Finding, bool) {
	hi, lo := -1, -1
	for i, v := range f.Series[0].Values {
		if math.IsNaN(v) {
			continue
		}
		if hi < 0 || v > f.Series[0].Values[hi] {
			hi = i
		}
		if lo < 0 || v < f.Series[0].Values[lo] {
			lo = i
		}
	}
	most, least := f.Series[0].Values[hi], f.Series[0].Values[lo]
	if most == least {
		return Finding{}, false
	}
	return Finding{Kind: FoundExtremes, Label: f.Labels[hi], Value: most, Other: f.Labels[lo], Before: least, Diff: most - least}, true
}

// widest is the label whose two series differ most, or the one that stands out.
func (f Figure) widest() int {
	if f.Mark >= 0 && f.Mark < len(f.Labels) {
		return f.Mark
	}
	at, most := 0, -1.0
	for i := range f.Labels {
		if gap := math.Abs(f.Series[0].Values[i] - f.Series[1].Values[i]); gap > most {
			at, most = i, gap
		}
	}
	return at
}

// across compares the series at one label: two by their gap, more by the most
// and the least.
func (f Figure) across(label int) (Finding, bool) {
	hi, lo := -1, -1
	for i, s := range f.Series {
		switch v := s.Values[label]; {
		case math.IsNaN(v):
		case hi < 0:
			hi, lo = i, i
		case v > f.Series[hi].Values[label]:
			hi = i
		case v < f.Series[lo].Values[label]:
			lo = i
		}
	}
	if hi == lo { // one is known, or none
		return Finding{}, false
	}
	found := Finding{Kind: FoundMost, Label: f.Labels[label]}
	if len(f.Series) == 2 {
		found.Kind, hi, lo = FoundGap, 0, 1
	}
	found.Series, found.Value = f.Series[hi].Name, f.Series[hi].Values[label]
	found.OtherSeries, found.Before = f.Series[lo].Name, f.Series[lo].Values[label]
	found.Diff = found.Value - found.Before
	return found, true
}

// share is the greatest part of the first label's whole.
func (f Figure) share() (Finding, bool) {
	at := max(f.Mark, 0)
	if at >= len(f.Labels) {
		at = 0
	}
	whole, most := 0.0, -1
	for i, s := range f.Series {
		v := s.Values[at]
		if math.IsNaN(v) {
			return Finding{}, false // a part is not known: no share of the whole is
		}
		whole += v
		if most < 0 || v > f.Series[most].Values[at] {
			most = i
		}
	}
	if whole == 0 {
		return Finding{}, false
	}
	v := f.Series[most].Values[at]
	return Finding{Kind: FoundShare, Label: f.Labels[at], Series: f.Series[most].Name, Value: v, Before: whole, Diff: v / whole}, true
}
