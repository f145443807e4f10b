package write

import (
	"archive/zip"
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"

	"koprik/portal"
)

// What a workbook holds at most (Microsoft, "Excel specifications and limits").
const (
	maxSheetRows = 1_048_576
	maxCellUnits = 32_767 // UTF-16 units of a text
	maxColumns   = 16_384
)

// xlsxFile writes a workbook straight into its archive, sheet after sheet, and
// its table of contents last: nothing is kept but the names of the sheets. It is
// our own and not excelize's StreamWriter because that one gathers every sheet
// in a temporary file first, and because the bytes must not change when a
// library does; tests read it with excelize.
type xlsxFile struct {
	f       File
	zip     *zip.Writer
	sheet   *bufio.Writer // the part that is being written
	sheets  []string
	heads   []string
	kinds   []kind
	counts  []bool // integers that are counted, not codes and years
	widths  []int
	sample  [][]any // rows held back until the widths are known; nil then
	at      int     // rows of the sheet, the header counted
	total   int64
	cut     []string // cells that were too long, at most maxCut of them
	line    []byte
	maxRows int // maxSheetRows; tests have less
}

const (
	sampleRows = 100 // rows by which widths are chosen
	maxCut     = 100
)

// Styles of cells, by their place in cellXfs (xlsxparts.go).
const (
	styleNone = iota
	styleHead
	styleDate
	styleMoment
	styleCode  // 2026
	styleCount // 1 234 567
	styleQuote // a text that begins like a formula
	styleLabel
	styleWrap
)

func newXLSX(w *bufio.Writer, f File) (encoder, error) {
	x := &xlsxFile{f: f, zip: zip.NewWriter(w), heads: f.headings(), maxRows: maxSheetRows, sample: [][]any{}}
	if len(x.heads) > maxColumns {
		return nil, &portal.Problem{Kind: portal.ErrUsage, Where: "format", Message: fmt.Sprintf("%d columns; a workbook has at most %d", len(x.heads), maxColumns), Hint: "choose columns, or take csv"}
	}
	x.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		const level = 5
		return flate.NewWriter(w, level)
	})
	x.kinds = kindsOf(f.Columns)[:len(x.heads)]
	x.counts, x.widths = make([]bool, len(x.heads)), make([]int, len(x.heads))
	for i, h := range x.heads {
		x.counts[i] = f.Columns[i].Meaning.Role == portal.RoleMeasure
		x.widths[i] = min(utf8.RuneCountInString(h), 30)
	}
	// The provenance stands first and uncompressed, where verify looks for it.
	return x, x.part("docProps/custom.xml", zip.Store, customProperties(f))
}

// part writes one part of the workbook.
func (x *xlsxFile) part(name string, method uint16, body string) error {
	w, err := x.zip.CreateHeader(&zip.FileHeader{Name: name, Method: method})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xmlHead+body)
	return err
}

func (x *xlsxFile) row(values []any) error {
	x.total++
	values = values[:len(x.heads)]
	if x.sample == nil {
		return x.put(values)
	}
	x.measure(values)
	x.sample = append(x.sample, append([]any(nil), values...))
	if len(x.sample) < sampleRows {
		return nil
	}
	return x.release()
}

// measure widens the columns by what a row has.
func (x *xlsxFile) measure(values []any) {
	for i, v := range values {
		n := 0
		switch v := v.(type) {
		case string:
			n = utf8.RuneCountInString(v)
		case int64:
			n = len(strconv.FormatInt(v, 10)) * 4 / 3
		case float64:
			n = len(appendFloat(nil, v))
		}
		x.widths[i] = max(x.widths[i], min(n, 60))
	}
}

// release opens the first sheet and writes the rows that were held back.
func (x *xlsxFile) release() error {
	rows := x.sample
	x.sample = nil
	if err := x.open(); err != nil {
		return err
	}
	for _, r := range rows {
		if err := x.put(r); err != nil {
			return err
		}
	}
	return nil
}

// open begins a sheet with its heading.
func (x *xlsxFile) open() error {
	x.sheets = append(x.sheets, x.sheetName(len(x.sheets)+1))
	w, err := x.zip.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("xl/worksheets/sheet%d.xml", len(x.sheets)), Method: zip.Deflate})
	if err != nil {
		return err
	}
	x.sheet = bufio.NewWriterSize(w, buffered)
	b := append(x.line[:0], xmlHead+`<worksheet xmlns="`+mainSpace+`"><sheetViews><sheetView workbookViewId="0"`...)
	if len(x.sheets) == 1 {
		b = append(b, ` tabSelected="1"`...)
	}
	b = append(b, `><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>`...)
	for i, n := range x.widths {
		b = fmt.Appendf(b, `<col min="%[1]d" max="%[1]d" width="%[2]d" customWidth="1"/>`, i+1, max(n, 8)+2)
	}
	b = append(b, `</cols><sheetData><row r="1">`...)
	for i, h := range x.heads {
		b = x.text(b, i, 1, h, styleHead)
	}
	x.line, x.at = append(b, `</row>`...), 1
	return x.flush()
}

func (x *xlsxFile) flush() error {
	_, err := x.sheet.Write(x.line)
	x.line = x.line[:0]
	return err
}

