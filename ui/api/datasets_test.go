package api

import (
	"context"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"koprik/portal"
)

func TestASearchPassesTheQueryOnAndListsWhatWasFound(t *testing.T) {
	w := newWorld()
	w.results = &portal.Results{
		Total:  45,
		Hits:   []portal.Hit{{Dataset: "main_water", Score: 2.5, Matched: []string{"title"}}},
		Facets: map[portal.Facet]map[string]int{portal.FacetTheme: {"environment": 45}},
	}
	rec := get(t, New(w.options(io.Discard)), "/api/v1/datasets?q=suv&lang=uz&theme=environment&limit=1&cursor=20")
	if w.asked.Text != "suv" || w.asked.Lang != portal.Uzbek || w.asked.Limit != 1 || w.asked.Offset != 20 {
		t.Errorf("asked %+v", w.asked)
	}
	got := decoded[datasetList](t, rec)
	if got.Total != 45 || len(got.Datasets) != 1 || got.Datasets[0].Score != 2.5 || got.Facets["theme"]["environment"] != 45 {
		t.Errorf("answer %+v", got)
	}
	one := got.Datasets[0]
	if one.Dataset != "main_water" || one.Title.Translated[portal.Uzbek] != "Suv taʼminoti" || one.Release != 2 ||
		!cmp.Equal(one.Formats, []string{"csv", "xlsx", "html", "zip"}) || !cmp.Equal(one.Licenses, []string{"CC-BY-4.0"}) {
		t.Errorf("dataset %+v", one)
	}
	next, err := url.Parse(got.NextURL)
	if err != nil || next.Query().Get("cursor") != "21" || next.Query().Get("theme") != "environment" || next.Path != "/api/v1/datasets" {
		t.Errorf("next %q: %v", got.NextURL, err)
	}
}

func TestASearchSaysWhatElseItLookedForAndFromWhenFreshnessCounts(t *testing.T) {
	w := newWorld()
	w.results = &portal.Results{
		Total: 1, Hits: []portal.Hit{{Dataset: "main_water", Words: []string{"suv"}}},
		Partly: true, DidYouMean: "suv sifati", AlsoSearched: []string{"сув"}, Suggestions: []string{"suv taʼminoti"},
	}
	got := decoded[datasetList](t, get(t, New(w.options(io.Discard)), "/api/v1/datasets?q=suv+sifatti"))
	if !got.Partly || got.DidYouMean != "suv sifati" || !cmp.Equal(got.AlsoSearched, []string{"сув"}) ||
		!cmp.Equal(got.Suggestions, []string{"suv taʼminoti"}) || !cmp.Equal(got.Datasets[0].Words, []string{"suv"}) {
		t.Errorf("answer %+v", got)
	}
	if stamp := w.asked.AsOf.UTC().Format("2006-01-02T15:04:05Z"); stamp != got.AsOf {
		t.Errorf("freshness counts from %s, the copy is of %s", stamp, got.AsOf)
	}
}

// asking is a view with public questions.
type asking struct {
	portal.View
	threads map[portal.InquiryID]portal.Thread
}

func (a asking) Thread(_ context.Context, id portal.InquiryID) (portal.Thread, error) {
	t, ok := a.threads[id]
	if !ok {
		return t, portal.ErrNotFound
	}
	return t, nil
}

func TestPublicQuestionsThatWereFoundStandBesideTheDatasets(t *testing.T) {
	w := newWorld()
	w.results = &portal.Results{Threads: []portal.ThreadHit{{Thread: portal.InquiryID{2}}, {Thread: portal.InquiryID{1}}}}
	options := w.options(io.Discard)
	plain := options.View
	options.View = func(ctx context.Context) (portal.View, error) {
		v, err := plain(ctx)
		return asking{v, map[portal.InquiryID]portal.Thread{{1}: {
			ID: portal.InquiryID{1}, Kind: portal.Question, Lang: portal.Uzbek, Text: "Nega suv kam?", About: portal.Place{Dataset: "main_water"},
			Asked: "2025-03-01", State: portal.Answered, Answers: []portal.ThreadAnswer{{Text: "Yoz quruq keldi."}},
		}}}, err
	}
	got := decoded[datasetList](t, get(t, New(options), "/api/v1/datasets?q=nega+suv"))
	want := []questionFound{{portal.InquiryID{1}, "main_water", portal.Question, portal.Uzbek, "Nega suv kam?", "2025-03-01", portal.Answered, 1}}
	if !cmp.Equal(got.Questions, want) {
		t.Errorf("questions %+v, want %+v", got.Questions, want)
	}
}

