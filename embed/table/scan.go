package table

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"koprik/embed/table/column"
)

// scan is a table as a source of columns: each walk reads the rows of its file.
// Values come as the driver gives them, without database/sql's conversions,
// which take as long as all the rest.
type scan struct {
	db    *sql.DB
	width int // columns of the table
}

// Blocks implements column.Source.
func (s scan) Blocks(ctx context.Context, columns []int, from int64, yield func(*column.Block) error) error {
	return s.read(ctx, columns, "rowid >= ?", from, yield)
}

// Row implements column.Source.
func (s scan) Row(ctx context.Context, columns []int, row int64) (*column.Block, error) {
	var one *column.Block
	err := s.read(ctx, columns, "rowid = ?", row, func(b *column.Block) error {
		one = &column.Block{First: b.First, N: b.N, Vectors: slices.Clone(b.Vectors)} // b is read into again
		return nil
	})
	if err == nil && one == nil {
		err = fmt.Errorf("row %d is not there", row)
	}
	return one, err
}

func (s scan) read(ctx context.Context, columns []int, where string, from int64, yield func(*column.Block) error) error {
	names := "NULL"
	if len(columns) > 0 {
		names = columnNames(columns)
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(raw any) error {
		rows, err := raw.(driver.QueryerContext).QueryContext(ctx, "SELECT "+names+" FROM t WHERE "+where, []driver.NamedValue{{Ordinal: 1, Value: from}})
		if err != nil {
			return err
		}
		defer rows.Close()
		return s.blocks(ctx, rows, columns, from, yield)
	})
}

// blockText is how many bytes of text make a block full, whatever its rows.
const blockText = 4 << 20

// blocks gathers rows: their ids are without gaps, as they were inserted once.
func (s scan) blocks(ctx context.Context, rows driver.Rows, columns []int, from int64, yield func(*column.Block) error) error {
	b := &column.Block{First: max(from, 1), Vectors: make([]column.Vector, s.width)}
	for _, c := range columns {
		b.Vectors[c].Plain = make([]any, 0, column.BlockRows)
	}
	values, text := make([]driver.Value, max(1, len(columns))), 0
	for more := true; more; {
		err := rows.Next(values)
		if more = err == nil; more {
			for n, c := range columns {
				b.Vectors[c].Plain = append(b.Vectors[c].Plain, values[n])
				if s, ok := values[n].(string); ok {
					text += len(s)
				}
			}
			b.N++
		} else if !errors.Is(err, io.EOF) {
			return err
		}
		if b.N == column.BlockRows || text >= blockText || !more && b.N > 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := yield(b); err != nil {
				return err
			}
			b.First += int64(b.N)
			b.N, text = 0, 0
			for _, c := range columns {
				b.Vectors[c].Plain = b.Vectors[c].Plain[:0]
			}
		}
	}
	return nil
}

// columnNames are the columns as SQL knows them.
func columnNames(columns []int) string {
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "c%d", c)
	}
	return b.String()
}
