package index

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"koprik/portal"
)

// offices is a catalogue of regions, years and sexes.
func offices(t testing.TB) *Reader {
	t.Helper()
	yes, no := true, false
	x := open(t, t.TempDir())
	docs := []Document{
		{Dataset: dataset("total", "Aholi soni", withDescription("2010–2012-yillar"), func(d *portal.Dataset) {
			d.Latest.Issued = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			d.Latest.Passport.BySex = &no
		})},
		{Dataset: dataset("women", "Ayollar aholisi soni", withTitles(portal.Uzbek, "Ayollar aholisi soni"))},
		{Dataset: dataset("samarkand", "Samarqand viloyati aholisi soni", withTitles(portal.Russian, "Население Самаркандской области"))},
		{Dataset: dataset("water", "Toshkent viloyatida suv"), Values: []string{"Chirchiq", "Zangiota tumani"}},
		{Dataset: dataset("city", "Toshkent shahrida suv", func(d *portal.Dataset) { d.Latest.Passport.BySex = &yes })},
		{
			Dataset: dataset("schools", "Maktablar", func(d *portal.Dataset) {
				d.Latest.Resources = []portal.Resource{{Name: "data", Format: "xlsx", Schema: &portal.TableSchema{Fields: []portal.Field{{Name: "viloyat"}, {Name: "2023"}, {Name: "ayollar"}, {Name: "erkaklar"}}}}}
				d.ID, d.Latest.Issued = "edu_schools", time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC)
			}),
			Questions: []portal.Text{portal.PlainText("Nechta oʻquvchi bor?")},
		},
	}
	if err := x.UpdateDocuments(t.Context(), 1, docs, nil); err != nil {
		t.Fatal(err)
	}
	return reader(t, x)
}

func TestFacetsKnowRegionsYearsLanguagesSexAndFreshness(t *testing.T) {
	r := offices(t)
	all := find(t, r, portal.Query{}).Facets
	for f, want := range map[portal.Facet]map[string]int{
		portal.FacetRegion:    {"UZ-SA": 1, "UZ-TO": 1, "UZ-TK": 1, portal.RegionSplit: 1},
		portal.FacetYear:      {"2010": 1, "2011": 1, "2012": 1, "2023": 1},
		portal.FacetLanguage:  {"uz": 1, "ru": 1},
		portal.FacetSex:       {portal.SexYes: 2, portal.SexNo: 1},
		portal.FacetFreshness: {portal.FreshMonth: 1, portal.FreshQuarter: 1, portal.FreshYear: 4},
	} {
		if !maps.Equal(all[f], want) {
			t.Errorf("%s: %v, want %v", f, all[f], want)
		}
	}
	later := find(t, r, portal.Query{AsOf: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}).Facets[portal.FacetFreshness]
	if later[portal.FreshOlder] != 6 {
		t.Errorf("four years later: %v", later)
	}
	wantNames(t, "fresh", find(t, r, portal.Query{Filters: map[portal.Facet][]string{portal.FacetFreshness: {portal.FreshMonth, portal.FreshQuarter}}}), "schools", "total")
	wantNames(t, "by sex", find(t, r, portal.Query{Filters: map[portal.Facet][]string{portal.FacetSex: {portal.SexYes}}}), "schools", "city")
}

func TestFieldWordsNarrow(t *testing.T) {
	r := offices(t)
	for text, want := range map[string][]string{
		"region:UZ-SA":                    {"samarkand"},
		"region:Samarqand":                {"samarkand"},
		"hudud:Самарканд":                 {"samarkand"},
		`region:"Toshkent viloyati"`:      {"water"},
		"region:Toshkent suv":             {"city"},
		"year:2011":                       {"total"},
		"yil:2012-2023":                   {"schools", "total"},
		"year:2012..2013":                 {"total"},
		"format:xlsx":                     {"schools"},
		"format:.XLSX maktab":             {"schools"},
		"publisher:edu":                   {"schools"},
		"theme:economy -region:UZ-SA suv": {"city", "water"},
		"-publisher:main":                 {"schools"},
		"year:1999":                       nil,
	} {
		got := names(find(t, r, portal.Query{Text: text}))
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%q found %q, want %q", text, got, want)
		}
	}
}

func TestValuesAndQuestionsAreFoundAndNamed(t *testing.T) {
	r := offices(t)
	for text, want := range map[string][2]string{
		"Зангиота тумани": {"water", "value"}, "chirchiqda": {"water", "value"}, "oʻquvchilar": {"schools", "question"}, "2011": {"total", "keyword"},
	} {
		hits := find(t, r, portal.Query{Text: text}).Hits
		if len(hits) != 1 || hits[0].Dataset.Name() != want[0] || !slices.Contains(hits[0].Matched, want[1]) || len(hits[0].Words) == 0 {
			t.Errorf("%q: %+v, want %q", text, hits, want)
		}
	}
}

