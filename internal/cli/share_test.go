package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a request may cost (guarantee 5).
const (
	shareCPU    = 1500 * time.Millisecond
	shareMemory = 256 << 20 // bytes above what the server has at rest
)

// TestARequestCostsNoMoreThanItsShare asks a server for the dearest things that
// its addresses can ask for, of tables that are as hard as a publisher can sign
// them: many rows that are all different, 1,900 columns, cells of a megabyte.
// One request after the other, each costs the process at most 1.5 s of processor
// time until it is answered, and never has the process more than 256 MiB above
// rest. A file that an export writes costs as much time as it is long, and so
// does handing out an original: of those only the memory is bounded.
//
// The long table has 50,000 rows, a million with KOPRIK_SOAK.
func TestARequestCostsNoMoreThanItsShare(t *testing.T) {
	if _, err := os.Stat("/proc/self/clear_refs"); err != nil {
		t.Skip("measures processes by /proc, which this system does not have")
	}
	if testing.Short() {
		t.Skip("measures processor time, which -short and the race detector leave to the whole run")
	}
	rows := 50_000
	if os.Getenv("KOPRIK_SOAK") != "" {
		rows = 1_000_000
	}
	dir := initCentral(t)
	for release := 1; release <= 2; release++ {
		publishAside(t, dir, writeHard(t, t.TempDir(), rows, release))
	}
	t.Setenv("GOGC", "25") // garbage counts as memory until it is collected
	server := start(t, "serve", "--dir", dir, "--listen", "127.0.0.1:0")
	line, err := bufio.NewReader(server.out).ReadString('\n')
	must(t, err)
	base := line[strings.Index(line, "http://"):]
	base = strings.TrimRight(strings.Fields(base)[0], "/")
	m := &meter{t: t, pid: server.Process.Pid}
	packed(t, dir)
	m.rest()

	var costs []cost
	for _, r := range dearRequests(t) {
		req, err := r.make(base)
		must(t, err)
		c := m.measure(r.name, func() { c := r; c.send(t, req) })
		if c.cpu > shareCPU && !r.long {
			t.Errorf("%s: %v of processor time, at most %v", r.name, c.cpu, shareCPU)
		}
		if c.memory > shareMemory {
			t.Errorf("%s: %d MiB, at most %d", r.name, c.memory>>20, shareMemory>>20)
		}
		costs = append(costs, c)
	}
	slices.SortFunc(costs, func(a, b cost) int { return cmp.Compare(b.cpu, a.cpu) })
	for _, c := range costs[:10] {
		t.Logf("%6.2f s, then %.2f s, %4d MiB  %s", c.cpu.Seconds(), c.behind.Seconds(), c.memory>>20, c.name)
	}
}

// packed waits until the server has made its packs: that work is its own, takes up
// to 1 GB, and gives way to requests, so that it would go on beside all of them.
func packed(t *testing.T, dir string) {
	t.Helper()
	snapshots, err := filepath.Glob(filepath.Join(dir, "repository", "metadata", "*.snapshot.json"))
	must(t, err)
	var state struct{ Done int }
	for state.Done < len(snapshots) {
		<-time.After(100 * time.Millisecond)
		b, err := os.ReadFile(filepath.Join(dir, "repository", "from", "state.json"))
		if !errors.Is(err, fs.ErrNotExist) {
			must(t, err)
			must(t, json.Unmarshal(b, &state))
		}
	}
}

// writeHard writes datasets that are hard to answer from, and gives their folders.
func writeHard(t *testing.T, dir string, rows, release int) []string {
	t.Helper()
	var folders []string
	add := func(name string, write func(w *bufio.Writer)) {
		folder := filepath.Join(dir, name)
		folders = append(folders, folder)
		must(t, os.MkdirAll(folder, 0o755))
		f, err := os.Create(filepath.Join(folder, "t.csv"))
		must(t, err)
		w := bufio.NewWriter(f)
		write(w)
		must(t, w.Flush())
		must(t, f.Close())
		must(t, os.WriteFile(filepath.Join(folder, "datapackage.json"),
			fmt.Appendf(nil, `{"name":%q,"title":"Hard %s %d","resources":[{"name":"t","path":"t.csv"}]}`, name, name, release), 0o600))
	}
	rowsOf := func(w *bufio.Writer, rows int) {
		fmt.Fprintln(w, "id,code,region,year,sex,age,value,share,day,note")
		regions := []string{"Andijon", "Buxoro", "Jizzax", "Navoiy", "Namangan", "Samarqand", "Sirdaryo", "Surxondaryo", "Fargʻona", "Xorazm"}
		for i := range rows {
			fmt.Fprintf(w, "x%08d,%d,%s,%d,%s,%d,%d,%d.%03d,2%03d-%02d-%02d,\"soʻz%d %d-mahalla, Тошкент %d кўча %d\"\n",
				i, i*7919%1_000_003, regions[i%10], 1990+i%30, []string{"f", "m"}[i%2], i%100,
				(i*release*7907)%10_000_019, i%977, i*31%1000, i%1000, i%12+1, i%28+1, i%50_021, i%977, i, i*release)
		}
	}
	add("revised", func(w *bufio.Writer) { rowsOf(w, 50_000) })
	if release > 1 {
		return folders
	}
	add("long", func(w *bufio.Writer) { rowsOf(w, rows) })
	add("wide", func(w *bufio.Writer) {
		for r := range 500 {
			for c := range 1900 {
				if c > 0 {
					_ = w.WriteByte(',')
				}
				if r == 0 {
					fmt.Fprintf(w, "column_%d", c)
				} else {
					fmt.Fprint(w, r*c)
				}
			}
			_ = w.WriteByte('\n')
		}
	})
	add("cells", func(w *bufio.Writer) {
		fmt.Fprintln(w, "id,text")
		for r := range 120 {
			fmt.Fprintf(w, "%d,%s\n", r, bytes.Repeat([]byte("<&шў "), 100_000+r))
		}
	})
	return folders
}

