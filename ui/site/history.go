package site

import (
	"errors"
	"fmt"
	"slices"

	"koprik/portal"
)

// historyPage is the struct of templates/history.html.
type historyPage struct {
	*Frame
	Count    string
	Releases []releaseRow
	Pager    Pager
}

// releaseRow is one release of a dataset.
type releaseRow struct {
	Name        string // "Release 3"
	Latest      bool
	Withdrawn   bool
	Issued      string
	Reason      Shown
	Fingerprint string
	Files       []fileRow // none of what was withdrawn
	Changes     string    // address of what changed since the release before; "" for the first
}

func (s *site) history(v *visit) (answer, error) {
	d, err := v.findDataset()
	if err != nil {
		return answer{}, err
	}
	if v.query.Has("from") || v.query.Has("to") {
		return s.changes(v, d)
	}
	page, err := v.pageNumber()
	if err != nil {
		return answer{}, err
	}
	p := &historyPage{
		Frame: v.Frame, Count: v.N("history.count", len(d.History)),
	}
	if p.Pager, err = v.pager(page, len(d.History)); err != nil {
		return answer{}, err
	}
	first := (page - 1) * perPage
	for _, ref := range d.History[first:min(first+perPage, len(d.History))] {
		row, err := v.releaseRow(d, ref)
		if err != nil {
			return answer{}, err
		}
		p.Releases = append(p.Releases, row)
	}
	v.Paper = v.paper(d)
	v.Feed = v.feedAddress("dataset-" + string(d.ID))
	v.Crumbs = []Link{{Shown: v.title(d), Href: v.datasetURL(d.ID)}}
	v.Title = v.T("history.of", "title", v.Crumbs[0].Text)
	return answer{template: "history", data: p}, nil
}

// releaseRow shows one release. Its files are offered where the node knows the
// release and nothing of the dataset was withdrawn.
func (v *visit) releaseRow(d portal.Dataset, ref portal.ReleaseRef) (releaseRow, error) {
	row := releaseRow{
		Name: v.T("dataset.release", "n", ref.Number), Latest: ref.Number == d.Latest.Number,
		Issued: v.moment(ref.Issued), Reason: v.text(ref.Reason), Fingerprint: ref.Manifest.Short(),
	}
	if i := slices.IndexFunc(d.History, func(o portal.ReleaseRef) bool { return o.Number == ref.Number }); i+1 < len(d.History) && d.Latest.Withdrawn == nil {
		row.Changes = fmt.Sprintf("%s/history?from=%d&to=%d", v.datasetURL(d.ID), d.History[i+1].Number, ref.Number)
	}
	row.Withdrawn = row.Latest && d.Latest.Withdrawn != nil
	if d.Latest.Withdrawn != nil {
		return row, nil
	}
	release, err := v.view.Release(v.ctx, d.ID, ref.Number)
	switch {
	case errors.Is(err, portal.ErrNotFound), errors.Is(err, portal.ErrNotHeld):
	case err != nil:
		return row, fmt.Errorf("release %d of %s: %w", ref.Number, d.ID, err)
	default:
		row.Files = v.files(d.ID, release)
	}
	return row, nil
}
