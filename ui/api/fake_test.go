package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"koprik/portal"
)

var (
	signedAt = time.Date(2026, 5, 3, 9, 0, 0, 0, time.UTC)
	issued   = time.Date(2026, 4, 30, 12, 0, 0, 0, time.UTC)

	csvBytes  = []byte("year,water\n2014,81.2\n2015,84.9\n")
	htmlBytes = []byte("<script>alert(1)</script>")
)

// world is a catalogue in memory: a portal.View that also counts.
type world struct {
	state     portal.CopyState
	datasets  map[portal.DatasetID]portal.Dataset
	releases  map[string]portal.Release // "id/n"
	manifests map[string][]byte
	objects   map[portal.Digest][]byte
	tables    map[string][]portal.TableInfo // by resource name
	page      portal.TableAnswer
	results   *portal.Results // nil: every dataset
	err       error           // what datasets and searches answer, once set
	rowsErr   error           // what rows answer, once set

	asked   portal.Query
	rowed   portal.TableQuery
	queries int
	sheet   string
	opened  int
	closed  int
}

func (w *world) State() portal.CopyState { return w.state }
func (w *world) Close()                  { w.closed++ }

func (w *world) Dataset(_ context.Context, id portal.DatasetID) (portal.Dataset, error) {
	if w.err != nil {
		return portal.Dataset{}, w.err
	}
	d, ok := w.datasets[id]
	if !ok {
		return d, portal.ErrNotFound
	}
	return d, nil
}

func (w *world) Datasets(_ context.Context, ids []portal.DatasetID) ([]portal.Dataset, error) {
	var all []portal.Dataset
	for _, id := range ids {
		if d, ok := w.datasets[id]; ok {
			all = append(all, d)
		}
	}
	return all, nil
}

func (w *world) Release(_ context.Context, id portal.DatasetID, n int) (portal.Release, error) {
	r, ok := w.releases[fmt.Sprintf("%s/%d", id, n)]
	if !ok {
		return r, portal.ErrNotFound
	}
	return r, nil
}

func (w *world) Manifest(_ context.Context, id portal.DatasetID, n int) ([]byte, error) {
	m, ok := w.manifests[fmt.Sprintf("%s/%d", id, n)]
	if !ok {
		return nil, portal.ErrNotFound
	}
	return m, nil
}

func (w *world) Overdue(context.Context, portal.Date, int) ([]portal.DatasetID, int, error) {
	return nil, 0, nil
}
func (w *world) Publishers(context.Context) ([]portal.Publisher, error) { return nil, nil }
func (w *world) Count(context.Context) (int, error)                     { return len(w.datasets), nil }

func (w *world) Search(_ context.Context, q portal.Query) (portal.Results, error) {
	w.asked = q
	if w.err != nil {
		return portal.Results{}, w.err
	}
	if w.results != nil {
		return *w.results, nil
	}
	r := portal.Results{Total: len(w.datasets)}
	for id := range w.datasets {
		r.Hits = append(r.Hits, portal.Hit{Dataset: id, Score: 1.5, Matched: []string{"title"}})
	}
	slices.SortFunc(r.Hits, func(a, b portal.Hit) int { return bytes.Compare([]byte(a.Dataset), []byte(b.Dataset)) })
	r.Facets = map[portal.Facet]map[string]int{portal.FacetTheme: {"environment": len(r.Hits)}}
	return r, nil
}

func (w *world) Tables(_ context.Context, r portal.Resource) ([]portal.TableInfo, error) {
	if _, ok := w.objects[r.Hash]; !ok {
		return nil, portal.ErrNotHeld
	}
	return w.tables[r.Name], nil
}

func (w *world) Query(_ context.Context, _ portal.Resource, sheet string, q portal.TableQuery) (portal.TableAnswer, error) {
	w.sheet, w.rowed = sheet, q
	w.queries++
	return w.page, w.rowsErr
}

func (w *world) Stream(context.Context, portal.Resource, string, portal.TableQuery) (portal.TableRows, error) {
	return portal.TableRows{}, portal.ErrNotFound
}

