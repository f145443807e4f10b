package node

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/portal"
	"koprik/sync/post"
	"koprik/sync/tuf"
)

// TestAStickPulledWhileItTakesAPostHasAllOfItOrNothing cuts the power at every
// operation, over an empty outbox and over one in which the post is torn already; what
// a reboot finds is the post or none, and writing it again makes it whole.
func TestAStickPulledWhileItTakesAPostHasAllOfItOrNothing(t *testing.T) {
	k, err := tuf.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	b, err := post.EncodePost(k, []post.Entry{{ID: portal.InquiryID{1}, Epoch: "2026q4", Sealed: make([]byte, 2160)}})
	if err != nil {
		t.Fatal(err)
	}
	name := outboxDir + "/" + portal.DigestOf(b).Short() + ".post"
	cuts := 0
	for _, torn := range []bool{false, true} {
		for n, finished := 1, false; !finished; n++ {
			for seed := range uint64(8) {
				d := disktest.New()
				if torn {
					if err := disk.WriteFile(d, name, b[:len(b)/2]); err != nil {
						t.Fatal(err)
					}
				}
				d.FailAt(d.Ops() + n)
				err := leavePost(d, b)
				if finished = err == nil; err != nil && !errors.Is(err, disktest.ErrPowerCut) {
					t.Fatal(err)
				}
				cuts++
				after := d.Reboot(rand.New(rand.NewPCG(seed, uint64(n)))) //nolint:gosec // chance, no secret
				held := false
				for file, text := range after.Tree() {
					if !strings.HasSuffix(file, ".post") {
						continue
					}
					p, err := post.DecodePost([]byte(text))
					held = err == nil && len(p.Entries) == 1
					if !held && !torn {
						t.Errorf("cut at %d, seed %d: a post of %d bytes: %v", n, seed, len(text), err)
					}
				}
				if finished && !held {
					t.Errorf("seed %d: a post that was handed on is not there", seed)
				}
				if err := leavePost(after, b); err != nil || after.Tree()[name] != string(b) {
					t.Errorf("cut at %d, seed %d: written again: %v", n, seed, err)
				}
			}
		}
	}
	t.Logf("%d power cuts", cuts)
}
