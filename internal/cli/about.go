package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"koprik/portal"
)

// versionLine is what --version says.
func (a *app) versionLine() string {
	return fmt.Sprintf("koprik %s %s %s/%s", a.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func (a *app) versionCommand() *cobra.Command {
	var sbom bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Say which version this is; --sbom lists what it is made of",
		Example: "  koprik version --sbom",
		Args:    cobra.NoArgs,
		RunE: func(_ *cobra.Command, _ []string) error {
			if sbom {
				return a.sbom()
			}
			return a.answer(map[string]string{"version": a.Version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH}, func() {
				a.say("%s", a.versionLine())
			})
		},
	}
	cmd.Flags().BoolVar(&sbom, "sbom", false, "print a CycloneDX 1.6 bill of materials")
	return cmd
}

// sbom prints what the linker wrote into the program about its modules.
func (a *app) sbom() error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return &portal.Problem{Kind: portal.ErrNotFound, Where: "koprik", Message: "this build does not know its modules"}
	}
	type component struct {
		Type    string `json:"type"`
		Name    string `json:"name"`
		Version string `json:"version"`
		PURL    string `json:"purl"`
	}
	components := []component{}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		components = append(components, component{"library", m.Path, m.Version, "pkg:golang/" + m.Path + "@" + m.Version})
	}
	out := json.NewEncoder(a.stdout)
	out.SetIndent("", "  ")
	return out.Encode(map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
		"metadata":   map[string]any{"component": map[string]string{"type": "application", "name": "koprik", "version": a.Version}},
		"components": components,
	})
}

func (a *app) manCommand(root *cobra.Command) *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:     "man",
		Short:   "Write the manual pages",
		Example: "  koprik man --to /usr/local/share/man/man1",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			header := &doc.GenManHeader{Title: "KOPRIK", Section: "1", Source: "Koprik " + a.Version, Manual: "Koprik"}
			if !a.Build.IsZero() {
				header.Date = &a.Build
			}
			root.DisableAutoGenTag = true
			if to == "" {
				return doc.GenMan(root, header, a.stdout)
			}
			if err := os.MkdirAll(to, 0o755); err != nil { //nolint:gosec // a manual is for everyone
				return err
			}
			return doc.GenManTree(root, header, to)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "folder to write a page for every command to (default: this page to standard output)")
	return cmd
}

func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Explain a command",
		Example: "  koprik help publish\n  koprik help passport new",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return usage("koprik help", "there is no command %q", strings.Join(args, " ")).WithHint("koprik help lists all commands")
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

func (a *app) completionCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Write the completion script of a shell",
		Long: `Completion writes a script that lets a shell complete commands, flags and
files after the Tab key.`,
		Example: `  koprik completion bash > /etc/bash_completion.d/koprik
  koprik completion zsh > "${fpath[1]}/_koprik"
  koprik completion fish > ~/.config/fish/completions/koprik.fish
  koprik completion powershell >> $PROFILE`,
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		RunE: func(_ *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.stdout)
			case "fish":
				return root.GenFishCompletion(a.stdout, true)
			}
			return root.GenPowerShellCompletionWithDesc(a.stdout)
		},
	}
}
