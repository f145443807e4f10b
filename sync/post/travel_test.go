package post_test

import (
	"bytes"
	"errors"
	"testing"

	"koprik/portal"
	"koprik/sync/post"
	"koprik/sync/tuf"
)

func nodeKey(t testing.TB) tuf.PrivateKey {
	t.Helper()
	k, err := tuf.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func entry(id byte, size int) post.Entry {
	return post.Entry{ID: portal.InquiryID{id}, Epoch: "2026q4", Sealed: bytes.Repeat([]byte{id}, size)}
}

func TestAPostIsReadByAnybodyAsItsNodeSignedIt(t *testing.T) {
	k := nodeKey(t)
	b, err := post.EncodePost(k, []post.Entry{entry(1, 2000), entry(2, 1500)})
	if err != nil {
		t.Fatal(err)
	}
	p, err := post.DecodePost(b)
	if err != nil || p.Node.Hex() != k.Public().ID() || p.Public != k.Public().Value.Public || len(p.Entries) != 2 {
		t.Fatalf("%+v %v", p, err)
	}
	for i, want := range []post.Entry{entry(1, 2000), entry(2, 1500)} {
		got := p.Entries[i]
		if got.ID != want.ID || got.Epoch != want.Epoch || !bytes.Equal(got.Sealed, want.Sealed) || p.Marks()[i] != portal.MarkOf(want.Sealed) {
			t.Errorf("entry %d: %+v", i, got.ID)
		}
	}
	again, err := post.EncodePost(k, p.Entries)
	if err != nil || !bytes.Equal(again, b) {
		t.Errorf("the same entries give other bytes, %v", err)
	}
}

func TestAPostThatWasChangedIsNone(t *testing.T) {
	b, err := post.EncodePost(nodeKey(t), []post.Entry{entry(1, 2000)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1
		if _, err := post.DecodePost(bad); !errors.Is(err, post.ErrPost) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	for _, bad := range [][]byte{nil, b[:len(b)-1], append(bytes.Clone(b), 0), make([]byte, post.MaxPost+1)} {
		if _, err := post.DecodePost(bad); !errors.Is(err, post.ErrPost) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
	for name, entries := range map[string][]post.Entry{"nothing": nil, "too short": {entry(1, 10)}, "too long": {entry(1, post.MaxSealed+1)}} {
		if _, err := post.EncodePost(nodeKey(t), entries); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	if _, err := post.EncodePost(tuf.PrivateKey{}, []post.Entry{entry(1, 2000)}); err == nil {
		t.Error("no key signed")
	}
}

func TestWhatFitsFits(t *testing.T) {
	var entries []post.Entry
	for left := post.Fits; left > 0; left -= 2900 {
		entries = append(entries, entry(1, 2900))
	}
	if _, err := post.EncodePost(nodeKey(t), entries); err != nil {
		t.Error(err)
	}
}

func TestAcknowledgementsAreReadAsTheyAreWritten(t *testing.T) {
	b := post.EncodeAcks([]portal.Mark{{3}, {1}, {3}, {2}})
	got, err := post.DecodeAcks(b)
	if err != nil || len(got) != 3 || got[0] != (portal.Mark{1}) || got[2] != (portal.Mark{3}) {
		t.Errorf("%v %v", got, err)
	}
	for _, bad := range [][]byte{nil, b[:len(b)-1], append(bytes.Clone(b), make([]byte, 16)...)} {
		if _, err := post.DecodeAcks(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestAnOfflineKioskSealsToTheNewestKeyThatHasBegun(t *testing.T) {
	for _, tt := range []struct {
		have  []post.Epoch
		today portal.Date
		want  post.Epoch
	}{
		{[]post.Epoch{"2026q3", "2027q1", "2026q4"}, "2026-11-23", "2026q4"},
		{[]post.Epoch{"2026q3", "2026q2"}, "2028-01-01", "2026q3"},
		{[]post.Epoch{"2027q2", "2027q1"}, "2026-11-23", "2027q1"},
	} {
		if got, ok := post.NewestEpoch(tt.have, tt.today); !ok || got != tt.want {
			t.Errorf("%v on %s: %s", tt.have, tt.today, got)
		}
	}
	if _, ok := post.NewestEpoch(nil, "2026-11-23"); ok {
		t.Error("a key out of nothing")
	}
}

func FuzzDecodePost(f *testing.F) {
	b, err := post.EncodePost(nodeKey(f), []post.Entry{entry(1, 2000)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := post.DecodePost(b)
		if err == nil && len(p.Entries) == 0 {
			t.Fatal("a post of nothing was taken")
		}
	})
}

func FuzzDecodeAcks(f *testing.F) {
	f.Add(post.EncodeAcks([]portal.Mark{{1}, {2}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if marks, err := post.DecodeAcks(b); err == nil && !bytes.Equal(post.EncodeAcks(marks), b) {
			t.Fatal("another writing was taken")
		}
	})
}
