package table

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"koprik/embed/sqlite"
	"koprik/portal"
	"koprik/portal/lang"

	engine "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// The limits of public SQL beside those of package portal.
const (
	sqlTime  = time.Second     // for a statement to end
	sqlWait  = 5 * time.Second // for its turn
	sqlSlots = 2               // statements that run at once
)

// runFunction is the SQL function inside which a stranger's statement runs. The
// driver can stop a statement only until its first row is there; what runs inside
// a function of another statement is stopped with that one, whatever it does.
const runFunction = "koprik_run"

// publicSQL runs statements of strangers.
type publicSQL struct {
	limit  time.Duration
	slots  chan struct{}
	driver engine.Driver // with runFunction, apart from all other connections
	ready  func() error

	mu   sync.Mutex
	last int64
	runs map[int64]func() // what runFunction is to do, by ticket
}

func newPublicSQL() *publicSQL {
	p := &publicSQL{limit: sqlTime, slots: make(chan struct{}, sqlSlots), runs: map[int64]func(){}}
	p.ready = sync.OnceValue(func() error {
		err := p.driver.RegisterScalarFunction(runFunction, 1, func(_ *engine.FunctionContext, args []driver.Value) (driver.Value, error) {
			ticket, _ := args[0].(int64)
			p.mu.Lock()
			run := p.runs[ticket]
			delete(p.runs, ticket)
			p.mu.Unlock()
			if run == nil {
				return nil, errors.New("not to be called")
			}
			run()
			return nil, nil
		})
		return errors.Join(err, p.driver.RegisterDeterministicScalarFunction(foldFunction, 1, fold))
	})
	return p
}

// ticket keeps run until runFunction is called with the number.
func (p *publicSQL) ticket(run func()) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	p.runs[p.last] = run
	return p.last
}

func (p *publicSQL) forget(ticket int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.runs, ticket)
}

// foldFunction compares as a search does: koprik_fold('Тошкент') is
// koprik_fold('toshkent').
const foldFunction = "koprik_fold"

func fold(_ *engine.FunctionContext, args []driver.Value) (driver.Value, error) {
	switch v := args[0].(type) {
	case string:
		return lang.FoldLoose(v), nil
	case []byte:
		return lang.FoldLoose(string(v)), nil
	}
	return args[0], nil
}

// SQL runs one SELECT on tables of this node, on a connection of its own that
// can read these tables and nothing else: tables are attached read-only and
// immutable, an authorizer refuses all but SELECT on them and functions of a
// list, and nothing is kept. It ends within a second.
//
// A statement that is wrong, is more than one, or wants what is not allowed is
// portal.ErrUsage; one that takes too long or too much is portal.ErrTooMuch.
func (s *Store) SQL(ctx context.Context, q portal.SQLQuery) (portal.SQLAnswer, error) {
	if err := checkSQL(q); err != nil {
		return portal.SQLAnswer{}, err
	}
	turn, cancel := context.WithTimeout(ctx, sqlWait)
	defer cancel()
	select {
	case s.sql.slots <- struct{}{}:
		defer func() { <-s.sql.slots }()
	case <-turn.Done():
		if err := ctx.Err(); err != nil {
			return portal.SQLAnswer{}, err
		}
		return portal.SQLAnswer{}, tooMuchSQL("others are asking too", nil).WithHint("ask again in a moment")
	}
	x := &statement{store: s, q: q}
	var err error
	for _, t := range q.Tables {
		found, err := s.findTable(ctx, t.Resource, t.Sheet)
		if err != nil {
			return portal.SQLAnswer{}, fmt.Errorf("sql on %s: %w", t.Name, err)
		}
		// In use: it is neither closed nor pruned while it is attached.
		_, release, err := s.open.use(found.Key, s.tablePath(found.Key))
		if err != nil {
			return portal.SQLAnswer{}, err
		}
		defer release()
		x.tables = append(x.tables, found)
	}
	limited, stop := context.WithTimeout(ctx, s.sql.limit)
	defer stop()
	if err = x.run(limited); err != nil {
		switch {
		case ctx.Err() != nil:
			err = fmt.Errorf("sql: %w", ctx.Err())
		case limited.Err() != nil:
			err = tooMuchSQL(fmt.Sprintf("the statement did not end within %v", s.sql.limit), err)
		}
		return portal.SQLAnswer{}, err
	}
	return x.answer, nil
}

func tooMuchSQL(message string, cause error) *portal.Problem {
	return &portal.Problem{Kind: portal.ErrTooMuch, Where: "sql", Message: message, Hint: "ask for less, or download the table", Cause: cause}
}

