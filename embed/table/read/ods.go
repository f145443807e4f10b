package read

import (
	"archive/zip"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// openODS reads an OpenDocument spreadsheet (ISO/IEC 26300): every table of its
// content.xml, streamed. Formulas count by the value that stands beside them.
func (rd *reader) openODS(d dialect) ([]*sheet, error) {
	zr, err := zip.NewReader(rd.src, rd.size)
	if err != nil {
		return nil, unreadable(rd.where(nil), "the spreadsheet is damaged: %v", err)
	}
	var content *zip.File
	for _, f := range zr.File {
		switch f.Name {
		case "content.xml":
			content = f
		case "META-INF/manifest.xml":
			if locked, err := isLocked(f); err == nil && locked {
				return nil, unreadable(rd.where(nil), "the spreadsheet is locked with a password; save it without")
			}
		}
	}
	if content == nil {
		return nil, unreadable(rd.where(nil), "the file is a ZIP archive, but no spreadsheet")
	}
	if limit := min(maxUnzipped, max(minUnzipped, maxArchiveRatio*rd.size)); content.UncompressedSize64 > uint64(limit) { //nolint:gosec // not negative
		return nil, unreadable(rd.where(nil), "the spreadsheet is larger than %d MiB when it is unpacked", limit>>20)
	}
	o := &odsFile{rd: rd, content: content}
	names, err := o.names()
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		if names[i] = cleanLabel(name); names[i] == "" {
			names[i] = fmt.Sprintf("Sheet %d", i+1)
		}
	}
	distinct(names)
	var sheets []*sheet
	for i, name := range names {
		if d.sheetName != "" && d.sheetName != name || d.sheetNum > 0 && d.sheetNum != i+1 {
			continue
		}
		own, err := rd.sheetDialect(d, name)
		if err != nil {
			return nil, err
		}
		s, err := o.sheet(own, i, name)
		if err != nil {
			return nil, err
		}
		sheets = append(sheets, s)
	}
	if len(sheets) == 0 && (d.sheetName != "" || d.sheetNum > 0) {
		return nil, unreadable(rd.where(nil), "the spreadsheet has no table %q, number %d, as the dialect says", d.sheetName, d.sheetNum)
	}
	return sheets, nil
}

// isLocked looks for encryption in the list of the parts.
func isLocked(f *zip.File) (bool, error) {
	r, err := f.Open()
	if err != nil {
		return false, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, 1<<20))
	return strings.Contains(string(text), "encryption-data"), err
}

// odsFile is an open spreadsheet.
type odsFile struct {
	rd      *reader
	content *zip.File
}

func (o *odsFile) sheet(d dialect, index int, name string) (*sheet, error) {
	s := &sheet{name: name, padded: true}
	stop := errors.New("stop")
	var rows [][]string
	var numbers []int
	err := o.each(o.rd.ctx, index, func(n int, row []string) error {
		rows, numbers = append(rows, append([]string(nil), row...)), append(numbers, n)
		if len(rows) >= d.headerWithin() {
			return stop
		}
		return nil
	})
	if err != nil && err != stop { //nolint:errorlint // our own, never wrapped
		return nil, err
	}
	p := o.rd.page(s, d, rows, numbers)
	var cells []cell
	s.each = func(ctx context.Context, fn func(int, []cell) error) error {
		return o.each(ctx, index, func(n int, row []string) error {
			if n < p.begin {
				return nil
			}
			cells = cells[:0]
			for _, text := range row {
				cells = append(cells, cell{text: text})
			}
			return fn(n, cells)
		})
	}
	return s, nil
}

// names lists the tables.
func (o *odsFile) names() (names []string, err error) {
	err = o.tokens(o.rd.ctx, func(t xml.Token, depth int) error {
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "table" && depth == odsTableDepth {
			if names = append(names, attribute(e, "name")); len(names) > maxSheets {
				return unreadable(o.rd.where(nil), "more than %d tables", maxSheets)
			}
		}
		return nil
	})
	return names, err
}

// odsTableDepth: document-content, body, spreadsheet, table.
const odsTableDepth = 4

