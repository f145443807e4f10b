package local

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"koprik/portal"

	"github.com/google/go-cmp/cmp"
)

var day = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// plenty is room for whatever a test asks.
const plenty = 1 << 30

// enqueue puts an inquiry that is sealed as "<text> <sequence>".
func enqueue(t *testing.T, l *Local, id byte, text string) {
	t.Helper()
	err := l.Enqueue(context.Background(), portal.InquiryID{id}, "2026q4", "2026-11-23", plenty, func(n uint64) ([]byte, error) {
		return append([]byte(text), byte(n)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func outgoing(t *testing.T, l *Local, limit int64, to string, again time.Time) (ids []byte) {
	t.Helper()
	list, err := l.Outgoing(context.Background(), limit, to, again)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list {
		ids = append(ids, o.ID[0])
	}
	return ids
}

func TestAnInquiryStaysUntilItIsAcknowledged(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "local.db"))
	for i := range byte(3) {
		enqueue(t, l, i+1, "sealed")
	}
	if err := l.Enqueue(ctx, portal.InquiryID{9}, "2026q4", "2026-11-23", plenty, func(uint64) ([]byte, error) { return nil, portal.ErrNoSpace }); !errors.Is(err, portal.ErrNoSpace) {
		t.Error(err)
	}
	enqueue(t, l, 4, "sealed")
	for _, id := range []byte{1, 5} { // asked before, and one byte too much
		err := l.Enqueue(ctx, portal.InquiryID{id}, "2026q4", "2026-11-23", 4*7+6, func(uint64) ([]byte, error) { return []byte("sealed5"), nil })
		if want := map[byte]error{1: portal.ErrRejected, 5: portal.ErrNoSpace}[id]; !errors.Is(err, want) {
			t.Errorf("%d: %v, want %v", id, err, want)
		}
	}
	if got := outgoing(t, l, 1000, "a", day); !bytes.Equal(got, []byte{1, 2, 3, 4}) {
		t.Errorf("waiting: %v", got)
	}
	if got := outgoing(t, l, 8, "a", day); !bytes.Equal(got, []byte{1}) {
		t.Errorf("at most 8 bytes: %v", got)
	}
	if err := l.Sent(ctx, []portal.InquiryID{{1}, {2}}, "a", day); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		to    string
		again time.Time
		want  []byte
	}{{"a", day, []byte{3, 4}}, {"b", day, []byte{1, 2, 3, 4}}, {"a", day.Add(time.Hour), []byte{1, 2, 3, 4}}} {
		if got := outgoing(t, l, 1000, tt.to, tt.again); !bytes.Equal(got, tt.want) {
			t.Errorf("to %s again %s: %v", tt.to, tt.again, got)
		}
	}
	own, _, err := l.Waiting(ctx)
	if err != nil || len(own) != 4 {
		t.Fatalf("%d wait, %v", len(own), err)
	}
	gone, err := l.Acknowledged(ctx, []portal.Mark{portal.MarkOf([]byte("sealed\x02")), portal.MarkOf([]byte("unknown"))})
	if err != nil || gone != 1 {
		t.Errorf("%d gone, %v", gone, err)
	}
	if w, err := l.Waits(ctx); err != nil || w.Count != 3 || w.Bytes != 21 || w.Oldest != "2026-11-23" || !w.Sent.Equal(day) {
		t.Errorf("%+v %v", w, err)
	}
}

func TestSequenceNumbersAreNeverUsedTwice(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "local.db")
	for want := uint64(1); want < 5; want++ {
		l := open(t, path)
		err := l.Enqueue(ctx, portal.InquiryID{byte(want)}, "2026q4", "2026-11-23", plenty, func(n uint64) ([]byte, error) {
			if n != want {
				t.Errorf("sequence %d, want %d", n, want)
			}
			return []byte{byte(n)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Acknowledged(ctx, []portal.Mark{portal.MarkOf([]byte{byte(want)})}); err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}

func TestWhatWasAcknowledgedIsOverwritten(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "local.db"))
	secret := bytes.Repeat([]byte("sealed words "), 500)
	enqueue(t, l, 1, string(secret))
	if _, err := l.Acknowledged(ctx, []portal.Mark{portal.MarkOf(append(secret, 1))}); err != nil {
		t.Fatal(err)
	}
	l.Close()
	b, err := os.ReadFile(filepath.Join(dir, "local.db"))
	if err != nil || bytes.Contains(b, []byte("sealed words")) {
		t.Errorf("the bytes are still in the file, %v", err)
	}
}

func TestAPostOfAnotherNodeGoesWhenAllOfItIsAcknowledged(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "local.db"))
	post := Post{Digest: portal.DigestOf([]byte("post")), Node: portal.Digest{7}, Bytes: []byte("post"), Marks: []portal.Mark{{1}, {2}}}
	for range 2 {
		if err := l.KeepPost(ctx, post, day); err != nil {
			t.Fatal(err)
		}
	}
	got, ok, err := l.NextPost(ctx, "a", day)
	if err != nil || !ok || got.Digest != post.Digest || string(got.Bytes) != "post" {
		t.Errorf("%+v %v %v", got, ok, err)
	}
	if err := l.PostSent(ctx, post.Digest, "a", day); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := l.NextPost(ctx, "a", day); ok {
		t.Error("it is sent twice")
	}
	if _, ok, _ := l.NextPost(ctx, "b", day); !ok {
		t.Error("it is not sent to somebody else")
	}
	for i, mark := range post.Marks {
		if _, err := l.Acknowledged(ctx, []portal.Mark{mark}); err != nil {
			t.Fatal(err)
		}
		if w, err := l.Waits(ctx); err != nil || w.Relayed != 1-i {
			t.Errorf("after %d: %+v %v", i+1, w, err)
		}
	}
}

