package node_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"koprik/internal/backup"
	"koprik/internal/node"
	"koprik/portal"
)

// backUp writes a backup of a node.
func backUp(t *testing.T, n *node.Node) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "koprik.backup")
	_, err := n.Backup(t.Context(), node.BackupOptions{To: file})
	must(t, err)
	return file
}

// restored is a new node made of a backup, in a new place.
func restored(t *testing.T, file string) (*node.Node, node.Restored) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "another place")
	out, err := node.Restore(t.Context(), dir, node.RestoreOptions{From: file}, options())
	must(t, err)
	return open(t, dir, options()), out
}

func serve(t *testing.T, n *node.Node) string {
	t.Helper()
	s := httptest.NewServer(handler(t, n))
	t.Cleanup(s.Close)
	return s.URL
}

func enrolled(t *testing.T, central *node.Node, n *node.Node) portal.Digest {
	t.Helper()
	id, public, err := n.OwnKey(t.Context())
	must(t, err)
	must(t, central.SetNode(t.Context(), portal.KnownNode{ID: id, Public: public, Name: "Xiva", Enrolled: day}))
	return id
}

func known(t *testing.T, central *node.Node, id portal.Digest) portal.KnownNode {
	t.Helper()
	all, err := central.KnownNodes(t.Context())
	must(t, err)
	for _, k := range all {
		if k.ID == id {
			return k
		}
	}
	t.Fatal("the centre does not know the node")
	return portal.KnownNode{}
}

func TestARestoredNodeGivesNoNumberAgainAndIsNoClonedCard(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	url := serve(t, central)
	kiosk := newMirror(t, central)
	syncFrom(t, kiosk, url)
	id := enrolled(t, central, kiosk)
	first := ask(t, kiosk, "Backupdan oldin?", false)
	file := backUp(t, kiosk)
	later := ask(t, kiosk, "Backupdan keyin?", false)
	syncFrom(t, kiosk, url)
	speak(t, central)
	syncFrom(t, kiosk, url)
	must(t, kiosk.Close())

	for i := range 2 { // of one backup, on two machines
		again, _ := restored(t, file)
		if waiting(t, again) != 1 {
			t.Errorf("%d wait, want the one that the backup has", waiting(t, again))
		}
		syncFrom(t, again, url)
		ask(t, again, fmt.Sprint("Tiklangandan keyin? ", i), false)
		syncFrom(t, again, url)
		speak(t, central)
		syncFrom(t, again, url)
		if waiting(t, again) != 0 {
			t.Errorf("%d wait still", waiting(t, again))
		}
		for _, code := range []portal.ReceiptCode{first, later} {
			if told(t, again, code).State != portal.Assigned {
				t.Error("an answer does not open at the restored node")
			}
		}
		if k := known(t, central, id); len(k.Duplicates) > 0 || k.Missing != 0 || k.Inquiries != 3+i {
			t.Errorf("the centre sees %+v", k)
		}
	}
	if got := len(cases(t, central)); got != 4 {
		t.Errorf("%d inquiries, want 4", got)
	}
}

