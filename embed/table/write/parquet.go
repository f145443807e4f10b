package write

import (
	"bufio"
	"fmt"
	"time"

	"github.com/parquet-go/parquet-go"

	"koprik/portal"
)

// Limits of what is gathered before a row group is written: memory is a few
// times groupBytes, however long or wide the table.
const (
	groupRows  = 64 << 10
	groupBytes = 4 << 20
	batchRows  = 256
)

// pageBytes is the room that parquet-go takes for each column, filled or not,
// and once more for what was encoded: 1,900 columns with the usual 256 KiB would
// take a gigabyte.
func pageBytes(columns int) int { return min(max(groupBytes/max(columns, 1), 4<<10), 256<<10) }

// parquetFile writes Parquet: one optional column of a type for each, row groups
// of a bounded size, Zstandard. The provenance stands in the footer's metadata,
// after the row groups, so within the file's last 64 KiB.
type parquetFile struct {
	w     *parquet.GenericWriter[any]
	kinds []kind
	batch []parquet.Row
	cells []parquet.Value
	rows  int
	bytes int
}

// ordered is a group whose columns stand in the order of the table: Parquet-go's
// own are sorted by name.
type ordered struct {
	parquet.Group
	fields []parquet.Field
}

// Fields gives the columns in their order.
func (o ordered) Fields() []parquet.Field { return o.fields }

func newParquet(w *bufio.Writer, f File) (encoder, error) {
	shown := f.Columns[:len(f.Columns)-f.Hidden]
	p := &parquetFile{kinds: kindsOf(shown)}
	group := parquet.Group{}
	for i, c := range shown {
		if _, twice := group[c.Name]; twice {
			return nil, fmt.Errorf("column %q stands twice", c.Name)
		}
		group[c.Name] = parquet.Optional(leafOf(p.kinds[i]))
	}
	byName := map[string]parquet.Field{}
	for _, field := range group.Fields() {
		byName[field.Name()] = field
	}
	root := ordered{Group: group}
	for _, c := range shown {
		root.fields = append(root.fields, byName[c.Name])
	}
	options := []parquet.WriterOption{
		parquet.NewSchema("table", root),
		parquet.CreatedBy("koprik", fmt.Sprint(Version), "1"),
		parquet.Compression(&parquet.Zstd),
		parquet.KeyValueMetadata("koprik_provenance", f.From.String()),
		parquet.MaxRowsPerRowGroup(groupRows),
		parquet.PageBufferSize(pageBytes(len(shown))),
		parquet.ColumnPageBuffers(parquet.NewChunkBufferPool(pageBytes(len(shown)))),
		parquet.DataPageStatistics(true),
	}
	for i, c := range shown {
		if k := p.kinds[i]; k == text || k == geometry { // the least and the largest text of every page would be held whole
			options = append(options, parquet.SkipPageBounds(c.Name))
		}
	}
	p.w = parquet.NewGenericWriter[any](w, options...)
	return p, nil
}

func leafOf(k kind) parquet.Node {
	switch k {
	case integer:
		return parquet.Int(64)
	case number:
		return parquet.Leaf(parquet.DoubleType)
	case boolean:
		return parquet.Leaf(parquet.BooleanType)
	case date:
		return parquet.Date()
	case moment:
		return parquet.TimestampAdjusted(parquet.Microsecond, false)
	case text, geometry:
	}
	return parquet.String()
}

func (p *parquetFile) row(values []any) error {
	start := len(p.cells)
	for i := range p.kinds {
		cell, size, err := p.cell(i, values[i])
		if err != nil {
			return err
		}
		defined := 1
		if cell.IsNull() {
			defined = 0
		}
		p.cells = append(p.cells, cell.Level(0, defined, i))
		p.bytes += size
	}
	p.batch = append(p.batch, p.cells[start:len(p.cells):len(p.cells)])
	p.rows++
	switch {
	case p.rows >= groupRows || p.bytes >= groupBytes:
		if err := p.flush(); err != nil {
			return err
		}
		p.rows, p.bytes = 0, 0
		return p.w.Flush()
	case len(p.batch) >= batchRows:
		return p.flush()
	}
	return nil
}

// cell gives a value as its column's type, and about how many bytes it takes.
func (p *parquetFile) cell(i int, v any) (parquet.Value, int, error) {
	const word = 8
	var ok bool
	var cell parquet.Value
	size := word
	switch v := v.(type) {
	case nil:
		return parquet.NullValue(), 1, nil
	case int64:
		switch p.kinds[i] {
		case integer:
			cell, ok = parquet.Int64Value(v), true
		case number:
			cell, ok = parquet.DoubleValue(float64(v)), true
		case text:
			cell, ok = parquet.ByteArrayValue(fmt.Append(nil, v)), true
		default:
		}
	case float64:
		switch p.kinds[i] {
		case number:
			cell, ok = parquet.DoubleValue(v), true
		case text:
			cell, ok = parquet.ByteArrayValue(appendFloat(nil, v)), true
		default:
		}
	case bool:
		switch p.kinds[i] {
		case boolean:
			cell, ok = parquet.BooleanValue(v), true
		case text:
			cell, ok = parquet.ByteArrayValue(fmt.Append(nil, v)), true
		default:
		}
	case string:
		size += len(v)
		cell, ok = textCell(p.kinds[i], v)
	}
	if !ok {
		return cell, 0, fmt.Errorf("column %d: %T %.40v is not of its column's type: %w", i+1, v, v, portal.ErrRejected)
	}
	return cell, size, nil
}

func textCell(k kind, s string) (parquet.Value, bool) {
	switch k {
	case text, geometry:
		return parquet.ByteArrayValue([]byte(s)), true
	case date:
		t, err := time.Parse(time.DateOnly, s)
		const day = 24 * 60 * 60
		return parquet.Int32Value(int32(t.Unix() / day)), err == nil //nolint:gosec // years of four digits
	case moment:
		t, err := time.Parse("2006-01-02T15:04:05", s)
		return parquet.Int64Value(t.UnixMicro()), err == nil
	case integer, number, boolean:
	}
	return parquet.Value{}, false
}

func (p *parquetFile) flush() error {
	_, err := p.w.WriteRows(p.batch)
	p.batch, p.cells = p.batch[:0], p.cells[:0]
	return err
}

func (p *parquetFile) end() error {
	if err := p.flush(); err != nil {
		return err
	}
	return p.w.Close()
}

func (p *parquetFile) close() {}
