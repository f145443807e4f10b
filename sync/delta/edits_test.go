package delta_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// dice makes repeatable random contents and edits of them.
type dice struct{ *rand.Rand }

func seeded(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 1))} } //nolint:gosec // repeatable

// table makes a CSV file in one of several dialects.
func (d dice) table(rows int) []byte {
	delim := []string{",", ";", "\t", "|"}[d.IntN(4)]
	end := []string{"\n", "\r\n"}[d.IntN(2)]
	var b strings.Builder
	if d.IntN(4) == 0 {
		b.WriteString("\ufeff")
	}
	b.WriteString(strings.Join([]string{"id", "region", "year", "value", "note"}, delim) + end)
	for i := range rows {
		note := []string{"", "ok", `"said ""no"" ` + delim + ` twice"`, "\"two\nlines\"", "–"}[d.IntN(5)]
		b.WriteString(strings.Join([]string{fmt.Sprintf("%05d", i*7), "region " + string(rune('A'+d.IntN(14))), fmt.Sprint(2000 + d.IntN(25)), fmt.Sprintf("%d.%02d", d.IntN(100000), d.IntN(100)), note}, delim))
		if i < rows-1 || d.IntN(3) > 0 {
			b.WriteString(end)
		}
	}
	return []byte(b.String())
}

// binary makes records without any text.
func (d dice) binary(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(d.IntN(256))
		if i >= 24 && d.IntN(4) > 0 {
			b[i] = b[i-24]
		}
	}
	return b
}

// content is of any kind and up to size bytes.
func (d dice) content(size int) []byte {
	switch n := d.IntN(size + 1); d.IntN(4) {
	case 0:
		return d.binary(n)
	case 1:
		return bytes.Repeat([]byte{byte(d.IntN(256))}, n)
	default:
		return d.table(n / 30)
	}
}

// edit gives b after one change of one kind.
func (d dice) edit(b []byte) []byte {
	if len(b) == 0 {
		return d.content(100)
	}
	at, n := d.IntN(len(b)), d.IntN(min(len(b), 300)+1)
	end := min(at+n, len(b))
	lines := bytes.SplitAfter(b, []byte("\n"))
	switch d.IntN(10) {
	case 0:
		return slices.Insert(bytes.Clone(b), at, d.content(200)...)
	case 1:
		return slices.Delete(bytes.Clone(b), at, end)
	case 2: // a move
		part := bytes.Clone(b[at:end])
		rest := slices.Delete(bytes.Clone(b), at, end)
		return slices.Insert(rest, d.IntN(len(rest)+1), part...)
	case 3: // a byte here and there
		c := bytes.Clone(b)
		for range d.IntN(20) {
			c[d.IntN(len(c))] = byte(d.IntN(256))
		}
		return c
	case 4: // sorted anew
		slices.SortStableFunc(lines[1:], func(x, y []byte) int { return -bytes.Compare(x, y) })
		return bytes.Join(lines, nil)
	case 5:
		d.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		return bytes.Join(lines, nil)
	case 6, 7:
		return d.columns(lines)
	case 8: // every figure revised
		c := bytes.Clone(b)
		for i, x := range c {
			if x >= '0' && x <= '9' && d.IntN(3) == 0 {
				c[i] = '0' + byte(d.IntN(10))
			}
		}
		return c
	}
	return b[:at]
}

// columns takes away, doubles or swaps columns as a spreadsheet would.
func (d dice) columns(lines [][]byte) []byte {
	how := d.IntN(3)
	var out []byte
	for _, line := range lines {
		cells := bytes.Split(line, []byte(","))
		if len(cells) > 2 {
			switch how {
			case 0:
				cells = slices.Delete(cells, 1, 2)
			case 1:
				cells = slices.Insert(cells, 1, []byte("new"))
			default:
				cells[0], cells[1] = cells[1], cells[0]
			}
		}
		out = append(out, bytes.Join(cells, []byte(","))...)
	}
	return out
}
