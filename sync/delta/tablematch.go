package delta

import (
	"bytes"
)

// encodeTable gives the body, or nil when either content is no table.
func encodeTable(old, fresh []byte, primed bool, pause func() error) ([]byte, error) {
	delim := delimiter(fresh)
	if delim == 0 || len(old) == 0 || len(fresh) == 0 {
		return nil, nil
	}
	was, ok := cut(old, delim)
	if !ok {
		return nil, nil
	}
	now, ok := cut(fresh, delim)
	if !ok || len(now.ends) == 0 {
		return nil, nil
	}
	j := newJoin(was, now)
	order, refs := j.order()
	c := newEncoder()
	c.direct(uint32(delim), 8)
	m := newTableModel(c, was, int64(len(fresh)))
	m.pause = pause
	m.begin(primed, order, j.columns)
	for i, ref := range refs {
		m.row(now.row(i), ref)
		m.rest(len(now.row(i)))
		if m.err != nil {
			return nil, m.err
		}
	}
	return c.finish(), nil
}

// join finds for each new row the old one that it is told from.
type join struct {
	was, now *sheet
	columns  []int // of begin; nil when they are the same
}

func newJoin(was, now *sheet) *join {
	j := &join{was: was, now: now}
	if len(was.ends) == 0 {
		return j
	}
	head, first := was.row(0), now.row(0)
	if bytes.Equal(head, first) {
		return j
	}
	ends, ends2 := cells(head, was.delim, nil), cells(first, was.delim, nil)
	index := map[string]int{}
	for c := range ends {
		index[string(trimCell(cell(head, ends, c)))] = c
	}
	found := 0
	columns := make([]int, len(ends2))
	same := len(ends) == len(ends2)
	for c := range ends2 {
		at, ok := index[string(trimCell(cell(first, ends2, c)))]
		if ok {
			found++
		} else if at = -1; len(ends) == len(ends2) {
			at = c // renamed, perhaps
		}
		columns[c] = at
		same = same && at == c
	}
	if found*2 >= len(ends2) && !same {
		j.columns = columns
	}
	return j
}

func trimCell(b []byte) []byte { return bytes.TrimRight(b, "\r") }

// order chooses the order of old rows in which most new ones follow each other,
// and gives each new row's old one in that order.
func (j *join) order() (sorting, []int) {
	refs := j.match()
	best := sorting{}
	least := jumps(refs)
	if least <= 8+len(refs)/50 {
		return best, refs
	}
	place := make([]int32, len(j.was.ends))
	for _, o := range j.sortings() {
		j.was.sort(o)
		for at, row := range j.was.order {
			place[row] = int32(at) //nolint:gosec // below maxRows
		}
		j.was.order = nil
		moved := make([]int, len(refs))
		for i, r := range refs {
			moved[i] = r
			if r >= 0 {
				moved[i] = int(place[r])
			}
		}
		if n := jumps(moved); n < least {
			best, least = o, n
		}
	}
	if best.by > 0 {
		j.was.sort(best)
		for at, row := range j.was.order {
			place[row] = int32(at) //nolint:gosec // below maxRows
		}
		j.was.order = nil
		for i, r := range refs {
			if r >= 0 {
				refs[i] = int(place[r])
			}
		}
	}
	return best, refs
}

// jumps counts the rows that do not come from the row after the last one.
func jumps(refs []int) int {
	n, last := 0, -1
	for _, r := range refs {
		if r >= 0 {
			if r != last+1 {
				n++
			}
			last = r
		}
	}
	return n
}

