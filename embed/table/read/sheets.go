package read

import (
	"fmt"
	"slices"

	"koprik/portal"
)

// stated is what the resource says of one of its tables; the zero value where it
// says nothing.
func (rd *reader) stated(name string) portal.Sheet {
	name = rd.fullName(name)
	for _, s := range rd.res.Sheets {
		if s.Name == name {
			return s
		}
	}
	return portal.Sheet{}
}

// fullName is what a sheet is called outside: in an archive with several files
// after the file too.
func (rd *reader) fullName(sheet string) string {
	switch {
	case rd.title == "":
		return sheet
	case sheet == "":
		return rd.title
	}
	return rd.title + ", " + sheet
}

// schemaOf gives the schema of a table: its own, or the resource's, which belongs
// to the sheet that is listed without one, else to the first table. nil: all is
// guessed.
func (rd *reader) schemaOf(name string, first bool) *portal.TableSchema {
	if len(rd.res.Sheets) == 0 {
		if first {
			return rd.res.Schema
		}
		return nil
	}
	s := rd.stated(name)
	if s.Name != "" && s.Schema == nil {
		return rd.res.Schema
	}
	return s.Schema
}

// sheetDialect puts what is said of one table before what is said of the file.
func (rd *reader) sheetDialect(d dialect, name string) (dialect, error) {
	own, err := d.with(rd.stated(name).Dialect)
	if err == nil {
		return own, nil
	}
	if rd.strict {
		return d, portal.Rejected(rd.where(&sheet{name: rd.fullName(name)}), "dialect: %v", err)
	}
	return d, nil
}

// missingSheets complains of tables that are described and not in the file.
func (rd *reader) missingSheets(found []portal.TableInfo) {
	for _, s := range rd.res.Sheets {
		if !slices.ContainsFunc(found, func(t portal.TableInfo) bool { return t.Sheet == s.Name }) {
			rd.report.add(rd.where(nil), "has no table %q, which is described", s.Name)
		}
	}
}

// distinct makes every name one of its own, by which a table is asked for.
func distinct(names []string) {
	seen := make(map[string]bool, len(names))
	for i, given := range names {
		for k := 2; seen[names[i]]; k++ {
			names[i] = fmt.Sprintf("%s (%d)", given, k)
		}
		seen[names[i]] = true
	}
}
