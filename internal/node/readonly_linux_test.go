package node_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"koprik/internal/node"
	"koprik/portal"
)

// TestADiskThatTurnsReadOnlyStopsNoReader: the kernel found an error on the disk
// and takes no more writes. Pages and answers go on; a sync says why it cannot,
// and so does the node's page; another start says it too.
func TestADiskThatTurnsReadOnlyStopsNoReader(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only the administrator makes a disk fail")
	}
	image, dir := filepath.Join(t.TempDir(), "disk.img"), t.TempDir()
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 256<<20))
	loop := run(t, "losetup", "--find", "--show", image)
	t.Cleanup(func() { _ = exec.Command("losetup", "--detach", loop).Run() })
	run(t, "mkfs.ext4", "-q", loop)
	run(t, "mount", "-o", "errors=remount-ro", loop, dir)
	t.Cleanup(func() { _ = exec.Command("umount", dir).Run() })
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	data := filepath.Join(dir, "node")
	copyTree(t, initMirror(t, central), data)
	m := open(t, data, options())
	sync(t, m)
	if code, _ := page(t, m, "/en/dataset/main_a"); code != http.StatusOK {
		t.Fatalf("before: %d", code)
	}
	publish(t, central, revision("a", 2))
	trigger := filepath.Join("/sys/fs/ext4", filepath.Base(loop), "trigger_fs_error")
	if err := os.WriteFile(trigger, []byte("1"), 0); err != nil {
		t.Skipf("the kernel makes no error here: %v", err)
	}
	_, err := m.Sync(t.Context(), node.SyncOptions{})
	wantKind(t, err, portal.ErrReadOnly)
	if !strings.Contains(err.Error(), "cannot be written") {
		t.Errorf("%v", err)
	}
	for _, path := range []string{"/en/", "/en/dataset/main_a?again", "/en/search?q=rev1", "/dataset/main_a/release/1/t.csv", "/api/v1/datasets", "/api/v1/tables/main_a/t/rows"} {
		if code, text := page(t, m, path); code != http.StatusOK {
			t.Errorf("%s: %d: %s", path, code, text)
		}
	}
	if _, text := page(t, m, "/en/node"); !strings.Contains(text, "read-only file system") {
		t.Errorf("the node's page does not say why: %s", text)
	}
	must(t, m.Close())
	_, err = node.Open(t.Context(), data, options())
	wantKind(t, err, portal.ErrReadOnly)
}

// run runs a program of the machine; where it cannot, the test is skipped.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Skipf("%s does not work here: %v: %s", name, err, out)
	}
	return strings.TrimSpace(string(out))
}
