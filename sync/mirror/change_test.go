package mirror

import (
	"io"
	"testing"

	"koprik/portal"
)

// readCounter is contents that count how often bytes are read.
type readCounter struct {
	Contents
	reads int
}

func (c *readCounter) ReadAll(portal.Digest, int64) ([]byte, error) {
	c.reads++
	return []byte("{}"), nil
}

func (c *readCounter) PutExpect(io.Reader, portal.Digest, int64) error { return nil }

// A first sync of a country holds one manifest and not all of them: each is read
// when the one before was taken.
func TestAChangeHoldsOneDatasetAtATime(t *testing.T) {
	held := &readCounter{}
	m := Open(Options{Contents: held})
	a := m.newAccepted()
	a.vets["main"] = vet{Signers: []string{"aa"}}
	list := []fresh{{"main_a", []link{{1, portal.Digest{1}}, {2, portal.Digest{2}}}}, {"main_b", []link{{1, portal.Digest{3}}}}, {"main_c", []link{{1, portal.Digest{4}}}}}
	upserts := (&round{m: m}).upserts(list, a)
	for range 2 { // it may be gone through again
		held.reads = 0
		want := []int{2, 3, 4}
		for u, err := range upserts {
			if err != nil || held.reads != want[0] || len(u.Signers) != 1 {
				t.Errorf("%s: %d reads, want %d; %v", u.Dataset, held.reads, want[0], err)
			}
			want = want[1:]
		}
		if len(want) != 0 {
			t.Errorf("%d datasets were not given", len(want))
		}
	}
	for range upserts {
		break
	}
}

// What a plan keeps of a resource does not grow with its schema and its words.
func TestAPlanKeepsWhatItTakesToFetch(t *testing.T) {
	p := (&Mirror{o: Options{Contents: nothingHeld{}}}).planning()
	res := portal.Resource{
		Name: "t", Format: "csv", Bytes: 7, Hash: portal.Digest{1}, Title: portal.Text{Plain: "long"}, Description: portal.Text{Plain: "longer"},
		Schema: &portal.TableSchema{Fields: make([]portal.Field, 1000)}, Dialect: []byte(`{"delimiter":";"}`),
		Sheets: make([]portal.Sheet, 100),
	}
	p.add(portal.Release{Dataset: "main_a", Resources: []portal.Resource{res, res}})
	p.add(portal.Release{Dataset: "main_b", Resources: []portal.Resource{res}})
	fetch, left := p.parts()
	if len(fetch) != 1 || len(left) != 0 || fetch[0].Dataset != "main_a" {
		t.Fatalf("%d to fetch, %d left out", len(fetch), len(left))
	}
	got := fetch[0].Resource
	if got.Hash != res.Hash || got.Bytes != 7 || got.Format != "csv" || got.Schema == nil {
		t.Errorf("%+v", got)
	}
	if !got.Title.IsZero() || !got.Description.IsZero() || got.Dialect != nil || len(got.Schema.Fields) != 0 || got.Sheets != nil {
		t.Errorf("kept as well: %+v", got)
	}
}

type nothingHeld struct{ Contents }

func (nothingHeld) Has(portal.Digest) bool { return false }
