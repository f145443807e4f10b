package node

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"koprik/embed/catalog"
	"koprik/embed/index"
	"koprik/embed/table"
	"koprik/internal/disk"
	"koprik/portal"
)

// openDerived opens what can be rebuilt from trust/ and objects/, and rebuilds
// it where it is damaged or behind: a start after any crash ends with one whole
// generation.
func (n *Node) openDerived(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Join(n.dir, tablesDir), 0o755); err != nil {
		return disk.Classify(err)
	}
	n.tables = table.Open(filepath.Join(n.dir, tablesDir), contents{n})
	n.closers = append(n.closers, n.tables)
	if err := n.openCatalog(ctx); err != nil {
		return err
	}
	n.closers = append(n.closers, closer(n.catalog.Close))
	if state, err := n.mirror.State(); err == nil {
		n.raiseFloor(state)
	}
	if !n.owner() {
		return nil
	}
	if err := n.tables.CleanTemps(); err != nil {
		return err
	}
	return n.own(ctx)
}

// own opens what only the holder of node.lock opens, and applies what was left
// to be applied.
func (n *Node) own(ctx context.Context) error {
	if err := n.openIndex(ctx); err != nil {
		return err
	}
	n.closers = append(n.closers, closer(func() error { return n.index.Close() }))
	if err := n.catchUp(ctx); err != nil {
		return err
	}
	if err := n.showSides(); err != nil && !errors.Is(err, portal.ErrUnverified) {
		return err // what does not verify, catchUp has told and the next sync mends
	}
	if err := n.showThreads(ctx); err != nil {
		return err
	}
	if err := n.refill(ctx); err != nil {
		return err
	}
	return n.sweepWithdrawn(ctx)
}

// showSides makes what stands beside the publishers readable, where no generation
// was applied that did.
func (n *Node) showSides() error {
	beside, err := n.readSides()
	n.mu.Lock()
	defer n.mu.Unlock()
	if err == nil && n.talk.sides.files == nil {
		n.talk.sides = beside
	}
	return err
}

// takeOver makes this process the one that applies generations, when the server
// that was has ended.
func (n *Node) takeOver(ctx context.Context) (bool, error) {
	lock, err := disk.Lock(n.dir, nodeLock)
	if errors.Is(err, disk.ErrLocked) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	n.lock = lock
	return true, n.own(ctx)
}

type closer func() error

func (c closer) Close() error { return c() }

func (n *Node) openCatalog(ctx context.Context) (err error) {
	path := filepath.Join(n.dir, catalogFile)
	n.catalog, err = catalog.Open(ctx, path)
	if !errors.Is(err, catalog.ErrDamaged) || !n.owner() {
		return err
	}
	n.opt.Log.Warn("the catalogue is damaged and is built again", "error", err)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	n.catalog, err = catalog.Open(ctx, path)
	return err
}

// openIndex opens the index at the catalogue's generation.
func (n *Node) openIndex(ctx context.Context) (err error) {
	err = n.openBuild()
	if errors.Is(err, index.ErrDamaged) {
		n.opt.Log.Warn("the index is damaged and is built again", "error", err)
		if err := index.Remove(filepath.Join(n.dir, indexDir)); err != nil {
			return err
		}
		err = n.openBuild()
	}
	if err != nil {
		return err
	}
	if err := n.alignIndex(ctx); err != nil {
		return err
	}
	return n.swapReader()
}

// alignIndex brings the index to the catalogue's generation after a crash that
// fell between the two: what the newest update of the index touched and what
// the catalogue has changed since is indexed again.
func (n *Node) alignIndex(ctx context.Context) error {
	generation, err := n.catalog.Generation(ctx)
	if err != nil {
		return err
	}
	if n.index.Generation() == generation && !n.index.Interrupted() {
		return nil
	}
	touched, known := n.index.LastUpdate()
	if !known || n.index.Generation() == 0 {
		return n.rebuildIndex(ctx, generation)
	}
	ids, complete, err := n.catalog.ChangedSince(ctx, min(n.index.Generation(), generation))
	if err != nil {
		return err
	}
	if !complete {
		return n.rebuildIndex(ctx, generation)
	}
	ids = append(ids, touched...)
	slices.Sort(ids)
	return n.reindex(ctx, generation, slices.Compact(ids))
}

