package chart_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"koprik/ui/chart"
)

func TestAFigureSaysOneThingFirst(t *testing.T) {
	labels := []string{"a", "b", "c"}
	one := func(kind chart.Kind, values ...float64) chart.Figure {
		return chart.Figure{Kind: kind, Labels: labels, Series: []chart.Series{{Name: "s", Values: values}}, Mark: -1}
	}
	two := func(kind chart.Kind, mark int) chart.Figure {
		return chart.Figure{Kind: kind, Labels: labels, Mark: mark, Series: []chart.Series{{Name: "w", Values: []float64{10, 20, 30}}, {Name: "m", Values: []float64{12, 15, 30}}}}
	}
	broken := one(chart.Line, 1, 2, 3)
	broken.Breaks = []int{2}
	for name, tt := range map[string]struct {
		figure chart.Figure
		want   chart.Finding
	}{
		"a change":                     {one(chart.Line, 1, 2, 5), chart.Finding{Kind: chart.FoundChange, Label: "c", Other: "b", Value: 5, Before: 2, Diff: 3}},
		"a change since what is known": {one(chart.Line, 1, nan, 5), chart.Finding{Kind: chart.FoundChange, Label: "c", Other: "a", Value: 5, Before: 1, Diff: 4}},
		"the last that is known":       {one(chart.Line, 4, 1, nan), chart.Finding{Kind: chart.FoundChange, Label: "b", Other: "a", Value: 1, Before: 4, Diff: -3}},
		"no change":                    {one(chart.Line, 1, 2, 2), chart.Finding{Kind: chart.FoundSame, Label: "c", Other: "b", Value: 2, Before: 2}},
		"nothing across a break":       {broken, chart.Finding{Kind: chart.FoundValue, Label: "c", Value: 3}},
		"most and least":               {one(chart.Bars, 4, nan, 1), chart.Finding{Kind: chart.FoundExtremes, Label: "a", Other: "c", Value: 4, Before: 1, Diff: 3}},
		"the widest gap":               {two(chart.Gap, -1), chart.Finding{Kind: chart.FoundGap, Label: "b", Series: "w", OtherSeries: "m", Value: 20, Before: 15, Diff: 5}},
		"the gap of the reader's own":  {two(chart.Grouped, 0), chart.Finding{Kind: chart.FoundGap, Label: "a", Series: "w", OtherSeries: "m", Value: 10, Before: 12, Diff: -2}},
		"lines at their end":           {two(chart.Line, -1), chart.Finding{}},
		"a share":                      {two(chart.Shares, 1), chart.Finding{Kind: chart.FoundShare, Label: "b", Series: "w", Value: 20, Before: 35, Diff: 20.0 / 35}},
		"all alike":                    {one(chart.Bars, 2, 2, 2), chart.Finding{}},
	} {
		found, ok := tt.figure.Find()
		if found != tt.want || ok != (tt.want != chart.Finding{}) {
			t.Errorf("%s: %+v %v", name, found, ok)
		}
	}
}

func TestAFindingIsMadeOfWhatIsDrawn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFigure(t)
		found, ok := f.Find()
		if !ok {
			return
		}
		if math.IsNaN(found.Value) || math.IsNaN(found.Before) || math.IsNaN(found.Diff) {
			t.Fatalf("%+v", found)
		}
		drawn := false
		for _, s := range f.Series {
			for _, v := range s.Values {
				drawn = drawn || v == found.Value
			}
		}
		if !drawn {
			t.Fatalf("%+v is not drawn", found)
		}
	})
}