func TestAnInquiryIsTakenOnceHoweverOftenItComes(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "local.db"))
	in := Incoming{ID: portal.InquiryID{1}, Epoch: "2026q4", Sealed: []byte("first"), Node: portal.Digest{7}, Received: day}
	later := in
	later.Received = day.AddDate(1, 0, 0)
	other := in
	other.Sealed = []byte("other")
	got, err := l.TakeAll(ctx, []Incoming{in, in, later, other, other})
	if err != nil || !cmp.Equal(got, []Arrival{Fresh, Again, Again, Conflicting, Conflicting}) {
		t.Errorf("%v %v", got, err)
	}
	if list, total, err := l.Cases(ctx, portal.CaseQuery{}); err != nil || total != 1 || len(list) != 1 || !list[0].Received.Equal(day) {
		t.Errorf("%+v %d %v", list, total, err)
	}
	if held, err := l.Sealed(ctx, in.ID); err != nil || string(held.Sealed) != "first" {
		t.Errorf("%q %v", held.Sealed, err)
	}
	if n, err := l.Conflicts(ctx); err != nil || n != 1 {
		t.Errorf("%d conflicts, %v", n, err)
	}
	marks, err := l.Marks(ctx, day.AddDate(0, 6, 0))
	if err != nil || len(marks[in.Node]) != 1 {
		t.Errorf("of what came again: %v %v", marks, err)
	}
	if marks, err = l.Marks(ctx, day); err != nil || len(marks[in.Node]) != 2 {
		t.Errorf("of all: %v %v", marks, err)
	}
}

func TestACaseIsChangedInOneStepOrNotAtAll(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "local.db"))
	id := portal.InquiryID{0xab, 0xcd, 0xef}
	if _, err := l.Take(ctx, Incoming{ID: id, Epoch: "2026q4", Sealed: []byte("x"), Received: day}); err != nil {
		t.Fatal(err)
	}
	if ids, err := l.Unopened(ctx); err != nil || len(ids) != 1 {
		t.Errorf("%v %v", ids, err)
	}
	q := portal.Inquiry{ID: id, Kind: portal.Question, Text: "Nega?", Lang: portal.Uzbek, Day: "2026-11-23", Public: true, About: portal.Place{Dataset: "main_water"}}
	c, err := l.ChangeCase(ctx, id, func(c *portal.Case) error {
		c.Open(q, "00ff", []byte{1}, 41)
		return c.Assign(portal.Route{Publisher: "main", Contact: "desk"}, 15, portal.WorkCalendar{}, portal.CaseEvent{At: day})
	})
	if err != nil || c.State != portal.Assigned || c.Deadline.Due != "2026-12-14" {
		t.Fatalf("%+v %v", c, err)
	}
	if _, err := l.ChangeCase(ctx, id, func(c *portal.Case) error {
		c.State = portal.Refused
		return portal.ErrUsage
	}); !errors.Is(err, portal.ErrUsage) {
		t.Error(err)
	}
	got, err := l.Case(ctx, id)
	if err != nil || !cmp.Equal(got, c) {
		t.Errorf("%v %s", err, cmp.Diff(c, got))
	}
	if by, err := l.CaseBySlot(ctx, "00ff"); err != nil || by.Inquiry.ID != id {
		t.Errorf("by slot: %v", err)
	}
	for want, q := range map[int]portal.CaseQuery{
		1: {Publisher: "main", Contact: "desk", States: []portal.InquiryState{portal.Received, portal.Assigned}, Moderate: portal.Waiting, Dataset: "main_water"},
		0: {Centre: true},
	} {
		if _, total, err := l.Cases(ctx, q); err != nil || total != want {
			t.Errorf("%+v: %d %v", q, total, err)
		}
	}
	if ids, err := l.CaseIDs(ctx, "ABCDEF"); err != nil || len(ids) != 1 || ids[0] != id {
		t.Errorf("%v %v", ids, err)
	}
	if _, err := l.Case(ctx, portal.InquiryID{1}); !errors.Is(err, portal.ErrNotFound) {
		t.Error(err)
	}
}

