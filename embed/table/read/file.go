package read

import (
	"context"
	"errors"
	"io"

	"koprik/portal"
)

// File is a file that is read leniently, as every node does with signed data.
type File struct {
	rd     *reader
	sheets []*sheet
}

// Open finds the tables of src, which is size bytes long, without checking
// them; r gives the file's name, format, encoding, dialect and schema. tmp is a
// folder for what does not fit into memory; "" is the system's. A file that no
// mode can read is ErrUnreadable. Close must be called.
func Open(ctx context.Context, src io.ReaderAt, size int64, r portal.Resource, tmp string) (*File, error) {
	rd := &reader{ctx: ctx, src: src, size: size, res: r, tmp: tmp, report: &report{}}
	sheets, err := rd.open()
	if err != nil {
		rd.close()
		return nil, err
	}
	return &File{rd: rd, sheets: sheets}, nil
}

// Close removes what was spilled.
func (f *File) Close() { f.rd.close() }

// Each gives the tables of the file one after the other. A table is looked over
// once, all rows, before fn gets it.
func (f *File) Each(fn func(t *Table) error) error {
	first := true
	for _, s := range f.sheets {
		p, err := f.rd.plan(s, first)
		if err != nil {
			return err
		}
		if p == nil {
			continue
		}
		first = false
		if err := fn(&Table{p}); err != nil {
			return err
		}
	}
	return nil
}

// Table is one table of a file, its columns decided.
type Table struct{ plan *plan }

// Sheet is the name of a workbook's sheet; "" elsewhere.
func (t *Table) Sheet() string { return t.plan.sheet.name }

// Width is the number of columns, at least one.
func (t *Table) Width() int { return len(t.plan.columns) }

// Info describes the table. Once the rows were read, its notes also say which
// values stayed text.
func (t *Table) Info() portal.TableInfo { return t.plan.info() }

// Rows casts every row and appends its values to out, one a column: nil, int64,
// float64 or string; a boolean is 1 or 0. fn gets the longer slice and how many
// bytes of text the row has, and gives back what the next row is appended to.
func (t *Table) Rows(ctx context.Context, out []any, fn func(out []any, bytes int) ([]any, error)) error {
	t.plan.forget()
	return t.plan.sheet.rows(ctx, func(n int, cells []cell) (err error) {
		bytes := 0
		for _, c := range cells {
			bytes += len(c.text)
		}
		out, err = fn(t.plan.row(n, cells, out), bytes)
		return err
	})
}

// IsTable tells whether a resource may be a table, by what it says of itself.
func IsTable(r portal.Resource) bool {
	return declaredKind(r) != kindNone || r.Schema != nil && r.Format == ""
}

// Kind names how a resource says that it holds rows: part of the name of what
// is made of it.
func Kind(r portal.Resource) int { return int(declaredKind(r)) }

// Unreadable tells an error of a file that no mode can read.
func Unreadable(err error) bool { return errors.Is(err, errUnreadable) }

// Number reads a number as people type it: with a decimal point or comma, with
// spaces between thousands. The value is an int64 where it is whole, else a float64.
func Number(s string) (v any, ok bool) {
	plain := plainSpaces(s)
	for _, n := range []notation{{'.', 0}, {',', 0}, {'.', ' '}, {',', ' '}} {
		text, _, fits := n.clean(plain, false)
		if !fits {
			continue
		}
		if whole, ok := wholeNumber(text); ok {
			return whole, true
		}
		return castFloat(text)
	}
	return nil, false
}
