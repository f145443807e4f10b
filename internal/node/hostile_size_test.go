//go:build linux

package node_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"koprik/internal/node"
	"koprik/portal"
)

// TestSyncInAProcessOfItsOwn is not a test: the one below runs it as a process
// whose memory nothing else has touched.
func TestSyncInAProcessOfItsOwn(t *testing.T) {
	dir, from := os.Getenv("KOPRIK_TEST_DIR"), os.Getenv("KOPRIK_TEST_FROM")
	if dir == "" {
		t.Skip("run by TestTheLargestRoleStaysWithinTheNodesMemory")
	}
	n := open(t, dir, options())
	r, err := n.Sync(t.Context(), node.SyncOptions{From: from})
	must(t, err)
	if want := os.Getenv("KOPRIK_TEST_SUSPENDED"); want != fmt.Sprint(r.Suspended) || titles(t, n)["stat_b"] != "Common b rev3" {
		t.Errorf("suspended: %v, want %s; the mirror shows %v", r.Suspended, want, titles(t, n))
	}
	b, err := os.ReadFile("/proc/self/status")
	must(t, err)
	fmt.Println(string(regexp.MustCompile(`VmHWM:.*`).Find(b)))
}

// TestTheLargestRoleStaysWithinTheNodesMemory: a publisher signs a role as long as
// any may be, 65,000 datasets, and something at its end for which it is refused.
// It waits alone, and the whole process stays within the 256 MiB of guarantee 5.
func TestTheLargestRoleStaysWithinTheNodesMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("8 MiB are signed and verified, and a process is measured")
	}
	central, seen := twoPublishers(t)
	must(t, seen.Close())
	bad := func(f *forge, datasets int) {
		f.edit("main", func(s object) {
			all := s["targets"].(object)
			for i := range datasets {
				all[fmt.Sprintf("d/main/set-%06d/1.json", i)] = object{"length": 10, "hashes": object{"sha256": strings.Repeat("ab", 32)}}
			}
			all["d/main/a/latest"] = object{"length": 10, "hashes": object{"sha256": strings.Repeat("ab", 32)}}
		})
		f.publish(nil, nil)
	}
	small, large := newForge(t, central), newForge(t, central)
	bad(small, 1)
	bad(large, 65_000)
	_, name := large.newest("main")
	if size := len(large.read(name)); size < 7<<20 || size > 8<<20 {
		t.Fatalf("the role has %d bytes", size)
	}
	cost := map[*forge]int64{}
	for _, f := range []*forge{small, large} {
		dir := t.TempDir()
		copyTree(t, seen.Dir(), dir)
		cost[f] = f.syncedBy(t, dir)
	}
	t.Logf("at most %d MiB were resident, with a small role %d MiB", cost[large]>>20, cost[small]>>20)
	if cost[large] > 256<<20 {
		t.Error("that is too much")
	}
}

// syncedBy syncs the mirror in dir from the forge in a process of its own, and
// gives the most memory that was resident, in bytes.
func (f *forge) syncedBy(t *testing.T, dir string) int64 {
	t.Helper()
	program, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestSyncInAProcessOfItsOwn$") //nolint:gosec // this test's own binary
	cmd.Env = slices.Concat(os.Environ(), []string{
		"KOPRIK_TEST_DIR=" + dir, "KOPRIK_TEST_FROM=" + f.url, "KOPRIK_TEST_SUSPENDED=" + fmt.Sprint([]portal.PublisherID{"main"}),
	})
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var kib int64
	_, line, _ := strings.Cut(string(out), "VmHWM:")
	_, err = fmt.Sscan(line, &kib)
	must(t, err)
	return kib << 10
}
