package catalog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"koprik/embed/sqlite/sqlitetest"
	"koprik/portal"
	"koprik/portal/datapackage"
)

var day0 = time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)

// chain makes signed manifests of releases 1 to n of a dataset, each with the
// given title and naming the one before it.
func chain(t testing.TB, id portal.DatasetID, n int, title string) []portal.SignedManifest {
	t.Helper()
	var list []portal.SignedManifest
	for i := 1; i <= n; i++ {
		r := portal.Release{
			Dataset: id, Number: i, Issued: day0.AddDate(0, i, 0), Title: portal.PlainText(title),
			Reason:   portal.Text{Plain: fmt.Sprintf("release %d", i), Translated: map[portal.Lang]string{portal.Uzbek: fmt.Sprintf("%d-nashr: qoʻshildi", i)}},
			Licenses: []portal.License{{Name: "CC-BY-4.0"}},
			Passport: portal.Passport{Contact: "lab", Uploaded: portal.DateOf(day0)},
			Resources: []portal.Resource{{
				Name: "table", Path: "table.csv", Format: "csv", MediaType: "text/csv", Bytes: 9, Hash: portal.DigestOf([]byte(id)),
			}},
		}
		if i > 1 {
			last := list[i-2].Bytes
			r.Previous = &portal.PreviousRelease{Release: i - 1, SHA256: portal.DigestOf(last), Length: int64(len(last))}
		}
		list = append(list, sign(t, r))
	}
	return list
}

func sign(t testing.TB, r portal.Release) portal.SignedManifest {
	t.Helper()
	b, err := datapackage.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return portal.SignedManifest{Dataset: r.Dataset, Number: r.Number, Bytes: b}
}

func upsert(list []portal.SignedManifest, signers ...string) portal.Upsert {
	return portal.Upsert{Dataset: list[0].Dataset, Manifests: list, Signers: signers}
}

func record(t testing.TB, id portal.PublisherID, version int, title string) portal.PublisherRecord {
	t.Helper()
	p := portal.Publisher{
		ID: id, Version: version, Issued: day0, Title: portal.PlainText(title), Default: "lab",
		Contacts: []portal.Contact{{ID: "lab", Post: portal.PlainText("Head of the laboratory"), Email: "lab@example.uz"}},
	}
	b, err := datapackage.EncodePublisher(p)
	if err != nil {
		t.Fatal(err)
	}
	return portal.PublisherRecord{Publisher: p, Bytes: b}
}

