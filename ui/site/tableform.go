package site

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"koprik/portal"
	"koprik/portal/query"
)

// filterForm is the form beside a table.
type filterForm struct {
	Action     string
	Sheet      string
	Text       string // words in the rows
	Boxed      string // the columns that have boxes, for _f
	Boxes      []FacetBox
	Conditions []condition
	Columns    []Choice // for a new condition
	Ops        []Choice
	Sort       []Choice
	Desc       bool
	Shown      []Choice // which columns are shown; none where there are too many to choose from
}

// condition is one filter that is set; emptying its field takes it back.
type condition struct {
	ID    string
	Name  string // of the field: "Region__eq"
	Label string // "Region is"
	Value string
}

// Limits of a form.
const (
	maxFaceted = 4  // columns with boxes
	facetLimit = 30 // values of one; a column with more has no boxes
	maxChosen  = 60 // columns that can be chosen from
)

// faceted are the columns that have boxes: what the rows are about, in the
// reader's language, but for days and moments, of which no two are alike, and for
// codes beside words.
func (v *visit) faceted(columns []portal.Field) []string {
	var names []string
	worded := map[portal.ColumnRole]bool{}
	for _, c := range columns {
		worded[c.Meaning.Role] = worded[c.Meaning.Role] || !coded(c.Meaning)
	}
	for _, c := range columns {
		m := c.Meaning
		switch {
		case !m.Dimension(), m.SameAs != "", m.Kind == portal.KindDate, m.Kind == portal.KindMoment, coded(m) && worded[m.Role]:
		case len(names) < maxFaceted:
			names = append(names, v.inLanguage(columns, c))
		}
	}
	return names
}

// inLanguage is the column that says in the reader's language what c says; where
// none does, the first one in words of a language.
func (v *visit) inLanguage(columns []portal.Field, c portal.Field) string {
	name := ""
	for _, other := range columns {
		m := other.Meaning
		if m.Lang == "" || m.SameAs != c.Name && other.Name != c.Name {
			continue
		}
		if m.Lang == v.lang {
			return other.Name
		}
		name = cmp.Or(name, other.Name)
	}
	return cmp.Or(name, c.Name)
}

// otherWords tells whether a column says in another language what one in the
// reader's says.
func (v *visit) otherWords(columns []portal.Field, c portal.Field) bool {
	of := portal.Field{Name: cmp.Or(c.Meaning.SameAs, c.Name)}
	return c.Meaning.Lang != "" && v.inLanguage(columns, of) != c.Name
}

// viewColumns are the columns of a view; nil where it has all.
func (v *visit) viewColumns(columns []portal.Field, q portal.TableQuery) []string {
	if len(q.Columns) > 0 {
		return q.Columns
	}
	return v.usual(columns)
}

// usual are the columns that are shown when the address names none: of those that
// say the same in several languages or as codes only that of the reader's words,
// in the place of the first. nil where that is all of them, as they stand.
func (v *visit) usual(columns []portal.Field) []string { return v.reduced(columns, false) }

// reduced is usual, if wanted with the codes.
func (v *visit) reduced(columns []portal.Field, codes bool) []string {
	var names, all []string
	for _, c := range columns {
		all = append(all, c.Name)
		switch m := c.Meaning; {
		case m.SameAs != "" && (m.Lang != "" || coded(m) && !codes) && hasColumn(columns, m.SameAs):
		case m.SameAs != "":
			names = append(names, c.Name)
		default:
			worded := v.inLanguage(columns, c)
			if codes && coded(m) && worded != c.Name {
				names = append(names, c.Name)
			}
			names = append(names, worded)
		}
	}
	if slices.Equal(names, all) {
		return nil
	}
	return names
}

// choices are the columns that can be shown, those that are first. What says in
// another language what is shown in the reader's stands on that language's page.
func (v *visit) choices(columns []portal.Field, shown []string) []Choice {
	if len(columns) > maxChosen {
		return nil
	}
	var list []Choice
	add := func(c portal.Field, on bool) {
		list = append(list, Choice{Value: c.Name, Label: v.columnTitle(c), On: on})
	}
	for _, name := range shown {
		add(columns[slices.IndexFunc(columns, func(c portal.Field) bool { return c.Name == name })], true)
	}
	for _, c := range columns {
		if !slices.Contains(shown, c.Name) && (len(shown) == 0 || !v.otherWords(columns, c)) {
			add(c, len(shown) == 0)
		}
	}
	return list
}

func coded(m portal.Meaning) bool {
	return m.Kind == portal.KindSOATO || m.Kind == portal.KindISO || m.Kind == portal.KindCode
}

