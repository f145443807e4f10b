package read

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

// openXLSX reads a workbook through excelize. Before that, gate looks at every
// part, for excelize takes malformed XML as the end of a sheet, and keeps what
// it doesn't know in memory: it is given a slim copy with the parts that hold
// values.
func (rd *reader) openXLSX(d dialect) (sheets []*sheet, err error) {
	slim, err := rd.gate()
	if err != nil {
		return nil, err
	}
	var f *excelize.File
	err = guarded(func() (err error) {
		f, err = excelize.OpenFile(slim, excelize.Options{TmpDir: rd.tmp, UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: 1 << 20})
		return err
	})
	if err != nil {
		os.Remove(slim)
		return nil, unreadable(rd.where(nil), "the workbook cannot be opened: %v", err)
	}
	rd.onClose(func() error { return errors.Join(f.Close(), os.Remove(slim)) })
	names := f.GetSheetList()
	err = guarded(func() error { return isoDates(f) })
	if err == nil {
		sheets, err = rd.workbookSheets(f, d, names)
	}
	return sheets, err
}

// guarded turns a panic below into an error: the bytes are a stranger's, the
// library is not ours.
func guarded(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("workbook is malformed: %v", p)
		}
	}()
	return fn()
}

// workbookSheets makes a sheet of each worksheet that has rows.
func (rd *reader) workbookSheets(f *excelize.File, d dialect, names []string) ([]*sheet, error) {
	if len(names) > maxSheets {
		return nil, unreadable(rd.where(nil), "%d sheets; at most %d are read", len(names), maxSheets)
	}
	parts := rd.sheetParts()
	var sheets []*sheet
	for i, name := range names {
		if d.sheetName != "" && d.sheetName != name || d.sheetNum > 0 && d.sheetNum != i+1 {
			continue
		}
		s := &sheet{name: name, padded: true}
		if visible, err := f.GetSheetVisible(name); err == nil && !visible {
			s.note("the sheet is hidden in the workbook")
		}
		d, err := rd.sheetDialect(d, name)
		if err != nil {
			return nil, err
		}
		rows, numbers, err := rd.sheetRows(f, s, d)
		if err != nil {
			return nil, err
		}
		p := rd.page(s, d, rows, numbers)
		merges := rd.merges[parts[name]]
		s.each = func(ctx context.Context, fn func(int, []cell) error) error {
			fill := mergeFill{merges: merges}
			return rd.eachXLSX(ctx, f, name, func(n int, row []string, cells []cell) error {
				if n < p.begin {
					return nil
				}
				return fn(n, fill.row(n, cells))
			})
		}
		sheets = append(sheets, s)
	}
	if len(sheets) == 0 && (d.sheetName != "" || d.sheetNum > 0) {
		return nil, unreadable(rd.where(nil), "the workbook has no sheet %q, number %d, as the dialect says", d.sheetName, d.sheetNum)
	}
	return sheets, nil
}

// sheetRows are the rows among which the header stands, and their numbers.
func (rd *reader) sheetRows(f *excelize.File, s *sheet, d dialect) (rows [][]string, numbers []int, err error) {
	stop := errors.New("stop")
	err = rd.eachXLSX(rd.ctx, f, s.name, func(n int, row []string, _ []cell) error {
		rows, numbers = append(rows, slices.Clone(row)), append(numbers, n)
		if len(rows) >= d.headerWithin() {
			return stop
		}
		return nil
	})
	if err == stop { //nolint:errorlint // our own, never wrapped
		err = nil
	}
	return rows, numbers, err
}

// eachXLSX gives every row that is not empty.
func (rd *reader) eachXLSX(ctx context.Context, f *excelize.File, name string, fn func(n int, row []string, cells []cell) error) error {
	var rows *excelize.Rows
	err := guarded(func() (err error) { rows, err = f.Rows(name); return err })
	if errors.As(err, new(excelize.ErrSheetNotExist)) {
		return nil // a chart's sheet has no cells
	}
	if err != nil {
		return unreadable(rd.where(&sheet{name: name}), "%v", err)
	}
	defer rows.Close()
	var cells []cell
	for n := 1; ; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var row []string
		more := false
		err := guarded(func() (err error) {
			if more = rows.Next(); more {
				row, err = rows.Columns()
			}
			return err
		})
		if err == nil && !more {
			err = rows.Error()
		}
		if err != nil {
			return unreadable(fmt.Sprintf("%s: row %d", rd.where(&sheet{name: name}), n), "%v", err)
		}
		if !more {
			return nil
		}
		if !slices.ContainsFunc(row, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue
		}
		cells = cells[:0]
		for _, text := range row {
			cells = append(cells, cell{text: text})
		}
		if err := fn(n, row, cells); err != nil {
			return err
		}
	}
}

