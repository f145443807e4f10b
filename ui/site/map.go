package site

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/gorilla/mux"

	"koprik/portal"
	"koprik/ui/chart"
)

// The address of a map is that of a figure with "map" in place of "chart"; its
// query means the same. What it is drawn on is a dataset of the catalogue with the
// keyword "boundaries": a file of GeoJSON whose features have codes of ISO 3166-2
// or SOATO, or names of regions.

// boundariesKeyword marks the datasets that maps are drawn on.
const boundariesKeyword = "boundaries"

// maxBases is how many datasets of boundaries one generation uses.
const maxBases = 4

// mapBase is what maps are drawn on: an outline and the release that it is of.
type mapBase struct {
	outline *chart.Outline
	points  []chart.Point
	dataset portal.Dataset
}

// outlines keeps the boundaries that were read: simplified once for a release,
// found once for a generation.
type outlines struct {
	mu         sync.Mutex // held while they are read: one reader waits for the other
	generation int64
	arrived    int64
	found      []*mapBase
	byHash     map[portal.Digest]*mapBase
}

// bases are the boundaries of this generation, those with the most regions first.
func (v *visit) bases() ([]*mapBase, error) {
	o := &v.site.outlines
	o.mu.Lock()
	defer o.mu.Unlock()
	generation, arrived := v.view.State().Generation, int64(0)
	if v.site.o.Arrived != nil {
		arrived = v.site.o.Arrived()
	}
	if o.byHash != nil && o.generation == generation && o.arrived == arrived {
		return o.found, nil
	}
	results, err := v.view.Search(v.ctx, portal.Query{
		Text: boundariesKeyword, Filters: map[portal.Facet][]string{portal.FacetFormat: {"geojson"}}, Sort: portal.ByName, Limit: 50,
	})
	if err != nil {
		return nil, fmt.Errorf("datasets of boundaries: %w", err)
	}
	var ids []portal.DatasetID
	for _, h := range results.Hits {
		ids = append(ids, h.Dataset)
	}
	datasets, err := v.view.Datasets(v.ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("datasets of boundaries: %w", err)
	}
	var found []*mapBase
	byHash := map[portal.Digest]*mapBase{}
	for _, d := range datasets {
		if len(found) == maxBases || d.Latest.Withdrawn != nil || d.Suspended || !slices.Contains(d.Latest.Keywords, boundariesKeyword) {
			continue
		}
		for _, r := range d.Latest.Resources {
			base := o.byHash[r.Hash]
			if base == nil && isGeoJSON(r) {
				if base, err = v.readBase(d, r); err != nil {
					v.site.log.WarnContext(v.ctx, "boundaries", "dataset", d.ID, "resource", r.Name, "err", err)
					continue
				}
			}
			if base != nil && base.outline != nil {
				byHash[r.Hash] = &mapBase{outline: base.outline, dataset: d}
				found = append(found, byHash[r.Hash])
			}
		}
	}
	slices.SortStableFunc(found, func(a, b *mapBase) int { return regionsOf(b.outline) - regionsOf(a.outline) })
	if v.ctx.Err() == nil {
		o.generation, o.arrived, o.found, o.byHash = generation, arrived, found, byHash
	}
	return found, nil
}

func regionsOf(o *chart.Outline) (n int) {
	for _, r := range regions {
		if o.Has(r.code) {
			n++
		}
	}
	return n
}

func isGeoJSON(r portal.Resource) bool {
	return strings.EqualFold(r.Format, "geojson") && r.Bytes <= chart.MaxGeoJSON
}

