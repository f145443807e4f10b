package catalog

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"koprik/portal"
)

// due is one release of a dataset that is due again on a day.
func due(t testing.TB, id portal.DatasetID, day portal.Date) portal.Upsert {
	t.Helper()
	return upsert([]portal.SignedManifest{sign(t, portal.Release{
		Dataset: id, Number: 1, Issued: day0, Title: portal.PlainText("x"), Licenses: []portal.License{{Name: "CC-BY-4.0"}},
		Passport:  portal.Passport{Contact: "lab", Uploaded: portal.DateOf(day0), NextDue: day},
		Resources: []portal.Resource{{Name: "t", Path: "t.csv", Format: "csv", MediaType: "text/csv", Bytes: 1, Hash: portal.DigestOf([]byte(id))}},
	})}, "aa")
}

func TestWhatIsOverdueIsCountedInACatalogueOfAnySize(t *testing.T) {
	c := fresh(t)
	ch := portal.Change{Generation: 1}
	const all = 2500
	upserts := []portal.Upsert{due(t, "main_nobody-said", "")}
	for i := range all {
		upserts = append(upserts, due(t, portal.DatasetID(fmt.Sprintf("main_set-%04d", i)), portal.Date(fmt.Sprintf("2026-%02d-01", 1+i%12))))
	}
	ch.Upserts = portal.Upserts(upserts...)
	apply(t, c, ch)
	s := snapshot(t, c)
	defer s.Close()
	ids, total, err := s.Overdue(context.Background(), "2026-03-01", 2)
	if want := all/12 + 1 + all/12 + 1; err != nil || total != want || !slices.Equal(ids, []portal.DatasetID{"main_set-0000", "main_set-0012"}) {
		t.Errorf("%v of %d, %v; want %d", ids, total, err, want)
	}
	if ids, total, err := s.Overdue(context.Background(), "2026-01-01", 2); err != nil || total != 0 || len(ids) != 0 {
		t.Errorf("on the day itself nothing is overdue: %v of %d, %v", ids, total, err)
	}
}

func TestACatalogueMadeBeforeLearnsWhatIsDue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c := open(t, path)
	apply(t, c, portal.Change{Generation: 1, Upserts: portal.Upserts(due(t, "main_a", "2026-01-31"), due(t, "main_b", ""))})
	for _, q := range []string{"DROP INDEX datasets_by_due", "ALTER TABLE datasets DROP COLUMN due", "DROP TABLE fingerprints", "DELETE FROM migrations WHERE number >= 2"} {
		if _, err := c.db.Write.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	s := snapshot(t, open(t, path))
	defer s.Close()
	if ids, total, err := s.Overdue(context.Background(), "2026-02-01", 9); err != nil || total != 1 || !slices.Equal(ids, []portal.DatasetID{"main_a"}) {
		t.Errorf("%v of %d, %v", ids, total, err)
	}
}

func TestAWithdrawnDatasetIsNotOverdue(t *testing.T) {
	c := fresh(t)
	first := due(t, "main_a", "2026-01-31")
	gone := sign(t, portal.Release{
		Dataset: "main_a", Number: 2, Issued: day0.AddDate(0, 1, 0), Title: portal.PlainText("x"), Reason: portal.PlainText("names"),
		Previous: &portal.PreviousRelease{Release: 1, SHA256: portal.DigestOf(first.Manifests[0].Bytes), Length: int64(len(first.Manifests[0].Bytes))},
		Licenses: []portal.License{{Name: "CC-BY-4.0"}}, Withdrawn: &portal.Withdrawal{Reason: portal.PlainText("names of persons")},
		Passport: portal.Passport{Contact: "lab", Uploaded: portal.DateOf(day0), NextDue: "2026-01-31"},
	})
	apply(t, c, portal.Change{Generation: 1, Upserts: portal.Upserts(first)})
	apply(t, c, portal.Change{Generation: 2, Upserts: portal.Upserts(upsert([]portal.SignedManifest{gone}, "aa"))})
	s := snapshot(t, c)
	defer s.Close()
	if ids, total, err := s.Overdue(context.Background(), "2026-12-31", 9); err != nil || total != 0 {
		t.Errorf("%v of %d, %v", ids, total, err)
	}
}
