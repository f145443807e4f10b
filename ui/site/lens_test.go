package site

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"koprik/portal"
)

// withSexes adds a dataset that is split by sex since its second release, one whose
// table says that it is not, and one without numbers to split.
func withSexes(w *world) {
	measure := func(name, sex string) portal.Field {
		return portal.Field{Name: name, Type: "number", Meaning: portal.Meaning{Role: portal.RoleMeasure, Of: "women", Sex: sex, Additive: true, Unit: "kishi", Confidence: 100}}
	}
	region := portal.Field{Name: "region", Type: "string", Meaning: portal.Meaning{Role: portal.RoleRegion, Kind: portal.KindName, Totals: []string{"Jami"}, Confidence: 100}}
	columns := []portal.Field{region, measure("women", portal.SexFemale), measure("men", portal.SexMale)}
	split := portal.Resource{Name: "people", Path: "people.csv", Format: "csv", Hash: digest("people"), Schema: &portal.TableSchema{Fields: columns}}
	w.view.tables[split.Hash] = []fakeTable{{info: portal.TableInfo{Resource: "people", Rows: 3, Columns: columns}, rows: [][]any{
		{"Jami", 30.5, 29.2}, {"Xorazm viloyati", 20.5, 19.2}, {"Buxoro viloyati", 10.0, 10.0},
	}}}
	rooms := portal.Field{Name: "rooms", Type: "integer", Meaning: portal.Meaning{Role: portal.RoleMeasure, Additive: true, Confidence: 100}}
	plain := portal.Resource{Name: "rooms", Path: "rooms.csv", Format: "csv", Hash: digest("rooms"), Schema: &portal.TableSchema{Fields: []portal.Field{region, rooms}}}
	names := portal.Resource{Name: "names", Path: "names.csv", Format: "csv", Hash: digest("names"), Schema: &portal.TableSchema{Fields: []portal.Field{region}}}
	add := func(id portal.DatasetID, number int, issued time.Time, r portal.Resource) {
		w.view.add(portal.Release{
			Dataset: id, Number: number, Issued: issued, Title: in("en", string(id)), Themes: []portal.ThemeID{"health"},
			Passport: portal.Passport{Contact: "data", Uploaded: "2026-01-01"}, Resources: []portal.Resource{r},
		}, "", number)
	}
	add("main_names", 1, now.Add(-24*time.Hour), names)
	add("main_people", 2, now.Add(-24*time.Hour), split)
	add("main_rooms", 1, now.Add(-24*time.Hour), plain)
	people := &w.view.datasets[len(w.view.datasets)-2]
	people.History = []portal.ReleaseRef{{Number: 2, Issued: now.Add(-24 * time.Hour)}, {Number: 1, Issued: now.AddDate(-2, 0, 0)}}
	w.view.releases["main_people/1"] = portal.Release{Dataset: "main_people", Number: 1, Issued: now.AddDate(-2, 0, 0), Resources: []portal.Resource{plain}}
}

func TestWomenAndMenStandBesideEachOtherWithTheGapAsANumber(t *testing.T) {
	w := newWorld(t, withSexes)
	body := w.body(t, "/en/dataset/main_people", 200)
	mustHave(t, body, "<b>30.5</b><p>Women</p>", "<b>29.2</b><p>Men</p>", "<b>1.3</b><p>Women: so many more</p>", "Women: 51.1% of both.", `<span class="tag">Split by sex</span>`, "/chart/people?m=women")
	body = w.body(t, "/ru/dataset/main_people", 200)
	mustHave(t, body, "Женщины: на столько больше", "1,3")
	mustHave(t, w.body(t, "/en/search?q=main_people", 200), `<span class="tag">Split by sex</span>`)
	mustNotHave(t, w.body(t, "/en/search?q=main_rooms", 200), `<span class="tag">Split by sex</span>`)
}

func TestWhereThereIsNoSplitThePageSaysSoAndLeadsToAskingForIt(t *testing.T) {
	w := newWorld(t, withSexes, withoutAsker)
	body := w.body(t, "/en/dataset/main_rooms", 200)
	mustHave(t, body, "These figures are not split into women and men.")
	mustNotHave(t, body, "kind=breakdown")
	w = newWorld(t, withSexes)
	mustHave(t, w.body(t, "/en/dataset/main_rooms", 200), `href="/en/ask?kind=breakdown&amp;dataset=main_rooms"`)
	mustNotHave(t, w.body(t, "/en/dataset/main_people", 200), "kind=breakdown", "not split")
	mustNotHave(t, w.body(t, "/en/dataset/main_names", 200), "kind=breakdown", "not split")
}

func TestTheShareOfSplitDatasetsIsCountedOverTime(t *testing.T) {
	w := newWorld(t, withSexes)
	body := w.body(t, "/en/numbers", 200)
	// Of 31 datasets two are split: one by its table, one by the word of its passport.
	total := 0
	for _, d := range w.view.datasets {
		if d.Latest.Withdrawn == nil {
			total++
		}
	}
	mustHave(t, body, fmt.Sprintf("2 of %d datasets are split by sex", total), "End of 2024", "End of 2025", "Now", "Demonstration publisher", "Health", "(1 of 2)", "0% (0 of 1)", "<figure>", "overdue")
	if strings.Contains(body, "water") {
		t.Error("a withdrawn dataset is counted")
	}
	for _, l := range portal.Langs {
		w.body(t, "/"+l.Path()+"/numbers", 200)
	}
}

func TestOfVeryManyDatasetsOnlyThePresentIsCounted(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.options.Counter = nil // its figure is another
		for i := range countedDatasets {
			w.view.add(portal.Release{
				Dataset: portal.DatasetID(fmt.Sprintf("main_many-%04d", i)), Number: 1, Issued: now, Title: in("en", "Many"),
				Passport: portal.Passport{Contact: "data", Uploaded: "2026-01-01"},
			}, "", 1)
		}
	})
	body := w.body(t, "/en/numbers", 200)
	mustHave(t, body, "With more than 1,000 datasets only the present is counted", "would mean reading every release", "datasets are split by sex")
	mustNotHave(t, body, "<figure>")
}