// readBase reads the areas and points of a resource.
func (v *visit) readBase(d portal.Dataset, r portal.Resource) (*mapBase, error) {
	infos, err := v.view.Tables(v.ctx, r)
	if err != nil {
		return nil, fmt.Errorf("tables of %s in %s: %w", r.Name, d.ID, err)
	}
	file, _, err := v.view.Object(v.ctx, r.Hash)
	if err != nil {
		return nil, fmt.Errorf("file of %s in %s: %w", r.Name, d.ID, err)
	}
	defer file.Close()
	columns := regionColumns(infos)
	geo, err := chart.ReadGeoJSON(withContext{v, file}, func(properties map[string]any) string {
		for _, name := range columns {
			if code := chart.CodeOf(propertyText(properties[name])); code != "" {
				return code
			}
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	base := &mapBase{dataset: d, points: geo.Points}
	if len(geo.Areas) > 0 {
		base.outline, err = chart.NewOutline(geo.Areas)
	}
	return base, err
}

// ownBase are the areas and points of the table itself.
func (v *visit) ownBase(d drawn) (*mapBase, error) {
	o := &v.site.outlines
	o.mu.Lock()
	base := o.byHash[d.resource.Hash]
	o.mu.Unlock()
	if base != nil {
		return base, nil
	}
	return v.readBase(d.dataset, d.resource)
}

// withContext ends a read when nobody waits for it any more.
type withContext struct {
	v *visit
	io.Reader
}

func (c withContext) Read(p []byte) (int, error) {
	if err := c.v.ctx.Err(); err != nil {
		return 0, err
	}
	return c.Reader.Read(p)
}

// regionColumns are the names of columns that say which region a row is about,
// codes before names.
func regionColumns(infos []portal.TableInfo) []string {
	var codes, names []string
	for _, info := range infos {
		for _, f := range info.Columns {
			switch {
			case f.Meaning.Role != portal.RoleRegion:
			case f.Meaning.Kind == portal.KindISO || f.Meaning.Kind == portal.KindSOATO:
				codes = append(codes, f.Name)
			default:
				names = append(names, f.Name)
			}
		}
	}
	return append(codes, names...)
}

func propertyText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return fmt.Sprintf("%.0f", v)
	}
	return ""
}

// isMap tells whether the figure is one.
func (d drawn) isMap() bool { return d.figure.Kind == chart.Map || d.figure.Kind == chart.Places }

// asksMap tells whether an address asks for a map: by its kind, or where it says
// none by its path.
func (v *visit) asksMap(asked url.Values) bool {
	if asked == nil {
		return false
	}
	if view := asked.Get("view"); view != "" {
		return strings.HasPrefix(view, string(chart.Map)+" ")
	}
	if kind := asked.Get("kind"); kind != "" {
		return kind == string(chart.Map)
	}
	return mux.Vars(v.r)["way"] == "map"
}

// noMap says that a table has no map, and why that may be.
func (v *visit) noMap(d drawn) error {
	return &pageError{
		status: http.StatusNotFound, title: v.T("map.nothing"), text: v.T("map.nothingtext"),
		back: Link{Shown: Shown{Text: v.T("chart.table")}, Href: v.tableAddress(d.opened)},
	}
}

// mapOf finds the plan by which a cube is a map; its kind is not Map where it is
// none.
func (v *visit) mapOf(d drawn) chart.Plan {
	if d.cube == nil {
		return chart.Plan{}
	}
	p, _ := v.mapBy(d, "")
	return p
}

func (v *visit) mapBy(d drawn, by string) (best chart.Plan, on *mapBase) {
	bases, err := v.bases()
	if err != nil {
		v.site.log.WarnContext(v.ctx, "boundaries", "err", err)
		return best, nil
	}
	if isGeoJSON(d.resource) {
		if own, err := v.ownBase(d); err == nil && own.outline != nil {
			bases = append([]*mapBase{own}, bases...)
		}
	}
	most := 0
	for _, base := range bases {
		if p, mapped := d.cube.MapPlan(base.outline, by); mapped > most {
			best, on, most = p, base, mapped
		}
	}
	return best, on
}

// chooseMap makes the plan a map, as the query asks.
func (v *visit) chooseMap(d *drawn, asked url.Values) error {
	_, by, _, err := v.viewOf(asked)
	if err != nil {
		return err
	}
	if d.plan, d.base = v.mapBy(*d, by); d.base == nil {
		return fmt.Errorf("no boundaries for it: %w", chart.ErrFigure)
	}
	if d.plan, err = d.cube.Hold(d.plan, holdsOf(asked)); err != nil {
		return v.bad("error.badfilter", "got", clip(v.r.URL.RawQuery, 60))
	}
	return nil
}

// places draws the points of a table that has coordinates, or what a file of
// GeoJSON without a measure has. It is false where there is neither.
func (v *visit) places(d *drawn) (bool, error) {
	points, err := v.pointsOf(d)
	if err != nil {
		return false, err
	}
	bases, err := v.bases()
	if err != nil {
		return false, err
	}
	if len(bases) > 0 {
		d.base = bases[0]
	}
	if len(points) == 0 && isGeoJSON(d.resource) {
		own, err := v.ownBase(*d)
		switch {
		case errors.Is(err, chart.ErrFigure):
			return false, v.noMap(*d)
		case err != nil:
			return false, err
		case own.outline != nil && len(chart.Measures(d.info.Columns)) > 0:
			return false, nil
		case own.outline != nil:
			d.base = own
		}
		points = own.points
	}
	if len(points) == 0 && (d.base == nil || d.base.dataset.ID != d.dataset.ID) {
		return false, nil
	}
	d.figure = chart.Figure{Kind: chart.Places, Points: points, Mark: -1, Title: v.resourceTitle(d.resource).Text}
	if d.base != nil {
		d.figure.Outline = d.base.outline
	}
	d.figure.Desc = v.findingOf(*d)
	d.figure.Notes = v.chartNotes(d)
	return true, nil
}

// pointsOf are the places of the rows of a table that has a longitude and a
// latitude.
func (v *visit) pointsOf(d *drawn) ([]chart.Point, error) {
	lon, lat := -1, -1
	for i, f := range d.info.Columns {
		switch {
		case f.Meaning.Role != portal.RoleGeometry:
		case f.Meaning.Kind == portal.KindLongitude && lon < 0:
			lon = i
		case f.Meaning.Kind == portal.KindLatitude && lat < 0:
			lat = i
		}
	}
	if lon < 0 || lat < 0 {
		return nil, nil
	}
	table, err := v.wholeTable(d)
	if errors.Is(err, chart.ErrFigure) {
		return nil, v.noMap(*d)
	}
	if err != nil {
		return nil, err
	}
	return table.Points(lon, lat), nil
}

// outlineNote names what a map is drawn on, and says that it says nothing else.
func (v *visit) outlineNote(base *mapBase) string {
	return v.T("map.outline", "source", strings.TrimRight(v.sourceOf(base.dataset), ". "), "name", v.title(base.dataset).Text, "date", v.day(base.dataset.Latest.Issued))
}
