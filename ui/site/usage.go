package site

import (
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"koprik/portal"
	"koprik/ui/chart"
)

// useBox is what the page of numbers says of use: first a number, then a figure,
// then tables.
type useBox struct {
	None     bool   // nothing was counted yet, and the rest is empty
	Said     string // "12 300 pages of datasets were looked at in twelve months."
	Until    string
	Drawing  drawing
	Drawn    bool
	Sums     *dataTable
	Months   *dataTable
	Datasets *dataTable
	Words    *dataTable
	CSV      string
}

// Limits of the page; the file has all.
const (
	usedMonths   = 12
	usedDatasets = 10
	usedWords    = 15
	deskLines    = 20
)

// fewSaid writes a count; small ones are only known to be small.
func (v *visit) fewSaid(n int64) string {
	if n > 0 && n < portal.SmallCount {
		return v.T("numbers.few", "n", portal.SmallCount)
	}
	return v.Int(n)
}

// used fills the page with what was counted.
func (v *visit) used(p *numbersPage) error {
	if v.site.o.Counter == nil {
		return nil
	}
	n, err := v.site.o.Counter.Numbers(v.ctx, v.view)
	if err != nil {
		return fmt.Errorf("numbers: %w", err)
	}
	if p.Desks, err = v.desks(n.Desks); err != nil {
		return err
	}
	if neverUsed(n) {
		p.Use = &useBox{None: true}
		return nil
	}
	all := n.Own
	box := &useBox{}
	switch {
	case n.Country != nil:
		all = *n.Country
		box.Until = v.T("numbers.until", "date", v.Day(all.Until), "nodes", v.N("numbers.nodes", all.Nodes))
	case v.status.Role == portal.Central:
		box.Until = v.T("numbers.untilcentre", "date", v.Day(all.Until))
	default:
		box.Until = v.T("numbers.untilhere", "date", v.Day(all.Until))
	}
	box.Said = v.T("numbers.visited", "n", v.fewSaid(all.Year.Visits))
	if v.Kiosk == nil {
		box.CSV = v.Base + "/numbers.csv"
	}
	box.Sums = v.sumsTable(n)
	box.Months = v.monthsTable(n)
	box.Words = v.wordsTable(all)
	if box.Datasets, err = v.usedTable(all); err != nil {
		return err
	}
	p.Use = box
	return v.drawUse(box, n)
}

// neverUsed tells whether nothing at all was counted, here or in the country: a node
// of the first hour. A table of zeros would look like a fault.
func neverUsed(n portal.Numbers) bool {
	for _, s := range scopes(n) {
		if slices.Max(measures(s.totals.Year)) > 0 || len(s.totals.Months) > 0 {
			return false
		}
	}
	return true
}

func (v *visit) heads(first string, others ...string) []tableColumn {
	heads := []tableColumn{{Title: Shown{Text: first}}}
	for _, o := range others {
		heads = append(heads, tableColumn{Title: Shown{Text: o}, Number: true})
	}
	return heads
}

// usedRow is a line of a table: its name and its counts.
func (v *visit) usedRow(name cell, counts ...int64) []cell {
	row := []cell{name}
	for _, n := range counts {
		row = append(row, cell{Text: v.fewSaid(n), Number: true})
	}
	return row
}

// measures are the counts of a time in the order in which they are shown, by the
// names that files give them.
func measures(c portal.UsageCounts) []int64 {
	return []int64{c.Visits, c.Downloads, c.Searches, c.Misses, c.KioskSessions}
}

var measureKinds = []portal.UsageKind{portal.Visits, portal.Downloads, portal.Searches, portal.Misses, portal.KioskSessions}

func (v *visit) usageName(k portal.UsageKind) string {
	switch k {
	case portal.Visits:
		return v.T("numbers.visits")
	case portal.Downloads:
		return v.T("numbers.downloads")
	case portal.Searches:
		return v.T("numbers.searches")
	case portal.Misses:
		return v.T("numbers.misses")
	case portal.KioskSessions, portal.MissedWords:
	}
	return v.T("numbers.kiosk")
}

// sumsTable has a line for each measure: this office and the country, of twelve
// months.
func (v *visit) sumsTable(n portal.Numbers) *dataTable {
	t := &dataTable{Caption: v.T("numbers.year"), Columns: v.heads(v.T("numbers.what"), v.T("numbers.here"))}
	own := measures(n.Own.Year)
	var country []int64
	if n.Country != nil {
		country = measures(n.Country.Year)
		t.Columns = append(t.Columns, v.heads("", v.T("numbers.country"))[1])
	}
	for i, k := range measureKinds {
		counts := []int64{own[i]}
		if country != nil {
			counts = append(counts, country[i])
		}
		t.Rows = append(t.Rows, v.usedRow(cell{Text: v.usageName(k)}, counts...))
	}
	return t
}

