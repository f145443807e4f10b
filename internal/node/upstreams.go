package node

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"koprik/portal"
	"koprik/sync/mirror"
)

// upstream is one place that a mirror follows.
type upstream struct {
	mirror.Source
	media bool // a folder: it may be removable media, which comes late
}

// openUpstreams opens where a sync reads from: the one that was named for this
// time, or those of the configuration in their order. A folder that is not there
// is passed over when there is another.
func (n *Node) openUpstreams(from string) (list []upstream, done func(), err error) {
	var opened []func()
	done = func() {
		for _, d := range opened {
			d()
		}
	}
	named := append([]string{n.config.Upstream}, n.config.Upstreams...)
	if from != "" {
		named = []string{from}
	}
	n.lineOnce.Do(func() { n.line.client = clientOver(&n.line.wire) })
	for _, name := range named {
		if name == "" {
			continue
		}
		s, closeIt, openErr := n.openUpstream(name)
		if openErr != nil {
			err = errors.Join(err, openErr)
			continue
		}
		list, opened = append(list, s), append(opened, closeIt)
	}
	switch {
	case len(list) > 0:
		return list, done, nil
	case err == nil:
		err = &portal.Problem{
			Kind: portal.ErrUsage, Where: "upstream", Message: "this mirror has no upstream",
			Hint: "koprik sync --from URL|DIR names one for this time, `upstream` in koprik.toml for good",
		}
	}
	return nil, done, err
}

// line is the way to the upstreams: one client for all rounds of a process, so
// that they use one connection again.
type line struct {
	wire   mirror.Wire
	client *http.Client
}

func (n *Node) openUpstream(name string) (upstream, func(), error) {
	if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
		src, err := n.line.wire.HTTP(name, n.line.client)
		return upstream{Source: src}, func() {}, err
	}
	src, done, err := folder(name)
	return upstream{Source: src, media: true}, done, err
}

// follow makes a round with the first upstream that brings this node forward, or
// says that its copy of this day is the newest. One that cannot be reached, does
// not verify or is behind is passed over, and so is one that has nothing newer than
// what was signed more than a day ago: a neighbour that stands still must not hold
// us back.
// It gives the upstream that the report is of.
func (n *Node) follow(ctx context.Context, list []upstream, o mirror.RoundOptions) (r mirror.Report, used upstream, err error) {
	var spent mirror.Report
	answered := false
	for i, s := range list {
		o.Media, o.Rest = s.media, others(list[i:], s)
		got, roundErr := n.mirror.Round(ctx, s.Source, o)
		if s.media {
			roundErr = stickBeginsLater(ctx, s.Source, o.Have, roundErr)
		}
		spent.BytesDown += got.BytesDown
		spent.BytesUp += got.BytesUp
		spent.Requests += got.Requests
		spent.RoundTrips += got.RoundTrips
		if roundErr == nil {
			r, used, answered = got, s, true
			if got.Note != "" {
				n.opt.Log.Warn("the upstream speaks otherwise", "note", got.Note)
			}
			if got.Generation > o.Have || n.Now().Sub(got.State.AsOf) <= mirror.Restless {
				break
			}
			continue
		}
		if !answered {
			r, used = got, s
		}
		err = errors.Join(err, roundErr, n.raise(roundErr))
		if ctx.Err() != nil || !passable(roundErr) {
			answered = false
			break
		}
		if i+1 < len(list) {
			n.opt.Log.Warn("another upstream is asked", "instead of", s.String(), "error", roundErr)
		}
	}
	r.BytesDown, r.BytesUp, r.Requests, r.RoundTrips = spent.BytesDown, spent.BytesUp, spent.Requests, spent.RoundTrips
	if answered {
		err = nil
	}
	return r, used, err
}

// others are the sources of all upstreams but one.
func others(list []upstream, but upstream) (rest []mirror.Source) {
	for _, s := range list {
		if s != but {
			rest = append(rest, s.Source)
		}
	}
	return rest
}

// passable tells an error that is the upstream's from one of this node.
func passable(err error) bool {
	for _, own := range []error{portal.ErrNoSpace, portal.ErrReadOnly, portal.ErrLocked} {
		if errors.Is(err, own) {
			return false
		}
	}
	return errors.Is(err, portal.ErrUnreachable) || errors.Is(err, portal.ErrUnverified) || errors.Is(err, portal.ErrNotFound)
}
