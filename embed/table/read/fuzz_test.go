package read

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"

	"koprik/portal"
)

func FuzzCheckCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", sentence, "\"a\"\"b\",c\r\"x", "a;b\n1,5;2\n", "\xff\xfea\x00,\x00", "\ufeffx|y\n", "a\tb\n\x98,\x81"} {
		f.Add([]byte(s), "")
		f.Add([]byte(s), `{"delimiter": ";", "escapeChar": "\\", "commentChar": "#", "headerRows": [2]}`)
	}
	f.Fuzz(func(t *testing.T, data []byte, d string) { fuzzCheck(t, data, "a.csv", d) })
}

func FuzzCheckJSON(f *testing.F) {
	for _, s := range []string{`[{"a": 1}]`, `{"data": [[1, "x"], [2]]}`, "{\"a\":1}\n{\"a\":[{}]}", `[["a"],[null]]`, `{"a":[1],"a":[{"x":"\ud800"}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzCheck(t, data, "a.json", "")
		fuzzCheck(t, data, "a.ndjson", "")
	})
}

// fuzzCheck: arbitrary bytes end in tables, in none, or in a rejection, strict
// and lenient.
func fuzzCheck(t *testing.T, data []byte, name, dialect string) {
	r := portal.Resource{Path: name}
	if json.Valid([]byte(dialect)) && dialect != "" {
		r.Dialect = json.RawMessage(dialect)
	}
	infos, err := Check(context.Background(), bytes.NewReader(data), int64(len(data)), r)
	if err != nil && !isRejection(err) {
		t.Fatal(err)
	}
	for _, i := range infos {
		seen := map[string]bool{}
		for _, f := range i.Columns {
			if f.Name == "" || seen[f.Name] {
				t.Fatalf("name %q is empty or stands twice", f.Name)
			}
			seen[f.Name] = true
		}
	}
	rd := &reader{ctx: context.Background(), src: bytes.NewReader(data), size: int64(len(data)), res: r, report: &report{}, tmp: t.TempDir()}
	defer rd.close()
	sheets, err := rd.open()
	for i, s := range sheets {
		p, perr := rd.plan(s, i == 0)
		if perr != nil || p == nil {
			err = errors.Join(err, perr)
			continue
		}
		perr = s.rows(rd.ctx, func(n int, cells []cell) error { p.row(n, cells, nil); return nil })
		for _, c := range p.columns {
			if c.bad > 0 {
				t.Fatalf("column %q: an inferred type does not hold: %q in row %d is no %s %s", c.field.Name, c.badText, c.badRow, c.field.Type, c.field.Options)
			}
		}
		err = errors.Join(err, perr)
	}
	if err != nil && !errors.Is(err, errUnreadable) {
		t.Fatal(err)
	}
	if len(rd.report.problems) > 0 {
		t.Fatal("a lenient reader reports", rd.report.err())
	}
}
