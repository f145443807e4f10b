package cli

import (
	"context"
	"errors"

	"koprik/internal/node"
	"koprik/portal"
)

// handOver publishes what was named and hands this node's releases to the centre.
func (a *app) handOver(ctx context.Context, to, publisher string, with, paths []string, keepColumns bool) error {
	if publisher != "" {
		return usage("--publisher", "an agency hands over what its own publisher has signed: leave it out with --to")
	}
	var inputs []node.Input
	for _, path := range paths {
		in, done, err := node.OpenInput(path)
		if err != nil {
			return err
		}
		defer done()
		in.KeepColumns = keepColumns
		inputs = append(inputs, in)
	}
	return a.bringing(ctx, with, func(n *node.Node) error {
		var published node.Published
		if len(inputs) > 0 {
			var err error
			if published, err = n.Publish(ctx, "", inputs); err != nil {
				return err
			}
		}
		h, err := n.HandOver(ctx, to)
		if err != nil {
			return err
		}
		return a.handedOver(h, published)
	})
}

func (a *app) handedOver(h node.HandedOver, p node.Published) error {
	out := map[string]any{
		"publisher": h.Publisher, "to": h.To, "version": h.Version, "generation": h.Generation,
		"objects": h.Objects, "bytes": h.Bytes, "unchanged": h.Unchanged, "published": len(p.Published),
	}
	return a.answer(out, func() {
		for _, r := range p.Published {
			a.say("published  %s release %d (%s)", r.Dataset, r.Release, count(r.Bytes, "byte"))
			a.sayBroken(r.Dataset, r.Breaks)
		}
		switch {
		case h.Unchanged:
			a.say("%s has all of it already.", h.To)
		case h.Generation > 0:
			a.say("accepted as generation %d (version %d of %s; %s, %s sent)", h.Generation, h.Version, h.Publisher, count(h.Objects, "object"), count(h.Bytes, "byte"))
		default:
			a.say("In %s/inbox/%s is version %d: %s, %s new. Carry it to the centre, where koprik sync --from takes it.",
				h.To, h.Publisher, h.Version, count(h.Objects, "object"), count(h.Bytes, "byte"))
		}
	})
}

// takeInbox takes what agencies have put into a folder.
func (a *app) takeInbox(ctx context.Context, n *node.Node, o node.SyncOptions) error {
	if o.DryRun {
		return usage("--dry-run", "is for mirrors: an inbox is taken or refused")
	}
	stick, err := n.TakeStick(ctx, o.From)
	if err != nil {
		return err
	}
	taken, err := n.TakeInbox(ctx, o.From)
	if err != nil && (stick.Posts == 0 || !errors.Is(err, portal.ErrNotFound)) {
		return err
	}
	rows := []map[string]any{}
	var refused error
	for _, t := range taken {
		row := map[string]any{"publisher": t.Publisher, "generation": t.Generation, "refused": ""}
		if t.Err != nil {
			row["refused"] = t.Err.Error()
			refused = errors.Join(refused, t.Err)
		}
		rows = append(rows, row)
	}
	outbox := map[string]any{"posts": stick.Posts, "new": stick.Fresh, "answers_written": stick.Answers}
	err = a.answer(map[string]any{"inbox": rows, "outbox": outbox}, func() {
		if stick.Posts > 0 {
			a.say("%s taken, %s new", count(stick.Posts, "post"), count(stick.Fresh, "question"))
			if stick.Answers {
				a.say("acknowledgements and answers are on the stick")
			} else {
				a.say("the stick could not be written: it carries no answers back")
			}
		}
		for _, t := range taken {
			if t.Err != nil {
				a.say("%-12s refused because %v", t.Publisher, t.Err)
			} else {
				a.say("%-12s accepted as generation %d", t.Publisher, t.Generation)
			}
		}
	})
	if refused != nil && len(taken) > 1 {
		return errors.Join(err, &portal.Problem{
			Kind: portal.ErrPartly, Where: o.From, Cause: refused, Message: "not everything was taken: " + refused.Error(),
			Hint: "the answers stand in the folder, for the agencies to read",
		})
	}
	return errors.Join(err, refused)
}
