package portal

// Query asks the catalogue's index. The zero value matches everything.
type Query struct {
	Text    string
	Lang    Lang // the reader's language; ranks, never hides
	Filters map[Facet][]string
	Sort    Sort
	Offset  int // at most MaxOffset
	Limit   int // 1 to MaxLimit; 0 means DefaultLimit
	Explain bool
}

// Limits of one query (guarantee 5).
const (
	DefaultLimit = 20
	MaxLimit     = 1000
	MaxOffset    = 100_000
	MaxQueryText = 500 // characters; the rest is not searched
)

// Facet is a way to narrow a search.
type Facet string

// The facets of the index.
const (
	FacetTheme     Facet = "theme"
	FacetPublisher Facet = "publisher"
	FacetFormat    Facet = "format"
	FacetLicense   Facet = "license"
)

// Sort orders hits; the zero value is by relevance.
type Sort string

// The orders.
const (
	ByRelevance Sort = ""
	ByUpdated   Sort = "updated" // newest issue first
	ByName      Sort = "name"    // by DatasetID
)

// Results answer a Query.
type Results struct {
	Total  int
	Hits   []Hit
	Facets map[Facet]map[string]int // counts over all hits, not over the page
}

// Hit is one dataset found.
type Hit struct {
	Dataset DatasetID
	Score   float64
	Matched []string // which kinds of field matched: "title", "description", "keyword", "publisher", "column"
	Explain string   // only where the query asked for it
}

// RowQuery asks a table for one page of rows.
type RowQuery struct {
	Columns []string // in this order; empty means all
	Filters []RowFilter
	Sort    string // column; "" is the order of the file
	Desc    bool
	After   string // RowPage.Next of the page before
	Limit   int    // 1 to MaxLimit; 0 means DefaultRows
}

// DefaultRows is how many rows a page has when nobody says.
const DefaultRows = 50

// RowFilter keeps the rows whose column compares so to the value.
type RowFilter struct {
	Column string
	Op     string // "eq", "ne", "lt", "le", "gt", "ge", "contains"
	Value  string
}

// RowPage is one page of a table.
type RowPage struct {
	Columns []Field
	Total   int64   // rows that pass the filters
	Rows    [][]any // nil, int64, float64, bool or string, in the order of Columns
	Next    string  // "" on the last page
}

// TableInfo describes a table that can be read row by row.
type TableInfo struct {
	Resource string
	Sheet    string // of a workbook; "" elsewhere
	Columns  []Field
	Rows     int64
	Notes    []string // guesses the reader made that a person should see
}
