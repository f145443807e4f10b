package node_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"koprik/portal"
)

func TestWordsOfTranslatorsAreOnThePages(t *testing.T) {
	central := newCentral(t)
	path := filepath.Join(central.Dir(), "words.toml")
	must(t, os.WriteFile(path, []byte("[uz]\nsearch.button = \"Izlash\"\n"), 0o600))
	handler, err := central.Handler()
	must(t, err)
	for address, word := range map[string]string{"/uz/search": "Izlash", "/uz-cyrl/search": "Излаш"} {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, address, nil))
		if !strings.Contains(rec.Body.String(), word) {
			t.Errorf("%s does not say %q", address, word)
		}
	}
}

func TestWrongWordsAreNamedWithTheirPlaceAndTheNodeDoesNotServe(t *testing.T) {
	central := newCentral(t)
	path := filepath.Join(central.Dir(), "words.toml")
	for text, where := range map[string][]string{
		"[uz]\nsearch.button = \"Izlash\n":             {"line 2"},
		"[uz]\n\nsearch.button = 1\nsearch.button = 2": {"line 4", "search.button"},
		"[de]\nsearch.button = \"Suchen\"\n":           {"de", "uz, uz-cyrl, kaa, ru or en"},
		"[uz]\nsearch.buton = \"Izlash\"\n":            {"uz: search.buton", "no message has this name"},
		"[ru]\nstate.copy = \"Копия\"\n":               {"ru: state.copy", "must have the placeholders [date]"},
		"\xff\xfe[\x00u\x00z\x00]\x00":                 {"line 1"},
		strings.Repeat("#", 5<<20):                     {"words.toml"},
	} {
		must(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := central.Handler()
		if err == nil {
			t.Errorf("%.40q is taken", text)
			continue
		}
		if len(text) < 4<<20 && !errors.Is(err, portal.ErrRejected) {
			t.Errorf("%.40q: %v is no rejection", text, err)
		}
		for _, words := range append(where, "words.toml") {
			if !strings.Contains(err.Error(), words) {
				t.Errorf("%.40q: %q does not say %q", text, err, words)
			}
		}
	}
}
