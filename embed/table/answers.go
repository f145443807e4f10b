package table

import (
	"container/list"
	"sync"

	"koprik/embed/table/column"
	"koprik/portal"
	"koprik/portal/query"
)

// maxAnswers bounds what is remembered of answers, in values.
const maxAnswers = 500_000

// answers remembers what took a walk over a table: how many rows pass, groups,
// totals, facets. A table never changes under its key, so an answer holds as long
// as the table.
type answers struct {
	mu     sync.Mutex
	byKey  map[string]*list.Element
	recent *list.List // of *answer, newest first
	cost   int
}

type answer struct {
	key     string
	figures column.Figures
	cost    int
}

func newAnswers() *answers {
	return &answers{byKey: map[string]*list.Element{}, recent: list.New()}
}

// figuresKey names a query without what changes from page to page.
func figuresKey(table string, q portal.TableQuery) string {
	q.After, q.Limit, q.Columns = "", 0, nil
	if len(q.Group) == 0 {
		q.Order = nil
	}
	return table + "\n" + query.Values(q).Encode()
}

// totalKey names what decides which rows pass.
func totalKey(table string, q portal.TableQuery) string {
	return figuresKey(table, portal.TableQuery{Filters: q.Filters, Text: q.Text})
}

func (a *answers) figures(key string) (column.Figures, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.byKey[key]
	if !ok {
		return column.Figures{}, false
	}
	a.recent.MoveToFront(e)
	return e.Value.(*answer).figures, true
}

func (a *answers) keepFigures(key string, f column.Figures) {
	cost := 10 + len(f.Totals)
	for _, facet := range f.Facets {
		cost += 2 * len(facet.Values)
	}
	for _, g := range f.Groups {
		cost += 4 + len(g.Keys) + len(g.Values)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byKey[key] != nil {
		return
	}
	a.byKey[key] = a.recent.PushFront(&answer{key, f, cost})
	a.cost += cost
	for a.cost > maxAnswers && a.recent.Len() > 0 {
		last := a.recent.Remove(a.recent.Back()).(*answer)
		delete(a.byKey, last.key)
		a.cost -= last.cost
	}
}

func (a *answers) total(key string) (int64, bool) {
	f, ok := a.figures(key)
	return f.Total, ok
}

func (a *answers) keepTotal(key string, total int64) {
	a.keepFigures(key, column.Figures{Total: total})
}
