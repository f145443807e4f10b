package chart

import "math"

// rows gives the width of the column of labels, and writes one label in the
// middle of a row.
func (p *plot) labelColumn() float64 { return widest(p.Labels, p.size, p.width*.36) + 10 }

func (p *plot) label(i int, column, middle float64) {
	rows := wrap(p.Labels[i], column-10, p.size, 2)
	class := ""
	if i == p.Mark {
		class = "strong"
	}
	first := middle + p.size*.35 - float64(len(rows)-1)*p.line*.45
	for j, row := range rows {
		p.text(column-10, first+float64(j)*p.line*.9, row, "end", class)
	}
}

// rowHeight leaves room for labels of two lines where there are any.
func (p *plot) rowHeight(column, least float64) float64 {
	for _, l := range p.Labels {
		if len(wrap(l, column-10, p.size, 2)) > 1 {
			return max(least, p.line*2.1)
		}
	}
	return least
}

// bars draws one bar for each label and series, from zero, with its value.
func (p *plot) bars() {
	if len(p.Series) > 1 {
		p.legend()
	}
	n := float64(len(p.Series))
	thick := 20.0
	if n > 1 {
		thick = 15
	}
	column := p.labelColumn()
	row := p.rowHeight(column, thick*n+12)
	lo, hi := p.extent()
	var values []string
	for _, s := range p.Series {
		for _, v := range s.Values {
			values = append(values, p.value(v))
		}
	}
	room := widest(values, p.size, p.width*.3) + 8
	left := column
	if lo < 0 {
		left += room
	}
	x := newScale(lo, hi, true, 4, left, p.width-room)
	x.lo, x.hi = min(lo, 0), max(hi, 0) // no axis is drawn: bars may use all the room
	if x.lo == x.hi {
		x.hi = 1
	}
	for i := range p.Labels {
		top := p.y + float64(i)*row
		p.label(i, column, top+row/2)
		for j, s := range p.Series {
			y := top + (row-thick*n)/2 + float64(j)*thick
			p.bar(x, s.Values[i], y, thick-2, p.barClass(i, j))
		}
	}
	p.rule(x.at(0), p.y, x.at(0), p.y+row*float64(len(p.Labels)), "zero")
	p.y += row * float64(len(p.Labels))
}

func (p *plot) barClass(label, series int) string {
	if len(p.Series) == 1 && label == p.Mark {
		return "b2"
	}
	return seriesClass("b", series)
}

func (p *plot) value(v float64) string {
	if math.IsNaN(v) {
		return p.None
	}
	return p.Number(v)
}

func (p *plot) bar(x scale, v, y, h float64, class string) {
	zero, base := x.at(0), y+h/2+p.size*.35
	switch {
	case math.IsNaN(v):
		p.text(zero+6, base, p.None, "start", "mute")
	case v < 0:
		p.rect(x.at(v), y, zero-x.at(v), h, class)
		p.text(x.at(v)-6, base, p.Number(v), "end", "")
	default:
		p.rect(zero, y, x.at(v)-zero, h, class)
		p.text(x.at(v)+6, base, p.Number(v), "start", "")
	}
}

// stacks draws parts of a whole, or of 100 %.
func (p *plot) stacks() {
	p.legend()
	const thick = 22.0
	column := p.labelColumn()
	row := p.rowHeight(column, thick+12)
	totals := make([]float64, len(p.Labels))
	most := 0.0
	var said []string
	for i := range p.Labels {
		for _, s := range p.Series {
			if v := s.Values[i]; !math.IsNaN(v) {
				totals[i] += v
			}
		}
		most = max(most, totals[i])
		said = append(said, p.Number(totals[i]))
	}
	room := 0.0
	if p.Kind == Stacked {
		room = widest(said, p.size, p.width*.3) + 8
	}
	x := scale{lo: 0, hi: most, from: column, to: p.width - room}
	if p.Kind == Shares || most == 0 {
		x.hi = 1
	}
	for i := range p.Labels {
		y := p.y + float64(i)*row
		p.label(i, column, y+row/2)
		p.stack(i, totals[i], x, y+(row-thick)/2, thick, said[i])
	}
	p.y += row * float64(len(p.Labels))
}

