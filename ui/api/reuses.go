package api

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/gorilla/mux"

	"koprik/portal"
)

// reuseList is the answer of /api/v1/reuses.
type reuseList struct {
	generation
	Total   int      `json:"total"`
	Reuses  []reuse  `json:"reuses"`
	Cohorts []cohort `json:"cohorts"`
	Next    string   `json:"next,omitempty"`
	NextURL string   `json:"next_url,omitempty"`
}

// reuse is something made with the data, as of the copy.
type reuse struct {
	ID        portal.InquiryID  `json:"id"`
	URL       string            `json:"url"`
	Kind      portal.ReuseKind  `json:"kind"`
	Title     *text             `json:"title"`
	Summary   *text             `json:"summary"`
	Link      string            `json:"link"` // another site's
	By        string            `json:"by,omitempty"`
	Uses      []reuseSource     `json:"uses"`
	Cohort    portal.CohortID   `json:"cohort,omitempty"`
	State     portal.ReuseState `json:"state"`
	ByRule    bool              `json:"by_rule,omitempty"` // it sleeps because nobody confirmed it
	Published portal.Date       `json:"published"`
	CheckedIn portal.Date       `json:"checked_in"`
	Due       portal.Date       `json:"check_in_due,omitempty"`
	Lived     []portal.Lived    `json:"lived"`
	Risks     []reuseRisk       `json:"risks,omitempty"`
}

type reuseSource struct {
	Dataset portal.DatasetID `json:"dataset"`
	URL     string           `json:"url"`
	Release int              `json:"release,omitempty"`
}

type reuseRisk struct {
	Day     portal.Date           `json:"day"`
	Dataset portal.DatasetID      `json:"dataset"`
	Release int                   `json:"release"`
	Columns []portal.ColumnChange `json:"columns"`
}

// cohort is what reuses were begun at, with how many of it live.
type cohort struct {
	ID       portal.CohortID `json:"id"`
	Title    *text           `json:"title"`
	Day      portal.Date     `json:"day"`
	Entries  int             `json:"entries,omitempty"`
	Survived []survival      `json:"survived"`
}

// survival is counted on an anniversary; years 0 is the day of the copy.
type survival struct {
	Years int `json:"years"`
	Alive int `json:"alive"`
	Of    int `json:"of"`
}

// reuseQuery is what /api/v1/reuses is asked for.
type reuseQuery struct {
	dataset       portal.DatasetID
	state         portal.ReuseState
	kind          portal.ReuseKind
	cohort        portal.CohortID
	offset, limit int
}

func parseReuses(raw string) (q reuseQuery, err error) {
	p, err := newParameters(raw)
	if err != nil {
		return q, err
	}
	if s := p.one("dataset"); s != "" {
		if q.dataset, err = portal.ParseDatasetID(s); err != nil {
			p.wrong("dataset", "%v", err)
		}
	}
	if q.state = portal.ReuseState(p.one("state")); q.state != "" && !slices.Contains(portal.ReuseStates, q.state) {
		p.wrong("state", "%.40q is none of alive, sleeping, adopter", q.state)
	}
	if q.kind = portal.ReuseKind(p.one("kind")); q.kind != "" && !slices.Contains(portal.ReuseKinds, q.kind) {
		p.wrong("kind", "%.40q is no kind of reuse", q.kind)
	}
	if s := p.one("cohort"); s != "" {
		if q.cohort, err = portal.ParseCohortID(s); err != nil {
			p.wrong("cohort", "%v", err)
		}
	}
	q.offset = p.cursor("cursor")
	if q.limit = p.number("limit", portal.MaxLimit); q.limit == 0 {
		q.limit = portal.DefaultLimit
	}
	return q, p.err("dataset, state, kind, cohort, cursor, limit")
}

