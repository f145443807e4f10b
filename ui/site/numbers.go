package site

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"koprik/portal"
	"koprik/ui/chart"
)

// numbersPage is the struct of templates/numbers.html: what is counted of the
// catalogue itself.
type numbersPage struct {
	*Frame
	Use        *useBox    // nil where nothing is counted
	Desks      *dataTable // what offices have done with questions
	Split      string     // "4 of 14 datasets are split by sex (28.6%)"; "" without datasets
	Unsaid     string     // how many do not say
	Drawing    drawing
	Drawn      bool
	Publishers *dataTable // share of split datasets, by publisher and over time
	Topics     *dataTable
	TooMany    string // why there is nothing over time
	Fresh      []Row  // datasets by how long ago they were updated
	Overdue    string
}

// Limits of what is counted over time.
const (
	countedDatasets = 1000 // more, and only the present is counted, by the index
	countedTimes    = 5    // columns of a table over time
	countedLines    = 40   // rows of it
)

// splits keeps what was counted, for a generation.
type splits struct {
	mu         sync.Mutex
	generation int64
	counted    *splitCount
}

// splitCount is how many datasets there were, and how many were split by sex, at
// the ends of years and now.
type splitCount struct {
	times      []time.Time // the last is that of the copy
	all        []share
	publishers map[portal.PublisherID][]share
	topics     map[portal.ThemeID][]share
	unsaid     int
}

// share is how many of how many.
type share struct{ split, of int }

func (s share) percent() float64 {
	if s.of == 0 {
		return math.NaN()
	}
	return math.Round(float64(s.split)*1000/float64(s.of)) / 10
}

// numbers is the page /{lang}/numbers.
func (s *site) numbers(v *visit) (answer, error) {
	p := &numbersPage{Frame: v.Frame}
	v.Title = v.T("numbers.title")
	if err := v.used(p); err != nil {
		return answer{}, err
	}
	results, err := v.view.Search(v.ctx, portal.Query{Lang: v.lang, Limit: 1})
	if err != nil {
		return answer{}, fmt.Errorf("facets of all datasets: %w", err)
	}
	if results.Total == 0 { // a table of no datasets would look like a fault
		if p.Use == nil {
			p.Use = &useBox{None: true}
		}
		return answer{template: "numbers", data: p}, nil
	}
	if results.Total <= countedDatasets {
		err = v.splitsOverTime(p)
	} else {
		v.atPresent(p, results)
	}
	if err != nil {
		return answer{}, err
	}
	var rs rows
	for _, fresh := range []string{portal.FreshMonth, portal.FreshQuarter, portal.FreshYear, portal.FreshOlder} {
		name, _ := v.FacetValue(portal.FacetFreshness, fresh)
		v.add(&rs, name, plain(v.Int(int64(results.Facets[portal.FacetFreshness][fresh]))))
	}
	p.Fresh = rs
	_, overdue, err := v.view.Overdue(v.ctx, v.today(), 1)
	if err != nil {
		return answer{}, fmt.Errorf("datasets that are overdue: %w", err)
	}
	p.Overdue = v.N("numbers.overdue", overdue)
	return answer{template: "numbers", data: p}, nil
}

// splitsOverTime fills the page from the releases of all datasets.
func (v *visit) splitsOverTime(p *numbersPage) error {
	c, err := v.countSplits()
	if err != nil {
		return err
	}
	last := len(c.times) - 1
	v.saySplit(p, c.all[last], c.unsaid)
	heads := []tableColumn{{Title: Shown{Text: v.T("numbers.who")}}}
	for i, at := range c.times {
		head := v.T("numbers.end", "year", strconv.Itoa(at.In(portal.Zone).Year()))
		if i == last {
			head = v.T("numbers.now")
		}
		heads = append(heads, tableColumn{Title: Shown{Text: head}, Number: true})
	}
	publishers, err := v.view.Publishers(v.ctx)
	if err != nil {
		return fmt.Errorf("publishers: %w", err)
	}
	p.Publishers = &dataTable{Caption: v.T("numbers.bypublisher"), Columns: heads}
	for _, o := range publishers {
		if shares := c.publishers[o.ID]; shares != nil && len(p.Publishers.Rows) < countedLines {
			p.Publishers.Rows = append(p.Publishers.Rows, v.shareRow(v.publisherName(o).Text, shares))
		}
	}
	topics := slices.Clone(heads)
	topics[0].Title.Text = v.T("numbers.topic")
	p.Topics = &dataTable{Caption: v.T("numbers.bytopic"), Columns: topics}
	for _, t := range portal.Themes {
		if shares := c.topics[t]; shares != nil {
			p.Topics.Rows = append(p.Topics.Rows, v.shareRow(v.Theme(t), shares))
		}
	}
	return v.drawSplits(p, c)
}

func (v *visit) saySplit(p *numbersPage, s share, unsaid int) {
	p.Split = v.T("numbers.split", "n", v.Int(int64(s.split)), "of", v.Int(int64(s.of)), "share", v.shareOf(s))
	if unsaid > 0 {
		p.Unsaid = v.N("numbers.unsaid", unsaid)
	}
}

func (v *visit) shareOf(s share) string {
	if s.of == 0 {
		return "–"
	}
	return v.T("chart.percent", "n", v.Float(s.percent()))
}

func (v *visit) shareRow(name string, shares []share) []cell {
	row := []cell{{Text: name}}
	for _, s := range shares {
		text := "–"
		if s.of > 0 {
			text = v.T("numbers.cell", "share", v.shareOf(s), "n", v.Int(int64(s.split)), "of", v.Int(int64(s.of)))
		}
		row = append(row, cell{Text: text, Number: true})
	}
	return row
}

