package index

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"koprik/portal"
)

// sets is a fake of what a node knows of public questions: sets by their names,
// with versions.
type sets struct {
	versions map[string]string
	threads  map[string][]portal.Thread
	loaded   []string
	err      error
}

func (s *sets) put(set, version string, threads ...portal.Thread) *sets {
	if s.versions == nil {
		s.versions, s.threads = map[string]string{}, map[string][]portal.Thread{}
	}
	s.versions[set], s.threads[set] = version, threads
	return s
}

func (s *sets) load(set string) ([]portal.Thread, error) {
	s.loaded = append(s.loaded, set)
	return s.threads[set], s.err
}

// told updates the index and gives the sets that were loaded for it.
func (s *sets) told(t *testing.T, x *Index) []string {
	t.Helper()
	s.loaded = nil
	if err := x.UpdateThreads(t.Context(), s.versions, s.load); err != nil {
		t.Fatal(err)
	}
	return s.loaded
}

func thread(n byte, text string, answers ...string) portal.Thread {
	t := portal.Thread{ID: portal.InquiryID{n}, Kind: portal.Question, Lang: portal.Uzbek, Text: text, Asked: "2025-03-0" + portal.Date('0'+n%10), State: portal.Received}
	for _, a := range answers {
		t.Answers = append(t.Answers, portal.ThreadAnswer{Text: a, Lang: portal.Russian})
	}
	return t
}

// found gives the first bytes of the questions that a query finds.
func found(t *testing.T, r *Reader, text string) (ids []byte) {
	t.Helper()
	results := find(t, r, portal.Query{Text: text})
	if results.ThreadsTotal != len(results.Threads) {
		t.Errorf("%q: %d of %d questions", text, len(results.Threads), results.ThreadsTotal)
	}
	for _, h := range results.Threads {
		ids = append(ids, h.Thread[0])
	}
	return ids
}

func TestPublicQuestionsAreFoundByTheirWordsAndThoseOfTheirAnswers(t *testing.T) {
	x := filled(t, numbered(3)...)
	s := new(sets).put("main_d0001", "1",
		thread(1, "Aholi soni qachon yangilanadi?", "В марте каждого года"),
		thread(2, "Qishloq aholisi nega kamaydi?")).
		put("portal", "1", thread(3, "Yangi avtobus bekatlari haqida maʼlumot bering"))
	s.told(t, x)
	r := reader(t, x)
	for text, want := range map[string][]byte{
		"aholi soni": {1}, "аҳоли сонининг": {1}, "aholi": {1, 2}, "марта": {1}, "bekat": {3}, "қишлоқ": {2},
		"aholi -qishloq": {1}, `"qishloq aholisi"`: {2}, "aholi bekat": nil, "": nil, "-qishloq": nil, "qishloq yil": {2},
	} {
		if got := found(t, r, text); !slices.Equal(got, want) {
			t.Errorf("%q finds %v, want %v", text, got, want)
		}
	}
	if h := find(t, r, portal.Query{Text: "bekat"}).Threads[0]; h.Set != "portal" || h.Thread != (portal.InquiryID{3}) || h.Score <= 0 {
		t.Errorf("%+v", h)
	}
}

func TestQuestionsAreNoDatasets(t *testing.T) {
	x := filled(t, numbered(3)...)
	before := find(t, reader(t, x), portal.Query{})
	s := new(sets).put("main_d0001", "1", thread(1, "Aholi soni qachon yangilanadi?"))
	s.told(t, x)
	r := reader(t, x)
	for _, q := range []portal.Query{{}, {Text: "aholi"}, {Text: "-qishloq"}, {Sort: portal.ByTitle}, {Sort: portal.ByUse}, {Sort: portal.ByUpdated}, {Sort: portal.ByName, Limit: 1}} {
		got := find(t, r, q)
		if got.Total != 3 || slices.ContainsFunc(got.Hits, func(h portal.Hit) bool { return h.Dataset[0] == threadMark[0] }) {
			t.Errorf("%+v: %d found, %v", q, got.Total, names(got))
		}
		for f, counts := range got.Facets {
			if !maps.Equal(counts, before.Facets[f]) {
				t.Errorf("%+v: %s %v, want %v", q, f, counts, before.Facets[f])
			}
		}
	}
	for _, q := range []portal.Query{{Text: "aholi", Offset: 1}, {Text: "aholi", Filters: map[portal.Facet][]string{portal.FacetTheme: {"economy"}}}, {Text: "aholi theme:economy"}} {
		if got := find(t, r, q); len(got.Threads) > 0 {
			t.Errorf("%+v: questions %v", q, got.Threads)
		}
	}
	if got := find(t, r, portal.Query{Text: "yangilanadi"}); got.Total != 0 || len(got.Threads) != 1 {
		t.Errorf("a word of a question alone: %d datasets, %d questions", got.Total, len(got.Threads))
	}
}

