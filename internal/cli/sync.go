package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"koprik/internal/node"
	"koprik/portal"
)

func (a *app) syncCommand() *cobra.Command {
	var o node.SyncOptions
	var fetch, forget []string
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Bring a mirror to its upstream's generation, verified before anything is shown",
		Long: `Sync brings a mirror to its upstream's generation, verified before anything is shown.
It hands on the questions that wait here, over the network or onto the stick, and
takes acknowledgements and answers. At a centre, --from with a folder takes what
agencies have put into its inbox/ and the questions in a stick's outbox/, and writes
acknowledgements and answers onto that stick.`,
		Example: `  koprik sync
  koprik sync --from /media/stick
  koprik sync --dry-run
  koprik sync --fetch main_water`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if isAddress(o.From) && !strings.HasPrefix(o.From, "http://") && !strings.HasPrefix(o.From, "https://") {
				return usage(cmd.CommandPath(), "--from %s: must be an http or https address, or a folder", o.From)
			}
			var err error
			if o.Fetch, err = datasets(cmd, "fetch", fetch); err != nil {
				return err
			}
			if o.Forget, err = datasets(cmd, "forget", forget); err != nil {
				return err
			}
			return a.with(cmd.Context(), func(n *node.Node) error {
				if n.Config().Role != portal.Mirror && o.From != "" && !isAddress(o.From) {
					return a.takeInbox(cmd.Context(), n, o)
				}
				return a.sync(cmd.Context(), n, o)
			})
		},
	}
	cmd.Flags().StringVar(&o.From, "from", "", "an address or a folder instead of the configured upstream")
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "only say what would come")
	cmd.Flags().StringSliceVar(&fetch, "fetch", nil, "also bring the files of this dataset that the policy leaves out, now and later")
	cmd.Flags().StringSliceVar(&forget, "forget", nil, "no longer bring the files of this dataset against the policy")
	return cmd
}

// datasets reads the names of datasets given to a flag.
func datasets(cmd *cobra.Command, flag string, names []string) ([]portal.DatasetID, error) {
	ids := make([]portal.DatasetID, len(names))
	for i, name := range names {
		id, err := portal.ParseDatasetID(name)
		if err != nil {
			return nil, usage(cmd.CommandPath(), "--%s: %v", flag, err)
		}
		ids[i] = id
	}
	return ids, nil
}

func (a *app) sync(ctx context.Context, n *node.Node, o node.SyncOptions) error {
	r, err := n.Sync(ctx, o)
	if err != nil {
		return err
	}
	out := map[string]any{
		"generation": r.Generation, "previous": r.Previous, "fresh": r.Fresh, "as_of": stamp(r.State.AsOf),
		"datasets":   map[string]int{"added": len(r.Added), "updated": len(r.Updated), "removed": len(r.Removed)},
		"bytes_down": r.BytesDown, "bytes_up": r.BytesUp, "requests": r.Requests, "round_trips": r.RoundTrips,
		"duration_ms": r.Duration.Milliseconds(), "upstream": r.Upstream, "suspended": append([]portal.PublisherID{}, r.Suspended...),
		"outbox": map[string]int{"sent": r.Sent, "left": r.Left},
	}
	out["left_out"] = sizes(r.LeftOut)
	out["owed"] = sizes(r.Owed)
	out["fetched"] = sizes(r.Fetched)
	out["stages"], out["note"] = r.Stages, r.Note
	var plan node.SyncPlan
	if o.DryRun {
		if plan, err = n.Plan(ctx, r.Report); err != nil {
			return err
		}
		out["plan"], out["plan_bytes"], out["rate"], out["plan_seconds"] = planned(plan), plan.Bytes, plan.Rate, int64(plan.Takes.Seconds())
	}
	return a.answer(out, func() {
		for _, p := range r.Suspended {
			a.say("suspended  %s: its new releases do not verify; what was accepted before stays", p)
		}
		if r.Note != "" {
			a.say("note  %s", r.Note)
		}
		if o.DryRun {
			a.sayPlan(r, plan)
			return
		}
		a.say("generation %d (was %d), %s, as of %s: %d new, %d changed, %d removed", r.Generation, r.Previous, r.Fresh, stamp(r.State.AsOf),
			len(r.Added), len(r.Updated), len(r.Removed))
		a.say("%s in %s from %s", count(r.BytesDown, "byte"), count(r.Requests, "request"), r.Upstream)
		if r.Sent+r.Left > 0 {
			a.say("%s of questions handed on, %s wait for the centre", count(r.Sent, "post"), count(r.Left, "question"))
		}
		for _, part := range []struct {
			what  string
			items []mirrorItem
		}{{"came that were missing", r.Fetched}, {"are left out by the policy of this node", r.LeftOut}, {"are still to come", r.Owed}} {
			if s := sizes(part.items); len(part.items) > 0 {
				a.say("%s (%s) %s", count(s["files"], "file"), count(s["bytes"], "byte"), part.what)
			}
		}
	})
}

// mirrorItem is a file that a sync is about.
type mirrorItem = node.SyncItem

func sizes(items []mirrorItem) map[string]int64 {
	var bytes int64
	for _, it := range items {
		bytes += it.Resource.Bytes
	}
	return map[string]int64{"files": int64(len(items)), "bytes": bytes}
}

func planned(p node.SyncPlan) []map[string]any {
	list := []map[string]any{}
	for _, d := range p.Datasets {
		for _, f := range d.Files {
			list = append(list, map[string]any{"dataset": d.ID, "resource": f.Resource.Name, "bytes": f.Resource.Bytes, "way": f.Way, "at_most": f.AtMost})
		}
	}
	return list
}

// sayPlan says what a sync would bring, dataset by dataset.
func (a *app) sayPlan(r node.SyncReport, p node.SyncPlan) {
	a.say("would bring generation %d: %d new, %d changed, %d removed; %s, %s before compression",
		r.Generation, len(r.Added), len(r.Updated), len(r.Removed), count(p.Files, "file"), count(p.Bytes, "byte"))
	for _, d := range p.Datasets {
		for _, f := range d.Files {
			a.say("  %-40s %-24s %12d  %s, at most %d", d.ID, f.Resource.Path, f.Resource.Bytes, f.Way, f.AtMost)
		}
	}
	if s := sizes(r.LeftOut); s["files"] > 0 {
		a.say("left out by the policy of this node: %s, %s", count(s["files"], "file"), count(s["bytes"], "byte"))
	}
	switch {
	case p.Files == 0:
	case p.Rate == 0:
		a.say("how long it takes is not known before the first sync")
	default:
		a.say("at most %s at the %s a second that the last syncs had", p.Takes.Round(time.Second), count(p.Rate, "byte"))
	}
}
