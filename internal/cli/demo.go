package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"koprik/internal/demo"
	"koprik/internal/node"
	"koprik/portal"
)

func (a *app) demoCommand() *cobra.Command {
	var central, mirror, kiosk string
	development := false
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the product: a central and a mirror on this machine, with real figures",
		Long: `Demo makes a central node, publishes the demonstration catalogue with it, makes a
mirror that takes everything by verified sync, and serves both until Ctrl-C. Stop it
and start it with the same --dir to go on with the same data.`,
		Example: "  koprik demo\n  koprik demo --listen 127.0.0.1:9000 --mirror-listen 127.0.0.1:9001 --dir ./demo",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir := ""
			if cmd.Flags().Changed("dir") || os.Getenv("KOPRIK_DIR") != "" {
				dir = a.dir
			}
			a.development = development
			return a.demo(cmd.Context(), dir, central, mirror, kiosk)
		},
	}
	cmd.Flags().StringVar(&central, "listen", "127.0.0.1:8080", "address and port of the central node")
	cmd.Flags().StringVar(&mirror, "mirror-listen", "127.0.0.1:8081", "address and port of the mirror")
	cmd.Flags().StringVar(&kiosk, "kiosk-listen", "127.0.0.1:8082", "address and port of the mirror's public screen; empty: none")
	cmd.Flags().BoolVar(&development, "development", false, "add /desk/components, the page that shows every part of the pages")
	return cmd
}

// demo keeps its data in dir, or in a temporary folder that it removes.
func (a *app) demo(ctx context.Context, dir, listen, mirrorListen, kioskListen string) (err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "koprik-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	central, stopCentral, err := a.demoCentral(ctx, filepath.Join(dir, "central"), listen)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopCentral()) }()
	mirror, stopMirror, err := a.demoMirror(ctx, filepath.Join(dir, "mirror"), mirrorListen, kioskListen, central)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopMirror()) }()
	password, err := demoLogin(ctx, central.node)
	if err != nil {
		return err
	}
	a.served = true
	out := map[string]string{
		"central": "http://" + central.Addr, "mirror": "http://" + mirror.Addr, "receipt": demo.Receipt.Reveal(),
		"desk": "http://" + central.Addr + "/desk/", "login": demoAccount, "password": password,
	}
	if mirror.Kiosk != "" {
		out["kiosk"] = "http://" + mirror.Kiosk
	}
	err = a.answer(out, func() {
		a.say("central  http://%s", central.Addr)
		a.say("mirror   http://%s", mirror.Addr)
		if mirror.Kiosk != "" {
			a.say("kiosk    http://%s", mirror.Kiosk)
		}
		a.say("desk     http://%s/desk/  sign in as %s with %s", central.Addr, demoAccount, password)
		a.say("receipt  %s  opens a private answer at any of them", demo.Receipt.Reveal())
		a.say("Ctrl-C ends.")
	})
	if err != nil {
		return err
	}
	return central.Wait(ctx)
}

func (a *app) demoCentral(ctx context.Context, dir, listen string) (*serving, func() error, error) {
	c, err := node.SetConfig(map[string]string{
		"role": string(portal.Central), "title": demo.Title, "contact": demo.Contact, "publisher": string(demo.Publisher), "listen": listen, "talkback_every": "10s",
	})
	if err != nil {
		return nil, nil, err
	}
	n, err := a.demoNode(ctx, dir, node.InitOptions{Config: c, Publisher: demo.PublisherTitle})
	if err != nil {
		return nil, nil, err
	}
	if err := errors.Join(publishDemo(ctx, n), showReuses(ctx, n), showQuestions(ctx, n)); err != nil {
		return nil, nil, errors.Join(err, n.Close())
	}
	return a.demoServe(ctx, n, listen)
}

// publishDemo publishes the datasets that are not there yet, and then their
// updates: a demonstration that is started again goes on where it was.
func publishDemo(ctx context.Context, n *node.Node) error {
	first, err := missing(ctx, n, demo.Packages())
	if err != nil {
		return err
	}
	for _, packages := range [][]demo.Package{first, demo.Updates()} {
		inputs := make([]node.Input, len(packages))
		for i, p := range packages {
			inputs[i] = node.Input{Label: p.Name, FS: p.FS, Name: "."}
		}
		if _, err := n.Publish(ctx, demo.Publisher, inputs); err != nil {
			return err
		}
	}
	return nil
}

// missing are the packages that have no release yet.
func missing(ctx context.Context, n *node.Node, packages []demo.Package) (out []demo.Package, err error) {
	v, err := n.View(ctx)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	for _, p := range packages {
		id, err := portal.NewDatasetID(demo.Publisher, p.Name)
		if err != nil {
			return nil, err
		}
		_, err = v.Dataset(ctx, id)
		switch {
		case errors.Is(err, portal.ErrNotFound):
			out = append(out, p)
		case err != nil:
			return nil, err
		}
	}
	return out, nil
}

func (a *app) demoMirror(ctx context.Context, dir, listen, kiosk string, central *serving) (*serving, func() error, error) {
	c, err := node.SetConfig(map[string]string{
		"role": string(portal.Mirror), "title": demo.MirrorTitle, "contact": demo.Contact, "upstream": "http://" + central.Addr, "listen": listen, "kiosk_listen": kiosk, "sync_interval": "10s",
	})
	if err != nil {
		return nil, nil, err
	}
	root, err := central.node.RootOfTrust()
	if err != nil {
		return nil, nil, err
	}
	n, err := a.demoNode(ctx, dir, node.InitOptions{Config: c, Root: root})
	if err != nil {
		return nil, nil, err
	}
	if _, err := n.Sync(ctx, node.SyncOptions{From: "http://" + central.Addr}); err != nil {
		return nil, nil, errors.Join(err, n.Close())
	}
	return a.demoServe(ctx, n, listen)
}

// demoNode opens the node in dir, which it makes when there is none.
func (a *app) demoNode(ctx context.Context, dir string, o node.InitOptions) (*node.Node, error) {
	opt := a.options()
	opt.Log, opt.Development = a.log(), a.development
	opt.Flags = map[string]string{"upstream": o.Config.Upstream, "listen": o.Config.Listen, "kiosk_listen": o.Config.KioskListen}
	n, err := node.Open(ctx, dir, opt)
	if !errors.Is(err, portal.ErrNotFound) {
		return n, err
	}
	if _, err := node.Init(ctx, dir, o, opt); err != nil {
		return nil, err
	}
	return node.Open(ctx, dir, opt)
}

// serving is a node of the demonstration that answers.
type serving struct {
	*node.Serving
	node *node.Node
}

func (a *app) demoServe(ctx context.Context, n *node.Node, listen string) (*serving, func() error, error) {
	s, err := n.Serve(ctx, listen)
	if err != nil {
		return nil, nil, errors.Join(err, n.Close())
	}
	return &serving{s, n}, func() error { return errors.Join(s.Stop(), n.Close()) }, nil
}
