package api

import (
	"encoding/json"
	"net/url"
	"path"
	"strconv"
	"strings"

	"koprik/portal"
)

// generation is how every answer made from a view begins.
type generation struct {
	Generation int64            `json:"generation"`
	AsOf       string           `json:"as_of"`
	Fresh      portal.Freshness `json:"fresh,omitempty"`
}

func (a *api) generationOf(v portal.View) generation {
	s := v.State()
	return generation{Generation: s.Generation, AsOf: moment(s.AsOf), Fresh: a.grade(s)}
}

// text is a portal.Text on its own: the plain wording and the translations.
type text struct {
	Plain      string                 `json:"plain"`
	Translated map[portal.Lang]string `json:"translated,omitempty"`
}

func textOf(t portal.Text) *text {
	if t.IsZero() {
		return nil
	}
	plain := t.Plain
	if plain == "" {
		plain, _ = t.In(portal.Uzbek)
	}
	return &text{Plain: plain, Translated: t.Translated}
}

func textsOf(ts []portal.Text) []*text {
	var all []*text
	for _, t := range ts {
		if !t.IsZero() {
			all = append(all, textOf(t))
		}
	}
	return all
}

// summary is one dataset in a list.
type summary struct {
	Dataset   portal.DatasetID   `json:"dataset"`
	URL       string             `json:"url"`
	Title     *text              `json:"title"`
	Publisher portal.PublisherID `json:"publisher"`
	Release   int                `json:"release"`
	Issued    string             `json:"issued"`
	Themes    []portal.ThemeID   `json:"themes"`
	Formats   []string           `json:"formats"`
	Licenses  []string           `json:"licenses"`
	Withdrawn *text              `json:"withdrawn,omitempty"` // why
	Suspended bool               `json:"suspended,omitempty"` // no valid signature of the publisher holds at present
	Held      bool               `json:"held"`                // all files of the release are on this node
	Score     float64            `json:"score,omitempty"`
	Matched   []string           `json:"matched,omitempty"`
	Words     []string           `json:"words,omitempty"`
}

func (a *api) summaryOf(d portal.Dataset) summary {
	s := summary{
		Dataset: d.ID, URL: datasetURL(d.ID), Title: textOf(d.Latest.Title), Publisher: d.ID.Publisher(),
		Release: d.Latest.Number, Issued: moment(d.Latest.Issued),
		Themes: list(d.Latest.Themes), Formats: []string{}, Licenses: []string{}, Suspended: d.Suspended, Held: true,
	}
	seen := map[string]bool{}
	for _, r := range d.Latest.Resources {
		s.Held = s.Held && a.held(r.Hash)
		if r.Format != "" && !seen[r.Format] {
			seen[r.Format] = true
			s.Formats = append(s.Formats, r.Format)
		}
	}
	for _, l := range d.Latest.Licenses {
		s.Licenses = append(s.Licenses, l.Name)
	}
	if w := d.Latest.Withdrawn; w != nil {
		s.Withdrawn = textOf(w.Reason)
	}
	return s
}

// held tells whether contents are on this node.
func (a *api) held(d portal.Digest) bool { return a.o.Held == nil || a.o.Held(d) }

// detail is one dataset in full.
type detail struct {
	summary
	Description   *text          `json:"description,omitempty"`
	Keywords      []string       `json:"keywords"`
	Homepage      string         `json:"homepage,omitempty"`
	Version       string         `json:"version,omitempty"`
	Reason        *text          `json:"reason,omitempty"`
	Sources       []source       `json:"sources"`
	LicensesFull  []license      `json:"license_details"`
	PublisherFull publisher      `json:"publisher_details"`
	Passport      passport       `json:"passport"`
	Resources     []resource     `json:"resources"`
	Manifest      signedManifest `json:"manifest"`
	DataPackage   string         `json:"datapackage"`
	Releases      string         `json:"releases"`
}

type source struct {
	Title string `json:"title,omitempty"`
	Path  string `json:"path,omitempty"`
	Email string `json:"email,omitempty"`
}

type license struct {
	Name  string `json:"name,omitempty"`
	Title string `json:"title,omitempty"`
	Path  string `json:"path,omitempty"`
}

