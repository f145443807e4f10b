package post_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"koprik/portal"
	"koprik/sync/post"
)

var when = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func answer() portal.Answer {
	return portal.Answer{Inquiry: portal.InquiryID{7}, State: portal.Answered, At: when, Text: "Samarqand viloyati: 4 208 500 kishi.", Lang: portal.Uzbek}
}

func receipt(t testing.TB, last byte) post.Receipt {
	t.Helper()
	r, err := post.Derive(portal.NewReceiptCode([portal.ReceiptRandom]byte{1, 2, 11: last}), portal.Digest{1})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func question(r post.Receipt, text string) post.Question {
	return post.Question{
		Inquiry: portal.Inquiry{
			ID: portal.InquiryID{7}, Kind: portal.Correction, Text: text, Lang: portal.Uzbek, Email: "citizen@example.org", Public: true, Day: "2026-11-23", Clerk: true,
			About: portal.Place{Dataset: "main_population", Release: 2, Resource: "population", Row: "UZ-SA", Column: "2025", Value: "<4>"},
		},
		Slot: r.Slot, PublicKey: r.PublicKey, Sequence: 41,
	}
}

func centre(t testing.TB) post.CentreKey {
	t.Helper()
	k, err := post.NewCentreKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestOnlyTheCentreOfTheEpochOpensAQuestion(t *testing.T) {
	k, r := centre(t), receipt(t, 1)
	q := question(r, "Nega bu yil boshqacha?")
	sealed, err := post.SealQuestion(k.Public(), "2026q4", q)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"citizen@", "Nega", "main_population", string(r.Slot[:])} {
		if bytes.Contains(sealed, []byte(secret)) {
			t.Errorf("%q stands in the sealed bytes", secret)
		}
	}
	got, err := post.OpenQuestion(k, "2026q4", q.Inquiry.ID, sealed)
	if err != nil || fmt.Sprint(got.Inquiry) != fmt.Sprint(q.Inquiry) || got.Slot != q.Slot || !bytes.Equal(got.PublicKey, q.PublicKey) || got.Sequence != 41 {
		t.Errorf("%+v %v", got.Inquiry, err)
	}
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)/2] ^= 1
	for name, err := range map[string]error{
		"another key":   opens(centre(t), "2026q4", q.Inquiry.ID, sealed),
		"another epoch": opens(k, "2027q1", q.Inquiry.ID, sealed),
		"another id":    opens(k, "2026q4", portal.InquiryID{8}, sealed),
		"a flipped bit": opens(k, "2026q4", q.Inquiry.ID, flipped),
		"cut off":       opens(k, "2026q4", q.Inquiry.ID, sealed[:len(sealed)-1]),
		"nothing":       opens(k, "2026q4", q.Inquiry.ID, nil),
		"too long":      opens(k, "2026q4", q.Inquiry.ID, make([]byte, post.MaxSealed+1)),
	} {
		if !errors.Is(err, post.ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func opens(k post.CentreKey, e post.Epoch, id portal.InquiryID, ct []byte) error {
	_, err := post.OpenQuestion(k, e, id, ct)
	return err
}

func TestAKeyOfTheCentreIsKeptAndRead(t *testing.T) {
	k := centre(t)
	b, err := k.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	again, err := post.ParseCentreKey(b)
	if err != nil || !bytes.Equal(again.Public(), k.Public()) {
		t.Errorf("%v", err)
	}
	if _, err := post.ParseCentreKey(b[1:]); err == nil {
		t.Error("a short key was taken")
	}
	if got := fmt.Sprintf("%v %+v %s", k, k, receipt(t, 1)); got != "(sealing key) (sealing key) (receipt)" {
		t.Errorf("prints %s", got)
	}
}

func TestALengthTellsOnlyItsBucket(t *testing.T) {
	k, r := centre(t), receipt(t, 1)
	sizes := map[int]bool{}
	for n := 1; n <= portal.MaxInquiryText; n += 7 {
		sealed, err := post.SealQuestion(k.Public(), "2026q4", question(r, strings.Repeat("қ", n)))
		if err != nil {
			t.Fatal(err)
		}
		sizes[len(sealed)] = true
	}
	for size := range sizes {
		if plain := size - 1120 - 16; plain != 2048 && plain != 4096 && plain != 8192 {
			t.Errorf("%d bytes sealed", size)
		}
	}
	if len(sizes) != 3 {
		t.Errorf("lengths %v", sizes)
	}
}

func TestOnlyTheReceiptOpensItsAnswer(t *testing.T) {
	r, other := receipt(t, 1), receipt(t, 2)
	sealed, err := post.SealAnswer(r.PublicKey, r.Slot, answer())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.OpenAnswer(sealed); err != nil || got != answer() {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := other.OpenAnswer(sealed); !errors.Is(err, post.ErrSealed) {
		t.Errorf("another receipt: %v", err)
	}
	if _, err := (post.Receipt{}).OpenAnswer(sealed); !errors.Is(err, post.ErrSealed) {
		t.Errorf("no receipt: %v", err)
	}
	moved, err := post.SealAnswer(r.PublicKey, other.Slot, answer())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.OpenAnswer(moved); !errors.Is(err, post.ErrSealed) {
		t.Errorf("an answer of another slot: %v", err)
	}
}

func TestWhatCannotBeSealedIsRefused(t *testing.T) {
	k, r := centre(t), receipt(t, 1)
	invalid, unkeyed := question(r, ""), question(r, "a")
	unkeyed.PublicKey = nil
	for name, err := range map[string]error{
		"an empty question": sealing(post.SealQuestion(k.Public(), "2026q4", invalid)),
		"no receipt":        sealing(post.SealQuestion(k.Public(), "2026q4", unkeyed)),
		"no epoch":          sealing(post.SealQuestion(k.Public(), "2026", question(r, "a"))),
		"no centre":         sealing(post.SealQuestion(nil, "2026q4", question(r, "a"))),
		"an empty answer":   sealing(post.SealAnswer(r.PublicKey, r.Slot, portal.Answer{})),
		"too long an answer": sealing(post.SealAnswer(r.PublicKey, r.Slot, portal.Answer{
			State: portal.Answered, At: when, Text: strings.Repeat("𐐀", portal.MaxAnswerText), Question: strings.Repeat("𐐀", portal.MaxInquiryText),
		})),
	} {
		if err == nil {
			t.Errorf("%s was sealed", name)
		}
	}
	if _, err := post.Derive(portal.ReceiptCode{}, portal.Digest{}); !errors.Is(err, portal.ErrRejected) {
		t.Errorf("no code: %v", err)
	}
}

func sealing(_ []byte, err error) error { return err }

func TestEpochsAreQuarters(t *testing.T) {
	for day, want := range map[portal.Date]post.Epoch{"2026-01-01": "2026q1", "2026-03-31": "2026q1", "2026-04-01": "2026q2", "2026-12-31": "2026q4"} {
		got := post.EpochOf(day)
		if parsed, err := post.ParseEpoch(string(got)); got != want || err != nil || parsed != want {
			t.Errorf("%s: %s %v", day, got, err)
		}
	}
	for _, bad := range []string{"", "2026", "2026q0", "2026q5", "2026Q1", "20x6q1", "2026q11"} {
		if _, err := post.ParseEpoch(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func bucketOf(t testing.TB, n int) (bucket string, entries []post.Sealed) {
	t.Helper()
	for i := range n {
		e, err := post.Dummy(post.Slot{0xab, byte(i)}, when)
		if err != nil {
			t.Fatal(err)
		}
		entries = append([]post.Sealed{e}, entries...) // not in order
	}
	return "ab", entries
}

func TestABucketGivesEachSlotWhatLiesThere(t *testing.T) {
	bucket, entries := bucketOf(t, 3)
	b, err := post.EncodeBucket(bucket, entries)
	if err != nil {
		t.Fatal(err)
	}
	read, err := post.DecodeBucket(bucket, b)
	if err != nil || len(read) != 3 {
		t.Fatalf("%d entries, %v", len(read), err)
	}
	for _, e := range entries {
		if got, ok := post.Find(read, e.Slot); !ok || !bytes.Equal(got, e.Data) {
			t.Errorf("slot %s: %v", e.Slot, ok)
		}
	}
	if _, ok := post.Find(read, post.Slot{0xab, 9}); ok {
		t.Error("something lies at an empty slot")
	}
}

func TestABucketThatIsNotAsItIsMadeIsRefused(t *testing.T) {
	bucket, entries := bucketOf(t, 2)
	b, err := post.EncodeBucket(bucket, entries)
	if err != nil {
		t.Fatal(err)
	}
	one, half := len("koprik receipts 1\n"), (len(b)+len("koprik receipts 1\n"))/2
	for name, bad := range map[string][]byte{
		"empty": nil, "another magic": append([]byte("K"), b[1:]...), "cut off": b[:len(b)-1], "cut in a head": b[:one+10],
		"something behind": append(bytes.Clone(b), 0), "not in order": slicesConcat(b[:one], b[half:], b[one:half]),
		"twice": slicesConcat(b, b[half:]), "an endless entry": slicesConcat(b[:one+16], []byte{255, 255, 255, 255}, b[one+20:]),
	} {
		if _, err := post.DecodeBucket(bucket, bad); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := post.DecodeBucket("ac", b); err == nil {
		t.Error("slots of another bucket were taken")
	}
	for name, bad := range map[string][]post.Sealed{
		"another bucket": {{Slot: post.Slot{1}, Data: entries[0].Data}}, "twice": {entries[0], entries[0]}, "nothing sealed": {{Slot: entries[0].Slot}},
	} {
		if _, err := post.EncodeBucket(bucket, bad); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

func slicesConcat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestADummyLooksLikeTheSmallestAnswer(t *testing.T) {
	r := receipt(t, 1)
	sealed, err := post.SealAnswer(r.PublicKey, r.Slot, portal.Answer{State: portal.Assigned, At: when, Due: "2026-12-14"})
	if err != nil {
		t.Fatal(err)
	}
	d, err := post.Dummy(r.Slot, when)
	if err != nil || len(d.Data) != len(sealed) {
		t.Errorf("%d and %d bytes, %v", len(d.Data), len(sealed), err)
	}
	if _, err := r.OpenAnswer(d.Data); !errors.Is(err, post.ErrSealed) {
		t.Errorf("a dummy opens: %v", err)
	}
}

func FuzzDecodeBucket(f *testing.F) {
	bucket, entries := bucketOf(f, 2)
	b, err := post.EncodeBucket(bucket, entries)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		read, err := post.DecodeBucket("ab", b)
		if err != nil {
			return
		}
		if again, err := post.EncodeBucket("ab", read); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("its own writing differs: %v", err)
		}
	})
}

func BenchmarkDerive(b *testing.B) {
	code := portal.NewReceiptCode([portal.ReceiptRandom]byte{1})
	for b.Loop() {
		if _, err := post.Derive(code, portal.Digest{1}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSealQuestion(b *testing.B) {
	k, r := centre(b), receipt(b, 1)
	for b.Loop() {
		if _, err := post.SealQuestion(k.Public(), "2026q4", question(r, "a")); err != nil {
			b.Fatal(err)
		}
	}
}