// A dear is one request that wants much.
type dear struct {
	name string
	make func(base string) (*http.Request, error)
	long bool // an answer whose length the reader asked for: a file
}

func (d dear) send(t *testing.T, req *http.Request) {
	t.Helper()
	res, err := http.DefaultTransport.RoundTrip(req)
	must(t, err)
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil && !d.long {
		t.Errorf("%s: %v", d.name, err)
	}
	if res.StatusCode >= 500 && res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%s: %s", d.name, res.Status)
	}
}

// dearRequests are the dearest things that each kind of address can be asked for.
func dearRequests(t *testing.T) []dear {
	t.Helper()
	var all []dear
	get := func(long bool, path string, parameters ...string) {
		query := url.Values{}
		for i := 0; i < len(parameters); i += 2 {
			query.Add(parameters[i], parameters[i+1])
		}
		if len(query) > 0 {
			path += "?" + query.Encode()
		}
		all = append(all, dear{name: path[:min(len(path), 150)], long: long, make: func(base string) (*http.Request, error) {
			return http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, http.NoBody)
		}})
	}
	post := func(path, kind string, body func() io.Reader) {
		all = append(all, dear{name: "POST " + path, make: func(base string) (*http.Request, error) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+path, body())
			if err == nil {
				req.Header.Set("Content-Type", kind)
			}
			return req, err
		}})
	}
	dearPages(get)
	dearRows(get)
	dearForms(post)
	return all
}

type asking func(long bool, path string, parameters ...string)

// dearPages asks for pages, searches and figures.
func dearPages(get asking) {
	for _, page := range []string{"", "search", "numbers", "node", "reuses", "help"} {
		get(false, "/uz/"+page)
	}
	many := strings.TrimSpace(strings.Repeat("hard long wide cells soʻz ", 19))
	for _, q := range []string{many, strings.Repeat("a ", 250), strings.Repeat("\"hard hard", 40), strings.Repeat("z", 499), "title:h* OR -x*", strings.Repeat("xard~ ", 80)} {
		get(false, "/ru/search", "q", q)
		get(false, "/api/v1/datasets", "q", q, "limit", "1000")
		get(false, "/api/v1/datasets", "q", q, "suggest", "true")
	}
	for _, name := range []string{"long", "wide", "cells"} {
		dataset := "/uz-cyrl/dataset/main_" + name
		get(false, dataset)
		get(false, dataset+"/history")
		get(false, dataset+"/table/t")
		for _, way := range []string{"chart", "map"} {
			get(false, dataset+"/"+way+"/t")
			get(false, dataset+"/"+way+"/t/figure.svg")
			get(false, dataset+"/"+way+"/t/figure.png")
			get(false, dataset+"/"+way+"/t/figure.csv")
		}
		get(false, "/api/v1/datasets/main_"+name)
		get(false, "/api/v1/datasets/main_"+name+"/releases")
		get(false, "/api/v1/tables/main_"+name+"/t")
		get(true, "/dataset/main_"+name+"/release/1/t.csv")
	}
	get(false, "/uz/dataset/main_revised/history", "from", "1", "to", "2")
	get(false, "/uz/dataset/main_long/chart/t", "kind", "multiples", "x", "id", "by", "note", "measure", "value")
	get(false, "/uz/dataset/main_long/table/t", "sort", "note__desc", "q", "кўча", "facet", "id,note,code")
}

