package site

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"koprik/portal"
	"koprik/portal/lang"
)

// now is the trusted time of every test.
var now = time.Date(2026, 10, 14, 9, 30, 0, 0, time.UTC)

// fakeView is a small catalogue in memory.
type fakeView struct {
	whole      *atomic.Int32 // readings of tables by all their columns
	state      portal.CopyState
	datasets   []portal.Dataset
	publishers []portal.Publisher
	tables     map[portal.Digest][]fakeTable
	releases   map[string]portal.Release
	changes    map[string]portal.TableChange // by both files' short digests and the sheet
	objects    map[portal.Digest]string
	failing    error // what every search ends with
	counted    bool  // uses are counted
	threads    map[portal.InquiryID]portal.Thread
	showcase   portal.Showcase
	open       *atomic.Int32
}

type fakeTable struct {
	info portal.TableInfo
	rows [][]any
	err  error
}

func (f *fakeView) State() portal.CopyState { return f.state }
func (f *fakeView) Close() {
	if f.open != nil {
		f.open.Add(-1)
		f.open = nil
	}
}

func (f *fakeView) Dataset(_ context.Context, id portal.DatasetID) (portal.Dataset, error) {
	for _, d := range f.datasets {
		if d.ID == id {
			return d, nil
		}
	}
	return portal.Dataset{}, fmt.Errorf("dataset %s: %w", id, portal.ErrNotFound)
}

func (f *fakeView) Datasets(_ context.Context, ids []portal.DatasetID) ([]portal.Dataset, error) {
	var found []portal.Dataset
	for _, id := range ids {
		for _, d := range f.datasets {
			if d.ID == id {
				found = append(found, d)
			}
		}
	}
	return found, nil
}

func (f *fakeView) Release(_ context.Context, id portal.DatasetID, n int) (portal.Release, error) {
	if r, ok := f.releases[fmt.Sprintf("%s/%d", id, n)]; ok {
		return r, nil
	}
	for _, d := range f.datasets {
		if d.ID == id && d.Latest.Number == n {
			return d.Latest, nil
		}
	}
	return portal.Release{}, portal.ErrNotFound
}

func (f *fakeView) Manifest(context.Context, portal.DatasetID, int) ([]byte, error) {
	return nil, portal.ErrNotFound
}

func (f *fakeView) Showcase(context.Context) (portal.Showcase, error) { return f.showcase, nil }

func (f *fakeView) Publishers(context.Context) ([]portal.Publisher, error) { return f.publishers, nil }

func (f *fakeView) Count(context.Context) (int, error) {
	n := 0
	for _, d := range f.datasets {
		if d.Latest.Withdrawn == nil {
			n++
		}
	}
	return n, nil
}

func (f *fakeView) Overdue(_ context.Context, before portal.Date, limit int) ([]portal.DatasetID, int, error) {
	due := map[portal.DatasetID]portal.Date{}
	for _, d := range f.datasets {
		if next := d.Latest.Passport.NextDue; d.Latest.Withdrawn == nil && next != "" && next < before {
			due[d.ID] = next
		}
	}
	ids := slices.SortedFunc(maps.Keys(due), func(a, b portal.DatasetID) int { return cmp.Or(cmp.Compare(due[a], due[b]), cmp.Compare(a, b)) })
	return ids[:min(len(ids), limit)], len(ids), nil
}

