package node

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"

	"koprik/portal"
	"koprik/sync/post"
)

// showcaseMemo holds the public reuses of one generation: read once, when somebody
// first asks.
type showcaseMemo struct {
	mu    sync.Mutex
	built bool
	held  portal.Showcase
}

// Showcase gives the public reuses of the view's generation. What cannot be read is
// told in the log and shown as none.
func (v *view) Showcase(context.Context) (portal.Showcase, error) {
	s, err := v.node.sidesOf(v)
	if err != nil {
		return portal.Showcase{}, err
	}
	return v.node.showcaseIn(s)
}

func (n *Node) showcaseIn(s sides) (portal.Showcase, error) {
	m := s.showcase
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.built {
		return m.held, nil
	}
	b, err := n.side(s, post.ShowcasePath)
	switch {
	case errors.Is(err, portal.ErrNotFound):
	case err != nil:
		return portal.Showcase{}, err
	default:
		if m.held, err = post.DecodeShowcase(b); err != nil {
			n.opt.Log.Warn("reuses cannot be read", "error", err)
		}
	}
	m.built = true
	return m.held, nil
}

const cohortsKey = "reuse-cohorts"

// Cohorts are those that the centre has named, the newest first.
func (n *Node) Cohorts(ctx context.Context) ([]portal.Cohort, error) {
	v, ok, err := n.local.Get(ctx, cohortsKey)
	if err != nil || !ok {
		return nil, err
	}
	return post.DecodeCohorts([]byte(v))
}

// SetCohort names a cohort, or changes what is said of it.
func (n *Node) SetCohort(ctx context.Context, c portal.Cohort) error {
	if !n.central() {
		return notCentral("reuse cohort")
	}
	if err := c.Validate(); err != nil {
		return err
	}
	list, err := n.Cohorts(ctx)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(old portal.Cohort) bool { return old.ID == c.ID })
	if len(list) >= portal.MaxCohorts {
		return portal.Rejected("cohort", "there are %d already", len(list))
	}
	list = append(list, c)
	slices.SortStableFunc(list, func(a, b portal.Cohort) int { return b.Day.Time().Compare(a.Day.Time()) })
	b, err := post.EncodeCohorts(list)
	if err != nil {
		return err
	}
	return n.local.Set(ctx, cohortsKey, string(b))
}

// shownReuses are the cases of public reuses, the oldest first.
func (n *Node) shownReuses(ctx context.Context) ([]portal.Case, error) {
	list, _, err := n.local.Cases(ctx, portal.CaseQuery{
		Kinds: []portal.InquiryKind{portal.ReuseSubmission}, Moderate: portal.Shown, Limit: math.MaxInt32,
	})
	return list, err
}

// reuseFiles writes the public reuses, the newest first.
func (n *Node) reuseFiles(ctx context.Context, cases []portal.Case, files map[string][]byte) (err error) {
	var s portal.Showcase
	if s.Cohorts, err = n.Cohorts(ctx); err != nil {
		return err
	}
	for i := range slices.Backward(cases) {
		if r, ok := cases[i].PublicReuse(); ok {
			s.Reuses = append(s.Reuses, r)
		}
	}
	if len(s.Reuses)+len(s.Cohorts) == 0 {
		return nil
	}
	b, left, err := post.EncodeShowcase(s)
	if left > 0 {
		n.opt.Log.Warn("there are more reuses than mirrors are given: those that nobody checked in for the longest time are left out", "left_out", left)
	}
	files[post.ShowcasePath] = b
	return err
}

// lookAtReleases notes beside each reuse what newer releases did to the columns of
// its datasets, whoever published them. A release is looked at once.
func (n *Node) lookAtReleases(ctx context.Context) error {
	cases, err := n.shownReuses(ctx)
	if err != nil || len(cases) == 0 {
		return err
	}
	snap, err := n.catalog.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	type step struct{ from, to int }
	known := map[portal.DatasetID]int{}
	compared := map[portal.DatasetID]map[step][]portal.ColumnChange{}
	for i := range cases {
		for _, src := range cases[i].Reuse.Details.Uses {
			latest, ok := known[src.Dataset]
			if !ok {
				d, err := snap.Dataset(ctx, src.Dataset)
				if err != nil && !errors.Is(err, portal.ErrNotFound) {
					return err
				}
				latest, compared[src.Dataset] = d.Latest.Number, map[step][]portal.ColumnChange{}
				known[src.Dataset] = latest
			}
			seen := cases[i].Reuse.Seen[src.Dataset]
			if seen == 0 {
				seen = src.Release
			}
			if latest == 0 || latest == cases[i].Reuse.Seen[src.Dataset] {
				continue
			}
			var changes []portal.ColumnChange
			if s := (step{seen, latest}); seen > 0 && seen < latest {
				if changes, ok = compared[src.Dataset][s]; !ok {
					if changes, err = columnChanges(ctx, snap, src.Dataset, seen, latest); err != nil {
						return err
					}
					compared[src.Dataset][s] = changes
				}
			}
			if err := n.lookAt(ctx, cases[i].Inquiry.ID, src.Dataset, latest, changes); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *Node) lookAt(ctx context.Context, id portal.InquiryID, d portal.DatasetID, release int, changes []portal.ColumnChange) error {
	_, err := n.local.ChangeCase(ctx, id, func(c *portal.Case) error {
		c.LookAt(d, release, changes, portal.CaseEvent{At: n.Now().UTC()})
		return nil
	})
	return err
}

// releases read single releases of a generation.
type releases interface {
	Release(ctx context.Context, id portal.DatasetID, number int) (portal.Release, error)
}

// columnChanges compares two releases; one that is not there any more changed
// nothing that anybody can name.
func columnChanges(ctx context.Context, in releases, id portal.DatasetID, from, to int) ([]portal.ColumnChange, error) {
	var pair [2]portal.Release
	for i, number := range []int{from, to} {
		r, err := in.Release(ctx, id, number)
		if errors.Is(err, portal.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		pair[i] = r
	}
	return portal.ColumnChanges(pair[0], pair[1]), nil
}

// ReuseBreak is a release that takes columns from reuses which were published.
type ReuseBreak struct {
	Columns []portal.ColumnChange
	Reuses  []portal.Reuse
}

// breaks tells what a new release takes from the reuses of its dataset; nil when it
// takes nothing, or nobody uses it.
func (p *publication) breaks(ctx context.Context, before, after portal.Release) (*ReuseBreak, error) {
	changes := portal.ColumnChanges(before, after)
	if len(changes) == 0 {
		return nil, nil
	}
	cases, err := p.node.shownReuses(ctx)
	if err != nil {
		return nil, err
	}
	b := &ReuseBreak{Columns: changes[:min(len(changes), portal.MaxColumnChanges)]}
	for i := range cases {
		if r, ok := cases[i].PublicReuse(); ok && r.UsesData(after.Dataset) {
			b.Reuses = append(b.Reuses, r)
		}
	}
	if len(b.Reuses) == 0 {
		return nil, nil
	}
	return b, nil
}

// refuse is what an input is told that must not break a reuse, and would.
func (b *ReuseBreak) refuse(label string) error {
	title, _ := b.Reuses[0].Title.In(portal.English)
	return portal.Rejected(label, "would break %d of the reuses of this dataset, %q first: %s", len(b.Reuses), title, b.Columns[0]).
		WithHint("keep the column, or publish without --keep-columns: the reuses are then marked")
}
