package site

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"koprik/portal"
	"koprik/ui/locale"
)

// changesPage is the struct of templates/changes.html: two releases compared.
type changesPage struct {
	*Frame
	From, To []Choice // the releases to choose from
	Action   string
	Reason   Shown
	Files    []fileChange
	Same     bool // nothing differs at all
}

// fileChange says in words what happened to one file, and shows it as a table.
type fileChange struct {
	Title Shown
	Said  []string
	Table *dataTable
	More  string // that not all of it is shown
	Note  string // why it could not be compared
}

// shownChanges is how many rows of each kind a page shows.
const shownChanges = 30

// changes compares two releases: /history?from=1&to=2.
func (s *site) changes(v *visit, d portal.Dataset) (answer, error) {
	if d.Latest.Withdrawn != nil {
		return s.datasetAnswer(v, d)
	}
	from, err := v.releaseNumber(d, "from")
	if err != nil {
		return answer{}, err
	}
	to, err := v.releaseNumber(d, "to")
	if err != nil {
		return answer{}, err
	}
	before, err := v.view.Release(v.ctx, d.ID, from)
	if err != nil {
		return answer{}, fmt.Errorf("release %d of %s: %w", from, d.ID, err)
	}
	after, err := v.view.Release(v.ctx, d.ID, to)
	if err != nil {
		return answer{}, fmt.Errorf("release %d of %s: %w", to, d.ID, err)
	}
	p := &changesPage{Frame: v.Frame, Action: v.r.URL.EscapedPath(), Reason: v.text(after.Reason), Same: true}
	for _, ref := range d.History {
		name := v.T("dataset.release", "n", ref.Number)
		value := strconv.Itoa(ref.Number)
		p.From = append(p.From, Choice{Value: value, Label: Shown{Text: name}, On: ref.Number == from})
		p.To = append(p.To, Choice{Value: value, Label: Shown{Text: name}, On: ref.Number == to})
	}
	if p.Files, err = v.fileChanges(before, after); err != nil {
		return answer{}, err
	}
	p.Same = len(p.Files) == 0
	v.Crumbs = []Link{{Shown: v.title(d), Href: v.datasetURL(d.ID)}, {Shown: Shown{Text: v.T("dataset.history")}, Href: v.datasetURL(d.ID) + "/history"}}
	v.Title = v.T("changes.title", "from", from, "to", to)
	return answer{template: "changes", data: p}, nil
}

// releaseNumber reads a parameter that must name a release of the dataset.
func (v *visit) releaseNumber(d portal.Dataset, name string) (int, error) {
	text := v.one(name)
	n, err := strconv.Atoi(text)
	if err != nil || !slices.ContainsFunc(d.History, func(r portal.ReleaseRef) bool { return r.Number == n }) {
		return 0, v.bad("changes.bad", "got", clip(text, 40))
	}
	return n, nil
}

// fileChanges names the files that differ, in the order of the later release.
func (v *visit) fileChanges(before, after portal.Release) ([]fileChange, error) {
	var list []fileChange
	find := func(in portal.Release, name string) (portal.Resource, bool) {
		i := slices.IndexFunc(in.Resources, func(r portal.Resource) bool { return r.Name == name })
		if i < 0 {
			return portal.Resource{}, false
		}
		return in.Resources[i], true
	}
	for _, r := range after.Resources {
		was, ok := find(before, r.Name)
		switch {
		case !ok:
			list = append(list, fileChange{Title: v.resourceTitle(r), Said: []string{v.T("changes.newfile", "size", v.Bytes(r.Bytes))}})
		case was.Hash != r.Hash:
			more, err := v.tableChanges(was, r)
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		}
	}
	for _, r := range before.Resources {
		if _, ok := find(after, r.Name); !ok {
			list = append(list, fileChange{Title: v.resourceTitle(r), Said: []string{v.T("changes.gonefile")}})
		}
	}
	return list, nil
}

// tableChanges compares the tables of one file, a part for each that differs. A
// file that is no table, or that this node cannot compare, says so.
func (v *visit) tableChanges(before, after portal.Resource) ([]fileChange, error) {
	title := v.resourceTitle(after)
	plain := fileChange{Title: title, Said: []string{v.T("changes.bytes", "before", v.Bytes(before.Bytes), "after", v.Bytes(after.Bytes))}}
	infos, err := v.view.Tables(v.ctx, after)
	if err != nil && !errors.Is(err, portal.ErrNotHeld) {
		return nil, fmt.Errorf("tables of %s: %w", after.Name, err)
	}
	if len(infos) == 0 {
		return []fileChange{plain}, nil
	}
	var list []fileChange
	for _, info := range infos {
		change, err := v.view.Compare(v.ctx, before, after, info.Sheet, shownChanges)
		part := fileChange{Title: title}
		if info.Sheet != "" && len(infos) > 1 {
			part.Title.Text += " · " + info.Sheet
		}
		switch {
		case errors.Is(err, portal.ErrNotHeld), errors.Is(err, portal.ErrTooMuch):
			part.Said, part.Note = plain.Said, v.T("changes.cannot")
		case errors.Is(err, portal.ErrNotFound):
			part.Said = []string{v.T("changes.newsheet")}
		case err != nil:
			return nil, fmt.Errorf("compare %s: %w", after.Name, err)
		case change.Same():
			continue
		default:
			v.sayChange(&part, info, change)
		}
		list = append(list, part)
	}
	if len(list) == 0 { // other bytes, the same table: another way of writing it
		plain.Said = append(plain.Said, v.T("changes.sametable"))
		list = append(list, plain)
	}
	return list, nil
}

