package node

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"koprik/embed/local"
	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/mirror"
)

// SyncOptions say how a sync is made.
type SyncOptions struct {
	From      string // an address or a folder instead of the configured upstreams
	DryRun    bool
	Fetch     []portal.DatasetID // asked for: they come whole, now and later, whatever the policy says
	Forget    []portal.DatasetID // no longer asked for
	Scheduled bool               // by the server itself: bound to the bytes of a day
}

// SyncReport says what a sync brought.
type SyncReport struct {
	mirror.Report
	Fetched  []mirror.Item // came without a new generation: what was owed, or asked for
	Stages   []portal.StageTook
	Sent     int // posts of questions that were handed on
	Left     int // questions that still wait here for the centre
	Fresh    portal.Freshness
	Duration time.Duration
}

// Sync brings a mirror to its upstream's generation. Whatever goes wrong, the
// copy that was accepted before stands.
func (n *Node) Sync(ctx context.Context, o SyncOptions) (out SyncReport, err error) {
	defer func() { n.remember(err) }()
	defer named(n.dir, &err)
	if n.central() {
		return out, &portal.Problem{Kind: portal.ErrUsage, Where: "sync", Message: "a " + string(n.config.Role) + " node has no upstream to follow"}
	}
	release, err := n.writing(ctx)
	if err != nil {
		return out, err
	}
	defer release()
	if len(o.Fetch)+len(o.Forget) > 0 && !o.DryRun {
		if err := n.Ask(ctx, o.Fetch, o.Forget); err != nil {
			return out, err
		}
	}
	list, done, err := n.openUpstreams(o.From)
	if err != nil {
		return out, err
	}
	defer done()
	round := mirror.RoundOptions{DryRun: o.DryRun, Owe: n.owe}
	if o.Scheduled {
		if round.Budget, err = n.budget(ctx); err != nil {
			return out, err
		}
	}
	if n.owner() {
		round.Apply = n.apply
		if round.Have, err = n.catalog.Generation(ctx); err != nil {
			return out, err
		}
	} else if round.Have, err = n.accepted(); err != nil {
		return out, err
	}
	began := n.opt.Clock()
	n.syncing.begin()
	defer n.syncing.end(n)
	var used upstream
	out.Report, used, err = n.follow(ctx, list, round)
	if err == nil && !o.DryRun {
		round.Rest = others(list, used)
		err = n.settleOwed(ctx, used, round, &out, out.Generation > out.Previous)
	}
	err = errors.Join(err, n.raise(err))
	n.reportAlarms(ctx)
	if !o.DryRun {
		err = errors.Join(err, n.exchange(ctx, used, &out))
	}
	out.Duration, out.Stages = n.opt.Clock().Sub(began), n.syncing.took(n.opt.Clock())
	out.Fresh = out.State.Grade(n.Now(), n.oldAfter())
	if o.DryRun {
		return out, err
	}
	if err == nil {
		n.raiseFloor(out.State)
		err = n.settle(ctx, out.Generation, release)
	}
	return out, errors.Join(err, n.record(ctx, out, err))
}

func (n *Node) accepted() (int64, error) {
	s, err := n.mirror.State()
	return s.Generation, err
}

// record writes the sync into the log, so that the node's page can say what
// happened last.
func (n *Node) record(ctx context.Context, r SyncReport, err error) error {
	rec := local.SyncRecord{
		At: n.Now(), Upstream: r.Upstream, Generation: r.Generation, BytesDown: r.BytesDown,
		Requests: int64(r.Requests), Duration: r.Duration, Detail: n.detail(r),
	}
	if err != nil {
		rec.Result = err.Error()
	}
	return n.local.AddSync(context.WithoutCancel(ctx), rec)
}

// client waits as long as a slow link needs, but not for a server that says nothing.
func client() *http.Client { return clientOver(&mirror.Wire{}) }

// clientOver is client with its connections counted. It speaks HTTP/2 where the
// server does, so that large pieces share one connection, and resumes sessions of
// TLS: a new one costs 5 KB.
func clientOver(w *mirror.Wire) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           w.Dial((&net.Dialer{Timeout: 20 * time.Second, KeepAlive: 30 * time.Second}).DialContext),
			TLSClientConfig:       &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(8)},
			ForceAttemptHTTP2:     true,
			TLSHandshakeTimeout:   20 * time.Second,
			ResponseHeaderTimeout: 60 * time.Second,
			IdleConnTimeout:       90 * time.Second,
			MaxConnsPerHost:       mirror.MaxRequests,
			MaxIdleConnsPerHost:   mirror.MaxRequests,
			DisableCompression:    true,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) >= 3 || req.URL.Host != via[0].URL.Host {
				return errors.New("redirects to another host are not followed")
			}
			return nil
		},
	}
}

// followOwn makes what this node has published visible: the centre reads its
// own repository through the same verifier as every mirror.
func (n *Node) followOwn(ctx context.Context) error {
	if _, err := n.root.Stat(repositoryDir + "/metadata/timestamp.json"); err != nil {
		return nil //nolint:nilerr // nothing was published yet
	}
	have, err := n.catalog.Generation(ctx)
	if err != nil {
		return err
	}
	source := mirror.Folder(disk.Sub(n.root, repositoryDir), repositoryDir)
	_, err = n.mirror.Round(ctx, source, mirror.RoundOptions{Have: have, Media: true, Apply: n.apply})
	return errors.Join(err, n.raise(err))
}

// settle makes a generation visible: by applying it, or by letting go of
// write.lock and waiting for the server that has the index to do so. When that
// server ends meanwhile, this process takes its place.
func (n *Node) settle(ctx context.Context, generation int64, release func()) error {
	n.packNearest(ctx)
	if n.owner() {
		var err error
		if n.central() {
			err = n.followOwn(ctx)
		}
		release()
		if err == nil {
			n.pack(ctx)
		}
		return err
	}
	release()
	const patience = 30 * time.Second
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		have, err := n.catalog.Generation(ctx)
		if err == nil && have >= generation {
			return nil
		}
		select {
		case <-waiting.Done():
			return &portal.Problem{
				Kind: portal.ErrPartly, Where: n.dir, Cause: err,
				Message: "the new generation is written, and the running server has not shown it yet",
				Hint:    "look at the server's log",
			}
		case <-tick.C:
			if took, err := n.takeOver(ctx); took || err != nil {
				if err == nil {
					n.pack(ctx)
				}
				return err
			}
		}
	}
}

func (n *Node) oldAfter() time.Duration { return time.Duration(n.config.OldAfterDays) * 24 * time.Hour }
