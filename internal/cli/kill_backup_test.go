package cli

import (
	"os"
	"path/filepath"
	"testing"

	"koprik/internal/backup"
	"koprik/internal/node"
)

// TestBackupKilledAtAnyMomentLeavesTheOldOneOrTheNewOne: the file is whole whatever
// happens, and the node goes on.
func TestBackupKilledAtAnyMomentLeavesTheOldOneOrTheNewOne(t *testing.T) {
	killing(t, kills(3), func(t *testing.T, k *tally) {
		random, dir, to := chance(t), initCentral(t), t.TempDir()
		file := filepath.Join(to, "koprik.backup")
		publishAside(t, dir, writeRevision(t, t.TempDir(), 1))
		args := []string{"backup", "--dir", dir, "--to", file}
		k.limit = took(t, args...)
		for k.more() {
			k.kill(start(t, args...), random)
			_, err := node.CheckBackup(file, backup.Key{}, nil)
			must(t, err)
		}
		koprik(t, args...)
		again := filepath.Join(t.TempDir(), "again")
		koprik(t, "restore", "--from", file, "--alone", "--dir", again)
		sameAs(t, again, dir)
	})
}

// TestRestoreKilledAtAnyMomentLeavesTheOldNodeOrTheNewOne: over a node of another
// revision, and into a new directory.
func TestRestoreKilledAtAnyMomentLeavesTheOldNodeOrTheNewOne(t *testing.T) {
	killing(t, kills(3), func(t *testing.T, k *tally) {
		random, centre, to, input := chance(t), initCentral(t), t.TempDir(), t.TempDir()
		var files [2]string
		for i := range files {
			publishAside(t, centre, writeRevision(t, input, i+1))
			files[i] = filepath.Join(to, []string{"one.backup", "two.backup"}[i])
			koprik(t, "backup", "--dir", centre, "--to", files[i])
		}
		dir := filepath.Join(to, "node")
		restore := func(file string) []string {
			return []string{"restore", "--from", file, "--replace", "--alone", "--dir", dir}
		}
		k.limit = took(t, restore(files[0])...)
		shown := 1
		for k.more() {
			next := 3 - shown
			k.kill(start(t, restore(files[next-1])...), random)
			k.left(t, whole(t, dir), shown, next)
			koprik(t, restore(files[next-1])...)
			if got := whole(t, dir); got != next {
				t.Fatalf("revision %d is shown, %d was restored", got, next)
			}
			shown = next
		}
		fresh := filepath.Join(to, "fresh")
		args := []string{"restore", "--from", files[1], "--alone", "--dir", fresh}
		start(t, args...).killedWithin(random, k.limit)
		if _, err := os.Stat(filepath.Join(fresh, "koprik.toml")); err != nil {
			koprik(t, args...)
		}
		if got := whole(t, fresh); got != 2 {
			t.Errorf("revision %d is shown", got)
		}
	})
}