type publisher struct {
	ID       portal.PublisherID `json:"id"`
	Title    *text              `json:"title"`
	Homepage string             `json:"homepage,omitempty"`
}

// signedManifest says what was signed, and by whom.
type signedManifest struct {
	URL     string   `json:"url"`
	Hash    string   `json:"hash"`
	Bytes   int64    `json:"bytes"`
	Signers []string `json:"signers"` // key ids
}

type passport struct {
	Contact        *contact `json:"contact,omitempty"`
	FromPublisher  bool     `json:"from_publisher"`
	Uploaded       string   `json:"uploaded,omitempty"`
	FirstPublished string   `json:"first_published,omitempty"`
	LastChanged    string   `json:"last_changed,omitempty"`
	NextDue        string   `json:"next_due,omitempty"`
	Periodicity    string   `json:"periodicity,omitempty"`
	Unit           *text    `json:"unit,omitempty"`
	Indicator      string   `json:"indicator,omitempty"`
	Classifiers    []*text  `json:"classifiers,omitempty"`
	Method         *text    `json:"method,omitempty"`
	MethodURL      *text    `json:"method_url,omitempty"`
	PrimarySource  *text    `json:"primary_source,omitempty"`
	CompiledBy     *text    `json:"compiled_by,omitempty"`
	Quality        *text    `json:"quality,omitempty"`
	Notes          []*text  `json:"notes,omitempty"`
	BySex          *bool    `json:"by_sex,omitempty"`
}

type contact struct {
	ID    portal.ContactID `json:"id"`
	Post  *text            `json:"post,omitempty"`
	Unit  *text            `json:"unit,omitempty"`
	Name  *text            `json:"name,omitempty"`
	Email string           `json:"email"`
	Phone string           `json:"phone,omitempty"`
	Since portal.Date      `json:"since,omitempty"`
	Until portal.Date      `json:"until,omitempty"`
}

type resource struct {
	Name        string          `json:"name"`
	Path        string          `json:"path"`
	URL         string          `json:"url"`
	Rows        string          `json:"rows,omitempty"` // where its rows are, for a table
	Title       *text           `json:"title,omitempty"`
	Description *text           `json:"description,omitempty"`
	Format      string          `json:"format,omitempty"`
	MediaType   string          `json:"mediatype,omitempty"`
	Encoding    string          `json:"encoding,omitempty"`
	Bytes       int64           `json:"bytes"`
	Hash        string          `json:"hash"`
	Held        bool            `json:"held"` // the file is on this node
	Dialect     json.RawMessage `json:"dialect,omitempty"`
	Fields      []field         `json:"fields,omitempty"`
	PrimaryKey  []string        `json:"primary_key,omitempty"`
}

// field is one column.
type field struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Format      string   `json:"format,omitempty"`
	Title       *text    `json:"title,omitempty"`
	Description *text    `json:"description,omitempty"`
	Meaning     *meaning `json:"meaning,omitempty"`
}

// meaning is what a column means (portal.Meaning).
type meaning struct {
	Role       portal.ColumnRole `json:"role"`
	Kind       string            `json:"kind,omitempty"`
	Lang       portal.Lang       `json:"lang,omitempty"`
	SameAs     string            `json:"same_as,omitempty"`
	Unit       string            `json:"unit,omitempty"`
	Scale      int64             `json:"scale,omitempty"`
	Additive   bool              `json:"additive,omitempty"`
	Of         string            `json:"of,omitempty"`
	Sex        string            `json:"sex,omitempty"`
	Period     string            `json:"period,omitempty"`
	Age        string            `json:"age,omitempty"`
	Totals     []string          `json:"totals,omitempty"`
	Confidence int               `json:"confidence"`
}

func meaningOf(m portal.Meaning) *meaning {
	if m.IsZero() {
		return nil
	}
	shown := meaning(m)
	return &shown
}