// dearRows asks for rows, groups, facets, statements and files.
func dearRows(get asking) {
	const long, wide, cells = "/api/v1/tables/main_long/t", "/api/v1/tables/main_wide/t", "/api/v1/tables/main_cells/t"
	every := strings.Join([]string{"id", "code", "region", "year", "sex", "age", "value", "share"}, ",")
	var percentiles []string
	for p := range 32 {
		percentiles = append(percentiles, fmt.Sprintf("value__p%d", p*3))
	}
	for _, q := range [][]string{
		{"limit", "1000"},
		{"limit", "1000", "sort", "note__desc,id,share__desc"},
		{"q", "soʻz mahalla Тошкент 99999 кўча", "sort", "note"},
		{"note__contains", "99999", "id__contains", "9", "sort", "value__desc"},
		{"facet", every, "facet_limit", "1000"},
		{"group", every, "aggregate", strings.Join(percentiles, ","), "limit", "1000", "sort", "value__p90__desc"},
		{"group", "id", "limit", "1000", "sort", "__count__desc"},
		{"group", "region,year,sex", "aggregate", strings.Join(percentiles, ",")},
		{"group", "note", "aggregate", "value__median"},
		{"aggregate", strings.Join(percentiles, ",")},
		{"id__in", strings.Repeat("x00000001,", 700) + "x1"},
	} {
		get(false, long+"/rows", q...)
	}
	get(false, wide+"/rows", "limit", "1000")
	get(false, wide+"/rows", "limit", "1000", "q", "1 2 3 4 5 6 7 8 9")
	get(false, cells+"/rows", "limit", "1000")
	get(false, cells+"/rows", "limit", "1000", "q", "шў", "sort", "text__desc", "facet", "text", "group", "text")
	get(false, cells+"/rows", "limit", "1000", "sort", "text__desc")
	for _, sql := range []string{
		"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c) SELECT count(*) FROM c",
		"SELECT count(*) FROM t a, t b, t c",
		"SELECT note, count(*), group_concat(id) FROM t GROUP BY 1 ORDER BY 2 DESC, 1",
		"SELECT * FROM t ORDER BY note DESC",
		"SELECT a.id, sum(b.value) OVER (ORDER BY b.note) FROM t a JOIN t b ON a.note > b.note",
		"SELECT replace(hex(note), '0', note) FROM t",
	} {
		get(false, "/api/v1/sql", "table", "t=main_long/t", "sql", sql)
	}
	get(false, "/api/v1/sql", "table", "t=main_cells/t", "sql", "SELECT group_concat(text) FROM t")
	get(false, "/api/v1/sql", "table", "t=main_cells/t", "sql", "SELECT a.text || b.text FROM t a, t b ORDER BY 1")
	for _, format := range []string{"csv", "xlsx", "json", "ndjson", "parquet", "sqlite"} {
		get(true, long+"/export", "format", format)
		get(true, long+"/export", "format", format, "sort", "note__desc")
		get(true, wide+"/export", "format", format)
		get(true, cells+"/export", "format", format)
	}
}

// dearForms sends what is too large, and what has to be hashed.
func dearForms(post func(path, kind string, body func() io.Reader)) {
	huge := func() io.Reader { return io.LimitReader(strings.NewReader(strings.Repeat("text=a&", 16<<20)), 100<<20) }
	for _, path := range []string{"/uz/ask", "/uz/receipt", "/uz/reuses/new", "/uz/verify", "/post"} {
		post(path, "application/x-www-form-urlencoded", huge)
	}
	post("/uz/receipt", "application/x-www-form-urlencoded", func() io.Reader {
		return strings.NewReader("code=ZFFV1-J5AXG-S5MFW-W6PWF")
	})
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	file, err := w.CreateFormFile("file", "t.csv")
	if err == nil {
		_, err = file.Write(bytes.Repeat([]byte("a,b\n"), 8<<20))
	}
	if err != nil || w.Close() != nil {
		panic("a form in memory cannot fail")
	}
	post("/uz/verify", w.FormDataContentType(), func() io.Reader { return bytes.NewReader(form.Bytes()) })
}

// A cost is what one request took of the server's process.
type cost struct {
	name   string
	cpu    time.Duration // until it was answered
	behind time.Duration // after that, in the background: the summary of a column, once
	memory int64         // bytes above rest, the most
}

// A meter measures a process by /proc.
type meter struct {
	t      *testing.T
	pid    int
	atRest int64 // bytes
}

// quiet waits until the process has done nothing for a tenth of a second.
func (m *meter) quiet() time.Duration {
	m.t.Helper()
	now := cpuOf(m.t, m.pid)
	for {
		<-time.After(100 * time.Millisecond)
		next := cpuOf(m.t, m.pid)
		if next-now <= 10*time.Millisecond {
			return next
		}
		now = next
	}
}

func (m *meter) rest() {
	m.t.Helper()
	m.quiet()
	m.atRest = statusOf(m.t, m.pid, "VmRSS")
}

func (m *meter) measure(name string, request func()) cost {
	m.t.Helper()
	must(m.t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", m.pid), []byte("5"), 0)) // VmHWM begins anew
	before := cpuOf(m.t, m.pid)
	request()
	took := cpuOf(m.t, m.pid) - before
	return cost{name: name, cpu: took, behind: m.quiet() - before - took, memory: statusOf(m.t, m.pid, "VmHWM") - m.atRest}
}