// reindex indexes ids again as the catalogue has them.
func (n *Node) reindex(ctx context.Context, generation int64, ids []portal.DatasetID) error {
	snap, err := n.catalog.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	found, err := snap.Datasets(ctx, ids)
	if err != nil {
		return err
	}
	live, gone := split(found)
	there := make(map[portal.DatasetID]bool, len(found))
	for _, d := range found {
		there[d.ID] = true
	}
	for _, id := range ids {
		if !there[id] {
			gone = append(gone, id)
		}
	}
	return n.index.UpdateWith(ctx, generation, live, gone, n.describe(ctx))
}

// rebuildIndex makes the index anew from the whole catalogue.
func (n *Node) rebuildIndex(ctx context.Context, generation int64) error {
	if err := n.index.Close(); err != nil {
		return err
	}
	if err := index.Remove(filepath.Join(n.dir, indexDir)); err != nil {
		return err
	}
	if err := n.openBuild(); err != nil {
		return err
	}
	snap, err := n.catalog.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	return n.index.Rebuild(ctx, generation, each(ctx, snap), n.describe(ctx))
}

// each gives every dataset of a snapshot.
func each(ctx context.Context, snap *catalog.Snapshot) iter.Seq2[portal.Dataset, error] {
	return func(yield func(portal.Dataset, error) bool) {
		enough := errors.New("enough")
		err := snap.All(ctx, func(d portal.Dataset) error {
			if !yield(d, nil) {
				return enough
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) {
			yield(portal.Dataset{}, err)
		}
	}
}

// split parts datasets that can be found from those that were withdrawn.
func split(datasets []portal.Dataset) (live []portal.Dataset, gone []portal.DatasetID) {
	for _, d := range datasets {
		if d.Latest.Withdrawn != nil {
			gone = append(gone, d.ID)
			continue
		}
		live = append(live, d)
	}
	return live, gone
}

func (n *Node) swapReader() error {
	r, err := n.index.Reader()
	if err != nil {
		return err
	}
	n.mu.Lock()
	old := n.reader
	n.reader = share(r)
	n.mu.Unlock()
	if old != nil {
		old.release()
	}
	return nil
}

// apply makes a change visible, all of it at one moment. Rows, tables and the
// index are written beside the old; the write lock of the switch is held only
// for the catalogue's commit and the reader's swap.
func (n *Node) apply(ctx context.Context, c portal.Change) error {
	n.applying.Lock()
	defer n.applying.Unlock()
	pending, err := n.catalog.Prepare(ctx, c)
	if err != nil {
		return fmt.Errorf("prepare generation %d: %w", c.Generation, err)
	}
	defer pending.Rollback() //nolint:errcheck // after Commit there is nothing to undo
	withdrawn := false
	changed := n.withTables(ctx, pending, &withdrawn)
	if err := n.index.UpdateFrom(ctx, c.Generation, pending.Touched(), changed, pending.Removed(), n.describe(ctx)); err != nil {
		err = fmt.Errorf("index generation %d: %w", c.Generation, err)
		return errors.Join(err, n.alignIndex(context.WithoutCancel(ctx)))
	}
	if withdrawn {
		if err := n.local.Set(ctx, sweepKey, "due"); err != nil {
			return err
		}
	}
	if err := n.flip(ctx, pending); err != nil {
		return err
	}
	n.raiseFloor(c.State)
	return n.sweepWithdrawn(ctx)
}

// flip is the switch. When the commit does not come about, the index steps
// back to what the catalogue says.
func (n *Node) flip(ctx context.Context, pending *catalog.Pending) error {
	beside, err := n.readSides()
	if err != nil {
		return err
	}
	if err := n.indexThreads(ctx, beside); err != nil {
		return err
	}
	n.feedUses(beside)
	next, err := n.index.Reader()
	if err != nil {
		return err
	}
	n.mu.Lock()
	err = pending.Commit()
	old := n.reader
	if err == nil {
		n.reader, n.talk.sides = share(next), beside
	}
	n.mu.Unlock()
	if err != nil {
		next.Close()
		return errors.Join(fmt.Errorf("commit catalogue: %w", err), n.alignIndex(context.WithoutCancel(ctx)))
	}
	if old != nil {
		old.release()
	}
	return nil
}

// In a change of more than manyDatasets, tables of at most smallTable bytes are
// made when somebody first looks at them: that costs a reader some milliseconds,
// and a first sync of 100,000 datasets minutes and a gigabyte
// (docs/adr, "Many at once").
const (
	manyDatasets = 100
	smallTable   = 64 << 10
)

// withTables gives what pending changes, each dataset once the row stores of its
// tables are made, and notes whether one of them is withdrawn.
func (n *Node) withTables(ctx context.Context, pending *catalog.Pending, withdrawn *bool) iter.Seq2[portal.Dataset, error] {
	return func(yield func(portal.Dataset, error) bool) {
		done, total := int64(0), int64(len(pending.Touched()))
		for d, err := range pending.Each(ctx) {
			if err == nil && d.Latest.Withdrawn != nil {
				*withdrawn = true
			} else if err == nil {
				err = n.buildTables(ctx, d, total > manyDatasets)
			}
			if !yield(d, err) || err != nil {
				return
			}
			done++
			n.opt.Progress("tables", done, total)
		}
	}
}

// buildTables makes the row stores of a dataset that will be visible; one of many
// leaves small ones for later. A signed file that is no readable table stays
// downloadable; it only has no rows.
func (n *Node) buildTables(ctx context.Context, d portal.Dataset, many bool) error {
	for _, r := range d.Latest.Resources {
		if many && r.Bytes <= smallTable {
			continue
		}
		if _, err := n.tables.Ensure(ctx, r); err != nil && !errors.Is(err, portal.ErrNotHeld) { // left out, or still to come
			if ctx.Err() != nil || errors.Is(disk.Classify(err), disk.ErrNoSpace) {
				return err
			}
			n.opt.Log.Warn("a table cannot be read", "dataset", d.ID, "resource", r.Name, "error", err)
		}
	}
	return nil
}

// catchUp applies what was accepted but not applied, or published but not
// accepted: a crash fell between, or another process left it to this one. What
// does not verify stops syncing, never serving.
func (n *Node) catchUp(ctx context.Context) error {
	var err error
	if n.central() {
		err = n.followOwn(ctx)
	}
	if err != nil || !n.central() {
		err = errors.Join(err, n.applyAccepted(ctx))
	}
	if errors.Is(err, portal.ErrUnverified) || errors.Is(err, portal.ErrNotFound) {
		n.opt.Log.Error("this node goes on with the copy it has", "error", err)
		return nil
	}
	return err
}

func (n *Node) applyAccepted(ctx context.Context) error {
	state, err := n.mirror.State()
	if err != nil {
		return err
	}
	have, err := n.catalog.Generation(ctx)
	if err != nil || have >= state.Generation {
		return err
	}
	c, err := n.mirror.Change(ctx)
	if err != nil {
		return fmt.Errorf("rebuild the catalogue: %w", err)
	}
	return n.apply(ctx, c)
}

func (n *Node) raiseFloor(s portal.CopyState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.AsOf.After(n.floor) {
		n.floor = s.AsOf
	}
}

// sweepKey says in local.db that withdrawn bytes are to be removed; it is set
// before their withdrawal is visible, so that no crash forgets them.
const sweepKey = "sweep"

// sweepWithdrawn removes the bytes that only withdrawn datasets named, here and
// in the repository, when that is due.
func (n *Node) sweepWithdrawn(ctx context.Context) error {
	if due, _, err := n.local.Get(ctx, sweepKey); err != nil || due == "" {
		return err
	}
	snap, err := n.catalog.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	kept := map[portal.Digest]bool{}
	var candidates []portal.Resource
	err = snap.All(ctx, func(d portal.Dataset) error {
		for _, ref := range d.History {
			release, err := snap.Release(ctx, d.ID, ref.Number)
			if err != nil {
				return err
			}
			for _, r := range release.Resources {
				if d.Latest.Withdrawn == nil {
					kept[r.Hash] = true
				} else {
					candidates = append(candidates, r)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := n.removeContents(candidates, kept); err != nil {
		return err
	}
	return n.local.Set(ctx, sweepKey, "")
}
