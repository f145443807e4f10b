package portal

import (
	"context"
	"io"
	"time"
)

// View is one generation of a node, held still from the beginning of a request
// to its end: catalogue, index and tables of the same snapshot. Close releases
// it and may be called more than once.
type View interface {
	Catalog
	Searcher
	Tables
	Objects
	State() CopyState
	Close()
}

// Catalog reads datasets and those who answer for them.
type Catalog interface {
	// Dataset gives one dataset; ErrNotFound when the generation has none of this id.
	// A withdrawn dataset is found: its Latest.Withdrawn says why.
	Dataset(ctx context.Context, id DatasetID) (Dataset, error)
	// Datasets gives those of ids that exist, in the order of ids.
	Datasets(ctx context.Context, ids []DatasetID) ([]Dataset, error)
	// Release gives an earlier release; ErrNotFound when it never was.
	Release(ctx context.Context, id DatasetID, number int) (Release, error)
	// Manifest gives the signed bytes of a release's manifest.
	Manifest(ctx context.Context, id DatasetID, number int) ([]byte, error)
	// Publishers gives all publishers by id.
	Publishers(ctx context.Context) ([]Publisher, error)
	// Counts gives the number of datasets not withdrawn.
	Count(ctx context.Context) (int, error)
	// Overdue gives the datasets whose passport named a next day before this one,
	// the longest overdue first, at most limit of them, and how many there are.
	Overdue(ctx context.Context, before Date, limit int) (longest []DatasetID, total int, err error)
}

// Searcher finds datasets.
type Searcher interface {
	// Search answers q within a deadline; a q over the limits is ErrUsage.
	Search(ctx context.Context, q Query) (Results, error)
}

// Tables reads tables row by row.
type Tables interface {
	// Tables lists the tables in a resource: one, or one a sheet of a workbook;
	// none when the resource is no table. ErrNotHeld when its bytes are elsewhere.
	Tables(ctx context.Context, r Resource) ([]TableInfo, error)
	// Rows gives one page of a table. An unknown column or a bad cursor is ErrUsage.
	Rows(ctx context.Context, r Resource, sheet string, q RowQuery) (RowPage, error)
	// Query answers a query on one table: rows, or groups, with totals and facets.
	// Its slices are shared and not to be changed. What is wrong with the query is
	// ErrUsage and names its parameter, what takes too long is ErrTooMuch.
	Query(ctx context.Context, r Resource, sheet string, q TableQuery) (TableAnswer, error)
	// Stream gives all rows, or all groups, of a query one after another. Errors of
	// the query come at once, those of reading as the last row.
	Stream(ctx context.Context, r Resource, sheet string, q TableQuery) (TableRows, error)
	// Compare says how a table differs from what it was in another release, with at
	// most show rows of each kind. ErrNotHeld when the bytes of one are elsewhere,
	// ErrNotFound when one has no such sheet, ErrTooMuch when it takes too long.
	Compare(ctx context.Context, before, after Resource, sheet string, show int) (TableChange, error)
}

// Objects opens content by its hash.
type Objects interface {
	// Object opens verified bytes and gives their length; ErrNotHeld when this
	// node does not have them.
	Object(ctx context.Context, d Digest) (ReadSeekCloser, int64, error)
}

// ReadSeekCloser is an open object: http.ServeContent reads ranges from it.
type ReadSeekCloser interface {
	io.ReadSeeker
	io.ReaderAt
	io.Closer
}

// Role is what a node does.
type Role string

// The roles (DESIGN.md, "One program, three roles").
const (
	Central Role = "central"
	Mirror  Role = "mirror"
	Agency  Role = "agency"
)

// Status is what a node says of itself, on its page, in its API and in
// `koprik status --json`.
type Status struct {
	Role       Role
	Title      string
	Contact    string // e-mail of who runs this node; may be empty
	State      CopyState
	Fresh      Freshness
	Datasets   int
	SignedBy   []string // key ids of the timestamp role, lower-case hex
	Upstream   string   // "" at a central
	LastSync   time.Time
	LastResult string    // "" or why the last sync did not succeed
	Doing      *SyncNow  // what a sync is doing; nil: none is under way
	Brought    *SyncDone // what the last sync that succeeded brought; nil: not known
	Owed       bool      // contents are still to come
	Outbox     int       // inquiries waiting to travel
	Backup     time.Time // when the last backup was made; zero: never
	Held       bool      // a centre that was restored, and does not sign before it has the newest copy
	Version    string
	ClockWrong bool // the machine's clock is before the newest signed time
	Alarms     []Alarm
}

// Alarm is proof, kept by this node, that somebody has signed two different things
// under one version, for different readers (spec/trust.md, "Freshness").
type Alarm struct {
	Role     string // "timestamp", "snapshot", "targets", a publisher, or a dataset
	Version  int64  // of the role; of a dataset its release
	Found    time.Time
	Reported bool   // the upstream has taken it
	File     string // in the data directory: both sides, signed
}