func (f *fakeView) Search(_ context.Context, q portal.Query) (portal.Results, error) {
	if f.failing != nil {
		return portal.Results{}, f.failing
	}
	r := portal.Results{Facets: map[portal.Facet]map[string]int{}, Counted: f.counted}
	for _, d := range f.datasets {
		values := facetsOf(d)
		if !strings.Contains(strings.ToLower(strings.Join(d.Latest.Title.All(), " ")), strings.ToLower(q.Text)) || !passes(values, q.Filters) {
			continue
		}
		for facet, all := range values {
			if r.Facets[facet] == nil {
				r.Facets[facet] = map[string]int{}
			}
			for _, v := range all {
				r.Facets[facet][v]++
			}
		}
		h := portal.Hit{Dataset: d.ID, Words: strings.Fields(q.Text)}
		if len(h.Words) > 0 {
			h.Matched = []string{"title", "column", "value"}
		}
		r.Hits = append(r.Hits, h)
	}
	if q.Text == "maktb" {
		r.DidYouMean = "maktab"
	}
	if q.Text != "" {
		r.AlsoSearched = []string{lang.ToCyrillic(q.Text)}
	}
	for id, t := range f.threads {
		if q.Text != "" && strings.Contains(t.Text, q.Text) {
			r.Threads = append(r.Threads, portal.ThreadHit{Thread: id})
		}
	}
	r.Total = len(r.Hits)
	first := min(q.Offset, len(r.Hits))
	r.Hits = r.Hits[first:min(first+q.Limit, len(r.Hits))]
	return r, nil
}

func (f *fakeView) Thread(_ context.Context, id portal.InquiryID) (portal.Thread, error) {
	t, ok := f.threads[id]
	if !ok || t.Kind == "" {
		return t, portal.ErrNotFound
	}
	return t, nil
}

func facetsOf(d portal.Dataset) map[portal.Facet][]string {
	values := map[portal.Facet][]string{portal.FacetPublisher: {string(d.ID.Publisher())}}
	for _, t := range d.Latest.Themes {
		values[portal.FacetTheme] = append(values[portal.FacetTheme], string(t))
	}
	for _, r := range d.Latest.Resources {
		values[portal.FacetFormat] = append(values[portal.FacetFormat], r.Format)
	}
	for _, l := range d.Latest.Licenses {
		values[portal.FacetLicense] = append(values[portal.FacetLicense], l.Name)
	}
	// Of most datasets: what the index would read out of their words.
	if n, err := strconv.Atoi(strings.TrimPrefix(string(d.ID), "main_set-")); err == nil {
		regions := []string{"UZ-AN", "UZ-BU", "UZ-FA", "UZ-JI", "UZ-NG", "UZ-NW", "UZ-QA", "UZ-QR", "UZ-TK", portal.RegionSplit}
		values[portal.FacetRegion] = []string{regions[n%len(regions)]}
		values[portal.FacetYear] = []string{strconv.Itoa(2016 + n%10)}
		values[portal.FacetLanguage] = []string{"uz", []string{"ru", "en", "kaa", "uz-Cyrl"}[n%4]}
		values[portal.FacetSex] = []string{[]string{portal.SexYes, portal.SexNo}[n%2]}
		values[portal.FacetFreshness] = []string{freshest[n%4]}
	}
	return values
}

func passes(values map[portal.Facet][]string, filters map[portal.Facet][]string) bool {
	for facet, wanted := range filters {
		if !slices.ContainsFunc(wanted, func(w string) bool { return slices.Contains(values[facet], w) }) {
			return false
		}
	}
	return true
}

func (f *fakeView) Tables(_ context.Context, r portal.Resource) ([]portal.TableInfo, error) {
	var infos []portal.TableInfo
	for _, t := range f.tables[r.Hash] {
		if t.err != nil {
			return nil, t.err
		}
		infos = append(infos, t.info)
	}
	return infos, nil
}

func (f *fakeView) Query(_ context.Context, r portal.Resource, sheet string, q portal.TableQuery) (portal.TableAnswer, error) {
	for _, t := range f.tables[r.Hash] {
		if t.info.Sheet == sheet {
			return fakeAnswer(t, q)
		}
	}
	return portal.TableAnswer{}, portal.ErrNotFound
}

