package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"koprik/portal"
)

// Published is what a publish brought.
type Published struct {
	Generation int64
	Published  []PublishedRelease
	Unchanged  []portal.DatasetID
	Rejected   []RejectedInput
}

// PublishedRelease is one new release.
type PublishedRelease struct {
	Dataset portal.DatasetID
	Release int
	Bytes   int64 // of its resources
	// Tables are its tables as they were read, with what was guessed of their
	// columns; nil where nothing was read.
	Tables []portal.TableInfo
	// Breaks are the published reuses from which it takes columns; nil: none.
	Breaks *ReuseBreak
}

// RejectedInput is an input that could not be published, and why.
type RejectedInput struct {
	Label string
	Err   error
}

// Publish makes a release of every input whose content is new, signs them as
// publisher ("" is the configured one), and makes them visible in one
// generation. An input that is wrong is reported in Rejected and does not stop
// the others; the error is then portal.ErrPartly, or the one input's own when
// nothing else was asked for. unread are inputs that the caller could not open.
func (n *Node) Publish(ctx context.Context, publisher portal.PublisherID, inputs []Input, unread ...RejectedInput) (out Published, err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return out, notCentral("publish")
	}
	if publisher == "" {
		publisher = n.config.Publisher
	}
	release, err := n.writing(ctx)
	if err != nil {
		return out, err
	}
	defer release()
	p, done, err := n.publication(publisher)
	if err != nil {
		return out, err
	}
	defer done()
	p.unlock = release
	p.out.Rejected = unread
	for i, in := range inputs {
		n.opt.Progress("read", int64(i), int64(len(inputs)))
		if err := p.add(ctx, in); err != nil {
			if ctx.Err() != nil || !isInputError(err) {
				return out, err
			}
			p.out.Rejected = append(p.out.Rejected, RejectedInput{in.Label, err})
		}
	}
	if err := p.finish(ctx); err != nil {
		return p.out, err
	}
	return p.out, p.verdict()
}

func notCentral(what string) error {
	return &portal.Problem{
		Kind: portal.ErrUsage, Where: what, Message: "a mirror does not sign releases",
		Hint: "run it on the central or agency node",
	}
}

// isInputError tells an input that is wrong from a node that cannot go on.
func isInputError(err error) bool {
	return errors.Is(err, portal.ErrRejected) || errors.Is(err, portal.ErrUsage) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, portal.ErrGone)
}

func (p *publication) verdict() error {
	rejected := p.out.Rejected
	switch {
	case len(rejected) == 0:
		return nil
	case len(p.out.Published)+len(p.out.Unchanged) == 0 && len(rejected) == 1:
		return rejected[0].Err
	case len(p.out.Published)+len(p.out.Unchanged) == 0:
		errs := make([]error, len(rejected))
		for i, r := range rejected {
			errs[i] = r.Err
		}
		return errors.Join(errs...)
	}
	problem := &portal.Problem{
		Kind:    portal.ErrPartly,
		Message: fmt.Sprintf("%d of %d were not published", len(rejected), len(rejected)+len(p.out.Published)+len(p.out.Unchanged)),
		Hint:    "mend what is rejected and publish it again; the others are published",
	}
	return problem
}

// Withdraw publishes a tombstone: the dataset's passport and the reason stay,
// its bytes go, here and at every mirror's next sync.
func (n *Node) Withdraw(ctx context.Context, id portal.DatasetID, reason portal.Text) (out Published, err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return out, notCentral("withdraw")
	}
	release, err := n.writing(ctx)
	if err != nil {
		return out, err
	}
	defer release()
	p, done, err := n.publication(id.Publisher())
	if err != nil {
		return out, err
	}
	defer done()
	p.unlock = release
	last, ok := p.latest[id]
	if !ok {
		return out, &portal.Problem{Kind: portal.ErrNotFound, Where: string(id), Message: "there is no such dataset", Hint: "koprik search finds datasets"}
	}
	r, err := p.decode(id, last)
	if err != nil {
		return out, err
	}
	if r.Withdrawn != nil {
		p.out.Unchanged = []portal.DatasetID{id}
		return p.out, n.settle(ctx, p.out.Generation, release)
	}
	r.Previous = follows(last)
	r.Number++
	r.Resources, r.Reason, r.Withdrawn = nil, reason, &portal.Withdrawal{Reason: reason}
	r.Issued = n.Now().UTC().Truncate(1e9)
	m, err := p.write(r)
	if err != nil {
		return out, err
	}
	p.manifests = []portal.SignedManifest{m}
	p.out.Published = []PublishedRelease{{Dataset: id, Release: r.Number}}
	return p.out, p.finish(ctx)
}
