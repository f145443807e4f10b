package chart

import "math"

// lanes are where the rows of a figure with one for each label stand: the width of
// the column of labels, how high a row is, and how much of that its label takes
// where labels stand above what they name.
type lanes struct{ column, height, head float64 }

// labelLines is how many lines a label has at most.
const labelLines = 4

// lanes leaves room for labels beside what they name, or above it where one would
// be cut. least is the height of what a row shows.
func (p *plot) lanes(least float64) lanes {
	w, most := 0.0, 1
	for i, label := range p.Labels {
		w = max(w, p.labelLettering(i).width(label))
	}
	l := lanes{column: min(w, p.width*.4) + 10, height: least}
	for i, label := range p.Labels {
		rows := p.labelRows(i, l)
		if !whole(rows, label) {
			return p.lanesBelow(least)
		}
		most = max(most, len(rows))
	}
	if most > 1 {
		l.height = max(least, p.line*(.5+.9*float64(most)))
	}
	return l
}

// lanesBelow has each label above what it names.
func (p *plot) lanesBelow(least float64) lanes {
	l, most := lanes{}, 1
	for i := range p.Labels {
		most = max(most, len(p.labelRows(i, l)))
	}
	l.head = p.line * (.3 + .9*float64(most))
	l.height = least + l.head
	return l
}

// middle is that of what a row shows.
func (l lanes) middle(top float64) float64 { return top + l.head + (l.height-l.head)/2 }

// labelLettering is bold for the label that stands out.
func (p *plot) labelLettering(i int) lettering {
	if i == p.Mark {
		return p.strong
	}
	return p.plain
}

// labelRows is a label, line by line.
func (p *plot) labelRows(i int, l lanes) []string {
	width := l.column - 10
	if l.column == 0 {
		width = p.width
	}
	return p.labelLettering(i).wrap(p.Labels[i], width, labelLines)
}

// label writes one into the row that begins at top.
func (p *plot) label(i int, l lanes, top float64) {
	rows := p.labelRows(i, l)
	class := ""
	if i == p.Mark {
		class = "strong"
	}
	x, anchor, first := l.column-10, "end", l.middle(top)+p.size*.35-float64(len(rows)-1)*p.line*.45
	if l.column == 0 { // the last line stands just above
		x, anchor, first = 0, "start", top+l.head-float64(len(rows)-1)*p.line*.9
	}
	for j, row := range rows {
		p.text(x, first+float64(j)*p.line*.9, row, anchor, class)
	}
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
	lane := p.lanes(thick*n + 12)
	lo, hi := p.extent()
	var values []string
	for _, s := range p.Series {
		for _, v := range s.Values {
			values = append(values, p.value(v))
		}
	}
	room := p.plain.widest(values, p.width*.3) + 8
	left := lane.column
	if lo < 0 {
		left += room
	}
	x := newScale(lo, hi, true, 4, left, p.width-room)
	x.lo, x.hi = min(lo, 0), max(hi, 0) // no axis is drawn: bars may use all the room
	if x.lo == x.hi {
		x.hi = 1
	}
	for i := range p.Labels {
		top := p.y + float64(i)*lane.height
		p.label(i, lane, top)
		for j, s := range p.Series {
			y := lane.middle(top) + (float64(j)-n/2)*thick
			p.bar(x, s.Values[i], y, thick-2, p.barClass(i, j))
		}
		if lane.head > 0 {
			p.rule(x.at(0), top+lane.head, x.at(0), top+lane.height, "zero")
		}
	}
	if lane.head == 0 {
		p.rule(x.at(0), p.y, x.at(0), p.y+lane.height*float64(len(p.Labels)), "zero")
	}
	p.y += lane.height * float64(len(p.Labels))
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
	lane := p.lanes(thick + 12)
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
		room = p.plain.widest(said, p.width*.3) + 8
	}
	x := scale{lo: 0, hi: most, from: lane.column, to: p.width - room}
	if p.Kind == Shares || most == 0 {
		x.hi = 1
	}
	for i := range p.Labels {
		top := p.y + float64(i)*lane.height
		p.label(i, lane, top)
		p.stack(i, totals[i], x, lane.middle(top)-thick/2, thick, said[i])
	}
	p.y += lane.height * float64(len(p.Labels))
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
		if p.plain.width(label)+6 < right-left-1 {
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
	column := p.plain.widest(p.Labels, p.width*.24) + 16
	_, hi := p.extent()
	half := (p.width - column) / 2
	var values []string
	for _, s := range p.Series {
		for _, v := range s.Values {
			values = append(values, p.short(v))
		}
	}
	room := p.plain.widest(values, half*.4) + 6
	left := scale{lo: 0, hi: max(hi, 1e-9), from: half, to: room}
	right := scale{lo: 0, hi: max(hi, 1e-9), from: p.width - half, to: p.width - room}
	p.y += p.line
	p.text(half, p.y, p.strong.fit(p.Series[0].Name, half), "end", "strong t1")
	p.text(p.width-half, p.y, p.strong.fit(p.Series[1].Name, half), "start", "strong t2")
	p.y += p.line * .6
	row := thick + 4
	for i, label := range p.Labels {
		y := p.y + float64(i)*row
		base := y + row/2 + p.size*.35
		p.text(p.width/2, base, p.plain.fit(label, column-6), "middle", "")
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
	lane := p.lanes(26)
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
	room := p.strong.widest(said, p.width*.28) + 12
	lo, hi := p.extent()
	x := newScale(lo, hi, false, 4, lane.column+6, p.width-room-6)
	bottom := p.y + lane.height*float64(len(p.Labels))
	p.axis(x, p.y, bottom)
	for i := range p.Labels {
		top := p.y + float64(i)*lane.height
		mid := lane.middle(top)
		p.label(i, lane, top)
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

// axis draws the ticks of a horizontal scale, and as many labels as have room at
// one distance from each other.
func (p *plot) axis(x scale, top, bottom float64) {
	var labels []string
	for _, t := range x.ticks {
		labels = append(labels, p.Short(t))
	}
	every, apart := 1, math.Abs(x.to-x.from)/float64(max(len(x.ticks)-1, 1))
	for apart*float64(every) < p.plain.widest(labels, p.width)+8 && every < len(labels) {
		every++
	}
	for i, t := range x.ticks {
		p.rule(x.at(t), top, x.at(t), bottom, gridClass(t))
		if half := p.plain.width(labels[i]) / 2; i%every == 0 {
			p.text(min(max(x.at(t), half), p.width-half), bottom+p.line, labels[i], "middle", "mute")
		}
	}
}
