package portal

import (
	"encoding/json"
	"time"
)

// Query asks the catalogue's index. The zero value matches everything.
type Query struct {
	Text    string
	Lang    Lang // the reader's language; ranks, never hides
	Filters map[Facet][]string
	Sort    Sort
	Offset  int // at most MaxOffset
	Limit   int // 1 to MaxLimit; 0 means DefaultLimit
	Explain bool
	Suggest bool      // only complete the last word: Results has Suggestions and no hits
	AsOf    time.Time // from when FacetFreshness counts; zero means the newest issue in the index
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
	FacetRegion    Facet = "region"    // ISO 3166-2 codes ("UZ-SA"); RegionSplit
	FacetYear      Facet = "year"      // "2024"; years that the data is about
	FacetLanguage  Facet = "language"  // Lang of the title
	FacetSex       Facet = "sex"       // SexYes, SexNo; no value where nobody said
	FacetFreshness Facet = "freshness" // FreshMonth … FreshOlder; exactly one a dataset
)

// Values of facets that are not data's own.
const (
	RegionSplit  = "split"   // a table has a column of regions; which ones is not known
	SexYes       = "yes"     // the data is split by sex
	SexNo        = "no"      // its passport says that it is not
	FreshMonth   = "month"   // issued within 31 days before Query.AsOf
	FreshQuarter = "quarter" // within 92 days
	FreshYear    = "year"    // within 366 days
	FreshOlder   = "older"
)

// Facets are all of them, in the order in which they are shown.
var Facets = []Facet{
	FacetTheme, FacetPublisher, FacetRegion, FacetYear, FacetFormat, FacetLicense, FacetLanguage, FacetSex, FacetFreshness,
}

// Sort orders hits; the zero value is by relevance.
type Sort string

// The orders.
const (
	ByRelevance Sort = ""
	ByUpdated   Sort = "updated" // newest issue first
	ByTitle     Sort = "title"   // by title, in the alphabet of Query.Lang
	ByUse       Sort = "used"    // most used first; where nobody counts, by DatasetID
	ByName      Sort = "name"    // by DatasetID
)

// Results answer a Query.
type Results struct {
	Total  int
	Hits   []Hit
	Facets map[Facet]map[string]int // counts over all hits, not over the page
	// Partly says that no dataset has all words of the query; the hits have some.
	Partly bool
	// DidYouMean is the query with words that stand nowhere replaced by near ones
	// that do; "" where nothing is near or every word was found.
	DidYouMean string
	// AlsoSearched are other spellings and words that the search took for those
	// of the query: the other script's form first, then synonyms.
	AlsoSearched []string
	// Suggestions are whole queries that begin like this one, most frequent
	// first; only where the query asked for them.
	Suggestions []string
	// Threads are the public questions that have all words of the query, best
	// first, at most MaxThreadHits; none where filters are set, or on later pages.
	Threads      []ThreadHit
	ThreadsTotal int
	// Reuses are found as Threads are, and as many of them.
	Reuses      []ReuseHit
	ReusesTotal int
	// Counted says that uses are counted, so that ByUse means something.
	Counted bool
}

// MaxThreadHits is how many public questions an answer has.
const MaxThreadHits = 5

// ThreadHit is one public question found.
type ThreadHit struct {
	Thread InquiryID
	Set    string // the dataset that it is about, as a DatasetID; otherwise what the node calls those about none
	Score  float64
}

// ReuseHit is one reuse found.
type ReuseHit struct {
	Reuse InquiryID // its public name
	Score float64
}

// Hit is one dataset found.
type Hit struct {
	Dataset DatasetID
	Score   float64
	Matched []string // which kinds of field matched: "title", "description", "keyword", "publisher", "column", "value", "question", "reuse"
	Words   []string // the words of the query that matched, as they were typed; synonyms where none of them did
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
	// Above are the lines over the header, Below the footnotes under the last row:
	// as written, apart from the rows.
	Above, Below []string
	// Totals is how many rows are totals of others (Meaning.Totals of any column).
	Totals int64
	// Encoding and Dialect (Frictionless) are how the file was read, where that
	// had to be guessed; "" and nil where it is the default or was declared.
	Encoding string
	Dialect  json.RawMessage
}
