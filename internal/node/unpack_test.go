package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"koprik/internal/backup"
	"koprik/internal/disk"
	"koprik/internal/disk/disktest"
	"koprik/portal"
)

// oldNode and newNode are what stands in a data directory, and what a backup has.
var (
	oldNode = map[string]string{"koprik.toml": "old", "local.db": "old", "local.db-wal": "old log", "keys/root.pem": "old", "trust/1.root.json": "old", "catalog.db": "old"}
	newNode = map[string]string{"koprik.toml": "new", "local.db": "new", "keys/root.pem": "new", "keys/node.pem": "new", "trust/1.root.json": "new", "trust/timestamp.json": "new"}
)

func smallBackup(t *testing.T) []byte {
	t.Helper()
	m := backup.Manifest{Made: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Role: portal.Mirror}
	for name, text := range newNode {
		f, err := backup.Digest(name, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		m.Files = append(m.Files, f)
	}
	var out bytes.Buffer
	err := backup.Write(&out, m, backup.Seal{}, func(f backup.File) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(newNode[f.Name])), nil
	}, func(int64, int64) {})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// restoreOnto is a restore without its locks and without SQLite.
func restoreOnto(d *disktest.Disk, b []byte) error {
	r, err := backup.Open("b", bytes.NewReader(b), backup.Key{})
	if err != nil {
		return err
	}
	defer r.Close()
	if err := unpack(d, d, r, func(int64, int64) {}); err != nil {
		return err
	}
	if err := decide(d, restoring{Moment: "20261123T090000Z", Items: []string{"koprik.toml", "local.db", "keys", "trust"}}); err != nil {
		return err
	}
	return finishRestore(d)
}

// holds tells whether a disk has these files, and no others under their names.
func holds(tree, want map[string]string) bool {
	for name, text := range tree {
		if strings.HasSuffix(name, "/") || strings.HasPrefix(name, incomingPrefix) || strings.HasPrefix(name, replacedPrefix) || disk.IsTemp(name) || name == restoringFile {
			continue
		}
		if want[name] != text {
			return false
		}
	}
	for name, text := range want {
		if tree[name] != text {
			return false
		}
	}
	return true
}

// TestPowerCutWhileRestoringLeavesTheOldNodeOrTheNewOne cuts the power at every
// operation of a restore over a node, reboots several ways each, and opens.
func TestPowerCutWhileRestoringLeavesTheOldNodeOrTheNewOne(t *testing.T) {
	b := smallBackup(t)
	reboots := uint64(6)
	if testing.Short() {
		reboots = 2
	}
	cuts, old, fresh := 0, 0, 0
	for n, finished := 1, false; !finished; n++ {
		for seed := range reboots {
			d := disktest.New()
			for name, text := range oldNode {
				if err := disk.WriteFile(d, name, []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			d.FailAt(d.Ops() + n)
			err := restoreOnto(d, b)
			finished = err == nil
			if err != nil && !errors.Is(err, disktest.ErrPowerCut) {
				t.Fatalf("cut at %d: %v", n, err)
			}
			cuts++
			after := d.Reboot(rand.New(rand.NewPCG(seed, uint64(n)))) //nolint:gosec // chance, no secret
			_, statErr := after.Stat(restoringFile)
			if err := finishRestore(after); err != nil {
				t.Fatalf("cut at %d, seed %d: %v", n, seed, err)
			}
			tree := after.Tree()
			switch isOld, isNew := holds(tree, oldNode), holds(tree, newNode); {
			case isNew:
				fresh++
				if tree["before-20261123T090000Z.local.db"] != "old" || tree["before-20261123T090000Z.local.db-wal"] != "old log" || tree["before-20261123T090000Z.keys/root.pem"] != "old" {
					t.Errorf("cut at %d, seed %d: what stood there is not kept", n, seed)
				}
			case isOld && !finished && statErr != nil:
				old++
			default:
				t.Errorf("cut at %d, seed %d: neither the old node nor the new one: %v", n, seed, tree)
			}
			if err := restoreOnto(after, b); err != nil && !strings.Contains(err.Error(), "exist") {
				t.Errorf("cut at %d, seed %d: again: %v", n, seed, err)
			}
		}
	}
	t.Logf("%d power cuts: %d old nodes, %d new ones", cuts, old, fresh)
	if old == 0 || fresh == 0 {
		t.Error("the cuts did not fall on both sides")
	}
}

func TestWhatIsNoRestoreIsNotFinished(t *testing.T) {
	for _, text := range []string{"", "{}", `{"moment":"20261123T090000Z","items":["../x"]}`, `{"moment":"../x","items":["keys"]}`} {
		d := disktest.New()
		for name, old := range oldNode {
			if err := disk.WriteFile(d, name, []byte(old)); err != nil {
				t.Fatal(err)
			}
		}
		if err := disk.WriteFile(d, restoringFile, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := finishRestore(d); !errors.Is(err, portal.ErrUnverified) {
			t.Errorf("%q: %v", text, err)
		}
		if tree := d.Tree(); !holds(tree, oldNode) {
			t.Errorf("%q changes the node: %v", text, fmt.Sprint(tree))
		}
	}
}
