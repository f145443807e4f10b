package node

import (
	"context"
	"errors"

	"koprik/embed/local"
	"koprik/portal"
	"koprik/sync/post"
)

// maxReports is how many reports may wait for an acknowledgement before they are
// taken back and made anew, together: a centre that has not enrolled this node
// acknowledges none.
const maxReports = 16

// makeReports seals to the centre what was counted on days that are over. A centre
// counts its own without a report. The caller holds write.lock.
func (n *Node) makeReports(ctx context.Context) error {
	if n.central() {
		return nil
	}
	today := portal.DateOf(n.Now())
	states, err := n.local.Unreported(ctx, today)
	if err != nil || len(states) == 0 {
		return err
	}
	epoch, key, err := n.sealingKey()
	if errors.Is(err, portal.ErrUnavailable) {
		return nil // the centre takes none yet
	}
	if err != nil {
		return err
	}
	if waiting, err := n.local.Reports(ctx); err != nil {
		return err
	} else if waiting >= maxReports {
		if err := n.local.Unreport(ctx); err != nil {
			return err
		}
		if states, err = n.local.Unreported(ctx, today); err != nil {
			return err
		}
	}
	var reports []local.Report
	for _, part := range post.SplitUsage(states) {
		r := local.Report{ID: NewInquiryID(), Epoch: string(epoch)}
		if r.Sealed, err = post.SealUsage(key, epoch, r.ID, part); err != nil {
			return err
		}
		reports = append(reports, r)
	}
	return n.local.QueueReports(ctx, reports, states)
}

// outgoing gives what of this node's own waits for the centre and is to be handed to
// somebody, as much as fits into one post: questions first, then reports of use.
func (n *Node) outgoing(ctx context.Context, to string) ([]portal.Outgoing, error) {
	again := n.Now().Add(-sendAgain)
	list, err := n.local.Outgoing(ctx, int64(post.Fits), to, again)
	if err != nil {
		return nil, err
	}
	left := int64(post.Fits)
	for _, o := range list {
		left -= int64(len(o.Sealed))
	}
	if left < post.MaxSealed {
		return list, nil
	}
	reports, err := n.local.OutgoingReports(ctx, left, to, again)
	return append(list, reports...), err
}

// takeReport counts at the centre what was sealed as a report of use; wrong says
// that it is none. Reports of nodes that are not enrolled count for nothing and are
// not acknowledged: they come again, and count when the node is enrolled.
func (n *Node) takeReport(ctx context.Context, in local.Incoming, states []portal.UsageState, wrong error) error {
	known, err := n.local.Node(ctx, in.Node)
	if err != nil && !errors.Is(err, portal.ErrNotFound) {
		return err
	}
	if wrong != nil {
		n.opt.Log.Warn("what came as a report of use is none", "node", in.Node.Short(), "error", wrong)
	}
	if wrong != nil || !known.Trusted() {
		return n.local.RefuseUsage(ctx, in.ID, wrong != nil)
	}
	// A node's clock may be a day ahead of this one's; what is further ahead comes again.
	last := portal.DateOf(portal.DateOf(n.Now()).Time().AddDate(0, 0, 1))
	dropped, err := n.local.CountUsage(ctx, in.ID, states, last)
	if err == nil && dropped > 0 {
		n.opt.Log.Warn("a report of use has days that do not count", "node", in.Node.Short(), "days", dropped)
	}
	return err
}
