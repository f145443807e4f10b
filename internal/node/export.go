package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/mirror"
	"koprik/ui/site"
)

// stickDir is the folder of a stick that belongs to us.
const stickDir = "KOPRIK"

// ExportOptions say what is written where.
type ExportOptions struct {
	To    string // an existing folder: the stick
	Since int64  // only what this generation lacks; 0: everything
}

// Exported says what an export wrote.
type Exported struct {
	mirror.Written
	Generation int64
	Since      int64 // what was written follows this generation; 0: nothing
	Datasets   int
	LeftOut    []mirror.Item // what this node does not hold itself
	Folder     string
}

// Export writes the accepted copy into KOPRIK/ of a stick or any folder, for
// nodes and for people (spec/sync.md, "Sticks"). It may be cut off at any moment
// and run again.
func (n *Node) Export(ctx context.Context, o ExportOptions) (out Exported, err error) {
	defer func() { err = onStick(o.To, err) }()
	if info, err := os.Stat(o.To); err != nil || !info.IsDir() {
		return out, &portal.Problem{Kind: portal.ErrUsage, Where: o.To, Message: "is no folder", Hint: "is the stick there?"}
	}
	plan, err := n.planExport(ctx, o.Since)
	if err != nil {
		return out, err
	}
	root, err := disk.OpenRoot(o.To)
	if err != nil {
		return out, err
	}
	defer root.Close() //nolint:errcheck // every file is synced
	if err := root.MkdirAll(stickDir); err != nil {
		return out, err
	}
	to := disk.Sub(disk.NewGroup(root), stickDir)
	pages, err := n.stickPages(plan, plan.OnStick(to))
	if err != nil {
		return out, err
	}
	out = Exported{
		Generation: plan.Generation, Since: plan.Since, Datasets: len(plan.Datasets), LeftOut: plan.LeftOut,
		Folder: strings.TrimSuffix(root.Dir(), "/") + "/" + stickDir,
	}
	out.Written, err = plan.Write(ctx, to, pages, func() (s mirror.Space, err error) {
		if s.Free, err = disk.Free(o.To); err != nil {
			return s, err
		}
		s.Cluster, err = disk.Cluster(o.To)
		return s, err
	})
	return out, err
}

// planExport keeps trust/ still while it is read.
func (n *Node) planExport(ctx context.Context, since int64) (*mirror.Export, error) {
	release, err := n.writing(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return n.mirror.PlanExport(ctx, mirror.ExportOptions{Since: since, Repository: disk.Sub(n.root, repositoryDir)})
}

// stickPages makes what people read on a stick.
func (n *Node) stickPages(e *mirror.Export, there func(mirror.StickFile) bool) ([]mirror.StickPage, error) {
	words, err := n.words()
	if err != nil {
		return nil, err
	}
	c := site.StickCopy{Title: n.config.Title, Generation: e.Generation, AsOf: e.AsOf}
	for _, d := range e.Datasets {
		entry := site.StickEntry{Title: d.Title, Publisher: d.Publisher.Title, Contact: d.Contact.Email, Issued: d.Issued}
		for _, f := range d.Files {
			file := site.StickEntryFile{Name: f.Resource.Path, Bytes: f.Resource.Bytes}
			if there(f) {
				file.Path = f.Name
			}
			entry.Files = append(entry.Files, file)
		}
		c.Datasets = append(c.Datasets, entry)
	}
	made, err := site.StickPages(words, c)
	pages := make([]mirror.StickPage, len(made))
	for i, p := range made {
		pages[i] = mirror.StickPage{Name: p.Path, Bytes: p.HTML}
	}
	return pages, err
}

// onStick says of an error of the stick what to do about it.
func onStick(dir string, err error) error {
	var p *portal.Problem
	var path *os.PathError
	switch {
	case err == nil || errors.As(err, &p) || errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, disk.ErrNoSpace):
		return &portal.Problem{
			Kind: portal.ErrNoSpace, Where: dir, Cause: err, Message: fmt.Sprintf("the stick is full: %v", err),
			Hint: "make room on it or take a larger one, and run the command again: it goes on where it stopped",
		}
	case errors.Is(err, disk.ErrReadOnly):
		return &portal.Problem{
			Kind: portal.ErrReadOnly, Where: dir, Cause: err, Message: fmt.Sprintf("the stick cannot be written: %v", err),
			Hint: "is its switch on \"lock\"? is it mounted for reading only?",
		}
	case errors.As(err, &path):
		return &portal.Problem{
			Kind: portal.ErrUnavailable, Where: dir, Cause: err, Message: fmt.Sprintf("the stick cannot be used: %v", err),
			Hint: "was it pulled out? put it in and run the command again: it goes on where it stopped",
		}
	}
	return err
}