func (v *visit) filterForm(o opened, q portal.TableQuery, facets []portal.TableFacet) filterForm {
	columns := o.info.Columns
	f := filterForm{Action: v.r.URL.EscapedPath(), Sheet: v.query.Get("sheet"), Text: q.Text}
	inBoxes := v.boxes(&f, columns, q, facets)
	for i, c := range q.Filters {
		if (c.Op == portal.OpEqual || c.Op == portal.OpIn) && slices.Contains(inBoxes, c.Column) {
			continue
		}
		name := query.FilterName(c.Column, c.Op)
		value := query.Values(portal.TableQuery{Filters: []portal.TableFilter{c}}).Get(name)
		f.Conditions = append(f.Conditions, condition{
			ID: "c" + strconv.Itoa(i), Name: name, Value: value, Label: v.columnName(columns, c.Column) + ": " + v.Op(string(c.Op)),
		})
	}
	by := ""
	shown := v.viewColumns(columns, q)
	f.Shown = v.choices(columns, shown)
	if len(q.Order) > 0 {
		by, f.Desc = q.Order[0].By, q.Order[0].Desc
	}
	for _, c := range columns {
		if len(shown) > 0 && !slices.Contains(shown, c.Name) && c.Name != by {
			continue // who wants it there lets it be shown
		}
		title := v.columnTitle(c)
		f.Columns = append(f.Columns, Choice{Value: c.Name, Label: title})
		f.Sort = append(f.Sort, Choice{Value: query.OrderName(portal.TableOrder{By: c.Name}), Label: title, On: c.Name == by})
	}
	for _, op := range operators {
		f.Ops = append(f.Ops, Choice{Value: string(op), Label: Shown{Text: v.Op(string(op))}})
	}
	return f
}

// boxes fills the form with boxes, and says which columns have them. A column
// with one value has none unless it is chosen; one that is filtered in a way that
// boxes cannot say has none either.
func (v *visit) boxes(f *filterForm, columns []portal.Field, q portal.TableQuery, facets []portal.TableFacet) (names []string) {
	for _, facet := range facets {
		chosen, ok := boxed(q, facet.Column)
		if !ok || len(chosen) == 0 && (facet.Total < 2 || facet.Total > facetLimit) {
			continue
		}
		i := slices.IndexFunc(columns, func(c portal.Field) bool { return c.Name == facet.Column })
		if i < 0 {
			continue
		}
		names = append(names, facet.Column)
		f.Boxes = append(f.Boxes, v.box(columns[i], facet, chosen))
	}
	f.Boxed = query.FormatList(names)
	return names
}

func (v *visit) box(column portal.Field, facet portal.TableFacet, chosen []string) FacetBox {
	title := v.columnTitle(column)
	box := FacetBox{Name: boxPrefix + column.Name, Label: title.Text}
	found := map[string]string{} // counts of what is chosen
	var rest []Choice
	for _, value := range facet.Values {
		text := valueText(value.Value)
		if text == "" {
			continue
		}
		c := Choice{Value: text, Label: Shown{Text: v.cellText(value.Value, true)}, Count: v.Int(value.Count)}
		if slices.Contains(chosen, text) {
			found[text] = c.Count
		} else {
			rest = append(rest, c)
		}
	}
	if column.Meaning.Role == portal.RoleTime { // the newest first
		slices.SortFunc(rest, func(a, b Choice) int { return strings.Compare(b.Value, a.Value) })
	}
	if len(chosen) == 0 && len(rest) > 0 && !slices.ContainsFunc(rest, func(c Choice) bool { return c.Count != rest[0].Count }) {
		for i := range rest { // as many rows of each: that tells nothing
			rest[i].Count = ""
		}
	}
	for _, value := range chosen {
		box.Options = append(box.Options, Choice{Value: value, Label: Shown{Text: clip(value, cellText)}, Count: found[value], On: true})
	}
	for i, c := range rest {
		if i < shownOptions {
			box.Options = append(box.Options, c)
		} else {
			box.More = append(box.More, c)
		}
	}
	box.MoreOf = v.T("search.more", "n", len(box.More))
	return box
}

