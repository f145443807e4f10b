package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/klauspost/compress/gzhttp"

	"koprik/portal"
	"koprik/portal/query"
)

// Exporter makes files of tables.
type Exporter interface {
	// Export writes all rows that a query finds as a file. What is wrong with the
	// query or cannot be written in the format is told before the first byte, as
	// portal.ErrUsage, ErrNotFound or ErrNotHeld; an error later leaves half a file.
	// The bytes are a function of the arguments alone.
	Export(ctx context.Context, w io.Writer, r portal.Resource, sheet string, q portal.TableQuery, e portal.Export) error
	// ExportVersion names the rules by which files are made of tables: letters,
	// digits and points. The same version makes the same bytes, on every node.
	ExportVersion() string
}

// Limits of exports (guarantee 5): a file costs more than a page, so few are made
// at once and nobody has them all.
const (
	maxExports    = 4                // made at once
	maxOwnExports = 2                // of them for one address of a reader
	exportTime    = 30 * time.Minute // for the whole file to be made and sent
	exportBurst   = 30               // begun by one reader at once …
	exportEvery   = 2 * time.Second  // … and one more after every so long
)

const exportPath = "/api/v1/tables/{slug}/{name}/export"

// exportRequest is the query string of an export.
type exportRequest struct {
	query   portal.TableQuery
	file    portal.Export
	sheet   string
	release int    // 0: the latest
	version string // "": the present one
}

// separators by their names in addresses.
var separators = []struct {
	name string
	r    rune
}{{"comma", ','}, {"semicolon", ';'}, {"tab", '\t'}}

// exportNames are the parameters of an export that are not the query's.
var exportNames = []string{"format", "release", "lang", "separator", "decimal", "bare", "sheet", "v"}

// unasked are parameters of a query that an export, which has all rows and
// nothing beside them, does not take.
var unasked = []string{query.After, query.Facets, query.FacetLimit}

// parseExport reads the query string of /api/v1/tables/{slug}/{name}/export.
func parseExport(raw string) (exportRequest, error) {
	var req exportRequest
	p, err := newParameters(raw)
	if err != nil {
		return req, err
	}
	if req.query, err = query.Parse(p.values); err != nil {
		return req, err
	}
	for name := range p.values {
		_, _, filter := query.IsFilter(name)
		if filter || slices.Contains(query.Names, name) && !slices.Contains(unasked, name) {
			delete(p.values, name)
		}
	}
	format := p.one("format")
	if req.file.Format, err = portal.ParseExportFormat(format); err != nil {
		p.wrong("format", "%v", err)
	}
	req.release = p.number("release", maxRelease)
	if s := p.one("lang"); s != "" {
		if req.file.Lang, err = portal.ParseLang(s); err != nil {
			p.wrong("lang", "%v", err)
		}
	}
	csv := req.file.Format == portal.ExportCSV
	p.choose("separator", csv, func(s string) bool {
		for _, sep := range separators {
			if s == sep.name {
				req.file.Separator = sep.r
				return true
			}
		}
		return false
	}, "comma, semicolon, tab")
	p.choose("decimal", csv, func(s string) bool {
		req.file.DecimalComma = s == "comma"
		return s == "comma" || s == "point"
	}, "point, comma")
	p.choose("bare", csv || req.file.Format == portal.ExportNDJSON, func(s string) bool {
		req.file.Bare = s == "1"
		return s == "1" || s == "0"
	}, "1, 0")
	if req.file.DecimalComma && (req.file.Separator == 0 || req.file.Separator == ',') {
		p.wrong("decimal", "a comma cannot mark decimals and separate cells: say separator=semicolon or tab")
	}
	req.sheet, req.version = p.one("sheet"), p.one("v")
	return req, p.err(strings.Join(exportNames, ", ") + ", columns, q, sort, desc, limit, group, aggregate and {column}__{op}")
}

// choose takes a parameter that some formats have.
func (p *parameters) choose(key string, allowed bool, take func(string) bool, known string) {
	s := p.one(key)
	switch {
	case s == "":
	case !allowed:
		p.wrong(key, "this format has no such choice")
	case !take(s):
		p.wrong(key, "%q is none of %s", s, known)
	}
}

// address is where any node makes the same file again: every choice in its one
// spelling, the release by its number.
func (req exportRequest) address(id portal.DatasetID, name string) string {
	values := query.Values(req.query)
	set := func(key, value string) {
		if value != "" {
			values.Set(key, value)
		}
	}
	set("format", string(req.file.Format))
	set("release", strconv.Itoa(req.release))
	set("v", req.version)
	set("sheet", req.sheet)
	set("lang", req.file.Lang.Path())
	for _, sep := range separators {
		if sep.r == req.file.Separator && sep.r != ',' {
			set("separator", sep.name)
		}
	}
	if req.file.DecimalComma {
		set("decimal", "comma")
	}
	if req.file.Bare {
		set("bare", "1")
	}
	return "/api/v1/tables/" + string(id) + "/" + url.PathEscape(name) + "/export?" + values.Encode()
}