// sortings are the orders that the new rows stand in, but for a few.
func (j *join) sortings() []sorting {
	rows := len(j.now.ends)
	columns := len(cells(j.was.row(0), j.was.delim, nil))
	if rows < 3 {
		return nil
	}
	ups := make([][2]int, columns) // as bytes, as numbers: pairs in rising order
	downs := make([][2]int, columns)
	var ends, endsBefore []int32
	before := j.now.row(1)
	endsBefore = cells(before, j.now.delim, endsBefore)
	for i := 2; i < rows; i++ {
		row := j.now.row(i)
		ends = cells(row, j.now.delim, ends)
		for c := range columns {
			at := j.newColumn(c)
			a, b := cell(before, endsBefore, at), cell(row, ends, at)
			for k, n := range [2]int{bytes.Compare(a, b), compareNumbers(a, b)} {
				if n <= 0 {
					ups[c][k]++
				}
				if n >= 0 {
					downs[c][k]++
				}
			}
		}
		before, ends, endsBefore = row, endsBefore, ends
	}
	var all []sorting
	enough := (rows - 2) * 98 / 100
	for c := range columns {
		for k := range 2 {
			if ups[c][k] >= enough {
				all = append(all, sorting{c + 1, k == 1, false})
			}
			if downs[c][k] >= enough {
				all = append(all, sorting{c + 1, k == 1, true})
			}
		}
	}
	return all[:min(len(all), 12)]
}

// newColumn is where old column c stands in the new rows; -1 when it went.
func (j *join) newColumn(c int) int {
	if j.columns == nil {
		return c
	}
	for at, from := range j.columns {
		if from == c {
			return at
		}
	}
	return -1
}

// match gives the old row of each new one: the same bytes first, then the same
// key, then nothing.
func (j *join) match() []int {
	refs := make([]int, len(j.now.ends))
	used := make([]bool, len(j.was.ends))
	whole := map[string][]int{}
	for i := range j.was.ends {
		r := string(j.was.row(i))
		whole[r] = append(whole[r], i)
	}
	last := -1
	for i := range refs {
		refs[i] = -1
		candidates := whole[string(j.now.row(i))]
		at := -1
		for k, c := range candidates {
			if !used[c] && (at < 0 || c == last+1) {
				at = k
			}
		}
		if at >= 0 {
			refs[i] = candidates[at]
			used[refs[i]], last = true, refs[i]
			if len(candidates) > 16 {
				whole[string(j.now.row(i))] = append(candidates[:at:at], candidates[at+1:]...)
			}
		}
	}
	key := j.key()
	index := map[string]int{}
	for i := range j.was.ends {
		if k := keyOf(j.was.row(i), j.was.delim, key); !used[i] && index[k] == 0 {
			index[k] = i + 1
		}
	}
	for i := range refs {
		if refs[i] >= 0 {
			continue
		}
		k := keyOf(j.now.row(i), j.now.delim, j.newColumns(key))
		if r := index[k]; r > 0 && !used[r-1] {
			refs[i], used[r-1] = r-1, true
		}
	}
	if len(refs) > 0 && refs[0] < 0 && len(used) > 0 && !used[0] {
		refs[0] = 0
	}
	return refs
}

func (j *join) newColumns(key []int) []int {
	if j.columns == nil {
		return key
	}
	to := make([]int, len(key))
	for i, c := range key {
		to[i] = j.newColumn(c)
	}
	return to
}

func keyOf(row []byte, delim byte, key []int) string {
	ends := cells(row, delim, nil)
	var b []byte
	for _, c := range key {
		b = append(append(b, cell(row, ends, c)...), 0)
	}
	return string(b)
}

// key chooses the columns that tell most old rows apart and find most of them
// again among a sample of the new ones.
func (j *join) key() []int {
	columns := len(cells(j.was.row(0), j.was.delim, nil))
	var sets [][]int
	for c := range min(columns, 6) {
		sets = append(sets, []int{c})
	}
	for n := 2; n <= min(columns, 6); n++ {
		set := make([]int, n)
		for i := range set {
			set[i] = i
		}
		sets = append(sets, set)
	}
	for a := range min(columns, 4) {
		for b := a + 1; b < min(columns, 4); b++ {
			if a > 0 || b > 1 {
				sets = append(sets, []int{a, b})
			}
		}
	}
	best, most := []int{0}, -1
	for _, set := range sets {
		seen := map[string]bool{}
		for i := range j.was.ends {
			seen[keyOf(j.was.row(i), j.was.delim, set)] = true
		}
		again := 0
		to := j.newColumns(set)
		for i := range j.now.ends {
			k := keyOf(j.now.row(i), j.now.delim, to)
			if seen[k] {
				again++
				delete(seen, k)
			}
		}
		if again > most {
			best, most = set, again
		}
		if most >= len(j.was.ends)*97/100 {
			break
		}
	}
	return best
}
