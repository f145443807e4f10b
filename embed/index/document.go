package index

import (
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/document"
	bleveindex "github.com/blevesearch/bleve_index_api"

	"koprik/portal"
	"koprik/portal/lang"
)

// The fields of the index. Text is in three; the others hold one term for each
// value.
const (
	fieldTitle   = "title"   // titles by the strict key
	fieldTitles  = "titles"  // titles by the loose key, with stems and the whole title's key
	fieldBody    = "body"    // everything else by the loose key, with stems
	fieldUpdated = "updated" // time of issue, seconds since 1970 in 12 digits
)

// Fields of facts that rank, and of words as they are spelt in titles.
const (
	fieldSubset = "subset" // of which part of the whole the title speaks
	fieldLength = "length" // words of the title
	fieldWords  = "words"  // loose key, NUL, the word as it is spelt in a title
)

// facetFields are the facets that are fields, by the names of the facets.
// Freshness is none: it is counted from the time of issue.
var facetFields = []portal.Facet{
	portal.FacetTheme, portal.FacetPublisher, portal.FacetRegion, portal.FacetYear,
	portal.FacetFormat, portal.FacetLicense, portal.FacetLanguage, portal.FacetSex,
}

// kind says what part of a dataset a word of the body stands in. It travels as
// the array position of the word, so that one field serves for all kinds.
type kind uint64

const (
	kindDescription kind = iota
	kindKeyword
	kindPublisher
	kindColumn
	kindValue
	kindQuestion
)

// kindNames are the names that portal.Hit gives them.
var kindNames = []string{kindDescription: "description", kindKeyword: "keyword", kindPublisher: "publisher", kindColumn: "column", kindValue: "value", kindQuestion: "question"}

const (
	textOptions  = bleveindex.IndexField | bleveindex.IncludeTermVectors
	plainOptions = bleveindex.IndexField | bleveindex.SkipFreqNorm // words without positions, and values
)

// phraseGap keeps a phrase from reaching from one wording into the next.
const phraseGap = 100

// document gives what is indexed of a dataset.
func (a *analyser) document(d *Document) *document.Document {
	doc := document.NewDocument(string(d.Dataset.ID))
	r := &d.Dataset.Latest
	a.addTitle(doc, r.Title)
	f := a.facts(d)
	a.addBody(doc, kindDescription, append(wordings(r.Description), resourceTexts(r.Resources)...))
	a.addBody(doc, kindKeyword, append(keywords(&d.Dataset), plain(f.years)...)) // "2010-2024" is found by 2018
	a.addBody(doc, kindPublisher, wordings(d.Dataset.Publisher.Title))
	a.addBody(doc, kindColumn, columnTexts(r.Resources))
	a.addBody(doc, kindValue, plain(d.Values[:min(len(d.Values), MaxValues)]))
	var talk []wording
	for _, q := range d.Questions {
		talk = append(talk, wordings(q)...)
	}
	a.addBody(doc, kindQuestion, talk)
	addFacts(doc, d, f)
	return doc
}

// addFacts indexes what the columns of segments are made of.
func addFacts(doc *document.Document, d *Document, f facts) {
	r := &d.Dataset.Latest
	var themes, formats, licenses []string
	for _, t := range r.Themes {
		themes = append(themes, string(t))
	}
	for i := range r.Resources {
		formats = append(formats, r.Resources[i].Format)
	}
	for _, l := range r.Licenses {
		licenses = append(licenses, l.Name)
	}
	addValues(doc, string(portal.FacetTheme), themes)
	addValues(doc, string(portal.FacetPublisher), []string{string(d.Dataset.ID.Publisher())})
	addValues(doc, string(portal.FacetRegion), f.regions)
	addValues(doc, string(portal.FacetYear), f.years)
	addValues(doc, string(portal.FacetFormat), formats)
	addValues(doc, string(portal.FacetLicense), licenses)
	addValues(doc, string(portal.FacetLanguage), f.languages)
	addValues(doc, string(portal.FacetSex), []string{f.sex})
	addValues(doc, fieldUpdated, []string{sortableTime(r.Issued.Unix())})
	addValues(doc, fieldSubset, []string{strconv.Itoa(int(f.subset))})
	addValues(doc, fieldLength, []string{strconv.Itoa(min(f.length, 255))})
	addValues(doc, fieldWords, spelt(r.Title))
}

// spelt gives the words of the titles, each by its loose key and as spelt.
func spelt(title portal.Text) []string {
	var terms []string
	for _, w := range wordings(title) {
		for _, raw := range lang.Tokens(w.text) {
			if key := lang.FoldLooseIn(w.lang, raw); len(key) > 1 && len(raw) <= maxTerm {
				terms = append(terms, cut(key)+"\x00"+strings.ToLower(raw))
			}
		}
	}
	return terms
}

