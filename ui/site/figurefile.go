package site

import (
	"encoding/csv"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"koprik/ui/chart"
	"koprik/ui/locale"
)

// figureAddress is that of the page with the figure of a table: way is "chart" or
// "map".
func (v *visit) figureAddress(d drawn, way string) string {
	return v.datasetURL(d.dataset.ID) + "/" + way + "/" + url.PathEscape(d.resource.Name)
}

// waysOf leads from a figure to the others of the same: chart, map and table, with
// the same measure and the same values held.
func (v *visit) waysOf(d drawn) []LinkChoice {
	kept := url.Values{}
	for name, values := range v.query {
		if name == "m" || name == "sheet" || strings.HasPrefix(name, "at.") {
			kept[name] = values
		}
	}
	query := ""
	if len(kept) > 0 {
		query = "?" + kept.Encode()
	}
	var ways []LinkChoice
	if d.cube != nil && len(d.plans) > 0 {
		ways = append(ways, LinkChoice{Text: v.T("chart.figure"), Href: v.figureAddress(d, "chart") + query, Current: !d.isMap()})
	}
	if p := v.mapOf(d); d.isMap() || p.Kind == chart.Map {
		ways = append(ways, LinkChoice{Text: v.T("chart.map"), Href: v.figureAddress(d, "map") + query, Current: d.isMap()})
	}
	return append(ways, LinkChoice{Text: v.T("chart.table"), Href: v.tableAddress(d.opened)})
}

// figureFiles are the files that a figure is given away as, and its snippet for
// other sites; none on a kiosk.
func (v *visit) figureFiles(d drawn) []Link {
	if v.Kiosk != nil {
		return nil
	}
	base, query := v.figureAddress(d, mux.Vars(v.r)["way"]), ""
	if v.r.URL.RawQuery != "" {
		query = "?" + v.r.URL.RawQuery
	}
	links := []Link{
		{Shown: Shown{Text: v.T("chart.svg")}, Href: base + "/figure.svg" + query},
		{Shown: Shown{Text: v.T("chart.png")}, Href: base + "/figure.png" + query},
	}
	if d.cube != nil {
		links = append(links, Link{Shown: Shown{Text: v.T("chart.csv")}, Href: base + "/figure.csv" + query})
	}
	return append(links, Link{Shown: Shown{Text: v.T("chart.embed")}, Href: base + "/embed" + query})
}

// chartFile answers with the figure as a file of its own: a drawing, a picture,
// or the values that are drawn.
func (s *site) chartFile(v *visit) (answer, error) {
	d, a, err := s.draw(v)
	if err != nil || a.template != "" {
		return a, err
	}
	format := mux.Vars(v.r)["format"]
	f := &file{name: d.dataset.ID.Name() + "-" + d.resource.Name + "." + format}
	if format == "csv" {
		f.mime = "text/csv; charset=utf-8"
		f.body, err = v.figureCSV(d)
		return answer{file: f}, err
	}
	one, err := chart.Draw(d.figure, v.chartWords(d), chart.Wide)
	if err != nil {
		return answer{}, fmt.Errorf("figure of %s in %s: %w", d.resource.Name, d.dataset.ID, err)
	}
	f.mime, f.body = "image/svg+xml", one.File()
	if format == "png" {
		f.mime = "image/png"
		if f.body, err = one.PNG(); err != nil {
			return answer{}, fmt.Errorf("picture of %s in %s: %w", d.resource.Name, d.dataset.ID, err)
		}
	}
	return answer{file: f}, nil
}

// figureCSV are the values that are drawn, a row for each label, with a byte order
// mark for spreadsheets; numbers have a point, whatever the language.
func (v *visit) figureCSV(d drawn) ([]byte, error) {
	if d.cube == nil {
		return nil, v.noMap(d)
	}
	var b strings.Builder
	b.WriteString("\uFEFF")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	head := []string{v.dimName(d, d.cube.Dims[d.plan.Label]).Text}
	if d.figure.Keys != nil {
		head = append(head, v.T("map.code"))
	}
	for _, s := range d.figure.Series {
		name := s.Name
		if name == "" {
			name = v.measureTitle(&d)
		}
		head = append(head, name)
	}
	rows := [][]string{head}
	for i, label := range d.figure.Labels {
		row := []string{label}
		if d.figure.Keys != nil {
			row = append(row, d.figure.Keys[i])
		}
		for _, s := range d.figure.Series {
			text := ""
			if !math.IsNaN(s.Values[i]) {
				text = strconv.FormatFloat(s.Values[i], 'f', -1, 64)
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		for i, text := range row {
			row[i] = defused(locale.Plain(text))
		}
		if err := w.Write(row); err != nil {
			return nil, fmt.Errorf("figure as CSV: %w", err)
		}
	}
	w.Flush()
	return []byte(b.String()), w.Error()
}

// defused is a text that no spreadsheet takes for a formula. Numbers stay.
func defused(text string) string {
	if text == "" || !strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return text
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return text
	}
	return "'" + text
}
