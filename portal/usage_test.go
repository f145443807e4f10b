package portal_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"koprik/portal"
)

// randomUsage is what an honest node may have counted.
func randomUsage(r *rand.Rand) portal.Usage {
	u := portal.Usage{}
	for range r.IntN(40) {
		k := portal.UsageKey{Kind: portal.UsageKind(r.IntN(6)), Lang: append(portal.Langs, "")[r.IntN(6)]}
		switch {
		case k.Kind.OfDataset():
			k.Name = fmt.Sprintf("main_d%d", r.IntN(12))
		case k.Kind == portal.MissedWords:
			k.Name = []string{"avtobus", "yoʻlkira", "таксист", "қишлоқ"}[r.IntN(4)]
		}
		u[k] = 1 + r.Int64N(1<<uint(r.IntN(23)))
	}
	return u
}

func merged(all ...portal.Usage) portal.Usage {
	sum := portal.Usage{}
	for _, u := range all {
		sum.Merge(u)
	}
	return sum
}

func TestMergingIsCommutativeAssociativeAndIdempotent(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		a, b, c := randomUsage(r), randomUsage(r), randomUsage(r)
		for name, pair := range map[string][2]portal.Usage{
			"commutative": {merged(a, b), merged(b, a)},
			"associative": {merged(merged(a, b), c), merged(a, merged(b, c))},
			"idempotent":  {merged(a, b, a, b, b), merged(a, b)},
			"in any order": {
				merged(c, a, a, c, b), merged(a, b, c),
			},
		} {
			if !maps.Equal(pair[0], pair[1]) {
				t.Fatalf("not %s: %v and %v of %v, %v, %v", name, pair[0], pair[1], a, b, c)
			}
		}
		for k, n := range a {
			if merged(a, b)[k] < n {
				t.Fatalf("%v: merging took something away", k)
			}
		}
	}
}

func TestCountsComeBackAsTheyWereWritten(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		u := randomUsage(r)
		if err := u.Validate(); err != nil {
			t.Fatal(err)
		}
		got, err := portal.DecodeUsage(u.Encode())
		if err != nil || !maps.Equal(got, u) {
			t.Fatalf("%v: %v, %v", u, got, err)
		}
		parts := []portal.Usage{}
		for _, b := range u.Split(60) {
			part, err := portal.DecodeUsage(b)
			if err != nil || len(b) > 60 && len(part) > 1 {
				t.Fatalf("a part of %d bytes: %v", len(b), err)
			}
			parts = append(parts, part)
		}
		if !maps.Equal(merged(parts...), u) {
			t.Fatalf("the parts of %v are not the whole", u)
		}
	}
}

func FuzzDecodeUsage(f *testing.F) {
	f.Add([]byte{})
	f.Add(portal.Usage{{Kind: portal.Visits, Name: "main_water", Lang: "uz"}: 5, {Kind: portal.Visits, Name: "main_wells", Lang: "ru"}: 500, {Kind: portal.Searches}: 1}.Encode())
	f.Add([]byte{0, 1, 'a', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		u, err := portal.DecodeUsage(b)
		if err != nil {
			return
		}
		if string(u.Encode()) != string(b) {
			t.Errorf("%x has two spellings", b)
		}
		for k, n := range u {
			if n < 1 {
				t.Errorf("%v: %d", k, n)
			}
		}
		_ = u.Validate()
	})
}