func open(t testing.TB, path string) *Catalog {
	t.Helper()
	c, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func fresh(t testing.TB) *Catalog { return open(t, filepath.Join(t.TempDir(), "catalog.db")) }

func apply(t testing.TB, c *Catalog, ch portal.Change) {
	t.Helper()
	p, err := c.Prepare(context.Background(), ch)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
}

func snapshot(t testing.TB, c *Catalog) *Snapshot {
	t.Helper()
	s, err := c.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// titles are "id/number title" of every dataset.
func titles(t testing.TB, s *Snapshot) (list []string) {
	t.Helper()
	err := s.All(context.Background(), func(d portal.Dataset) error {
		list = append(list, fmt.Sprintf("%s/%d %s", d.ID, d.Latest.Number, d.Latest.Title.Plain))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func want(t testing.TB, c *Catalog, generation int64, list ...string) {
	t.Helper()
	s := snapshot(t, c)
	if got := titles(t, s); s.State().Generation != generation || !cmp.Equal(got, list) {
		t.Errorf("generation %d, want %d; -want +got\n%s", s.State().Generation, generation, cmp.Diff(list, got))
	}
	s.Close()
}

func TestMigrationsOnlyGrow(t *testing.T) {
	sqlitetest.OnlyGrow(t, os.DirFS("migrations"), "testdata/migrations.golden")
}

func TestAnEmptyCatalogueIsGenerationZero(t *testing.T) {
	ctx := context.Background()
	c := fresh(t)
	if g, err := c.Generation(ctx); g != 0 || err != nil {
		t.Errorf("generation %d, %v", g, err)
	}
	s := snapshot(t, c)
	if n, err := s.Count(ctx); n != 0 || err != nil {
		t.Errorf("%d datasets, %v", n, err)
	}
	if !cmp.Equal(s.State(), portal.CopyState{}) {
		t.Errorf("state %+v", s.State())
	}
	if list, err := s.Publishers(ctx); len(list) != 0 || err != nil {
		t.Errorf("publishers %v, %v", list, err)
	}
	if _, err := s.Dataset(ctx, "main_water"); !errors.Is(err, portal.ErrNotFound) {
		t.Errorf("dataset: %v", err)
	}
	if list, err := s.Datasets(ctx, nil); len(list) != 0 || err != nil {
		t.Errorf("no datasets: %v, %v", list, err)
	}
	if ids, complete, err := c.ChangedSince(ctx, 0); len(ids) != 0 || !complete || err != nil {
		t.Errorf("changes %v, %v, %v", ids, complete, err)
	}
}

func TestADatasetReadsAsItWasSigned(t *testing.T) {
	ctx := context.Background()
	c := fresh(t)
	list := chain(t, "main_water", 3, "Suv")
	publisher := record(t, "main", 1, "Main")
	state := portal.CopyState{Generation: 7, AsOf: day0, Expires: day0.AddDate(0, 0, 7), Repository: portal.DigestOf([]byte("root")), Media: true}
	apply(t, c, portal.Change{
		Generation: 7, State: state, Upserts: portal.Upserts(upsert(list, "bb", "aa")),
		Publishers: []portal.PublisherRecord{publisher},
	})
	s := snapshot(t, c)
	if d := cmp.Diff(state, s.State()); d != "" {
		t.Errorf("state: -want +got\n%s", d)
	}
	wanted := portal.Dataset{
		ID: "main_water", Manifest: portal.DigestOf(list[2].Bytes), Length: int64(len(list[2].Bytes)),
		Publisher: publisher.Publisher, Signers: []string{"aa", "bb"},
	}
	for i := 2; i >= 0; i-- {
		r, err := datapackage.Decode(list[i].Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			wanted.Latest = r
		}
		wanted.History = append(wanted.History, portal.ReleaseRef{
			Number: i + 1, Issued: r.Issued, Reason: r.Reason, Manifest: portal.DigestOf(list[i].Bytes), Length: int64(len(list[i].Bytes)),
		})
		held, err := s.Manifest(ctx, "main_water", i+1)
		if err != nil || string(held) != string(list[i].Bytes) {
			t.Errorf("manifest %d: %v\n%s", i+1, err, held)
		}
		release, err := s.Release(ctx, "main_water", i+1)
		if err != nil || !cmp.Equal(release, r) {
			t.Errorf("release %d: %v %s", i+1, err, cmp.Diff(r, release))
		}
	}
	got, err := s.Dataset(ctx, "main_water")
	if err != nil || !cmp.Equal(got, wanted) {
		t.Errorf("%v -want +got\n%s", err, cmp.Diff(wanted, got))
	}
	if contact, ok := got.Contact(); !ok || contact.Email != "lab@example.uz" {
		t.Errorf("contact %v, %v", contact, ok)
	}
	for _, number := range []int{0, 4, -1} {
		if _, err := s.Release(ctx, "main_water", number); !errors.Is(err, portal.ErrNotFound) {
			t.Errorf("release %d: %v", number, err)
		}
	}
	if _, err := s.Manifest(ctx, "main_fire", 1); !errors.Is(err, portal.ErrNotFound) {
		t.Errorf("manifest of nothing: %v", err)
	}
}

func TestDatasetsComeInTheOrderOfTheIDs(t *testing.T) {
	ctx := context.Background()
	c := fresh(t)
	var upserts []portal.Upsert
	var asked, expected []portal.DatasetID
	for i := range 1203 { // more than one statement asks for
		id := portal.DatasetID(fmt.Sprintf("main_%04d", i))
		upserts = append(upserts, upsert(chain(t, id, 1, string(id)), "aa"))
		asked = append([]portal.DatasetID{id, "main_missing", "nobody's ' id"}, asked...)
		expected = append([]portal.DatasetID{id}, expected...)
	}
	apply(t, c, portal.Change{Generation: 1, Upserts: portal.Upserts(upserts...)})
	s := snapshot(t, c)
	list, err := s.Datasets(ctx, asked)
	if err != nil {
		t.Fatal(err)
	}
	var got []portal.DatasetID
	for _, d := range list {
		got = append(got, d.ID)
		if d.Latest.Title.Plain != string(d.ID) || len(d.Signers) != 1 || len(d.History) != 1 {
			t.Errorf("%s reads as %+v", d.ID, d)
		}
	}
	if !cmp.Equal(got, expected) {
		t.Errorf("-want +got\n%s", cmp.Diff(expected, got))
	}
	twice, err := s.Datasets(ctx, []portal.DatasetID{"main_0001", "main_0000", "main_0001"})
	if err != nil || len(twice) != 3 || twice[2].ID != "main_0001" || len(twice[2].Signers) != 1 || len(twice[2].History) != 1 {
		t.Errorf("asked twice: %v, %v", twice, err)
	}
	if all := titles(t, s); len(all) != len(upserts) || all[0] != "main_0000/1 main_0000" {
		t.Errorf("All gives %d, first %q", len(all), all[0])
	}
}

func TestAllStopsAtTheErrorOfYieldAndAllowsReadingMeanwhile(t *testing.T) {
	ctx := context.Background()
	c := fresh(t)
	apply(t, c, portal.Change{Generation: 1, Upserts: portal.Upserts(
		upsert(chain(t, "main_a", 1, "A")), upsert(chain(t, "main_b", 1, "B")),
	)})
	s := snapshot(t, c)
	stop := errors.New("stop")
	seen := 0
	err := s.All(ctx, func(d portal.Dataset) error {
		seen++
		if _, err := s.Dataset(ctx, d.ID); err != nil {
			t.Error(err)
		}
		return stop
	})
	if !errors.Is(err, stop) || seen != 1 {
		t.Errorf("%d seen, %v", seen, err)
	}
}

func TestWithdrawnDatasetsAreFoundAndNotCounted(t *testing.T) {
	ctx := context.Background()
	c := fresh(t)
	water := chain(t, "main_water", 1, "Water")
	apply(t, c, portal.Change{Generation: 1, Upserts: portal.Upserts(upsert(water), upsert(chain(t, "main_fire", 1, "Fire")))})
	last, err := datapackage.Decode(water[0].Bytes)
	if err != nil {
		t.Fatal(err)
	}
	last.Number, last.Resources = 2, nil
	last.Previous = &portal.PreviousRelease{Release: 1, SHA256: portal.DigestOf(water[0].Bytes), Length: int64(len(water[0].Bytes))}
	last.Withdrawn = &portal.Withdrawal{Reason: portal.PlainText("A name stood in it")}
	apply(t, c, portal.Change{Generation: 2, Upserts: portal.Upserts(upsert([]portal.SignedManifest{sign(t, last)}))})
	s := snapshot(t, c)
	if n, err := s.Count(ctx); n != 1 || err != nil {
		t.Errorf("%d counted, %v; want 1", n, err)
	}
	d, err := s.Dataset(ctx, "main_water")
	if err != nil || d.Latest.Withdrawn == nil || d.Latest.Withdrawn.Reason.Plain != "A name stood in it" || len(d.History) != 2 {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestPublishersAreListedByIDWithAndWithoutARecord(t *testing.T) {
	ctx := context.Background()
	c := fresh(t)
	apply(t, c, portal.Change{
		Generation: 1, Publishers: []portal.PublisherRecord{record(t, "water", 3, "Water office"), record(t, "agro", 1, "Agro")},
		Upserts: portal.Upserts(upsert(chain(t, "main_a", 1, "A")), upsert(chain(t, "main_b", 1, "B")), upsert(chain(t, "agro_c", 1, "C"))),
	})
	s := snapshot(t, c)
	list, err := s.Publishers(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range list {
		got = append(got, fmt.Sprintf("%s %d %s", p.ID, p.Version, p.Title.Plain))
	}
	if d := cmp.Diff([]string{"agro 1 Agro", "main 0 ", "water 3 Water office"}, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if d, err := s.Dataset(ctx, "main_a"); err != nil || d.Publisher.ID != "main" || d.Publisher.Version != 0 {
		t.Errorf("%+v, %v", d.Publisher, err)
	}
}

func TestChangedSinceSaysWhatReadsDifferentlyOrThatItCannotSay(t *testing.T) {
	ctx := context.Background()
	c := fresh(t)
	water, fire := chain(t, "main_water", 2, "Water"), chain(t, "main_fire", 1, "Fire")
	apply(t, c, portal.Change{Generation: 5, Upserts: portal.Upserts(upsert(water[:1]), upsert(fire)), Publishers: []portal.PublisherRecord{record(t, "main", 1, "Main")}})
	apply(t, c, portal.Change{Generation: 7, Upserts: portal.Upserts(upsert(water[1:]))})
	apply(t, c, portal.Change{Generation: 8, Removed: []portal.DatasetID{"main_fire", "main_never"}})
	apply(t, c, portal.Change{Generation: 9, Publishers: []portal.PublisherRecord{record(t, "main", 2, "New name")}})
	check := func(generation int64, complete bool, want ...portal.DatasetID) {
		t.Helper()
		ids, ok, err := c.ChangedSince(ctx, generation)
		if err != nil || ok != complete || !cmp.Equal(ids, want) {
			t.Errorf("since %d: %v, %v, %v; want %v, %v", generation, ids, ok, err, want, complete)
		}
	}
	check(0, true, "main_fire", "main_water")
	check(5, true, "main_fire", "main_water")
	check(7, true, "main_fire", "main_water")
	check(8, true, "main_water") // its publisher has a new name
	check(9, true)
	check(10, false) // of a commit that never came
	check(-1, false)
	apply(t, c, portal.Change{Generation: 9 + LoggedGenerations, Upserts: portal.Upserts(upsert(chain(t, "main_air", 1, "Air")))})
	check(8, false)
	check(9, true, "main_air")
	apply(t, c, portal.Change{Generation: 2000, Full: true, Upserts: portal.Upserts(upsert(water))})
	check(1999, false)
	check(2000, true)
	var rows int
	if err := c.db.Read.QueryRow("SELECT count(*) FROM changes").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows left in the log, %v", rows, err)
	}
}

func TestADamagedOrForeignFileIsErrDamagedAndNotAPanic(t *testing.T) {
	ctx := context.Background()
	whole := filepath.Join(t.TempDir(), "whole.db")
	c := open(t, whole)
	apply(t, c, portal.Change{Generation: 1, Upserts: portal.Upserts(upsert(chain(t, "main_water", 3, "Water")))})
	c.Close()
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{
		"garbage":           []byte(strings.Repeat("garbage", 3000)),
		"cut":               data[:len(data)/2],
		"cut in a page":     data[:len(data)-1000],
		"first page zeroed": append(make([]byte, 4096), data[4096:]...),
		"schema zeroed":     append(append(append([]byte{}, data[:100]...), make([]byte, 3996)...), data[4096:]...),
		"other application": append(append(append([]byte{}, data[:68]...), 1, 2, 3, 4), data[72:]...),
	} {
		path := filepath.Join(t.TempDir(), "catalog.db")
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := Open(ctx, path); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				c.Close()
			}
		}
	}
	c = open(t, whole)
	if _, err := c.db.Write.Exec("INSERT INTO migrations VALUES (9999, '9999_later.sql', '')"); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, err := Open(ctx, whole); !errors.Is(err, ErrDamaged) {
		t.Errorf("of a newer program: %v", err)
	}
}

func TestBytesThatRottedOnTheDiskAreNeverShown(t *testing.T) {
	ctx := context.Background()
	c := fresh(t)
	apply(t, c, portal.Change{
		Generation: 1, Upserts: portal.Upserts(upsert(chain(t, "main_water", 1, "Water"))),
		Publishers: []portal.PublisherRecord{record(t, "main", 1, "Main")},
	})
	for _, table := range []string{"publishers SET record = CAST(replace(record, 'laboratory', 'observatory') AS BLOB)", "releases SET manifest = CAST(replace(manifest, 'Water', 'Vodka') AS BLOB)"} {
		if _, err := c.db.Write.Exec("UPDATE " + table); err != nil {
			t.Fatal(err)
		}
		if _, err := snapshot(t, c).Dataset(ctx, "main_water"); !errors.Is(err, ErrDamaged) {
			t.Errorf("dataset: %v", err)
		}
	}
	s := snapshot(t, c)
	if _, err := s.Publishers(ctx); !errors.Is(err, ErrDamaged) {
		t.Errorf("publishers: %v", err)
	}
	if _, err := s.Manifest(ctx, "main_water", 1); !errors.Is(err, ErrDamaged) {
		t.Errorf("manifest: %v", err)
	}
	if _, err := s.Release(ctx, "main_water", 1); !errors.Is(err, ErrDamaged) {
		t.Errorf("release: %v", err)
	}
}
