package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"koprik/internal/node"
)

func (a *app) exportCommand() *cobra.Command {
	var o node.ExportOptions
	cmd := &cobra.Command{
		Use:   "export --to DIR",
		Short: "Write the copy of this node to a stick, for nodes and for people",
		Long: `Export writes the folder KOPRIK into DIR: the repository, which a node takes with
koprik sync --from DIR, and INDEX.html with plain files, which any office PC opens.
A stick that is pulled out holds the copy before, or none: run it again.`,
		Example: `  koprik export --to /media/stick
  koprik export --to /media/stick --since 41`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.To == "":
				return usage(cmd.CommandPath(), "--to is missing: the folder of the stick")
			case o.Since < 0:
				return usage(cmd.CommandPath(), "--since %d: must be a generation, as koprik status shows it", o.Since)
			}
			return a.with(cmd.Context(), func(n *node.Node) error {
				out, err := n.Export(cmd.Context(), o)
				if err != nil {
					return err
				}
				return a.exported(out)
			})
		},
	}
	cmd.Flags().StringVar(&o.To, "to", "", "folder of the stick")
	cmd.Flags().Int64Var(&o.Since, "since", 0, "write only what this generation lacks (default: everything)")
	return cmd
}

func (a *app) exported(out node.Exported) error {
	var bytes int64
	for _, it := range out.LeftOut {
		bytes += it.Resource.Bytes
	}
	return a.answer(map[string]any{
		"generation": out.Generation, "since": out.Since, "whole": out.Whole, "datasets": out.Datasets, "folder": out.Folder,
		"files":    map[string]int{"written": out.Files, "kept": out.Kept, "removed": out.Removed},
		"bytes":    out.Bytes,
		"left_out": map[string]any{"files": len(out.LeftOut), "bytes": bytes},
	}, func() {
		whom := "any node"
		if !out.Whole {
			whom = "nodes that have generation " + strconv.FormatInt(out.Since, 10)
		}
		a.say("generation %d in %s, for %s: %s", out.Generation, out.Folder, whom, count(out.Datasets, "dataset"))
		a.say("%s with %s written, %d were there, %d older ones removed", count(out.Files, "file"), count(out.Bytes, "byte"), out.Kept, out.Removed)
		if len(out.LeftOut) > 0 {
			a.say("not on the stick, because this node does not hold them: %s with %s", count(len(out.LeftOut), "file"), count(bytes, "byte"))
		}
	})
}
