package site

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"koprik/portal"
	"koprik/ui/locale"
)

// Feeds are Atom (RFC 4287): /feeds/{lang}/all.atom, …/publisher-{slug}.atom and
// …/dataset-{slug}.atom, in the words of the language, and …/reuses.atom. An entry is a release; its
// id is what a printed page has too, the same on every node. Those of
// questions: feedquestions.go.

// feedsPath is before the addresses of feeds.
const feedsPath = "/feeds"

// Limits of a feed.
const (
	feedEntries  = 50
	feedCompared = 8               // releases that are compared with the ones before
	feedPatience = 1 * time.Second // for all comparisons of one feed
)

// feedType is Atom's.
const feedType = "application/atom+xml; charset=utf-8"

type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Lang    string      `xml:"xml:lang,attr"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Links   []atomLink  `xml:"link"`
	Author  atomAuthor  `xml:"author"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

type atomAuthor struct {
	Name string `xml:"name"`
}

type atomEntry struct {
	ID      string     `xml:"id"`
	Title   string     `xml:"title"`
	Updated string     `xml:"updated"`
	Links   []atomLink `xml:"link"`
	Author  atomAuthor `xml:"author"`
	Summary string     `xml:"summary"`
}

// feed answers with what is new: of the whole catalogue, a publisher or a dataset.
func (s *site) feed(v *visit) (answer, error) {
	slug := mux.Vars(v.r)["slug"]
	f := &atomFeed{Lang: string(v.lang), Author: atomAuthor{v.Site}}
	state := v.view.State()
	f.ID = "koprik-feed:" + state.Repository.Short() + "/" + string(v.lang) + "/" + mux.Vars(v.r)["of"] + slug
	f.Updated = state.AsOf.UTC().Format(time.RFC3339)
	var page string
	var err error
	switch mux.Vars(v.r)["of"] {
	case "all":
		page, f.Title = v.Base+"/", v.T("feed.all", "site", v.Site)
		f.Entries, err = v.newest(nil)
	case "reuses":
		page, f.Title = v.Base+"/reuses", v.T("feed.of", "name", v.T("reuse.title"), "site", v.Site)
		f.Entries, err = v.reuseFeed()
	case "publisher":
		page = v.Base + "/publisher/" + slug
		f.Entries, err = v.publisherFeed(f, slug)
	case "questions":
		page, err = v.questionsFeed(f)
	default:
		f.Entries, err = v.datasetFeed(f)
		page = v.Base + "/dataset/" + slug + "/history"
	}
	if err != nil {
		return answer{}, err
	}
	if len(f.Entries) > 0 {
		f.Updated = f.Entries[0].Updated
	}
	f.Links = []atomLink{
		{"self", "application/atom+xml", origin(v.r) + v.r.URL.EscapedPath()},
		{"alternate", "text/html", origin(v.r) + page},
	}
	body, err := xml.Marshal(f)
	if err != nil {
		return answer{}, fmt.Errorf("feed: %w", err)
	}
	return answer{file: &file{mime: feedType, body: append([]byte(xml.Header), body...)}}, nil
}

// newest are the newest releases of datasets, the newest first.
func (v *visit) newest(filters map[portal.Facet][]string) ([]atomEntry, error) {
	results, err := v.view.Search(v.ctx, portal.Query{Lang: v.lang, Filters: filters, Sort: portal.ByUpdated, Limit: feedEntries})
	if err != nil {
		return nil, fmt.Errorf("newest datasets: %w", err)
	}
	datasets, err := v.datasets(results)
	if err != nil {
		return nil, err
	}
	words := v.changeWords()
	var entries []atomEntry
	for _, d := range datasets {
		entries = append(entries, v.entry(d, d.Latest, d.Manifest, words))
	}
	return entries, nil
}

func (v *visit) publisherFeed(f *atomFeed, slug string) ([]atomEntry, error) {
	id, err := portal.ParsePublisherID(slug)
	if err != nil {
		return nil, fmt.Errorf("publisher %q: %w", slug, portal.ErrNotFound)
	}
	publishers, err := v.view.Publishers(v.ctx)
	if err != nil {
		return nil, fmt.Errorf("publishers: %w", err)
	}
	for _, p := range publishers {
		if p.ID == id {
			f.Title = v.T("feed.of", "name", v.publisherName(p).Text, "site", v.Site)
			return v.newest(map[portal.Facet][]string{portal.FacetPublisher: {slug}})
		}
	}
	return nil, fmt.Errorf("publisher %s: %w", id, portal.ErrNotFound)
}