// put writes one row, on a new sheet when this one is full.
func (x *xlsxFile) put(values []any) error {
	if x.at == x.maxRows {
		if err := x.shut(); err != nil {
			return err
		}
		if err := x.open(); err != nil {
			return err
		}
	}
	x.at++
	b := append(x.line, `<row r="`...)
	b = append(strconv.AppendInt(b, int64(x.at), 10), `">`...)
	for i, v := range values {
		switch v := v.(type) {
		case int64:
			b = x.integer(b, i, v)
		case float64:
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				b = append(strconv.AppendFloat(append(reference(b, i, x.at, styleNone), "><v>"...), v, 'g', -1, 64), "</v></c>"...)
			}
		case bool:
			b = append(reference(b, i, x.at, styleNone), ` t="b"><v>0</v></c>`...)
			if v {
				b[len(b)-len("0</v></c>")] = '1'
			}
		case string:
			b = x.word(b, i, v)
		}
	}
	x.line = append(b, "</row>"...)
	return x.flush()
}

// reference begins a cell: where it stands and how it looks.
func reference(b []byte, column, row, style int) []byte {
	b = append(b, `<c r="`...)
	b = strconv.AppendInt(appendColumn(b, column), int64(row), 10)
	b = append(b, '"')
	if style != styleNone {
		b = append(strconv.AppendInt(append(b, ` s="`...), int64(style), 10), '"')
	}
	return b
}

// appendColumn writes A, B, … Z, AA, …
func appendColumn(b []byte, column int) []byte {
	const letters = 26
	if column >= letters {
		b = appendColumn(b, column/letters-1)
	}
	return append(b, byte('A'+column%letters))
}

// exactly is up to where a workbook, which counts in floats, keeps every whole
// number; larger ones are written as text, digit by digit.
const exactly = 1 << 53

func (x *xlsxFile) integer(b []byte, i int, v int64) []byte {
	if v > exactly || v < -exactly {
		return x.text(b, i, x.at, strconv.FormatInt(v, 10), styleNone)
	}
	style := styleCode
	if x.counts[i] {
		style = styleCount
	}
	return append(strconv.AppendInt(append(reference(b, i, x.at, style), "><v>"...), v, 10), "</v></c>"...)
}

// word writes a text: as a day or a moment where its column has those.
func (x *xlsxFile) word(b []byte, i int, s string) []byte {
	layout, style := "", styleNone
	switch x.kinds[i] {
	case date:
		layout, style = time.DateOnly, styleDate
	case moment:
		layout, style = "2006-01-02T15:04:05", styleMoment
	}
	if layout != "" {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1900 && t.Year() < 10000 {
			days := float64(t.Unix()-excelEpoch) / (24 * 60 * 60)
			return append(appendFloat(append(reference(b, i, x.at, style), "><v>"...), days), "</v></c>"...)
		}
		style = styleNone
	}
	if risky(s) {
		style = styleQuote
	}
	return x.text(b, i, x.at, s, style)
}

// excelEpoch is day 0 of a workbook, 30 December 1899, in seconds of Unix.
const excelEpoch = -2_209_161_600

// text writes a text in the cell itself. One that is too long is cut, and named
// on the sheet about the data.
func (x *xlsxFile) text(b []byte, column, row int, s string, style int) []byte {
	if len(s) > maxCellUnits {
		short := clipUnits(s, maxCellUnits)
		if len(short) < len(s) && len(x.cut) < maxCut {
			x.cut = append(x.cut, x.sheets[len(x.sheets)-1]+"!"+string(appendColumn(nil, column))+strconv.Itoa(row))
		}
		s = short
	}
	b = append(reference(b, column, row, style), ` t="inlineStr"><is><t xml:space="preserve">`...)
	return append(appendXML(b, s), `</t></is></c>`...)
}

// clipUnits cuts a text to n UTF-16 units, the last of which then is "…".
func clipUnits(s string, n int) string {
	units, last := 0, 0
	for i, r := range s {
		if units <= n-1 {
			last = i
		}
		if units++; r > 0xffff {
			units++
		}
		if units > n {
			return s[:last] + "…"
		}
	}
	return s
}

// shut ends the sheet that is open.
func (x *xlsxFile) shut() error {
	x.line = append(x.line, `</sheetData><autoFilter ref="A1:`...)
	x.line = strconv.AppendInt(appendColumn(x.line, len(x.heads)-1), int64(x.at), 10)
	x.line = append(x.line, `"/></worksheet>`...)
	if err := x.flush(); err != nil {
		return err
	}
	return x.sheet.Flush()
}

func (x *xlsxFile) end() error {
	if x.sample != nil {
		if err := x.release(); err != nil {
			return err
		}
	}
	if err := x.shut(); err != nil {
		return err
	}
	if err := x.aboutSheet(); err != nil {
		return err
	}
	for _, p := range x.parts() {
		if err := x.part(p.name, zip.Deflate, p.body); err != nil {
			return err
		}
	}
	return x.zip.Close()
}

func (x *xlsxFile) close() {}

// sheetName is the table's name as workbooks allow it: 31 characters without
// []:*?/\ and none of the other sheets'.
func (x *xlsxFile) sheetName(n int) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\`, r) || r < ' ' || r == '\ufffe' || r == '\uffff' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(x.f.Table, " "))
	name = strings.Trim(strings.Join(strings.Fields(name), " "), "'")
	if name == "" || strings.EqualFold(name, x.f.word("about")) || strings.EqualFold(name, "history") {
		name = x.f.word("data")
	}
	suffix := ""
	if n > 1 {
		suffix = " (" + strconv.Itoa(n) + ")"
	}
	const longest = 31
	if r := []rune(name); len(r) > longest-len(suffix) {
		name = strings.TrimRight(string(r[:longest-len(suffix)]), " '")
	}
	return name + suffix
}
