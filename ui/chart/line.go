package chart

import (
	"math"
	"slices"
)

// lines draws values over time, each series with its name at its end.
func (p *plot) lines() {
	height := p.width * .5
	if p.width < narrowBelow {
		height = p.width * .72
	}
	lo, hi := p.extent()
	ends, right, tall := p.endLabels()
	height = max(height, tall*float64(len(ends))+p.line)
	top, bottom := p.y+p.line, p.y+height
	y := newScale(lo, hi, false, 4, bottom, top)
	left, say := 0.0, p.tickWords(y.ticks)
	for _, t := range y.ticks {
		left = max(left, p.plain.width(say(t))+8)
	}
	x := p.timeScale(left+4, p.width-right-8)
	for _, t := range y.ticks {
		p.rule(left, y.at(t), x.to, y.at(t), gridClass(t))
		p.text(left-6, y.at(t)+p.size*.35, say(t), "end", "mute")
	}
	p.timeAxis(x, bottom)
	p.breaks(x, top, bottom)
	for i, s := range slices.Backward(p.Series) {
		p.series(s, x, y, i)
	}
	p.ends(ends, x, y, top+tall/2, bottom-tall/2, tall)
	p.y = bottom + p.line*1.3
}

// tickWords writes the ticks of one axis in one way: in full where they are whole
// and have room, else short. "90 000" below "100 thousand" would be two ways.
func (p *plot) tickWords(ticks []float64) func(float64) string {
	const room = 64
	for _, t := range ticks {
		if t != math.Trunc(t) || p.plain.width(p.Number(t)) > room {
			return p.Short
		}
	}
	return p.Number
}

func gridClass(tick float64) string {
	if tick == 0 {
		return "zero"
	}
	return "grid"
}

// timeScale carries the places of labels onto pixels.
func (p *plot) timeScale(from, to float64) scale {
	last := len(p.Labels) - 1
	s := scale{lo: p.place(0), hi: p.place(last), from: from, to: to}
	if s.lo == s.hi {
		s.hi = s.lo + 1
	}
	return s
}

// place is where a label stands, in the unit of At.
func (p *plot) place(label int) float64 {
	if p.At != nil {
		return p.At[label]
	}
	return float64(label)
}

// timeAxis writes as many labels as have room, the first and the last always.
func (p *plot) timeAxis(x scale, bottom float64) {
	room := p.plain.widest(p.Labels, p.width) + 12
	every := 1
	if n := len(p.Labels) - 1; n > 0 && p.At == nil {
		for (x.to-x.from)/float64(n)*float64(every) < room && every < n {
			every++
		}
	}
	last := len(p.Labels) - 1
	end, free := x.at(p.place(last)), math.Inf(-1)
	for i, label := range p.Labels {
		at, half := x.at(p.place(i)), p.plain.width(label)/2
		if i != last && (i%every != 0 || end-at < room || at-half < free) {
			continue
		}
		middle := min(max(at, half), p.width-half)
		free = middle + half + 8
		p.text(middle, bottom+p.line, label, "middle", "mute")
		p.rule(at, bottom, at, bottom+4, "tick")
	}
}

// breaks marks where figures before and after are not comparable.
func (p *plot) breaks(x scale, top, bottom float64) {
	for _, at := range p.Breaks {
		if at > 0 && at < len(p.Labels) {
			mid := (x.at(p.place(at-1)) + x.at(p.place(at))) / 2
			p.rule(mid, top, mid, bottom, "break")
		}
	}
}

// series draws one line, broken where values are missing or not comparable; a
// value between two gaps is a dot.
func (p *plot) series(s Series, x, y scale, i int) {
	var run []float64
	flush := func() {
		switch {
		case len(run) == 2:
			p.circle(run[0], run[1], 2.5, seriesClass("b", i))
		case len(run) > 2:
			p.path(seriesClass("l", i), run)
		}
		run = nil
	}
	for j, v := range s.Values {
		if slices.Contains(p.Breaks, j) {
			flush()
		}
		if math.IsNaN(v) {
			flush()
			continue
		}
		run = append(run, x.at(p.place(j)), y.at(v))
	}
	flush()
}

// end is the label at the end of a line.
type end struct {
	series int
	place  int // of the last value
	value  float64
	rows   []string
}

