package tuf

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// nation is the files of a repository of so many publishers and datasets.
type nation struct {
	root, timestamp, snapshot, targets []byte
	publishers                         map[string][]byte
	size                               int64
}

func newNation(tb testing.TB, publishers, datasets int) *nation {
	r := newRepo(tb)
	r.hashes = true
	r.pub, r.top.Roles = map[string]Targets{}, nil
	for p := range publishers {
		name := fmt.Sprintf("agency-%d", p)
		targets := map[string]Target{}
		for d := range datasets / publishers {
			path := fmt.Sprintf("d/%s/indicator-1-%06d-of-a-region/%d.json", name, d, d%9+1)
			targets[path] = Target{Length: int64(2000 + d), SHA256: sha256.Sum256([]byte(path))}
		}
		r.signers[name] = []PrivateKey{testKey(5)}
		r.pub[name] = Targets{Version: 1, Expires: expires, Targets: targets}
		r.top.Roles = append(r.top.Roles, delegate(name, 1, testKey(5)))
	}
	n := &nation{
		root: r.rootFile(), timestamp: r.timestampFile(), snapshot: r.snapshotFile(), targets: r.targetsFile(),
		publishers: map[string][]byte{},
	}
	for name := range r.pub {
		n.publishers[name] = r.pubFile(name)
		n.size += int64(len(n.publishers[name]))
	}
	return n
}

// ours verifies all of it, from the trust anchor to every publisher.
func (n *nation) ours() error {
	s, err := NewSet(n.root)
	if err == nil {
		err = s.UpdateTimestamp(n.timestamp, before)
	}
	if err == nil {
		err = s.UpdateSnapshot(n.snapshot, before)
	}
	if err == nil {
		err = s.UpdateTargets(n.targets, before)
	}
	for name, file := range n.publishers {
		if err == nil {
			err = s.UpdateDelegated(name, file, before)
		}
	}
	return err
}

// goTuf does the same with go-tuf.
func (n *nation) goTuf() error {
	m, err := trustedmetadata.New(n.root)
	if err == nil {
		m.RefTime = before.Now
		_, err = m.UpdateTimestamp(n.timestamp)
	}
	if err == nil {
		_, err = m.UpdateSnapshot(n.snapshot, false)
	}
	if err == nil {
		_, err = m.UpdateTargets(n.targets)
	}
	for name, file := range n.publishers {
		if err == nil {
			_, err = m.UpdateDelegatedTargets(file, name, "targets")
		}
	}
	return err
}

// BenchmarkVerify is a mirror's whole verification, beside go-tuf's. The bars
// are those of docs/reference/tuf.md.
func BenchmarkVerify(b *testing.B) {
	for _, size := range []struct {
		publishers, datasets int
		bar                  time.Duration
	}{{50, 600, 50 * time.Millisecond}, {50, 50_000, 1500 * time.Millisecond}, {1, 50_000, 1500 * time.Millisecond}} {
		n := newNation(b, size.publishers, size.datasets)
		for name, verify := range map[string]func() error{"ours": n.ours, "go-tuf": n.goTuf} {
			b.Run(fmt.Sprintf("publishers=%d/datasets=%d/%s", size.publishers, size.datasets, name), func(b *testing.B) {
				b.SetBytes(n.size)
				b.ReportAllocs()
				for b.Loop() {
					if err := verify(); err != nil {
						b.Fatal(err)
					}
				}
				if took := b.Elapsed() / time.Duration(b.N); name == "ours" && took > size.bar {
					b.Errorf("%v, more than %v", took, size.bar)
				}
			})
		}
	}
}

func TestFiftyPublishersAreVerifiedByBoth(t *testing.T) {
	n := newNation(t, 50, 600)
	if err := n.ours(); err != nil {
		t.Error(err)
	}
	if err := n.goTuf(); err != nil {
		t.Error(err)
	}
}
