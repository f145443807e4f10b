package cli

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"koprik/portal"
	"koprik/ui/chart/charttest"
)

var (
	drawings    = regexp.MustCompile(`(?s)<svg class="chart.*?</svg>`)
	measureForm = regexp.MustCompile(`(?s)<select id="m".*?</select>`)
	viewForm    = regexp.MustCompile(`(?s)<select id="view".*?</select>`)
	optionValue = regexp.MustCompile(`<option value="([^"]*)"`)
)

// offered are the values that a field of a form offers; "" where it has none.
func offered(page string, field *regexp.Regexp) (values []string) {
	for _, m := range optionValue.FindAllStringSubmatch(field.FindString(page), -1) {
		values = append(values, html.UnescapeString(m[1]))
	}
	if len(values) == 0 {
		return []string{""}
	}
	return values
}

// figures gives the addresses of every figure that the forms of a table offer.
func (s *figureServer) figures(dataset, name string) (paths []string) {
	chart := "/dataset/" + dataset + "/chart/" + name
	if status, page := s.get("/en" + chart); status == http.StatusOK {
		for _, m := range offered(page, measureForm) {
			query := url.Values{"m": {m}}
			if m == "" {
				query = url.Values{}
			}
			_, page := s.get("/en" + chart + "?" + query.Encode())
			for _, view := range offered(page, viewForm) {
				query.Set("view", view)
				paths = append(paths, chart+"?"+query.Encode())
			}
		}
	}
	return append(paths, "/dataset/"+dataset+"/map/"+name)
}

// TestEveryWordOfEveryFigureStandsWhereItCanBeRead asks for every figure that the
// forms offer, of the demonstration and of the official files, in every language:
// no word leaves a drawing, none lies on another, none is cut, even where a browser
// has no narrower font than DejaVu Sans.
func TestEveryWordOfEveryFigureStandsWhereItCanBeRead(t *testing.T) {
	if testing.Short() {
		t.Skip("publishes the demonstration and draws all of it in five languages: not under -short")
	}
	s := newFigureServer(t)
	s.publishOfficial(len(s.datasets()))
	seen := map[string]bool{}
	for _, dataset := range s.datasets() {
		for _, name := range s.resources(dataset) {
			for _, path := range s.figures(dataset, name) {
				for _, l := range portal.Langs {
					_, page := s.get("/" + l.Path() + path)
					for _, svg := range drawings.FindAllString(page, -1) {
						if seen[svg] {
							continue
						}
						seen[svg] = true
						for _, fault := range charttest.Misplaced(t, svg) {
							t.Errorf("/%s%s: %s", l.Path(), path, fault)
						}
					}
				}
			}
		}
	}
	if len(seen) < 500 {
		t.Errorf("only %d drawings", len(seen))
	}
	t.Logf("%d drawings", len(seen))
}
