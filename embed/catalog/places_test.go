package catalog

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"koprik/portal"
)

// filed is the releases of a dataset whose files have these contents, one each.
func filed(t testing.TB, id portal.DatasetID, contents ...string) portal.Upsert {
	t.Helper()
	var all []portal.SignedManifest
	for i, content := range contents {
		r := portal.Release{
			Dataset: id, Number: i + 1, Issued: day0, Title: portal.PlainText("x"), Licenses: []portal.License{{Name: "CC-BY-4.0"}},
			Passport:  portal.Passport{Contact: "lab", Uploaded: portal.DateOf(day0)},
			Resources: []portal.Resource{{Name: "t", Path: "t.csv", Format: "csv", MediaType: "text/csv", Bytes: 1, Hash: portal.DigestOf([]byte(content))}},
		}
		if i > 0 {
			before := all[i-1].Bytes
			r.Previous = &portal.PreviousRelease{Release: i, SHA256: portal.DigestOf(before), Length: int64(len(before))}
		}
		all = append(all, sign(t, r))
	}
	return upsert(all, "aa")
}

func wantPlaces(t *testing.T, c *Catalog, d portal.Digest, want ...Place) {
	t.Helper()
	s := snapshot(t, c)
	defer s.Close()
	got, err := s.Places(context.Background(), d, 10)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s is in %v, %v; want %v", d.Short(), got, err, want)
	}
}

func TestAFileIsFoundByItsHashInEveryReleaseThatHasIt(t *testing.T) {
	c := fresh(t)
	a, b := filed(t, "main_a", "one", "two", "one"), filed(t, "main_b", "two")
	apply(t, c, portal.Change{Generation: 1, Upserts: portal.Upserts(a, b)})
	wantPlaces(t, c, portal.DigestOf([]byte("one")), Place{"main_a", 3}, Place{"main_a", 1})
	wantPlaces(t, c, portal.DigestOf([]byte("two")), Place{"main_a", 2}, Place{"main_b", 1})
	wantPlaces(t, c, portal.DigestOf(a.Manifests[1].Bytes), Place{"main_a", 2})
	wantPlaces(t, c, portal.DigestOf([]byte("other")))
	apply(t, c, portal.Change{Generation: 2, Removed: []portal.DatasetID{"main_b"}})
	wantPlaces(t, c, portal.DigestOf([]byte("two")), Place{"main_a", 2})
}

func TestACatalogueMadeBeforeLearnsItsFingerprints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c := open(t, path)
	a := filed(t, "main_a", "one", "two")
	apply(t, c, portal.Change{Generation: 1, Upserts: portal.Upserts(a)})
	for _, q := range []string{"DROP TABLE fingerprints", "DELETE FROM migrations WHERE number >= 3"} {
		if _, err := c.db.Write.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = open(t, path)
	wantPlaces(t, c, portal.DigestOf([]byte("one")), Place{"main_a", 1})
	wantPlaces(t, c, portal.DigestOf([]byte("two")), Place{"main_a", 2})
	wantPlaces(t, c, portal.DigestOf(a.Manifests[0].Bytes), Place{"main_a", 1})
}
