package node

import (
	"context"

	"koprik/portal"
)

// Status says what this node is and how old its copy is.
func (n *Node) Status(ctx context.Context) (portal.Status, error) {
	now, wrong := n.clock()
	s := portal.Status{
		Role: n.config.Role, Title: n.config.Title, Contact: n.config.Contact,
		Upstream: n.config.Upstream, Version: n.opt.Version, ClockWrong: wrong,
	}
	snap, err := n.catalog.Snapshot(ctx)
	if err != nil {
		return s, err
	}
	defer snap.Close()
	s.State = snap.State()
	s.Fresh = s.State.Grade(now, n.oldAfter())
	if s.Datasets, err = snap.Count(ctx); err != nil {
		return s, err
	}
	if s.SignedBy, err = n.mirror.SignedBy(); err != nil {
		n.opt.Log.Error("trust cannot be read", "error", err)
	}
	if s.Alarms, err = n.Alarms(); err != nil {
		return s, err
	}
	s.Doing = n.doing()
	if s.Owed, err = n.owes(ctx); err != nil {
		return s, err
	}
	last, ok, err := n.local.LastSync(ctx)
	if ok {
		s.LastSync, s.LastResult, s.Brought = last.At, last.Result, brought(last)
	}
	return s, err
}
