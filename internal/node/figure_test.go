package node_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"koprik/internal/node"
)

// longMeasures are the columns of a long table that can be drawn.
const longMeasures = 6

// long is a package of one table with n rows: of regions, years and sexes, with
// several measures, so that each page has sums of its own to make.
func long(n int) node.Input {
	var rows bytes.Buffer
	rows.WriteString("soato,year,sex")
	var fields strings.Builder
	fields.WriteString(`{"name":"soato","type":"string","koprik":{"role":"region","kind":"soato"}},{"name":"year","type":"year","koprik":{"role":"time","kind":"year"}},{"name":"sex","type":"string","koprik":{"role":"sex"}}`)
	for m := range longMeasures {
		fmt.Fprintf(&rows, ",m%d", m)
		fmt.Fprintf(&fields, `,{"name":"m%d","type":"integer","koprik":{"role":"measure","additive":true}}`, m)
	}
	rows.WriteByte('\n')
	regions := []string{"1703", "1706", "1708", "1710", "1712", "1714", "1718", "1722", "1724", "1726", "1727", "1730", "1733", "1735"}
	for i := range n {
		fmt.Fprintf(&rows, "%s,%d,%s", regions[i%14], 2000+i/14%27, []string{"ayol", "erkak"}[i/378%2])
		for m := range longMeasures {
			fmt.Fprintf(&rows, ",%d", i%1000+m)
		}
		rows.WriteByte('\n')
	}
	return node.Input{Label: "long", Name: ".", FS: fstest.MapFS{
		"datapackage.json": {Data: fmt.Appendf(nil, `{"name":"long","title":"A long table","resources":[{"name":"t","path":"t.csv","schema":{"fields":[%s]}}]}`, &fields)},
		"t.csv":            {Data: rows.Bytes()},
	}}
}

// htmlOf asks a handler as a browser does that has never been here.
func htmlOf(t *testing.T, h http.Handler, address string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %.600s", address, w.Code, w.Body)
	}
	return w.Body.String()
}

func TestATableTooLongToBeDrawnIsDrawnOfItsSums(t *testing.T) {
	n := newCentral(t)
	const rows = 30_000
	publish(t, n, long(rows))
	h, err := n.Handler()
	must(t, err)
	sum := 0
	for i := range rows {
		if i%14 == 0 {
			sum += i % 1000
		}
	}
	body := htmlOf(t, h, "/en/dataset/main_long/chart/t?kind=bars&by=soato&m=m0")
	for _, want := range []string{`<svg class="chart`, "Andijan region", "sum of the parts"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	// Every region's sums are those of its rows, whichever years and sexes are held.
	total := 0
	for _, sex := range []string{"ayol", "erkak"} {
		for year := range 27 {
			csv := htmlOf(t, h, fmt.Sprintf("/en/dataset/main_long/chart/t/figure.csv?kind=bars&by=soato&m=m0&at.sex=%s&at.year=%d", sex, 2000+year))
			for line := range strings.Lines(csv) {
				if name, value, ok := strings.Cut(strings.TrimSpace(line), ","); ok && strings.Contains(name, "Andijan") {
					v, err := strconv.Atoi(value)
					must(t, err)
					total += v
				}
			}
		}
	}
	if total != sum {
		t.Errorf("Andijan has %d, the rows %d", total, sum)
	}
}
