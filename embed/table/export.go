package table

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"koprik/embed/table/read"
	"koprik/embed/table/write"
	"koprik/internal/disk"
	"koprik/portal"
)

// queryRules is the version of how queries choose and order rows. Whatever
// changes which rows a filter keeps, or their order, raises it: a file of a
// filtered table is made again years later, and must not be called altered.
const queryRules = 1

// ExportVersion names the rules of reading, asking and writing by which Export
// makes files: the same version makes the same bytes.
func (s *Store) ExportVersion() string {
	return fmt.Sprintf("%d.%d.%d", write.Version, read.Version, queryRules)
}

// Export writes all rows that a query finds as a file; sheet is that of
// TableInfo. Memory does not grow with the rows (Stream). Errors before the
// first byte are those of Stream, and portal.ErrUsage for a table that the
// format cannot hold; later ones leave half a file.
func (s *Store) Export(ctx context.Context, w io.Writer, r portal.Resource, sheet string, q portal.TableQuery, e portal.Export) error {
	t, err := s.findTable(ctx, r, sheet)
	if err != nil {
		return fmt.Errorf("rows of %s: %w", r.Name, err)
	}
	f := write.File{Export: e, Table: r.Name}
	if sheet != "" {
		f.Table = sheet
	}
	if e.Format == portal.ExportGeoJSON {
		f.Hidden = needGeometry(t.Info.Columns, &q)
	}
	rows, err := s.Stream(ctx, r, sheet, q)
	if err != nil {
		return err
	}
	f.Columns = rows.Columns
	switch e.Format {
	case portal.ExportParquet, portal.ExportSQLite:
		if f.Columns, err = s.strict(ctx, t, rows.Columns); err != nil {
			return fmt.Errorf("export of %s: %w", r.Name, explain(err))
		}
	default:
	}
	if e.Format == portal.ExportSQLite {
		folder, err := os.MkdirTemp(s.dir, tempPrefix+"*")
		if err != nil {
			return disk.Classify(err)
		}
		defer os.RemoveAll(folder)
		f.Folder = folder
	}
	if err := write.Write(w, f, rows.Rows); err != nil {
		return fmt.Errorf("export of %s: %w", r.Name, disk.Classify(err))
	}
	return nil
}

// needGeometry adds the columns that GeoJSON takes its shapes from, where the
// query leaves them out, and says how many they are.
func needGeometry(columns []portal.Field, q *portal.TableQuery) (hidden int) {
	places, ok := write.Geometry(columns)
	if !ok || len(q.Columns) == 0 || len(q.Group) > 0 {
		return 0
	}
	for _, p := range places {
		if name := columns[p].Name; !slices.Contains(q.Columns, name) {
			q.Columns = append(slices.Clip(q.Columns), name)
			hidden++
		}
	}
	return hidden
}

// strict gives columns the types that all of their cells have, for files that
// have one type a column: a table is read leniently, and what did not cast stayed
// text. All rows of the table decide, whatever is filtered, so that two files of
// one table have one schema.
func (s *Store) strict(ctx context.Context, t listed, columns []portal.Field) ([]portal.Field, error) {
	columns = slices.Clone(columns)
	var asked []string
	var places [][2]int // of a column, and of the answers
	for i, f := range columns {
		c := slices.IndexFunc(t.Info.Columns, func(o portal.Field) bool { return o.Name == f.Name })
		tests := strays(fmt.Sprintf("c%d", c), f.Type)
		if c < 0 || len(tests) == 0 {
			continue
		}
		places = append(places, [2]int{i, len(asked)})
		asked = append(asked, tests...)
	}
	if len(asked) == 0 {
		return columns, nil
	}
	db, release, err := s.open.use(t.Key, s.tablePath(t.Key))
	if err != nil {
		return nil, err
	}
	defer release()
	var found []bool
	for part := range slices.Chunk(asked, testsAtOnce) {
		answers, into := make([]bool, len(part)), make([]any, len(part))
		for i := range into {
			into[i] = &answers[i]
		}
		text := "SELECT ifnull(max(" + strings.Join(part, "), 0), ifnull(max(") + "), 0) FROM t"
		if err := db.QueryRowContext(ctx, text).Scan(into...); err != nil {
			return nil, fmt.Errorf("types of the columns: %w", err)
		}
		found = append(found, answers...)
	}
	for _, p := range places {
		f := &columns[p[0]]
		switch {
		case found[p[1]]:
			f.Type = "string"
		case (f.Type == "integer" || f.Type == "year") && found[p[1]+1]:
			f.Type = "number"
		}
	}
	return columns, nil
}

// testsAtOnce is how many conditions one statement looks at: SQLite gives 2,000
// result columns, and a table has 1,998 columns with up to two conditions each.
const testsAtOnce = 1000

// strays are conditions under which a cell is not of its column's type; for whole
// numbers the second one finds those that are not whole.
func strays(c, fieldType string) []string {
	switch fieldType {
	case "integer", "year":
		return []string{"typeof(" + c + ")='text'", "typeof(" + c + ")='real'"}
	case "number", "boolean":
		return []string{"typeof(" + c + ")='text'"}
	case "date":
		return []string{c + " IS NOT NULL AND date(" + c + ") IS NOT " + c}
	case "datetime":
		return []string{c + " IS NOT NULL AND strftime('%Y-%m-%dT%H:%M:%S'," + c + ") IS NOT " + c}
	}
	return nil
}