// fakeAnswer answers as fakeRows does, and also ne, in, facets and sums.
func fakeAnswer(t fakeTable, q portal.TableQuery) (portal.TableAnswer, error) {
	old := portal.RowQuery{Columns: q.Columns, After: q.After, Limit: q.Limit}
	if len(q.Order) > 0 {
		old.Sort, old.Desc = q.Order[0].By, q.Order[0].Desc
	}
	at := func(name string) int {
		return slices.IndexFunc(t.info.Columns, func(f portal.Field) bool { return f.Name == name })
	}
	a := portal.TableAnswer{}
	for _, name := range q.Facets {
		counts := map[any]int64{}
		for _, row := range t.rows {
			counts[row[at(name)]]++
		}
		facet := portal.TableFacet{Column: name, Total: int64(len(counts))}
		for _, row := range t.rows {
			if n := counts[row[at(name)]]; n > 0 && len(facet.Values) < q.FacetLimit {
				facet.Values = append(facet.Values, portal.FacetValue{Value: row[at(name)], Count: n})
				counts[row[at(name)]] = 0
			}
		}
		a.Facets = append(a.Facets, facet)
	}
	t.rows = slices.DeleteFunc(slices.Clone(t.rows), func(row []any) bool {
		return slices.ContainsFunc(q.Filters, func(f portal.TableFilter) bool {
			value := fmt.Sprint(row[at(f.Column)])
			switch f.Op {
			case portal.OpEqual, portal.OpIn:
				return !slices.Contains(f.Values, value)
			case portal.OpNot:
				return slices.Contains(f.Values, value)
			case portal.OpContains:
				return !strings.Contains(value, f.Values[0])
			}
			return false
		})
	})
	for _, g := range q.Aggregates {
		sum := 0.0
		for _, row := range t.rows {
			switch n := row[at(g.Column)].(type) {
			case int64:
				sum += float64(n)
			case float64:
				sum += n
			}
		}
		a.Totals = append(a.Totals, sum)
	}
	page, err := fakeRows(t, old)
	a.Columns, a.Total, a.Rows, a.Next = page.Columns, page.Total, page.Rows, page.Next
	return a, err
}

func (f *fakeView) Stream(context.Context, portal.Resource, string, portal.TableQuery) (portal.TableRows, error) {
	return portal.TableRows{}, portal.ErrNotFound
}

func (f *fakeView) Compare(_ context.Context, before, after portal.Resource, sheet string, _ int) (portal.TableChange, error) {
	if c, ok := f.changes[before.Hash.Short()+after.Hash.Short()+sheet]; ok {
		return c, nil
	}
	return portal.TableChange{}, fmt.Errorf("table %q: %w", sheet, portal.ErrNotHeld)
}

func (f *fakeView) Rows(_ context.Context, r portal.Resource, sheet string, q portal.RowQuery) (portal.RowPage, error) {
	if f.whole != nil && q.Limit == portal.MaxLimit && len(q.Columns) == 0 {
		f.whole.Add(1)
	}
	for _, t := range f.tables[r.Hash] {
		if t.info.Sheet == sheet {
			return fakeRows(t, q)
		}
	}
	return portal.RowPage{}, portal.ErrNotFound
}

// fakeRows answers eq and contains, sorts, and pages by a cursor "o<offset>".
func fakeRows(t fakeTable, q portal.RowQuery) (portal.RowPage, error) {
	at := func(name string) int {
		return slices.IndexFunc(t.info.Columns, func(f portal.Field) bool { return f.Name == name })
	}
	rows := slices.DeleteFunc(slices.Clone(t.rows), func(row []any) bool {
		return slices.ContainsFunc(q.Filters, func(f portal.RowFilter) bool {
			value := fmt.Sprint(row[at(f.Column)])
			return f.Op == "eq" && value != f.Value || f.Op == "contains" && !strings.Contains(value, f.Value)
		})
	})
	if q.Sort != "" {
		sort.SliceStable(rows, func(a, b int) bool {
			less := fmt.Sprint(rows[a][at(q.Sort)]) < fmt.Sprint(rows[b][at(q.Sort)])
			return less != q.Desc
		})
	}
	offset := 0
	if q.After != "" {
		if _, err := fmt.Sscanf(q.After, "o%d", &offset); err != nil {
			return portal.RowPage{}, fmt.Errorf("cursor %q: %w", q.After, portal.ErrUsage)
		}
	}
	page := portal.RowPage{Columns: t.info.Columns, Total: int64(len(rows))}
	end := min(offset+q.Limit, len(rows))
	page.Rows = rows[min(offset, len(rows)):end]
	if end < len(rows) {
		page.Next = fmt.Sprintf("o%d", end)
	}
	if len(q.Columns) > 0 {
		page = columnsOf(page, q.Columns, at)
	}
	return page, nil
}

