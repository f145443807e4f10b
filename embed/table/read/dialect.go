package read

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// dialect is how rows are written in a text file: the Frictionless table
// dialect, as far as it concerns what is read here. The zero value is not yet
// decided.
type dialect struct {
	delimiter  string
	quote      string // "" when nothing is decided, noQuote for none
	double     bool   // a doubled quote inside quotes is one
	escape     string
	skipSpace  bool
	comment    string
	null       *string // a cell so written has no value
	header     *bool
	headerRows []int // rows of the header, from 1
	headerJoin string
	sheetName  string
	sheetNum   int
}

const noQuote = "\x00none"

// dialectJSON is the Frictionless object. The CSV Dialect of version 1 has the
// same names, in some tools inside "csv" or "excel".
type dialectJSON struct {
	Delimiter        *string         `json:"delimiter"`
	QuoteChar        *string         `json:"quoteChar"`
	DoubleQuote      *bool           `json:"doubleQuote"`
	EscapeChar       *string         `json:"escapeChar"`
	SkipInitialSpace *bool           `json:"skipInitialSpace"`
	CommentChar      *string         `json:"commentChar"`
	NullSequence     *string         `json:"nullSequence"`
	Header           *bool           `json:"header"`
	HeaderRows       []int           `json:"headerRows"`
	HeaderJoin       *string         `json:"headerJoin"`
	SheetName        *string         `json:"sheetName"`
	SheetNumber      *int            `json:"sheetNumber"`
	CSV              json.RawMessage `json:"csv"`
	Excel            json.RawMessage `json:"excel"`
}

// parseDialect reads what a resource declares. Properties that no reader here
// uses are passed over.
func parseDialect(raw json.RawMessage) (dialect, error) {
	d := dialect{double: true, headerJoin: " "}
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] == '"' || string(raw) == "null" {
		return d, nil
	}
	var j dialectJSON
	if err := json.Unmarshal(raw, &j); err != nil {
		return d, err
	}
	for _, inner := range []json.RawMessage{j.CSV, j.Excel} {
		if len(inner) > 0 {
			if err := json.Unmarshal(inner, &j); err != nil {
				return d, err
			}
		}
	}
	return d, d.take(j)
}

// with puts what another object says before what is known.
func (d dialect) with(raw json.RawMessage) (dialect, error) {
	if len(raw) == 0 {
		return d, nil
	}
	var j dialectJSON
	if err := json.Unmarshal(raw, &j); err != nil {
		return d, err
	}
	return d, d.take(j)
}

// take copies what is given and checks it.
func (d *dialect) take(j dialectJSON) error {
	for _, c := range []struct {
		name string
		from *string
		to   *string
	}{
		{"delimiter", j.Delimiter, &d.delimiter},
		{"quoteChar", j.QuoteChar, &d.quote},
		{"escapeChar", j.EscapeChar, &d.escape},
		{"commentChar", j.CommentChar, &d.comment},
	} {
		if c.from == nil {
			continue
		}
		if n := len(*c.from); n > 1 && c.name != "delimiter" || n > 8 {
			return fmt.Errorf("%s %q: must be one ASCII character", c.name, *c.from)
		}
		*c.to = *c.from
	}
	switch {
	case j.Delimiter != nil && (d.delimiter == "" || d.delimiter == "\n" || d.delimiter == "\r"):
		return fmt.Errorf("delimiter %q: must be a character that does not end a line", d.delimiter)
	case j.QuoteChar != nil && d.quote == "":
		d.quote = noQuote
	}
	if d.quote != "" && d.quote == d.delimiter {
		return fmt.Errorf("quoteChar and delimiter are both %q", d.quote)
	}
	if d.escape != "" && j.DoubleQuote == nil {
		d.double = false
	}
	if j.DoubleQuote != nil {
		d.double = *j.DoubleQuote
	}
	if j.SkipInitialSpace != nil {
		d.skipSpace = *j.SkipInitialSpace
	}
	if j.HeaderJoin != nil {
		d.headerJoin = *j.HeaderJoin
	}
	if j.SheetName != nil {
		d.sheetName = *j.SheetName
	}
	if j.SheetNumber != nil {
		d.sheetNum = *j.SheetNumber
	}
	if j.NullSequence != nil {
		d.null = j.NullSequence
	}
	if j.Header != nil {
		d.header = j.Header
	}
	if j.HeaderRows != nil {
		d.headerRows = j.HeaderRows
	}
	if len(d.headerRows) > 0 && (slices.Min(d.headerRows) < 1 || slices.Max(d.headerRows) > 1000 || !slices.IsSorted(d.headerRows)) {
		return fmt.Errorf("headerRows %v: must be row numbers from 1, in order, at most 1000", d.headerRows)
	}
	return nil
}