func checkSQL(q portal.SQLQuery) error {
	if len(q.Text) > portal.MaxSQL {
		return usage("sql", "longer than %d bytes", portal.MaxSQL)
	}
	if len(q.Tables) > portal.MaxSQLTables {
		return usage("table", "%d tables, at most %d are allowed", len(q.Tables), portal.MaxSQLTables)
	}
	seen := map[string]bool{}
	for _, t := range q.Tables {
		name := strings.ToLower(t.Name)
		if name == "" || seen[name] || strings.HasPrefix(name, "sqlite_") || strings.ContainsRune(name, 0) {
			return usage("table", "%q is no name of its own for a table", clip(t.Name, 60))
		}
		seen[name] = true
	}
	return oneStatement(q.Text)
}

// statement is one query being run.
type statement struct {
	store  *Store
	q      portal.SQLQuery
	tables []listed
	inside bool // the stranger's statement, and not ours, is being compiled
	denied string
	answer portal.SQLAnswer
	err    error // of the stranger's statement
}

// connector opens connections with a driver of our own.
type connector struct{ d *engine.Driver }

// Connect implements driver.Connector. Temporary results go to files that have
// no name, so that memory stays bounded; the time bounds the files.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	return c.d.Open(":memory:?_dqs=0&_defensive=1&_pragma=trusted_schema(off)&_pragma=cell_size_check(on)&_pragma=temp_store(FILE)&_pragma=cache_size(-1024)")
}

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c.d }

// sqlLimits are SQLite's own of one connection (sqlite.org/c3ref/c_limit_attached.html).
var sqlLimits = map[int]int{
	lib.SQLITE_LIMIT_LENGTH:              portal.MaxSQLCell,
	lib.SQLITE_LIMIT_SQL_LENGTH:          portal.MaxSQL,
	lib.SQLITE_LIMIT_EXPR_DEPTH:          100,
	lib.SQLITE_LIMIT_COMPOUND_SELECT:     20,
	lib.SQLITE_LIMIT_VDBE_OP:             100_000,
	lib.SQLITE_LIMIT_FUNCTION_ARG:        32,
	lib.SQLITE_LIMIT_ATTACHED:            0,
	lib.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,
	lib.SQLITE_LIMIT_VARIABLE_NUMBER:     0,
	lib.SQLITE_LIMIT_TRIGGER_DEPTH:       0,
	lib.SQLITE_LIMIT_WORKER_THREADS:      0,
}

func (x *statement) run(ctx context.Context) error {
	p := x.store.sql
	if err := p.ready(); err != nil {
		return err
	}
	db := sql.OpenDB(connector{&p.driver})
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := x.prepare(ctx, conn); err != nil {
		return err
	}
	for id, most := range sqlLimits {
		if id == lib.SQLITE_LIMIT_VARIABLE_NUMBER || id == lib.SQLITE_LIMIT_SQL_LENGTH {
			continue // ours has a variable; the length was checked
		}
		if _, err := engine.Limit(conn, id, most); err != nil {
			return err
		}
	}
	return conn.Raw(func(raw any) error {
		if err := raw.(engine.AuthorizerRegisterer).RegisterAuthorizer(x.authorize); err != nil {
			return err
		}
		querier := raw.(driver.QueryerContext)
		ticket := p.ticket(func() {
			x.inside = true
			x.err = x.collect(querier)
		})
		defer p.forget(ticket)
		rows, err := querier.QueryContext(ctx, "SELECT "+runFunction+"(?)", []driver.NamedValue{{Ordinal: 1, Value: ticket}})
		if rows != nil {
			rows.Close()
		}
		if x.err != nil {
			return x.explain(x.err)
		}
		return err
	})
}

// prepare attaches the tables and gives them and their columns their names.
func (x *statement) prepare(ctx context.Context, conn *sql.Conn) error {
	for i, t := range x.tables {
		attach := fmt.Sprintf("ATTACH ? AS a%d", i)
		if _, err := conn.ExecContext(ctx, attach, sqlite.FileURI(x.store.tablePath(t.Key))+"?mode=ro&immutable=1"); err != nil {
			return explain(fmt.Errorf("open table: %w", err))
		}
		columns := make([]string, len(t.Info.Columns))
		for n, f := range t.Info.Columns {
			columns[n] = fmt.Sprintf("c%d AS %s", n, identifier(f.Name))
		}
		view := fmt.Sprintf("CREATE TEMP VIEW %s AS SELECT %s FROM a%d.t", identifier(x.q.Tables[i].Name), strings.Join(columns, ","), i) //nolint:gosec // names are quoted, numbers are ours
		if _, err := conn.ExecContext(ctx, view); err != nil {
			return fmt.Errorf("name table %s: %w", x.q.Tables[i].Name, err)
		}
	}
	_, err := conn.ExecContext(ctx, "PRAGMA query_only = 1")
	return err
}

