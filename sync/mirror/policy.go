package mirror

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unique"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
)

// Policy says which contents a node wants to hold. Metadata, manifests and
// records always come whole: what is left out is known, and can be fetched. The
// zero Policy wants everything.
type Policy struct {
	Themes     []portal.ThemeID          // only datasets of these; none: all
	Publishers []portal.PublisherID      // only these; none: all
	Never      []string                  // formats that are not fetched: "pdf"
	Asked      map[portal.DatasetID]bool // datasets that somebody asked for: they come whole
}

// All tells that nothing is left out.
func (p Policy) All() bool { return len(p.Themes) == 0 && len(p.Publishers) == 0 && len(p.Never) == 0 }

// Wants tells whether a file of a dataset's latest release is to be held.
func (p Policy) Wants(r portal.Release, res portal.Resource) bool {
	if p.Asked[r.Dataset] || p.All() {
		return true
	}
	format := strings.ToLower(res.Format)
	switch {
	case slices.Contains(p.Never, format):
		return false
	case len(p.Publishers) > 0 && !slices.Contains(p.Publishers, r.Dataset.Publisher()):
		return false
	case len(p.Themes) > 0:
		return slices.ContainsFunc(r.Themes, func(t portal.ThemeID) bool { return slices.Contains(p.Themes, t) })
	}
	return true
}

func (m *Mirror) policy() Policy {
	if m.o.Policy == nil {
		return Policy{}
	}
	return m.o.Policy()
}

// planning gathers the contents that releases need and the node does not hold,
// each once.
type planning struct {
	held   func(portal.Digest) bool
	policy Policy
	items  []Item
	wanted []bool                // of items: what several datasets share comes when one of them is wanted
	place  map[portal.Digest]int // in items
	table  *portal.TableSchema   // stands for any: of a resource the plan says what it takes to fetch it
}

func (m *Mirror) planning() planning {
	return planning{held: m.o.Contents.Has, policy: m.policy(), place: map[portal.Digest]int{}, table: &portal.TableSchema{}}
}

// add takes in a latest release. A tombstone names no contents.
func (p *planning) add(latest portal.Release) {
	for _, res := range latest.Resources {
		at, known := p.place[res.Hash]
		if !known {
			if p.held(res.Hash) {
				continue
			}
			at = len(p.items)
			p.place[res.Hash], p.wanted = at, append(p.wanted, false)
			p.items = append(p.items, Item{Dataset: latest.Dataset, Resource: p.brief(res)})
		}
		p.wanted[at] = p.wanted[at] || p.policy.Wants(latest, res)
	}
}

// brief leaves out what is not needed to fetch a resource, and keeps once what many
// of them say: a plan has as many as there are datasets.
func (p *planning) brief(res portal.Resource) portal.Resource {
	if res.Schema != nil {
		res.Schema = p.table
	}
	res.Title, res.Description, res.Dialect, res.Sheets = portal.Text{}, portal.Text{}, nil, nil
	for _, s := range []*string{&res.Name, &res.Path, &res.Format, &res.MediaType, &res.Encoding} {
		*s = unique.Make(*s).Value()
	}
	return res
}

// parts are the contents that the node wants, and those that it leaves out.
func (p *planning) parts() (fetch, left []Item) {
	if p.policy.All() {
		return p.items, nil
	}
	return part(p.items, func(it Item) bool { return p.wanted[p.place[it.Resource.Hash]] })
}

// part gives the items that are so, and the others, both in order.
func part(items []Item, so func(Item) bool) (yes, no []Item) {
	for _, it := range items {
		if so(it) {
			yes = append(yes, it)
		} else {
			no = append(no, it)
		}
	}
	return yes, no
}

// tablesFirst orders what is fetched: tables before everything else, small
// before large, so that a line that is cut has brought most of what is asked for.
func tablesFirst(items []Item) {
	rank := func(it Item) int {
		if it.Resource.Schema != nil || tableFormats[it.Resource.Format] {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(rank(a)-rank(b), cmp.Compare(a.Resource.Bytes, b.Resource.Bytes))
	})
}

var tableFormats = map[string]bool{"csv": true, "tsv": true, "xlsx": true, "ods": true, "json": true, "ndjson": true, "parquet": true}

// leftOutFile names, in a relay or on a stick, the contents of latest releases
// that its node does not hold: a JSON list of digests. It is unsigned; what it
// names is fetched elsewhere or later, and everything else that is missing is
// a lie.
const leftOutFile = "left-out.json"

// maxLeftOut bounds left-out.json: 50,000 digests.
const maxLeftOut = 4 << 20

// admitted reads which contents the source says it does not hold.
func (r *round) admitted(ctx context.Context) map[portal.Digest]bool {
	b, err := r.get(ctx, leftOutFile, maxLeftOut)
	if err != nil {
		return nil
	}
	var list []portal.Digest
	if json.Unmarshal(b, &list) != nil {
		return nil
	}
	out := make(map[portal.Digest]bool, len(list))
	for _, d := range list {
		out[d] = true
	}
	return out
}

