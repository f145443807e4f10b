package index

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"sync"

	"github.com/blevesearch/bleve/v2/index/scorch/mergeplan"
	bleveindex "github.com/blevesearch/bleve_index_api"

	"koprik/portal"
)

// maxRecorded is how many ids of one update are remembered, so that it can be
// finished after a crash. The record travels in every batch; what is larger is
// built again instead.
const maxRecorded = 10_000

// Update makes the index that of a generation: upserts are indexed as they are
// (withdrawn ones are taken out), removed are taken out. Readers see all of it
// or nothing. After an error, a crash or a cancelled ctx the index reports
// Interrupted until an Update brings all of its datasets again.
func (x *Index) Update(ctx context.Context, generation int64, upserts []portal.Dataset, removed []portal.DatasetID) error {
	return x.UpdateWith(ctx, generation, upserts, removed, nil)
}

// UpdateDocuments is Update for datasets of which more is known than the
// catalogue has.
func (x *Index) UpdateDocuments(ctx context.Context, generation int64, upserts []Document, removed []portal.DatasetID) error {
	ids := slices.Clone(removed)
	for i := range upserts {
		ids = append(ids, upserts[i].Dataset.ID)
	}
	return x.update(ctx, generation, ids, false, func(yield func(change, error) bool) {
		for i := range upserts {
			if !yield(change{Document: upserts[i]}, nil) {
				return
			}
		}
	}, removed)
}

// UpdateWith is Update where describe says what more is known of each dataset:
// it gets a Document with nothing but the Dataset and fills in the rest. It is
// called for one dataset after another, not long before that one is indexed, so
// what it fills in need not all be in memory. An error of it ends the update.
func (x *Index) UpdateWith(ctx context.Context, generation int64, upserts []portal.Dataset, removed []portal.DatasetID, describe func(*Document) error) error {
	ids := slices.Clone(removed)
	for i := range upserts {
		ids = append(ids, upserts[i].ID)
	}
	return x.update(ctx, generation, ids, false, described(func(yield func(portal.Dataset, error) bool) {
		for i := range upserts {
			if !yield(upserts[i], nil) {
				return
			}
		}
	}, describe), removed)
}

// UpdateFrom is UpdateWith for more datasets than should be in memory at once:
// ids are those that upserts will give, and what it gives is let go of batch by
// batch.
func (x *Index) UpdateFrom(ctx context.Context, generation int64, ids []portal.DatasetID, upserts iter.Seq2[portal.Dataset, error], removed []portal.DatasetID, describe func(*Document) error) error {
	return x.update(ctx, generation, slices.Concat(ids, removed), false, described(upserts, describe), removed)
}

// Rebuild fills an empty index with every dataset of a generation, in constant
// memory; describe is that of UpdateWith and may be nil. Cut off, it leaves an
// index that Open calls damaged: Remove it and begin again.
func (x *Index) Rebuild(ctx context.Context, generation int64, all iter.Seq2[portal.Dataset, error], describe func(*Document) error) error {
	if g := x.Generation(); g != 0 || x.Interrupted() {
		return fmt.Errorf("rebuild the index of generation %d: it is not empty: it holds %d", generation, g)
	}
	return x.update(ctx, generation, nil, true, described(all, describe), nil)
}

// change is a dataset to be indexed, or to be taken out.
type change struct {
	Document
	gone bool
}

