package cli

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"koprik/internal/node"
	"koprik/portal"
)

func (a *app) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify [FILE...]",
		Short: "Check every byte of the node, or files, against what is signed",
		Long: `Without a file, verify reads every byte that the node holds and serves and checks it
against what is signed. With files it says of each whether it is unaltered, of which
dataset and release, and who signed it; no network is needed.`,
		Example: "  koprik verify --dir /var/lib/koprik\n  koprik verify downloads/population.csv",
		RunE: func(cmd *cobra.Command, files []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				if len(files) > 0 {
					return a.verifyFiles(cmd.Context(), n, files)
				}
				return a.verifyNode(cmd.Context(), n)
			})
		},
	}
}

func (a *app) verifyNode(ctx context.Context, n *node.Node) error {
	v, err := n.Verify(ctx)
	if err != nil {
		return err
	}
	return a.answer(map[string]any{"verified": true, "objects": v.Objects, "bytes": v.Bytes}, func() {
		a.say("Unaltered: %s, %s, as their publishers signed them.", count(v.Objects, "file"), count(v.Bytes, "byte"))
	})
}

// verified is what --json says of one file.
type verified struct {
	File     string           `json:"file"`
	Verified bool             `json:"verified"`
	SHA256   string           `json:"sha256"`
	Dataset  portal.DatasetID `json:"dataset,omitempty"`
	Release  int              `json:"release,omitempty"`
	Latest   int              `json:"latest,omitempty"`
	Resource string           `json:"resource,omitempty"`
	SignedBy []string         `json:"signed_by,omitempty"`
	AsOf     string           `json:"as_of"`
}

// verifyFiles says of each file what it is; one that is not of a release makes
// the command end with 3, after all were looked at.
func (a *app) verifyFiles(ctx context.Context, n *node.Node, files []string) error {
	answers := make([]verified, 0, len(files))
	proofs := make([]node.Proof, 0, len(files))
	var wrong error
	for _, file := range files {
		p, err := prove(ctx, n, file)
		if err != nil && !errors.Is(err, portal.ErrUnverified) {
			return err
		}
		wrong = errors.Join(wrong, err)
		proofs = append(proofs, p)
		answers = append(answers, verified{
			File: file, Verified: err == nil, SHA256: p.SHA256.Hex(), Dataset: p.Dataset, Release: p.Release,
			Latest: p.Latest, Resource: p.Resource, SignedBy: p.Signers, AsOf: stamp(p.State.AsOf),
		})
	}
	return errors.Join(a.answer(map[string]any{"files": answers}, func() {
		for i, v := range answers {
			if v.Verified {
				a.sayProof(v, proofs[i])
			}
		}
	}), wrong)
}

func (a *app) sayProof(v verified, p node.Proof) {
	title, _ := p.Title.In(portal.English)
	publisher, _ := p.Publisher.Title.In(portal.English)
	a.say("%s is unaltered.", v.File)
	a.say("  %s (%s), release %d, %s", title, v.Dataset, v.Release, v.Resource)
	if v.Release != v.Latest {
		a.say("  there is a newer release: %d", v.Latest)
	}
	a.say("  signed by %s (%s)", publisher, short(v.SignedBy))
}

// short is the first key id, as much of it as a person compares.
func short(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[0][:min(16, len(ids[0]))]
}

func prove(ctx context.Context, n *node.Node, file string) (p node.Proof, err error) {
	f, err := os.Open(file)
	if err != nil {
		return p, portal.Rejected(file, "cannot be read: %v", err)
	}
	defer f.Close() //nolint:errcheck // opened for reading
	p, err = n.Prove(ctx, f)
	var problem *portal.Problem
	if errors.As(err, &problem) && errors.Is(err, portal.ErrUnverified) {
		problem.Where = file
	}
	return p, err
}