// isoDates replaces the number formats of the workbook, in memory, before cells
// are read: days and moments are shown in the ISO form, whatever the author
// chose, codes that are shown with leading zeros keep them, and every other
// number is the value itself.
func isoDates(f *excelize.File) error {
	if f.Styles == nil || f.Styles.CellXfs == nil {
		return nil
	}
	codes := map[int]string{}
	if f.Styles.NumFmts != nil {
		for _, nf := range f.Styles.NumFmts.NumFmt {
			if nf != nil {
				codes[nf.NumFmtID] = nf.FormatCode
			}
		}
		f.Styles.NumFmts.NumFmt = nil
	}
	own := len(f.Styles.CellXfs.Xf)
	shown := map[string]*int{}
	show := func(code string) (*int, error) {
		if id, ok := shown[code]; ok {
			return id, nil
		}
		style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &code})
		if err != nil {
			return nil, err
		}
		shown[code] = f.Styles.CellXfs.Xf[style].NumFmtID
		return shown[code], nil
	}
	plain := 1 << 20 // no such format: the value as it is
	for i := range own {
		id := 0
		if p := f.Styles.CellXfs.Xf[i].NumFmtID; p != nil {
			id = *p
		}
		iso := isoFormat(id, codes[id])
		if iso == "" || len(shown) > 20 {
			f.Styles.CellXfs.Xf[i].NumFmtID = &plain
			continue
		}
		to, err := show(iso)
		if err != nil {
			return err
		}
		f.Styles.CellXfs.Xf[i].NumFmtID = to
	}
	return nil
}

// builtinDates are the number formats that every workbook has (ECMA-376 part 1,
// 18.8.30), East Asian ones included.
var builtinDates = map[int]string{
	14: isoDay, 15: isoDay, 16: isoDay, 17: isoDay, 18: isoClock, 19: isoClock, 20: isoClock, 21: isoClock, 22: isoMoment,
	27: isoDay, 28: isoDay, 29: isoDay, 30: isoDay, 31: isoDay, 32: isoClock, 33: isoClock, 34: isoClock, 35: isoClock, 36: isoDay,
	45: isoClock, 46: isoElapsed, 47: isoClock, 50: isoDay, 51: isoDay, 52: isoDay, 53: isoDay, 54: isoDay, 55: isoClock, 56: isoClock, 57: isoDay, 58: isoDay,
}

const (
	isoDay     = "yyyy-mm-dd"
	isoClock   = "hh:mm:ss"
	isoElapsed = "[h]:mm:ss"
	isoMoment  = `yyyy-mm-dd"T"hh:mm:ss`
)

// isoFormat gives the format to show instead of the author's; "" for the value
// itself.
func isoFormat(id int, code string) string {
	if code == "" {
		return builtinDates[id]
	}
	if n := strings.Count(code, "0"); n == len(code) && n >= 2 && n <= 15 {
		return code
	}
	letters, elapsed := formatLetters(code)
	clock := strings.ContainsAny(letters, "hs")
	day := strings.ContainsAny(letters, "yd") || strings.Contains(letters, "m") && !clock
	switch {
	case elapsed && !day:
		return isoElapsed
	case day && clock:
		return isoMoment
	case day:
		return isoDay
	case clock:
		return isoClock
	}
	return ""
}

// formatLetters gives the date letters of a format's first section: not those
// in quotes, brackets or after an escape.
func formatLetters(code string) (letters string, elapsed bool) {
	var b strings.Builder
	for i := 0; i < len(code) && code[i] != ';'; i++ {
		switch c := code[i]; c {
		case '"', '[':
			end := strings.IndexByte(code[i+1:], map[byte]byte{'"': '"', '[': ']'}[c])
			if end < 0 {
				return b.String(), elapsed
			}
			inner := strings.ToLower(code[i+1 : i+1+end])
			if c == '[' && inner != "" && strings.Trim(inner, "hms") == "" {
				elapsed = true
				b.WriteString("h")
			}
			i += end + 1
		case '\\', '_', '*':
			i++
		default:
			if strings.IndexByte("ymdhsYMDHS", c) >= 0 {
				b.WriteByte(c | 0x20)
			}
		}
	}
	if strings.EqualFold(code, "general") || strings.EqualFold(code, "standard") {
		return "", false
	}
	return b.String(), elapsed
}
