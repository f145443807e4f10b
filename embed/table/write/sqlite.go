package write

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"koprik/embed/sqlite"
	"koprik/portal"
)

// sqliteFile fills a database in a temporary file, which is then sent: SQLite
// writes where it likes, so it cannot be streamed. The file is as large as the
// answer, never larger than File.MaxTemporary, and gone afterwards.
type sqliteFile struct {
	w       *bufio.Writer
	path    string
	db      *sql.DB
	tx      *sql.Tx
	many    *sql.Stmt // inserts perInsert rows
	one     string
	columns int
	args    []any
	per     int // rows of one statement
}

// perInsert is how many rows go into one statement: three of five calls saved
// (spec/text-and-search.md, "Tables"). maxArgs is SQLite's limit of parameters.
const (
	perInsert = 50
	maxArgs   = 32_766
)

const (
	smallPage = 4096  // bytes
	largePage = 16384 // where a provenance line needs it
)

func newSQLite(w *bufio.Writer, f File) (_ encoder, err error) {
	file, err := os.CreateTemp(f.Folder, "export-*.db")
	if err != nil {
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	s := &sqliteFile{w: w, path: file.Name(), columns: len(f.Columns) - f.Hidden}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if err := file.Close(); err != nil {
		return nil, err
	}
	most := f.MaxTemporary
	if most <= 0 {
		most = DefaultTemporary
	}
	// The line stands alone on the file's second page, whole, so that verify finds
	// it within the first 64 KiB.
	page := int64(smallPage)
	if len(f.From.String()) > smallPage-100 {
		page = largePage
	}
	dsn := fmt.Sprintf("%s?_journal_mode=OFF&_synchronous=OFF&_dqs=0&_pragma=page_size(%d)&_pragma=locking_mode(EXCLUSIVE)&_pragma=cache_size(-8192)&_pragma=max_page_count(%d)",
		sqlite.FileURI(s.path), page, max(most/page, 1))
	if s.db, err = sql.Open("sqlite", dsn); err != nil {
		return nil, err
	}
	s.db.SetMaxOpenConns(1)
	if s.tx, err = s.db.BeginTx(context.Background(), nil); err != nil {
		return nil, err
	}
	return s, s.create(f)
}

// create makes the tables: the line, what is known, the columns, the rows.
func (s *sqliteFile) create(f File) error {
	ctx := context.Background() // who waits no longer asks for no more rows: Write ends between two of them
	table, columns := tableName(f.Table), columnNames(f.Columns[:s.columns])
	types := make([]string, s.columns)
	for i, c := range f.Columns[:s.columns] {
		types[i] = quoted(columns[i]) + " " + sqlTypes[kindOf(c)]
	}
	statements := []struct {
		text string
		args []any
	}{
		{`CREATE TABLE koprik_provenance (line TEXT NOT NULL)`, nil},
		{`INSERT INTO koprik_provenance VALUES (?)`, []any{f.From.String()}},
		{`CREATE TABLE about (name TEXT NOT NULL, value TEXT NOT NULL)`, nil},
		{`CREATE TABLE columns (name TEXT NOT NULL, title TEXT, type TEXT, role TEXT, unit TEXT)`, nil},
	}
	add := func(text string, args ...any) {
		statements = append(statements, struct {
			text string
			args []any
		}{text, args})
	}
	for _, l := range f.about() {
		add(`INSERT INTO about VALUES (?, ?)`, l.key, l.text)
	}
	for i, c := range f.Columns[:s.columns] {
		title, _ := c.Title.In(f.language())
		add(`INSERT INTO columns VALUES (?, ?, ?, ?, ?)`, columns[i], nothing(title), nothing(c.Type), nothing(string(c.Meaning.Role)), nothing(c.Meaning.Unit))
	}
	add("CREATE TABLE " + quoted(table) + " (" + strings.Join(types, ", ") + ")")
	for _, st := range statements {
		if _, err := s.tx.ExecContext(ctx, st.text, st.args...); err != nil {
			return tooLarge(err)
		}
	}
	s.one = "(?" + strings.Repeat(",?", s.columns-1) + ")"
	s.per = max(1, min(perInsert, maxArgs/s.columns))
	into := "INSERT INTO " + quoted(table) + " VALUES "
	var err error
	s.many, err = s.tx.PrepareContext(ctx, into+s.one+strings.Repeat(","+s.one, s.per-1))
	s.one = into + s.one
	return err
}

func nothing(s string) any {
	if s == "" {
		return nil
	}
	return s
}

var sqlTypes = map[kind]string{text: "TEXT", integer: "INTEGER", number: "REAL", boolean: "BOOLEAN", date: "TEXT", moment: "TEXT", geometry: "TEXT"}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// tableName is what the table is called in the database.
func tableName(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "_"), "\x00", "_")
	switch low := strings.ToLower(s); {
	case s == "":
		return "data"
	case low == "about" || low == "columns" || low == "koprik_provenance" || strings.HasPrefix(low, "sqlite_"):
		return "data_" + s
	}
	return s
}

// columnNames are those of the columns: SQLite's do not heed case.
func columnNames(fields []portal.Field) []string {
	names, taken := make([]string, len(fields)), map[string]bool{}
	for _, f := range fields {
		taken[f.Name] = true
	}
	used := map[string]bool{}
	for i, f := range fields {
		base := strings.ReplaceAll(strings.ToValidUTF8(f.Name, "_"), "\x00", "_")
		name := base
		for n := 2; used[strings.ToLower(name)] || name != base && taken[name]; n++ {
			name = base + "_" + strconv.Itoa(n)
		}
		used[strings.ToLower(name)] = true
		names[i] = name
	}
	return names
}

func (s *sqliteFile) row(values []any) error {
	s.args = append(s.args, values[:s.columns]...)
	if len(s.args) < s.per*s.columns {
		return nil
	}
	_, err := s.many.ExecContext(context.Background(), s.args...)
	s.args = s.args[:0]
	return tooLarge(err)
}

// tooLarge names the limit where SQLite speaks of a full disk.
func tooLarge(err error) error {
	if err == nil || !strings.Contains(err.Error(), "database or disk is full") {
		return err
	}
	return &portal.Problem{Kind: portal.ErrTooMuch, Where: "sqlite", Message: "the file would be larger than this node makes", Hint: "filter the rows, or take parquet or csv", Cause: err}
}

func (s *sqliteFile) end() error {
	for ; len(s.args) > 0; s.args = s.args[s.columns:] {
		if _, err := s.tx.ExecContext(context.Background(), s.one, s.args[:s.columns]...); err != nil {
			return tooLarge(err)
		}
	}
	if err := errors.Join(s.many.Close(), s.tx.Commit(), s.db.Close()); err != nil {
		return tooLarge(err)
	}
	s.many, s.tx, s.db = nil, nil, nil
	file, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(s.w, file)
	return err
}

// close takes the temporary file away, whatever happened.
func (s *sqliteFile) close() {
	if s.many != nil {
		s.many.Close()
	}
	if s.tx != nil {
		_ = s.tx.Rollback()
	}
	if s.db != nil {
		s.db.Close()
	}
	_ = os.Remove(s.path)
}