func (w *world) Compare(context.Context, portal.Resource, portal.Resource, string, int) (portal.TableChange, error) {
	return portal.TableChange{}, portal.ErrNotHeld
}

func (w *world) Rows(context.Context, portal.Resource, string, portal.RowQuery) (portal.RowPage, error) {
	return portal.RowPage{}, portal.ErrNotFound
}

func (w *world) Object(_ context.Context, d portal.Digest) (portal.ReadSeekCloser, int64, error) {
	b, ok := w.objects[d]
	if !ok {
		return nil, 0, portal.ErrNotHeld
	}
	w.opened++
	return &object{bytes.NewReader(b), w}, int64(len(b)), nil
}

type object struct {
	*bytes.Reader
	w *world
}

func (o *object) Close() error { o.w.opened--; return nil }

// newWorld has one dataset with two releases, a workbook, a page of HTML and a
// file that is elsewhere, and one dataset that was withdrawn.
func newWorld() *world {
	w := &world{
		state: portal.CopyState{
			Generation: 12, AsOf: signedAt, Expires: signedAt.AddDate(0, 0, 7),
			Repository: portal.DigestOf([]byte("root")),
		},
		datasets: map[portal.DatasetID]portal.Dataset{}, releases: map[string]portal.Release{},
		manifests: map[string][]byte{}, objects: map[portal.Digest][]byte{}, tables: map[string][]portal.TableInfo{},
	}
	w.objects[portal.DigestOf(csvBytes)] = csvBytes
	w.objects[portal.DigestOf(htmlBytes)] = htmlBytes
	year := portal.Field{Name: "year", Type: "year", Meaning: portal.Meaning{Role: portal.RoleTime, Kind: portal.KindYear, Confidence: 100}}
	water := portal.Field{Name: "water", Type: "number", Title: portal.PlainText("Households with piped water, %")}
	w.tables["water"] = []portal.TableInfo{{Resource: "water", Columns: []portal.Field{year, water}, Rows: 2}}
	w.tables["book"] = []portal.TableInfo{{Resource: "book", Sheet: "Qishloq"}, {Resource: "book", Sheet: "Shahar"}}
	w.page = portal.TableAnswer{
		Columns: []portal.Field{year, water}, Total: 2,
		Rows: [][]any{{int64(2014), 81.2}, {int64(2015), nil}},
	}
	contact := portal.Contact{ID: "water", Post: portal.PlainText("Head of the department"), Email: "water@stat.example", Since: "2020-01-01"}
	publisher := portal.Publisher{ID: "main", Version: 1, Title: portal.PlainText("Statistics office"), Contacts: []portal.Contact{contact}}
	latest := portal.Release{
		Dataset: "main_water", Number: 2, Issued: issued, Reason: portal.PlainText("2015 added"),
		Title:       portal.Text{Plain: "Piped water", Translated: map[portal.Lang]string{portal.Uzbek: "Suv taʼminoti", portal.English: "Piped water"}},
		Description: portal.PlainText("By year"), Keywords: []string{"water"}, Themes: []portal.ThemeID{"environment"},
		Licenses: []portal.License{{Name: "CC-BY-4.0", Path: "https://creativecommons.org/licenses/by/4.0/"}},
		Sources:  []portal.Source{{Title: "Household survey"}},
		Passport: portal.Passport{Contact: "water", Uploaded: "2026-04-30", Periodicity: portal.Annual, Notes: []portal.Text{portal.PlainText("2015 is preliminary")}},
		Resources: []portal.Resource{
			{
				Name: "water", Path: "water.csv", Format: "csv", MediaType: "text/csv", Bytes: int64(len(csvBytes)),
				Hash: portal.DigestOf(csvBytes), Schema: &portal.TableSchema{Fields: []portal.Field{year, water}, PrimaryKey: []string{"year"}},
			},
			{Name: "book", Path: "tables/book.xlsx", Format: "xlsx", Bytes: int64(len(csvBytes)), Hash: portal.DigestOf(csvBytes)},
			{Name: "page", Path: "docs/oʻqing.html", Format: "html", MediaType: "text/html", Bytes: int64(len(htmlBytes)), Hash: portal.DigestOf(htmlBytes)},
			{Name: "big", Path: "big.zip", Format: "zip", Bytes: 3_200_000, Hash: portal.DigestOf([]byte("elsewhere"))},
		},
	}
	first := latest
	first.Number, first.Reason, first.Resources = 1, portal.PlainText("first"), latest.Resources[:1]
	w.add(portal.Dataset{ID: "main_water", Latest: latest, Publisher: publisher, Signers: []string{"ab12"}}, first, latest)

	gone := portal.Release{
		Dataset: "main_names", Number: 2, Issued: issued, Title: portal.PlainText("Names"),
		Withdrawn: &portal.Withdrawal{Reason: portal.Text{Plain: "Held names of persons", Translated: map[portal.Lang]string{portal.Russian: "Содержал имена"}}},
	}
	before := first
	before.Dataset = "main_names"
	w.add(portal.Dataset{ID: "main_names", Latest: gone, Publisher: publisher}, before, gone)
	return w
}