func TestTheWholeComesBeforeItsPartsForNeutralWords(t *testing.T) {
	r := offices(t)
	if got := names(find(t, r, portal.Query{Text: "aholi soni"})); len(got) != 3 || got[0] != "total" {
		t.Errorf("aholi soni: %q", got)
	}
	if got := names(find(t, r, portal.Query{Text: "ayollar soni"})); got[0] != "women" {
		t.Errorf("ayollar soni: %q", got)
	}
	if got := names(find(t, r, portal.Query{Text: "samarqandda aholi"})); got[0] != "samarkand" {
		t.Errorf("samarqandda aholi: %q", got)
	}
}

func TestFreshComesBeforeStaleAmongEquals(t *testing.T) {
	year := func(y int) func(*portal.Dataset) {
		return func(d *portal.Dataset) { d.Latest.Issued = time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	}
	r := reader(t, filled(t, dataset("a", "Suv sifati bahosi", year(2018)), dataset("b", "Suv sifati bahosi", year(2025)), dataset("c", "Suv sifati bahosi", year(2021))))
	wantNames(t, "suv sifati", find(t, r, portal.Query{Text: "suv sifati"}), "b", "c", "a")
}

func TestSuggestionsCompleteTheLastWordInItsScript(t *testing.T) {
	r := library(t)
	for text, want := range map[string]string{
		"ah": "aholisi", "oʻzb": "oʻzbekiston", "ozb": "oʻzbekiston", "насел": "населения", "Число ро": "Число родившихся", "tugʻilganlar so": "tugʻilganlar soni", "нар": "нархлари",
	} {
		got := find(t, r, portal.Query{Text: text, Suggest: true})
		if !slices.Contains(got.Suggestions, want) || len(got.Hits) != 0 || len(got.Suggestions) > maxSuggestions {
			t.Errorf("%q: %q, want %q among them", text, got.Suggestions, want)
		}
	}
	for _, text := range []string{"", "a", "aholi ", "qqqq", strings.Repeat("x", 600), "\xff\xff"} {
		if got := find(t, r, portal.Query{Text: text, Suggest: true}); len(got.Suggestions) != 0 {
			t.Errorf("%q: %q", text, got.Suggestions)
		}
	}
}

func TestMisspeltWordsAreCorrectedInTheirScript(t *testing.T) {
	r := library(t)
	for text, want := range map[string]string{
		"aholsi soni": "aholisi soni", "насиления": "населения", "maktabar": "maktablar", "popluation": "population", "нархлри": "нархлари",
		"aholi": "", "2025": "", "xyzw": "", "soni": "", "boyichs": "",
	} {
		if got := find(t, r, portal.Query{Text: text}).DidYouMean; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestAWordThatASynonymStandsInForIsNotCorrected(t *testing.T) {
	r := reader(t, filled(t, dataset("nurseries", "Maktabgacha taʼlim"), dataset("gardens", "Bogʻlar")))
	got := find(t, r, portal.Query{Text: "bogʻcha"})
	if got.DidYouMean != "" || got.Total != 1 || got.Hits[0].Dataset != "main_nurseries" {
		t.Errorf("%q, %v", got.DidYouMean, names(got))
	}
}

// A Russian keyboard has neither ў nor қ; ғ and ҳ fold together with г and х.
func TestWhoHasNoKeysForUzbekLettersFindsTheWords(t *testing.T) {
	r := reader(t, filled(t,
		dataset("villages", "Oʻzbekiston qishloqlaridagi oʻquvchilar"), dataset("ponds", "Koʻllar va kul"), dataset("slaves", "Qul in Qul"),
	))
	for query, want := range map[string]string{
		"узбекистон": "main_villages", "узбекистоннинг кишлоги": "main_villages", "Укувчилар": "main_villages", "uzbekiston kishloklari": "main_villages",
		"кул": "main_ponds", "kul": "main_ponds", // which stands there as it is typed
	} {
		got := find(t, r, portal.Query{Text: query})
		if got.Partly || got.Total != 1 || string(got.Hits[0].Dataset) != want {
			t.Errorf("%q: partly %t, %v, want %s", query, got.Partly, names(got), want)
		}
	}
	if got := find(t, r, portal.Query{Text: "ИНН"}); got.Total != 0 {
		t.Errorf("ИНН: %v", names(got))
	}
}

func TestSynonymsAndTheOtherScriptAreSearchedAndSaid(t *testing.T) {
	r := library(t)
	results := find(t, r, portal.Query{Text: "shifokor"})
	if results.Total != 0 || !slices.Contains(results.AlsoSearched, "врач") || results.AlsoSearched[0] != "шифокор" {
		t.Errorf("%+v", results)
	}
	if english := find(t, r, portal.Query{Text: "shifokor", Lang: portal.English}); slices.Contains(english.AlsoSearched, "шифокор") {
		t.Errorf("an English reader is told of the other script: %v", english.AlsoSearched)
	}
	for text, want := range map[string]string{"inflyatsiya": "prices", "ИПЦ": "prices", "CPI": "prices", "mektep": "schools", "natality": "births"} {
		if got := names(find(t, r, portal.Query{Text: text})); len(got) == 0 || got[0] != want {
			t.Errorf("%q found %q, want %q first", text, got, want)
		}
	}
}

func TestTheProgramsOwnSynonymsCanBeRead(t *testing.T) {
	s, err := parseSynonyms(ownSynonyms)
	if err != nil || len(s.groups) < 40 {
		t.Errorf("%d groups, %v", len(s.groups), err)
	}
}

func TestANodesOwnSynonymsAreAddedAndBadOnesRefused(t *testing.T) {
	x := filled(t, dataset("a", "Paxta hosili"))
	if err := x.SetSynonyms([]byte("[[group]]\nuz = [\"oq oltin\", \"paxta\"]\n")); err != nil {
		t.Fatal(err)
	}
	r := reader(t, x)
	wantNames(t, "oq oltin", find(t, r, portal.Query{Text: "оқ олтин"}), "a")
	for _, bad := range []string{"[[group]]\nxx = [\"a\"]", "[[group]]\nuz = [\"a b c d e\"]", "[[group]]\nuz = [\"\"]", "group = 1", "[other]\na = 1", "[[group"} {
		if err := x.SetSynonyms([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	wantNames(t, "after bad tables", find(t, reader(t, x), portal.Query{Text: "oq oltin"}), "a")
}

func TestAQueryThatFindsNothingAsksLessAndSaysSo(t *testing.T) {
	r := library(t)
	results := find(t, r, portal.Query{Text: "aholi kosmonavtlar"})
	if !results.Partly || len(results.Hits) == 0 || results.Hits[0].Dataset.Name() != "population" {
		t.Errorf("%+v", results)
	}
	for _, text := range []string{"aholi", "kosmonavtlar", "aholi soni", "aholi -aholi", `"aholi doimiy"`} {
		if find(t, r, portal.Query{Text: text}).Partly {
			t.Errorf("%q is answered in part", text)
		}
	}
	wantNames(t, "questions", find(t, r, portal.Query{Text: "Oʻzbekiston aholisi soni qancha"}), "population")
}

func TestExcludedWordsStayExcludedWhenLessIsAsked(t *testing.T) {
	r := library(t)
	for _, name := range names(find(t, r, portal.Query{Text: "soni kosmonavtlar -maktablarning"})) {
		if name == "schools" {
			t.Error("an excluded dataset was found")
		}
	}
}

func TestHostileQueriesStayWithinTheirLimits(t *testing.T) {
	r := library(t)
	many := make([]string, 120)
	for i := range many {
		many[i] = "v"
	}
	hostile := []string{
		strings.Repeat("aholi ", 80), strings.Repeat("year:2000-2090 ", 30), strings.Repeat("\"a b\" ", 80), strings.Repeat("-a ", 160),
		strings.Repeat("((((", 120), "*:*", "title:*a* OR (b AND c)", strings.Repeat("yalpi ichki mahsulot ", 20), strings.Repeat("ß", 500), "\x00\x00",
	}
	for _, text := range hostile {
		begun := time.Now()
		find(t, r, portal.Query{Text: text, Limit: portal.MaxLimit})
		find(t, r, portal.Query{Text: text, Suggest: true})
		if took := time.Since(begun); took > deadline {
			t.Errorf("%.20q took %s", text, took)
		}
		v, err := r.hold()
		if err != nil {
			t.Fatal(err)
		}
		if p := planOf(v, portal.Query{Text: text}); len(p.words) > maxLookups+maxSynonyms*maxPhrase || len(p.conditions) > maxTerms {
			t.Errorf("%.20q: %d words, %d conditions", text, len(p.words), len(p.conditions))
		}
		_ = v.snapshot.Close()
	}
	if _, err := r.Search(t.Context(), portal.Query{Filters: map[portal.Facet][]string{portal.FacetYear: many}}); !errors.Is(err, portal.ErrUsage) {
		t.Errorf("120 values: %v", err)
	}
	if _, err := r.Search(t.Context(), portal.Query{Filters: map[portal.Facet][]string{"colour": {"red"}}}); !errors.Is(err, portal.ErrUsage) {
		t.Errorf("an unknown facet: %v", err)
	}
}

func TestASearchOverItsDeadlineEndsWithTooMuch(t *testing.T) {
	r := library(t)
	v, err := r.hold()
	if err != nil {
		t.Fatal(err)
	}
	defer v.snapshot.Close()
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	for _, q := range []portal.Query{{Text: "aholi"}, {Text: `"aholi soni"`}, {Text: "ah", Suggest: true}} {
		if _, err := run(ctx, v, q); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// FuzzSearch holds that no query is an error and that a page is within its limits.
func FuzzSearch(f *testing.F) {
	r := library(f)
	for _, s := range []string{"aholi -soni", `"a b" c year:2020`, "region:x", "aholsi", "YIM", "ў\xff", "=1", "u:ahol", "words:\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		results := find(t, r, portal.Query{Text: s, Explain: true, Limit: 3})
		if len(results.Hits) > 3 || len(results.Hits) > results.Total {
			t.Errorf("%q: %d of %d", s, len(results.Hits), results.Total)
		}
		for i, h := range results.Hits {
			if i > 0 && h.Score > results.Hits[i-1].Score || h.Explain == "" {
				t.Errorf("%q: %+v after %+v", s, h, results.Hits[i-1])
			}
		}
		find(t, r, portal.Query{Text: s, Suggest: true})
	})
}

func TestWhatIsSaidAboutADatasetIsFoundWithoutANewGeneration(t *testing.T) {
	x := filled(t, dataset("water", "Ichimlik suvi"), dataset("roads", "Yoʻllar"))
	before := reader(t, x)
	talk := []Document{{
		Dataset:   dataset("water", "Ichimlik suvi"),
		Questions: []portal.Text{portal.PlainText("Nega loyqa?"), {Translated: map[portal.Lang]string{portal.Russian: "Насос сломался"}}},
		Reuses:    []portal.Text{portal.PlainText("Quduqlar xaritasi")},
	}}
	if err := x.UpdateDocuments(t.Context(), x.Generation(), talk, nil); err != nil {
		t.Fatal(err)
	}
	for text, kind := range map[string]string{"loyqa": "question", "насоса": "question", "қудуқлар": "reuse"} {
		hits := find(t, reader(t, x), portal.Query{Text: text}).Hits
		if len(hits) != 1 || hits[0].Dataset.Name() != "water" || !slices.Equal(hits[0].Matched, []string{kind}) {
			t.Errorf("%q: %+v, want a %s", text, hits, kind)
		}
		if n := find(t, before, portal.Query{Text: text}).Total; n != 0 {
			t.Errorf("%q: a reader of before finds %d", text, n)
		}
	}
}

// TestPrefixesAndMisspellingsLookAtFewWords has more words under one prefix than
// a search may look at.
func TestPrefixesAndMisspellingsLookAtFewWords(t *testing.T) {
	var ds []portal.Dataset
	for i := range 60 {
		var title strings.Builder
		for j := range 100 {
			fmt.Fprintf(&title, "abcd%c%c%c ", 'a'+i%26, 'a'+j%26, 'a'+(i/26*4+j/26)%26)
		}
		ds = append(ds, dataset(fmt.Sprintf("d%02d", i), title.String()))
	}
	r := reader(t, filled(t, ds...))
	v, err := r.hold()
	if err != nil {
		t.Fatal(err)
	}
	defer v.snapshot.Close()
	found, err := spellings(t.Context(), v, "abcd")
	if err != nil || len(found) != maxPrefixTerms {
		t.Errorf("%d words of one prefix were looked at, want %d; %v", len(found), maxPrefixTerms, err)
	}
	for _, q := range []portal.Query{{Text: "ab", Suggest: true}, {Text: "abcdzzzz"}, {Text: strings.Repeat("abcdzzzz ", 32)}} {
		begun := time.Now()
		results := find(t, r, q)
		if took := time.Since(begun); took > deadline || len(results.Suggestions) > maxSuggestions {
			t.Errorf("%.20q: %s, %d suggestions", q.Text, took, len(results.Suggestions))
		}
	}
}