func TestTheLastPageHasNoNext(t *testing.T) {
	w := newWorld()
	for _, r := range []portal.Results{
		{Total: 21, Hits: []portal.Hit{{Dataset: "main_water"}}},
		{Total: 50}, // the index has shrunk since the page before
		{},
	} {
		w.results = &r
		if got := decoded[datasetList](t, get(t, New(w.options(io.Discard)), "/api/v1/datasets?cursor=20")); got.Next != "" || got.NextURL != "" {
			t.Errorf("%+v: next %q", r, got.Next)
		}
	}
}

func TestADatasetSaysWhoAnswersForItAndWhereItsFilesAre(t *testing.T) {
	rec := get(t, New(newWorld().options(io.Discard)), "/api/v1/datasets/main_water")
	got := decoded[detail](t, rec)
	if c := got.Passport.Contact; c == nil || c.Email != "water@stat.example" || c.Post.Plain != "Head of the department" {
		t.Errorf("contact %+v", c)
	}
	if got.Passport.Uploaded != "2026-04-30" || got.Passport.Periodicity != "annual" || len(got.Passport.Notes) != 1 {
		t.Errorf("passport %+v", got.Passport)
	}
	h := New(newWorld().options(io.Discard))
	links := []string{got.URL, got.DataPackage, got.Releases, got.Manifest.URL, got.Resources[0].Rows}
	for _, r := range got.Resources[:3] {
		links = append(links, r.URL)
	}
	for _, link := range links {
		if rec := get(t, h, link); rec.Code != http.StatusOK {
			t.Errorf("the answer leads to %q, which answers %d", link, rec.Code)
		}
	}
	if got.Manifest.Signers[0] != "ab12" || !strings.HasPrefix(got.Manifest.Hash, "sha256:") {
		t.Errorf("manifest %+v", got.Manifest)
	}
}

