package node

import (
	"context"
	"errors"
	"io/fs"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/mirror"
)

// folder opens a repository in a folder: a stick, a data directory that has one,
// or the tree itself. Nobody knows who prepared a stick: no link on it is
// followed, and nothing but plain files is opened.
func folder(path string) (mirror.Source, func(), error) {
	for _, sub := range []string{stickDir, repositoryDir, "."} {
		medium, err := disk.OpenMedia(path, sub)
		if err != nil && sub == "." {
			return nil, nil, noRepository(path, err)
		}
		if err != nil {
			continue
		}
		_, err = medium.Stat("metadata/timestamp.json")
		if err == nil {
			name := path
			if sub != "." {
				name += "/" + sub
			}
			return mirror.Folder(medium, name), func() { _ = medium.Close() }, nil
		}
		if sub == stickDir && errors.Is(err, fs.ErrNotExist) {
			return nil, nil, errors.Join(&portal.Problem{
				Kind: portal.ErrUnreachable, Where: path + "/" + stickDir, Message: "there is no whole copy on this stick: it was pulled out while it was written",
				Hint: "write it again where it was made: koprik export --to goes on where it stopped",
			}, medium.Close())
		}
		_ = medium.Close() // opened for reading
	}
	return nil, nil, noRepository(path, nil)
}

func noRepository(path string, cause error) error {
	return &portal.Problem{
		Kind: portal.ErrUnreachable, Where: path, Message: "there is no repository here", Cause: cause,
		Hint: "the folder must hold KOPRIK/, repository/ or metadata/",
	}
}

// stickBeginsLater says of a stick that lacks something whether it was made for
// nodes that are further than this one.
func stickBeginsLater(ctx context.Context, source mirror.Source, have int64, err error) error {
	if !errors.Is(err, portal.ErrUnverified) && !errors.Is(err, portal.ErrNotFound) {
		return err
	}
	note, noteErr := mirror.ReadStickNote(ctx, source)
	if noteErr != nil || note.Since <= have {
		return err
	}
	p := portal.Rejected(source.String(), "this stick has only what nodes of generation %d lack, and this node has generation %d", note.Since, have)
	p.Cause = err
	return p.WithHint("ask for a stick that was written with --since %d, or without --since", have)
}