func TestWhatNoHonestNodeCountsIsRefused(t *testing.T) {
	for _, c := range []struct {
		key  portal.UsageKey
		n    int64
		want string
	}{
		{portal.UsageKey{Kind: portal.Visits, Name: "main_water"}, math.MaxInt64, "must be 1 to"},
		{portal.UsageKey{Kind: portal.Visits, Name: "main_water"}, portal.MaxUses + 1, "must be 1 to"},
		{portal.UsageKey{Kind: portal.Visits, Name: "main_water"}, 0, "must be 1 to"},
		{portal.UsageKey{Kind: portal.Visits, Name: "../etc/passwd"}, 1, "passwd"},
		{portal.UsageKey{Kind: portal.Downloads, Name: "main_water", Lang: "xx"}, 1, "no language"},
		{portal.UsageKey{Kind: portal.Searches, Name: "my question"}, 1, "counted together"},
		{portal.UsageKey{Kind: portal.MissedWords, Name: "AA1234567"}, 1, "of letters"},
		{portal.UsageKey{Kind: portal.MissedWords, Name: "a b"}, 1, "of letters"},
		{portal.UsageKey{Kind: portal.MissedWords, Name: "x"}, 1, "letters"},
		{portal.UsageKey{Kind: portal.MissedWords, Name: strings.Repeat("x", portal.MaxMissed+1)}, 1, "letters"},
		{portal.UsageKey{Kind: 31}, 1, "is not counted"},
	} {
		err := portal.Usage{c.key: c.n}.Validate()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v %d: %v, want %q", c.key, c.n, err, c.want)
		}
	}
	many := portal.Usage{}
	for i := range portal.MaxUsageKeys + 1 {
		many[portal.UsageKey{Kind: portal.Visits, Name: fmt.Sprintf("main_d%d", i)}] = 1
	}
	if many.Validate() == nil {
		t.Error("more keys than a day may have")
	}
}

func TestTotalsHideWhatIsSmall(t *testing.T) {
	key := func(kind portal.UsageKind, name string) portal.UsageKey {
		return portal.UsageKey{Kind: kind, Lang: "uz", Name: name}
	}
	word := portal.UsageKey{Kind: portal.MissedWords, Name: "avtobus"}
	list := []portal.UsageDay{
		{Day: "2024-11-30", Counts: portal.Usage{key(portal.Visits, "main_old"): 77}},       // before 24 months
		{Day: "2025-11-30", Counts: portal.Usage{key(portal.Visits, "main_a"): 50}},         // before 12 months
		{Day: "2026-01-05", Counts: portal.Usage{key(portal.Visits, "main_a"): 3, word: 4}}, // two nodes, one day
		{Day: "2026-01-05", Counts: portal.Usage{key(portal.Visits, "main_a"): 2, word: 1, key(portal.Searches, ""): 4}},
		{Day: "2026-11-22", Counts: portal.Usage{key(portal.Visits, "main_b"): 4, key(portal.Downloads, "main_b"): 4, key(portal.MissedWords, "taksi"): 4}},
		{Day: "2026-11-23", Counts: portal.Usage{key(portal.Visits, "main_a"): 900}}, // not over
	}
	got := portal.SumUsage(slices.Values(list), "2026-11-22", func(string) bool { return false })
	if got.Year.Visits != 9 || got.Year.Downloads != 1 || got.Year.Searches != 1 || got.Year.Langs["uz"] != 9 {
		t.Errorf("the year: %+v", got.Year)
	}
	if len(got.Months) != 3 || got.Months[0].Month != "2025-11" || got.Months[0].Visits != 50 || got.Months[2].Visits != 1 {
		t.Errorf("months: %+v", got.Months)
	}
	if !slices.Equal(got.Datasets, []portal.DatasetUse{{Dataset: "main_a", Visits: 5}}) {
		t.Errorf("datasets: %+v", got.Datasets)
	}
	if !slices.Equal(got.Words, []portal.WordUse{{Word: "avtobus", Searches: 5}}) {
		t.Errorf("words: %+v", got.Words)
	}
	if n := got.Used("main_a"); n != 5 {
		t.Errorf("main_a is used %d times", n)
	}
	if portal.Month("2026-01").Before(1) != "2025-12" || portal.Month("2026-03").Before(12) != "2025-03" {
		t.Error("months before")
	}
}

func BenchmarkDecodeUsage(b *testing.B) {
	u := portal.Usage{}
	for i := range 30 {
		u[portal.UsageKey{Kind: portal.Visits, Lang: portal.Uzbek, Name: fmt.Sprintf("main_dataset-%d", i)}] = int64(i + 1)
	}
	data := u.Encode()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := portal.DecodeUsage(data); err != nil {
			b.Fatal(err)
		}
	}
}
