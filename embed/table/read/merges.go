package read

import (
	"archive/zip"
	"encoding/xml"
	"io"
	"path"
	"slices"
	"strings"
)

// merge is a cell of a workbook that spans rows.
type merge struct{ column, from, to int }

// maxMerges of one sheet are known; a table with more has them in its cells.
const maxMerges = 10_000

// parseMerge reads ref="A2:A5". Only cells over several rows matter: a label
// that spans columns stands over a group of a header.
func parseMerge(attrs []xml.Attr) (m merge, ok bool) {
	for _, a := range attrs {
		if a.Name.Local != "ref" {
			continue
		}
		first, last, found := strings.Cut(a.Value, ":")
		if !found {
			return m, false
		}
		cell := func(ref string) []xml.Attr { return []xml.Attr{{Name: xml.Name{Local: "r"}, Value: ref}} }
		m = merge{column: cellColumn(cell(first)), from: cellRow(first), to: cellRow(last)}
		return m, m.column > 0 && m.column <= MaxColumns && m.from > 0 && m.to > m.from
	}
	return m, false
}

// cellRow reads the number of a reference such as AB12; 0 when there is none.
func cellRow(ref string) int {
	n := 0
	for _, r := range strings.TrimLeft(ref, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz$") {
		if r < '0' || r > '9' || n > 1<<24 {
			return 0
		}
		n = n*10 + int(r-'0')
	}
	return n
}

// mergeFill says again in each row what a merged cell says for all of them.
type mergeFill struct {
	merges []merge
	text   []string // of each merge, once its first row was read
}

func (f *mergeFill) row(n int, cells []cell) []cell {
	if f.text == nil {
		f.text = make([]string, len(f.merges))
	}
	for i, m := range f.merges {
		switch {
		case n < m.from || n > m.to:
		case n == m.from:
			if m.column <= len(cells) {
				f.text[i] = strings.Clone(cells[m.column-1].text)
			}
		case f.text[i] != "":
			for len(cells) < m.column {
				cells = append(cells, cell{})
			}
			if strings.TrimSpace(cells[m.column-1].text) == "" {
				cells[m.column-1].text = f.text[i]
			}
		}
	}
	return cells
}

// sheetParts finds the part below xl/ of each sheet, by the sheet's name. A
// workbook that keeps them elsewhere has no merged cells here.
func (rd *reader) sheetParts() map[string]string {
	if len(rd.merges) == 0 {
		return nil
	}
	zr, err := zip.NewReader(rd.src, rd.size)
	if err != nil {
		return nil
	}
	var book struct {
		Sheets []struct {
			Name string     `xml:"name,attr"`
			Attr []xml.Attr `xml:",any,attr"`
		} `xml:"sheets>sheet"`
	}
	var links struct {
		All []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if !decodePart(zr, "xl/workbook.xml", &book) || !decodePart(zr, "xl/_rels/workbook.xml.rels", &links) {
		return nil
	}
	parts := map[string]string{}
	for _, s := range book.Sheets {
		for _, l := range links.All {
			if slices.ContainsFunc(s.Attr, func(a xml.Attr) bool { return a.Name.Local == "id" && a.Value == l.ID }) {
				parts[s.Name] = path.Clean(strings.TrimPrefix(strings.TrimPrefix(l.Target, "/xl/"), "./"))
			}
		}
	}
	return parts
}

// decodePart reads a small part, which the gate has looked at before.
func decodePart(zr *zip.Reader, name string, into any) bool {
	f, err := zr.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	return xml.NewDecoder(io.LimitReader(f, 4<<20)).Decode(into) == nil
}
