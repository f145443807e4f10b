package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"koprik/internal/node"
	"koprik/portal"
	"koprik/portal/siat"
)

// stamp writes a time as the API does; no time is "".
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// log goes to standard error: text for people, JSON where that was asked for.
func (a *app) log() *slog.Logger {
	level := slog.LevelInfo
	if a.quiet {
		level = slog.LevelError
	}
	o := &slog.HandlerOptions{Level: level}
	if a.json {
		return slog.New(slog.NewJSONHandler(a.stderr, o))
	}
	return slog.New(slog.NewTextHandler(a.stderr, o))
}

func (a *app) publishCommand() *cobra.Command {
	var publisher, to string
	var with []string
	keepColumns := false
	cmd := &cobra.Command{
		Use:   "publish PATH...",
		Short: "Publish data packages, or table files beside their passports",
		Long: `Publish makes a signed release of every path whose content is new: a folder with
a Frictionless data package (datapackage.json or .yaml), or a table file with its
passport beside it (water.csv, water.passport.yaml). Unchanged input makes no release.
With --to, and with or without a path, an agency then hands its releases to the
centre: over the network, or into a folder that is carried there.`,
		Example: `  koprik publish water.csv
  koprik publish packages/population packages/schools --publisher main
  koprik publish --to https://data.example.org`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 && to == "" {
				return errors.New("nothing to publish")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if to != "" {
				return a.handOver(cmd.Context(), to, publisher, with, args, keepColumns)
			}
			var id portal.PublisherID
			if publisher != "" {
				var err error
				if id, err = portal.ParsePublisherID(publisher); err != nil {
					return usage(cmd.CommandPath(), "--publisher: %v", err)
				}
			}
			return a.publish(cmd.Context(), id, with, args, keepColumns)
		},
	}
	cmd.Flags().StringVar(&publisher, "publisher", "", "publish as this publisher (default: the setting publisher)")
	cmd.Flags().StringVar(&to, "to", "", "hand the releases over to the centre: its address, or a folder that is carried there")
	cmd.Flags().BoolVar(&keepColumns, "keep-columns", false, "reject what would take columns from published reuses")
	withFlag(cmd, &with)
	return cmd
}

func (a *app) publish(ctx context.Context, id portal.PublisherID, with, paths []string, keepColumns bool) error {
	var inputs []node.Input
	var missing []node.RejectedInput
	for _, path := range paths {
		in, done, err := node.OpenInput(path)
		if err != nil {
			missing = append(missing, node.RejectedInput{Label: path, Err: err})
			continue
		}
		defer done()
		in.KeepColumns = keepColumns
		inputs = append(inputs, in)
	}
	return a.bringing(ctx, with, func(n *node.Node) error { return a.publishInputs(ctx, n, id, inputs, missing) })
}

func (a *app) publishInputs(ctx context.Context, n *node.Node, id portal.PublisherID, inputs []node.Input, missing []node.RejectedInput) error {
	out, err := n.Publish(ctx, id, inputs, missing...)
	if err != nil && !errors.Is(err, portal.ErrPartly) {
		return err
	}
	for _, r := range out.Rejected {
		err = errors.Join(err, r.Err)
	}
	return errors.Join(a.published(out, "published"), err)
}

// published says what a publish brought, in the form of DESIGN.md, "Commands".
// What was rejected is told among the errors.
func (a *app) published(out node.Published, done string) error {
	type release struct {
		Dataset portal.DatasetID `json:"dataset"`
		Release int              `json:"release"`
		Bytes   int64            `json:"bytes"`
		Breaks  *brokenRow       `json:"breaks,omitempty"`
	}
	type rejected struct {
		Path    string `json:"path"`
		Message string `json:"message"`
	}
	answer := struct {
		Generation int64              `json:"generation"`
		Published  []release          `json:"published"`
		Unchanged  []portal.DatasetID `json:"unchanged"`
		Rejected   []rejected         `json:"rejected,omitempty"`
	}{Generation: out.Generation, Published: []release{}, Unchanged: append([]portal.DatasetID{}, out.Unchanged...)}
	for _, p := range out.Published {
		answer.Published = append(answer.Published, release{p.Dataset, p.Release, p.Bytes, brokenRowOf(p.Breaks)})
	}
	for _, r := range out.Rejected {
		answer.Rejected = append(answer.Rejected, rejected{r.Label, r.Err.Error()})
	}
	return a.answer(answer, func() {
		for _, p := range out.Published {
			a.say("%-10s %s release %d (%s)", done, p.Dataset, p.Release, count(p.Bytes, "byte"))
			a.sayGuesses(p.Tables)
			a.sayBroken(p.Dataset, p.Breaks)
		}
		for _, id := range out.Unchanged {
			a.say("unchanged  %s", id)
		}
		a.say("generation %d", out.Generation)
	})
}

