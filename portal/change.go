package portal

// TableChange says how a table of one release differs from the same table of
// another.
type TableChange struct {
	// Key are the columns by which rows were matched: those that say what a row is
	// about. Empty: no columns do, rows were compared whole, and none is Changed.
	Key                       []string
	ColumnsAdded, ColumnsGone []string
	RowsBefore, RowsAfter     int64
	Added, Removed, Changed   int64       // rows
	Rows                      []RowChange // at most as many of each kind as were asked for
	Totals                    []TotalMoved
}

// Same tells whether nothing differs.
func (c TableChange) Same() bool {
	return c.Added == 0 && c.Removed == 0 && c.Changed == 0 && len(c.ColumnsAdded) == 0 && len(c.ColumnsGone) == 0
}

// What happened to a row.
const (
	RowAdded   = "added"
	RowRemoved = "removed"
	RowChanged = "changed"
)

// RowChange is one row that differs.
type RowChange struct {
	What  string // RowAdded, RowRemoved, RowChanged
	Key   []any  // values of TableChange.Key, or of all columns where there is none
	Cells []CellChange
}

// CellChange is one value that differs, in a row that changed.
type CellChange struct {
	Column        string
	Before, After any
}

// TotalMoved is the sum of a column that may be added up, without the rows that
// are totals of others.
type TotalMoved struct {
	Column        string
	Time          string // the one that both sums are of, as the table writes it; "" where it has none
	Before, After float64
}
