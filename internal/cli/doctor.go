package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"koprik/internal/node"
)

func (a *app) doctorCommand() *cobra.Command {
	var repair bool
	var file, identity string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look the data directory over, or a backup; --repair builds anew what can be built",
		Example: `  koprik doctor --repair
  koprik doctor --backup /backup/koprik.backup`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file != "" {
				return a.checkBackup(file, identity)
			}
			d, err := node.Doctor(cmd.Context(), a.dir, a.options(), repair)
			if err != nil && len(d.Found) == 0 {
				return err
			}
			return errors.Join(a.answer(map[string][]string{
				"found": append([]string{}, d.Found...), "repaired": append([]string{}, d.Repaired...), "notes": append([]string{}, d.Notes...),
			}, func() {
				for _, f := range d.Found {
					a.say("found     %s", f)
				}
				for _, r := range d.Repaired {
					a.say("repaired  %s", r)
				}
				for _, note := range d.Notes {
					a.say("note      %s", note)
				}
				if err == nil {
					a.say("The node is whole.")
				}
			}), err)
		},
	}
	cmd.Flags().BoolVar(&repair, "repair", false, "build catalogue, index and tables again; mend objects and the repository")
	cmd.Flags().StringVar(&file, "backup", "", "read this backup to its end instead, and say what it is")
	cmd.Flags().StringVar(&identity, "identity", "", "age identity file that opens a backup sealed to a recipient")
	return cmd
}

// checkBackup says what a backup is, and whether it is whole.
func (a *app) checkBackup(file, identity string) error {
	o, err := a.restoreOptions(file, identity, false)
	if err != nil {
		return err
	}
	out, err := node.CheckBackup(file, o.Key, a.progress())
	if err != nil {
		return err
	}
	return a.answer(backupRow(out), func() {
		a.sayBackup(out)
		a.say("The backup is whole.")
	})
}
