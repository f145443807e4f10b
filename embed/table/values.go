package table

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"koprik/embed/sqlite"
	"koprik/portal"
)

// The limits of what is read for Values.
const (
	maxValueRows  = 1_000_000 // rows of a table that are looked at
	maxCategories = 2000      // distinct values of a column that nobody called a dimension
	maxValueText  = 100       // characters of one value; what is longer is a remark
)

// Values gives the distinct values of the columns that say what the rows of a
// resource's tables are about: dimensions (Meaning), and columns of words of
// which at most 2,000 differ. They are words for a search index: measures,
// codes and remarks are not among them, and only the first million rows of a
// table are looked at. At most limit values, in the order of tables, columns
// and rows. A table that is not there yet is built first, but that of a small
// file: then the file is read and nothing is kept. Errors are those of Ensure and of ctx.
func (s *Store) Values(ctx context.Context, r portal.Resource, limit int) ([]string, error) {
	for try := 0; ; try++ {
		values, table, err := s.values(ctx, r, limit)
		if err != nil && errors.Is(err, sqlite.ErrDamaged) && try == 0 {
			s.forget(resourceKey(r), table) // derived: make it again
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("values of %s: %w", r.Name, err)
		}
		return values, nil
	}
}

func (s *Store) values(ctx context.Context, r portal.Resource, limit int) (all []string, key string, err error) {
	l, there := s.built(r)
	if !there && r.Bytes <= smallFile {
		all, err = s.glance(ctx, r, limit)
		return all, "", err
	}
	if l, err = s.ensure(ctx, r); err != nil {
		return nil, "", err
	}
	values := distinctValues{limit: limit, seen: map[string]bool{}}
	for _, t := range l.Tables {
		for i, f := range t.Info.Columns {
			most := valuesOf(f)
			if most == 0 || len(values.list) >= limit {
				continue
			}
			found, err := s.distinct(ctx, t.Key, i, most)
			if err != nil {
				return nil, t.Key, explain(err)
			}
			values.add(found)
		}
	}
	return values.list, "", nil
}

// valuesOf gives how many distinct values a column may have to be read for
// Values; 0 for a column that is not.
func valuesOf(f portal.Field) int {
	words := f.Type == "" || f.Type == "string" || f.Type == "any" || f.Type == "year"
	switch {
	case f.Meaning.Dimension() && (words || f.Meaning.Role == portal.RoleTime):
		return maxValueRows
	case (f.Meaning.IsZero() || f.Meaning.Role == portal.RoleText) && words:
		return maxCategories
	}
	return 0
}

// distinct gives the distinct values of a column in the order of the rows; none
// where more than most differ.
func (s *Store) distinct(ctx context.Context, table string, column, most int) ([]string, error) {
	db, release, err := s.open.use(table, s.tablePath(table))
	if err != nil {
		return nil, err
	}
	defer release()
	text := fmt.Sprintf("SELECT DISTINCT c%d FROM (SELECT c%d FROM t LIMIT %d) LIMIT %d", column, column, maxValueRows, most+1)
	rows, err := db.QueryContext(ctx, text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []string
	n := 0
	for rows.Next() {
		if n++; n > most {
			return nil, nil
		}
		var value any
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		if v := wordsOf(value); v != "" {
			found = append(found, v)
		}
	}
	return found, rows.Err()
}

// wordsOf gives a value as it is searched; "" for what is not.
func wordsOf(value any) string {
	switch v := value.(type) {
	case string:
		if utf8.RuneCountInString(v) <= maxValueText {
			return v
		}
	case int64: // a year
		return strconv.FormatInt(v, 10)
	}
	return ""
}
