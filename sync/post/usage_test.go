package post_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"testing"

	"koprik/portal"
	"koprik/sync/post"
)

func states(days, keys int) []portal.UsageState {
	var list []portal.UsageState
	for d := range days {
		u := portal.Usage{{Kind: portal.Searches, Lang: portal.Uzbek}: int64(d + 1)}
		for i := range keys {
			u[portal.UsageKey{Kind: portal.Visits, Lang: portal.Russian, Name: fmt.Sprintf("main_dataset-%d", i)}] = int64(i + 1)
		}
		list = append(list, portal.UsageState{Boot: portal.Boot{1, byte(d)}, Day: portal.DateOf(when.AddDate(0, 0, -d)), Counts: u})
	}
	return list
}

func TestAReportComesBackAsItWasSealed(t *testing.T) {
	k := centre(t)
	for _, c := range []struct{ days, keys int }{{1, 0}, {1, 40}, {60, 20}, {2, 3999}} {
		want := states(c.days, c.keys)
		got := map[string]portal.Usage{}
		reports := post.SplitUsage(want)
		for _, r := range reports {
			sealed, err := post.SealUsage(k.Public(), "2026q4", portal.InquiryID{7}, r)
			if err != nil {
				t.Fatal(err)
			}
			if len(sealed) > post.MaxSealed {
				t.Errorf("%d bytes are too many for a post", len(sealed))
			}
			opened, err := post.OpenUsage(k, "2026q4", portal.InquiryID{7}, sealed)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range opened {
				at := fmt.Sprint(s.Boot, s.Day)
				if got[at] == nil {
					got[at] = portal.Usage{}
				}
				got[at].Merge(s.Counts)
			}
		}
		for _, s := range want {
			if !maps.Equal(got[fmt.Sprint(s.Boot, s.Day)], s.Counts) {
				t.Errorf("%d days of %d: %s is another", c.days, c.keys, s.Day)
			}
		}
		t.Logf("%d days of %d counts: %d reports", c.days, c.keys+1, len(reports))
	}
}

func TestAReportLooksLikeAQuestion(t *testing.T) {
	k, r := centre(t), receipt(t, 1)
	asked, err := post.SealQuestion(k.Public(), "2026q4", question(r, "Nega?"))
	if err != nil {
		t.Fatal(err)
	}
	report, err := post.SealUsage(k.Public(), "2026q4", portal.InquiryID{7}, states(1, 3))
	if err != nil {
		t.Fatal(err)
	}
	if len(asked) != len(report) || bytes.Contains(report, []byte("main_")) {
		t.Errorf("a question has %d bytes, a report %d", len(asked), len(report))
	}
	if _, err := post.OpenQuestion(k, "2026q4", portal.InquiryID{7}, report); !errors.Is(err, post.ErrSealed) {
		t.Errorf("a report opens as a question: %v", err)
	}
	if _, err := post.OpenUsage(k, "2026q4", portal.InquiryID{7}, asked); !errors.Is(err, post.ErrSealed) {
		t.Errorf("a question opens as a report: %v", err)
	}
	for name, open := range map[string]func() error{
		"another id":    func() error { _, err := post.OpenUsage(k, "2026q4", portal.InquiryID{8}, report); return err },
		"another epoch": func() error { _, err := post.OpenUsage(k, "2026q3", portal.InquiryID{7}, report); return err },
		"another key": func() error {
			_, err := post.OpenUsage(centre(t), "2026q4", portal.InquiryID{7}, report)
			return err
		},
	} {
		if err := open(); !errors.Is(err, post.ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReportsThatNoHonestNodeWritesAreRefused(t *testing.T) {
	good, err := post.EncodeUsage(states(1, 3))
	if err != nil {
		t.Fatal(err)
	}
	const head = len("koprik usage 1\n")
	change := func(do func(b []byte) []byte) []byte { return do(bytes.Clone(good)) }
	lie := func(n int64) []byte {
		b, err := post.EncodeUsage([]portal.UsageState{{Day: "2026-11-22", Counts: portal.Usage{{Kind: portal.Visits, Name: "main_water"}: n}}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, b := range map[string][]byte{
		"nothing":           {},
		"cut off":           good[:len(good)-1],
		"longer":            append(bytes.Clone(good), 0),
		"another magic":     change(func(b []byte) []byte { b[0] = 'K'; return b }),
		"four billion":      change(func(b []byte) []byte { binary.BigEndian.PutUint32(b[head:], 1<<32-1); return b }),
		"no state":          change(func(b []byte) []byte { binary.BigEndian.PutUint32(b[head:], 0); return b }),
		"a length beyond":   change(func(b []byte) []byte { binary.BigEndian.PutUint32(b[head+4+12:], 1<<32-1); return b }),
		"something behind":  change(func(b []byte) []byte { b[len(b)-1] = 1; return b }),
		"a count of 2^62":   lie(1 << 62),
		"a count too large": lie(portal.MaxUses + 1),
	} {
		if _, err := post.DecodeUsage(b); !errors.Is(err, post.ErrUsage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := post.DecodeUsage(good); err != nil || len(got) != 1 {
		t.Errorf("%v %v", got, err)
	}
}

func FuzzDecodeReport(f *testing.F) {
	for _, n := range []int{0, 5, 300} {
		b, err := post.EncodeUsage(states(2, n))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := post.DecodeUsage(b)
		if err != nil {
			if !errors.Is(err, post.ErrUsage) {
				t.Errorf("another error: %v", err)
			}
			return
		}
		again, err := post.EncodeUsage(got)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("a report has two spellings: %v", err)
		}
	})
}

func FuzzDecodeTotals(f *testing.F) {
	b, err := post.EncodeTotals(portal.UsageTotals{Until: "2026-11-22", Nodes: 2, Datasets: []portal.DatasetUse{{Dataset: "main_water", Visits: 9}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if totals, err := post.DecodeTotals(b); err == nil {
			_ = totals.Used("main_water")
		}
	})
}
