package api

import (
	"context"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"koprik/portal"
)

// wellsAtlas is alive; beside it stands one that has slept by rule for long.
var wellsAtlas = portal.Reuse{ID: portal.InquiryID{7}, ReuseDetails: portal.ReuseDetails{
	Kind: portal.ReuseVisualization, Title: portal.PlainText("Wells"), Summary: portal.PlainText("A map."), Link: "https://example.org/", By: "Example lab",
	Uses: []portal.ReuseSource{{Dataset: "main_water", Release: 2}}, Cohort: "water",
}, Lived: []portal.Lived{{State: portal.ReuseAlive, From: "2026-09-01", Until: "2026-09-20"}}, Risks: []portal.ReuseRisk{
	{Day: "2026-09-30", Dataset: "main_water", Release: 3, Columns: []portal.ColumnChange{{Table: "water", Column: "year", What: portal.ColumnRemoved}}},
}}

// Showcase makes a world one with reuses.
func (w *world) Showcase(context.Context) (portal.Showcase, error) {
	old := wellsAtlas
	old.ID, old.Kind, old.Risks, old.Uses = portal.InquiryID{8}, portal.ReuseAPI, nil, []portal.ReuseSource{{Dataset: "main_names"}}
	old.Lived = []portal.Lived{{State: portal.ReuseAlive, From: "2020-01-01", Until: "2020-01-01"}}
	return portal.Showcase{Reuses: []portal.Reuse{wellsAtlas, old}, Cohorts: []portal.Cohort{{ID: "water", Title: portal.PlainText("Water"), Day: "2019-12-01", Entries: 9}}}, w.err
}

func TestReusesAreListedAsOfTheCopyAndNarrowed(t *testing.T) {
	w := newWorld()
	w.state.AsOf = portal.Date("2026-10-12").Time()
	h := New(w.options(io.Discard))
	got := decoded[reuseList](t, get(t, h, "/api/v1/reuses"))
	if got.Total != 2 || got.Reuses[0].State != portal.ReuseAlive || got.Reuses[1].State != portal.ReuseSleeping || !got.Reuses[1].ByRule || got.Reuses[0].Due != "2026-12-19" {
		t.Errorf("%+v", got)
	}
	if s := got.Cohorts[0].Survived; s[0] != (survival{1, 0, 9}) || s[len(s)-1] != (survival{0, 1, 9}) {
		t.Errorf("%+v", s)
	}
	for query, want := range map[string][]byte{
		"state=alive": {7}, "state=sleeping": {8}, "kind=api": {8}, "dataset=main_water": {7}, "dataset=main_none": nil, "cohort=water": {7, 8}, "cohort=other": nil,
		"limit=1": {7}, "limit=1&cursor=1": {8},
	} {
		var ids []byte
		for _, r := range decoded[reuseList](t, get(t, h, "/api/v1/reuses?"+query)).Reuses {
			ids = append(ids, r.ID[0])
		}
		if !cmp.Equal(ids, want) {
			t.Errorf("%s: %v, want %v", query, ids, want)
		}
	}
	if next := decoded[reuseList](t, get(t, h, "/api/v1/reuses?limit=1")).NextURL; next != "/api/v1/reuses?cursor=1&limit=1" {
		t.Errorf("next %q", next)
	}
	for address, status := range map[string]int{
		"?state=dead": 400, "?kind=idea": 400, "?dataset=../x": 400, "?cohort=A+B": 400, "?x=1": 400, "?cursor=-1": 400, "/zz": 404, "/05000000000000000000000000000000": 404,
	} {
		if rec := get(t, h, "/api/v1/reuses"+address); rec.Code != status {
			t.Errorf("%s: %d, want %d", address, rec.Code, status)
		}
	}
}

func TestReusesThatWereFoundStandBesideTheDatasets(t *testing.T) {
	w := newWorld()
	w.results = &portal.Results{Reuses: []portal.ReuseHit{{Reuse: portal.InquiryID{9}}, {Reuse: wellsAtlas.ID}}}
	got := decoded[datasetList](t, get(t, New(w.options(io.Discard)), "/api/v1/datasets?q=wells"))
	if len(got.Reuses) != 1 || got.Reuses[0].ID != wellsAtlas.ID || got.Reuses[0].URL != "/api/v1/reuses/07000000000000000000000000000000" {
		t.Errorf("%+v", got.Reuses)
	}
}