// described gives datasets as documents.
func described(all iter.Seq2[portal.Dataset, error], describe func(*Document) error) iter.Seq2[change, error] {
	return func(yield func(change, error) bool) {
		for d, err := range all {
			c := change{Document: Document{Dataset: d}}
			if err == nil && describe != nil && d.Latest.Withdrawn == nil {
				err = describe(&c.Document)
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// update carries the index to a generation; ids are what it touches, if that is
// known before, and many says that it is not.
func (x *Index) update(ctx context.Context, generation int64, ids []portal.DatasetID, many bool, upserts iter.Seq2[change, error], removed []portal.DatasetID) (err error) {
	x.updating.Lock()
	defer x.updating.Unlock()
	defer func() {
		if err != nil && !errors.Is(err, ErrInterrupted) {
			err = fmt.Errorf("index update to generation %d: %w", generation, err)
		}
	}()
	ids = sortedSet(ids)
	many = many || len(ids) > maxRecorded
	before, err := x.begin(generation, ids)
	if err != nil {
		return err
	}
	if many {
		ids = nil
	}
	during := before
	during.Updating = &unfinished{Generation: generation, IDs: ids, Many: many}
	after := state{Mapping: mappingVersion, Generation: generation, Last: ids, Many: many}
	if err := x.writeAll(ctx, many, during, after, upserts, removed); err != nil {
		return err
	}
	if many {
		for _, a := range x.analysers {
			a.forget()
		}
	}
	if many && before.Generation == 0 {
		x.merge(ctx)
	}
	return x.pin()
}

// merge makes few segments of the many that filling an index leaves: a search
// asks each of them. Where it cannot be done, for want of room say, they stay as
// they are: Bleve merges again later.
func (x *Index) merge(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	select {
	case <-x.troubles.failed: // earlier ones
	default:
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = x.scorch.ForceMerge(ctx, &oneSegment)
	}()
	select {
	case <-done:
	case <-x.troubles.failed: // it would try for ever
		cancel()
	case err := <-x.troubles.died:
		select {
		case x.troubles.died <- err: // for who writes next
		default:
		}
	}
}

// oneSegment asks for as many segments in one as Bleve takes.
var oneSegment = func() mergeplan.MergePlanOptions {
	o := mergeplan.SingleSegmentMergePlanOptions
	o.SegmentsPerMergeTask = 1000
	return o
}()

// writers is how many batches of an update of many datasets are written at the
// same time. Each is made into a segment by one goroutine, and they wait for the
// disk together.
const writers = 2

// writeAll writes the batches of an update: all but the last with the state
// during, in any order where they are many; the last, after all others, with the
// state after.
func (x *Index) writeAll(ctx context.Context, many bool, during, after state, upserts iter.Seq2[change, error], removed []portal.DatasetID) error {
	stop := make(chan struct{})
	batches := x.batches(stop, upserts, removed)
	defer func() {
		close(stop)
		for range batches { // until nobody uses the analysers any more
		}
	}()
	atOnce := 1
	if many {
		atOnce = writers
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	slots := make(chan struct{}, atOnce)
	var writing sync.WaitGroup
	defer writing.Wait()
	for b := range batches {
		if b.err != nil {
			return b.err
		}
		if b.last {
			writing.Wait()
			return x.writeOne(ctx, b.Batch, during, after)
		}
		slots <- struct{}{}
		writing.Go(func() {
			defer func() { <-slots }()
			if err := x.writeOne(ctx, b.Batch, during, during); err != nil {
				fail(err)
			} else if x.afterBatch != nil {
				x.afterBatch()
			}
		})
		if b.removes {
			writing.Wait() // what is taken out may come again
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// writeOne writes one batch, unless ctx ended, be it that an earlier one could
// not be written.
func (x *Index) writeOne(ctx context.Context, b *bleveindex.Batch, during, next state) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := x.write(b, next); err != nil {
		x.interrupt(during)
		return err
	}
	return nil
}

// batch is a part of an update.
type batch struct {
	*bleveindex.Batch
	last    bool
	removes bool // takes out what removed names
	err     error
}

// batches gives the batches of an update, of which there is at least one. While
// one is being written the next is made. After stop none is made any more.
func (x *Index) batches(stop <-chan struct{}, upserts iter.Seq2[change, error], removed []portal.DatasetID) <-chan batch {
	out := make(chan batch)
	send := func(b batch) bool {
		select {
		case out <- b:
			return true
		case <-stop:
			return false
		}
	}
	go func() {
		defer close(out)
		var chunk []change
		var ready batch // waits to be known as the last or not
		for c, err := range changes(upserts, removed) {
			if err != nil {
				send(batch{err: err})
				return
			}
			if ready.Batch != nil && !send(ready) {
				return
			}
			ready = batch{}
			if chunk = append(chunk, c); len(chunk) == x.batch {
				ready, chunk = batch{Batch: x.batchOf(chunk), removes: chunk[0].gone}, chunk[:0]
			}
		}
		if ready.Batch == nil {
			ready.Batch = x.batchOf(chunk)
		}
		ready.last = true
		send(ready)
	}()
	return out
}

// changes gives what is removed, then what is indexed.
func changes(upserts iter.Seq2[change, error], removed []portal.DatasetID) iter.Seq2[change, error] {
	return func(yield func(change, error) bool) {
		for _, id := range removed {
			if !yield(change{Document{Dataset: portal.Dataset{ID: id}}, true}, nil) {
				return
			}
		}
		upserts(yield)
	}
}

// begin checks that an update to a generation may start, and gives the state
// that it starts from.
func (x *Index) begin(generation int64, ids []portal.DatasetID) (state, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return state{}, fmt.Errorf("index update to generation %d: %w", generation, os.ErrClosed)
	}
	if u := x.state.Updating; u != nil {
		if u.Many {
			return state{}, fmt.Errorf("%w: the one to generation %d, of more datasets than are remembered; it is to be built again", ErrInterrupted, u.Generation)
		}
		for _, id := range u.IDs {
			if _, ok := slices.BinarySearch(ids, id); !ok {
				return state{}, fmt.Errorf("%w: the update to generation %d leaves out %s", ErrInterrupted, generation, id)
			}
		}
	}
	return x.state, nil
}

// interrupt notes that a batch of an update may or may not have been written.
func (x *Index) interrupt(during state) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.state = during
}

// batchOf makes a batch of changes. Their words are analysed by as many
// goroutines as there are analysers.
func (x *Index) batchOf(changes []change) *bleveindex.Batch {
	docs := make([]*document, len(changes))
	var wg sync.WaitGroup
	for n, a := range x.analysers {
		wg.Go(func() {
			for i := n; i < len(changes); i += len(x.analysers) {
				if c := &changes[i]; !c.gone && c.Dataset.Latest.Withdrawn == nil {
					docs[i] = a.document(&c.Document)
				}
			}
		})
	}
	wg.Wait()
	b := bleveindex.NewBatch()
	for i, doc := range docs {
		if doc == nil {
			b.Delete(string(changes[i].Dataset.ID))
		} else {
			b.Update(doc)
		}
	}
	return b
}
