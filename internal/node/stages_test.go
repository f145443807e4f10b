package node_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"koprik/internal/node"
	"koprik/portal"
)

// TestASyncSaysWhatItDoesAndWhatItBrought: stages while it runs, seen by another
// process, and afterwards on the node's page and its twin for programs; never on
// a public screen.
func TestASyncSaysWhatItDoesAndWhatItBrought(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1), revision("b", 1))
	dir := initMirror(t, central)
	beside := open(t, dir, options()) // has the index, as a server
	r, err := beside.Sync(t.Context(), node.SyncOptions{})
	must(t, err)
	var stages []portal.Stage
	for _, s := range r.Stages {
		stages = append(stages, s.Stage)
	}
	for _, want := range []portal.Stage{portal.StageMetadata, portal.StagePlan, portal.StageFetch, portal.StageApply} {
		if !strings.Contains(strings.Join(texts(stages), " "), string(want)) {
			t.Errorf("no stage %s in %v", want, stages)
		}
	}
	s, err := beside.Status(t.Context())
	must(t, err)
	if s.Doing != nil || s.Brought == nil || s.Brought.Added != 2 || s.Brought.Files != 2 || s.Brought.Bytes == 0 {
		t.Errorf("%+v %+v", s.Doing, s.Brought)
	}
	code, text := page(t, beside, "/en/node")
	if code != http.StatusOK || !strings.Contains(text, "2 new, 0 changed") {
		t.Errorf("%d: %s", code, text)
	}
	_, twin := page(t, beside, "/api/v1/status")
	var status struct{ Brought portal.SyncDone }
	must(t, json.Unmarshal([]byte(twin), &status))
	if status.Brought.Added != 2 {
		t.Errorf("%s", twin)
	}
	kiosk, err := beside.KioskHandler()
	must(t, err)
	w := httptest.NewRecorder()
	kiosk.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/en/node", nil))
	if text := w.Body.String(); strings.Contains(text, "2 new") || !strings.Contains(text, "Generation") {
		t.Errorf("a public screen says what came: %s", text)
	}
	// What another process does is known from its note, as long as it is fresh.
	note := filepath.Join(dir, "staging", "doing.json")
	must(t, os.WriteFile(note, []byte(`{"stage":"fetch","done":3,"total":12,"at":"`+day.Format("2006-01-02T15:04:05Z")+`"}`), 0o600))
	if s, err = beside.Status(t.Context()); err != nil || s.Doing == nil || s.Doing.Done != 3 {
		t.Errorf("%+v, %v", s.Doing, err)
	}
	if _, text := page(t, beside, "/en/node"); !strings.Contains(text, "fetching, 25 %") {
		t.Errorf("%s", text)
	}
	for what, b := range map[string]string{"an old note": `{"stage":"fetch","at":"2020-01-01T00:00:00Z"}`, "a torn note": `{"stage`, "an empty note": ``} {
		must(t, os.WriteFile(note, []byte(b), 0o600))
		if s, err = beside.Status(t.Context()); err != nil || s.Doing != nil {
			t.Errorf("%s: %+v, %v", what, s.Doing, err)
		}
	}
}

func texts(stages []portal.Stage) (all []string) {
	for _, s := range stages {
		all = append(all, string(s))
	}
	return all
}
