// Package cli is the commands of koprik: flags in, words or JSON out, an exit
// code at the end. What the commands do is in internal/node.
package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"koprik/internal/node"
)

// Program is what main knows of itself.
type Program struct {
	Version string
	Build   time.Time // the commit's time; zero when unknown
}

// defaultDir is the data directory when nobody names one.
const defaultDir = "koprik-data"

// app is one run of the program.
type app struct {
	Program
	dir   string
	json  bool
	quiet bool

	development bool // of demo: the page of all parts of the pages

	served bool // pages were served: Ctrl-C is how that ends

	stdin          io.Reader
	lines          *bufio.Reader // of stdin, once a line of it was read
	stdout, stderr io.Writer
	flags          map[string]string // settings given as flags
}

// collectAt is from how many bytes on garbage is collected sooner than when there
// is as much of it as of what lives: a patch of two contents of 128 MB holds 800 MB
// (spec/sync.md, "Targets": publishing takes at most 1 GB).
const collectAt = 1_000_000_000

// Main runs the command line and returns the exit code.
func Main(p Program, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once

	if debug.SetMemoryLimit(-1) > collectAt { // whoever sets GOMEMLIMIT lower knows why
		debug.SetMemoryLimit(collectAt)
	}
	a := &app{Program: p, stdin: stdin, stdout: stdout, stderr: stderr, flags: map[string]string{}}
	root := a.command()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil && !a.served:
		err = interrupted(err)
	}
	a.json = a.json || slices.Contains(args, "--json") // also behind an option that nobody knows
	return a.complain(err)
}

// command builds the whole tree of commands.
func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "koprik",
		Short: "A whole open-data portal in one program, also where the network is not",
		Long: `Koprik ("bridge") is an open-data portal in one program. A central node signs and
publishes datasets, mirrors carry them to kiosks and offices, and every page works
with the cable pulled out.`,
		Example: `  koprik demo
  koprik init --role central --title "Ochiq maʼlumotlar" --contact desk@example.org
  koprik publish water.csv
  koprik serve`,
		Version:       a.Version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetVersionTemplate(a.versionLine() + "\n")
	root.Flags().BoolP("version", "", false, "say which version this is")
	dir := os.Getenv("KOPRIK_DIR")
	if dir == "" {
		dir = defaultDir
	}
	f := root.PersistentFlags()
	f.StringVar(&a.dir, "dir", dir, "data directory (or KOPRIK_DIR)")
	f.BoolVar(&a.json, "json", false, "answer as JSON, errors too")
	f.BoolVar(&a.quiet, "quiet", false, "say nothing but errors")
	root.SetHelpCommand(helpCommand(root))
	root.CompletionOptions.DisableDefaultCmd = true // ours is in about.go
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(cmd.CommandPath(), "%v", err)
	})
	root.AddCommand(
		a.demoCommand(), a.initCommand(), a.serveCommand(), a.passportCommand(), a.tableCommand(), a.publishCommand(),
		a.withdrawCommand(), a.importCommand(), a.syncCommand(), a.exportCommand(), a.verifyCommand(), a.searchCommand(),
		a.statusCommand(), a.doctorCommand(), a.backupCommand(), a.restoreCommand(), a.publisherCommand(), a.userCommand(), a.inquiryCommand(), a.mailInCommand(), a.reuseCommand(), a.nodeCommand(), a.usageCommand(), a.keyCommand(), a.configCommand(), a.versionCommand(), a.manCommand(root),
		a.completionCommand(root),
	)
	strictArgs(root)
	return root
}

// strictArgs turns cobra's complaints about arguments into our usage errors, and
// gives a command that only holds others its help, or the word that was meant.
func strictArgs(cmd *cobra.Command) {
	check := cmd.Args
	switch {
	case cmd.HasSubCommands():
		cmd.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		cmd.Args = knownCommand
		if cmd.Example == "" {
			var all []string
			for _, sub := range cmd.Commands() {
				all = append(all, sub.Example)
			}
			cmd.Example = strings.Join(all, "\n")
		}
	case check != nil:
		cmd.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usage(c.CommandPath(), "%s", arguments(c, args))
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		strictArgs(sub)
	}
}

func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	p := usage(c.CommandPath(), "there is no command %q", args[0])
	if c.SuggestionsMinimumDistance <= 0 {
		c.SuggestionsMinimumDistance = 2
	}
	if meant := c.SuggestionsFor(args[0]); len(meant) > 0 {
		p.Hint = "did you mean " + c.CommandPath() + " " + strings.Join(meant, ", "+c.CommandPath()+" ") + "?"
	}
	return p
}

// arguments says in words what is wrong with a command's arguments.
func arguments(c *cobra.Command, args []string) string {
	wanted := strings.TrimSpace(strings.TrimPrefix(c.Use, c.Name()))
	if before, _, ok := strings.Cut(wanted, " --"); ok {
		wanted = before
	}
	switch {
	case wanted == "" || strings.HasPrefix(wanted, "--"):
		return fmt.Sprintf("takes no arguments, and got %q", args[0])
	case len(args) == 0:
		return wanted + " is missing"
	}
	return fmt.Sprintf("takes %s, and got %q", wanted, args)
}

// options are how this run opens a node.
func (a *app) options() node.Options {
	log := slog.New(slog.DiscardHandler)
	return node.Options{Version: a.Version, Build: a.Build, Flags: a.flags, Log: log, Progress: a.progress()}
}

// open opens the node in --dir.
func (a *app) open(ctx context.Context) (*node.Node, error) {
	return node.Open(ctx, a.dir, a.options())
}

// with opens the node for one piece of work and closes it.
func (a *app) with(ctx context.Context, work func(*node.Node) error) error {
	n, err := a.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(work(n), n.Close())
}

// bringing is with, for what signs: keys of the files sign beside those in keys/.
func (a *app) bringing(ctx context.Context, files []string, work func(*node.Node) error) error {
	keys, err := a.keyFiles(files)
	if err != nil {
		return err
	}
	return a.with(ctx, func(n *node.Node) error {
		n.Bring(keys...)
		return work(n)
	})
}

// say prints a line for people.
func (a *app) say(format string, args ...any) {
	if !a.quiet && !a.json {
		fmt.Fprintf(a.stdout, format+"\n", args...)
	}
}

// count is a number of things.
func count[N int | int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// answer prints v where --json was asked for; otherwise words says it.
func (a *app) answer(v any, words func()) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(v)
	}
	if !a.quiet {
		words()
	}
	return nil
}

// settingFlag adds the flag of one setting, which is passed on when given.
func (a *app) settingFlag(cmd *cobra.Command, keys ...string) {
	for _, s := range node.Settings {
		for _, key := range keys {
			if s.Key != key {
				continue
			}
			help := s.Help
			if s.Default != "" {
				help += " (default " + s.Default + ")"
			}
			cmd.Flags().Var(&settingValue{a.flags, s.Key}, s.Flag(), help)
		}
	}
}

// settingValue puts a flag's value among the settings.
type settingValue struct {
	values map[string]string
	key    string
}

func (v *settingValue) Set(s string) error { v.values[v.key] = s; return nil }

// Type implements pflag.Value.
func (v *settingValue) Type() string { return "value" }

func (v *settingValue) String() string {
	if v.values == nil {
		return ""
	}
	return v.values[v.key]
}
