package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

	"koprik/portal"
)

// datasetPageOf is the answer of /api/v1/datasets.
type datasetList struct {
	generation
	Total    int                             `json:"total"`
	Datasets []summary                       `json:"datasets"`
	Facets   map[portal.Facet]map[string]int `json:"facets"`
	// What the search has to say besides its hits: portal.Results.
	Partly       bool     `json:"partly,omitempty"`
	DidYouMean   string   `json:"did_you_mean,omitempty"`
	AlsoSearched []string `json:"also_searched,omitempty"`
	Suggestions  []string `json:"suggestions,omitempty"`
	// Public questions that have all words, beside the datasets and not among them.
	Questions []questionFound `json:"questions,omitempty"`
	Reuses    []reuseFound    `json:"reuses,omitempty"`   // as Questions are
	Next      string          `json:"next,omitempty"`     // cursor
	NextURL   string          `json:"next_url,omitempty"` // this address with that cursor
}

// questionFound is one public question.
type questionFound struct {
	ID       portal.InquiryID    `json:"id"`
	Dataset  portal.DatasetID    `json:"dataset,omitempty"` // that it is about
	Kind     portal.InquiryKind  `json:"kind"`
	Language portal.Lang         `json:"language"`
	Text     string              `json:"text"`
	Asked    portal.Date         `json:"asked"`
	State    portal.InquiryState `json:"state"`
	Answers  int                 `json:"answers"`
}

func (a *api) datasets(w http.ResponseWriter, r *http.Request, v portal.View) error {
	q, err := parseSearch(r.URL.RawQuery)
	if err != nil {
		return err
	}
	if q.Limit == 0 {
		q.Limit = portal.DefaultLimit
	}
	q.AsOf = v.State().AsOf
	found, err := v.Search(r.Context(), q)
	if err != nil {
		return fmt.Errorf("search the datasets: %w", err)
	}
	ids := make([]portal.DatasetID, len(found.Hits))
	hits := make(map[portal.DatasetID]portal.Hit, len(found.Hits))
	for i, h := range found.Hits {
		ids[i], hits[h.Dataset] = h.Dataset, h
	}
	all, err := v.Datasets(r.Context(), ids)
	if err != nil {
		return fmt.Errorf("read the datasets found: %w", err)
	}
	body := datasetList{generation: a.generationOf(v), Total: found.Total, Datasets: []summary{}, Facets: found.Facets}
	body.Partly, body.DidYouMean = found.Partly, found.DidYouMean
	body.AlsoSearched, body.Suggestions = found.AlsoSearched, found.Suggestions
	asked, err := portal.ThreadsFound(r.Context(), v, found.Threads)
	if err != nil {
		return fmt.Errorf("read the questions found: %w", err)
	}
	for _, t := range asked {
		body.Questions = append(body.Questions, questionFound{t.ID, t.About.Dataset, t.Kind, t.Lang, t.Text, t.Asked, t.State, len(t.Answers)})
	}
	if body.Reuses, err = reusesFound(r, v, found.Reuses); err != nil {
		return err
	}
	if body.Facets == nil {
		body.Facets = map[portal.Facet]map[string]int{}
	}
	for _, d := range all {
		s := a.summaryOf(d)
		s.Score, s.Matched, s.Words = hits[d.ID].Score, hits[d.ID].Matched, hits[d.ID].Words
		body.Datasets = append(body.Datasets, s)
	}
	if end := q.Offset + len(found.Hits); len(found.Hits) > 0 && end < found.Total && end <= portal.MaxOffset {
		body.Next = cursorAt(end)
		body.NextURL = withParameter(r.URL, "cursor", body.Next)
	}
	return send(w, r, body)
}

// withParameter is u's path and query with one parameter set.
func withParameter(u *url.URL, key, value string) string {
	q := u.Query()
	q.Set(key, value)
	return u.EscapedPath() + "?" + q.Encode()
}

// datasetOf reads the dataset that the address names.
func datasetOf(r *http.Request, v portal.View) (portal.Dataset, error) {
	slug := mux.Vars(r)["slug"]
	id, err := portal.ParseDatasetID(slug)
	if err != nil {
		return portal.Dataset{}, notFound("dataset", "%v", err)
	}
	d, err := v.Dataset(r.Context(), id)
	if err != nil {
		return portal.Dataset{}, fmt.Errorf("dataset %s: %w", id, err)
	}
	return d, nil
}

func (a *api) dataset(w http.ResponseWriter, r *http.Request, v portal.View) error {
	if err := noParameters(r); err != nil {
		return err
	}
	d, err := datasetOf(r, v)
	if err != nil {
		return err
	}
	return send(w, r, struct {
		generation
		detail
	}{a.generationOf(v), a.detailOf(d)})
}