func columnsOf(page portal.RowPage, names []string, at func(string) int) portal.RowPage {
	cut := portal.RowPage{Total: page.Total, Next: page.Next}
	for _, n := range names {
		cut.Columns = append(cut.Columns, page.Columns[at(n)])
	}
	for _, row := range page.Rows {
		var kept []any
		for _, n := range names {
			kept = append(kept, row[at(n)])
		}
		cut.Rows = append(cut.Rows, kept)
	}
	return cut
}

func (f *fakeView) Object(_ context.Context, d portal.Digest) (portal.ReadSeekCloser, int64, error) {
	if body, ok := f.objects[d]; ok {
		return held{strings.NewReader(body)}, int64(len(body)), nil
	}
	return nil, 0, portal.ErrNotHeld
}

type held struct{ *strings.Reader }

func (held) Close() error { return nil }

// world is a site over a fake view, and what the test may turn in it.
type world struct {
	view    *fakeView
	status  portal.Status
	options Options
	log     *bytes.Buffer
	open    atomic.Int32
	views   atomic.Int32
	viewErr error
	handler http.Handler
	asker   fakeAsker
}

// newWorld makes a site over the demonstration catalogue below; change edits
// it before the site begins.
func newWorld(t testing.TB, change ...func(*world)) *world {
	t.Helper()
	w := &world{view: catalogue(), log: &bytes.Buffer{}}
	w.view.whole = &atomic.Int32{}
	w.view.showcase = fakeShowcase()
	w.status = portal.Status{
		Role: portal.Mirror, Title: "", Contact: "data@example.uz", Upstream: "https://data.example.uz/repository/",
		LastSync: now.Add(-2 * time.Hour), Version: "0.1.0", SignedBy: []string{strings.Repeat("ab", 32)},
	}
	w.options = Options{
		Counter: &fakeCounter{numbers: manyNumbers()},
		View: func(context.Context) (portal.View, error) {
			if w.viewErr != nil {
				return nil, w.viewErr
			}
			w.open.Add(1)
			w.views.Add(1)
			v := *w.view
			v.open = &w.open
			return &v, nil
		},
		Status:   func(context.Context) (portal.Status, error) { return w.status, nil },
		Verifier: &fakeVerifier{},
		Asker:    &w.asker,
		Now:      func() time.Time { return now },
		Log:      slog.New(slog.NewTextHandler(w.log, nil)),
	}
	for _, c := range change {
		c(w)
	}
	h, err := New(w.options)
	if err != nil {
		t.Fatal(err)
	}
	w.handler = h
	return w
}

// get asks for an address; headers are pairs.
func (w *world) get(t testing.TB, address string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, address, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	if n := w.open.Load(); n != 0 {
		t.Errorf("%s: %d views left open", address, n)
	}
	return rec.Result()
}

// withoutAsker is a node that takes no questions.
func withoutAsker(w *world) { w.options.Asker = nil }

func (w *world) body(t testing.TB, address string, status int) string {
	t.Helper()
	res := w.get(t, address)
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != status {
		t.Errorf("%s: status %d, want %d\n%s", address, res.StatusCode, status, body)
	}
	return string(body)
}
