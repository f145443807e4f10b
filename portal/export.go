package portal

import "fmt"

// ExportFormat is a kind of file that is made of a table's rows.
type ExportFormat string

// The formats (docs/reference/exports.md).
const (
	ExportCSV     ExportFormat = "csv"
	ExportXLSX    ExportFormat = "xlsx"
	ExportJSON    ExportFormat = "json"
	ExportNDJSON  ExportFormat = "ndjson"
	ExportParquet ExportFormat = "parquet"
	ExportSQLite  ExportFormat = "sqlite"
	ExportGeoJSON ExportFormat = "geojson" // only of tables with a geometry or coordinates
)

// ExportFormats are all of them, in the order in which people are offered them.
var ExportFormats = []ExportFormat{
	ExportCSV, ExportXLSX, ExportJSON, ExportNDJSON, ExportParquet, ExportSQLite, ExportGeoJSON,
}

// ParseExportFormat accepts exactly the spelling that comes out.
func ParseExportFormat(s string) (ExportFormat, error) {
	for _, f := range ExportFormats {
		if s == string(f) {
			return f, nil
		}
	}
	return "", fmt.Errorf("format %.40q: must be one of csv, xlsx, json, ndjson, parquet, sqlite, geojson", s)
}

// MediaType is what the file is called in HTTP.
func (f ExportFormat) MediaType() string {
	switch f {
	case ExportCSV:
		return "text/csv; charset=utf-8; header=present"
	case ExportXLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case ExportJSON:
		return "application/json; charset=utf-8"
	case ExportNDJSON:
		return "application/x-ndjson; charset=utf-8"
	case ExportParquet:
		return "application/vnd.apache.parquet"
	case ExportSQLite:
		return "application/vnd.sqlite3"
	case ExportGeoJSON:
		return "application/geo+json"
	}
	return "application/octet-stream"
}

// Export says what file is made of a query's rows. The file is a function of the
// release, the query and this alone: no clock, no reader, no generation.
type Export struct {
	Format ExportFormat
	// Separator of CSV: ',', ';' or '\t'; 0 means ','.
	Separator rune
	// DecimalComma writes the numbers of CSV with a comma, as spreadsheet programs
	// set to Uzbek or Russian read them.
	DecimalComma bool
	// Lang is the language of the headings and of the sheet about the data;
	// "" keeps the columns' names and is English.
	Lang Lang
	// Bare leaves out the provenance line where it would be a row of the table (CSV
	// and NDJSON). Such a file cannot be proved later.
	Bare bool
	// Release is the one that the table belongs to; From says where the file is
	// made again.
	Release Release
	From    Provenance
}
