// Package write makes files of rows: CSV, XLSX, JSON, NDJSON, Parquet, SQLite and
// GeoJSON, for people and programs to take home.
//
// Rows come from an iterator and go out as they come, so memory does not grow
// with their number. Bytes are a function of what is given, and of nothing else:
// no clock, no order of a map, no number of a process. Whoever doubts a file has
// it made again and compares (docs/adr/0013). Whatever changes the bytes of a
// format raises Version; testdata/bytes.golden notices.
//
// It is a leaf of embed/table: it knows no store and no query.
package write

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"

	"koprik/portal"
)

// Version of the bytes that these writers make. It is part of an export's
// address, so a file of another version is never taken for an altered one.
const Version = 2

// File is what is written beside the rows.
type File struct {
	portal.Export
	// Table is what the table is called: the resource, or the sheet of a workbook.
	Table string
	// Columns are those of the rows. A column whose cells are not all of its type
	// has the type string here: Parquet has one type a column.
	Columns []portal.Field
	// Hidden is how many columns at the end are not shown: coordinates of GeoJSON
	// that the reader did not ask for.
	Hidden int
	// Folder takes the temporary file that SQLite needs. It exists; the file is
	// gone when Write returns. "" means that of the system.
	Folder string
	// MaxTemporary bounds that file in bytes; 0 means DefaultTemporary.
	MaxTemporary int64
}

// DefaultTemporary is how large a temporary file may grow, in bytes.
const DefaultTemporary = 4 << 30

// Rows are the rows of a file: nil, int64, float64, bool or string, one for each
// column. A row may be used again by the iterator once the next one was asked for.
type Rows = iter.Seq2[[]any, error]

// encoder writes one file. end finishes it; an encoder that holds something
// lets it go in close, which comes last and always.
type encoder interface {
	row(values []any) error
	end() error
	close()
}

// buffered is how much is gathered before it is handed on, in bytes.
const buffered = 64 << 10

// Write makes the file. Nothing is written before the first row was had, so an
// error that the iterator begins with leaves w untouched; so does a table that
// cannot be written in the format, which is portal.ErrUsage. An error later
// leaves half a file, without the trailer that its readers look for.
func Write(w io.Writer, f File, rows Rows) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, buffered)
	var enc encoder
	defer func() {
		if enc != nil {
			enc.close()
		}
	}()
	n := 0
	for row, err := range rows {
		if err != nil {
			return err
		}
		if n++; n == 1 {
			if enc, err = newEncoder(out, f); err != nil {
				return err
			}
		}
		if len(row) != len(f.Columns) {
			return fmt.Errorf("row %d: %d values for %d columns", n, len(row), len(f.Columns))
		}
		if err := enc.row(row); err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
	}
	if enc == nil {
		if enc, err = newEncoder(out, f); err != nil {
			return err
		}
	}
	if err := enc.end(); err != nil {
		return err
	}
	return out.Flush()
}

func newEncoder(w *bufio.Writer, f File) (encoder, error) {
	switch f.Format {
	case portal.ExportCSV:
		return newCSV(w, f)
	case portal.ExportXLSX:
		return newXLSX(w, f)
	case portal.ExportJSON:
		return newJSON(w, f)
	case portal.ExportNDJSON:
		return newNDJSON(w, f), nil
	case portal.ExportParquet:
		return newParquet(w, f)
	case portal.ExportSQLite:
		return newSQLite(w, f)
	case portal.ExportGeoJSON:
		return newGeoJSON(w, f)
	}
	return nil, fmt.Errorf("format %.40q: %w", f.Format, portal.ErrUsage)
}

func (f *File) check() error {
	if _, err := portal.ParseExportFormat(string(f.Format)); err != nil {
		return &portal.Problem{Kind: portal.ErrUsage, Where: "format", Message: err.Error()}
	}
	switch f.Separator {
	case 0:
		f.Separator = ','
	case ',', ';', '\t':
	default:
		return &portal.Problem{Kind: portal.ErrUsage, Where: "separator", Message: fmt.Sprintf("%q is none of comma, semicolon and tab", f.Separator)}
	}
	if f.DecimalComma && f.Separator == ',' {
		return &portal.Problem{
			Kind: portal.ErrUsage, Where: "decimal", Message: "a comma cannot mark decimals and separate cells",
			Hint: "take another separator",
		}
	}
	if len(f.Columns) == 0 || f.Hidden < 0 || f.Hidden >= len(f.Columns) {
		return errors.New("a table without columns")
	}
	return nil
}

// kind is how a column is kept in a format that has types.
type kind int

const (
	text kind = iota
	integer
	number
	boolean
	date
	moment
	geometry
)

// kindOf reads a column's type.
func kindOf(f portal.Field) kind {
	switch f.Type {
	case "integer", "year":
		return integer
	case "number":
		return number
	case "boolean":
		return boolean
	case "date":
		return date
	case "datetime":
		return moment
	case "geojson":
		return geometry
	}
	return text
}

func kindsOf(fields []portal.Field) []kind {
	kinds := make([]kind, len(fields))
	for i, f := range fields {
		kinds[i] = kindOf(f)
	}
	return kinds
}

// headings are what stands over the columns: their titles in the reader's
// language, their names where nobody asked for a language or two are alike.
func (f *File) headings() []string {
	names := make([]string, len(f.Columns)-f.Hidden)
	seen := map[string]int{}
	for i := range names {
		names[i] = f.Columns[i].Name
		if f.Lang != "" {
			if title, _ := f.Columns[i].Title.In(f.Lang); title != "" {
				names[i] = title
			}
		}
		seen[names[i]]++
	}
	for i, name := range names {
		if own := f.Columns[i].Name; seen[name] > 1 && own != name {
			names[i] = name + " (" + own + ")"
		}
	}
	return names
}
