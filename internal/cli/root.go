// Package cli is the commands of koprik: flags in, words or JSON out, an exit
// code at the end. What the commands do is in internal/node.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"koprik/internal/node"
	"koprik/portal"
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

	stdin          io.Reader
	stdout, stderr io.Writer
	flags          map[string]string // settings given as flags
}

// Main runs the command line and returns the exit code.
func Main(p Program, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{Program: p, stdin: stdin, stdout: stdout, stderr: stderr, flags: map[string]string{}}
	root := a.command()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil {
		a.complain(err)
	}
	return exitCode(err)
}

// command builds the whole tree of commands.
func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "koprik",
		Short: "A whole open-data portal in one program, also where the network is not",
		Long: `Koprik ("bridge") is an open-data portal in one program. A central node signs and
publishes datasets, mirrors carry them to kiosks and offices, and every page works
with the cable pulled out.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	dir := os.Getenv("KOPRIK_DIR")
	if dir == "" {
		dir = defaultDir
	}
	f := root.PersistentFlags()
	f.StringVar(&a.dir, "dir", dir, "data directory (or KOPRIK_DIR)")
	f.BoolVar(&a.json, "json", false, "answer as JSON, errors too")
	f.BoolVar(&a.quiet, "quiet", false, "say nothing but errors")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(cmd.CommandPath(), "%v", err)
	})
	root.AddCommand(
		a.demoCommand(), a.initCommand(), a.serveCommand(), a.passportCommand(), a.publishCommand(),
		a.withdrawCommand(), a.importCommand(), a.syncCommand(), a.verifyCommand(), a.searchCommand(),
		a.statusCommand(), a.doctorCommand(), a.publisherCommand(), a.configCommand(), a.versionCommand(), a.manCommand(root),
	)
	root.CompletionOptions.HiddenDefaultCmd = false
	strictArgs(root)
	return root
}

// strictArgs turns cobra's complaints about arguments into our usage errors.
func strictArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usage(c.CommandPath(), "%v", err)
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		strictArgs(sub)
	}
}

func usage(where, format string, args ...any) error {
	return &portal.Problem{
		Kind: portal.ErrUsage, Where: where, Message: fmt.Sprintf(format, args...), Hint: where + " --help explains",
	}
}

// exitCodes are the codes of DESIGN.md, "Commands", the more particular first.
var exitCodes = []struct {
	kind error
	code int
}{
	{portal.ErrPartly, 7},
	{portal.ErrUsage, 2},
	{portal.ErrLocked, 5},
	{portal.ErrNoSpace, 6},
	{portal.ErrUnverified, 3},
	{portal.ErrUnreachable, 4},
	{portal.ErrRejected, 8},
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	for _, e := range exitCodes {
		if errors.Is(err, e.kind) {
			return e.code
		}
	}
	if isUnknownCommand(err) {
		return 2
	}
	return 1
}

// isUnknownCommand knows cobra's only usage error that has no hook.
func isUnknownCommand(err error) bool { return strings.HasPrefix(err.Error(), "unknown command ") }

// complain says what went wrong and what to do, in words or as JSON.
func (a *app) complain(err error) {
	if isUnknownCommand(err) {
		err = usage("koprik", "%v", strings.ReplaceAll(err.Error(), "\n", " "))
	}
	problems := flatten(err)
	if a.json {
		first := problems[0]
		out := map[string]any{"error": map[string]string{
			"code": portal.Code(err), "message": first.Message, "where": first.Where, "hint": first.Hint,
		}}
		_ = json.NewEncoder(a.stderr).Encode(out)
		return
	}
	for _, p := range problems {
		fmt.Fprintln(a.stderr, "koprik: "+p.Error())
		if p.Hint != "" {
			fmt.Fprintln(a.stderr, "  "+p.Hint)
		}
	}
}

// flatten gives the problems in err, or err itself as one.
func flatten(err error) []*portal.Problem {
	var many portal.Problems
	if errors.As(err, &many) && len(many) > 0 {
		return many
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // its parts, not its chain
		if _, one := err.(*portal.Problem); !one { //nolint:errorlint // exactly this
			var all []*portal.Problem
			for _, e := range joined.Unwrap() {
				all = append(all, flatten(e)...)
			}
			if len(all) > 0 {
				return all
			}
		}
	}
	var one *portal.Problem
	if errors.As(err, &one) {
		return []*portal.Problem{one}
	}
	return []*portal.Problem{{Kind: err, Message: err.Error()}}
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

// say prints a line for people.
func (a *app) say(format string, args ...any) {
	if !a.quiet && !a.json {
		fmt.Fprintf(a.stdout, format+"\n", args...)
	}
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
