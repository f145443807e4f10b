package cli

import (
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"koprik/internal/node"
)

// tree is the command line as it is run.
func tree() *cobra.Command {
	a := &app{Program: Program{Version: "test"}, stdout: io.Discard, stderr: io.Discard, flags: map[string]string{}}
	root := a.command()
	root.InitDefaultHelpFlag()
	root.InitDefaultHelpCmd()
	return root
}

// leaves gives every command that does something.
func leaves(cmd *cobra.Command) (all []*cobra.Command) {
	if !cmd.HasSubCommands() {
		return []*cobra.Command{cmd}
	}
	for _, sub := range cmd.Commands() {
		all = append(all, leaves(sub)...)
	}
	return all
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/reference/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var flagName = regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\|")

func TestTheReferenceNamesEveryCommandAndFlagAndNoOther(t *testing.T) {
	sections := map[string]string{}
	for _, s := range strings.Split(read(t, "commands.md"), "\n## ")[1:] {
		title, text, _ := strings.Cut(s, "\n")
		sections[strings.Trim(title, "`")] = text
	}
	root := tree()
	common := sections["What every command takes"]
	delete(sections, "What every command takes")
	for _, f := range []*pflag.FlagSet{root.PersistentFlags(), root.Flags()} {
		f.VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(common, "| `--"+f.Name+"` |") {
				t.Errorf("commands.md: --%s is not among what every command takes", f.Name)
			}
		})
	}
	for _, cmd := range leaves(root) {
		text, ok := sections[cmd.CommandPath()]
		if !ok {
			t.Errorf("commands.md has no section %s", cmd.CommandPath())
			continue
		}
		delete(sections, cmd.CommandPath())
		named := map[string]bool{}
		for _, found := range flagName.FindAllStringSubmatch(text, -1) {
			named[found[1]] = true
			if cmd.Flag(found[1]) == nil {
				t.Errorf("commands.md: %s has no flag --%s", cmd.CommandPath(), found[1])
			}
		}
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if !named[f.Name] && f.Name != "help" {
				t.Errorf("commands.md: %s: --%s is missing", cmd.CommandPath(), f.Name)
			}
		})
		if !strings.Contains(text, "```sh\nkoprik ") {
			t.Errorf("commands.md: %s has no example", cmd.CommandPath())
		}
	}
	for title := range sections {
		t.Errorf("commands.md explains %s, which is no command", title)
	}
}

func TestTheReferenceNamesEverySettingAsTheProgramDoes(t *testing.T) {
	page := read(t, "configuration.md")
	known := map[string]bool{}
	for _, s := range node.Settings {
		known[s.Key] = true
		def := ""
		if s.Default != "" {
			def = "`" + s.Default + "` "
		}
		if row := "| `" + s.Key + "` | `" + s.Env() + "` | " + def + "| " + s.Help + " |"; !strings.Contains(page, row) {
			t.Errorf("configuration.md has no line\n%s", row)
		}
	}
	for _, found := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(page, -1) {
		if !known[found[1]] {
			t.Errorf("configuration.md has the setting %s, which the program does not know", found[1])
		}
	}
	for _, found := range regexp.MustCompile(`(?m)^([a-z_]+) = `).FindAllStringSubmatch(page, -1) {
		if !known[found[1]] {
			t.Errorf("configuration.md shows %s in koprik.toml, which the program does not know", found[1])
		}
	}
}

func TestEveryExitCodeIsInTheReference(t *testing.T) {
	page := read(t, "exit-codes.md")
	for _, e := range exitCodes {
		_, name := verdict(explain(e.kind))
		if row := regexp.MustCompile("(?m)^\\| (\\d+) \\| `" + name + "` \\|").FindStringSubmatch(page); row == nil || row[1] != strconv.Itoa(e.code) {
			t.Errorf("exit-codes.md does not say that %s ends with %d", name, e.code)
		}
	}
}

func TestEveryCommandExplainsItselfWithAnExampleThatWorks(t *testing.T) {
	for _, leaf := range leaves(tree()) {
		if leaf.Short == "" || strings.HasSuffix(leaf.Short, ".") {
			t.Errorf("%s: short help %q", leaf.CommandPath(), leaf.Short)
		}
		if !strings.Contains(leaf.Example, leaf.CommandPath()) {
			t.Errorf("%s: no example of itself", leaf.CommandPath())
		}
		for _, line := range append(strings.Split(leaf.Example, "\n"), examples(t, leaf)...) {
			words := split(line)
			root := tree() // flags keep what they were given
			cmd, args, err := root.Find(words[1:])
			if err != nil {
				t.Errorf("%s: example %q: %v", leaf.CommandPath(), line, err)
				continue
			}
			if err := cmd.ParseFlags(args); err != nil {
				t.Errorf("%s: example %q: %v", leaf.CommandPath(), line, err)
				continue
			}
			if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
				t.Errorf("%s: example %q: %v", leaf.CommandPath(), line, err)
			}
		}
	}
}

// examples are those of the reference.
func examples(t *testing.T, cmd *cobra.Command) (lines []string) {
	t.Helper()
	_, text, _ := strings.Cut(read(t, "commands.md"), "\n## `"+cmd.CommandPath()+"`\n")
	text, _, _ = strings.Cut(text, "\n## ")
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "koprik ") {
			lines = append(lines, line)
		}
	}
	return lines
}

// split parts a line as a shell does, as far as examples go: quotes, and what
// follows a redirection or many spaces is not the command's.
func split(line string) (words []string) {
	line, _, _ = strings.Cut(strings.TrimSpace(line), "   ")
	line, _, _ = strings.Cut(line, " >")
	for _, w := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1) {
		words = append(words, strings.Trim(w, `"`))
	}
	return words
}
