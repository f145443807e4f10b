package index

import (
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

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
	fieldUse    = "use"    // how much it is used (useOf)
	fieldWords  = "words"  // loose key, NUL, the word as it is spelt in a title
)

// facetFields are the facets that are fields, by the names of the facets.
// Freshness is none: it is counted from the time of issue.
var facetFields = []portal.Facet{
	portal.FacetTheme, portal.FacetPublisher, portal.FacetRegion, portal.FacetYear,
	portal.FacetFormat, portal.FacetLicense, portal.FacetLanguage, portal.FacetSex,
}

// kind says what part of a dataset a word of the body stands in. The kinds of a
// word are bits in the place where Bleve keeps how often it stands there, which
// our score does not ask for; so one field serves for all kinds.
type kind uint8

const (
	kindDescription kind = iota
	kindKeyword
	kindPublisher
	kindColumn
	kindValue
	kindQuestion
	kindReuse
)

// kindNames are the names that portal.Hit gives them.
var kindNames = [...]string{kindDescription: "description", kindKeyword: "keyword", kindPublisher: "publisher", kindColumn: "column", kindValue: "value", kindQuestion: "question", kindReuse: "reuse"}

// phraseGap keeps a phrase from reaching from one wording into the next.
const phraseGap = 100

// document gives what is indexed of a dataset.
func (a *analyser) document(d *Document) *document {
	doc := &document{id: string(d.Dataset.ID)}
	r := &d.Dataset.Latest
	a.addTitle(doc, r.Title)
	f := a.facts(d)
	body := newText(64)
	a.addBody(body, kindDescription, append(wordings(r.Description), resourceTexts(r.Resources)...))
	a.addBody(body, kindKeyword, append(keywords(&d.Dataset), plain(f.years)...)) // "2010-2024" is found by 2018
	a.addBody(body, kindPublisher, wordings(d.Dataset.Publisher.Title))
	a.addBody(body, kindColumn, columnTexts(r.Resources))
	a.addBody(body, kindValue, plain(d.Values[:min(len(d.Values), MaxValues)]))
	a.addBody(body, kindQuestion, allWordings(d.Questions))
	a.addBody(body, kindReuse, allWordings(d.Reuses))
	doc.add(fieldBody, textOptions, body.terms)
	addFacts(doc, d, f)
	return doc
}

// addFacts indexes what the columns of segments are made of.
func addFacts(doc *document, d *Document, f facts) {
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
	doc.addValues(string(portal.FacetTheme), themes...)
	doc.addValues(string(portal.FacetPublisher), string(d.Dataset.ID.Publisher()))
	doc.addValues(string(portal.FacetRegion), f.regions...)
	doc.addValues(string(portal.FacetYear), f.years...)
	doc.addValues(string(portal.FacetFormat), formats...)
	doc.addValues(string(portal.FacetLicense), licenses...)
	doc.addValues(string(portal.FacetLanguage), f.languages...)
	doc.addValues(string(portal.FacetSex), f.sex)
	doc.addValues(fieldUpdated, sortableTime(r.Issued.Unix()))
	doc.addValues(fieldSubset, strconv.Itoa(int(f.subset)))
	doc.addValues(fieldLength, strconv.Itoa(min(f.length, 255)))
	doc.addValues(fieldUse, strconv.Itoa(int(useOf(d.Uses))))
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

func allWordings(ts []portal.Text) []wording {
	var ws []wording
	for _, t := range ts {
		ws = append(ws, wordings(t)...)
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

// addTitle indexes a title in both title fields, and its words as they are spelt.
func (a *analyser) addTitle(doc *document, title portal.Text) {
	strict, loose, spelt := terms{}, newText(32), terms{}
	for _, w := range wordings(title) {
		for _, raw := range lang.Tokens(w.text) {
			t := a.analyse(raw, w.lang)
			strict.add(t.strict, 1)
			loose.addToken(t, 1)
			if len(t.loose) > 1 && len(raw) <= maxTerm {
				spelt.add(t.loose+"\x00"+strings.ToLower(raw), 1)
			}
		}
		loose.terms.add(wholeTitle(lang.FoldLooseIn(w.lang, w.text)), 1)
		loose.at += phraseGap
	}
	doc.add(fieldTitle, plainOptions, strict)
	doc.add(fieldTitles, textOptions, loose.terms)
	doc.add(fieldWords, plainOptions, spelt)
}

// addBody indexes wordings of one kind in the body.
func (a *analyser) addBody(body *text, k kind, ws []wording) {
	for _, w := range ws {
		for _, raw := range lang.Tokens(w.text) {
			body.addToken(a.analyse(raw, w.lang), 1<<k)
		}
		body.at += phraseGap
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