// viewFiles lead to exactly this view as files, of the release that is shown.
func (v *visit) viewFiles(o opened, q portal.TableQuery) []Link {
	if v.Kiosk != nil {
		return nil // nothing is taken away from a public screen
	}
	q.After, q.Limit, q.Facets, q.FacetLimit, q.Aggregates = "", 0, nil, 0, nil
	if len(q.Columns) == 0 { // codes are for those who go on working with a file
		q.Columns = v.reduced(o.info.Columns, true)
	}
	values := query.Values(q)
	if o.info.Sheet != "" && len(o.infos) > 1 {
		values.Set("sheet", o.info.Sheet)
	}
	values.Set("release", strconv.Itoa(o.dataset.Latest.Number))
	address := "/api/v1/tables/" + string(o.dataset.ID) + "/" + url.PathEscape(o.resource.Name) + "/export?"
	var links []Link
	add := func(format portal.ExportFormat, name string, choices ...string) {
		mine := url.Values{"format": {string(format)}}
		for name, value := range values {
			mine[name] = value
		}
		for i := 0; i+1 < len(choices); i += 2 {
			mine.Set(choices[i], choices[i+1])
		}
		links = append(links, Link{Shown: Shown{Text: name}, Href: address + mine.Encode()})
	}
	lang := v.lang.Path()
	add(portal.ExportXLSX, "XLSX", "lang", lang)
	add(portal.ExportCSV, "CSV (;)", "separator", "semicolon", "decimal", "comma", "lang", lang)
	add(portal.ExportCSV, "CSV (,)")
	add(portal.ExportJSON, "JSON")
	add(portal.ExportNDJSON, "NDJSON")
	add(portal.ExportParquet, "Parquet")
	add(portal.ExportSQLite, "SQLite")
	if canBeMapped(o.info.Columns) {
		add(portal.ExportGeoJSON, "GeoJSON")
	}
	return links
}

// canBeMapped tells whether a table can be a GeoJSON file.
func canBeMapped(columns []portal.Field) bool {
	lon, lat := false, false
	for _, c := range columns {
		if c.Type == "geojson" {
			return true
		}
		lon = lon || c.Meaning.Kind == portal.KindLongitude
		lat = lat || c.Meaning.Kind == portal.KindLatitude
	}
	return lon && lat
}

// rowForm is what the buttons of a table's rows send: which table is asked about.
// The row's own words are in its button.
type rowForm struct {
	Action  string
	Dataset portal.DatasetID
	Release int
	Table   string
}

// askButtons put at the end of each row a button to the page on which one asks
// about it.
func (v *visit) askButtons(o opened, t *dataTable, columns []portal.Field) *rowForm {
	if v.site.o.Asker == nil {
		return nil
	}
	t.Columns = append(t.Columns, tableColumn{Title: Shown{Text: v.T("table.ask")}})
	for y, row := range t.Rows {
		words := rowWords(columns, row)
		button := cell{Text: v.T("table.askrow"), Ask: clip(strings.Join(words, " · "), maxValue)}
		if t.Cards {
			button.Label = v.T("table.ask")
		}
		t.Rows[y] = append(row, button)
	}
	return &rowForm{v.Base + "/ask", o.dataset.ID, o.dataset.Latest.Number, o.resource.Name}
}

// rowWords name a row for a person: its dimensions, each once and rather in words
// than as a code, and where these are numbers alone its first words.
func rowWords(columns []portal.Field, row []cell) []string {
	var words []string
	of := func(c portal.Field) string { return cmp.Or(c.Meaning.SameAs, c.Name) }
	worded := func(c portal.Field) bool {
		return slices.ContainsFunc(columns, func(o portal.Field) bool { return of(o) == of(c) && !coded(o.Meaning) })
	}
	first, lettered := "", false
	said := map[string]bool{}
	for x := range min(len(columns), len(row)) {
		c, text := columns[x], row[x].Text
		letters := strings.ContainsFunc(text, unicode.IsLetter)
		m := c.Meaning
		if first == "" && letters && m.Kind != portal.KindFlag {
			first = text
		}
		if !m.Dimension() || m.Kind == portal.KindFlag || said[of(c)] || coded(m) && worded(c) || text == "–" {
			continue
		}
		said[of(c)] = true
		words, lettered = append(words, text), lettered || letters
	}
	if !lettered && first != "" {
		words = slices.Insert(words, 0, first)
	}
	return words
}

// addressCode draws the code of a page of this node, under the name by which the
// reader knows it, so that a telephone opens the same view.
func (s *site) addressCode(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Query().Get("a")
	u, err := url.ParseRequestURI(path)
	base := "/" + s.languageOf(r).Path() + "/"
	here := origin(r)
	if err != nil || u.Host != "" || !strings.HasPrefix(path, base) || here == "" {
		s.notFound(w, r)
		return
	}
	picture := qrOf(here+u.RequestURI(), "")
	if picture == nil {
		s.notFound(w, r)
		return
	}
	picture.send(w)
}
