package tuf

import (
	"crypto/sha256"
	"fmt"
	"testing"
)

// BenchmarkVerify is a mirror's whole verification, from the trust anchor to
// every publisher. Bars of docs: 50 publishers with 600 datasets in 50 ms,
// 50,000 datasets in 1.5 s.
func BenchmarkVerify(b *testing.B) {
	for _, size := range []struct{ publishers, datasets int }{{50, 600}, {50, 50_000}, {1, 50_000}} {
		b.Run(fmt.Sprintf("publishers=%d/datasets=%d", size.publishers, size.datasets), func(b *testing.B) {
			r := newRepo(b)
			r.hashes = true
			r.pub, r.top.Roles = map[string]Targets{}, nil
			for p := range size.publishers {
				name := fmt.Sprintf("agency-%d", p)
				targets := map[string]Target{}
				for d := range size.datasets / size.publishers {
					path := fmt.Sprintf("d/%s/indicator-1-%06d-of-a-region/%d.json", name, d, d%9+1)
					targets[path] = Target{Length: int64(2000 + d), SHA256: sha256.Sum256([]byte(path))}
				}
				r.signers[name] = []PrivateKey{testKey(5)}
				r.pub[name] = Targets{Version: 1, Expires: expires, Targets: targets}
				r.top.Roles = append(r.top.Roles, delegate(name, 1, testKey(5)))
			}
			root, timestamp, snapshot, targets := r.rootFile(), r.timestampFile(), r.snapshotFile(), r.targetsFile()
			pubs, bytes := map[string][]byte{}, 0
			for name := range r.pub {
				pubs[name] = r.pubFile(name)
				bytes += len(pubs[name])
			}
			b.SetBytes(int64(bytes))
			b.ReportAllocs()
			for b.Loop() {
				s, err := NewSet(root)
				for _, update := range []func() error{
					func() error { return s.UpdateTimestamp(timestamp, before) },
					func() error { return s.UpdateSnapshot(snapshot, before) },
					func() error { return s.UpdateTargets(targets, before) },
				} {
					if err == nil {
						err = update()
					}
				}
				for name, file := range pubs {
					if err == nil {
						err = s.UpdateDelegated(name, file, before)
					}
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
