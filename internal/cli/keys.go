package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"rsc.io/qr"

	"koprik/internal/node"
	"koprik/portal"
)

func (a *app) keyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "key", Short: "Show, make, replace, delegate and revoke keys"}
	cmd.AddCommand(
		a.keyShowCommand(), a.keyNewCommand(), a.keyRotateCommand(), a.keyThresholdCommand(),
		a.keyDelegateCommand(), a.keyRevokeCommand(),
	)
	return cmd
}

// keyRow is what --json says of a key.
type keyRow struct {
	Role      string `json:"role,omitempty"`
	Key       string `json:"key"`
	Words     string `json:"words"`
	Public    string `json:"public"`
	Threshold int    `json:"threshold,omitempty"`
	File      string `json:"file"`
	Suspended bool   `json:"suspended"`
}

func rowOf(k node.Key) keyRow {
	return keyRow{k.Role, k.ID, k.Words, k.Public, k.Threshold, k.File, k.Suspended}
}

func (a *app) keyShowCommand() *cobra.Command {
	var public bool
	cmd := &cobra.Command{
		Use:   "show [ROLE]",
		Short: "Show whose keys sign: key ids, six words to read aloud, and QR codes",
		Long: `Show lists every key that signs in this node's repository: root, targets, snapshot,
timestamp and the publishers. For one role it also draws each key as a QR code. Six
words are the fingerprint that two people compare by telephone.`,
		Example: "  koprik key show\n  koprik key show health --public > health.pub",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if public && len(args) == 0 {
				return usage(cmd.CommandPath(), "--public needs a role or a publisher")
			}
			return a.with(cmd.Context(), func(n *node.Node) error { return a.keyShow(n, strings.Join(args, ""), public) })
		},
	}
	cmd.Flags().BoolVar(&public, "public", false, "print the public keys alone, a line each, to be given away")
	return cmd
}

func (a *app) keyShow(n *node.Node, role string, public bool) error {
	keys, err := n.Keys()
	if err != nil {
		return err
	}
	rows := []keyRow{}
	for _, k := range keys {
		if role == "" || k.Role == role {
			rows = append(rows, rowOf(k))
		}
	}
	if len(rows) == 0 {
		return &portal.Problem{Kind: portal.ErrNotFound, Where: role, Message: "has no key here", Hint: "koprik key show lists all"}
	}
	return a.answer(rows, func() {
		for _, r := range rows {
			if public {
				a.say("%s", r.Public)
				continue
			}
			a.sayKey(r, role != "")
		}
	})
}

func (a *app) sayKey(r keyRow, code bool) {
	where := r.File
	if where == "" {
		where = "kept elsewhere"
	}
	note := ""
	if r.Suspended {
		note = "  SUSPENDED: awaits a signature by a key that holds"
	}
	a.say("%-12s %s%s", r.Role, where, note)
	a.say("    %s", r.Words)
	a.say("    %s  (%d to sign)", r.Key, r.Threshold)
	if code {
		a.say("\n%s", drawQR(r.Public))
	}
}

// drawQR draws a code with half blocks, light on dark, with its quiet zone.
func drawQR(text string) string {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return text
	}
	const quiet = 4
	light := func(x, y int) int {
		if x < 0 || y < 0 || x >= code.Size || y >= code.Size || !code.Black(x, y) {
			return 1
		}
		return 0
	}
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		for x := -quiet; x < code.Size+quiet; x++ {
			b.WriteString([]string{" ", "▀", "▄", "█"}[light(x, y)|light(x, y+1)<<1])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (a *app) keyNewCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "new FILE",
		Short: "Make an officer's or a publisher's key, sealed by a passphrase, to print and to keep",
		Long: `New writes a key into FILE, as text that only a passphrase opens: print it and put it
into the safe. FILE.pub is the public half to give to the centre; the six words are
what the centre asks for by telephone. The passphrase is asked for twice on a
terminal, otherwise it is the first line of standard input.`,
		Example: "  koprik key new root-2.key",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			passphrase, err := a.newSecret("Passphrase")
			if err != nil {
				return err
			}
			k, err := node.NewKey(args[0], passphrase)
			if err != nil {
				return err
			}
			return a.answer(rowOf(k), func() {
				a.say("The key is in %s: print it and keep it safe. Nothing opens it without the passphrase.", k.File)
				a.say("Give %s.pub to the centre, and read these six words to it:\n\n    %s\n", k.File, k.Words)
				a.say("%s", drawQR(k.Public))
			})
		},
	}
}

