package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"koprik/internal/backup"
	"koprik/internal/node"
	"koprik/portal"
)

func (a *app) backupCommand() *cobra.Command {
	var to string
	var recipients []string
	var passphrase, bare bool
	cmd := &cobra.Command{
		Use:   "backup --to FILE",
		Short: "Write what this node may not lose into one file",
		Long: `Backup writes questions, desk work and accounts, keys, trust and settings, and at a
centre what it has published, into one verified file. A server may be running. The
file is whole or not there; an older backup of the same name stands until then.

It holds the keys of this node: only its owner can read the file, and on a disk that
cannot keep that (a stick) it has to be sealed, by a passphrase (asked for on a
terminal, otherwise the first line of standard input) or to age recipients, whose
secret half this machine need not have.`,
		Example: `  koprik backup --to /backup/koprik.backup
  koprik backup --to /media/stick/koprik.backup --passphrase
  koprik backup --to /backup/koprik.backup --recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return usage(cmd.CommandPath(), "--to is missing: the file to be written")
			}
			o := node.BackupOptions{To: to, NoRepository: bare, Seal: backup.Seal{Recipients: recipients}}
			if o.Passphrase = passphrase; passphrase {
				var err error
				if o.Seal.Passphrase, err = a.newSecret("Passphrase"); err != nil {
					return err
				}
			}
			return a.with(cmd.Context(), func(n *node.Node) error {
				out, err := n.Backup(cmd.Context(), o)
				if err != nil {
					return err
				}
				return a.answer(backupRow(out), func() { a.sayBackup(out) })
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the file to be written; one that stands there must be a backup")
	cmd.Flags().BoolVar(&passphrase, "passphrase", false, "seal it with a passphrase")
	cmd.Flags().StringArrayVar(&recipients, "recipient", nil, "seal it to an age recipient (age1…); may be given several times")
	cmd.Flags().BoolVar(&bare, "without-repository", false, "leave out what a centre has published: a restore takes it from a mirror")
	return cmd
}

// backupJSON is a backup as programs read it.
type backupJSON struct {
	File       string         `json:"file"`
	Made       string         `json:"made"`
	Bytes      int64          `json:"bytes"`
	Files      int            `json:"files"`
	Sealed     bool           `json:"sealed"`
	Role       portal.Role    `json:"role"`
	Title      string         `json:"title"`
	Node       string         `json:"node"`
	Repository string         `json:"repository"`
	Generation int64          `json:"generation"`
	Version    string         `json:"version"`
	Holds      map[string]int `json:"holds"` // files of each part
}

func backupRow(b node.Backup) backupJSON {
	row := backupJSON{
		File: b.File, Made: stamp(b.Made), Bytes: b.Bytes, Files: len(b.Files), Sealed: b.Sealed, Role: b.Role, Title: b.Title, Node: b.Node,
		Generation: b.Generation, Version: b.Version, Holds: map[string]int{},
	}
	if !b.Repository.IsZero() {
		row.Repository = b.Repository.Hex()
	}
	for _, f := range b.Files {
		row.Holds[backup.Top(f.Name)]++
	}
	return row
}

func (a *app) sayBackup(b node.Backup) {
	a.say("%s (%s), %s, %s", b.File, count(b.Bytes, "byte"), count(len(b.Files), "file"), stamp(b.Made))
	a.say("%s (%s), generation %d", b.Title, b.Role, b.Generation)
	if b.Sealed {
		a.say("It is sealed: without the passphrase or the identity nobody opens it, you neither.")
		return
	}
	a.say("It is not sealed, and whoever has it can sign as this node. Only its owner can read it here; --passphrase seals one that is carried away.")
}

func (a *app) restoreCommand() *cobra.Command {
	var from, identity string
	var newer []string
	var replace, alone bool
	cmd := &cobra.Command{
		Use:   "restore --from FILE",
		Short: "Make a node again from its backup",
		Long: `Restore verifies a whole backup and then makes the data directory the node that it
is of, on this machine or another, at this path or another. A node that stands there
is left alone, or put aside with --replace. Cut off in the middle, the directory has
what it had or what the backup has.

A centre does not sign again before it has what was signed since the backup: --newer
takes it from a mirror or a stick, --alone says that nobody has anything newer.`,
		Example: `  koprik restore --from /backup/koprik.backup --dir /var/lib/koprik
  koprik restore --newer https://mirror.example.org --dir /var/lib/koprik`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case from == "" && len(newer) == 0 && !alone:
				return usage(cmd.CommandPath(), "--from is missing: the backup")
			case alone && len(newer) > 0:
				return usage(cmd.CommandPath(), "--alone and --newer do not go together")
			}
			answer := restoredJSON{}
			if from != "" {
				o, err := a.restoreOptions(from, identity, replace)
				if err != nil {
					return err
				}
				out, err := node.Restore(cmd.Context(), a.dir, o, a.options())
				if err != nil {
					return err
				}
				answer.from(from, out)
			}
			var failed error
			if len(newer) > 0 || alone {
				failed = a.resume(cmd.Context(), newer, &answer)
			}
			if failed != nil && from == "" {
				return failed
			}
			return errors.Join(a.answer(answer, func() { a.sayRestored(answer) }), failed)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the backup")
	cmd.Flags().BoolVar(&replace, "replace", false, "put aside the node that stands in the data directory")
	cmd.Flags().StringVar(&identity, "identity", "", "age identity file that opens a backup sealed to a recipient")
	cmd.Flags().StringArrayVar(&newer, "newer", nil, "at a centre: a mirror's address, or a stick, that may have what was signed since; may be given several times")
	cmd.Flags().BoolVar(&alone, "alone", false, "at a centre: nobody has anything newer than this backup")
	return cmd
}

