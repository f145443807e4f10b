package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"koprik/portal"
	"koprik/portal/lang"
)

// counts gives uses by the names of datasets.
func counts(by map[string]int64) func(portal.DatasetID) int64 {
	return func(id portal.DatasetID) int64 { return by[id.Name()] }
}

func TestUsedDatasetsComeBeforeUnusedOnes(t *testing.T) {
	x := filled(t, dataset("a", "Suv sarfi"), dataset("b", "Suv narxi"), dataset("c", "Suv sifati"))
	before := reader(t, x)
	x.SetUses(counts(map[string]int64{"b": 900, "c": 3, "nobody": 7, "a": -5}))
	r := reader(t, x)
	for _, c := range []struct {
		r    *Reader
		q    portal.Query
		want []string
	}{
		{r, portal.Query{Text: "suv"}, []string{"b", "c", "a"}},
		{r, portal.Query{Sort: portal.ByUse}, []string{"b", "c", "a"}},
		{before, portal.Query{Text: "suv"}, []string{"a", "b", "c"}},
		{before, portal.Query{Sort: portal.ByUse}, []string{"a", "b", "c"}}, // nobody counted
	} {
		if got := names(find(t, c.r, c.q)); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.q, got, c.want)
		}
	}
	// New counts reach new readers, and datasets that a later generation brings.
	x.SetUses(counts(map[string]int64{"c": 10, "d": 1 << 40}))
	update(t, x, 2, []portal.Dataset{dataset("d", "Suv omborlari")})
	if got := names(find(t, reader(t, x), portal.Query{Sort: portal.ByUse})); !slices.Equal(got, []string{"d", "c", "a", "b"}) {
		t.Errorf("counted anew: %q", got)
	}
	x.SetUses(nil)
	if got := names(find(t, reader(t, x), portal.Query{Sort: portal.ByUse})); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
		t.Errorf("no longer counted: %q", got)
	}
}

func TestNoUseOverrulesAWholeTitle(t *testing.T) {
	x := filled(t, dataset("a", "Suv sarfi"), dataset("b", "Suv sarfi va suv narxi, suv sifati"), dataset("c", "Suv"))
	x.SetUses(counts(map[string]int64{"b": 1 << 50, "c": 1 << 31}))
	r := reader(t, x)
	if got := names(find(t, r, portal.Query{Text: "Сув сарфи"})); got[0] != "a" {
		t.Errorf("a whole title: %q", got)
	}
	// Nor does it bring up what has the word in its description only.
	y := filled(t, dataset("title", "Ichimlik suvi"), dataset("body", "Quvurlar", withDescription("ichimlik suvi")))
	y.SetUses(counts(map[string]int64{"body": 1 << 50}))
	if got := names(find(t, reader(t, y), portal.Query{Text: "ichimlik"})); got[0] != "title" {
		t.Errorf("a word of the title: %q", got)
	}
}

func TestTitlesStandInTheOrderOfTheReadersAlphabet(t *testing.T) {
	titles := []string{"Zargarlar", "Oʻrmonlar", "Olmalar", "Shaharlar", "Chorva", "Sut", "Gʻalla", "Gaz", "10-sinf", "9-sinf"}
	var ds []portal.Dataset
	for i, title := range titles {
		ds = append(ds, dataset(fmt.Sprintf("d%d", i), title, withTitles(portal.Uzbek, title), withTitles(portal.Russian, lang.ToCyrillic(title)), withTitles(portal.English, fmt.Sprintf("Title %02d", 99-i))))
	}
	r := reader(t, filled(t, ds...))
	shown := func(l portal.Lang) (out []string) {
		for _, name := range names(find(t, r, portal.Query{Sort: portal.ByTitle, Lang: l})) {
			i := slices.IndexFunc(ds, func(d portal.Dataset) bool { return d.ID.Name() == name })
			title, _ := ds[i].Latest.Title.In(portal.Uzbek)
			out = append(out, title)
		}
		return out
	}
	uzbek := []string{"9-sinf", "10-sinf", "Gaz", "Olmalar", "Sut", "Zargarlar", "Oʻrmonlar", "Gʻalla", "Shaharlar", "Chorva"}
	if got := shown(portal.Uzbek); !slices.Equal(got, uzbek) {
		t.Errorf("uz: %q, want %q", got, uzbek)
	}
	if got := shown(""); !slices.Equal(got, uzbek) {
		t.Errorf("of a reader whose language nobody knows: %q", got)
	}
	slices.Reverse(titles)
	if got := shown(portal.English); !slices.Equal(got, titles) {
		t.Errorf("en: %q, want %q", got, titles)
	}
}

// TestPagesOfTitlesFollowEachOther reads all pages of an index of many segments,
// with titles that are alike, deleted ones and some that are empty.
func TestPagesOfTitlesFollowEachOther(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	x := open(t, t.TempDir())
	now := map[portal.DatasetID]string{}
	for g := int64(1); g <= 6; g++ {
		var ds []portal.Dataset
		for range 150 {
			d := dataset(fmt.Sprintf("d%d", rng.IntN(500)), fmt.Sprintf("%c%c suv", 'a'+rng.IntN(26), 'a'+rng.IntN(26)))
			if rng.IntN(20) == 0 {
				d.Latest.Title = portal.Text{}
			}
			if _, twice := now[d.ID]; twice && slices.ContainsFunc(ds, func(o portal.Dataset) bool { return o.ID == d.ID }) {
				continue
			}
			ds, now[d.ID] = append(ds, d), d.Latest.Title.Plain
		}
		update(t, x, g, ds)
	}
	want := make([]string, 0, len(now))
	key := func(id string) string {
		if title := now[portal.DatasetID(id)]; title != "" {
			return lang.SortKey(portal.Uzbek, title)
		}
		return "\xff"
	}
	for id := range now {
		want = append(want, string(id))
	}
	slices.SortFunc(want, func(a, b string) int {
		if ka, kb := key(a), key(b); ka != kb {
			if ka < kb {
				return -1
			}
			return 1
		}
		return slices.Compare([]byte(a), []byte(b))
	})
	r := reader(t, x)
	var got []string
	for offset := 0; ; offset += 7 {
		page := find(t, r, portal.Query{Sort: portal.ByTitle, Offset: offset, Limit: 7})
		if len(page.Hits) == 0 {
			break
		}
		for _, h := range page.Hits {
			got = append(got, string(h.Dataset))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d segments: the pages give\n%q, want\n%q", len(r.view.snapshot.Segments()), got, want)
	}
}