func (a *app) withdrawCommand() *cobra.Command {
	var reason string
	var with []string
	cmd := &cobra.Command{
		Use:     "withdraw DATASET --reason TEXT",
		Short:   "Take a dataset back: its bytes go everywhere, its passport and the reason stay",
		Example: `  koprik withdraw main_schools --reason "A column named persons"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := portal.ParseDatasetID(args[0])
			if err != nil {
				return usage(cmd.CommandPath(), "%v", err)
			}
			if reason == "" {
				return usage(cmd.CommandPath(), "--reason is missing: it is shown instead of the data")
			}
			return a.bringing(cmd.Context(), with, func(n *node.Node) error {
				out, err := n.Withdraw(cmd.Context(), id, portal.PlainText(reason))
				if err != nil {
					return err
				}
				return a.published(out, "withdrawn")
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for everyone to read")
	withFlag(cmd, &with)
	return cmd
}

func (a *app) importCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "import", Short: "Take datasets from another portal"}
	var publisher string
	var with []string
	siatCmd := &cobra.Command{
		Use:     "siat FILE...",
		Short:   "Import indicators of the statistics office (SIAT JSON) with their passports",
		Example: "  koprik import siat sdmx_data_582.json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := portal.PublisherID(publisher)
			if publisher != "" {
				if _, err := portal.ParsePublisherID(publisher); err != nil {
					return usage(cmd.CommandPath(), "--publisher: %v", err)
				}
			}
			inputs, rejected := readSIAT(args)
			return a.bringing(cmd.Context(), with, func(n *node.Node) error {
				return a.publishInputs(cmd.Context(), n, id, inputs, rejected)
			})
		},
	}
	siatCmd.Flags().StringVar(&publisher, "publisher", "", "publish as this publisher (default: the setting publisher)")
	withFlag(siatCmd, &with)
	cmd.AddCommand(siatCmd)
	return cmd
}

// maxSIAT bounds an indicator's file; the largest seen has 0.4 MB.
const maxSIAT = 64 << 20

func readSIAT(paths []string) (inputs []node.Input, rejected []node.RejectedInput) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err == nil && info.Size() > maxSIAT {
			err = fmt.Errorf("%d bytes are more than an indicator has", info.Size())
		}
		var b []byte
		if err == nil {
			b, err = os.ReadFile(path)
		}
		if err != nil {
			rejected = append(rejected, node.RejectedInput{Label: path, Err: portal.Rejected(path, "cannot be read: %s", errnoOf(err))})
			continue
		}
		draft, err := siat.Decode(b, filepath.Base(path))
		if err != nil {
			rejected = append(rejected, node.RejectedInput{Label: path, Err: err})
			continue
		}
		inputs = append(inputs, node.Input{Label: path, Draft: &draft})
	}
	return inputs, rejected
}

func (a *app) searchCommand() *cobra.Command {
	q := portal.Query{Lang: portal.Uzbek}
	var lang string
	cmd := &cobra.Command{
		Use:   "search QUERY",
		Short: "Find datasets, in any script",
		Long: `Search finds datasets by words in any script and language, by "phrases", without
-words, and by field words: publisher:, theme:, region:, year: (2024 or 2018-2024),
format:. docs/reference/search.md has the rules.`,
		Example: `  koprik search "аҳоли сони" --limit 5 --json
  koprik search "aholi region:Samarqand year:2020-2024" --explain
  koprik search ah --suggest`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q.Text = args[0]
			if lang != "" {
				l, err := portal.ParseLang(lang)
				if err != nil {
					return usage(cmd.CommandPath(), "--lang: %v", err)
				}
				q.Lang = l
			}
			return a.with(cmd.Context(), func(n *node.Node) error { return a.search(cmd.Context(), n, q) })
		},
	}
	cmd.Flags().StringVar(&lang, "lang", "", "the reader's language: uz, uz-cyrl, kaa, ru or en")
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(
		[]cobra.Completion{"uz", "uz-cyrl", "kaa", "ru", "en"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().IntVar(&q.Limit, "limit", portal.DefaultLimit, "at most this many hits")
	cmd.Flags().BoolVar(&q.Explain, "explain", false, "say why each hit ranks where it does")
	cmd.Flags().BoolVar(&q.Suggest, "suggest", false, "complete the last word of the query instead of searching")
	return cmd
}

func (a *app) search(ctx context.Context, n *node.Node, q portal.Query) error {
	v, err := n.View(ctx)
	if err != nil {
		return err
	}
	defer v.Close()
	q.AsOf = v.State().AsOf
	res, err := v.Search(ctx, q)
	if err != nil {
		return err
	}
	ids := make([]portal.DatasetID, len(res.Hits))
	for i, h := range res.Hits {
		ids[i] = h.Dataset
	}
	datasets, err := v.Datasets(ctx, ids)
	if err != nil {
		return err
	}
	titles := map[portal.DatasetID]string{}
	for _, d := range datasets {
		titles[d.ID], _ = d.Latest.Title.In(q.Lang)
	}
	answer := map[string]any{"total": res.Total, "hits": datasetsFound(res.Hits, titles, q.Explain), "facets": res.Facets, "also_searched": append([]string{}, res.AlsoSearched...)}
	if res.Partly {
		answer["partly"] = true
	}
	if res.DidYouMean != "" {
		answer["did_you_mean"] = res.DidYouMean
	}
	asked, err := portal.ThreadsFound(ctx, v, res.Threads)
	if err != nil {
		return err
	}
	if len(asked) > 0 {
		answer["questions"] = questionsFound(asked)
	}
	made, err := reusesFound(ctx, v, res.Reuses)
	if err != nil {
		return err
	}
	if len(made) > 0 {
		answer["reuses"] = made
	}
	if q.Suggest {
		answer = map[string]any{"suggestions": append([]string{}, res.Suggestions...)}
	}
	return a.answer(answer, func() {
		if q.Suggest {
			for _, s := range res.Suggestions {
				a.say("%s", s)
			}
			return
		}
		a.say("%d found", res.Total)
		if res.Partly {
			a.say("no dataset has all of the words; these have some")
		}
		if res.DidYouMean != "" {
			a.say("did you mean: %s", res.DidYouMean)
		}
		if len(res.AlsoSearched) > 0 {
			a.say("also searched: %s", strings.Join(res.AlsoSearched, ", "))
		}
		for _, h := range res.Hits {
			a.say("%-40s %s", h.Dataset, titles[h.Dataset])
			if q.Explain {
				a.say("%s", h.Explain)
			}
		}
		for _, t := range asked {
			a.say("question %s: %s", t.ID, strings.Join(strings.Fields(t.Text), " "))
		}
		for _, r := range made {
			a.say("reuse %s: %s %s", r.ID, r.Title, r.Link)
		}
	})
}

// datasetsFound is what --json says of the hits.
func datasetsFound(found []portal.Hit, titles map[portal.DatasetID]string, explain bool) []map[string]any {
	hits := []map[string]any{}
	for _, h := range found {
		hit := map[string]any{
			"dataset": h.Dataset, "publisher": h.Dataset.Publisher(), "title": titles[h.Dataset],
			"score": h.Score, "matched": append([]string{}, h.Matched...), "words": append([]string{}, h.Words...),
		}
		if explain {
			hit["explain"] = h.Explain
		}
		hits = append(hits, hit)
	}
	return hits
}

// reusesFound reads the reuses that a search found.
func reusesFound(ctx context.Context, v portal.View, found []portal.ReuseHit) (out []shortReuse, err error) {
	if len(found) == 0 {
		return nil, nil
	}
	shown, err := portal.ShowcaseOf(ctx, v)
	if err != nil {
		return nil, err
	}
	for _, h := range found {
		if r, ok := shown.Reuse(h.Reuse); ok {
			title, _ := r.Title.In(portal.Uzbek)
			out = append(out, shortReuse{r.ID, title, r.Link})
		}
	}
	return out, nil
}

// questionsFound are public questions as JSON.
func questionsFound(asked []portal.Thread) (out []map[string]any) {
	for _, t := range asked {
		out = append(out, map[string]any{"id": t.ID, "dataset": t.About.Dataset, "text": t.Text, "state": t.State, "answers": len(t.Answers)})
	}
	return out
}