// drawSplits draws the share of all datasets over time, from two points on.
func (v *visit) drawSplits(p *numbersPage, c *splitCount) error {
	f := chart.Figure{Kind: chart.Line, Mark: -1, Title: v.T("numbers.sharetitle"), Desc: p.Split, Series: []chart.Series{{}}}
	for i, at := range c.times {
		if c.all[i].of == 0 {
			continue
		}
		f.Labels = append(f.Labels, v.T("numbers.end", "year", strconv.Itoa(at.In(portal.Zone).Year())))
		f.At = append(f.At, float64(at.Unix()))
		f.Series[0].Values = append(f.Series[0].Values, c.all[i].percent())
	}
	if len(f.Labels) < 2 {
		return nil
	}
	f.Labels[len(f.Labels)-1] = v.T("numbers.now")
	f.Notes = []string{v.T("numbers.percentof")}
	both, err := v.drawing(drawn{figure: f})
	if err != nil {
		return err
	}
	p.Drawing, p.Drawn = both, true
	v.FigureStyle = v.site.assets.URL("figure.css")
	return nil
}

// atPresent fills the page from the index, of more datasets than are read one by one.
func (v *visit) atPresent(p *numbersPage, all portal.Results) {
	p.TooMany = v.T("numbers.toomany", "n", v.Int(countedDatasets))
	counts := all.Facets[portal.FacetSex]
	v.saySplit(p, share{counts[portal.SexYes], all.Total}, all.Total-counts[portal.SexYes]-counts[portal.SexNo])
}

// countSplits counts the datasets by their releases, once for a generation.
func (v *visit) countSplits() (*splitCount, error) {
	m := &v.site.splits
	m.mu.Lock()
	defer m.mu.Unlock()
	generation := v.view.State().Generation
	if m.counted != nil && m.generation == generation {
		return m.counted, nil
	}
	results, err := v.view.Search(v.ctx, portal.Query{Sort: portal.ByName, Limit: countedDatasets})
	if err != nil {
		return nil, fmt.Errorf("all datasets: %w", err)
	}
	datasets, err := v.datasets(results)
	if err != nil {
		return nil, err
	}
	c := &splitCount{publishers: map[portal.PublisherID][]share{}, topics: map[portal.ThemeID][]share{}}
	c.times = v.timesOf(datasets)
	c.all = make([]share, len(c.times))
	for _, d := range datasets {
		if err := v.countOne(c, d); err != nil {
			return nil, err
		}
	}
	m.generation, m.counted = generation, c
	return c, nil
}

// timesOf are the ends of the last years in which there were datasets, and the
// time of the copy.
func (v *visit) timesOf(datasets []portal.Dataset) []time.Time {
	now := v.view.State().AsOf
	first := now
	for _, d := range datasets {
		for _, ref := range d.History {
			if ref.Issued.Before(first) {
				first = ref.Issued
			}
		}
	}
	times := []time.Time{now}
	for year := now.In(portal.Zone).Year(); len(times) < countedTimes; year-- {
		end := time.Date(year, 1, 1, 0, 0, 0, 0, portal.Zone).Add(-time.Second)
		if end.Before(first) {
			break
		}
		times = append(times, end)
	}
	slices.SortFunc(times, func(a, b time.Time) int { return a.Compare(b) })
	return times
}

// countOne counts one dataset at each time by the release that it had then.
func (v *visit) countOne(c *splitCount, d portal.Dataset) error {
	if d.Latest.Withdrawn != nil {
		return nil
	}
	if _, known := d.Latest.SplitBySex(); !known {
		c.unsaid++
	}
	grown := func(list []share) []share {
		if list == nil {
			list = make([]share, len(c.times))
		}
		return list
	}
	publisher := d.ID.Publisher()
	c.publishers[publisher] = grown(c.publishers[publisher])
	lists := [][]share{c.all, c.publishers[publisher]}
	for _, t := range d.Latest.Themes {
		c.topics[t] = grown(c.topics[t])
		lists = append(lists, c.topics[t])
	}
	read := map[int]bool{} // whether a release is split
	for i, at := range c.times {
		ref, ok := releaseAt(d, at)
		if i == len(c.times)-1 {
			ref, ok = d.Latest.Number, true
		}
		if !ok {
			continue
		}
		split, seen := read[ref]
		if !seen {
			release := d.Latest
			if ref != d.Latest.Number {
				var err error
				if release, err = v.view.Release(v.ctx, d.ID, ref); err != nil {
					return fmt.Errorf("release %d of %s: %w", ref, d.ID, err)
				}
			}
			split, _ = release.SplitBySex()
			read[ref] = split
		}
		for _, list := range lists {
			list[i].of++
			if split {
				list[i].split++
			}
		}
	}
	return nil
}

// releaseAt is the release that a dataset had at a time.
func releaseAt(d portal.Dataset, at time.Time) (number int, ok bool) {
	newest := slices.MaxFunc(append([]portal.ReleaseRef{{}}, d.History...), func(a, b portal.ReleaseRef) int {
		return cmp.Compare(issuedBy(a, at), issuedBy(b, at))
	})
	return newest.Number, issuedBy(newest, at) > 0
}

// issuedBy orders releases: those that were not yet issued come first.
func issuedBy(r portal.ReleaseRef, at time.Time) int {
	if r.Issued.After(at) {
		return 0
	}
	return r.Number
}
