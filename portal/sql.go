package portal

// SQLQuery is one SELECT on tables that have names for it.
type SQLQuery struct {
	Text   string // at most MaxSQL bytes
	Tables []SQLTable
}

// SQLTable is a table under the name by which the statement knows it. Its columns
// are called as in the table; flags are 1 and 0, dates text.
type SQLTable struct {
	Name     string
	Resource Resource
	Sheet    string
}

// Limits of public SQL (spec/text-and-search.md, "Tables").
const (
	MaxSQL       = 6 << 10 // bytes of a statement
	MaxSQLTables = 5
	MaxSQLRows   = 10_000
	MaxSQLBytes  = 8 << 20 // of all values together
	MaxSQLCell   = 1 << 20 // bytes of one value, also of those on the way
)

// SQLAnswer is what a statement gave.
type SQLAnswer struct {
	Columns   []string
	Rows      [][]any // nil, int64, float64 or string; blobs do not occur
	Truncated bool    // there was more than MaxSQLRows or MaxSQLBytes
}