// lastMonths are the last months of which there are counts here or in the country.
func lastMonths(n portal.Numbers) []portal.Month {
	newest, oldest := portal.MonthOf(n.Own.Until), portal.Month("")
	for _, t := range scopes(n) {
		if len(t.totals.Months) > 0 && (oldest == "" || t.totals.Months[0].Month < oldest) {
			oldest = t.totals.Months[0].Month
		}
		newest = max(newest, portal.MonthOf(t.totals.Until))
	}
	var months []portal.Month
	for i := usedMonths - 1; i >= 0; i-- {
		if m := newest.Before(i); oldest != "" && m >= oldest {
			months = append(months, m)
		}
	}
	return months
}

// scope is whose counts are told.
type scope struct {
	name   string // in files
	totals portal.UsageTotals
}

func scopes(n portal.Numbers) []scope {
	list := []scope{{"office", n.Own}}
	if n.Country != nil {
		list = append([]scope{{"country", *n.Country}}, list...)
	}
	return list
}

func (v *visit) scopeName(s scope) string {
	if s.name == "country" {
		return v.T("numbers.country")
	}
	return v.T("numbers.here")
}

func countsIn(t portal.UsageTotals, month portal.Month) portal.UsageCounts {
	for _, m := range t.Months {
		if m.Month == month {
			return m.UsageCounts
		}
	}
	return portal.UsageCounts{}
}

func (v *visit) monthsTable(n portal.Numbers) *dataTable {
	months := lastMonths(n)
	if len(months) == 0 {
		return nil
	}
	t := &dataTable{Caption: v.T("numbers.bymonth"), Columns: v.heads(v.T("numbers.month"))}
	for _, s := range scopes(n) {
		name := v.scopeName(s)
		t.Columns = append(t.Columns, v.heads("", name+": "+v.T("numbers.visits"), name+": "+v.T("numbers.downloads"))[1:]...)
	}
	for i := range months {
		m := months[len(months)-1-i]
		var counts []int64
		for _, s := range scopes(n) {
			c := countsIn(s.totals, m)
			counts = append(counts, c.Visits, c.Downloads)
		}
		t.Rows = append(t.Rows, v.usedRow(cell{Text: v.period(string(m)), Code: true}, counts...))
	}
	return t
}

// drawUse draws the visits of months that are over, from two months on: half a month
// would look like a fall. What is small is a gap.
func (v *visit) drawUse(box *useBox, n portal.Numbers) error {
	months := lastMonths(n)
	if until := scopes(n)[0].totals.Until; len(months) > 0 && portal.MonthOf(portal.DateOf(until.Time().AddDate(0, 0, 1))) == months[len(months)-1] {
		months = months[:len(months)-1]
	}
	if len(months) < 2 {
		return nil
	}
	f := chart.Figure{Kind: chart.Line, Mark: -1, Title: v.T("numbers.usetitle"), Desc: box.Said, Notes: []string{box.Until}}
	for _, m := range months {
		f.Labels = append(f.Labels, v.period(string(m)))
	}
	for _, s := range scopes(n) {
		series := chart.Series{Name: v.scopeName(s)}
		told := false
		for _, m := range months {
			visits := float64(countsIn(s.totals, m).Visits)
			if visits > 0 && visits < portal.SmallCount {
				visits = math.NaN()
			}
			told = told || visits >= portal.SmallCount
			series.Values = append(series.Values, visits)
		}
		if told {
			f.Series = append(f.Series, series)
		}
	}
	if len(f.Series) == 0 {
		return nil
	}
	both, err := v.drawing(drawn{figure: f})
	if err != nil {
		return err
	}
	box.Drawing, box.Drawn = both, true
	v.FigureStyle = v.site.assets.URL("figure.css")
	return nil
}