func (p *plot) stack(i int, total float64, x scale, y, h float64, said string) {
	base := y + h/2 + p.size*.35
	if total == 0 {
		p.text(x.from+4, base, p.None, "start", "mute")
		return
	}
	from := x.lo
	for j, s := range p.Series {
		v := s.Values[i]
		if math.IsNaN(v) || v == 0 {
			continue
		}
		part := v
		if p.Kind == Shares {
			part = v / total
		}
		left, right := x.at(from), x.at(from+part)
		p.rect(left, y, right-left-1, h, seriesClass("b", j))
		label := p.Short(v)
		if p.Kind == Shares {
			label = p.Share(v / total)
		}
		if widthOf(label, p.size)+6 < right-left-1 {
			p.text((left+right-1)/2, base, label, "middle", seriesClass("i", j))
		}
		from += part
	}
	if p.Kind == Stacked {
		p.text(x.at(from)+6, base, said, "start", "")
	}
}

// pyramid draws two series back to back, the first to the left.
func (p *plot) pyramid() {
	thick := 18.0
	column := widest(p.Labels, p.size, p.width*.24) + 16
	_, hi := p.extent()
	half := (p.width - column) / 2
	var values []string
	for _, s := range p.Series {
		for _, v := range s.Values {
			values = append(values, p.short(v))
		}
	}
	room := widest(values, p.size*.95, half*.4) + 6
	left := scale{lo: 0, hi: max(hi, 1e-9), from: half, to: room}
	right := scale{lo: 0, hi: max(hi, 1e-9), from: p.width - half, to: p.width - room}
	p.y += p.line
	p.text(half, p.y, fit(p.Series[0].Name, half, p.size), "end", "strong t1")
	p.text(p.width-half, p.y, fit(p.Series[1].Name, half, p.size), "start", "strong t2")
	p.y += p.line * .6
	row := thick + 4
	for i, label := range p.Labels {
		y := p.y + float64(i)*row
		base := y + row/2 + p.size*.35
		p.text(p.width/2, base, fit(label, column-6, p.size), "middle", "")
		a, b := p.Series[0].Values[i], p.Series[1].Values[i]
		if !math.IsNaN(a) {
			p.rect(left.at(a), y+2, half-left.at(a), thick, "b1")
		}
		p.text(min(left.at(orZero(a)), half)-5, base, p.short(a), "end", "mute")
		if !math.IsNaN(b) {
			p.rect(right.from, y+2, right.at(b)-right.from, thick, "b2")
		}
		p.text(right.at(orZero(b))+5, base, p.short(b), "start", "mute")
	}
	p.y += row * float64(len(p.Labels))
}

func (p *plot) short(v float64) string {
	if math.IsNaN(v) {
		return p.None
	}
	return p.Short(v)
}

func orZero(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// dots draws one dot for each label, or two and the distance between them.
func (p *plot) dots() {
	if p.Kind == Gap {
		p.legend()
	}
	column := p.labelColumn()
	row := p.rowHeight(column, 26)
	said := make([]string, len(p.Labels))
	for i := range p.Labels {
		said[i] = p.value(p.Series[0].Values[i])
		if p.Kind == Gap {
			said[i] = p.None
			if gap := p.Series[0].Values[i] - p.Series[1].Values[i]; !math.IsNaN(gap) {
				said[i] = p.Signed(gap)
			}
		}
	}
	room := widest(said, p.size, p.width*.28) + 12
	lo, hi := p.extent()
	x := newScale(lo, hi, false, 4, column+6, p.width-room-6)
	bottom := p.y + row*float64(len(p.Labels))
	p.axis(x, p.y, bottom)
	for i := range p.Labels {
		mid := p.y + (float64(i)+.5)*row
		p.label(i, column, mid)
		p.text(p.width, mid+p.size*.35, said[i], "end", "strong")
		if p.Kind == Gap {
			if a, b := p.Series[0].Values[i], p.Series[1].Values[i]; !math.IsNaN(a) && !math.IsNaN(b) {
				p.rule(x.at(a), mid, x.at(b), mid, "link")
			}
		}
		for j, s := range p.Series {
			if v := s.Values[i]; !math.IsNaN(v) {
				p.circle(x.at(v), mid, 5.5, p.barClass(i, j))
			}
		}
	}
	p.y = bottom + p.line*1.2
}

// axis draws the ticks of a horizontal scale, those labels that have room.
func (p *plot) axis(x scale, top, bottom float64) {
	free := math.Inf(-1)
	for _, t := range x.ticks {
		p.rule(x.at(t), top, x.at(t), bottom, gridClass(t))
		label := p.Short(t)
		half := widthOf(label, p.size) / 2
		if x.at(t)-half < free {
			continue
		}
		p.text(x.at(t), bottom+p.line, label, "middle", "mute")
		free = x.at(t) + half + 8
	}
}
