package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"koprik/internal/node"
	"koprik/portal"
)

func (a *app) usageCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "usage", Short: "Show, publish and moderate what was counted"}
	cmd.AddCommand(a.usageShowCommand(), a.usagePublishCommand(), a.usageHideCommand())
	return cmd
}

func (a *app) usageShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show what was counted: at a centre by all enrolled nodes, elsewhere by this one", Args: cobra.NoArgs,
		Example: "  koprik usage show --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error { return a.usageShow(cmd.Context(), n) })
		},
	}
}

func (a *app) usageShow(ctx context.Context, n *node.Node) error {
	t, err := n.UsageTotals(ctx)
	if err != nil {
		return err
	}
	return a.answer(t, func() {
		a.say("up to %s, in twelve months", t.Until)
		if t.Nodes > 0 {
			a.say("nodes           %d", t.Nodes)
		}
		y := t.Year
		for _, line := range []struct {
			name string
			n    int64
		}{{"visits", y.Visits}, {"downloads", y.Downloads}, {"searches", y.Searches}, {"without hits", y.Misses}, {"public screens", y.KioskSessions}} {
			a.say("%-15s %s", line.name, few(line.n))
		}
		for _, d := range t.Datasets[:min(len(t.Datasets), shownUses)] {
			a.say("%8s %8s  %s", few(d.Visits), few(d.Downloads), d.Dataset)
		}
		for _, w := range t.Words[:min(len(t.Words), shownUses)] {
			a.say("%8s not found: %s", few(w.Searches), w.Word)
		}
	})
}

// shownUses is how many datasets and words are said; --json has all.
const shownUses = 20

// few is a count as it may be told.
func few(n int64) string {
	if n > 0 && n < portal.SmallCount {
		return "<" + strconv.Itoa(portal.SmallCount)
	}
	return strconv.FormatInt(n, 10)
}

func (a *app) usagePublishCommand() *cobra.Command {
	var publisher string
	var with []string
	cmd := &cobra.Command{
		Use: "publish", Short: "Publish what was counted in whole months as a signed dataset, at a centre", Args: cobra.NoArgs,
		Long: `Publish makes a release of the dataset <publisher>_portal-usage: what all enrolled
nodes have counted, by month, and in twelve months by dataset and by word that was
searched for in vain. Counts from 1 to 4 are written as "<5". The setting
usage_publisher lets a serving centre do it by itself once a month.`,
		Example: "  koprik usage publish --publisher centre",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var id portal.PublisherID
			if publisher != "" {
				var err error
				if id, err = portal.ParsePublisherID(publisher); err != nil {
					return usage(cmd.CommandPath(), "--publisher: %v", err)
				}
			}
			return a.bringing(cmd.Context(), with, func(n *node.Node) error {
				out, err := n.PublishUsage(cmd.Context(), id)
				if err != nil {
					return err
				}
				return a.published(out, "published")
			})
		},
	}
	cmd.Flags().StringVar(&publisher, "publisher", "", "publish as this publisher (default: the setting publisher)")
	withFlag(cmd, &with)
	return cmd
}

func (a *app) usageHideCommand() *cobra.Command {
	var undo bool
	cmd := &cobra.Command{
		Use: "hide WORD", Short: "Take a word out of what is told of searches without hits, at a centre", Args: cobra.ExactArgs(1),
		Example: "  koprik usage hide falonchi",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				if err := n.HideWord(cmd.Context(), args[0], !undo); err != nil {
					return err
				}
				words, err := n.HiddenWords(cmd.Context())
				if err != nil {
					return err
				}
				return a.answer(map[string][]string{"hidden": append([]string{}, words...)}, func() {
					a.say("%s hidden. It holds from the next time that the centre speaks: koprik inquiry send", count(len(words), "word"))
				})
			})
		},
	}
	cmd.Flags().BoolVar(&undo, "undo", false, "let the word be told again")
	return cmd
}
