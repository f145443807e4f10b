package local

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"koprik/portal"
)

// BenchmarkSumOfACountry sums what 1,000 nodes have counted on 400 days, 12 counts on
// each: what a centre does every six hours.
func BenchmarkSumOfACountry(b *testing.B) {
	const nodes, days = 1000, 400
	ctx := b.Context()
	l, err := Open(ctx, filepath.Join(b.TempDir(), "local.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	first := portal.Date("2026-01-01")
	for n := range nodes {
		var node portal.Digest
		binary.BigEndian.PutUint32(node[:], uint32(n)+1)
		if err := l.SetNode(ctx, portal.KnownNode{ID: node, Public: node.Hex(), Enrolled: time.Unix(1, 0)}); err != nil {
			b.Fatal(err)
		}
	}
	err = l.write(ctx, "use", func(tx *sql.Tx) error {
		for n := range nodes {
			var node portal.Digest
			binary.BigEndian.PutUint32(node[:], uint32(n)+1)
			for d := range days {
				counts := portal.Usage{}
				for k := range 12 {
					counts[portal.UsageKey{Kind: portal.Visits, Lang: portal.Uzbek, Name: fmt.Sprintf("main_dataset-%d", (n+k*17)%300)}] = int64(1 + (n+d+k)%40)
				}
				if _, err := tx.Exec(`INSERT INTO usage_days (node, boot, day, counts) VALUES (?, ?, ?, ?)`, node[:], node[:8], string(first.AddDays(d)), counts.Encode()); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	last := portal.DateOf(first.Time().Add(days * 24 * time.Hour))
	for b.Loop() {
		var failed error
		totals := portal.SumUsage(func(yield func(portal.UsageDay) bool) {
			failed = l.EachUsage(ctx, true, func(_ portal.Digest, d portal.UsageDay) error {
				if !yield(d) {
					return sql.ErrTxDone
				}
				return nil
			})
		}, last, func(string) bool { return false })
		if failed != nil || len(totals.Months) == 0 {
			b.Fatal(failed, totals)
		}
	}
}
