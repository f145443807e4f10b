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
	values := plain(d.Values[:min(len(d.Values), MaxValues)])
	var f facts
	a.addTitle(doc, &f, r.Title)
	body := newText(128)
	a.addBody(body, &f, kindDescription, wordings(r.Description))
	a.addBody(body, &f, kindDescription, resourceNames(r.Resources))
	a.addBody(body, nil, kindDescription, resourceDescriptions(r.Resources))
	a.addBody(body, &f, kindKeyword, keywords(&d.Dataset))
	a.addBody(body, nil, kindKeyword, []wording{{"", r.Passport.Indicator}})
	a.addBody(body, nil, kindPublisher, wordings(d.Dataset.Publisher.Title))
	a.addBody(body, nil, kindColumn, columnTexts(r.Resources))
	a.addBody(body, &f, kindValue, values)
	a.addBody(body, nil, kindQuestion, allWordings(d.Questions))
	a.addBody(body, nil, kindReuse, allWordings(d.Reuses))
	a.finish(&f, d)
	a.addBody(body, nil, kindKeyword, plain(f.years)) // "2010-2024" is found by 2018
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
	addOrder(doc, r.Title)
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

// keywords are the keywords and the name of the dataset.
func keywords(d *portal.Dataset) []wording {
	return append(plain(d.Latest.Keywords), wording{"", strings.ReplaceAll(d.ID.Name(), "-", " ")})
}

func resourceNames(rs []portal.Resource) []wording {
	var ws []wording
	for i := range rs {
		ws = append(ws, wording{"", rs[i].Name})
		ws = append(ws, wordings(rs[i].Title)...)
	}
	return ws
}

func resourceDescriptions(rs []portal.Resource) []wording {
	var ws []wording
	for i := range rs {
		ws = append(ws, wordings(rs[i].Description)...)
	}
	return ws
}

func columnTexts(rs []portal.Resource) []wording {
	var ws []wording
	for i := range rs {
		for s := range rs[i].Schemas() {
			for _, f := range s.Fields {
				ws = append(ws, wording{"", f.Name})
				ws = append(ws, wordings(f.Title)...)
			}
		}
	}
	return ws
}

// addTitle indexes a title in both title fields, and its words as they are
// spelt, and reads its facts.
func (a *analyser) addTitle(doc *document, f *facts, title portal.Text) {
	strict, loose, spelt := make(terms, 32), newText(64), make(terms, 32)
	for _, w := range wordings(title) {
		v, telling := a.of(w.lang), false
		a.raws, a.keys = lang.AppendTokens(a.raws[:0], w.text), a.keys[:0]
		for _, raw := range a.raws {
			t := a.analyse(v, raw, w.lang)
			telling = a.note(t) || telling
			strict.add(t.strict, 1)
			loose.addToken(t, 1)
			if len(t.loose) > 1 && len(raw) <= maxTerm {
				spelt.add(t.loose+"\x00"+strings.ToLower(raw), 1)
			}
		}
		f.readTitle(w, a.keys, telling)
		loose.terms.add(wholeTitle(lang.FoldLooseIn(w.lang, w.text)), 1)
		loose.at += phraseGap
	}
	doc.add(fieldTitle, plainOptions, strict)
	doc.add(fieldTitles, textOptions, loose.terms)
	doc.add(fieldWords, plainOptions, spelt)
}

// addBody indexes wordings of one kind in the body, and reads their facts unless
// f is nil.
func (a *analyser) addBody(body *text, f *facts, k kind, ws []wording) {
	for _, w := range ws {
		v, telling := a.of(w.lang), false
		a.raws, a.keys = lang.AppendTokens(a.raws[:0], w.text), a.keys[:0]
		for _, raw := range a.raws {
			t := a.analyse(v, raw, w.lang)
			telling = a.note(t) || telling
			body.addToken(t, 1<<k)
		}
		if f != nil {
			f.read(w.text, a.keys, telling)
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