func (a *api) detailOf(d portal.Dataset) detail {
	l := d.Latest
	full := detail{
		summary:     a.summaryOf(d),
		Description: textOf(l.Description), Keywords: list(l.Keywords), Homepage: l.Homepage, Version: l.Version,
		Reason: textOf(l.Reason), Sources: []source{}, LicensesFull: []license{}, Resources: []resource{},
		PublisherFull: publisher{ID: d.ID.Publisher(), Title: textOf(d.Publisher.Title), Homepage: d.Publisher.Homepage},
		Passport:      passportOf(d),
		Manifest: signedManifest{
			URL: releaseURL(d.ID, l.Number) + ".json", Hash: d.Manifest.String(),
			Bytes: d.Length, Signers: list(d.Signers),
		},
		DataPackage: datasetPage(d.ID) + "/datapackage.json",
		Releases:    datasetURL(d.ID) + "/releases",
	}
	for _, s := range l.Sources {
		full.Sources = append(full.Sources, source(s))
	}
	for _, one := range l.Licenses {
		full.LicensesFull = append(full.LicensesFull, license(one))
	}
	for _, r := range l.Resources {
		full.Resources = append(full.Resources, a.resourceOf(d.ID, l.Number, r))
	}
	return full
}

func passportOf(d portal.Dataset) passport {
	p := d.Latest.Passport
	shown := passport{
		FromPublisher: p.FromPublisher, Uploaded: string(p.Uploaded), FirstPublished: string(p.FirstPublished),
		LastChanged: string(p.LastChanged), NextDue: string(p.NextDue), Periodicity: string(p.Periodicity),
		Unit: textOf(p.Unit), Indicator: p.Indicator, Classifiers: textsOf(p.Classifiers), Method: textOf(p.Method),
		MethodURL: textOf(p.MethodURL), PrimarySource: textOf(p.PrimarySource), CompiledBy: textOf(p.CompiledBy),
		Quality: textOf(p.Quality), Notes: textsOf(p.Notes), BySex: p.BySex,
	}
	if c, ok := d.Contact(); ok {
		shown.Contact = &contact{
			ID: c.ID, Post: textOf(c.Post), Unit: textOf(c.Unit), Name: textOf(c.Name),
			Email: c.Email, Phone: c.Phone, Since: c.Since, Until: c.Until,
		}
	}
	return shown
}

func (a *api) resourceOf(id portal.DatasetID, release int, r portal.Resource) resource {
	shown := resource{
		Name: r.Name, Path: r.Path, URL: fileURL(id, release, r.Path), Title: textOf(r.Title),
		Description: textOf(r.Description), Format: r.Format, MediaType: r.MediaType, Encoding: r.Encoding,
		Bytes: r.Bytes, Hash: r.Hash.String(), Held: a.held(r.Hash), Dialect: r.Dialect,
	}
	if r.Schema != nil {
		shown.Rows = rowsURL(id, r.Name)
		shown.Fields = fieldsOf(r.Schema.Fields)
		shown.PrimaryKey = r.Schema.PrimaryKey
	}
	return shown
}

func fieldsOf(fields []portal.Field) []field {
	all := make([]field, 0, len(fields))
	for _, f := range fields {
		kind := f.Type
		if kind == "" {
			kind = "string"
		}
		all = append(all, field{
			Name: f.Name, Type: kind, Format: f.Format,
			Title: textOf(f.Title), Description: textOf(f.Description), Meaning: meaningOf(f.Meaning),
		})
	}
	return all
}

// list makes an empty list of a nil one: JSON readers want [] and not null.
func list[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

// The addresses of this interface, relative to the host.
func datasetURL(id portal.DatasetID) string  { return "/api/v1/datasets/" + string(id) }
func datasetPage(id portal.DatasetID) string { return "/dataset/" + string(id) }

func rowsURL(id portal.DatasetID, resource string) string {
	return "/api/v1/tables/" + string(id) + "/" + url.PathEscape(resource) + "/rows"
}

func releaseURL(id portal.DatasetID, n int) string {
	return datasetPage(id) + "/release/" + strconv.Itoa(n)
}

func fileURL(id portal.DatasetID, n int, name string) string {
	return releaseURL(id, n) + "/" + escapePath(name)
}

// escapePath escapes each part of a relative path for an address.
func escapePath(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return path.Join(parts...)
}
