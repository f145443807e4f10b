package api

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"koprik/portal"
)

func TestTheStatusIsThatOfTheCommandAndMore(t *testing.T) {
	w := newWorld()
	got := decoded[map[string]any](t, get(t, New(w.options(io.Discard)), "/api/v1/status"))
	want := map[string]any{
		"role": "mirror", "generation": 12.0, "datasets": 1.0, "fresh": "FRESH", "as_of": "2026-05-03T09:00:00Z",
		"signed_by": "aa bb", "upstream": "https://data.example", "last_sync": "2026-05-03T09:00:00Z", "outbox": 3.0,
		"version": "0.1", "title": "Village library", "contact": "", "expires": "2026-05-10T09:00:00Z",
		"repository": w.state.Repository.Hex(), "media": false, "last_result": "", "clock_wrong": false,
		"alarms": []any{}, "owed": false, "age_days": 203.0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestANodeThatNeverSyncedSaysSoWithoutATime(t *testing.T) {
	w := newWorld()
	w.state = portal.CopyState{}
	rec := get(t, New(w.options(io.Discard)), "/api/v1/status")
	got := decoded[statusReport](t, rec)
	if got.AsOf != "" || got.Repository != "" || got.Generation != 0 {
		t.Errorf("%+v", got)
	}
	if rec.Header().Get("Koprik-As-Of") != "" {
		t.Errorf("as of %q", rec.Header().Get("Koprik-As-Of"))
	}
}

func TestANeighbourLearnsWhichRepositoryStandsHere(t *testing.T) {
	w := newWorld()
	got := decoded[map[string]any](t, get(t, New(w.options(io.Discard)), "/.well-known/koprik"))
	want := map[string]any{
		"repository": w.state.Repository.Hex(), "generation": 12.0, "as_of": "2026-05-03T09:00:00Z", "fresh": "FRESH", "role": "mirror",
		"version": "0.1", "title": "Village library", "repository_url": "/repository/", "api_url": "/api/v1/",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