func plain(texts []string) []wording {
	ws := make([]wording, len(texts))
	for i, s := range texts {
		ws[i] = wording{"", s}
	}
	return ws
}

// sortableTime writes seconds so that their order as text is their order.
func sortableTime(unix int64) string {
	digits := strconv.FormatInt(min(max(unix, 0), 999_999_999_999), 10)
	return strings.Repeat("0", 12-len(digits)) + digits
}

// wording is a text in a language; the language is "" when nobody said.
type wording struct {
	lang portal.Lang
	text string
}

// wordings gives every distinct wording of a text with its language.
func wordings(t portal.Text) []wording {
	var ws []wording
	for _, l := range portal.Langs {
		if s := t.Translated[l]; s != "" {
			ws = append(ws, wording{l, s})
		}
	}
	if t.Plain != "" && !slices.ContainsFunc(ws, func(w wording) bool { return w.text == t.Plain }) {
		ws = append(ws, wording{"", t.Plain})
	}
	return ws
}

// keywords are the keywords, the name of the dataset and the indicator's code.
func keywords(d *portal.Dataset) []wording {
	ws := []wording{{"", d.ID.Name()}}
	for _, k := range d.Latest.Keywords {
		ws = append(ws, wording{"", k})
	}
	return append(ws, wording{"", d.Latest.Passport.Indicator})
}

func resourceTexts(rs []portal.Resource) []wording {
	var ws []wording
	for i := range rs {
		ws = append(ws, wording{"", rs[i].Name})
		ws = append(ws, wordings(rs[i].Title)...)
		ws = append(ws, wordings(rs[i].Description)...)
	}
	return ws
}

func columnTexts(rs []portal.Resource) []wording {
	var ws []wording
	for i := range rs {
		if rs[i].Schema == nil {
			continue
		}
		for _, f := range rs[i].Schema.Fields {
			ws = append(ws, wording{"", f.Name})
			ws = append(ws, wordings(f.Title)...)
		}
	}
	return ws
}

// stream is a ready token stream that stands in for an analyzer: our words are
// analysed with their language, which Bleve's analyzers are not told.
type stream analysis.TokenStream

// Analyze gives the stream, whatever the value.
func (s stream) Analyze([]byte) analysis.TokenStream { return analysis.TokenStream(s) }

// addTitle indexes a title in both title fields.
func (a *analyser) addTitle(doc *document.Document, title portal.Text) {
	var strict, loose stream
	pos := 0
	for _, w := range wordings(title) {
		for _, raw := range lang.Tokens(w.text) {
			pos++
			t := a.analyse(raw, w.lang)
			strict = addTerm(strict, t.strict, pos)
			loose = addToken(loose, t, pos)
		}
		loose = addTerm(loose, wholeTitle(lang.FoldLooseIn(w.lang, w.text)), pos+1)
		pos += phraseGap
	}
	addText(doc, fieldTitle, nil, strict, plainOptions)
	addText(doc, fieldTitles, nil, loose, textOptions)
}

// addBody indexes wordings of one kind in the body.
func (a *analyser) addBody(doc *document.Document, k kind, ws []wording) {
	var s stream
	pos := 0
	for _, w := range ws {
		for _, raw := range lang.Tokens(w.text) {
			pos++
			s = addToken(s, a.analyse(raw, w.lang), pos)
		}
		pos += phraseGap
	}
	addText(doc, fieldBody, []uint64{uint64(k)}, s, textOptions)
}

func addToken(s stream, t token, pos int) stream {
	s = addTerm(s, t.loose, pos)
	for _, stem := range t.stems {
		s = addTerm(s, stem.term, pos)
	}
	return s
}

func addTerm(s stream, term string, pos int) stream {
	if term == "" {
		return s
	}
	return append(s, &analysis.Token{Term: []byte(term), Position: pos, Type: analysis.AlphaNumeric})
}

func addText(doc *document.Document, field string, arrayPositions []uint64, s stream, options bleveindex.FieldIndexingOptions) {
	if len(s) > 0 {
		doc.AddField(document.NewTextFieldCustom(field, arrayPositions, nil, options, s))
	}
}

// addValues indexes each distinct value as one term.
func addValues(doc *document.Document, field string, values []string) {
	slices.Sort(values)
	for _, v := range slices.Compact(values) {
		if v != "" {
			doc.AddField(document.NewTextFieldCustom(field, nil, []byte(v), plainOptions, nil))
		}
	}
}

// wholeTitle is the term that stands for a whole folded title, so that the
// query that is exactly a title finds it first.
func wholeTitle(folded string) string {
	if folded == "" {
		return ""
	}
	h := fnv.New64a()
	h.Write([]byte(folded))
	return "=" + strconv.FormatUint(h.Sum64(), 36)
}