// export answers with a file made of a table's rows.
func (a *api) export(w http.ResponseWriter, r *http.Request, v portal.View) error {
	req, err := parseExport(r.URL.RawQuery)
	if err != nil {
		return err
	}
	if a.o.Exporter == nil {
		return noRoute(w, r)
	}
	d, res, err := a.exported(r, v, &req)
	if err != nil {
		return err
	}
	v.Close() // a slow reader of a large file must not hold the generation
	from := req.file.From
	etag := `"` + portal.DigestOf([]byte(from.String())).Short() + `"`
	h := w.Header()
	origin(w, from)
	h.Set("ETag", etag)
	h.Set("Cache-Control", "no-cache")
	if matches(r.Header.Values("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	done, err := a.exports.begin(r, a.o.Now)
	if err != nil {
		h.Set("Retry-After", "30")
		return err
	}
	defer done()
	h.Set("Content-Type", req.file.Format.MediaType())
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": req.fileName(d.ID, res.Name)}))
	if f := req.file.Format; f == portal.ExportXLSX || f == portal.ExportParquet {
		h.Set(gzhttp.HeaderNoCompression, "1") // they are compressed
	}
	out := &sending{w: w, head: r.Method == http.MethodHead}
	err = a.o.Exporter.Export(r.Context(), out, res, req.sheet, req.query, req.file)
	switch {
	case err == nil, out.gone != nil:
		a.downloaded(r, d.ID)
		return nil
	case !out.begun:
		return a.elsewhere(r, res, fmt.Errorf("export of %s of %s: %w", res.Name, d.ID, err))
	}
	a.log.Warn("an export broke off", "path", r.URL.Path, "error", err)
	panic(http.ErrAbortHandler) // half a file must not look whole
}

// exported finds what is to be exported, and completes the request with the
// release, the sheet, and the address by which it is made again.
func (a *api) exported(r *http.Request, v portal.View, req *exportRequest) (d portal.Dataset, res portal.Resource, err error) {
	version := a.o.Exporter.ExportVersion()
	if req.version != "" && req.version != version {
		return d, res, notFound("v", "files are made by the rules of version %s here", version).WithHint("leave out v for a file of today")
	}
	req.version = version
	if d, err = datasetOf(r, v); err != nil {
		return d, res, err
	}
	if err := withdrawn(d); err != nil {
		return d, res, err
	}
	if req.release == 0 {
		req.release = d.Latest.Number
	}
	rel, from, err := packaged(r.Context(), v, d, req.release)
	if err != nil {
		return d, res, err
	}
	if res, err = resourceNamed(portal.Dataset{ID: d.ID, Latest: rel}, mux.Vars(r)["name"]); err != nil {
		return d, res, err
	}
	where := fmt.Sprintf("table %s of %s", res.Name, d.ID)
	tables, err := v.Tables(r.Context(), res)
	if err != nil {
		return d, res, a.elsewhere(r, res, fmt.Errorf("%s: %w", where, err))
	}
	if req.sheet, _, err = chooseSheet(tables, req.sheet, where); err != nil {
		return d, res, err
	}
	from.Address = req.address(d.ID, res.Name)
	if len(from.Address) > maxAddress {
		return d, res, usage("address", "longer than %d bytes when it is written out", maxAddress)
	}
	req.file.Release, req.file.From = rel, from
	return d, res, nil
}

// fileName says whose data it is, of which release, and whether it is a part.
func (req exportRequest) fileName(id portal.DatasetID, name string) string {
	s := string(id)
	if !strings.HasSuffix(s, "_"+name) {
		s += "_" + name
	}
	s += "_r" + strconv.Itoa(req.release)
	if q := req.query; len(q.Filters) > 0 || q.Text != "" || len(q.Columns) > 0 || len(q.Group) > 0 || q.Limit > 0 {
		s += "_part"
	}
	return s + "." + string(req.file.Format)
}

// sending is an answer on its way: whether it has begun, and whether its reader
// has gone.
type sending struct {
	w     io.Writer
	head  bool
	begun bool
	gone  error
}

var errHeadOnly = errors.New("only the head was asked for")

func (s *sending) Write(b []byte) (int, error) {
	s.begun = true
	if s.head {
		s.gone = errHeadOnly
		return 0, s.gone
	}
	n, err := s.w.Write(b)
	if err != nil {
		s.gone = err
	}
	return n, err
}
