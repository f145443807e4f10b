package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"koprik/embed/table/read"
	"koprik/portal"
	"koprik/portal/datapackage"
)

// Inspected is one file as publishing would read it.
type Inspected struct {
	Resource portal.Resource    // with the schema that a release would keep
	Tables   []portal.TableInfo // none when it is no table
}

// Inspect reads the tables of an input as Publish does, strictly, and publishes
// nothing. No node is needed. A broken table is portal.ErrRejected.
func Inspect(ctx context.Context, in Input) (datapackage.Draft, []Inspected, error) {
	draft, err := in.load()
	if err != nil {
		return draft, nil, err
	}
	var all []Inspected
	for i, r := range draft.Release.Resources {
		tables, err := inspectFile(ctx, in, draft.Files[i], r)
		if err != nil {
			return draft, nil, under(in.Label, err)
		}
		learn(&r, tables)
		all = append(all, Inspected{r, tables})
	}
	return draft, all, nil
}

// inspectFile reads through a temporary copy: a file in several parts is one.
func inspectFile(ctx context.Context, in Input, f datapackage.DraftFile, r portal.Resource) (tables []portal.TableInfo, err error) {
	src, err := f.Open(in.FS)
	if err != nil {
		return nil, portal.Rejected(r.Path, "resource %q cannot be read: %v", r.Name, err)
	}
	defer src.Close()
	tmp, err := os.CreateTemp("", "koprik-table-*")
	if err != nil {
		return nil, fmt.Errorf("copy of %s: %w", r.Path, err)
	}
	defer func() { err = errors.Join(err, tmp.Close(), os.Remove(tmp.Name())) }()
	size, err := io.Copy(tmp, src)
	if err != nil {
		return nil, err
	}
	return read.Check(ctx, tmp, size, r)
}

// NotATable says why a file has no table, as far as its name tells.
func NotATable(r portal.Resource) string {
	if why := read.Unsupported(r); why != "" {
		return why
	}
	return "is not a table that can be read"
}