func TestSequencesShowWhatIsMissingAndWhatIsCloned(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "local.db"))
	node := portal.Digest{7}
	if n, err := l.SeeNode(ctx, node, "00", day); err != nil || n.Trusted() || n.Posts != 1 {
		t.Errorf("%+v %v", n, err)
	}
	if err := l.SetNode(ctx, portal.KnownNode{ID: node, Public: "00", Name: "Xiva", Enrolled: day}); err != nil {
		t.Fatal(err)
	}
	if n, err := l.SeeNode(ctx, node, "00", day.Add(time.Hour)); err != nil || !n.Trusted() || n.Posts != 2 || !n.FirstSeen.Equal(day) {
		t.Errorf("%+v %v", n, err)
	}
	for _, s := range []struct {
		sequence uint64
		id       byte
	}{{1, 1}, {2, 2}, {5, 5}, {2, 2}, {5, 6}} {
		if err := l.AddSequence(ctx, node, s.sequence, portal.InquiryID{s.id}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := l.Nodes(ctx)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	n := all[0]
	if n.Highest != 5 || n.Missing != 2 || !cmp.Equal(n.Duplicates, []uint64{5}) || n.Name != "Xiva" {
		t.Errorf("%+v", n)
	}
}

// TestKilledWhileAskingLosesNoReceiptAndNumbersNoneTwice runs itself as a child that
// asks without end, says each number when its question is kept, and acknowledges every
// third before it says so; it is killed in the middle, again and again. KOPRIK_SOAK=1
// kills 300 times.
func TestKilledWhileAskingLosesNoReceiptAndNumbersNoneTwice(t *testing.T) {
	if path := os.Getenv("KOPRIK_TEST_ASKING"); path != "" {
		askWithoutEnd(t, path)
	}
	kills := 4
	if os.Getenv("KOPRIK_SOAK") != "" {
		kills = 300
	}
	path := filepath.Join(t.TempDir(), "local.db")
	said := map[uint64]bool{} // number → acknowledged
	for round := range kills {
		killedAsking(t, path, 1+round*7%23, said)
		l := open(t, path)
		list, err := l.Outgoing(context.Background(), 1<<30, "", time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		held := map[uint64]bool{}
		for _, o := range list {
			held[o.Sequence] = true
			if want := fmt.Sprintf("sealed %d", o.Sequence); string(o.Sealed) != want {
				t.Errorf("number %d holds %q", o.Sequence, o.Sealed)
			}
		}
		for n, acknowledged := range said {
			if held[n] == acknowledged {
				t.Errorf("round %d: number %d, acknowledged %v, held %v", round, n, acknowledged, held[n])
			}
		}
		l.Close()
	}
}

func askWithoutEnd(t *testing.T, path string) {
	l := open(t, path)
	for {
		var id portal.InquiryID
		_, _ = rand.Read(id[:])
		var number uint64
		err := l.Enqueue(context.Background(), id, "2026q4", "2026-11-23", plenty, func(n uint64) ([]byte, error) {
			number = n
			return fmt.Appendf(nil, "sealed %d", n), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		acknowledge := number%3 == 0
		if acknowledge {
			if _, err := l.Acknowledged(context.Background(), []portal.Mark{portal.MarkOf(fmt.Appendf(nil, "sealed %d", number))}); err != nil {
				t.Fatal(err)
			}
		}
		fmt.Printf("asked %d %v\n", number, acknowledge)
	}
}

// killedAsking kills a child after some questions, and adds to said what it said.
func killedAsking(t *testing.T, path string, after int, said map[uint64]bool) {
	t.Helper()
	killed(t, "TestKilledWhileAskingLosesNoReceiptAndNumbersNoneTwice", "KOPRIK_TEST_ASKING="+path, after, func(line string) {
		var number uint64
		var acknowledged bool
		if _, err := fmt.Sscanf(line, "asked %d %v", &number, &acknowledged); err != nil {
			return // cut off by the kill
		}
		if _, twice := said[number]; twice {
			t.Errorf("number %d was used twice", number)
		}
		said[number] = acknowledged
	})
}

// killed runs a test as a process of its own, with a setting that makes it work
// without end, kills it after so many lines, and gives read every line that it said.
func killed(t *testing.T, test, setting string, after int, read func(line string)) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	child.Env = append(os.Environ(), setting)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == after {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		read(lines.Text())
	}
	_ = child.Wait()
}
