package read

import (
	"bytes"
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// readRows reads all rows through a reader that gives what it likes.
func readRows(t *testing.T, r io.Reader, d dialect) (rows [][]string) {
	t.Helper()
	c := newCSVReader(r, d)
	for {
		row, err := c.next()
		if err == io.EOF {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, slices.Clone(row))
	}
}

func TestRowsAreTheSameHoweverTheBytesArrive(t *testing.T) {
	for _, text := range []string{
		"a,b\r\n\"x,\r\n\"\"y\"\"\",2\r\n\r\n3,\"4\" \r5,6", "a;;b\n1;;2", "\"a\"b,c\n", "a\\,b,c\n\"d\\\"e\",f", "#c\na,b\n#d\n1,2", "\"never", "a, \"b, c\" ,d\n",
	} {
		for _, d := range []dialect{{delimiter: ",", double: true}, {delimiter: ";;", double: true}, {delimiter: ",", escape: "\\", comment: "#"}, {delimiter: ",", double: true, skipSpace: true}} {
			want := readRows(t, strings.NewReader(text), d)
			got := readRows(t, iotest.OneByteReader(strings.NewReader(text)), d)
			if !slices.EqualFunc(got, want, slices.Equal) {
				t.Errorf("%q: %q, at once %q", text, got, want)
			}
		}
	}
}

// FuzzRows: what is well formed is read as encoding/csv reads it.
func FuzzRows(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\"a\"\"b\",c\n", "a\r\nb,\"c\r\nd\"\r\n", ",,\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.IndexByte(data, '\r') >= 0 || bytes.Contains(data, []byte("\" ")) {
			return // CR alone ends a row here, and spaces after a quote are forgiven
		}
		std := csv.NewReader(bytes.NewReader(data))
		std.FieldsPerRecord = -1
		var want [][]string
		for {
			row, err := std.Read()
			if err == io.EOF {
				break
			}
			if err != nil {
				return
			}
			if len(row) > 1 || strings.TrimSpace(row[0]) != "" || bytes.IndexByte(data, '"') >= 0 {
				want = append(want, row)
			}
		}
		if bytes.IndexByte(data, '"') >= 0 && slices.ContainsFunc(want, func(r []string) bool { return len(r) == 1 && strings.TrimSpace(r[0]) == "" }) {
			return // a quoted blank is a row here, a blank is none
		}
		got := readRows(t, iotest.HalfReader(bytes.NewReader(data)), dialect{delimiter: ",", double: true})
		if !slices.EqualFunc(got, want, slices.Equal) {
			t.Fatalf("%q: %q, encoding/csv %q", data, got, want)
		}
	})
}
