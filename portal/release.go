package portal

import (
	"encoding/json"
	"iter"
	"strings"
	"time"
)

// Release is an immutable, signed version of one dataset: the contents of a
// release manifest (docs/reference/manifest.md).
type Release struct {
	Dataset     DatasetID
	Number      int       // from 1, without gaps
	Issued      time.Time // UTC, whole seconds
	Reason      Text      // why this release was made
	Previous    *PreviousRelease
	Title       Text
	Description Text
	Keywords    []string
	Themes      []ThemeID
	Licenses    []License
	Sources     []Source
	Homepage    string
	Version     string // the publisher's own version label
	Passport    Passport
	Resources   []Resource
	Withdrawn   *Withdrawal // a tombstone has a reason and no resources
}

// PreviousRelease points at the manifest before this one.
type PreviousRelease struct {
	Release int
	SHA256  Digest
	Length  int64 // bytes of that manifest
}

// Withdrawal says why a dataset's bytes were taken back.
type Withdrawal struct{ Reason Text }

// License is what the data may be used under.
type License struct {
	Name  string // SPDX or Open Definition identifier: "CC-BY-4.0"
	Title string
	Path  string // URL
}

// LicenseLabel writes an SPDX identifier of a Creative Commons licence as that
// organisation does: "CC-BY-SA-4.0" is "CC BY-SA 4.0", "CC0-1.0" is "CC0 1.0". Any
// other name stays as it is.
func LicenseLabel(name string) string {
	last := strings.LastIndexByte(name, '-')
	if !strings.HasPrefix(name, "CC") || last < 0 {
		return name
	}
	name = name[:last] + " " + name[last+1:]
	if terms, ok := strings.CutPrefix(name, "CC-"); ok {
		name = "CC " + terms
	}
	return name
}

// Source is where figures were taken from.
type Source struct {
	Title string
	Path  string // URL
	Email string
}

// Resource is one file of a release: DCAT's distribution, Frictionless' data
// resource. Its bytes are held under Hash.
type Resource struct {
	Name        string // [a-z0-9._-], unique in the release; names the table in addresses
	Path        string // portable relative path, at most 100 bytes; its last part is the file's name
	Title       Text
	Description Text
	Format      string // "csv", "xlsx", "json", … lower case
	MediaType   string
	Encoding    string
	Bytes       int64
	Hash        Digest
	Dialect     json.RawMessage // a Frictionless dialect object, compact; nil when not given
	Schema      *TableSchema    // of its first table; nil for what is not a table
	Sheets      []Sheet         // of a file with several tables, each of them; nil for one
}

// Sheet is one table of a file that has several: a sheet of a workbook, a file of
// an archive.
type Sheet struct {
	Name     string          // as TableInfo.Sheet
	Encoding string          // of a file in an archive; "" where the resource says it
	Dialect  json.RawMessage // goes before the resource's; nil where that says all
	Schema   *TableSchema    // nil for the first table, whose schema is the resource's
}

// Schemas are those of all tables of the resource that have one, the first
// table's first.
func (r Resource) Schemas() iter.Seq[*TableSchema] {
	return func(yield func(*TableSchema) bool) {
		if r.Schema != nil && !yield(r.Schema) {
			return
		}
		for _, s := range r.Sheets {
			if s.Schema != nil && !yield(s.Schema) {
				return
			}
		}
	}
}

// TableSchema is a Frictionless table schema.
type TableSchema struct {
	Fields        []Field
	PrimaryKey    []string
	MissingValues []string        // nil means the default: the empty string
	ForeignKeys   json.RawMessage // kept as given, compact
}

// Field is one column.
type Field struct {
	Name        string
	Type        string // a Frictionless field type; "" is "string"
	Format      string
	Title       Text
	Description Text
	Constraints json.RawMessage // kept as given, compact
	Options     json.RawMessage // the type's own properties (decimalChar, groupChar, bareNumber, trueValues, falseValues) as one object
	Meaning     Meaning         // the member "koprik" of the field
}

// ThemeID is a theme's slug.
type ThemeID string

// Themes are the thirteen data themes of DCAT-AP (EU vocabulary "data-theme"),
// under slugs of ours, in the order in which they are shown.
var Themes = []ThemeID{
	"population", "health", "education", "economy", "regions", "government", "justice",
	"agriculture", "environment", "energy", "transport", "science", "international",
}

// IsTheme tells whether id is one of Themes.
func IsTheme(id ThemeID) bool {
	for _, t := range Themes {
		if t == id {
			return true
		}
	}
	return false
}