func TestAWithdrawnDatasetIsShownWithoutFiles(t *testing.T) {
	got := decoded[detail](t, get(t, New(newWorld().options(io.Discard)), "/api/v1/datasets/main_names"))
	if got.Withdrawn == nil || got.Withdrawn.Plain != "Held names of persons" || len(got.Resources) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestTheHistoryLeadsToEverySignedManifest(t *testing.T) {
	h := New(newWorld().options(io.Discard))
	got := decoded[struct{ Releases []releaseLine }](t, get(t, h, "/api/v1/datasets/main_water/releases"))
	if len(got.Releases) != 2 || got.Releases[0].Release != 2 || got.Releases[0].Reason.Plain != "2015 added" {
		t.Fatalf("%+v", got)
	}
	for _, r := range got.Releases {
		rec := get(t, h, r.Manifest.URL)
		if sum := portal.DigestOf(rec.Body.Bytes()); sum.String() != r.Manifest.Hash || int64(rec.Body.Len()) != r.Manifest.Bytes {
			t.Errorf("release %d: %s has %s", r.Release, r.Manifest.URL, sum)
		}
	}
}

func TestADataPackageLeadsToTheFilesByRelativePaths(t *testing.T) {
	const at = "/dataset/main_water/datapackage.json"
	h := New(newWorld().options(io.Discard))
	pkg := decoded[struct {
		Name      string
		Koprik    map[string]any
		Resources []struct{ Name, Path, Hash string }
	}](t, get(t, h, at))
	if pkg.Name != "main_water" || pkg.Koprik["release"] != 2.0 || len(pkg.Resources) != 4 {
		t.Fatalf("%+v", pkg)
	}
	base, _ := url.Parse("http://mirror.example" + at)
	for _, r := range pkg.Resources {
		if strings.HasPrefix(r.Path, "/") || strings.Contains(r.Path, "..") || strings.Contains(r.Path, ":") {
			t.Errorf("path %q is not what Frictionless allows", r.Path)
		}
		link, err := base.Parse(r.Path)
		if err != nil {
			t.Fatal(err)
		}
		rec := get(t, h, link.RequestURI())
		if r.Name == "big" {
			refused(t, rec, http.StatusNotFound, "not_held")
			continue
		}
		if portal.DigestOf(rec.Body.Bytes()).String() != r.Hash {
			t.Errorf("%s: %d, other bytes", link, rec.Code)
		}
	}
}

func TestAManifestThatTheCatalogueDoesNotMatchIsNotRewritten(t *testing.T) {
	rel := portal.Release{Number: 1, Resources: []portal.Resource{{Path: "a.csv"}}}
	for _, bad := range []string{``, `[]`, `{}`, `{"resources":{}}`, `{"resources":[]}`, `{"resources":[{},{}]}`} {
		if got, err := repath([]byte(bad), rel, portal.Provenance{}); err == nil {
			t.Errorf("%s became %s", bad, got)
		}
	}
}

func TestRowsPassTheQueryOnAndComeBackTyped(t *testing.T) {
	w := newWorld()
	w.page.Next = "k:2015"
	w.page.Rows = [][]any{{int64(2015), math.NaN()}, {nil, math.Inf(1)}, {"x", math.Inf(-1)}, {true, 1.5}}
	rec := get(t, New(w.options(io.Discard)), "/api/v1/tables/main_water/water/rows?columns=year,water&sort=year&desc=1&limit=2&year__ge=2014&after=k:1")
	want := portal.TableQuery{
		Columns: []string{"year", "water"}, Order: []portal.TableOrder{{By: "year", Desc: true}}, After: "k:1", Limit: 2,
		Filters: []portal.TableFilter{{Column: "year", Op: portal.OpLeast, Values: []string{"2014"}}},
	}
	if diff := cmp.Diff(want, w.rowed); diff != "" {
		t.Errorf("asked: %s", diff)
	}
	got := decoded[rowsPage](t, rec)
	rows := [][]any{{2015.0, "NaN"}, {nil, "INF"}, {"x", "-INF"}, {true, 1.5}}
	if diff := cmp.Diff(rows, got.Rows); diff != "" {
		t.Error(diff)
	}
	if got.Columns[1].Title.Plain != "Households with piped water, %" || got.Columns[0].Type != "year" || got.Total != 2 || got.Columns[0].Meaning.Role != portal.RoleTime {
		t.Errorf("%+v", got)
	}
	next, err := url.Parse(got.NextURL)
	if err != nil || next.Query().Get("after") != "k:2015" || next.Query().Get("year__ge") != "2014" {
		t.Errorf("next %q", got.NextURL)
	}
}

func TestAWorkbookGivesItsFirstSheetAndNamesTheOthers(t *testing.T) {
	w := newWorld()
	h := New(w.options(io.Discard))
	got := decoded[rowsPage](t, get(t, h, "/api/v1/tables/main_water/book/rows"))
	if w.sheet != "Qishloq" || got.Sheet != "Qishloq" || !cmp.Equal(got.Sheets, []string{"Qishloq", "Shahar"}) {
		t.Errorf("sheet %q, %+v", w.sheet, got)
	}
	get(t, h, "/api/v1/tables/main_water/book/rows?sheet=Shahar")
	if w.sheet != "Shahar" {
		t.Errorf("asked for Shahar, read %q", w.sheet)
	}
}

func TestATableThatIsElsewhereSaysWhere(t *testing.T) {
	f := refused(t, get(t, New(newWorld().options(io.Discard)), "/api/v1/tables/main_water/big/rows"), http.StatusNotFound, "not_held")
	if f.Upstream == "" || f.Bytes != 3_200_000 {
		t.Errorf("%+v", f)
	}
}

func TestABadColumnIsAnErrorThatNamesIt(t *testing.T) {
	w := newWorld()
	w.rowsErr = usage("column", "table water has no column %q", "yil")
	f := refused(t, get(t, New(w.options(io.Discard)), "/api/v1/tables/main_water/water/rows?sort=yil"), http.StatusBadRequest, "usage")
	if f.Error.Where != "column" || !strings.Contains(f.Error.Message, "yil") {
		t.Errorf("%+v", f)
	}
}

// TestADatasetSaysWhichOfItsFilesAreOnThisNode: what a policy leaves out is listed.
func TestADatasetSaysWhichOfItsFilesAreOnThisNode(t *testing.T) {
	w := newWorld()
	o := w.options(io.Discard)
	all := decoded[detail](t, get(t, New(o), "/api/v1/datasets/main_water"))
	if !all.Held || !all.Resources[0].Held {
		t.Errorf("a node that holds everything says %v, %+v", all.Held, all.Resources[0])
	}
	left := all.Resources[1].Hash
	o.Held = func(d portal.Digest) bool { return d.String() != left }
	got := decoded[detail](t, get(t, New(o), "/api/v1/datasets/main_water"))
	for _, r := range got.Resources {
		if r.Held != (r.Hash != left) {
			t.Errorf("%s: held %v", r.Path, r.Held)
		}
	}
	list := decoded[datasetList](t, get(t, New(o), "/api/v1/datasets"))
	if i := slices.IndexFunc(list.Datasets, func(s summary) bool { return s.Dataset == "main_water" }); got.Held || i < 0 || list.Datasets[i].Held {
		t.Error("a dataset that lacks a file is said to be held")
	}
}