// secret asks for a passphrase: unseen on a terminal, a line of standard input
// otherwise.
func (a *app) secret(question string) ([]byte, error) {
	if f, ok := a.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(a.stderr, "%s: ", question)
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(a.stderr)
		return b, err
	}
	if a.lines == nil {
		a.lines = bufio.NewReader(a.stdin)
	}
	line, err := a.lines.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return []byte(strings.TrimRight(line, "\r\n")), nil
}

// newSecret asks for something that is new, twice on a terminal.
func (a *app) newSecret(question string) ([]byte, error) {
	first, err := a.secret(question)
	if err != nil {
		return nil, err
	}
	if f, ok := a.stdin.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return first, nil
	}
	again, err := a.secret("The same again")
	if err == nil && string(again) != string(first) {
		err = usage(strings.ToLower(question), "the two are not the same")
	}
	return first, err
}

// keyFiles reads key files that a person named.
func (a *app) keyFiles(paths []string) (files []node.KeyFile, err error) {
	for _, path := range paths {
		f, err := node.ReadKeyFile(path, func() ([]byte, error) { return a.secret("Passphrase of " + path) })
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// withFlag is what all changes of keys take.
func withFlag(cmd *cobra.Command, with *[]string) {
	cmd.Flags().StringArrayVar(with, "with", nil, "a key file that signs this time beside those in keys/; may be given again")
}

// changeKeys reads the keys that sign this time, does the work, and says what came of it.
func (a *app) changeKeys(ctx context.Context, with []string, work func(n *node.Node, with []node.KeyFile) (node.KeyChange, error)) error {
	brought, err := a.keyFiles(with)
	if err != nil {
		return err
	}
	return a.with(ctx, func(n *node.Node) error {
		c, err := work(n, brought)
		if err != nil {
			return err
		}
		out := map[string]any{
			"role": c.Role, "old": c.Old, "new": c.New, "old_file": inKeys(c.OldFile), "new_file": inKeys(c.NewFile),
			"root": c.Root, "generation": c.Generation, "threshold": c.Threshold, "keys": c.Keys,
		}
		return a.answer(out, func() { a.sayChange(c) })
	})
}

func inKeys(file string) string {
	if file == "" {
		return ""
	}
	return "keys/" + file
}

func (a *app) sayChange(c node.KeyChange) {
	a.say("%s: %d of %s to sign (root %d, generation %d). Mirrors follow by themselves.", c.Role, c.Threshold, count(c.Keys, "key"), c.Root, c.Generation)
	if c.New != "" {
		a.say("new  %s  %s", portal.SixWords(c.New), inKeys(c.NewFile))
	}
	if c.Old != "" {
		a.say("gone %s", portal.SixWords(c.Old))
	}
	if c.OldFile != "" {
		a.say("The key that went is kept as %s. Nothing reads it: remove it when every mirror has followed.", inKeys(c.OldFile))
	}
}

func (a *app) keyRotateCommand() *cobra.Command {
	var key, by string
	var with []string
	cmd := &cobra.Command{
		Use:   "rotate ROLE",
		Short: "Replace a key of root, targets, snapshot, timestamp or a publisher",
		Long: `Rotate makes a new key in the place of an old one and signs with it what the old one
signed. Mirrors follow by themselves, also those that missed several rotations. The
old key's file gets the ending .old and is kept until you remove it, or the next
rotation of the same key replaces it. A rotation that was cut short is finished by
running it again.`,
		Example: "  koprik key rotate timestamp\n  koprik key rotate root --key 3fa91b02 --by root-6.pub --with root-1.key --with root-2.key",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var next *node.KeyFile
			if by != "" {
				files, err := a.keyFiles([]string{by})
				if err != nil {
					return err
				}
				next = &files[0]
			}
			return a.changeKeys(cmd.Context(), with, func(n *node.Node, with []node.KeyFile) (node.KeyChange, error) {
				return n.RotateKey(cmd.Context(), args[0], key, next, with...)
			})
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "the key that goes, where a role has several: its id, the first 8 digits of it, or its six words")
	cmd.Flags().StringVar(&by, "by", "", "key file of the key that comes, where it is kept elsewhere")
	withFlag(cmd, &with)
	return cmd
}

func (a *app) keyThresholdCommand() *cobra.Command {
	var with []string
	cmd := &cobra.Command{
		Use:   "threshold ROLE N [KEYFILE...]",
		Short: "Give a role more keys, and say how many of them have to sign",
		Long: `Threshold adds the keys of the files to those of a role; from then on N of them have
to sign. It takes no key away. A file with only a public key adds it; a sealed key
also signs. Where more signatures are needed than there are keys in keys/, bring
keys with --with.`,
		Example: "  koprik key threshold targets 2 targets-2.key targets-3.pub",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			threshold, err := strconv.Atoi(args[1])
			if err != nil {
				return usage(cmd.CommandPath(), "%q is no number of keys", args[1])
			}
			keys, err := a.keyFiles(args[2:])
			if err != nil {
				return err
			}
			return a.changeKeys(cmd.Context(), with, func(n *node.Node, with []node.KeyFile) (node.KeyChange, error) {
				return n.KeyThreshold(cmd.Context(), args[0], threshold, keys, with...)
			})
		},
	}
	withFlag(cmd, &with)
	return cmd
}

func (a *app) keyDelegateCommand() *cobra.Command {
	var threshold int
	var words string
	var with []string
	cmd := &cobra.Command{
		Use:   "delegate PUBLISHER PUBLIC-KEY-FILE...",
		Short: "Let a publisher sign with keys of its own",
		Long: `Delegate lets a publisher, new or known, sign with keys that it keeps itself; a key
that this node made for it signs no longer. Ask the publisher for the six words of
its key by telephone and give them with --words. Until the publisher has signed, it
is suspended: what it published before stays visible.`,
		Example: `  koprik key delegate health health.pub --words "baber tunur mitan lunir zebun ratan"`,
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := portal.ParsePublisherID(args[0])
			if err != nil {
				return usage(cmd.CommandPath(), "%v", err)
			}
			keys, err := a.keyFiles(args[1:])
			if err != nil {
				return err
			}
			if words != "" {
				if len(keys) != 1 {
					return usage(cmd.CommandPath(), "--words are those of one key")
				}
				if err := portal.CheckWords(keys[0].Public.ID(), words); err != nil {
					return portal.Unverified(args[1], "%v", err).WithHint("nothing was changed; ask the publisher which file it sent")
				}
			}
			return a.changeKeys(cmd.Context(), with, func(n *node.Node, with []node.KeyFile) (node.KeyChange, error) {
				return n.Delegate(cmd.Context(), id, threshold, keys, with...)
			})
		},
	}
	cmd.Flags().IntVar(&threshold, "threshold", 0, "how many of the publisher's keys have to sign (default: as before, 1 for a new one)")
	cmd.Flags().StringVar(&words, "words", "", "the six words that the publisher read aloud; another key is refused")
	withFlag(cmd, &with)
	return cmd
}

func (a *app) keyRevokeCommand() *cobra.Command {
	var with []string
	cmd := &cobra.Command{
		Use:   "revoke PUBLISHER KEY",
		Short: "Take a stolen or lost key from a publisher",
		Long: `Revoke takes a key from a publisher. What the key signed stays visible, marked as
suspended until the publisher signs again with another key; nothing is lost. KEY is
the key's id, the first 8 digits of it, or its six words in quotes.`,
		Example: "  koprik key revoke health 3fa91b02",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := portal.ParsePublisherID(args[0])
			if err != nil {
				return usage(cmd.CommandPath(), "%v", err)
			}
			return a.changeKeys(cmd.Context(), with, func(n *node.Node, with []node.KeyFile) (node.KeyChange, error) {
				return n.Revoke(cmd.Context(), id, args[1], with...)
			})
		},
	}
	withFlag(cmd, &with)
	return cmd
}
