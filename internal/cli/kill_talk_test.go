package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"koprik/internal/node"
	"koprik/portal"
)

// askWithoutEnd is a person at a kiosk who asks one question after another until the
// machine is switched off, and whose receipts are what the test reads. It runs as a
// process of its own: asking DIR WORD.
func askWithoutEnd() {
	n, err := node.Open(context.Background(), os.Args[1], node.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for i := 0; ; i++ {
		text := fmt.Sprintf("%s %d", os.Args[2], i)
		code, err := n.Send(context.Background(), portal.Inquiry{Kind: portal.Question, Text: text, Lang: portal.Uzbek}, portal.ReceiptCode{})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("%s\t%s\n", text, code.Reveal())
	}
}

// talkWorld is a centre, a kiosk and a stick between them, whose processes are killed,
// and whose power is cut with that where cut is not nil.
type talkWorld struct {
	centre, kiosk, stick string
	random               *rand.Rand
	cut                  func()

	rounds   int
	receipts map[string]string // of acknowledged questions: text → code
	killed   map[string]int    // by what was going on
	limits   map[string]time.Duration
}

func newTalkWorld(t *testing.T, dir string, random *rand.Rand, cut func()) *talkWorld {
	t.Helper()
	w := &talkWorld{
		centre: filepath.Join(dir, "centre"), kiosk: filepath.Join(dir, "kiosk"), stick: filepath.Join(dir, "stick"),
		random: random, cut: cut, receipts: map[string]string{}, killed: map[string]int{}, limits: map[string]time.Duration{},
	}
	must(t, os.MkdirAll(w.stick, 0o755))
	koprik(t, "init", "--role", "central", "--title", "Markaz", "--contact", "desk@example.org", "--dir", w.centre)
	koprik(t, "export", "--to", w.stick, "--dir", w.centre)
	koprik(t, "init", "--role", "mirror", "--title", "Koʻzgu", "--upstream", "http://127.0.0.1:1/", "--trust", filepath.Join(w.centre, "repository/metadata/1.root.json"), "--dir", w.kiosk)
	koprik(t, "sync", "--from", w.stick, "--dir", w.kiosk)
	return w
}

// patience is the longest that a process of a kind lives before it is killed. It grows
// when one is killed and shrinks when one ends by itself, so that kills fall on all of
// its life, also on a machine that has other things to do.
func (w *talkWorld) patience(what string) time.Duration {
	if w.limits[what] == 0 {
		w.limits[what] = 400 * time.Millisecond
	}
	return w.limits[what]
}

// kill ends a process at a random moment.
func (w *talkWorld) kill(what string, p *process) {
	if p.killedWithin(w.random, w.patience(what)) {
		w.killed[what]++
		w.limits[what] += w.limits[what] / 10
		return
	}
	w.limits[what] -= w.limits[what] / 5
}

// powerCut is what comes with a kill where the power is cut.
func (w *talkWorld) powerCut() {
	if w.cut != nil {
		w.cut()
	}
}

// asks kills somebody's kiosk while he asks, some questions on.
func (w *talkWorld) asks(t *testing.T) {
	t.Helper()
	p := startAs(t, "asking", w.kiosk, fmt.Sprintf("savol %d.", w.rounds))
	after := w.random.IntN(5)
	for lines := bufio.NewScanner(p.out); lines.Scan(); after-- {
		text, code, whole := strings.Cut(lines.Text(), "\t")
		if whole && len(code) == len("ZFFV1-J5AXG-S5MFW-W6PWF") {
			w.receipts[text] = code
		}
		if after == 0 { // at some moment of the next one
			time.AfterFunc(time.Duration(w.random.Int64N(int64(60*time.Millisecond))), func() { _ = p.Process.Kill() })
		}
	}
	_ = p.Wait()
	if p.ProcessState.Exited() {
		t.Fatalf("asking ended by itself: %s", p.stderr.String())
	}
	w.killed["asking"]++
}

// sends kills the kiosk while it posts to a centre that serves, or that centre.
func (w *talkWorld) sends(t *testing.T) {
	t.Helper()
	server := start(t, "serve", "--dir", w.centre, "--listen", "127.0.0.1:0")
	home := server.address(t)
	sync := start(t, "sync", "--dir", w.kiosk, "--from", home)
	if w.random.IntN(2) == 0 {
		w.kill("sending", sync)
		_ = server.Process.Kill()
		_ = server.Wait()
		return
	}
	timer := time.AfterFunc(time.Duration(w.random.Int64N(int64(w.patience("sending")))), func() { _ = server.Process.Kill() })
	defer timer.Stop()
	_, _ = io.Copy(io.Discard, sync.out)
	_ = sync.Wait() // it has sent, or nobody listens any more
	_ = server.Process.Kill()
	_ = server.Wait()
	w.killed["receiving over the network"]++
}

// answers kills the centre while it publishes an answer.
func (w *talkWorld) answers(t *testing.T) {
	t.Helper()
	var list struct{ Inquiries []struct{ ID string } }
	must(t, json.Unmarshal(koprik(t, "inquiry", "list", "--state", string(portal.Assigned), "--json", "--dir", w.centre), &list))
	if len(list.Inquiries) > 0 {
		koprik(t, "inquiry", "answer", list.Inquiries[w.random.IntN(len(list.Inquiries))].ID, "--text", "Javob.", "--post", "Boshliq", "--dir", w.centre)
	}
	w.kill("publishing answers", start(t, "inquiry", "send", "--now", "--dir", w.centre))
}

// step does one thing that is cut off.
func (w *talkWorld) step(t *testing.T) {
	t.Helper()
	w.rounds++
	switch w.random.IntN(6) {
	case 0, 1:
		w.asks(t)
	case 2:
		w.sends(t)
	case 3:
		w.kill("writing a stick", start(t, "sync", "--dir", w.kiosk, "--from", w.stick))
	case 4:
		w.kill("taking a stick", start(t, "sync", "--dir", w.centre, "--from", w.stick))
	case 5:
		w.answers(t)
	}
	w.powerCut()
}

// settles carries everything to its end without disturbance, and asserts the promise:
// every acknowledged question is at the centre once, none is there twice, nothing
// looks like a cloned card, and receipts open.
func (w *talkWorld) settles(t *testing.T) {
	t.Helper()
	for range 2 {
		koprik(t, "inquiry", "send", "--now", "--dir", w.centre)
		koprik(t, "export", "--to", w.stick, "--dir", w.centre)
		koprik(t, "sync", "--from", w.stick, "--dir", w.kiosk)
		if node.HasOutbox(w.stick) {
			koprik(t, "sync", "--from", w.stick, "--dir", w.centre)
		}
	}
	var status struct{ Outbox int }
	must(t, json.Unmarshal(koprik(t, "status", "--json", "--dir", w.kiosk), &status))
	if status.Outbox != 0 {
		t.Errorf("%d questions wait still", status.Outbox)
	}
	n, err := node.Open(t.Context(), w.centre, node.Options{})
	must(t, err)
	defer n.Close()
	times := map[string]int{}
	all, total, err := n.Cases(t.Context(), portal.CaseQuery{Limit: 1 << 20})
	must(t, err)
	for _, c := range all {
		times[c.Inquiry.Text]++
	}
	if len(all) != total {
		t.Errorf("%d inquiries of %d are listed", len(all), total)
	}
	for text, k := range times {
		if k != 1 {
			t.Errorf("%q is at the centre %d times", text, k)
		}
	}
	for text := range w.receipts {
		if times[text] == 0 {
			t.Errorf("%q was acknowledged and is lost", text)
		}
	}
	known, err := n.KnownNodes(t.Context())
	must(t, err)
	for _, k := range known {
		if len(k.Duplicates) > 0 || k.Missing > 0 {
			t.Errorf("the centre sees numbers that came twice or are missing: %+v", k)
		}
	}
	must(t, n.Close())
	w.opens(t)
}

// opens opens some of the receipts at the kiosk.
func (w *talkWorld) opens(t *testing.T) {
	t.Helper()
	n, err := node.Open(t.Context(), w.kiosk, node.Options{})
	must(t, err)
	defer n.Close()
	texts := slices.Sorted(maps.Keys(w.receipts))
	for range min(len(texts), 8) {
		text := texts[w.random.IntN(len(texts))]
		code, err := portal.ParseReceiptCode(w.receipts[text])
		must(t, err)
		if a, ok, err := n.OpenReceipt(t.Context(), code); err != nil || !ok || a.State != portal.Assigned && a.State != portal.Answered {
			t.Errorf("the receipt of %q opens %+v, %v", text, a, err)
		}
	}
}

func (w *talkWorld) all() (n int) {
	for _, k := range w.killed {
		n += k
	}
	return n
}

// TestTalkbackKilledAtAnyMomentLosesNoQuestionAndDoublesNone kills processes while they
// ask, send over HTTP and by stick, receive, acknowledge and publish answers: 12 of
// them, 1,000 with KOPRIK_SOAK.
func TestTalkbackKilledAtAnyMomentLosesNoQuestionAndDoublesNone(t *testing.T) {
	kills := 12
	if n, err := strconv.Atoi(os.Getenv("KOPRIK_KILLS")); err == nil {
		kills = n
	} else if os.Getenv("KOPRIK_SOAK") != "" {
		kills = 1000
	} else if testing.Short() {
		kills = 5
	}
	random := chance(t)
	for done := 0; done < kills; {
		w := newTalkWorld(t, t.TempDir(), random, nil)
		for now := min(50, kills-done); w.all() < now; {
			w.step(t)
		}
		w.settles(t)
		done += w.all()
		t.Logf("%d kills, %v, %d acknowledged", done, w.killed, len(w.receipts))
		if t.Failed() {
			return
		}
	}
}

// TestPowerCutsOfTalkbackUnderLazyFSLoseNoQuestion is the same with power cuts: with
// each kill, whatever was not synced on the three disks is gone. 40 of them, 500 with
// KOPRIK_SOAK.
func TestPowerCutsOfTalkbackUnderLazyFSLoseNoQuestion(t *testing.T) {
	l := mountLazyFS(t)
	cuts := 40
	if n, err := strconv.Atoi(os.Getenv("KOPRIK_LAZYFS_CUTS")); err == nil {
		cuts = n
	} else if os.Getenv("KOPRIK_SOAK") != "" {
		cuts = 500
	}
	l.control(t)
	random := chance(t)
	for done := 0; done < cuts; {
		dir := filepath.Join(l.mnt, strconv.Itoa(done))
		must(t, os.Mkdir(dir, 0o755))
		cut := 0
		w := newTalkWorld(t, dir, random, func() { cut++; l.cut(t) })
		for now := min(50, cuts-done); cut < now; {
			w.step(t)
		}
		w.settles(t)
		done += cut
		t.Logf("%d power cuts, into running processes %v, %d acknowledged", done, w.killed, len(w.receipts))
		if t.Failed() {
			return
		}
		must(t, os.RemoveAll(dir))
	}
}
