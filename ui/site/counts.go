package site

import (
	"context"
	"net/http"
	"strings"

	"koprik/portal"
)

// Counter counts what people use, and tells what was counted (docs/reference/usage.md).
type Counter interface {
	// Count counts one use, unless it was no person's: that the request tells, of which
	// nothing is kept.
	Count(r *http.Request, k portal.UsageKey)
	// Missed counts a search that found nothing.
	Missed(r *http.Request, l portal.Lang, text string)
	// Numbers gives what was counted, as v has it.
	Numbers(ctx context.Context, v portal.View) (portal.Numbers, error)
	// Used is how often a dataset was used in the country within a year; 0 where that
	// is small or not known.
	Used(ctx context.Context, v portal.View, id portal.DatasetID) (int64, error)
}

// counted is what the reading of an answer counts as; the zero value as nothing.
type counted struct {
	counts bool
	key    portal.UsageKey
	text   string // of a search that found nothing
	missed bool
}

// countedAs tells by its address what a page counts as: those of a dataset, and the
// first of a search with words. missed says that the search found nothing.
func (v *visit) countedAs(missed bool) counted {
	parts := strings.Split(strings.Trim(v.r.URL.Path, "/"), "/")
	key := portal.UsageKey{Lang: v.lang}
	switch {
	case len(parts) == 2 && parts[1] == "search":
		text := v.one("q")
		key.Kind = portal.Searches
		return counted{counts: text != "" && v.query.Get("page") == "", key: key, text: text, missed: missed}
	case len(parts) < 3 || parts[1] != "dataset":
		return counted{}
	}
	key.Name = parts[2]
	switch {
	case len(parts) == 6 && parts[5] == "figure.csv":
		key.Kind = portal.Downloads
	case len(parts) == 3, len(parts) == 4 && parts[3] == "history", len(parts) == 5:
		key.Kind = portal.Visits
	default:
		return counted{}
	}
	return counted{counts: true, key: key}
}

// count counts the reading of an answer.
func (s *site) count(r *http.Request, c counted) {
	if s.o.Counter == nil || !c.counts {
		return
	}
	s.o.Counter.Count(r, c.key)
	if c.missed {
		s.o.Counter.Missed(r, c.key.Lang, c.text)
	}
}