// delimiters are tried in this order.
var delimiters = []string{",", ";", "\t", "|"}

// sniff fills in the delimiter and the quote that make the sample's rows most
// alike. It gives the delimiter it had to guess, "" when it did not.
func (d dialect) sniff(sample []byte) (sniffed dialect, guessed string) {
	quotes := []string{d.quote}
	if d.quote == "" {
		quotes = []string{`"`}
		if singleQuoted(sample) {
			quotes = append(quotes, "'")
		}
	}
	delims := delimiters
	if d.delimiter != "" {
		delims = []string{d.delimiter}
	}
	best := -1.0
	for _, q := range quotes {
		for _, del := range delims {
			try := d
			try.delimiter, try.quote = del, q
			// a space before a quotation mark belongs to the delimiter
			try.skipSpace = d.skipSpace || bytes.Contains(sample, []byte(del+" "+q))
			if s := try.fit(sample); s > best+1e-9 {
				best, sniffed = s, try
			}
		}
	}
	if d.delimiter == "" && best > 0 && sniffed.delimiter != "," {
		guessed = sniffed.delimiter
	}
	return sniffed, guessed
}

// singleQuoted tells whether cells may be quoted with the apostrophe: it opens
// and closes something, and the double quote never stands.
func singleQuoted(sample []byte) bool {
	if bytes.IndexByte(sample, '"') >= 0 {
		return false
	}
	for _, del := range ",;\t|" {
		if bytes.Contains(sample, []byte("'"+string(del)+"'")) {
			return true
		}
	}
	return false
}

// fit is 0 for a single column, else how many of the first rows have the
// commonest width, more for a header of that width, a little more for more
// columns.
func (d dialect) fit(sample []byte) float64 {
	c := newCSVReader(bufioOf(sample), d)
	widths := map[int]int{}
	rows, header, flaws, clean, all := 0, 0, 0, 0, 0
	for rows < 200 {
		cells, err := c.next()
		if err != nil {
			break
		}
		if rows == 0 {
			header = len(cells)
		} else if len(cells) <= MaxColumns {
			all += len(cells)
			clean += d.whole(cells)
		}
		if c.flaw != "" {
			flaws++
		}
		widths[len(cells)]++
		rows++
	}
	mode := 0
	for w, n := range widths {
		if n > widths[mode] || n == widths[mode] && w > mode {
			mode = w
		}
	}
	if rows == 0 || mode < 2 {
		return 0
	}
	same := float64(widths[mode]-flaws) / float64(rows)
	fit := same * same * (1 + 0.02*float64(min(mode, 10)))
	if header != mode {
		fit *= 0.6
	}
	if all > 0 {
		fit *= 0.8 + 0.2*float64(clean)/float64(all)
	}
	return max(fit, 0)
}

// whole counts the cells that are numbers, or have no other delimiter in them: a
// comma that cuts "3 461,5;9,2" leaves pieces that are neither.
func (d dialect) whole(cells []string) (n int) {
	for _, c := range cells {
		if !strings.ContainsAny(c, ",;\t|") || numberMask(strings.TrimSpace(c)).live != 0 {
			n++
		}
	}
	return n
}
