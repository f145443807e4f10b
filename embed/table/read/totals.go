package read

import (
	"fmt"
	"slices"
	"strings"

	"koprik/portal"
)

// watch remembers what rows must be looked at for: values that are totals, and
// measures that stand period by period.
func (p *plan) watch(s *subject) {
	m := s.field.Meaning
	if len(m.Totals) > 0 {
		if p.totals == nil {
			p.totals = map[int][]string{}
		}
		p.totals[s.at] = m.Totals
	}
	if m.Role == portal.RoleMeasure && m.Period != "" && m.Of != "" {
		if p.series == nil {
			p.series = map[string][]int{}
		}
		key := m.Of + "\n" + m.Sex
		p.series[key] = append(p.series[key], s.at)
	}
}

// forget begins the counts of a reading anew.
func (p *plan) forget() {
	p.totalled, p.absent = 0, 0
	for i := range p.columns {
		p.columns[i].bad = 0
	}
}

// remark counts rows that are totals, and rows in which a series begins with
// zeros: offices write 0.0 for a district that did not exist yet.
func (p *plan) remark(n int, cells []cell) {
	for i, totals := range p.totals {
		if at := p.columns[i].from; at >= 0 && at < len(cells) && slices.Contains(totals, strings.TrimSpace(cells[at].text)) {
			p.totalled++
			break
		}
	}
	for _, series := range p.series {
		if len(series) >= 3 && p.beginsWithZeros(series, cells) {
			if p.absent++; p.absent == 1 {
				p.absentAt = n
			}
			return
		}
	}
}

// beginsWithZeros: zeros first, then numbers of ten and more, and no zero again.
func (p *plan) beginsWithZeros(series []int, cells []cell) bool {
	zeros, begun := 0, false
	for _, i := range series {
		at := p.columns[i].from
		if at < 0 || at >= len(cells) {
			return false
		}
		v, ok := p.value(&p.columns[i], cells)
		if !ok || v == nil {
			return false
		}
		number, whole := v.(float64)
		if n, isInt := v.(int64); isInt {
			number, whole = float64(n), true
		}
		switch {
		case !whole:
			return false
		case number == 0 && begun:
			return false
		case number == 0:
			zeros++
		case number < 10 && !begun:
			return false
		default:
			begun = true
		}
	}
	return zeros > 0 && begun
}

func rowsHave(n int64) string {
	if n == 1 {
		return "1 row has"
	}
	return fmt.Sprintf("%d rows have", n)
}