func TestOnlySetsOfAnotherVersionAreIndexedAgain(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	update(t, x, 1, numbered(2))
	s := new(sets).put("a", "1", thread(1, "Suv qayerda?"), thread(2, "Suv qachon?")).put("b", "1", thread(3, "Suv nega?"))
	if got := s.told(t, x); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("at first: %q", got)
	}
	old := reader(t, x)
	s.put("a", "2", thread(2, "Suv qachon?"), thread(4, "Suv kimga?"))
	if got := s.told(t, x); !slices.Equal(got, []string{"a"}) {
		t.Errorf("one changed: %q", got)
	}
	delete(s.versions, "b")
	if got := s.told(t, x); len(got) != 0 {
		t.Errorf("one gone: %q", got)
	}
	update(t, x, 2, numbered(4)) // what datasets do leaves them alone
	if got := s.told(t, x); len(got) != 0 || x.Generation() != 2 {
		t.Errorf("nothing changed: %q, generation %d", got, x.Generation())
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	y := open(t, dir)
	if got := s.told(t, y); len(got) != 0 {
		t.Errorf("opened again: %q", got)
	}
	for _, c := range []struct {
		r    *Reader
		want []byte
	}{{reader(t, y), []byte{4, 2}}, {old, []byte{3, 2, 1}}} {
		if got := found(t, c.r, "suv"); !slices.Equal(got, c.want) {
			t.Errorf("found %v, want %v", got, c.want)
		}
	}
}

func TestQuestionsWaitForAnInterruptedUpdate(t *testing.T) {
	x := filled(t, numbered(8)...)
	s := new(sets).put("a", "1", thread(1, "Suv qayerda?"))
	interrupt(t, x)
	if err := x.UpdateThreads(t.Context(), s.versions, s.load); !errors.Is(err, ErrInterrupted) {
		t.Errorf("in the middle of an update: %v", err)
	}
	mend(t, x, 3, append(renamed(), numbered(8)[6:]...))
	s.err = errors.New("no such object")
	if err := x.UpdateThreads(t.Context(), s.versions, s.load); !errors.Is(err, s.err) {
		t.Errorf("a set that cannot be read: %v", err)
	}
	s.err = nil
	if got := s.told(t, x); len(got) != 1 {
		t.Errorf("afterwards: %q", got)
	}
	if got := found(t, reader(t, x), "suv"); len(got) != 1 {
		t.Errorf("found %v", got)
	}
}

func TestReusesAreFoundApartFromQuestions(t *testing.T) {
	x := filled(t, numbered(3)...)
	s := new(sets).put("main_d0001", "1", thread(1, "Aholi soni qachon yangilanadi?")).
		put(ReuseSet, "1", thread(7, "Aholi xaritasi", "Карта населения"), thread(8, "Suv xaritasi"))
	s.told(t, x)
	r := reader(t, x)
	for text, want := range map[string]struct{ questions, reuses []byte }{
		"aholi": {[]byte{1}, []byte{7}}, "харитаси": {nil, []byte{8, 7}}, "населения": {[]byte{1}, []byte{7}}, "soni": {[]byte{1}, nil}, "": {nil, nil},
	} {
		results := find(t, r, portal.Query{Text: text})
		var questions, reuses []byte
		for _, h := range results.Threads {
			questions = append(questions, h.Thread[0])
		}
		for _, h := range results.Reuses {
			reuses = append(reuses, h.Reuse[0])
		}
		if !slices.Equal(questions, want.questions) || !slices.Equal(reuses, want.reuses) || results.ReusesTotal != len(reuses) {
			t.Errorf("%q: questions %v, reuses %v, want %v", text, questions, reuses, want)
		}
	}
	delete(s.versions, ReuseSet)
	s.told(t, x)
	if got := find(t, reader(t, x), portal.Query{Text: "xaritasi"}).Reuses; len(got) != 0 {
		t.Errorf("after they are gone: %v", got)
	}
}