// identifier writes a name as SQL does, whatever is in it.
func identifier(name string) string {
	name = strings.ReplaceAll(name, "\x00", "")
	if name == "" {
		name = " "
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// authorize decides what a statement may do while it is compiled: everything
// that is not on the list is refused.
func (x *statement) authorize(action engine.AuthorizerActionCode, arg1, arg2, database, view string) engine.AuthorizerReturnCode {
	allowed := false
	switch action {
	case engine.AuthSelect, engine.AuthRecursive:
		allowed = true
	case engine.AuthFunction:
		name := strings.ToLower(arg2)
		allowed = sqlFunctions[name] || !x.inside && name == runFunction
	case engine.AuthRead:
		table := strings.ToLower(arg1)
		switch {
		case arg2 == "": // rows are counted, and no column is read
			allowed = !strings.HasPrefix(table, "sqlite_") && !strings.HasPrefix(table, "pragma_") && table != "dbstat"
		case table == "json_each" || table == "json_tree":
			allowed = true
		case database == "temp" || database == "":
			allowed = slices.ContainsFunc(x.q.Tables, func(t portal.SQLTable) bool { return strings.ToLower(t.Name) == table })
		case database != "main":
			allowed = table == "t" && view != "" // through its view
		}
	}
	if allowed {
		return engine.AuthorizerOK
	}
	if x.denied == "" {
		x.denied = deniedName(action, arg1, arg2)
	}
	return engine.AuthorizerDeny
}

func deniedName(action engine.AuthorizerActionCode, arg1, arg2 string) string {
	switch action {
	case engine.AuthFunction:
		return "the function " + clip(arg2, 60)
	case engine.AuthRead:
		return "reading " + clip(arg1, 60)
	case engine.AuthAttach:
		return "ATTACH"
	case engine.AuthDetach:
		return "DETACH"
	case engine.AuthPragma:
		return "PRAGMA"
	case engine.AuthTransaction, engine.AuthSavepoint:
		return "a transaction"
	}
	return "anything but SELECT"
}

// collect runs the statement and keeps what it gives, within the limits.
func (x *statement) collect(querier driver.QueryerContext) error {
	rows, err := querier.QueryContext(context.Background(), x.q.Text, nil) // ends with the statement around it
	if err != nil {
		return err
	}
	defer rows.Close()
	if x.answer.Columns = rows.Columns(); len(x.answer.Columns) == 0 {
		return errors.New("is no SELECT: it gives no rows")
	}
	values := make([]driver.Value, len(x.answer.Columns))
	size := 0
	for {
		if err := rows.Next(values); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		row := make([]any, len(values))
		for i, v := range values {
			switch v := v.(type) {
			case string:
				size += len(v)
				row[i] = strings.ToValidUTF8(v, "\uFFFD")
			case []byte:
				size += 2 * len(v)
				row[i] = hex.EncodeToString(v)
			case float64:
				if !math.IsInf(v, 0) && !math.IsNaN(v) {
					row[i] = v
				}
			case int64:
				row[i] = v
			}
		}
		if size += 16 * len(row); len(x.answer.Rows) == portal.MaxSQLRows || size > portal.MaxSQLBytes {
			x.answer.Truncated = true
			return nil
		}
		x.answer.Rows = append(x.answer.Rows, row)
	}
}

// explain says what was wrong with the statement, in the engine's words.
func (x *statement) explain(err error) error {
	var e *engine.Error
	if !errors.As(err, &e) {
		return usage("sql", "%v", err) // a variable
	}
	if x.denied != "" {
		p := &portal.Problem{Kind: portal.ErrUsage, Where: "sql", Message: x.denied + " is not allowed here"}
		return p.WithHint("one SELECT on the tables that the address names; docs/reference/sql.md lists the functions")
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_INTERRUPT:
		return err // the deadline: SQL says so
	case lib.SQLITE_TOOBIG, lib.SQLITE_NOMEM, lib.SQLITE_FULL, lib.SQLITE_IOERR:
		return tooMuchSQL(engineWords(e), err)
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return explain(err)
	}
	return usage("sql", "%s", engineWords(e))
}

// engineWords are the engine's message without its codes.
func engineWords(e *engine.Error) string {
	words := e.Error()
	words = strings.TrimPrefix(words, "SQL logic error: ")
	if i := strings.LastIndex(words, " ("); i > 0 {
		words = words[:i]
	}
	return clip(words, 300)
}
