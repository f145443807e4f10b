package node

import (
	"context"
	"time"

	"koprik/portal"
	"koprik/sync/mirror"
)

// SyncItem is a file that a sync brings, or does not.
type SyncItem = mirror.Item

// SyncPlan says what a sync would bring, by which way, and how long it takes.
type SyncPlan struct {
	Datasets []PlannedDataset
	Files    int
	Bytes    int64         // before compression
	AtMost   int64         // bytes on the line
	Rate     int64         // bytes a second of the last syncs; 0: not known yet
	Takes    time.Duration // at most, at that rate; 0 where that is not known
}

// PlannedDataset is a dataset with the files that would come.
type PlannedDataset struct {
	ID    portal.DatasetID
	Bytes int64
	Files []PlannedFile
}

// PlannedFile is a file that would come.
type PlannedFile struct {
	Resource portal.Resource
	Way      string // one of portal.Ways
	AtMost   int64  // bytes on the line
}

// Plan lays out a dry run, dataset by dataset.
func (n *Node) Plan(ctx context.Context, r mirror.Report) (SyncPlan, error) {
	var p SyncPlan
	at := map[portal.DatasetID]int{}
	for _, it := range r.Plan {
		i, known := at[it.Dataset]
		if !known {
			i = len(p.Datasets)
			at[it.Dataset] = i
			p.Datasets = append(p.Datasets, PlannedDataset{ID: it.Dataset})
		}
		f := PlannedFile{Resource: it.Resource, Way: it.Way, AtMost: it.AtMost}
		p.Datasets[i].Files = append(p.Datasets[i].Files, f)
		p.Datasets[i].Bytes += it.Resource.Bytes
		p.Files++
		p.Bytes += it.Resource.Bytes
		p.AtMost += f.AtMost
	}
	var err error
	if p.Rate, err = n.rate(ctx, r.Upstream); err == nil && p.Rate > 0 {
		p.Takes = time.Duration(float64(p.AtMost) / float64(p.Rate) * float64(time.Second))
	}
	return p, err
}

// rate is what the last syncs from this upstream had, in bytes a second. Syncs
// that brought little say how long the line waits, not how much it carries.
func (n *Node) rate(ctx context.Context, from string) (int64, error) {
	const last, little = 50, 16 << 10
	syncs, err := n.local.Syncs(ctx, last)
	if err != nil {
		return 0, err
	}
	var bytes int64
	var took time.Duration
	for _, s := range syncs {
		if s.Upstream == from && s.BytesDown >= little && s.Duration > 0 {
			bytes += s.BytesDown
			took += s.Duration
		}
	}
	if took == 0 {
		return 0, nil
	}
	return int64(float64(bytes) / took.Seconds()), nil
}
