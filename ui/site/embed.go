package site

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/gorilla/mux"
)

// embedPolicy is that of the one page that other sites may show within theirs. It
// loads the style sheet and nothing else; it has no script, no form and no cookie.
const embedPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors *"

// embedPath is before the addresses of figures for other sites.
const embedPath = "/embed"

// embedPage is the struct of templates/embed.html: a figure alone.
type embedPage struct {
	*Frame
	Heading Shown
	Finding string
	Drawing drawing
	Back    string // the page of the figure
	Name    string // of the portal, for the link
}

// embed is a figure for other sites' pages: /embed/{lang}/dataset/{slug}/chart/{name}.
// What is no figure has no policy of its own: nothing else is shown within other
// sites.
func (s *site) embed(v *visit) (answer, error) {
	d, a, err := s.draw(v)
	if err != nil {
		return a, err
	}
	if a.template != "" { // withdrawn
		return answer{redirect: v.datasetURL(d.dataset.ID)}, nil
	}
	p := &embedPage{Frame: v.Frame, Heading: v.resourceTitle(d.resource), Finding: v.findingOf(d), Name: v.Site}
	p.FigureStyle = s.assets.URL("figure.css")
	v.Title = p.Heading.Text
	p.Back = v.figureAddress(d, mux.Vars(v.r)["way"])
	if v.r.URL.RawQuery != "" {
		p.Back += "?" + v.r.URL.RawQuery
	}
	if p.Drawing, err = v.drawing(d); err != nil {
		return answer{}, err
	}
	v.w.Header().Set("Content-Security-Policy", embedPolicy)
	return answer{template: "embed", data: p}, nil
}

// embedCodePage is the struct of templates/embedcode.html: what to copy.
type embedCodePage struct {
	*Frame
	Heading Shown
	Code    string
	Src     template.URL
	Back    Link
}

// embedCode shows what another site copies. It names this node as the reader
// does, which is why it is made for each reader.
func (s *site) embedCode(v *visit) (answer, error) {
	d, a, err := s.draw(v)
	if err != nil || a.template != "" {
		return a, err
	}
	p := &embedCodePage{Frame: v.Frame, Heading: v.resourceTitle(d.resource)}
	page := v.figureAddress(d, mux.Vars(v.r)["way"])
	query := ""
	if v.r.URL.RawQuery != "" {
		query = "?" + v.r.URL.RawQuery
	}
	p.Back = Link{Shown: p.Heading, Href: page + query}
	src := origin(v.r) + embedPath + page + query
	title := strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;").Replace(p.Heading.Text)
	p.Code = `<iframe src="` + strings.ReplaceAll(src, "&", "&amp;") + `" title="` + title + `" width="100%" height="640" loading="lazy"></iframe>`
	v.Title = v.T("embed.title", "name", p.Heading.Text)
	v.Crumbs = []Link{{Shown: v.title(d.dataset), Href: v.datasetURL(d.dataset.ID)}, p.Back}
	return answer{template: "embedcode", data: p}, nil
}

// origin is this node as the reader names it, "" where that is no name.
func origin(r *http.Request) string {
	host := r.Host
	if host == "" || strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") != "" {
		return ""
	}
	if r.TLS != nil {
		return "https://" + host
	}
	return "http://" + host
}