func attribute(e xml.StartElement, local string) string {
	for _, a := range e.Attr {
		if a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// tokens reads content.xml from beginning to end. No entity but the five of XML
// is known, so none can unfold, and nothing outside the file is read.
func (o *odsFile) tokens(ctx context.Context, fn func(t xml.Token, depth int) error) error {
	r, err := o.content.Open()
	if err != nil {
		return unreadable(o.rd.where(nil), "the spreadsheet is damaged: %v", err)
	}
	defer r.Close()
	m := newMeter(r, 2*maxCell)
	d := xml.NewDecoder(m)
	depth := 0
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		m.reset()
		t, err := d.RawToken()
		if err == io.EOF {
			if depth != 0 || n == 0 {
				return unreadable(o.rd.where(nil), "the spreadsheet is damaged: it ends too early")
			}
			return nil
		}
		if err != nil {
			return unreadable(o.rd.where(nil), "the spreadsheet is damaged: %v", err)
		}
		if _, ok := t.(xml.StartElement); ok {
			if depth++; depth > maxXMLDepth {
				return unreadable(o.rd.where(nil), "elements stand more than %d deep", maxXMLDepth)
			}
		}
		if err := fn(t, depth); err != nil {
			return err
		}
		if _, ok := t.(xml.EndElement); ok {
			depth--
		}
	}
}

// odsRow gathers one row.
type odsRow struct {
	cells   []string
	repeat  int
	columns int // how often the open cell stands
	value   string
	typed   bool // the value stands in an attribute
	inCell  bool
	inText  int // paragraphs of the open cell, 0 before the first
	note    int // depth of an annotation, whose text is no value; 0: none
	bytes   int
}

// each gives the rows of a table that have a value, with their numbers.
func (o *odsFile) each(ctx context.Context, index int, fn func(n int, row []string) error) error {
	table, number := -1, 0
	var row odsRow
	where := o.rd.where(nil)
	return o.tokens(ctx, func(t xml.Token, depth int) error {
		switch t := t.(type) {
		case xml.StartElement:
			if t.Name.Local == "table" && depth == odsTableDepth {
				table++
			}
			if table == index {
				return row.start(t, depth, where)
			}
		case xml.CharData:
			if table == index && row.inCell && row.inText > 0 && row.note == 0 && !row.typed {
				return row.text(string(t), where)
			}
		case xml.EndElement:
			if table != index {
				return nil
			}
			switch t.Name.Local {
			case "annotation":
				row.note = 0
			case "table-cell", "covered-table-cell":
				return row.close(where)
			case "table-row":
				first := number + 1
				number += row.repeat
				return row.give(first, fn, where)
			}
		}
		return nil
	})
}

func (r *odsRow) start(t xml.StartElement, depth int, where string) error {
	switch t.Name.Local {
	case "table-row":
		*r = odsRow{cells: r.cells[:0], repeat: repeated(t, "number-rows-repeated")}
	case "table-cell", "covered-table-cell":
		r.columns, r.inCell, r.inText = repeated(t, "number-columns-repeated"), true, 0
		r.value, r.typed = odsValue(t)
	case "annotation":
		r.note = depth
	case "p":
		if r.inCell && r.note == 0 {
			if r.inText++; r.inText > 1 && !r.typed {
				return r.text("\n", where)
			}
		}
	case "s":
		if r.inCell && r.note == 0 && !r.typed {
			return r.text(strings.Repeat(" ", min(repeated(t, "c"), 100)), where)
		}
	case "tab", "line-break":
		if r.inCell && r.note == 0 && !r.typed {
			return r.text(" ", where)
		}
	}
	return nil
}

func (r *odsRow) text(s, where string) error {
	if len(r.value)+len(s) > maxCell {
		return unreadable(where, "a cell is longer than %d MiB", maxCell>>20)
	}
	r.value += s
	return nil
}

// close puts the cell into the row as often as it stands. Empty cells at the end
// of a row are a formatting of the page, a million of them cost nothing.
func (r *odsRow) close(where string) error {
	if !r.inCell {
		return nil
	}
	r.inCell = false
	if r.value == "" {
		r.bytes += r.columns // counted, and written when a value follows
		for range min(r.columns, MaxColumns+1) {
			r.cells = append(r.cells, "")
		}
		if len(r.cells) > 2*MaxColumns {
			r.cells = r.cells[:2*MaxColumns]
		}
		return nil
	}
	if len(r.cells)+r.columns > MaxColumns {
		return unreadable(where, "a value stands in column %d; at most %d columns are read", len(r.cells)+r.columns, MaxColumns)
	}
	if r.bytes += len(r.value) * r.columns; r.bytes > MaxRecord {
		return unreadable(where, "a row is longer than 16 MiB")
	}
	for range r.columns {
		r.cells = append(r.cells, r.value)
	}
	return nil
}

// give hands over the row, as often as it stands.
func (r *odsRow) give(first int, fn func(n int, row []string) error, where string) error {
	cells := r.cells[:lastFilled(r.cells)]
	if len(cells) == 0 {
		return nil
	}
	if r.repeat > MaxRows {
		return unreadable(where, "row %d stands %d times; at most %d rows are read", first, r.repeat, MaxRows)
	}
	for i := range r.repeat {
		if err := fn(first+i, cells); err != nil {
			return err
		}
	}
	return nil
}

func repeated(t xml.StartElement, name string) int {
	n, err := strconv.Atoi(attribute(t, name))
	if err != nil || n < 1 {
		return 1
	}
	return min(n, 1<<30)
}

// odsValue is the value in a cell's attributes; typed is false where the text of
// the cell is its value.
func odsValue(t xml.StartElement) (value string, typed bool) {
	switch attribute(t, "value-type") {
	case "float", "percentage", "currency":
		return attribute(t, "value"), true
	case "date":
		day, clock, _ := strings.Cut(attribute(t, "date-value"), "T")
		if clock == "" || strings.Trim(clock, "0:.Z") == "" {
			return day, true
		}
		if i := strings.IndexByte(clock, '.'); i > 0 {
			clock = clock[:i]
		}
		return day + "T" + clock, true
	case "boolean":
		return attribute(t, "boolean-value"), true
	case "time":
		return odsTime(attribute(t, "time-value")), true
	}
	return "", false
}

// odsTime makes 10:30:00 of PT10H30M00S.
func odsTime(s string) string {
	var h, m int
	var sec float64
	if _, err := fmt.Sscanf(s, "PT%dH%dM%fS", &h, &m, &sec); err != nil {
		return s
	}
	return fmt.Sprintf("%02d:%02d:%02d", h, m, int(sec))
}
