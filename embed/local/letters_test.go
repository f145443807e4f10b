package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"koprik/portal"
)

var at = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func later(int) time.Time { return at.Add(time.Hour) }

func queue(t *testing.T, l *Local, key string) bool {
	t.Helper()
	fresh, err := l.QueueLetter(context.Background(), portal.Letter{Key: key, Kind: portal.LetterQuestion, To: portal.ContactRef{Publisher: "main", Contact: "desk"}, Made: at, Next: at})
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

func TestALetterIsQueuedOnceAndClaimedByOne(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "local.db"))
	if !queue(t, l, "a") || queue(t, l, "a") {
		t.Error("a letter is queued twice, or not at all")
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	claimed := 0
	for range 8 {
		all.Go(func() {
			m, ok, err := l.ClaimLetter(context.Background(), at, later)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if ok {
				claimed++
				if m.Tries != 1 || !m.Next.Equal(at.Add(time.Hour)) {
					t.Errorf("%+v", m)
				}
			}
		})
	}
	all.Wait()
	if claimed != 1 {
		t.Errorf("%d have it", claimed)
	}
	m, ok, err := l.ClaimLetter(context.Background(), at.Add(time.Hour), later)
	if err != nil || !ok || m.Tries != 2 {
		t.Fatalf("whoever died leaves it to the next: %+v %v", m, err)
	}
	if err := l.LetterDone(context.Background(), m.ID, at, ""); err != nil {
		t.Fatal(err)
	}
	if queue(t, l, "a") {
		t.Error("a letter that was sent is queued again")
	}
	if list, total, err := l.Letters(context.Background(), 10); err != nil || total != 0 || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
}

func TestTheQueueOfLettersIsBounded(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "local.db"))
	_, err := l.db.Write.ExecContext(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO letters (about, kind, inquiry, publisher, contact, level, made, next, tries, done, problem) SELECT 'x' || i, '', x'', '', '', 0, 0, 0, 0, 0, '' FROM n`, MaxLetters)
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.QueueLetter(t.Context(), portal.Letter{Key: "one more"})
	if !errors.Is(err, portal.ErrTooMuch) {
		t.Errorf("%v", err)
	}
}

func TestALinkIsUsedOnceWhoeverIsFaster(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "local.db"))
	id := portal.InquiryID{1}
	if _, err := l.Take(ctx, Incoming{ID: id, Epoch: "2026q4", Sealed: []byte("x"), Received: at}); err != nil {
		t.Fatal(err)
	}
	var digests []portal.Digest
	for i := range 4 { // several letters of one question
		d := portal.DigestOf([]byte{byte(i)})
		digests = append(digests, d)
		if err := l.AddLink(ctx, portal.Link{Digest: d, Reply: portal.DigestOf([]byte{byte(i), 1}), Kind: portal.LetterQuestion, Inquiry: id, Made: at, Ends: at.Add(time.Hour)}, at); err != nil {
			t.Fatal(err)
		}
	}
	refuse := errors.New("no")
	if _, err := l.UseLink(ctx, digests[0], at, func(portal.Link, *portal.Case) error { return refuse }); !errors.Is(err, refuse) {
		t.Error(err)
	}
	if _, err := l.UseLink(ctx, digests[0], at.Add(2*time.Hour), nil); !errors.Is(err, portal.ErrExpired) {
		t.Errorf("after its end: %v", err)
	}
	if _, err := l.UseLink(ctx, portal.Digest{9}, at, nil); !errors.Is(err, portal.ErrNotFound) {
		t.Errorf("none: %v", err)
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	used := 0
	for _, d := range append(digests, digests...) {
		all.Go(func() {
			_, err := l.UseLink(ctx, d, at, func(_ portal.Link, c *portal.Case) error {
				c.Supporters = append(c.Supporters, "used")
				return nil
			})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				used++
			} else if !errors.Is(err, portal.ErrExpired) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	c, err := l.Case(ctx, id)
	if err != nil || used != 1 || len(c.Supporters) != 1 {
		t.Errorf("used %d times: %+v %v", used, c.Supporters, err)
	}
	if k, err := l.LinkOfReply(ctx, portal.DigestOf([]byte{2, 1})); err != nil || k.Used.IsZero() || k.Inquiry != id {
		t.Errorf("%+v %v", k, err)
	}
}

// TestKilledWhileSendingLosesNoLetter runs itself as a child that claims letters,
// says that it has sent each, and then records that; it is killed in the middle,
// again and again. None is lost; the only one that a kill can send twice is the
// one that was on its way. KOPRIK_SOAK=1 kills 100 times.
func TestKilledWhileSendingLosesNoLetter(t *testing.T) {
	if path := os.Getenv("KOPRIK_TEST_SENDING"); path != "" {
		sendWithoutEnd(t, path)
		return
	}
	kills := 4
	if os.Getenv("KOPRIK_SOAK") != "" {
		kills = 100
	}
	path := filepath.Join(t.TempDir(), "local.db")
	const letters = 400
	l := open(t, path)
	for i := range letters {
		queue(t, l, fmt.Sprint(i))
	}
	l.Close()
	sent := map[string]int{}
	doubled := 0
	for round := range kills {
		killedSending(t, path, 3+round*5%17, sent)
	}
	killedSending(t, path, -1, sent)
	for i := range letters {
		switch n := sent[fmt.Sprint(i)]; {
		case n == 0:
			t.Errorf("letter %d was lost", i)
		case n > 1:
			doubled += n - 1
		}
	}
	if doubled > kills {
		t.Errorf("%d letters too many in %d kills", doubled, kills)
	}
	t.Logf("%d kills, %d letters, %d sent twice", kills, letters, doubled)
}

func sendWithoutEnd(t *testing.T, path string) {
	l := open(t, path)
	for {
		m, ok, err := l.ClaimLetter(context.Background(), at, func(int) time.Time { return at })
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return
		}
		fmt.Printf("sent %s\n", m.Key)
		if err := l.LetterDone(context.Background(), m.ID, at, ""); err != nil {
			t.Fatal(err)
		}
	}
}

func killedSending(t *testing.T, path string, after int, sent map[string]int) {
	t.Helper()
	killed(t, "TestKilledWhileSendingLosesNoLetter", "KOPRIK_TEST_SENDING="+path, after, func(line string) {
		var key string
		if _, err := fmt.Sscanf(line, "sent %s", &key); err == nil {
			sent[key]++
		}
	})
}
