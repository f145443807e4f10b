package node

import (
	"context"
	"errors"
	"time"

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
	waits, err := n.local.Waits(ctx)
	if err != nil {
		return s, err
	}
	s.Outbox = waits.Count
	if s.Backup, err = n.lastBackup(ctx); err != nil {
		return s, err
	}
	held, _, err := n.local.Get(ctx, heldKey)
	if err != nil {
		return s, err
	}
	s.Held = held != ""
	s.Doing = n.doing()
	if s.Owed, err = n.owes(ctx); err != nil {
		return s, err
	}
	last, ok, err := n.local.LastSync(ctx)
	if ok {
		s.LastSync, s.LastResult, s.Brought = last.At, last.Result, brought(last)
	}
	if t := n.trouble.Load(); t != nil { // a disk that takes no more cannot keep it
		s.LastSync, s.LastResult, s.Brought = t.at, t.what, nil
	}
	return s, err
}

// trouble is why a sync did not succeed.
type trouble struct {
	at   time.Time
	what string
}

// remember keeps why a sync did not succeed, also where it cannot be written.
func (n *Node) remember(err error) {
	switch {
	case err == nil:
		n.trouble.Store(nil)
	case !errors.Is(err, context.Canceled) && !errors.Is(err, portal.ErrUsage):
		n.trouble.Store(&trouble{n.Now(), err.Error()})
	}
}
