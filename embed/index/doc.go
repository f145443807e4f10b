// Package index is the full-text index over the catalogue: Bleve's scorch, with
// a mapping of our own that is fixed in code. The catalogue is the truth; this
// index is derived from it and may be deleted at any time.
//
// # What is indexed
//
// Every dataset that is not withdrawn, in three text fields: its titles by the
// strict key of portal/lang, its titles by the loose key, and everything else
// by the loose key (description, keywords, publisher, columns, values,
// questions). Stems stand beside the words. Nothing is stored and nothing has
// doc values: what facets, filters, sorting and ranking need is indexed as terms
// (facts.go) and loaded into columns.
//
// # How a search runs
//
// Bleve keeps the terms and their postings, merges segments and pins snapshots;
// everything above that is ours. A query becomes a plan (plan.go): groups of
// alternatives, which are words and phrases, and conditions. For every segment
// the sets of documents of the plan's terms are read as bitmaps, without
// frequencies and lengths, and combined (match.go, run.go); what matches is
// scored, filtered, counted and put in order in one pass over columns in memory
// (columns.go, collect.go). A column has one small number for each document and
// facet, which names a set of values. Columns belong to segments, which never
// change, so an update loads those of new segments only; they load with the
// first search after an open.
//
// The score of a document is the sum over the plan's words of boost × rarity for
// every field and form in which it has them, times a prior: short titles before
// long ones, the whole before parts that the query does not name, fresh before
// stale. A query that is a whole title finds that title first.
//
// # Builds
//
// An index lives in <dir>/<build>/, and the build is named after the mapping.
// A program with another mapping, or with other folding, opens another, empty
// build and removes the old one; the node fills it. Whoever changes what
// analyser.document or package lang makes of a text must raise mappingVersion.
//
// # Generations, and a crash in the middle of an update
//
// Update carries the index from one generation to another in batches. Each
// batch is atomic and durable when it returns. The state of the index is one
// record that travels inside the batches:
//
//	generation  the generation that the index held whole
//	last        the ids that the update to it touched
//	updating    present while an update is unfinished: its generation and ids
//
// The first batch of an update that needs several writes "updating" together
// with its documents; the last writes the new generation and ids and drops
// "updating", together with its documents. So after a crash:
//
//   - without "updating", the index is exactly at Generation. That may be one
//     ahead of the catalogue, when the crash came before the catalogue's commit;
//   - with "updating", Interrupted reports true, Generation is still the one
//     before, LastUpdate is everything the unfinished and the last whole update
//     touched, and Reader gives ErrInterrupted: no page is made of two
//     generations.
//
// The node's rule: when Generation differs from the catalogue's, or when
// Interrupted, call Update with the catalogue's generation and with the datasets
// of LastUpdate and of the catalogue's changes since Generation, as the
// catalogue has them now; those that it has not go into removed. Update refuses
// to finish an interrupted update while leaving out a dataset of it.
//
// # Readers
//
// A Reader is a snapshot of Bleve's, held by reference: what it searches, counts
// and sorts does not change, whatever is updated later. Reader gives the
// snapshot of the newest whole generation, never the middle of an update.
package index
