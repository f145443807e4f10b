package api

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/mux"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"koprik/portal"
)

type document struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]map[string]struct {
		OperationID string           `json:"operationId"`
		Parameters  []map[string]any `json:"parameters"`
	} `json:"paths"`
}

func served(t *testing.T) document {
	t.Helper()
	return decoded[document](t, get(t, New(newWorld().options(io.Discard)), "/api/v1/openapi.json"))
}

func TestTheDocumentListsEveryRouteAndNoOther(t *testing.T) {
	doc := served(t)
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("OpenAPI version %q", doc.OpenAPI)
	}
	h := New(newWorld().options(io.Discard)).(*api)
	pattern := regexp.MustCompile(`\{(\w+):.*?\}+`)
	var routed []string
	methods := map[string]string{ReportAddress: "post", PostAddress: "post"}
	routed = append(routed, ReportAddress, PostAddress)
	for _, route := range (&inboxAPI{}).routes() {
		path := pattern.ReplaceAllString(route.path, "{$1}")
		routed, methods[path] = append(routed, path), strings.ToLower(route.method)
	}
	err := h.router.Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		tpl, err := r.GetPathTemplate()
		routed = append(routed, pattern.ReplaceAllString(tpl, "{$1}"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(routed)
	listed := slices.Sorted(maps.Keys(doc.Paths))
	if !slices.Equal(routed, listed) {
		t.Errorf("routes %q\nlisted %q", routed, listed)
	}
	ids := map[string]bool{}
	for path, listed := range doc.Paths {
		for method, op := range listed {
			if want := cmp.Or(methods[path], "get"); method != want {
				t.Errorf("%s lists the method %s, it answers %s", path, method, want)
			}
			if op.OperationID == "" || ids[op.OperationID] {
				t.Errorf("%s: operationId %q is missing or not its own", path, op.OperationID)
			}
			ids[op.OperationID] = true
		}
	}
}

func TestEveryParameterOfTheDocumentIsRead(t *testing.T) {
	doc := served(t)
	values := map[string]string{
		"release": "2", "lang": "uz", "sort": "name", "desc": "true", "cursor": "20", "limit": "5", "suggest": "true",
		"facet_limit": "5", "table": "w=main_water/water", "format": "csv", "separator": "tab", "decimal": "point", "bare": "1", "aggregate": "a__sum",
	}
	own := map[string]map[string]string{"/api/v1/reuses": {"dataset": "main_water", "state": "alive", "kind": "api"}}
	for path, parse := range map[string]func(string) error{
		"/api/v1/datasets":                  func(raw string) error { _, err := parseSearch(raw); return err },
		"/api/v1/tables/{slug}/{name}/rows": func(raw string) error { _, err := parseRows(raw); return err },
		"/api/v1/tables/{slug}/{name}/export": func(raw string) error {
			_, err := parseExport("format=csv&" + strings.TrimPrefix(raw, "format=csv"))
			return err
		},
		"/api/v1/reuses":      func(raw string) error { _, err := parseReuses(raw); return err },
		"/api/v1/reuses/{id}": nil,
		"/api/v1/sql": func(raw string) error {
			if !strings.HasPrefix(raw, "sql=") {
				raw += "&sql=SELECT+1"
			}
			_, _, err := parseSQL(raw)
			return err
		},
		"/api/v1/tables/{slug}/{name}":              nil,
		"/api/v1/datasets/{slug}":                   nil,
		"/api/v1/datasets/{slug}/releases":          nil,
		"/dataset/{slug}/release/{n}/{path}":        nil,
		"/dataset/{slug}/datapackage.json":          func(raw string) error { _, err := parseRelease(raw); return err },
		"/dataset/{slug}/release/{n}.json":          nil,
		"/repository/{path}":                        nil,
		"/api/v1/status":                            nil,
		"/.well-known/koprik":                       nil,
		"/dataset/{slug}/release/{n}/manifest.json": nil,
	} {
		for _, p := range doc.Paths[path]["get"].Parameters {
			name, _ := p["name"].(string)
			if ref, ok := p["$ref"].(string); ok {
				name = strings.TrimPrefix(ref, "#/components/parameters/")
			}
			switch {
			case strings.Contains(path, "{"+name+"}"):
				continue
			case name == "limitRows":
				name = "limit"
			case name == "filters":
				name = "a column__eq"
			}
			value := cmp.Or(own[path][name], values[name])
			if value == "" {
				value = "suv"
			}
			if parse == nil {
				t.Errorf("%s lists the parameter %s, which it does not read", path, name)
			} else if err := parse(url.QueryEscape(name) + "=" + url.QueryEscape(value)); err != nil {
				t.Errorf("%s does not read its parameter %s: %v", path, name, err)
			}
		}
	}
}

func TestEveryAnswerIsAsTheDocumentSays(t *testing.T) {
	w := newWorld()
	w.page.Next = "k:2"
	w.results = &portal.Results{Total: 50, Hits: []portal.Hit{{Dataset: "main_water", Score: 2}, {Dataset: "main_names"}}, Reuses: []portal.ReuseHit{{Reuse: wellsAtlas.ID}}}
	o := w.options(io.Discard)
	o.SQL = &answering{answer: portal.SQLAnswer{Columns: []string{"1"}, Rows: [][]any{{int64(1)}}}}
	h := New(o)
	schemas := compile(t)
	for _, c := range []struct{ target, schema string }{
		{"/api/v1/status", "Status"},
		{"/.well-known/koprik", "WellKnown"},
		{"/api/v1/datasets", "DatasetList"},
		{"/api/v1/datasets?limit=2", "DatasetList"},
		{"/api/v1/datasets/main_water", "Dataset"},
		{"/api/v1/datasets/main_names", "Dataset"},
		{"/api/v1/datasets/main_water/releases", "ReleaseList"},
		{"/api/v1/reuses", "ReuseList"},
		{"/api/v1/reuses?limit=1", "ReuseList"},
		{"/api/v1/reuses/" + wellsAtlas.ID.String(), "Reuse"},
		{"/api/v1/reuses/0", "Error"},
		{"/api/v1/reuses?state=dead", "Error"},
		{"/api/v1/tables/main_water/water/rows", "Rows"},
		{"/api/v1/tables/main_water/book/rows", "Rows"},
		{"/api/v1/tables/main_water/water/rows?group=year&facet=year&aggregate=water__sum", "Rows"},
		{"/api/v1/tables/main_water/water", "Tables"},
		{"/api/v1/tables/main_water/book", "Tables"},
		{"/api/v1/sql?sql=SELECT+1&table=main_water/water", "SQL"},
		{"/api/v1/sql?sql=SELECT+1&table=w", "Error"},
		{"/api/v1/datasets/main_absent", "Error"},
		{"/api/v1/datasets?x=1", "Error"},
		{"/dataset/main_names/release/1/water.csv", "Error"},
		{"/dataset/main_water/release/2/big.zip", "Error"},
		{"/nowhere", "Error"},
	} {
		rec := get(t, h, c.target)
		answer, err := jsonschema.UnmarshalJSON(bytes.NewReader(rec.Body.Bytes()))
		if err != nil {
			t.Errorf("%s: %v", c.target, err)
			continue
		}
		if err := schemas(c.schema).Validate(answer); err != nil {
			t.Errorf("%s is no %s: %v\n%s", c.target, c.schema, err, rec.Body)
		}
	}
	w.results = &portal.Results{}
	if err := validate(schemas("DatasetList"), get(t, h, "/api/v1/datasets").Body.Bytes()); err != nil {
		t.Errorf("nothing found: %v", err)
	}
}

func validate(s *jsonschema.Schema, body []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// compile gives the schemas of the document by name.
func compile(t *testing.T) func(string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return func(name string) *jsonschema.Schema {
		s, err := c.Compile("openapi.json#/components/schemas/" + name)
		if err != nil {
			t.Fatalf("schema %s: %v", name, err)
		}
		return s
	}
}

func TestEveryReferenceOfTheDocumentResolves(t *testing.T) {
	doc := decoded[map[string]any](t, get(t, New(newWorld().options(io.Discard)), "/api/v1/openapi.json"))
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				var at any = doc
				for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
					m, _ := at.(map[string]any)
					at = m[part]
				}
				if at == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, one := range v {
				walk(one)
			}
		}
	}
	walk(doc)
}