// maxIdentity bounds a file of age identities, in bytes.
const maxIdentity = 1 << 20

func (a *app) restoreOptions(from, identity string, replace bool) (node.RestoreOptions, error) {
	o := node.RestoreOptions{From: from, Replace: replace, Key: a.backupKey(from)}
	if identity == "" {
		return o, nil
	}
	info, err := os.Stat(identity)
	if err == nil && info.Size() > maxIdentity {
		err = fmt.Errorf("%d bytes are more than identities have", info.Size())
	}
	if err == nil {
		o.Key.Identities, err = os.ReadFile(identity)
	}
	if err != nil {
		return o, portal.Rejected(identity, "cannot be read: %s", errnoOf(err))
	}
	return o, nil
}

// backupKey asks for the passphrase of a backup, where it has one.
func (a *app) backupKey(file string) backup.Key {
	return backup.Key{Passphrase: func() ([]byte, error) { return a.secret("Passphrase of " + file) }}
}

func (a *app) resume(ctx context.Context, newer []string, answer *restoredJSON) error {
	return a.with(ctx, func(n *node.Node) error {
		out, err := n.ResumeSigning(ctx, newer)
		if err != nil {
			return err
		}
		answer.Generation, answer.Held, answer.Newer = out.Generation, false, out.Generation > out.Previous
		answer.resumed, answer.Missing = true, out.Missing
		return nil
	})
}

// restoredJSON is what a restore brought, as programs read it.
type restoredJSON struct {
	File       string      `json:"file"`
	Made       string      `json:"made"` // when the backup was made
	Role       portal.Role `json:"role"`
	Title      string      `json:"title"`
	Generation int64       `json:"generation"`
	Held       bool        `json:"held"`    // a centre that does not sign yet
	Newer      bool        `json:"newer"`   // a mirror or stick had what was signed since
	Missing    int         `json:"missing"` // files of earlier releases that nobody who was asked has
	Aside      []string    `json:"aside"`   // what stood there before, in the data directory

	resumed bool
}

func (r *restoredJSON) from(file string, out node.Restored) {
	r.File, r.Made, r.Role, r.Title, r.Generation = file, stamp(out.Made), out.Role, out.Title, out.Generation
	r.Held, r.Aside = out.Held, append([]string{}, out.Aside...)
}

func (a *app) sayRestored(r restoredJSON) {
	if r.File != "" {
		a.say("%s (%s) is restored as it was on %s, at generation %d.", r.Title, r.Role, r.Made, r.Generation)
	}
	for _, name := range r.Aside {
		a.say("aside       %s", name)
	}
	if r.Missing > 0 {
		a.say("%s of earlier releases nobody has who was asked; another mirror may: koprik restore --newer MIRROR", count(r.Missing, "file"))
	}
	switch {
	case r.resumed && r.Newer:
		a.say("What was signed since is here too: generation %d. This centre signs again.", r.Generation)
	case r.resumed:
		a.say("This centre signs again, after generation %d.", r.Generation)
	case r.Held:
		a.say("It does not sign yet. What was signed since the backup is on its mirrors:\n  koprik restore --newer MIRROR --dir %s\nor, if nobody has anything newer:\n  koprik restore --alone --dir %s", a.dir, a.dir)
	case r.Role == portal.Mirror:
		a.say("koprik sync brings what was published since, and the contents that are not in a backup.")
	}
}

// age is how long ago something was, in days, for people.
func age(t, now time.Time) string {
	switch days := int(now.Sub(t).Hours() / 24); {
	case days < 1:
		return "today"
	case days == 1:
		return "yesterday"
	default:
		return fmt.Sprintf("%d days ago", days)
	}
}
