package node

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"koprik/portal"
	"koprik/sync/mirror"
)

// What local.db remembers of contents that are not here.
const (
	owedKey    = "owed"    // "due": contents are still to come
	policyKey  = "policy"  // the policy that the last sync went by
	askedKey   = "asked"   // datasets that somebody asked for, with spaces between
	arrivedKey = "arrived" // a count, and the datasets whose contents came last without a new generation
	toldKey    = "told"    // "yes": the repository says what is left out of it
)

// policy is what this node wants to hold.
func (n *Node) policy() mirror.Policy {
	p := mirror.Policy{Themes: n.config.WantedThemes, Publishers: n.config.WantedPublishers, Never: n.config.NeverFormats}
	if p.All() || n.central() {
		return mirror.Policy{}
	}
	asked, err := n.Asked(context.Background())
	if err != nil {
		n.opt.Log.Error("what was asked for cannot be read", "error", err)
	}
	p.Asked = map[portal.DatasetID]bool{}
	for _, id := range asked {
		p.Asked[id] = true
	}
	return p
}

// Asked lists the datasets that somebody asked for, against the policy.
func (n *Node) Asked(ctx context.Context) ([]portal.DatasetID, error) {
	text, _, err := n.local.Get(ctx, askedKey)
	if err != nil {
		return nil, err
	}
	var ids []portal.DatasetID
	for part := range strings.FieldsSeq(text) {
		if id, err := portal.ParseDatasetID(part); err == nil {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// Ask adds datasets to those that come whole whatever the policy says, or takes
// them from there. What is held stays.
func (n *Node) Ask(ctx context.Context, more, less []portal.DatasetID) error {
	ids, err := n.Asked(ctx)
	if err != nil {
		return err
	}
	snap, err := n.catalog.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	for _, id := range more {
		if _, err := snap.Dataset(ctx, id); err != nil {
			return &portal.Problem{
				Kind: portal.ErrNotFound, Where: string(id), Message: "this copy has no such dataset", Cause: err,
				Hint: "koprik search finds the names of datasets",
			}
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	ids = slices.DeleteFunc(ids, func(id portal.DatasetID) bool { return slices.Contains(less, id) })
	slices.Sort(ids)
	var b strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&b, "%s ", id)
	}
	if err := n.local.Set(ctx, askedKey, strings.TrimSpace(b.String())); err != nil {
		return err
	}
	if len(more) > 0 {
		return n.local.Set(ctx, owedKey, "due")
	}
	return nil
}

// quotaLeft is how many bytes contents may still take.
func (n *Node) quotaLeft() (int64, error) {
	left := n.config.DiskQuota
	err := n.blobs.All(func(_ portal.Digest, size int64) error {
		left -= size
		return nil
	})
	return left, err
}

// budget is how many bytes a server may still fetch today by itself; 0 is no
// limit, and what is spent leaves 1, which is nothing.
func (n *Node) budget(ctx context.Context) (int64, error) {
	if n.config.BytesADay == 0 {
		return 0, nil
	}
	now := n.Now().Local()
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	const most = 100000 // one a second for a day and more
	syncs, err := n.local.Syncs(ctx, most)
	if err != nil {
		return 0, err
	}
	left := n.config.BytesADay
	for _, s := range syncs {
		if s.At.Before(midnight) {
			break
		}
		left -= s.BytesDown
	}
	return max(left, 1), nil
}

// owes tells whether contents are still to come.
func (n *Node) owes(ctx context.Context) (bool, error) {
	due, _, err := n.local.Get(ctx, owedKey)
	return due != "", err
}

// owe remembers that contents are still to come, before the copy that lacks
// them is accepted.
func (n *Node) owe(ctx context.Context, _ []mirror.Item) error {
	return n.local.Set(ctx, owedKey, "due")
}

// settleOwed fetches what earlier rounds owe, when this round owes nothing
// itself, and tells those who follow what is not here. changed says that the
// round brought a new generation.
func (n *Node) settleOwed(ctx context.Context, s upstream, o mirror.RoundOptions, out *SyncReport, changed bool) error {
	p := n.policy()
	was, _, err := n.local.Get(ctx, policyKey)
	if err != nil {
		return err
	}
	due, err := n.owes(ctx)
	if err != nil {
		return err
	}
	is := fmt.Sprint(p.Themes, p.Publishers, p.Never)
	told, _, err := n.local.Get(ctx, toldKey)
	if err != nil || !due && is == was && !(changed && (!p.All() || told != "")) {
		return err
	}
	owed, left, err := n.mirror.Lacking(ctx)
	if err != nil {
		return err
	}
	if len(owed) > 0 && len(out.Owed) == 0 {
		n.progress(string(portal.StageOwed), 0, 0)
		r, err := n.mirror.Fetch(ctx, s, owed, o)
		out.BytesDown += r.BytesDown
		out.BytesUp += r.BytesUp
		out.Requests += r.Requests
		out.Ways = plus(out.Ways, r.Ways)
		out.Fetched, out.Owed = without(owed, r.Owed), r.Owed
		if arrivedErr := n.arrived(ctx, out.Fetched); arrivedErr != nil {
			return arrivedErr
		}
		if err != nil {
			return err
		}
		owed = r.Owed
	}
	if err := n.mirror.TellLeftOut(append(owed, left...)); err != nil {
		return err
	}
	state := map[string]string{policyKey: is, owedKey: "", toldKey: ""}
	if len(owed) > 0 {
		state[owedKey] = "due"
	}
	if len(owed)+len(left) > 0 {
		state[toldKey] = "yes"
	}
	for key, value := range state {
		if err := n.local.Set(ctx, key, value); err != nil {
			return err
		}
	}
	return nil
}

// plus adds up how many contents came by which way.
func plus(a, b map[string]int) map[string]int {
	sum := maps.Clone(a)
	if sum == nil {
		return b
	}
	for way, n := range b {
		sum[way] += n
	}
	return sum
}

func without(items, less []mirror.Item) (rest []mirror.Item) {
	gone := make(map[portal.Digest]bool, len(less))
	for _, it := range less {
		gone[it.Resource.Hash] = true
	}
	for _, it := range items {
		if !gone[it.Resource.Hash] {
			rest = append(rest, it)
		}
	}
	return rest
}

// arrived shows contents that came without a new generation, or tells the server
// that has the index to do so.
func (n *Node) arrived(ctx context.Context, items []mirror.Item) error {
	if len(items) == 0 {
		return nil
	}
	text, _, err := n.local.Get(ctx, arrivedKey)
	if err != nil {
		return err
	}
	count, _, _ := strings.Cut(text, " ")
	last, _ := strconv.ParseInt(count, 10, 64) // nothing yet: 0
	text = strconv.FormatInt(last+1, 10)
	for _, it := range items {
		if id := " " + string(it.Dataset); !strings.HasSuffix(text, id) {
			text += id
		}
	}
	if err := n.local.Set(ctx, arrivedKey, text); err != nil || !n.owner() {
		return err
	}
	return n.showArrived(ctx)
}

// showArrived makes contents that came without a new generation visible: their
// tables are built when they are asked for, the index is brought up to date, and
// pages that said they were missing are made anew.
func (n *Node) showArrived(ctx context.Context) error {
	text, _, err := n.local.Get(ctx, arrivedKey)
	if err != nil {
		return err
	}
	count, list, _ := strings.Cut(text, " ")
	last, _ := strconv.ParseInt(count, 10, 64) // nothing yet: 0
	if last == n.arrivals.Load() {
		return nil
	}
	var ids []portal.DatasetID
	for part := range strings.FieldsSeq(list) {
		ids = append(ids, portal.DatasetID(part))
	}
	n.applying.Lock()
	defer n.applying.Unlock()
	generation, err := n.catalog.Generation(ctx)
	if err != nil {
		return err
	}
	if err := n.reindex(ctx, generation, ids); err != nil {
		return err
	}
	n.arrivals.Store(last)
	return n.swapReader()
}