func TestTheDocumentIsServedUnderItsOwnMediaType(t *testing.T) {
	rec := get(t, New(newWorld().options(io.Discard)), "/api/v1/openapi.json")
	if rec.Code != http.StatusOK || !strings.HasPrefix(rec.Header().Get("Content-Type"), "application/vnd.oai.openapi+json") {
		t.Errorf("%d %s", rec.Code, rec.Header().Get("Content-Type"))
	}
}

func TestTheReferenceNamesEveryAddressAndParameter(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/api.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := served(t)
	for path, methods := range doc.Paths {
		for method := range methods {
			if !bytes.Contains(page, []byte("`"+strings.ToUpper(method)+" "+path+"`")) {
				t.Errorf("docs/reference/api.md does not name %s %s", method, path)
			}
		}
		for _, p := range doc.Paths[path]["get"].Parameters {
			if name, _ := p["name"].(string); p["in"] == "query" && name != "filters" && !bytes.Contains(page, []byte("`"+name+"`")) {
				t.Errorf("docs/reference/api.md does not name the parameter %s of %s", name, path)
			}
		}
	}
	for _, found := range regexp.MustCompile("`(?:GET|PUT|POST) ([^`]+)`").FindAllSubmatch(page, -1) {
		if _, ok := doc.Paths[string(found[1])]; !ok {
			t.Errorf("docs/reference/api.md names %s, which nothing answers", found[1])
		}
	}
}