// add keeps d with releases from the oldest; manifests are made as far as the
// interface reads them.
func (w *world) add(d portal.Dataset, releases ...portal.Release) {
	for _, r := range releases {
		resources := []map[string]any{}
		for _, res := range r.Resources {
			resources = append(resources, map[string]any{"name": res.Name, "path": res.Path, "bytes": res.Bytes, "hash": res.Hash.String()})
		}
		m, _ := json.Marshal(map[string]any{
			"name": d.ID, "resources": resources,
			"koprik": map[string]any{"release": r.Number, "dataset": d.ID.Name()},
		})
		key := fmt.Sprintf("%s/%d", d.ID, r.Number)
		w.releases[key], w.manifests[key] = r, m
		d.Manifest, d.Length = portal.DigestOf(m), int64(len(m))
		d.History = slices.Insert(d.History, 0, portal.ReleaseRef{
			Number: r.Number, Issued: r.Issued, Reason: r.Reason, Manifest: d.Manifest, Length: d.Length,
		})
	}
	w.datasets[d.ID] = d
}

func (w *world) status() portal.Status {
	return portal.Status{
		Role: portal.Mirror, Title: "Village library", State: w.state, Fresh: portal.Fresh, Datasets: 1,
		SignedBy: []string{"aa", "bb"}, Upstream: "https://data.example", LastSync: signedAt, Outbox: 3, Version: "0.1",
	}
}

func (w *world) options(log io.Writer) Options {
	return Options{
		View:   func(context.Context) (portal.View, error) { return w, nil },
		Status: func(context.Context) (portal.Status, error) { return w.status(), nil },
		Repository: fstest.MapFS{
			"metadata/1.root.json":       {Data: []byte(`{"root":1}`), ModTime: signedAt},
			"metadata/timestamp.json":    {Data: []byte(`{"timestamp":1}`), ModTime: signedAt},
			"objects/ab/abcd.zst":        {Data: []byte("0123456789"), ModTime: signedAt},
			"objects/ab/.partial":        {Data: []byte("half")},
			"d/main/water/ab.1.json":     {Data: []byte(`{}`), ModTime: signedAt},
			"d/main/_publisher/a.1.json": {Data: []byte(`{}`), ModTime: signedAt},
		},
		Now: func() time.Time { return signedAt.AddDate(0, 0, 203).Add(23 * time.Hour) },
		Log: slog.New(slog.NewTextHandler(log, nil)),
	}
}

// get asks h, with headers as pairs.
func get(t *testing.T, h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return ask(t, h, http.MethodGet, target, headers...)
}

func ask(t *testing.T, h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// decoded is the JSON of an answer.
func decoded[T any](t *testing.T, rec *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
		t.Fatalf("answer %d is no JSON: %v\n%s", rec.Code, err, rec.Body)
	}
	return v
}

// refused checks that an answer is an error of this status and code.
func refused(t *testing.T, rec *httptest.ResponseRecorder, status int, code string) fault {
	t.Helper()
	f := decoded[fault](t, rec)
	if rec.Code != status || f.Error.Code != code || f.Error.Message == "" {
		t.Errorf("answered %d %+v, want %d %s", rec.Code, f.Error, status, code)
	}
	return f
}
