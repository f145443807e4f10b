package api

import (
	_ "embed"
	"fmt"
	"net/http"
	"strings"

	"koprik/portal"
)

// statusReport is the answer of /api/v1/status: what `koprik status --json`
// says, and more.
type statusReport struct {
	Role       portal.Role      `json:"role"`
	Generation int64            `json:"generation"`
	Datasets   int              `json:"datasets"`
	Fresh      portal.Freshness `json:"fresh"`
	AsOf       string           `json:"as_of"`
	SignedBy   string           `json:"signed_by"` // key ids of the timestamp role, separated by spaces
	Upstream   string           `json:"upstream"`
	LastSync   string           `json:"last_sync"`
	Outbox     int              `json:"outbox"`
	Version    string           `json:"version"`
	Title      string           `json:"title"`
	Contact    string           `json:"contact"`
	Expires    string           `json:"expires"`
	Repository string           `json:"repository"`
	Media      bool             `json:"media"`
	LastResult string           `json:"last_result"`
	ClockWrong bool             `json:"clock_wrong"`
	Alarms     []alarm          `json:"alarms"`
	Doing      *portal.SyncNow  `json:"doing,omitempty"`    // what a sync is doing now
	Brought    *portal.SyncDone `json:"brought,omitempty"`  // what the last sync brought, and how
	Owed       bool             `json:"owed"`               // contents are still to come
	AgeDays    *int             `json:"age_days,omitempty"` // whole days since as_of, by the node's trusted time
}

// alarm is proof that this node keeps of two signatures that contradict each other.
type alarm struct {
	Role     string `json:"role"`
	Version  int64  `json:"version"`
	Found    string `json:"found"`
	Reported bool   `json:"reported"` // the upstream has taken it
}

func alarmsOf(all []portal.Alarm) []alarm {
	list := []alarm{}
	for _, a := range all {
		list = append(list, alarm{a.Role, a.Version, moment(a.Found), a.Reported})
	}
	return list
}

func (a *api) status(w http.ResponseWriter, r *http.Request) error {
	if err := noParameters(r); err != nil {
		return err
	}
	s, err := a.o.Status(r.Context())
	if err != nil {
		return fmt.Errorf("read the node's status: %w", err)
	}
	a.stamp(w, s.State)
	return send(w, r, statusReport{
		Role: s.Role, Generation: s.State.Generation, Datasets: s.Datasets, Fresh: s.Fresh,
		AsOf: moment(s.State.AsOf), SignedBy: strings.Join(s.SignedBy, " "), Upstream: s.Upstream,
		LastSync: moment(s.LastSync), Outbox: s.Outbox, Version: s.Version, Title: s.Title, Contact: s.Contact,
		Expires: moment(s.State.Expires), Repository: repositoryID(s.State), Media: s.State.Media,
		Doing: s.Doing, Brought: s.Brought, Owed: s.Owed,
		LastResult: s.LastResult, ClockWrong: s.ClockWrong, Alarms: alarmsOf(s.Alarms), AgeDays: a.ageDays(s.State),
	})
}

// ageDays is how old a copy is, for clients whose own clock is no better than
// this machine's; nil before the first sync.
func (a *api) ageDays(s portal.CopyState) *int {
	if a.o.Now == nil || s.AsOf.IsZero() {
		return nil
	}
	days := max(0, int(a.o.Now().Sub(s.AsOf).Hours()/24))
	return &days
}

// repositoryID is the SHA-256 of 1.root.json in hex, as koprik init prints it;
// "" before there is one.
func repositoryID(s portal.CopyState) string {
	if s.Repository.IsZero() {
		return ""
	}
	return s.Repository.Hex()
}

// wellKnown says, in one small answer, which repository stands here and how
// new it is, so that a node can find a neighbour with the same data.
func (a *api) wellKnown(w http.ResponseWriter, r *http.Request) error {
	s, err := a.o.Status(r.Context())
	if err != nil {
		return fmt.Errorf("read the node's status: %w", err)
	}
	a.stamp(w, s.State)
	return send(w, r, struct {
		Repository string           `json:"repository"`
		Generation int64            `json:"generation"`
		AsOf       string           `json:"as_of"`
		Fresh      portal.Freshness `json:"fresh"`
		Role       portal.Role      `json:"role"`
		Version    string           `json:"version"`
		Title      string           `json:"title"`
		Base       string           `json:"repository_url"` // where the tree stands; "" when this node publishes none
		API        string           `json:"api_url"`
	}{repositoryID(s.State), s.State.Generation, moment(s.State.AsOf), s.Fresh, s.Role, s.Version, s.Title, a.base(), "/api/v1/"})
}

func (a *api) base() string {
	if a.o.Repository == nil {
		return ""
	}
	return "/repository/"
}

// healthz tells a supervisor that the process answers at all.
func (a *api) healthz(w http.ResponseWriter, r *http.Request) error {
	sendBytes(w, r, "text/plain; charset=utf-8", []byte("ok\n"))
	return nil
}

// readyz tells a load balancer whether pages can be made.
func (a *api) readyz(w http.ResponseWriter, r *http.Request) error {
	v, err := a.o.View(r.Context())
	if err != nil {
		return &portal.Problem{
			Kind: errNotReady, Where: "node", Message: "has no catalogue to answer from yet",
			Hint: "try again in a few seconds",
		}
	}
	defer v.Close()
	a.stamp(w, v.State())
	sendBytes(w, r, "text/plain; charset=utf-8", []byte("ready\n"))
	return nil
}

//go:embed openapi.json
var openAPI []byte

func (a *api) openapi(w http.ResponseWriter, r *http.Request) error {
	sendBytes(w, r, "application/vnd.oai.openapi+json;version=3.1", openAPI)
	return nil
}
