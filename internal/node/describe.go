package node

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"koprik/embed/index"
	"koprik/internal/disk"
	"koprik/portal"
)

// synonymsFile in the data directory has a node's own words that stand for each
// other in a search (docs/how-to/synonyms.md).
const synonymsFile = "synonyms.toml"

// maxSynonymsFile bounds it, bytes.
const maxSynonymsFile = 1 << 20

// openBuild opens the index with the node's own synonyms. A table of synonyms
// that cannot be read is named, and the node does not start with half of it.
func (n *Node) openBuild() error {
	x, err := index.Open(filepath.Join(n.dir, indexDir))
	if err != nil {
		return err
	}
	table, err := disk.ReadFile(n.root, synonymsFile, maxSynonymsFile)
	if err == nil {
		err = x.SetSynonyms(table)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(&portal.Problem{
			Kind: portal.ErrRejected, Where: synonymsFile, Message: err.Error(), Cause: err,
			Hint: "mend it or take it away; docs/how-to/synonyms.md says how it is written",
		}, x.Close())
	}
	n.index = x
	return nil
}

// describe tells the index what only the tables of a dataset know: the distinct
// values of their dimensions. A table that cannot be read has none; a disk that
// is full, and a context that ended, end the update.
func (n *Node) describe(ctx context.Context) func(*index.Document) error {
	return func(d *index.Document) error {
		for _, r := range d.Dataset.Latest.Resources {
			room := index.MaxValues - len(d.Values)
			if room <= 0 {
				break
			}
			values, err := n.tables.Values(ctx, r, room)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if errors.Is(disk.Classify(err), disk.ErrNoSpace) {
				return err
			}
			if err != nil && !errors.Is(err, portal.ErrNotHeld) {
				n.opt.Log.Warn("the values of a table cannot be read", "dataset", d.Dataset.ID, "resource", r.Name, "error", err)
			}
			d.Values = append(d.Values, values...)
		}
		return nil
	}
}
