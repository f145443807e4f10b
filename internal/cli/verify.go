package cli

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"koprik/internal/node"
	"koprik/portal"
)

func (a *app) verifyCommand() *cobra.Command {
	var said string
	cmd := &cobra.Command{
		Use:   "verify [FILE...]",
		Short: "Check every byte of the node, or files, against what is signed",
		Long: `Without a file, verify reads every byte that the node holds and serves and checks it
against what is signed. With files it says of each whether it is unaltered, of which
dataset and release, and who signed it; no network is needed. Files that a portal made
of a release are made again and compared. --fingerprint looks up what stands on a
printed page, a checksum, or the six words of a key.`,
		Example: "  koprik verify --dir /var/lib/koprik\n  koprik verify downloads/population.csv\n  koprik verify --fingerprint 2d711642b726b044",
		RunE: func(cmd *cobra.Command, files []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				switch {
				case said != "" && len(files) > 0:
					return usage(cmd.CommandPath(), "--fingerprint is looked up alone, without files")
				case said != "":
					return a.verifySaid(cmd.Context(), n, said)
				case len(files) > 0:
					return a.verifyFiles(cmd.Context(), n, files)
				}
				return a.verifyNode(cmd.Context(), n)
			})
		},
	}
	cmd.Flags().StringVar(&said, "fingerprint", "", "a checksum, a short fingerprint, the six words of a key, or what a printed code says")
	return cmd
}

// verifySaid looks up a fingerprint; one that nothing has ends with 3.
func (a *app) verifySaid(ctx context.Context, n *node.Node, said string) error {
	p, err := n.Identify(ctx, said)
	if err != nil {
		return err
	}
	wrong := node.Objection(p)
	v := verifiedOf("", p, wrong)
	return errors.Join(a.answer(map[string]any{"fingerprint": said, "found": v}, func() {
		if wrong == nil {
			a.sayProof(said, p)
		}
	}), wrong)
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
	File      string             `json:"file,omitempty"`
	Verified  bool               `json:"verified"`
	Verdict   portal.Verdict     `json:"verdict"`
	SHA256    string             `json:"sha256,omitempty"`
	Dataset   portal.DatasetID   `json:"dataset,omitempty"`
	Release   int                `json:"release,omitempty"`
	Latest    int                `json:"latest,omitempty"`
	Resource  string             `json:"resource,omitempty"`
	Issued    string             `json:"issued,omitempty"`
	Publisher portal.PublisherID `json:"publisher,omitempty"`
	Role      string             `json:"role,omitempty"` // of a key
	SignedBy  []string           `json:"signed_by,omitempty"`
	Suspended bool               `json:"suspended,omitempty"`
	Withdrawn bool               `json:"withdrawn,omitempty"`
	AsOf      string             `json:"as_of"`
}

func verifiedOf(file string, p portal.Proof, wrong error) verified {
	v := verified{
		File: file, Verified: wrong == nil, Verdict: p.Verdict, Dataset: p.Dataset, Release: p.Release, Latest: p.Latest,
		Resource: p.Resource, Issued: stamp(p.Issued), Publisher: p.Publisher.ID, Role: p.Role, SignedBy: p.Signers,
		Suspended: p.Suspended, Withdrawn: p.Withdrawn, AsOf: stamp(p.State.AsOf),
	}
	if !p.SHA256.IsZero() {
		v.SHA256 = p.SHA256.Hex()
	}
	return v
}

// verifyFiles says of each file what it is; one that is not of a release makes
// the command end with 3, after all were looked at.
func (a *app) verifyFiles(ctx context.Context, n *node.Node, files []string) error {
	answers := make([]verified, 0, len(files))
	proofs := make([]portal.Proof, 0, len(files))
	var wrong error
	for _, file := range files {
		p, err := prove(ctx, n, file)
		if err != nil && !errors.Is(err, portal.ErrUnverified) {
			return err
		}
		wrong = errors.Join(wrong, err)
		proofs = append(proofs, p)
		answers = append(answers, verifiedOf(file, p, err))
	}
	return errors.Join(a.answer(map[string]any{"files": answers}, func() {
		for i, v := range answers {
			if v.Verified {
				a.sayProof(v.File, proofs[i])
			}
		}
	}), wrong)
}

func (a *app) sayProof(what string, p portal.Proof) {
	title, _ := p.Title.In(portal.English)
	publisher, _ := p.Publisher.Title.In(portal.English)
	switch p.Verdict {
	case portal.SigningKey:
		a.say("%s is a key that signs for %s.", what, p.Role)
		a.say("  %s\n  %s", portal.SixWords(p.Signers[0]), p.Signers[0])
		return
	case portal.ManifestFile:
		a.say("%s is the signed manifest of a release.", what)
	case portal.MadeFile:
		a.say("%s is unaltered: made by the portal from a signed release, and the same when made again.", what)
	default:
		a.say("%s is unaltered.", what)
	}
	a.say("  %s (%s), release %d of %s%s", title, p.Dataset, p.Release, stamp(p.Issued), strings.TrimSuffix(", "+p.Resource, ", "))
	if p.Release != p.Latest {
		a.say("  there is a newer release: %d", p.Latest)
	}
	if p.Withdrawn {
		a.say("  the publisher has withdrawn this dataset since")
	}
	if p.Suspended {
		a.say("  the publisher %s is suspended: no signature of it holds at present", publisher)
		return
	}
	a.say("  signed by %s (%s)", publisher, short(p.Signers))
}

// short is the first key id, as much of it as a person compares.
func short(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[0][:min(16, len(ids[0]))]
}

func prove(ctx context.Context, n *node.Node, file string) (p portal.Proof, err error) {
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
