package site

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"koprik/portal"
)

// readFeed holds a feed to RFC 4287: every mandatory element once, absolute
// addresses, dates of RFC 3339, ids that are there once.
func readFeed(t *testing.T, w *world, address string) atomFeed {
	t.Helper()
	res := w.get(t, address)
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != feedType {
		t.Fatalf("%s: %d %v %v", address, res.StatusCode, res.Header, err)
	}
	if len(body) > 256<<10 {
		t.Errorf("%s: %d bytes", address, len(body))
	}
	var f atomFeed
	if err := xml.Unmarshal(body, &f); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	date := func(s string) {
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	links := func(list []atomLink) {
		for _, l := range list {
			if u, err := url.Parse(l.Href); err != nil || !u.IsAbs() || u.Host == "" {
				t.Errorf("%s: link %q", address, l.Href)
			}
		}
	}
	absolute := func(id string) {
		if u, err := url.Parse(id); err != nil || u.Scheme == "" {
			t.Errorf("%s: id %q", address, id)
		}
	}
	absolute(f.ID)
	date(f.Updated)
	links(f.Links)
	if f.Title == "" || f.Author.Name == "" || len(f.Links) != 2 || f.Links[0].Rel != "self" || !strings.HasSuffix(f.Links[0].Href, address) {
		t.Errorf("%s: %+v", address, f)
	}
	seen := map[string]bool{}
	for _, e := range f.Entries {
		if e.Title == "" || e.Author.Name == "" || len(e.Links) != 1 || e.Summary == "" || seen[e.ID] {
			t.Errorf("%s: %+v", address, e)
		}
		seen[e.ID] = true
		absolute(e.ID)
		date(e.Updated)
		links(e.Links)
	}
	return f
}

func TestEveryFeedIsValidInEveryLanguage(t *testing.T) {
	w := newWorld(t)
	for _, l := range portal.Langs {
		all := readFeed(t, w, "/feeds/"+l.Path()+"/all.atom")
		if len(all.Entries) < 20 || len(all.Entries) > feedEntries {
			t.Errorf("%d entries", len(all.Entries))
		}
		readFeed(t, w, "/feeds/"+l.Path()+"/publisher-water.atom")
		readFeed(t, w, "/feeds/"+l.Path()+"/dataset-water_canals.atom")
		readFeed(t, w, "/feeds/"+l.Path()+"/dataset-main_hostile.atom")
	}
}

func TestAFeedSaysWhatChangedInTheWordsOfItsLanguage(t *testing.T) {
	w := newWorld(t)
	for lang, want := range map[string][]string{
		"en": {"Release 3. Khorezm corrected.", "added", "/en/dataset/main_population/history?from=2&to=3"},
		"ru": {"Выпуск 3.", "добавлен"},
		"uz": {"3-nashr.", "qoʻshildi"},
	} {
		f := readFeed(t, w, "/feeds/"+lang+"/dataset-main_population.atom")
		if len(f.Entries) != 3 || !strings.HasPrefix(f.Entries[0].ID, "koprik-release:main_population/3/") {
			t.Fatalf("%+v", f.Entries)
		}
		mustHave(t, f.Entries[0].Summary+f.Entries[0].Links[0].Href, want...)
	}
}

func TestAFeedThatIsKnownIsNotSentAgain(t *testing.T) {
	w := newWorld(t)
	tag := w.get(t, "/feeds/en/all.atom").Header.Get("ETag")
	if res := w.get(t, "/feeds/en/all.atom", "If-None-Match", tag); tag == "" || res.StatusCode != http.StatusNotModified {
		t.Errorf("%q: %d", tag, res.StatusCode)
	}
	w.view.state.Generation++
	if res := w.get(t, "/feeds/en/all.atom", "If-None-Match", tag); res.StatusCode != http.StatusOK {
		t.Errorf("the next generation: %d", res.StatusCode)
	}
}

func TestFeedsOfNothingAreNotFound(t *testing.T) {
	w := newWorld(t)
	for _, address := range []string{"/feeds/en/publisher-none.atom", "/feeds/en/dataset-main_none.atom", "/feeds/en/none.atom", "/feeds/xx/all.atom", "/feeds/en/dataset-.atom"} {
		w.body(t, address, 404)
	}
	kiosk := newWorld(t, func(w *world) { w.options.Kiosk = true })
	kiosk.body(t, "/feeds/en/all.atom", 404)
	mustNotHave(t, kiosk.body(t, "/en/dataset/main_population/history", 200), "/feeds/")
	mustHave(t, w.body(t, "/en/dataset/main_population/history", 200), `href="/feeds/en/dataset-main_population.atom"`)
	mustHave(t, w.body(t, "/en/", 200), `<link rel="alternate" type="application/atom+xml" href="/feeds/en/all.atom">`)
}
