package node

import (
	"context"
	"errors"
	"strings"

	"koprik/embed/index"
	"koprik/portal"
	"koprik/sync/post"
)

// indexThreads makes the public questions of a generation found: one set for each
// file of threads, its digest as the version. What cannot be read is told in the
// log and not found; the generation does not wait for it.
func (n *Node) indexThreads(ctx context.Context, s sides) error {
	sets := map[string]string{}
	for path, f := range s.files {
		if name, ok := strings.CutPrefix(path, threadsPrefix); ok {
			sets[name] = f.SHA256.String()
		}
		if path == post.ShowcasePath {
			sets[index.ReuseSet] = f.SHA256.String()
		}
	}
	err := n.index.UpdateThreads(ctx, sets, func(set string) ([]portal.Thread, error) {
		if set == index.ReuseSet {
			shown, err := n.showcaseIn(s)
			return reusesAsSaid(shown), err
		}
		threads, err := n.threadsIn(s, threadsPrefix+set)
		if err != nil && ctx.Err() == nil {
			n.opt.Log.Warn("public questions cannot be read", "of", set, "error", err)
			return nil, nil
		}
		return threads, err
	})
	if errors.Is(err, index.ErrInterrupted) {
		return nil // the update that mends it comes first, and this after it
	}
	return err
}

// reusesAsSaid gives reuses as the index takes what people said (index.ReuseSet).
func reusesAsSaid(s portal.Showcase) (list []portal.Thread) {
	for i := range s.Reuses {
		r := &s.Reuses[i]
		t := portal.Thread{ID: r.ID, Asked: r.Published()}
		t.Text, t.Lang = r.Title.In(portal.Uzbek)
		for _, l := range portal.Langs {
			for _, text := range []portal.Text{r.Title, r.Summary} {
				if words := text.Translated[l]; words != "" {
					t.Answers = append(t.Answers, portal.ThreadAnswer{Text: words, Lang: l})
				}
			}
		}
		t.Answers = append(t.Answers, portal.ThreadAnswer{Text: r.By})
		list = append(list, t)
	}
	return list
}

// showThreads is indexThreads for what is shown already, and tells the index what is
// used: at the start.
func (n *Node) showThreads(ctx context.Context) error {
	s, err := n.sidesNow()
	if err != nil {
		return err
	}
	if err := n.indexThreads(ctx, s); err != nil {
		return err
	}
	n.feedUses(s)
	return n.swapReader()
}

// Thread gives one public question of the view's generation; portal.ErrNotFound
// when there is none.
func (v *view) Thread(ctx context.Context, id portal.InquiryID) (portal.Thread, error) {
	return v.node.Thread(ctx, v, id)
}
