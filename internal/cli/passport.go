package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"koprik/internal/node"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/portal/lang"
)

// passportEnding is how the passport beside a table file is called.
const passportEnding = ".passport.yaml"

func (a *app) passportCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "passport", Short: "Write and check data passports"}
	cmd.AddCommand(&cobra.Command{
		Use:     "new FILE",
		Short:   "Ask who answers for a table file, and write its passport beside it",
		Example: "  koprik passport new water.csv     (writes water.passport.yaml)",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.passportNew(args[0]) },
	}, &cobra.Command{
		Use:     "check FILE",
		Short:   "Say what is wrong with a passport, and what would make it better",
		Example: "  koprik passport check water.passport.yaml",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.passportCheck(args[0]) },
	})
	return cmd
}

// passportFile is the passport of a table file or of a package's folder, or the
// file itself when it is one.
func passportFile(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return filepath.Join(path, "passport.yaml")
	}
	if strings.HasSuffix(path, passportEnding) || filepath.Base(path) == "passport.yaml" {
		return path
	}
	return strings.TrimSuffix(path, filepath.Ext(path)) + passportEnding
}

// question is one line that passport new asks.
type question struct {
	text, preset string
	must         bool
	set          func(string) error
}

func (a *app) passportNew(path string) error {
	file := passportFile(path)
	if _, err := os.Stat(file); err == nil {
		return &portal.Problem{Kind: portal.ErrUsage, Where: file, Message: "there is a passport already", Hint: "edit it, then: koprik passport check " + file}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return portal.Rejected(path, "cannot be opened: %s", errnoOf(err)).WithHint("name the table, or the folder with the data package, that the passport is for")
	}
	d := datapackage.Draft{HasPassport: true, Contact: &portal.Contact{}}
	in := bufio.NewScanner(io.LimitReader(a.stdin, 1<<20))
	for _, q := range passportQuestions(path, &d) {
		if err := a.ask(in, q); err != nil {
			return err
		}
	}
	d.Release.Title.Plain = firstOf(d.Release.Title)
	d.Contact.Post.Plain = firstOf(d.Contact.Post)
	d.Contact.ID = datapackage.ContactID(*d.Contact)
	d.Release.Passport.Contact = d.Contact.ID
	if err := d.Release.Passport.Validate(*d.Contact, true).Err(); err != nil {
		return err
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // a document for everyone
	if err != nil {
		return err
	}
	if _, err = out.Write(datapackage.WritePassport(d)); err != nil {
		return errors.Join(err, out.Close())
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return err
	}
	return a.answer(map[string]string{"passport": file}, func() {
		a.say("%s is written. What else you know goes into it; then: koprik publish %s", file, path)
	})
}

// firstOf is the plain wording of a text: its first translation.
func firstOf(t portal.Text) string {
	for _, l := range portal.Langs {
		if s := t.Translated[l]; s != "" {
			return s
		}
	}
	return t.Plain
}

func passportQuestions(path string, d *datapackage.Draft) []question {
	name := lang.Slug(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	in := func(t *portal.Text, l portal.Lang) func(string) error {
		return func(s string) error {
			if t.Translated == nil {
				t.Translated = map[portal.Lang]string{}
			}
			t.Translated[l] = s
			return nil
		}
	}
	line := func(to *string) func(string) error { return func(s string) error { *to = s; return nil } }
	r, c := &d.Release, d.Contact
	return []question{
		{"Name of the dataset in addresses (a-z, 0-9, hyphens; never changes)", name, true, func(s string) error {
			_, err := portal.NewDatasetID("x", s)
			d.Name = s
			return err
		}},
		{"Title in Uzbek", "", true, in(&r.Title, portal.Uzbek)},
		{"Title in Russian", "", false, in(&r.Title, portal.Russian)},
		{"Title in English", "", false, in(&r.Title, portal.English)},
		{"What the table shows, in a sentence or two", "", false, line(&r.Description.Plain)},
		{"Theme (" + join(portal.Themes) + ")", "", false, func(s string) error {
			if !portal.IsTheme(portal.ThemeID(s)) {
				return fmt.Errorf("must be one of %s", join(portal.Themes))
			}
			r.Themes = []portal.ThemeID{portal.ThemeID(s)}
			return nil
		}},
		{"Licence", "CC-BY-4.0", false, func(s string) error { r.Licenses = []portal.License{{Name: s}}; return nil }},
		{"Who answers for it: the post", "", true, in(&c.Post, portal.Uzbek)},
		{"Its department", "", false, line(&c.Unit.Plain)},
		{"Its e-mail", "", true, func(s string) error { c.Email = s; return portal.CheckEmail(s) }},
		{"Its phone", "", false, line(&c.Phone)},
		{"Day of upload", string(portal.DateOf(node.SystemClock())), true, func(s string) (err error) {
			r.Passport.Uploaded, err = datapackage.ParseDay(s)
			return err
		}},
		{"How often it is renewed (" + join(portal.Periodicities) + ")", "", false, func(s string) (err error) {
			r.Passport.Periodicity, err = datapackage.ParsePeriodicity(s)
			return err
		}},
		{"Unit of measurement", "", false, line(&r.Passport.Unit.Plain)},
	}
}

func join[S ~string](list []S) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

// ask puts one question until the answer will do. An empty answer takes the
// preset; the end of the input is an error where an answer is needed.
func (a *app) ask(in *bufio.Scanner, q question) error {
	for {
		prompt := q.text
		if q.preset != "" {
			prompt += " [" + q.preset + "]"
		} else if !q.must {
			prompt += " (may stay empty)"
		}
		if !a.quiet && !a.json {
			fmt.Fprint(a.stderr, prompt+": ")
		}
		more := in.Scan()
		answer := strings.TrimSpace(in.Text())
		if answer == "" {
			answer = q.preset
		}
		if answer == "" && !q.must {
			return in.Err()
		}
		err := errors.New("needs an answer")
		if answer != "" {
			if err = q.set(answer); err == nil {
				return in.Err()
			}
		}
		if !more {
			return portal.Rejected(q.text, "%v", err)
		}
		fmt.Fprintf(a.stderr, "  %v\n", err)
	}
}

func (a *app) passportCheck(path string) error {
	file := passportFile(path)
	info, err := os.Stat(file)
	if err != nil {
		return &portal.Problem{Kind: portal.ErrRejected, Where: file, Message: "there is no passport", Hint: "koprik passport new " + path + " writes one", Cause: err}
	}
	const limit = 1 << 20
	if info.Size() > limit {
		return portal.Rejected(file, "is %d bytes long; at most %d are allowed", info.Size(), limit)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	d, err := datapackage.ParsePassport(b, filepath.Base(file))
	if err != nil {
		return err
	}
	if d.Contact != nil {
		if err := d.Release.Passport.Validate(*d.Contact, true).Under(file).Err(); err != nil {
			return err
		}
	} else if d.Release.Passport.Contact == "" {
		return portal.Rejected(file+": contact", "nobody answers for the data: a post or a name, and an e-mail")
	}
	missing := d.Release.Passport.Missing()
	return a.answer(map[string]any{"passport": file, "missing": append([]string{}, missing...)}, func() {
		a.say("%s is complete in what is mandatory.", file)
		if len(missing) > 0 {
			a.say("It would be better with: %s", strings.Join(missing, ", "))
		}
	})
}
