package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"koprik/internal/node"
	"koprik/portal"
	"koprik/portal/datapackage"
)

func (a *app) tableCommand() *cobra.Command {
	var pkg bool
	cmd := &cobra.Command{
		Use:   "table PATH",
		Short: "Say how a table is read: its columns, their types, and what they mean",
		Long: `Table reads a file, or a folder with a data package, as publish would, and
publishes nothing. It says what it made of it and marks what it is not sure of.
To correct a guess, let it write the package with --package, change what is wrong
in it, and publish the folder.`,
		Example: `  koprik table water.csv
  koprik table water.csv --package > datapackage.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.table(cmd.Context(), args[0], pkg) },
	}
	cmd.Flags().BoolVar(&pkg, "package", false, "write a datapackage.json with all that was found, to be corrected and published")
	return cmd
}

func (a *app) table(ctx context.Context, path string, pkg bool) error {
	in, done, err := node.OpenInput(path)
	if err != nil {
		return err
	}
	defer done()
	draft, files, err := node.Inspect(ctx, in)
	if err != nil {
		return err
	}
	var resources []portal.Resource
	answer := []shownTable{}
	for _, f := range files {
		resources = append(resources, f.Resource)
		for _, t := range f.Tables {
			answer = append(answer, tableShown(f.Resource.Path, t))
		}
	}
	if pkg {
		b, err := datapackage.Sketch(draft.Name, draft.Release.Title, resources)
		if err != nil {
			return err
		}
		_, err = a.stdout.Write(b)
		return err
	}
	if len(answer) == 0 {
		why := node.NotATable(portal.Resource{})
		if len(resources) > 0 {
			why = node.NotATable(resources[0])
		}
		return portal.Rejected(path, "%s", why).WithHint("docs/reference/tables.md lists the formats")
	}
	return a.answer(answer, func() {
		for _, t := range answer {
			a.sayTable(t)
		}
		a.say("A guess that is wrong is corrected in the package: koprik table %s --package > datapackage.json", path)
	})
}

// shownTable is a table in answers.
type shownTable struct {
	Path    string        `json:"path"`
	Sheet   string        `json:"sheet,omitempty"`
	Rows    int64         `json:"rows"`
	Totals  int64         `json:"totals,omitempty"`
	Columns []shownColumn `json:"columns"`
	Above   []string      `json:"above,omitempty"`
	Below   []string      `json:"below,omitempty"`
	Notes   []string      `json:"notes,omitempty"`
}

type shownColumn struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	Role       string `json:"role,omitempty"`
	Means      string `json:"means,omitempty"`
	Confidence int    `json:"confidence,omitempty"`
}

func tableShown(path string, t portal.TableInfo) shownTable {
	s := shownTable{Path: path, Sheet: t.Sheet, Rows: t.Rows, Totals: t.Totals, Above: t.Above, Below: t.Below, Notes: t.Notes, Columns: []shownColumn{}}
	for _, f := range t.Columns {
		kind := f.Type
		if kind == "" {
			kind = "string"
		}
		s.Columns = append(s.Columns, shownColumn{f.Name, kind, string(f.Meaning.Role), meansWords(f.Meaning), f.Meaning.Confidence})
	}
	return s
}

// meansWords says in a line what a column means, its role apart.
func meansWords(m portal.Meaning) string {
	var w []string
	add := func(format string, value string) {
		if value != "" {
			w = append(w, fmt.Sprintf(format, value))
		}
	}
	add("%s", m.Kind)
	add("in %s", string(m.Lang))
	add("the same as %q", m.SameAs)
	add("in %q", m.Unit)
	add("%s", m.Sex)
	add("of %s", m.Period)
	add("ages %s", m.Age)
	if m.Of != "" {
		add("beside %q", m.Of)
	}
	if len(m.Totals) > 0 {
		add("totals: %s", strings.Join(m.Totals, ", "))
	}
	return strings.Join(w, ", ")
}

func (a *app) sayTable(t shownTable) {
	name := t.Path
	if t.Sheet != "" {
		name += fmt.Sprintf(", sheet %q", t.Sheet)
	}
	rows := count(t.Rows, "row")
	if t.Totals > 0 {
		rows += fmt.Sprintf(", %d of them totals", t.Totals)
	}
	a.say("%s: %s", name, rows)
	for _, c := range t.Columns {
		a.say("  %s", strings.TrimRight(fmt.Sprintf("%-28s %-9s %-9s %s%s", c.Name, c.Type, c.Role, c.Means, doubt(c)), " "))
	}
	for _, l := range t.Above {
		a.say("  above:    %s", l)
	}
	for _, l := range t.Below {
		a.say("  footnote: %s", l)
	}
	for _, n := range t.Notes {
		a.say("  note:     %s", n)
	}
}

// tableName is the resource, and the sheet where it has several.
func tableName(t portal.TableInfo) string {
	if t.Sheet == "" {
		return t.Resource
	}
	return fmt.Sprintf("%s, sheet %q", t.Resource, t.Sheet)
}

// doubt marks a guess that a person should look at.
func doubt(c shownColumn) string {
	if c.Role == "" || c.Confidence >= portal.Sure {
		return ""
	}
	return fmt.Sprintf("  (a guess, %d %%)", c.Confidence)
}

// sayGuesses says after publishing what was guessed of the tables, where that is
// uncertain, and how to correct it.
func (a *app) sayGuesses(tables []portal.TableInfo) {
	uncertain := 0
	for _, t := range tables {
		for _, c := range tableShown(t.Resource, t).Columns {
			if d := doubt(c); d != "" {
				uncertain++
				a.say("  %s: column %q is taken for %s%s", tableName(t), c.Name, strings.TrimSpace(c.Role+" "+c.Means), d)
			}
		}
		for _, n := range t.Notes {
			a.say("  %s: %s", tableName(t), n)
		}
	}
	if uncertain > 0 {
		a.say("  To see all guesses and to correct them: koprik table PATH")
	}
}
