package packer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"koprik/internal/disk"
	"koprik/sync/carrier"
)

// state is what a packer remembers between runs, in from/state.json. It is
// derived: without it the next run looks at everything again and puts more roots
// into the packs than they need.
type state struct {
	Done  int64            `json:"done"`  // the snapshot for which every patch is made
	Roots map[string]int64 `json:"roots"` // snapshot at which a newer root was first seen, and that root
}

const maxState = 1 << 20

func readState(repo disk.FS) (s state, err error) {
	b, err := disk.ReadFile(repo, stateFile, maxState)
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	var syntax *json.SyntaxError
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, disk.ErrTooLarge) || errors.As(err, &syntax) {
		s, err = state{}, nil
	}
	if s.Roots == nil {
		s.Roots = map[string]int64{}
	}
	return s, err
}

func (s state) write(repo disk.FS) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return disk.WriteFile(repo, stateFile, b)
}

// noteRoot remembers the newest root of a snapshot that is seen for the first time.
func (r *run) noteRoot() error {
	if len(r.roots) == 0 {
		return errors.New("metadata/: there is no root")
	}
	slices.Sort(r.roots)
	newest := r.roots[len(r.roots)-1]
	if r.rootAt(r.to) == newest {
		return nil
	}
	r.state.Roots[strconv.FormatInt(r.to, 10)] = newest
	return r.state.write(r.repo)
}

// rootAt is the newest root that was seen with snapshot k or one before it; 1
// when nobody looked.
func (r *run) rootAt(k int64) int64 {
	root := int64(1)
	for key, v := range r.state.Roots {
		if seen, err := strconv.ParseInt(key, 10, 64); err == nil && seen <= k {
			root = max(root, v)
		}
	}
	return root
}

// newRoots are those that a mirror at snapshot k may lack. A root is written
// after the snapshot that it came with, so what was newest at the snapshot
// before is all that such a mirror has for certain.
func (r *run) newRoots(k int64) []int64 {
	sure := r.rootAt(k - 1)
	return slices.DeleteFunc(slices.Clone(r.roots), func(v int64) bool { return v <= sure })
}

// How many snapshots get a pack: the nearest, and of older ones a few in every
// doubling of the distance.
const (
	nearest   = 32
	perDouble = 4
)

// choose gives the snapshots that get a pack, nearest first: the newest one
// itself, the last 32 before it, and exponentially spaced older ones. The spacing
// goes by the snapshot's own number, so that one that was chosen stays chosen
// until the spacing grows over it.
func choose(have []int64, to int64) []int64 {
	var chosen []int64
	for _, k := range have {
		if k > to {
			continue
		}
		distance, spacing := to-k, int64(1)
		for reach := int64(nearest); distance > reach; reach *= 2 {
			spacing = reach / perDouble
		}
		if k%spacing == 0 {
			chosen = append(chosen, k)
		}
	}
	slices.Sort(chosen)
	slices.Reverse(chosen)
	return chosen
}

// missing are the snapshots whose pack is not for this one.
func (r *run) missing() (ks []int64) {
	for _, k := range r.bases {
		if to, _, err := r.packedTo(k); err != nil || to != r.to {
			ks = append(ks, k)
		}
	}
	return ks
}

// fresh tells whether the pack for k is for this very timestamp.
func (r *run) fresh(k int64) bool {
	to, head, err := r.packedTo(k)
	return err == nil && to == r.to && bytes.Equal(head, r.head)
}

// packedTo is the snapshot that the pack for k leads to, and its head.
func (r *run) packedTo(k int64) (to int64, head []byte, err error) {
	f, err := r.repo.OpenFile(carrier.PackPath(k), os.O_RDONLY)
	if err != nil {
		return 0, nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	from, to, head, err := carrier.ReadHead(f)
	if err == nil && from != k {
		err = fmt.Errorf("%s is for snapshot %d", carrier.PackPath(k), from)
	}
	return to, head, err
}

// reheadAll puts a timestamp that was only signed again into all packs: the rest
// of each stays.
func (r *run) reheadAll(ctx context.Context) error {
	for _, k := range r.bases {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.rehead(carrier.PackPath(k)); err != nil {
			return err
		}
	}
	return r.rehead(headFile)
}

func (r *run) rehead(name string) error {
	if err := r.current(); err != nil {
		return err
	}
	f, err := r.repo.OpenFile(name, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	w, err := disk.Create(r.repo, name)
	if err != nil {
		return err
	}
	defer w.Abort() //nolint:errcheck // after Commit there is nothing to undo
	changed, err := carrier.Rehead(w, f, r.head)
	if err != nil || !changed {
		return err
	}
	return w.Commit()
}
