// Package read turns any file into typed rows, and says what its columns mean.
//
// Reading is streaming and goes over the file more than once: first to decide
// encoding, dialect and types by all rows, then to cast. Check is strict and is
// for publishing: what is wrong is named with file, row and column. Open is
// lenient and is for every node: a signed file is never refused, what does not
// cast stays text and a note says so.
//
// docs/reference/tables.md says what is read, how types are decided, and the
// limits.
package read

import (
	"context"
	"errors"
	"fmt"
	"io"

	"koprik/portal"
)

// Version names the rules by which files become tables. It is part of a
// table's name, so changed rules never meet a table made by the old ones.
const Version = 3

// The limits of one table (guarantee 5; docs/reference/tables.md, "Limits").
const (
	MaxColumns = 1998 // SQLite's 2,000 result columns, less the row id and one to spare
	MaxRows    = 20_000_000
	MaxRecord  = 16 << 20 // bytes of one row
	maxCell    = 1 << 20  // bytes of one cell
	maxLabel   = 200      // characters of a column's name
	maxSheets  = 200
	maxNotes   = 40
)

// errUnreadable marks what no mode can read: a lenient reader then has no
// table, a strict one a rejection.
var errUnreadable = errors.New("cannot be read as a table")

// Check reads src as publishing does: it finds how the file is written, decides
// or checks the type of every cell, and says what a person should see. size is
// the length of src in bytes; r gives the file's name, format, encoding,
// dialect and schema, of which only the name must be there. Without a schema,
// Columns carry the inferred types.
//
// A broken table is portal.ErrRejected with every problem (20 at most, and how
// many more there are) naming file, row and column. What is no table at all
// gives nil, nil.
func Check(ctx context.Context, src io.ReaderAt, size int64, r portal.Resource) ([]portal.TableInfo, error) {
	rd := &reader{ctx: ctx, src: src, size: size, res: r, strict: true, report: &report{}}
	defer rd.close()
	sheets, err := rd.open()
	if err != nil {
		return nil, rejected(err)
	}
	var infos []portal.TableInfo
	for _, s := range sheets {
		p, err := rd.plan(s, len(infos) == 0)
		if err == nil && p != nil && p.checks() {
			err = s.rows(ctx, func(n int, cells []cell) error { p.checkRow(n, cells); return nil })
		}
		if err != nil {
			return nil, rejected(err)
		}
		if p != nil {
			infos = append(infos, p.info())
		}
	}
	rd.missingSheets(infos)
	if err := rd.report.err(); err != nil {
		return nil, err
	}
	return infos, nil
}

// rejected gives an unreadable file the sentinel that callers look for.
func rejected(err error) error {
	var p *portal.Problem
	if errors.Is(err, errUnreadable) && !errors.As(err, &p) {
		return portal.Rejected("", "%v", err)
	}
	return err
}

// unreadable is a problem that ends reading in either mode.
func unreadable(where, format string, args ...any) error {
	p := portal.Rejected(where, format, args...)
	p.Cause = errUnreadable
	return p
}

// report collects what is wrong with one file, up to maxProblems, and counts
// the rest.
type report struct {
	problems portal.Problems
	more     int
}

const maxProblems = 20

func (r *report) add(where, format string, args ...any) {
	if len(r.problems) == maxProblems {
		r.more++
		return
	}
	r.problems.Add(where, format, args...)
}

func (r *report) err() error {
	ps := r.problems
	if r.more > 0 {
		ps = append(ps[:len(ps):len(ps)], portal.Rejected("", "and %d more", r.more))
	}
	return ps.Err()
}

// reader reads one file in one mode.
type reader struct {
	ctx    context.Context
	src    io.ReaderAt
	size   int64
	res    portal.Resource
	strict bool
	tmp    string // folder for what a workbook spills; "" is the system's
	report *report
	closer func() error
	merges map[string][]merge // of a workbook's sheets, by part below xl/
	inside bool               // of an archive: archives in it are not opened
	title  string             // of that file, where the archive has several
}

// where begins the place of a problem: the file, and the sheet of a workbook.
func (rd *reader) where(s *sheet) string {
	name := rd.res.Path
	if name == "" {
		name = rd.res.Name
	}
	if s != nil && s.name != "" {
		return fmt.Sprintf("%s, sheet %q", name, s.name)
	}
	return name
}

func (rd *reader) close() {
	if rd.closer != nil {
		_ = rd.closer() // nothing was written
		rd.closer = nil
	}
}

// open finds the tables of the file; none when it is no table.
func (rd *reader) open() ([]*sheet, error) {
	kind, err := rd.kind()
	if err != nil || kind == kindNone {
		return nil, err
	}
	d, err := parseDialect(rd.res.Dialect)
	if err != nil {
		if rd.strict {
			return nil, portal.Rejected(rd.where(nil), "dialect: %v", err)
		}
		d = dialect{}
	}
	if d, err = rd.sheetDialect(d, ""); err != nil {
		return nil, err
	}
	switch kind {
	case kindCSV, kindTSV:
		if kind == kindTSV && d.delimiter == "" {
			d.delimiter = "\t"
		}
		return rd.openCSV(d)
	case kindXLSX:
		return rd.openXLSX(d)
	case kindODS:
		return rd.openODS(d)
	case kindGZIP:
		return rd.openGzip()
	case kindZIP:
		return rd.openZip()
	default:
		return rd.openJSON(kind)
	}
}

// cellKind says what may be guessed about a cell's text.
type cellKind uint8

const (
	cellFree    cellKind = iota // text as written; its type is guessed
	cellNull                    // no value
	cellLiteral                 // a JSON string: never a number, a boolean or nothing
	cellNested                  // compact JSON text of an object or an array
)

// cell is one value before it has a type.
type cell struct {
	text string
	kind cellKind
}

// sheet is one table of a file, readable as often as need be.
type sheet struct {
	name   string   // of a workbook's sheet; "" elsewhere
	labels []string // the header as written; nil when the file has none
	notes  []string
	above  []string // title lines over the header
	end    int      // number of the first footnote; 0: there are none
	header []int    // rows of the header, where it was found in another place than the first row
	// encoding and delimiter that were guessed; "" for the defaults
	encoding, delimiter string
	flawed              int  // last row that a flaw was reported for
	named               bool // cells are found by label, not by place (JSON objects): no row is ragged
	padded              bool // rows end where their last value stands (workbooks): no row is short
	geometry            bool // the column of that name is GeoJSON
	// each gives every data row with its number as a person counts them (the
	// header is row 1). cells is reused: fn must not keep it.
	each func(ctx context.Context, fn func(n int, cells []cell) error) error
}

// rows is each without the footnotes.
func (s *sheet) rows(ctx context.Context, fn func(n int, cells []cell) error) error {
	return s.each(ctx, func(n int, cells []cell) error {
		if s.end > 0 && n >= s.end {
			return nil
		}
		return fn(n, cells)
	})
}

func (s *sheet) note(format string, args ...any) {
	if len(s.notes) < maxNotes {
		s.notes = append(s.notes, fmt.Sprintf(format, args...))
	}
}
