package index

import (
	"slices"

	bleveindex "github.com/blevesearch/bleve_index_api"
)

// document is a dataset as Bleve's segments take it: fields whose terms are
// ready. Bleve's own documents would analyse text, keep it, and give every term
// positions; here only words have them, for phrases.
type document struct {
	id     string
	fields []field
}

// field is one field of a document. No two fields of one document have one name.
type field struct {
	name    string
	options bleveindex.FieldIndexingOptions
	terms   bleveindex.TokenFrequencies
	value   []byte // of the id alone
}

const (
	textOptions  = bleveindex.IndexField | bleveindex.IncludeTermVectors
	plainOptions = bleveindex.IndexField | bleveindex.SkipFreqNorm // terms of which only the documents matter
	idOptions    = bleveindex.IndexField | bleveindex.StoreField
)

// add adds a field; one without terms is left out.
func (d *document) add(name string, options bleveindex.FieldIndexingOptions, ts terms) {
	if len(ts) > 0 {
		d.fields = append(d.fields, field{name: name, options: options, terms: bleveindex.TokenFrequencies(ts)})
	}
}

// addValues adds a field in which each distinct value is one term.
func (d *document) addValues(name string, values ...string) {
	ts := terms{}
	for _, v := range values {
		ts.add(v, 0)
	}
	d.add(name, plainOptions, ts)
}

// AddIDField adds the field by which Bleve knows the document.
func (d *document) AddIDField() {
	ts := terms{}
	ts.add(d.id, 1)
	d.fields = append(d.fields, field{name: "_id", options: idOptions, terms: bleveindex.TokenFrequencies(ts), value: []byte(d.id)})
}

// VisitFields calls visit for every field.
func (d *document) VisitFields(visit bleveindex.FieldVisitor) {
	for i := range d.fields {
		visit(&d.fields[i])
	}
}

// What Bleve's interface asks of a document besides; nothing is stored and
// nothing composed, and sizes serve its statistics only.
func (d *document) ID() string                                      { return d.id }
func (d *document) Size() int                                       { return len(d.id) }
func (d *document) VisitComposite(bleveindex.CompositeFieldVisitor) {}
func (d *document) HasComposite() bool                              { return false }
func (d *document) NumPlainTextBytes() uint64                       { return 0 }
func (d *document) StoredFieldsBytes() uint64                       { return 0 }
func (d *document) Indexed() bool                                   { return true }

// What Bleve asks of a field. The length is 1 for all: lengths are not scored,
// and Bleve keeps a term of one document in its dictionary alone only when its
// length is not 0.
func (f *field) Name() string                                          { return f.name }
func (f *field) Value() []byte                                         { return f.value }
func (f *field) ArrayPositions() []uint64                              { return nil }
func (f *field) EncodedFieldType() byte                                { return 't' }
func (f *field) Analyze()                                              {}
func (f *field) Options() bleveindex.FieldIndexingOptions              { return f.options }
func (f *field) AnalyzedLength() int                                   { return 1 }
func (f *field) AnalyzedTokenFrequencies() bleveindex.TokenFrequencies { return f.terms }
func (f *field) NumPlainTextBytes() uint64                             { return 0 }

// terms are the terms of one field of one document. Those without positions
// share what stands for them (shared).
type terms bleveindex.TokenFrequencies

// shared stand for terms without positions, by their mark.
var shared = func() (all [1 << len(kindNames)]bleveindex.TokenFreq) {
	for i := range all {
		all[i].SetFrequency(i)
	}
	return all
}()

// add adds a term without a position; mark is kept in place of its frequency.
func (ts terms) add(term string, mark int) {
	if term == "" {
		return
	}
	if old := ts[term]; old != nil {
		mark |= old.Frequency()
	}
	ts[term] = &shared[mark]
}

// text collects the terms of a field with positions. What Bleve wants pointers to
// is cut from slabs: a document has hundreds of them.
type text struct {
	terms     terms
	at        int // position of the last word
	freqs     []bleveindex.TokenFreq
	locations []bleveindex.TokenLocation
	pointers  []*bleveindex.TokenLocation
}

// slab is how many of a kind are made at once.
const slab = 32

func newText(words int) *text { return &text{terms: make(terms, words)} }

// addToken adds the next word: its loose key with its position, its stems
// without.
func (x *text) addToken(t *token, mark int) {
	x.at++
	if t.loose != "" {
		tf := x.terms[t.loose]
		if tf == nil {
			if len(x.freqs) == 0 {
				x.freqs = make([]bleveindex.TokenFreq, slab)
				x.pointers = make([]*bleveindex.TokenLocation, slab)
			}
			tf, x.freqs = &x.freqs[0], x.freqs[1:]
			tf.Locations, x.pointers = x.pointers[:0:1], x.pointers[1:]
			x.terms[t.loose] = tf
		}
		tf.SetFrequency(tf.Frequency() | mark)
		if len(x.locations) == 0 {
			x.locations = make([]bleveindex.TokenLocation, slab)
		}
		x.locations[0].Position = x.at
		tf.Locations, x.locations = append(tf.Locations, &x.locations[0]), x.locations[1:]
	}
	for _, s := range t.stems {
		x.terms.add(s.term, mark)
	}
}

// kindsIn gives the names of the kinds whose bits are set.
func kindsIn(mark uint64) []string {
	var kinds []string
	for k, name := range kindNames {
		if mark&(1<<k) != 0 {
			kinds = append(kinds, name)
		}
	}
	return slices.Clip(kinds)
}