func TestARestoredCentreSignsNothingLowerAndTakesItsVersionsFromAMirror(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	code := ask(t, central, "Nega?", true)
	speak(t, central)
	file := backUp(t, central)
	publish(t, central, revision("water", 2), revision("wells", 1))
	mirror := newMirror(t, central)
	sync(t, mirror)
	newest := generation(t, central)
	must(t, central.Close())

	again, out := restored(t, file)
	if !out.Held || out.Generation >= newest {
		t.Fatalf("%+v", out)
	}
	if titles(t, again)["main_water"] != "Common water rev1" || told(t, again, code).State != portal.Assigned {
		t.Error("the restored centre does not show what its backup has")
	}
	before := tree(t, repository(again))
	for what, sign := range map[string]func() error{
		"publish": func() error {
			_, err := again.Publish(t.Context(), "", []node.Input{revision("water", 9)})
			return err
		},
		"withdraw": func() error {
			_, err := again.Withdraw(t.Context(), "main_water", portal.PlainText("x"))
			return err
		},
		"speak": func() error {
			ask(t, again, "Tiklanganda?", false)
			_, err := again.Speak(t.Context(), true)
			return err
		},
		"rotate":        func() error { _, err := again.RotateKey(t.Context(), "timestamp", "", nil); return err },
		"add publisher": func() error { return again.AddPublisher(t.Context(), "health", "Health", "a@example.org") },
	} {
		if err := sign(); !errors.Is(err, portal.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
		if after := tree(t, repository(again)); after["metadata/timestamp.json"] != before["metadata/timestamp.json"] {
			t.Errorf("%s signs", what)
		}
	}
	must(t, again.TalkOnce(t.Context())) // takes questions, and says nothing
	ask(t, again, "Yana bir savol?", false)
	must(t, again.TalkOnce(t.Context()))
	if got := len(cases(t, again)); got != 3 {
		t.Errorf("%d inquiries are taken while it is held", got)
	}

	resumed, err := again.ResumeSigning(t.Context(), []string{repository(mirror)})
	if err != nil || resumed.Generation != newest {
		t.Fatalf("%+v %v", resumed, err)
	}
	if titles(t, again)["main_water"] != "Common water rev2" || titles(t, again)["main_wells"] != "Common wells rev1" {
		t.Errorf("%v", titles(t, again))
	}
	if p := publish(t, again, revision("water", 3)); p.Generation <= newest || p.Published[0].Release != 3 {
		t.Errorf("%+v after generation %d", p, newest)
	}
	r, err := mirror.Sync(t.Context(), node.SyncOptions{From: repository(again)})
	if err != nil || len(r.Updated) != 1 {
		t.Errorf("the mirror: %+v %v", r, err)
	}
	for _, n := range []*node.Node{again, mirror} {
		if _, err := n.Verify(t.Context()); err != nil {
			t.Error(err)
		}
		if a, err := n.Alarms(); err != nil || len(a) > 0 {
			t.Errorf("alarms: %v %v", a, err)
		}
	}
}

func TestARestoredCentreAloneGoesOnAfterItsBackup(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	full, bare := backUp(t, central), filepath.Join(t.TempDir(), "bare.backup")
	_, err := central.Backup(t.Context(), node.BackupOptions{To: bare, NoRepository: true})
	must(t, err)
	mirror := newMirror(t, central)
	sync(t, mirror)
	must(t, central.Close())
	again, _ := restored(t, full)
	_, err = again.ResumeSigning(t.Context(), nil)
	must(t, err)
	publish(t, again, revision("water", 2))
	empty, _ := restored(t, bare)
	_, err = empty.ResumeSigning(t.Context(), nil)
	wantKind(t, err, portal.ErrUsage)
	_, err = empty.ResumeSigning(t.Context(), []string{repository(mirror)})
	must(t, err)
	if titles(t, empty)["main_water"] != "Common water rev1" {
		t.Errorf("%v", titles(t, empty))
	}
	publish(t, empty, revision("water", 2))
}

// TestARepositoryThatWasPutBackByHandIsNotSigned: repository/ from last week beside
// the trust of today.
func TestARepositoryThatWasPutBackByHandIsNotSigned(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	kept := filepath.Join(t.TempDir(), "repository")
	copyTree(t, repository(central), kept)
	publish(t, central, revision("water", 2))
	dir := central.Dir()
	must(t, central.Close())
	must(t, os.RemoveAll(filepath.Join(dir, "repository")))
	copyTree(t, kept, filepath.Join(dir, "repository"))
	central = open(t, dir, options())
	_, err := central.Publish(t.Context(), "", []node.Input{revision("water", 3)})
	wantKind(t, err, portal.ErrUnverified)
}

func TestABackupHasWhatWasAcknowledgedBeforeItWhileOthersAsk(t *testing.T) {
	central := newCentral(t)
	kiosk := newMirror(t, central)
	sync(t, kiosk)
	ctx, stop := context.WithCancel(t.Context())
	asking := make(chan int)
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			if _, err := kiosk.Send(context.WithoutCancel(ctx), asked("Nega?", false), portal.ReceiptCode{}); err != nil {
				t.Error(err)
				break
			}
		}
		asking <- n
	}()
	var files []string
	var least []int
	for range 4 {
		least = append(least, waiting(t, kiosk))
		files = append(files, backUp(t, kiosk))
	}
	stop()
	all := <-asking
	for i, file := range files {
		n, _ := restored(t, file)
		if got := waiting(t, n); got < least[i] || got > all {
			t.Errorf("the backup has %d questions; %d were acknowledged before it, %d in all", got, least[i], all)
		}
	}
}