// endLabels gives them, from the top down, the room that the widest needs, and
// how tall the tallest is.
func (p *plot) endLabels() (ends []end, room, tall float64) {
	limit := p.width * .3
	for i, s := range p.Series {
		place := -1
		for j, v := range s.Values {
			if !math.IsNaN(v) {
				place = j
			}
		}
		if place < 0 {
			continue
		}
		rows := []string{p.Number(s.Values[place])}
		if len(p.Series) > 1 {
			rows = append(p.plain.wrap(s.Name, limit, 3), rows...)
		}
		ends = append(ends, end{i, place, s.Values[place], rows})
		room = max(room, p.strong.widest(rows[len(rows)-1:], limit)+8, p.plain.widest(rows, limit)+8)
		tall = max(tall, float64(len(rows))*p.line*.95)
	}
	slices.SortStableFunc(ends, func(a, b end) int {
		switch {
		case a.value > b.value:
			return -1
		case a.value < b.value:
			return 1
		}
		return 0
	})
	return ends, room, tall
}

// ends writes them beside the lines' last values, apart from each other.
func (p *plot) ends(ends []end, x, y scale, top, bottom, tall float64) {
	at := make([]float64, len(ends))
	for i, e := range ends {
		at[i] = y.at(e.value)
	}
	spread(at, tall, top, bottom)
	for i, e := range ends {
		p.circle(x.at(p.place(e.place)), y.at(e.value), 4, seriesClass("b", e.series))
		first := at[i] + p.size*.35 - float64(len(e.rows)-1)*p.line*.45
		for j, row := range e.rows {
			class := seriesClass("t", e.series)
			if j == len(e.rows)-1 {
				class += " strong"
			}
			p.text(x.to+8, first+float64(j)*p.line*.92, row, "start", class)
		}
	}
}

// nameLines is how many lines the name of a small figure has at most.
const nameLines = 7

// multiples draws one small line for each series, all on one scale, with the
// first and the last value.
func (p *plot) multiples() {
	columns := 4.0
	if p.width < narrowBelow {
		columns = 2
	}
	lo, hi := p.extent()
	const gap = 20.0
	cellWidth := func() float64 { return (p.width - gap*(columns-1)) / columns }
	cut := func(s Series) bool { return !whole(p.strong.wrap(s.Name, cellWidth(), nameLines), s.Name) }
	for columns > 1 && slices.ContainsFunc(p.Series, cut) { // a name as long as its figure is wide
		columns--
	}
	w, most := cellWidth(), 1
	for _, s := range p.Series {
		most = max(most, len(p.strong.wrap(s.Name, w, nameLines)))
	}
	h, head := w*.5, p.line*(.5+.9*float64(most))
	cell := head + h + p.line*1.5
	for i, s := range p.Series {
		x0 := float64(i%int(columns)) * (w + gap)
		y0 := p.y + float64(i/int(columns))*(cell+gap*.6)
		for j, row := range p.strong.wrap(s.Name, w, nameLines) {
			class := "strong"
			if i == p.Mark {
				class += " t1"
			}
			p.text(x0, y0+p.line*(float64(j)*.9+.9), row, "start", class)
		}
		y := newScale(lo, hi, false, 2, y0+head+h, y0+head)
		x := p.timeScale(x0, x0+w-4)
		p.rule(x0, y.from, x0+w, y.from, "grid")
		p.series(s, x, y, 0)
		p.firstAndLast(s, x, y)
	}
	rows := (len(p.Series) + int(columns) - 1) / int(columns)
	p.y += float64(rows) * (cell + gap*.6)
}

func (p *plot) firstAndLast(s Series, x, y scale) {
	known := func(seq func(func(int, float64) bool)) int {
		for j, v := range seq {
			if !math.IsNaN(v) {
				return j
			}
		}
		return -1
	}
	first, last := known(slices.All(s.Values)), known(slices.Backward(s.Values))
	if first < 0 {
		p.text(x.from, y.from-4, p.None, "start", "mute")
		return
	}
	p.circle(x.at(p.place(last)), y.at(s.Values[last]), 3, "b1")
	base := y.from + p.line
	p.text(x.to, base, p.Short(s.Values[last]), "end", "strong")
	if first != last {
		p.text(x.from, base, p.Short(s.Values[first]), "start", "mute")
	}
}

// spark draws a line without words, as high as a line of text.
func (p *plot) spark() {
	lo, hi := p.extent()
	h := p.width * .25
	y := newScale(lo, hi, false, 1, h-3, 3)
	y.lo, y.hi = lo, hi
	x := p.timeScale(3, p.width-4)
	for i, s := range p.Series {
		p.series(s, x, y, i)
		for j, v := range slices.Backward(s.Values) {
			if !math.IsNaN(v) {
				p.circle(x.at(p.place(j)), y.at(v), 3, seriesClass("b", i))
				break
			}
		}
	}
	p.y = h
}