func (a *api) reuses(w http.ResponseWriter, r *http.Request, v portal.View) error {
	q, err := parseReuses(r.URL.RawQuery)
	if err != nil {
		return err
	}
	shown, err := portal.ShowcaseOf(r.Context(), v)
	if err != nil {
		return fmt.Errorf("read the reuses: %w", err)
	}
	asOf := portal.DateOf(v.State().AsOf)
	body := reuseList{generation: a.generationOf(v), Reuses: []reuse{}, Cohorts: []cohort{}}
	for i := range shown.Reuses {
		one := &shown.Reuses[i]
		state, _ := one.StateIn(asOf)
		if q.dataset != "" && !one.UsesData(q.dataset) || q.state != "" && state != q.state || q.kind != "" && one.Kind != q.kind || q.cohort != "" && one.Cohort != q.cohort {
			continue
		}
		if body.Total++; body.Total > q.offset && len(body.Reuses) < q.limit {
			body.Reuses = append(body.Reuses, reuseOf(one, asOf))
		}
	}
	for _, c := range shown.Cohorts {
		line := cohort{ID: c.ID, Title: textOf(c.Title), Day: c.Day, Entries: c.Entries}
		for _, s := range c.Survived(shown.Reuses, asOf) {
			line.Survived = append(line.Survived, survival(s))
		}
		body.Cohorts = append(body.Cohorts, line)
	}
	if end := q.offset + len(body.Reuses); len(body.Reuses) > 0 && end < body.Total {
		body.Next = cursorAt(end)
		body.NextURL = withParameter(r.URL, "cursor", body.Next)
	}
	return send(w, r, body)
}

func (a *api) reuse(w http.ResponseWriter, r *http.Request, v portal.View) error {
	if err := noParameters(r); err != nil {
		return err
	}
	id, err := portal.ParseInquiryID(mux.Vars(r)["id"])
	if err != nil {
		return notFound("reuse", "%v", err)
	}
	shown, err := portal.ShowcaseOf(r.Context(), v)
	if err != nil {
		return fmt.Errorf("read the reuses: %w", err)
	}
	one, ok := shown.Reuse(id)
	if !ok {
		return notFound("reuse", "%s is not here", id)
	}
	return send(w, r, struct {
		generation
		reuse
	}{a.generationOf(v), reuseOf(&one, portal.DateOf(v.State().AsOf))})
}

func reuseOf(r *portal.Reuse, asOf portal.Date) reuse {
	out := reuse{
		ID: r.ID, URL: "/api/v1/reuses/" + r.ID.String(), Kind: r.Kind, Title: textOf(r.Title), Summary: textOf(r.Summary), Link: r.Link, By: r.By, Cohort: r.Cohort,
		Published: r.Published(), CheckedIn: r.CheckedIn(), Due: r.CheckInDue(), Lived: list(r.Lived),
	}
	out.State, out.ByRule = r.StateIn(asOf)
	for _, s := range r.Uses {
		out.Uses = append(out.Uses, reuseSource{s.Dataset, datasetURL(s.Dataset), s.Release})
	}
	for _, risk := range r.Risks {
		out.Risks = append(out.Risks, reuseRisk(risk))
	}
	return out
}

// reuseFound is a reuse that a search found.
type reuseFound struct {
	ID    portal.InquiryID `json:"id"`
	URL   string           `json:"url"`
	Kind  portal.ReuseKind `json:"kind"`
	Title *text            `json:"title"`
	Link  string           `json:"link"`
}

// reusesFound reads the reuses that a search found.
func reusesFound(r *http.Request, v portal.View, found []portal.ReuseHit) (all []reuseFound, err error) {
	if len(found) == 0 {
		return nil, nil
	}
	shown, err := portal.ShowcaseOf(r.Context(), v)
	if err != nil {
		return nil, fmt.Errorf("read the reuses found: %w", err)
	}
	for _, h := range found {
		if one, ok := shown.Reuse(h.Reuse); ok {
			all = append(all, reuseFound{one.ID, "/api/v1/reuses/" + one.ID.String(), one.Kind, textOf(one.Title), one.Link})
		}
	}
	return all, nil
}