// fetchWanted fetches what it can of the plan, in order. What the source admits
// not to hold, and what goes beyond the budget, is owed: the copy is shown
// without it, and a later round brings it.
func (r *round) fetchWanted(ctx context.Context, items []Item) (owed []Item, err error) {
	if err := r.quota(items); err != nil {
		return nil, err
	}
	tablesFirst(items)
	defer func() { r.owes = len(owed) > 0 }()
	if items, err = r.fromPack(ctx, items); err != nil {
		return nil, err
	}
	if n := r.src.affordable(items); n > 0 && n < len(items) { // before something large takes all
		if err := r.fetch(ctx, items[:n]); err != nil && !isNotFound(err) && !errors.Is(err, ErrBudget) {
			return nil, err
		}
	}
	err = r.fetch(ctx, r.lacking(items))
	if err == nil || ctx.Err() != nil {
		return nil, err
	}
	if errors.Is(err, ErrBudget) {
		return r.lacking(items), nil
	}
	if !isNotFound(err) {
		return nil, err
	}
	admitted := r.admitted(ctx)
	owed, rest := part(r.lacking(items), func(it Item) bool { return admitted[it.Resource.Hash] })
	if len(owed) == 0 {
		return nil, err
	}
	err = r.fetch(ctx, rest)
	if errors.Is(err, ErrBudget) {
		return append(owed, r.lacking(rest)...), nil
	}
	return owed, err
}

// quota refuses a round that would go over what contents may take, before it starts.
func (r *round) quota(items []Item) error {
	if r.m.o.Quota == nil || len(items) == 0 {
		return nil
	}
	left, err := r.m.o.Quota()
	if err != nil {
		return err
	}
	var need int64
	for _, it := range items {
		need += it.Resource.Bytes
	}
	if need <= left {
		return nil
	}
	const mib = 1 << 20
	return &portal.Problem{
		Kind: portal.ErrNoSpace, Where: "disk_quota",
		Message: fmt.Sprintf("this sync needs %d MiB, and the quota leaves %d MiB", (need+mib-1)/mib, max(left, 0)/mib),
		Hint:    "raise disk_quota in koprik.toml, or want less: wanted_themes, wanted_publishers, never_formats; the copy that this node has stays",
	}
}

// lacking are the items that are not held: the same list where it is all of them,
// as in a first sync, which is a long one.
func (r *round) lacking(items []Item) []Item {
	held := func(it Item) bool { return r.m.o.Contents.Has(it.Resource.Hash) }
	if !slices.ContainsFunc(items, held) {
		return items
	}
	_, rest := part(items, held)
	return rest
}

// Lacking goes through the latest releases of the accepted copy and gives their
// contents that are not held: those that the policy wants, and the others.
func (m *Mirror) Lacking(ctx context.Context) (owed, left []Item, err error) {
	a, err := m.load()
	if err != nil {
		return nil, nil, err
	}
	plan := m.planning()
	for _, p := range a.publishers() {
		l, err := listOf(a, p)
		if err != nil {
			return nil, nil, err
		}
		for _, id := range slices.Sorted(maps.Keys(l.datasets)) {
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			b, err := m.o.Contents.ReadAll(l.datasets[id].target.SHA256, maxManifest)
			if err != nil {
				return nil, nil, err
			}
			release, err := datapackage.Decode(b)
			if err != nil {
				return nil, nil, err
			}
			plan.add(release)
		}
	}
	owed, left = plan.parts()
	return owed, left, nil
}

// Fetch brings contents that the accepted copy lacks, without a new generation:
// what earlier rounds owe, and what somebody asked for. It reports what came and
// what is still owed.
func (m *Mirror) Fetch(ctx context.Context, source Source, items []Item, o RoundOptions) (Report, error) {
	src := (&counted{Source: source, limits: limits{rest: o.Rest, budget: o.Budget}}).begin()
	r := &round{m: m, src: src, o: o}
	report := Report{Plan: items, Upstream: source.String()}
	state, err := m.State()
	if err == nil {
		report.Generation, report.Previous, report.State = state.Generation, state.Generation, state
		report.Owed, err = r.fetchWanted(ctx, r.lacking(items))
	}
	err = errors.Join(err, m.o.Flush())
	src.tell(&report, r.trips.Load())
	report.Ways = r.came.ways
	return report, err
}

// TellLeftOut writes into the served repository which contents are not in it,
// for those who follow this node.
func (m *Mirror) TellLeftOut(items []Item) error {
	if m.o.Relay == nil {
		return nil
	}
	b, err := leftOut(items)
	if err != nil {
		return err
	}
	held, err := disk.ReadFile(m.o.Relay, leftOutFile, maxLeftOut)
	if err != nil && len(items) == 0 || err == nil && string(held) == string(b) {
		return nil
	}
	return errors.Join(disk.WriteFile(m.o.Relay, leftOutFile, b), m.o.Flush())
}

func leftOut(items []Item) ([]byte, error) {
	list := make([]portal.Digest, len(items))
	for i, it := range items {
		list[i] = it.Resource.Hash
	}
	b, err := json.Marshal(list)
	return append(b, '\n'), err
}