func TestARestoreReplacesNoNodeWithoutConsentAndNoQuestionAtAll(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	kiosk := newMirror(t, central)
	sync(t, kiosk)
	file := backUp(t, kiosk)
	dir := kiosk.Dir()
	restore := func(replace bool) error {
		_, err := node.Restore(t.Context(), dir, node.RestoreOptions{From: file, Replace: replace}, options())
		return err
	}
	wantKind(t, restore(true), portal.ErrLocked) // the node is open
	ask(t, kiosk, "Nega?", false)
	must(t, kiosk.Close())
	wantKind(t, restore(false), portal.ErrUsage)
	wantKind(t, restore(true), portal.ErrUsage) // a question waits
	kiosk = open(t, dir, options())
	if waiting(t, kiosk) != 1 {
		t.Error("the question is gone")
	}
	must(t, kiosk.Close())
	must(t, os.WriteFile(filepath.Join(dir, "local.db"), make([]byte, 100), 0o600)) // the disk is dying
	_, err := node.Open(t.Context(), dir, options())
	wantKind(t, err, portal.ErrUnverified)
	must(t, restore(true))
	aside, err := filepath.Glob(filepath.Join(dir, "before-*local.db"))
	if err != nil || len(aside) != 1 {
		t.Errorf("put aside: %v %v", aside, err)
	}
	kiosk = open(t, dir, options())
	sync(t, kiosk)
	d := doctorOf(t, kiosk)
	if !slices.ContainsFunc(d.Notes, func(n string) bool { return strings.Contains(n, "put aside") }) {
		t.Errorf("%+v", d)
	}
}

// doctorOf closes a node and looks it over.
func doctorOf(t *testing.T, n *node.Node) node.Diagnosis {
	t.Helper()
	must(t, n.Close())
	d, err := node.Doctor(t.Context(), n.Dir(), options(), false)
	must(t, err)
	return d
}

func TestASpoiltBackupChangesNothing(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	file := backUp(t, central)
	must(t, central.Close())
	b, err := os.ReadFile(file)
	must(t, err)
	whole := tree(t, central.Dir())
	for name, bad := range map[string][]byte{"cut": b[:len(b)-1], "flipped": turned(b, len(b)/2), "a text": []byte("role")} {
		spoilt := filepath.Join(t.TempDir(), "spoilt")
		must(t, os.WriteFile(spoilt, bad, 0o600))
		for _, dir := range []string{central.Dir(), filepath.Join(t.TempDir(), "new")} {
			if _, err := node.Restore(t.Context(), dir, node.RestoreOptions{From: spoilt, Replace: true}, options()); err == nil {
				t.Errorf("%s: a spoilt backup is restored", name)
			}
		}
		if _, err := node.CheckBackup(spoilt, backup.Key{}, nil); err == nil {
			t.Errorf("%s: the doctor finds nothing", name)
		}
	}
	after := tree(t, central.Dir())
	for name, text := range whole {
		if after[name] != text {
			t.Errorf("%s was changed", name)
		}
	}
	for name := range after {
		if strings.HasPrefix(name, "restor") {
			t.Errorf("%s is left", name)
		}
	}
}

func turned(b []byte, at int) []byte {
	b = slices.Clone(b)
	b[at] ^= 1
	return b
}

func TestABackupIsItsOwnersAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows keeps to the permissions of the folder")
	}
	central := newCentral(t)
	file := backUp(t, central)
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	again, _ := restored(t, file)
	for _, name := range []string{"local.db", "keys/root.pem"} {
		if info, err := os.Stat(filepath.Join(again.Dir(), name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(central.Dir(), "staging", "*")); err != nil || len(left) > 0 {
		t.Errorf("left in staging: %v %v", left, err)
	}
	for to, kind := range map[string]error{
		filepath.Join(central.Dir(), "x.backup"):    portal.ErrUsage, // lost with what it is of
		t.TempDir():                                 portal.ErrUsage,
		filepath.Join(central.Dir(), "koprik.toml"): portal.ErrUsage,
		filepath.Join(t.TempDir(), "no", "folder"):  portal.ErrUsage,
	} {
		_, err := central.Backup(t.Context(), node.BackupOptions{To: to})
		wantKind(t, err, kind)
	}
	other := filepath.Join(t.TempDir(), "letter.txt")
	must(t, os.WriteFile(other, []byte("a letter"), 0o600))
	_, err = central.Backup(t.Context(), node.BackupOptions{To: other})
	wantKind(t, err, portal.ErrUsage)
	s, err := central.Status(t.Context())
	if err != nil || !s.Backup.Equal(day) {
		t.Errorf("the status says %s, %v", s.Backup, err)
	}
}

// tree reads all files below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		all[name] = string(b)
		return err
	}))
	return all
}