// sayChange puts a change into words and its rows into a table.
func (v *visit) sayChange(part *fileChange, info portal.TableInfo, c portal.TableChange) {
	title := func(name string) string {
		for _, f := range info.Columns {
			if f.Name == name {
				return v.columnTitle(f).Text
			}
		}
		return name
	}
	var rows []string
	for _, n := range []struct {
		count int64
		key   locale.Key
	}{{c.Added, "changes.added"}, {c.Removed, "changes.removed"}, {c.Changed, "changes.changed"}} {
		if n.count > 0 {
			rows = append(rows, v.N64(n.key, n.count))
		}
	}
	if len(rows) > 0 {
		part.Said = append(part.Said, v.T("changes.rows", "what", v.List(rows), "before", c.RowsBefore, "after", c.RowsAfter))
	}
	for _, columns := range []struct {
		names []string
		gone  bool
	}{{c.ColumnsAdded, false}, {c.ColumnsGone, true}} {
		if len(columns.names) == 0 {
			continue
		}
		titles := make([]string, 0, len(columns.names))
		for _, name := range columns.names[:min(len(columns.names), shownChanges)] {
			titles = append(titles, title(name))
		}
		if columns.gone {
			part.Said = append(part.Said, v.T("changes.columnsgone", "columns", v.List(titles)))
		} else {
			part.Said = append(part.Said, v.T("changes.columnsadded", "columns", v.List(titles)))
		}
	}
	for _, t := range c.Totals {
		column := title(t.Column)
		if t.Time != "" {
			column += ", " + t.Time
		}
		part.Said = append(part.Said, v.T("changes.total", "column", column, "before", v.Float(trim(t.Before)), "after", v.Float(trim(t.After))))
	}
	if len(c.Rows) > 0 {
		table := v.changeTable(c, info.Columns, title)
		part.Table = &table
	}
	if shown := int64(len(c.Rows)); shown < c.Added+c.Removed+c.Changed {
		part.More = v.T("changes.more", "shown", shown, "all", c.Added+c.Removed+c.Changed)
	}
}

// trim takes off what binary addition leaves behind: 415.00000000000006.
func trim(f float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 12, 64), 64)
	if err != nil {
		return f
	}
	return short
}

// changeTable has a row for each cell that changed, and for each row that came or
// went. Regions are called as the reader calls them, whatever language the column
// by which rows were matched is in.
func (v *visit) changeTable(c portal.TableChange, columns []portal.Field, title func(string) string) dataTable {
	t := dataTable{Columns: []tableColumn{{Title: Shown{Text: v.T("changes.what")}}}}
	keys := make([]portal.Field, len(c.Key))
	for i, name := range c.Key {
		if at := slices.IndexFunc(columns, func(f portal.Field) bool { return f.Name == name }); at >= 0 {
			keys[i] = columns[at]
		}
		said := title(name)
		if m := keys[i].Meaning; m.Role == portal.RoleRegion && m.Lang != v.lang {
			said = v.T("chart.byregion")
		}
		t.Columns = append(t.Columns, tableColumn{Title: Shown{Text: said}})
	}
	if len(c.Key) == 0 {
		t.Columns = append(t.Columns, tableColumn{Title: Shown{Text: v.T("changes.row")}})
	}
	if c.Changed > 0 {
		for _, words := range []string{v.T("changes.column"), v.T("changes.before"), v.T("changes.after")} {
			t.Columns = append(t.Columns, tableColumn{Title: Shown{Text: words}})
		}
	}
	what := map[string]string{portal.RowAdded: v.T("changes.rowadded"), portal.RowRemoved: v.T("changes.rowremoved"), portal.RowChanged: v.T("changes.rowchanged")}
	for _, row := range c.Rows {
		first := []cell{{Text: what[row.What]}}
		if len(c.Key) == 0 {
			text := ""
			for _, value := range row.Key {
				if s := v.cellText(value, true); s != "" {
					text = cmp.Or(text, s)
					if text != s {
						text += " · " + s
					}
				}
			}
			first = append(first, cell{Text: clip(text, 200)})
		}
		for i, value := range row.Key[:min(len(row.Key), len(c.Key))] {
			first = append(first, cell{Text: v.valueName(keys[i], v.cellText(value, true))})
		}
		if c.Changed == 0 {
			t.Rows = append(t.Rows, first)
			continue
		}
		cells := row.Cells
		if len(cells) == 0 {
			t.Rows = append(t.Rows, append(first, cell{}, cell{}, cell{}))
		}
		for _, change := range cells {
			t.Rows = append(t.Rows, append(slices.Clone(first), cell{Text: title(change.Column)},
				cell{Text: v.cellText(change.Before, false), Number: true}, cell{Text: v.cellText(change.After, false), Number: true}))
		}
	}
	return t
}
