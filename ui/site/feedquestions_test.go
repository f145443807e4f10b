package site

import (
	"strings"
	"testing"
)

func TestPublicQuestionsHaveAFeedOfAllAndOfEachDataset(t *testing.T) {
	w := newWorld(t)
	for _, address := range []string{"/feeds/en/questions.atom", "/feeds/en/questions-main_population.atom"} {
		f := readFeed(t, w, address)
		if len(f.Entries) != 1 {
			t.Errorf("%s: %+v", address, f.Entries)
			continue
		}
		e := f.Entries[0]
		if !strings.HasPrefix(e.ID, "koprik-question:01") || !strings.Contains(e.Summary, "Hisoblash usuli oʻzgardi.") || !strings.Contains(e.Title, "<b>") || e.Updated != "2026-10-08T00:00:00Z" {
			t.Errorf("%s: %+v", address, e)
		}
	}
	w.body(t, "/feeds/en/questions-main_nothing.atom", 404)
}
