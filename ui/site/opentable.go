package site

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

	"koprik/portal"
)

// opened is the table that an address names: that of a sheet of a resource of the
// latest release of a dataset.
type opened struct {
	dataset  portal.Dataset
	resource portal.Resource
	infos    []portal.TableInfo // of all its sheets; not empty
	info     portal.TableInfo   // of the sheet that is shown
}

// openTable finds the table of the address. A dataset that was withdrawn has an
// answer of its own, which has a template; whatever else stands in the way is an
// error in the reader's words.
func (s *site) openTable(v *visit) (o opened, other answer, err error) {
	if o.dataset, err = v.findDataset(); err != nil {
		return o, other, err
	}
	if o.dataset.Latest.Withdrawn != nil {
		other, err = s.datasetAnswer(v, o.dataset)
		return o, other, err
	}
	var ok bool
	if o.resource, ok = o.dataset.Resource(mux.Vars(v.r)["name"]); !ok {
		return o, other, fmt.Errorf("table %q of %s: %w", mux.Vars(v.r)["name"], o.dataset.ID, portal.ErrNotFound)
	}
	o.infos, err = v.view.Tables(v.ctx, o.resource)
	switch {
	case errors.Is(err, portal.ErrNotHeld):
		return o, other, v.notHeld(o)
	case err != nil:
		return o, other, fmt.Errorf("tables of %s in %s: %w", o.resource.Name, o.dataset.ID, err)
	case len(o.infos) == 0:
		return o, other, &pageError{
			status: http.StatusNotFound, title: v.T("error.notable"), text: v.T("error.notabletext"), back: v.toDataset(o),
		}
	}
	o.info, err = v.chooseSheet(o.infos)
	return o, other, err
}

// notHeld says that the file of a table is known here and not held.
func (v *visit) notHeld(o opened) error {
	return &pageError{
		status: http.StatusNotFound, title: v.T("error.notheld"), back: v.toDataset(o),
		text: v.T("error.notheldtext", "size", v.Bytes(o.resource.Bytes)),
	}
}

func (v *visit) toDataset(o opened) Link {
	return Link{Shown: Shown{Text: v.T("table.back")}, Href: v.datasetURL(o.dataset.ID)}
}

// chooseSheet finds the sheet that the address asks for; without one, the first.
func (v *visit) chooseSheet(infos []portal.TableInfo) (portal.TableInfo, error) {
	asked := v.query.Get("sheet")
	if asked == "" {
		return infos[0], nil
	}
	for _, info := range infos {
		if info.Sheet == asked {
			return info, nil
		}
	}
	return portal.TableInfo{}, v.bad("error.nosheet", "got", clip(asked, 60))
}

// sheetLinks leads to the sheets of a file that has several.
func (v *visit) sheetLinks(o opened) []LinkChoice {
	if len(o.infos) < 2 {
		return nil
	}
	var links []LinkChoice
	for _, sheet := range o.infos {
		links = append(links, LinkChoice{
			Text: sheet.Sheet, Href: v.r.URL.EscapedPath() + "?sheet=" + escape(sheet.Sheet), Current: sheet.Sheet == o.info.Sheet,
		})
	}
	return links
}

// tableAddress is that of the page with the rows of a table.
func (v *visit) tableAddress(o opened) string {
	address := v.datasetURL(o.dataset.ID) + "/table/" + url.PathEscape(o.resource.Name)
	if o.info.Sheet != "" && len(o.infos) > 1 {
		address += "?sheet=" + escape(o.info.Sheet)
	}
	return address
}
