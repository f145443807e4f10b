package cli

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"koprik/internal/node"
	"koprik/portal"
)

func (a *app) initCommand() *cobra.Command {
	var trust, title, contact, role, publisher, upstream string
	cmd := &cobra.Command{
		Use:   "init --role central|agency|mirror --title TITLE",
		Short: "Make a new node: its data directory, and for a central or agency its keys",
		Example: `  koprik init --role central --title "Ochiq maʼlumotlar" --contact desk@example.org
  koprik init --role mirror --title "Nukus" --upstream https://data.example.org --trust root.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			values := map[string]string{
				"role": role, "title": title, "contact": contact, "publisher": publisher,
				"upstream": upstream, "listen": a.flags["listen"],
			}
			return a.init(cmd.Context(), values, trust)
		},
	}
	f := cmd.Flags()
	f.StringVar(&role, "role", "", "what the node does: central, agency or mirror")
	f.StringVar(&title, "title", "", "the portal's name on every page")
	f.StringVar(&contact, "contact", "", "e-mail of the desk that answers for data without a passport")
	f.StringVar(&publisher, "publisher", "", "slug of the first publisher (default main)")
	f.StringVar(&upstream, "upstream", "", "address or folder that a mirror follows")
	f.StringVar(&trust, "trust", "", "file with the root of trust of the repository that a mirror follows")
	a.settingFlag(cmd, "listen")
	_ = cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions(
		[]cobra.Completion{string(portal.Central), string(portal.Agency), string(portal.Mirror)}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) init(ctx context.Context, values map[string]string, trust string) error {
	const where = "koprik init"
	for _, must := range []string{"role", "title"} {
		if values[must] == "" {
			return usage(where, "--%s is missing", must)
		}
	}
	config, err := node.SetConfig(values)
	if err != nil {
		return err
	}
	o := node.InitOptions{Config: config}
	switch {
	case config.Role == portal.Mirror && (config.Upstream == "" || trust == ""):
		return usage(where, "a mirror needs --upstream and --trust")
	case config.Role != portal.Mirror && (config.Upstream != "" || trust != ""):
		return usage(where, "--upstream and --trust are for mirrors")
	case config.Role == portal.Mirror:
		if o.Config.Upstream, err = lasting(config.Upstream); err != nil {
			return err
		}
		if o.Root, err = os.ReadFile(trust); err != nil {
			return portal.Rejected("--trust "+trust, "cannot be read: %s", errnoOf(err))
		}
	}
	root, err := node.Init(ctx, a.dir, o, a.options())
	if err != nil {
		return err
	}
	id := portal.DigestOf(root)
	return a.answer(map[string]string{"dir": a.dir, "role": string(config.Role), "repository": id.Hex()}, func() {
		a.say("A new %s node is in %s.", config.Role, a.dir)
		if config.Role == portal.Mirror {
			a.say("It trusts the repository %s. `koprik sync` brings its data, `koprik serve` shows them.", id.Short())
			return
		}
		a.say("Its repository is %s. Its keys are in %s: keep a copy in a safe.", id.Short(), filepath.Join(a.dir, "keys"))
		a.say("Mirrors begin with its root of trust: %s", filepath.Join(a.dir, "repository", "metadata", "1.root.json"))
	})
}

// lasting is an upstream as it is kept: a folder's whole path, because the next
// command may run elsewhere.
func lasting(upstream string) (string, error) {
	if isAddress(upstream) {
		return upstream, nil
	}
	return filepath.Abs(upstream)
}

func isAddress(s string) bool { return strings.Contains(s, "://") }

func (a *app) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Serve the portal's pages and APIs until Ctrl-C; a mirror also syncs by itself",
		Example: "  koprik serve --dir /var/lib/koprik --listen 0.0.0.0:8080 --kiosk-listen 127.0.0.1:8082",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serve(cmd.Context())
		},
	}
	a.settingFlag(cmd, "listen", "kiosk_listen", "sync_interval")
	return cmd
}

func (a *app) serve(ctx context.Context) error {
	o := a.options()
	o.Log = a.log()
	n, err := node.Open(ctx, a.dir, o)
	if err != nil {
		return err
	}
	s, err := n.Serve(ctx, "")
	if err != nil {
		return errors.Join(err, n.Close())
	}
	a.served = true
	out := map[string]string{"listening": reachable(s.Addr)}
	if s.Kiosk != "" {
		out["kiosk"] = reachable(s.Kiosk)
	}
	err = a.answer(out, func() {
		a.say("%s  (Ctrl-C ends)", reachable(s.Addr))
		if s.Kiosk != "" {
			a.say("%s  (the pages of a public screen)", reachable(s.Kiosk))
		}
	})
	if err == nil {
		err = s.Wait(ctx)
	}
	return errors.Join(err, s.Stop(), n.Close())
}

// reachable is an address that a browser on this machine can open.
func reachable(listening string) string {
	host, port, err := net.SplitHostPort(listening)
	if ip, bad := netip.ParseAddr(host); err == nil && bad == nil && ip.IsUnspecified() {
		listening = net.JoinHostPort("localhost", port)
	}
	return "http://" + listening
}

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "Say what this node is and how old its copy is",
		Example: "  koprik status --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error { return a.status(cmd.Context(), n) })
		},
	}
}

func (a *app) status(ctx context.Context, n *node.Node) error {
	s, err := n.Status(ctx)
	if err != nil {
		return err
	}
	mail, err := n.MailState(ctx)
	if err != nil {
		return err
	}
	signer := ""
	if len(s.SignedBy) > 0 {
		signer = s.SignedBy[0]
	}
	out := map[string]any{
		"role": s.Role, "title": s.Title, "generation": s.State.Generation, "datasets": s.Datasets, "fresh": s.Fresh,
		"as_of": stamp(s.State.AsOf), "signed_by": signer, "upstream": s.Upstream, "last_sync": stamp(s.LastSync),
		"last_result": s.LastResult, "outbox": s.Outbox, "version": s.Version, "repository": s.State.Repository.Hex(),
		"clock_wrong": s.ClockWrong, "alarms": alarmRows(s.Alarms),
		"doing": s.Doing, "brought": s.Brought, "owed": s.Owed, "last_backup": stamp(s.Backup), "held": s.Held,
		"letters": map[string]any{"waiting": mail.Waiting, "oldest": stamp(mail.Oldest), "problem": mail.Problem},
	}
	return a.answer(out, func() {
		a.say("%s (%s)", s.Title, s.Role)
		a.say("generation  %d, %s", s.State.Generation, count(s.Datasets, "dataset"))
		if s.State.AsOf.IsZero() {
			a.say("copy        %s, nothing has come yet", s.Fresh)
		} else {
			a.say("copy        %s, as of %s", s.Fresh, stamp(s.State.AsOf))
			a.say("repository  %s", s.State.Repository.Short())
		}
		if s.Upstream != "" {
			a.say("upstream    %s", s.Upstream)
		}
		if !s.LastSync.IsZero() {
			a.say("last sync   %s", strings.TrimSpace(stamp(s.LastSync)+" "+s.LastResult))
		}
		if s.Doing != nil {
			a.say("now         syncing: %s", doing(*s.Doing))
		}
		if s.Owed {
			a.say("missing     some files are still to come: koprik sync")
		}
		if s.ClockWrong {
			a.say("clock       wrong: this machine's clock does not agree with the newest signed time")
		}
		if s.Backup.IsZero() {
			a.say("backup      never: koprik backup --to FILE")
		} else {
			a.say("backup      %s, %s", age(s.Backup, n.Now()), stamp(s.Backup))
		}
		if mail.Waiting > 0 {
			a.say("letters     %s", strings.TrimSpace(count(mail.Waiting, "letter")+" waiting, the oldest since "+stamp(mail.Oldest)+"  "+mail.Problem))
		}
		if s.Held {
			a.say("HELD        this centre was restored and does not sign yet: koprik restore --newer MIRROR")
		}
		for _, m := range s.Alarms {
			a.say("ALARM       two different versions of %s %d are signed (found %s): tell the centre; both are in %s", m.Role, m.Version, stamp(m.Found), m.File)
		}
		a.say("version     %s", s.Version)
	})
}

// alarmRow is what --json says of an alarm.
type alarmRow struct {
	Role     string `json:"role"`
	Version  int64  `json:"version"`
	Found    string `json:"found"`
	Reported bool   `json:"reported"`
	File     string `json:"file"`
}

func alarmRows(alarms []portal.Alarm) []alarmRow {
	rows := []alarmRow{}
	for _, m := range alarms {
		rows = append(rows, alarmRow{m.Role, m.Version, stamp(m.Found), m.Reported, m.File})
	}
	return rows
}

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Show the settings"}
	cmd.AddCommand(&cobra.Command{
		Use:     "show",
		Short:   "Show every setting, where its value comes from, and what it means",
		Example: "  koprik config show --dir /var/lib/koprik",
		Args:    cobra.NoArgs,
		RunE:    func(_ *cobra.Command, _ []string) error { return a.configShow() },
	})
	return cmd
}

func (a *app) configShow() error {
	c, err := node.ReadConfig(a.dir, node.Environ, a.flags)
	if err != nil {
		return err
	}
	type row struct {
		Key    string `json:"key"`
		Value  string `json:"value"`
		Source string `json:"source"`
		Env    string `json:"env"`
		Help   string `json:"help"`
	}
	rows := make([]row, len(node.Settings))
	for i, s := range node.Settings {
		value, source := s.Value(c)
		rows[i] = row{s.Key, value, source, s.Env(), s.Help}
	}
	return a.answer(rows, func() {
		for _, r := range rows {
			a.say("# %s (%s)\n%s = %q   # %s", r.Help, r.Env, r.Key, r.Value, r.Source)
		}
	})
}
