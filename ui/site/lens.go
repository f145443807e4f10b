package site

import (
	"math"
	"net/url"
	"strings"

	"koprik/portal"
	"koprik/ui/chart"
)

// lensBox shows women and men of a dataset beside each other, and the gap as a
// number; the struct of the template "lens".
type lensBox struct {
	Women, Men, Gap lensNumber
	Where           string // what is shown: measure, time, whole
	Share           string // what part of both women are, of counts
	Href            string // the figure
}

type lensNumber struct{ Label, Number string }

// lens is that of the first table which is split by sex; nil where none is.
func (v *visit) lens(dataset portal.Dataset) *lensBox {
	for d := range v.smallTables(dataset) {
		d.measures = chart.Measures(d.info.Columns)
		table, err := v.wholeTable(&d)
		if err != nil {
			continue
		}
		for _, d.measure = range d.measures {
			if d.cube, err = chart.NewCube(table, d.measure, v.chartNames()); err != nil {
				continue
			}
			if pair, ok := d.cube.Pair(); ok {
				return v.lensOf(d, pair)
			}
		}
	}
	return nil
}

func (v *visit) lensOf(d drawn, pair chart.Pair) *lensBox {
	d.figure.Series = []chart.Series{{Values: []float64{pair.W, pair.M}}} // a gap has their decimals
	gap := rounded(math.Abs(pair.W-pair.M), d.figure)
	number := func(f float64) string { return v.Float(rounded(f, d.figure)) }
	more := v.T("lens.equal")
	switch {
	case pair.W > pair.M:
		more = v.T("lens.more", "label", pair.Women.Label)
	case pair.M > pair.W:
		more = v.T("lens.more", "label", pair.Men.Label)
	}
	b := &lensBox{
		Women: lensNumber{pair.Women.Label, number(pair.W)}, Men: lensNumber{pair.Men.Label, number(pair.M)}, Gap: lensNumber{more, v.Float(gap)},
		Href: v.figureAddress(d, "chart"),
	}
	parts := []string{v.resourceTitle(d.resource).Text, v.unit(d)}
	for _, h := range pair.Held {
		parts = append(parts, h.Label)
	}
	if pair.Summed {
		parts = append(parts, v.T("lens.summed"))
	}
	b.Where = strings.Join(notEmpty(parts), " · ")
	if sum := pair.W + pair.M; d.cube.Additive && sum > 0 && pair.W >= 0 && pair.M >= 0 {
		b.Share = v.T("lens.share", "label", pair.Women.Label, "share", v.T("chart.percent", "n", v.Float(math.Round(pair.W/sum*1000)/10)))
	}
	for _, p := range d.cube.Plans() {
		if p.Series >= 0 && d.cube.Dims[p.Series].Role == portal.RoleSex || d.cube.Dims[p.Label].Role == portal.RoleSex {
			b.Href += "?" + url.Values{"m": {d.measure.Name}, "view": {viewKey(d.cube, p)}}.Encode()
			break
		}
	}
	return b
}

func notEmpty(texts []string) []string {
	var kept []string
	for _, s := range texts {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return kept
}

// splitBadge is the word beside a dataset that is split by sex; "" beside others.
func (v *visit) splitBadge(r portal.Release) string {
	if split, _ := r.SplitBySex(); split && r.Withdrawn == nil {
		return v.T("sex.yes")
	}
	return ""
}

// breakdown says of a dataset with numbers that none is split by sex, and leads to
// where the split is asked for, where questions are taken.
type breakdown struct {
	Text string
	Ask  Link
}

func (v *visit) breakdown(d portal.Dataset) *breakdown {
	split, known := d.Latest.SplitBySex()
	if split || !known || numberless(d.Latest) {
		return nil
	}
	b := &breakdown{Text: v.T("lens.none")}
	if v.site.o.Asker != nil {
		b.Ask = Link{Shown: Shown{Text: v.T("lens.ask")}, Href: v.Base + "/ask?kind=breakdown&dataset=" + url.QueryEscape(string(d.ID))}
	}
	return b
}

// numberless tells whether the tables of a release say what their columns mean and
// none of them measures anything: outlines or addresses have no numbers to split.
func numberless(r portal.Release) bool {
	told := false
	for _, res := range r.Resources {
		for s := range res.Schemas() {
			for _, f := range s.Fields {
				if f.Meaning.Role == portal.RoleMeasure {
					return false
				}
				told = told || !f.Meaning.IsZero()
			}
		}
	}
	return told
}