// datasetFeed are the releases of a dataset, the newest first.
func (v *visit) datasetFeed(f *atomFeed) ([]atomEntry, error) {
	d, err := v.findDataset()
	if err != nil {
		return nil, err
	}
	f.Title = v.T("feed.of", "name", v.title(d).Text, "site", v.Site)
	words := v.changeWords()
	var entries []atomEntry
	for i, ref := range d.History[:min(len(d.History), feedEntries)] {
		release, err := d.Latest, error(nil)
		if ref.Number != d.Latest.Number {
			// Those further back say when and why, and are not read.
			release = portal.Release{Dataset: d.ID, Number: ref.Number, Issued: ref.Issued, Reason: ref.Reason}
			if i < 2*feedCompared && d.Latest.Withdrawn == nil {
				release, err = v.view.Release(v.ctx, d.ID, ref.Number)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("release %d of %s: %w", ref.Number, d.ID, err)
		}
		entries = append(entries, v.entry(d, release, ref.Manifest, words))
	}
	return entries, nil
}

// entry is one release.
func (v *visit) entry(d portal.Dataset, r portal.Release, manifest portal.Digest, changed func(portal.Dataset, portal.Release) string) atomEntry {
	issued := r.Issued.UTC().Format(time.RFC3339)
	said := []string{v.T("dataset.release", "n", r.Number)}
	page := v.datasetURL(d.ID)
	switch {
	case r.Withdrawn != nil:
		said = append(said, v.T("hit.withdrawn"), v.text(r.Withdrawn.Reason).Text)
	default:
		said = append(said, v.text(r.Reason).Text, changed(d, r))
	}
	if r.Number > 1 && r.Withdrawn == nil && d.Latest.Withdrawn == nil {
		page = fmt.Sprintf("%s/history?from=%d&to=%d", page, r.Number-1, r.Number)
	}
	var parts []string
	for _, s := range said {
		if s = strings.Join(strings.Fields(s), " "); s != "" {
			parts = append(parts, strings.TrimRight(s, ".")+".")
		}
	}
	return atomEntry{
		ID:    fmt.Sprintf("koprik-release:%s/%d/%s", d.ID, r.Number, manifest.Short()),
		Title: v.title(d).Text, Updated: issued, Author: atomAuthor{v.publisherName(d.Publisher).Text},
		Links: []atomLink{{"alternate", "text/html", origin(v.r) + page}}, Summary: locale.Plain(strings.Join(parts, " ")),
	}
}

// changeWords says in words what a release changed, for the first few that have
// one before and as long as there is time; "" for the others.
func (v *visit) changeWords() func(portal.Dataset, portal.Release) string {
	left, begin := feedCompared, v.site.o.Now()
	return func(d portal.Dataset, r portal.Release) string {
		if r.Number < 2 || d.Latest.Withdrawn != nil || left == 0 || v.site.o.Now().Sub(begin) > feedPatience {
			return ""
		}
		left--
		before, err := v.view.Release(v.ctx, d.ID, r.Number-1)
		if err != nil || before.Withdrawn != nil {
			return ""
		}
		files, err := v.fileChanges(before, r)
		if err != nil {
			v.site.log.WarnContext(v.ctx, "feed", "dataset", d.ID, "release", r.Number, "err", err)
			return ""
		}
		var parts []string
		for _, f := range files {
			parts = append(parts, f.Title.Text+": "+strings.Join(f.Said, " "))
		}
		return clip(strings.Join(parts, " "), 1500)
	}
}

// feedAddress is that of a feed in the reader's language; "" on a kiosk, where
// nobody can follow one.
func (v *visit) feedAddress(of string) string {
	if v.Kiosk != nil {
		return ""
	}
	return feedsPath + v.Base + "/" + of + ".atom"
}

// feedRoutes are those of feeds.
func (s *site) feedRoutes(get func(string, http.Handler)) {
	const in = feedsPath + "/{lang:uz|uz-cyrl|kaa|ru|en}/"
	get(in+"{of:all}.atom", s.page(s.feed))
	get(in+"{of:reuses}.atom", s.page(s.feed))
	get(in+"{of:publisher}-{slug}.atom", s.page(s.feed))
	get(in+"{of:dataset}-{slug}.atom", s.page(s.feed))
	get(in+"{of:questions}.atom", s.page(s.feed))
	get(in+"{of:questions}-{slug}.atom", s.page(s.feed))
}