func (v *visit) usedTable(all portal.UsageTotals) (*dataTable, error) {
	var ids []portal.DatasetID
	for _, d := range all.Datasets[:min(len(all.Datasets), usedDatasets)] {
		ids = append(ids, d.Dataset)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := v.view.Datasets(v.ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("datasets that are used: %w", err)
	}
	names := map[portal.DatasetID]string{}
	for _, d := range found {
		names[d.ID] = v.title(d).Text
	}
	t := &dataTable{Caption: v.T("numbers.most"), Columns: v.heads(v.T("numbers.dataset"), v.T("numbers.visits"), v.T("numbers.downloads"))}
	for _, d := range all.Datasets[:len(ids)] {
		if names[d.Dataset] != "" {
			t.Rows = append(t.Rows, v.usedRow(cell{Text: names[d.Dataset], Href: v.datasetURL(d.Dataset)}, d.Visits, d.Downloads))
		}
	}
	return t, nil
}

func (v *visit) wordsTable(all portal.UsageTotals) *dataTable {
	if len(all.Words) == 0 {
		return nil
	}
	t := &dataTable{Caption: v.T("numbers.missing"), Columns: v.heads(v.T("numbers.word"), v.T("numbers.searches"))}
	for _, w := range all.Words[:min(len(all.Words), usedWords)] {
		t.Rows = append(t.Rows, v.usedRow(cell{Text: w.Word}, w.Searches))
	}
	return t
}

// usedTimes says how often a dataset was used, where that may be told.
func (v *visit) usedTimes(id portal.DatasetID) (string, error) {
	if v.site.o.Counter == nil {
		return "", nil
	}
	n, err := v.site.o.Counter.Used(v.ctx, v.view, id)
	if err != nil || n < portal.SmallCount {
		return "", err
	}
	return v.N("numbers.used", int(n)), nil
}

// desks are what publishers and their units have done with inquiries.
func (v *visit) desks(list []portal.DeskNumbers) (*dataTable, error) {
	if len(list) == 0 {
		return nil, nil
	}
	names, err := v.publisherNames()
	if err != nil {
		return nil, err
	}
	t := &dataTable{
		Caption: v.T("numbers.answers"), Cards: true,
		Columns: v.heads(v.T("numbers.office"), v.T("numbers.received"), v.T("numbers.answered"), v.T("numbers.late"), v.T("numbers.median")),
	}
	for _, d := range list[:min(len(list), deskLines)] {
		row := []cell{{Text: v.deskName(d, names)}}
		for _, n := range []int{d.Received, d.Answered, d.Overdue, d.Median} {
			row = append(row, cell{Text: v.Int(int64(n)), Number: true})
		}
		if d.Answered == 0 {
			row[len(row)-1].Text = "–"
		}
		for i := range row {
			row[i].Label = t.Columns[i].Title.Text
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

func (v *visit) deskName(d portal.DeskNumbers, names map[string]Shown) string {
	name := names[string(d.Publisher)].Text
	switch {
	case d.Publisher == "":
		name = v.T("numbers.centre")
	case name == "":
		name = string(d.Publisher)
	}
	if unit := v.text(d.Unit).Text; unit != "" {
		name += ": " + unit
	}
	return name
}

// numbersFile is /{lang}/numbers.csv: all that the page tells, a number a line. Small
// counts are "<5".
func (s *site) numbersFile(v *visit) (answer, error) {
	if s.o.Counter == nil {
		return answer{}, portal.ErrNotFound
	}
	n, err := s.o.Counter.Numbers(v.ctx, v.view)
	if err != nil {
		return answer{}, fmt.Errorf("numbers: %w", err)
	}
	var b strings.Builder
	b.WriteString("\uFEFF")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	rows := [][]string{{"scope", "period", "measure", "of", "value"}}
	for _, s := range scopes(n) {
		rows = append(rows, usageRows(s)...)
	}
	for _, d := range n.Desks {
		unit, _ := d.Unit.In(v.lang)
		of := strings.TrimSuffix(string(d.Publisher)+"/"+unit, "/")
		for _, m := range []struct {
			name string
			n    int
		}{{"questions_received", d.Received}, {"questions_answered", d.Answered}, {"questions_overdue", d.Overdue}, {"median_days", d.Median}} {
			rows = append(rows, []string{"country", "all", m.name, of, strconv.Itoa(m.n)})
		}
	}
	for _, row := range rows {
		for i, text := range row {
			row[i] = defused(text)
		}
		if err := w.Write(row); err != nil {
			return answer{}, fmt.Errorf("numbers as CSV: %w", err)
		}
	}
	w.Flush()
	return answer{file: &file{name: "numbers.csv", mime: "text/csv; charset=utf-8", body: []byte(b.String())}}, w.Error()
}

func usageRows(s scope) (rows [][]string) {
	add := func(period, measure, of string, n int64) {
		text := strconv.FormatInt(n, 10)
		if n > 0 && n < portal.SmallCount {
			text = "<" + strconv.Itoa(portal.SmallCount)
		}
		rows = append(rows, []string{s.name, period, measure, of, text})
	}
	counts := func(period string, c portal.UsageCounts) {
		for i, n := range measures(c) {
			add(period, measureKinds[i].String(), "", n)
		}
		for _, l := range portal.Langs {
			if n := c.Langs[l]; n > 0 {
				add(period, portal.Visits.String(), string(l), n)
			}
		}
	}
	counts("year", s.totals.Year)
	for _, m := range s.totals.Months {
		counts(string(m.Month), m.UsageCounts)
	}
	for _, d := range s.totals.Datasets {
		add("year", portal.Visits.String(), string(d.Dataset), d.Visits)
		add("year", portal.Downloads.String(), string(d.Dataset), d.Downloads)
	}
	for _, w := range s.totals.Words {
		add("year", portal.MissedWords.String(), w.Word, w.Searches)
	}
	return rows
}
