package index

import (
	"slices"
	"sort"

	"github.com/blevesearch/bleve/v2/search"
	bleveindex "github.com/blevesearch/bleve_index_api"

	"koprik/portal"
)

// matched tells for each hit of a page in which kinds of field the words of the
// query stand, "title" first. It looks only at the page, for positions are
// costly to read.
func (p *plan) matched(hits search.DocumentMatchCollection, clauses []clause, l portal.Lang) ([][]string, error) {
	found := make([]map[string]bool, len(hits))
	order := make([]int, len(hits)) // by place in the index: posting lists only go forward
	for i := range hits {
		found[i], order[i] = map[string]bool{}, i
	}
	sort.Slice(order, func(i, j int) bool {
		return hits[order[i]].IndexInternalID.Compare(hits[order[j]].IndexInternalID) < 0
	})
	for _, c := range clauses {
		if c.exclude {
			continue
		}
		for _, word := range c.words {
			for _, t := range termsOf(word, l) {
				if c.phrase && isStem(t.text) {
					continue
				}
				if err := p.mark(t, hits, order, found); err != nil {
					return nil, err
				}
			}
		}
	}
	names := append([]string{fieldTitle}, kindNames...)
	out := make([][]string, len(hits))
	for i := range out {
		for _, name := range names {
			if found[i][name] {
				out[i] = append(out[i], name)
			}
		}
	}
	return out, nil
}

// mark notes the kinds of field in which a term stands, for every hit.
func (p *plan) mark(t term, hits search.DocumentMatchCollection, order []int, found []map[string]bool) (err error) {
	r, err := p.reader.TermFieldReader(p.ctx, []byte(t.text), t.field, true, true, t.field == fieldBody)
	if err != nil {
		return err
	}
	defer r.Close()
	for _, i := range order {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		id := hits[i].IndexInternalID
		doc, err := r.Advance(id, nil)
		if err != nil {
			return err
		}
		if doc == nil {
			return nil
		}
		if !doc.ID.Equals(id) {
			continue
		}
		for _, kind := range kindsOf(t.field, doc) {
			found[i][kind] = true
		}
	}
	return nil
}

func kindsOf(field string, doc *bleveindex.TermFieldDoc) []string {
	if field != fieldBody {
		return []string{fieldTitle}
	}
	var kinds []string
	for _, v := range doc.Vectors {
		if len(v.ArrayPositions) == 1 && v.ArrayPositions[0] < uint64(len(kindNames)) {
			kinds = append(kinds, kindNames[v.ArrayPositions[0]])
		}
	}
	return slices.Compact(kinds)
}
