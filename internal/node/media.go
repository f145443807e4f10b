package node

import (
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