// releaseLine is one release in a dataset's history.
type releaseLine struct {
	Release  int    `json:"release"`
	Issued   string `json:"issued"`
	Reason   *text  `json:"reason,omitempty"`
	Manifest struct {
		URL   string `json:"url"`
		Hash  string `json:"hash"`
		Bytes int64  `json:"bytes"`
	} `json:"manifest"`
}

func (a *api) releases(w http.ResponseWriter, r *http.Request, v portal.View) error {
	if err := noParameters(r); err != nil {
		return err
	}
	d, err := datasetOf(r, v)
	if err != nil {
		return err
	}
	lines := make([]releaseLine, len(d.History))
	for i, ref := range d.History {
		l := &lines[i]
		l.Release, l.Issued, l.Reason = ref.Number, moment(ref.Issued), textOf(ref.Reason)
		l.Manifest.URL = releaseURL(d.ID, ref.Number) + ".json"
		l.Manifest.Hash, l.Manifest.Bytes = ref.Manifest.String(), ref.Length
	}
	return send(w, r, struct {
		generation
		Dataset  portal.DatasetID `json:"dataset"`
		Releases []releaseLine    `json:"releases"`
	}{a.generationOf(v), d.ID, lines})
}

// noParameters refuses a query string where none is read.
func noParameters(r *http.Request) error {
	p, err := newParameters(r.URL.RawQuery)
	if err != nil {
		return err
	}
	return p.err("none")
}

// dataPackage gives a release, the latest unless the parameter release names
// another, as a Frictionless data package: the manifest as it was signed, with the
// paths of its resources leading to their addresses for ever. They are relative,
// as the standard wants them, so the package works from any mirror. It is a
// function of the release alone, and says of which: verify makes it again.
func (a *api) dataPackage(w http.ResponseWriter, r *http.Request, v portal.View) error {
	n, err := parseRelease(r.URL.RawQuery)
	if err != nil {
		return err
	}
	d, err := datasetOf(r, v)
	if err != nil {
		return err
	}
	if err := withdrawn(d); err != nil {
		return err
	}
	if n == 0 {
		n = d.Latest.Number
	}
	rel, from, err := packaged(r.Context(), v, d, n)
	if err != nil {
		return err
	}
	signed, err := v.Manifest(r.Context(), d.ID, n)
	if err != nil {
		return fmt.Errorf("manifest of %s: %w", d.ID, err)
	}
	data, err := repath(signed, rel, from)
	if err != nil {
		return fmt.Errorf("manifest of %s, release %d: %w", d.ID, n, err)
	}
	origin(w, from)
	sendBytes(w, r, "application/json; charset=utf-8", data)
	return nil
}

// maxRelease is more than any dataset has.
const maxRelease = 1 << 30

// parseRelease reads the query string of datapackage.json; 0 is the latest.
func parseRelease(raw string) (int, error) {
	p, err := newParameters(raw)
	if err != nil {
		return 0, err
	}
	n := p.number("release", maxRelease)
	return n, p.err("release")
}

// packaged finds the release that is to be packed, and where it is packed again.
func packaged(ctx context.Context, v portal.View, d portal.Dataset, n int) (portal.Release, portal.Provenance, error) {
	from, ok := provenanceOf(d, n)
	if !ok {
		return portal.Release{}, from, notFound("release", "%s has no release %d", d.ID, n)
	}
	from.Address = fmt.Sprintf("%s/datapackage.json?release=%d", datasetPage(d.ID), n)
	if n == d.Latest.Number {
		return d.Latest, from, nil
	}
	rel, err := v.Release(ctx, d.ID, n)
	if err == nil && rel.Withdrawn != nil {
		err = goneSince(d.ID, rel)
	}
	return rel, from, err
}

// provenanceMember is where a JSON file says of which release it was made.
const provenanceMember = "koprik_provenance"

// repath gives the manifest of l with each resource's path made relative to
// /dataset/{slug}/, and where it comes from. Everything else stays, byte for byte
// where JSON allows.
func repath(manifest []byte, l portal.Release, from portal.Provenance) ([]byte, error) {
	var pkg map[string]json.RawMessage
	if err := json.Unmarshal(manifest, &pkg); err != nil {
		return nil, err
	}
	var resources []map[string]json.RawMessage
	if err := json.Unmarshal(pkg["resources"], &resources); err != nil {
		return nil, fmt.Errorf("resources: %w", err)
	}
	if len(resources) != len(l.Resources) {
		return nil, fmt.Errorf("%d resources where the catalogue has %d", len(resources), len(l.Resources))
	}
	for i, r := range l.Resources {
		resources[i]["path"] = encode(fmt.Sprintf("release/%d/%s", l.Number, escapePath(r.Path)))
	}
	pkg["resources"] = encode(resources)
	pkg[provenanceMember] = encode(from.String())
	return encode(pkg), nil
}
