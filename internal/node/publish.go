package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"koprik/embed/table"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/origin"
)

// Input is one thing to publish: a folder with a data package, or a table file.
type Input struct {
	Label string             // what a person calls it: the path that was given
	FS    fs.FS              // the folder it stands in; nothing outside is read
	Name  string             // in FS: "." for the folder itself
	Draft *datapackage.Draft // instead of FS and Name: read by an importer
}

// OpenInput opens a path that a person gave. The returned function lets go of it.
func OpenInput(path string) (Input, func(), error) {
	missing := func(err error) error {
		p := &portal.Problem{Kind: portal.ErrRejected, Where: path, Message: fmt.Sprintf("cannot be opened: %v", err), Cause: err, Hint: "check the path"}
		if errors.Is(err, fs.ErrNotExist) {
			p.Message = "there is no such file or folder"
		}
		return p
	}
	info, err := os.Stat(path)
	if err != nil {
		return Input{}, nil, missing(err)
	}
	dir, name := path, "."
	if !info.IsDir() {
		dir, name = filepath.Split(path)
		if dir == "" {
			dir = "."
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Input{}, nil, missing(err)
	}
	return Input{Label: path, FS: root.FS(), Name: name}, func() { _ = root.Close() }, nil
}

// Published is what a publish brought.
type Published struct {
	Generation int64
	Published  []PublishedRelease
	Unchanged  []portal.DatasetID
	Rejected   []RejectedInput
}

// PublishedRelease is one new release.
type PublishedRelease struct {
	Dataset portal.DatasetID
	Release int
	Bytes   int64 // of its resources
}

// RejectedInput is an input that could not be published, and why.
type RejectedInput struct {
	Label string
	Err   error
}

// Publish makes a release of every input whose content is new, signs them as
// publisher ("" is the configured one), and makes them visible in one
// generation. An input that is wrong is reported in Rejected and does not stop
// the others; the error is then portal.ErrPartly, or the one input's own when
// nothing else was asked for. unread are inputs that the caller could not open.
func (n *Node) Publish(ctx context.Context, publisher portal.PublisherID, inputs []Input, unread ...RejectedInput) (out Published, err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return out, notCentral("publish")
	}
	if publisher == "" {
		publisher = n.config.Publisher
	}
	release, err := n.writing(ctx)
	if err != nil {
		return out, err
	}
	defer release()
	p, done, err := n.publication(publisher)
	if err != nil {
		return out, err
	}
	defer done()
	p.unlock = release
	p.out.Rejected = unread
	for i, in := range inputs {
		n.opt.Progress("read", int64(i), int64(len(inputs)))
		if err := p.add(ctx, in); err != nil {
			if ctx.Err() != nil || !isInputError(err) {
				return out, err
			}
			p.out.Rejected = append(p.out.Rejected, RejectedInput{in.Label, err})
		}
	}
	if err := p.finish(ctx); err != nil {
		return p.out, err
	}
	return p.out, p.verdict()
}

func notCentral(what string) error {
	return &portal.Problem{
		Kind: portal.ErrUsage, Where: what, Message: "a mirror does not sign releases",
		Hint: "run it on the central or agency node",
	}
}

// isInputError tells an input that is wrong from a node that cannot go on.
func isInputError(err error) bool {
	return errors.Is(err, portal.ErrRejected) || errors.Is(err, portal.ErrUsage) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, portal.ErrGone)
}

// publication gathers one publisher's new releases.
type publication struct {
	node   *Node
	origin *origin.Origin
	id     portal.PublisherID
	record portal.Publisher
	latest map[portal.DatasetID]origin.Listed
	unlock func() // lets go of write.lock

	recordChanged bool
	manifests     []portal.SignedManifest
	taken         map[portal.DatasetID]string // dataset → label of the input it came from
	out           Published
}

func (n *Node) publication(id portal.PublisherID) (*publication, func(), error) {
	o, done, err := n.origin()
	if err != nil {
		return nil, nil, err
	}
	listing, err := o.Listing(id)
	if err != nil {
		done()
		return nil, nil, err
	}
	p := &publication{node: n, origin: o, id: id, record: portal.Publisher{ID: id}, latest: listing.Datasets, taken: map[portal.DatasetID]string{}}
	p.out.Generation = listing.Generation
	if listing.Record != nil {
		if p.record, err = datapackage.DecodePublisher(listing.Record); err != nil {
			done()
			return nil, nil, err
		}
	}
	return p, done, nil
}

// add reads one input and, when it is new, makes its release. What is rejected
// leaves nothing behind: no contact in the record, no name that is taken.
func (p *publication) add(ctx context.Context, in Input) (err error) {
	record, changed := p.record, p.recordChanged
	record.Contacts = slices.Clone(record.Contacts)
	defer func() {
		if err != nil {
			p.record, p.recordChanged = record, changed
		}
	}()
	draft, err := in.load()
	if err != nil {
		return err
	}
	id, err := p.name(in, draft)
	if err != nil {
		return err
	}
	r := draft.Release
	r.Dataset = id
	if err := p.answerable(in.Label, draft, &r); err != nil {
		return err
	}
	var bytes int64
	for i := range r.Resources {
		readable, err := p.resource(ctx, in, draft.Files[i], &r.Resources[i])
		if err != nil {
			return err
		}
		if !readable && in.bare(draft) {
			return portal.Rejected(in.Label, "is not a table that can be read").
				WithHint("a file of another kind needs a passport beside it: koprik passport new %s", in.Label)
		}
		bytes += r.Resources[i].Bytes
	}
	if err := p.release(in.Label, r, bytes); err != nil {
		return err
	}
	p.taken[id] = in.Label
	return nil
}

func (in Input) load() (datapackage.Draft, error) {
	if in.Draft != nil {
		return *in.Draft, nil
	}
	d, err := datapackage.Load(in.FS, in.Name)
	return d, under(in.Label, err)
}

// bare tells a single file about which nothing was said: then only what it holds
// can say that it is data, and a README.md beside the tables is not.
func (in Input) bare(d datapackage.Draft) bool {
	return in.Draft == nil && in.Name != "." && !d.HasPassport && !slices.Contains(datapackage.Descriptors, path.Base(in.Name))
}

// under puts the input's label before where a problem is, unless it stands there.
func under(label string, err error) error {
	var many portal.Problems
	var one *portal.Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &many):
	case errors.As(err, &one):
		many = portal.Problems{one}
	default:
		return fmt.Errorf("%s: %w", label, err)
	}
	many = many.Under(label)
	for _, p := range many { // copies
		for _, again := range []string{".", filepath.Base(label)} { // the folder, the file that was named
			if rest, ok := strings.CutPrefix(p.Where+": ", label+": "+again+": "); ok {
				p.Where = strings.TrimSuffix(label+": "+rest, ": ")
			}
		}
	}
	return many.Err()
}

func (p *publication) name(in Input, d datapackage.Draft) (portal.DatasetID, error) {
	id, err := portal.NewDatasetID(p.id, d.Name)
	if err != nil {
		return "", portal.Rejected(in.Label, "%v", err).
			WithHint("give the dataset a name of a-z, 0-9 and hyphens: `name` in the package, `dataset` in the passport")
	}
	if other, twice := p.taken[id]; twice {
		return "", portal.Rejected(in.Label, "has the dataset name %q, as %s has", d.Name, other)
	}
	return id, nil
}

// answerable settles who answers for the data: the contact that came with it,
// or the publisher's own.
func (p *publication) answerable(label string, d datapackage.Draft, r *portal.Release) error {
	pass := &r.Passport
	now := portal.DateOf(p.node.Now())
	switch {
	case d.Contact != nil:
		p.merge(*d.Contact)
		pass.Contact = d.Contact.ID
	case pass.Contact == "":
		if p.record.Default == "" {
			return portal.Rejected(label, "has no passport, and the publisher %s has no contact of its own", p.id).
				WithHint("koprik passport new writes a passport; koprik publisher contact gives the publisher a contact")
		}
		pass.Contact, pass.FromPublisher = p.record.Default, true
	}
	if pass.Uploaded == "" && !d.HasPassport {
		pass.Uploaded = now
	}
	c, ok := p.record.Contact(pass.Contact)
	return pass.Validate(c, ok).Under(label).Err()
}

// merge puts a contact into the publisher's record, or replaces what the record
// says of it.
func (p *publication) merge(c portal.Contact) {
	for i, old := range p.record.Contacts {
		if old.ID != c.ID {
			continue
		}
		if !sameContact(old, c) {
			p.record.Contacts[i] = c
			p.recordChanged = true
		}
		return
	}
	p.record.Contacts = append(p.record.Contacts, c)
	p.recordChanged = true
}

func sameContact(a, b portal.Contact) bool {
	return a.Post.Equal(b.Post) && a.Unit.Equal(b.Unit) && a.Name.Equal(b.Name) &&
		a.Email == b.Email && a.Phone == b.Phone && a.Since == b.Since && a.Until == b.Until
}

// resource takes a file's bytes into the objects and checks that a table in it
// can be read; readable says that there is one.
func (p *publication) resource(ctx context.Context, in Input, f datapackage.DraftFile, r *portal.Resource) (readable bool, err error) {
	src, err := f.Open(in.FS)
	if err != nil {
		return false, under(in.Label, portal.Rejected(r.Path, "resource %q cannot be read: %v", r.Name, err))
	}
	hash, size, err := p.node.blobs.Put(src)
	if err = errors.Join(err, src.Close()); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = portal.Rejected(r.Path, "resource %q is missing: there is no such file in the package", r.Name)
		}
		return false, under(in.Label, err)
	}
	r.Hash, r.Bytes = hash, size
	obj, size, err := p.node.blobs.Open(hash)
	if err != nil {
		return false, err
	}
	defer obj.Close() //nolint:errcheck // opened for reading
	infos, err := table.Check(ctx, obj, size, *r)
	if err != nil {
		return false, under(in.Label, err)
	}
	if r.Schema == nil && len(infos) == 1 {
		r.Schema = &portal.TableSchema{Fields: infos[0].Columns}
	}
	return len(infos) > 0, nil
}

// release compares with the latest one and writes a manifest when the content is new.
func (p *publication) release(label string, r portal.Release, bytes int64) error {
	if err := r.ValidateContent().Under(label).Err(); err != nil {
		return err
	}
	r.Number = 1
	if last, ok := p.latest[r.Dataset]; ok {
		before, err := p.decode(r.Dataset, last)
		if err != nil {
			return err
		}
		if before.Withdrawn == nil && datapackage.SameContent(before, r) {
			p.out.Unchanged = append(p.out.Unchanged, r.Dataset)
			return nil
		}
		r.Number = before.Number + 1
		r.Previous = follows(last)
		if r.Passport.FirstPublished == "" {
			r.Passport.FirstPublished = before.Passport.FirstPublished
		}
	}
	p.date(&r)
	m, err := p.write(r)
	if err != nil {
		return under(label, err)
	}
	p.manifests = append(p.manifests, m)
	p.out.Published = append(p.out.Published, PublishedRelease{r.Dataset, r.Number, bytes})
	return nil
}

func (p *publication) decode(id portal.DatasetID, l origin.Listed) (portal.Release, error) {
	b, err := p.origin.Manifest(id, l)
	if err != nil {
		return portal.Release{}, err
	}
	return datapackage.Decode(b)
}

// follows is how the next release names the one before it.
func follows(l origin.Listed) *portal.PreviousRelease {
	return &portal.PreviousRelease{Release: l.Number, SHA256: l.SHA256, Length: l.Length}
}

// date fills in what nobody wrote down: the day of publishing, and a reason.
func (p *publication) date(r *portal.Release) {
	r.Issued = p.node.Now().UTC().Truncate(1e9)
	today := portal.DateOf(r.Issued)
	if r.Passport.FirstPublished == "" {
		r.Passport.FirstPublished = today
	}
	if r.Passport.LastChanged == "" {
		r.Passport.LastChanged = today
	}
	if r.Reason.IsZero() {
		r.Reason = reasonFirst
		if r.Number > 1 {
			r.Reason = reasonChanged
		}
	}
}

func (p *publication) write(r portal.Release) (portal.SignedManifest, error) {
	b, err := datapackage.Encode(r)
	if err != nil {
		return portal.SignedManifest{}, err
	}
	return portal.SignedManifest{Dataset: r.Dataset, Number: r.Number, Bytes: b}, nil
}

// finish signs and publishes what was gathered, and makes it visible.
func (p *publication) finish(ctx context.Context) error {
	if len(p.manifests) == 0 && !p.recordChanged {
		return p.node.settle(ctx, p.out.Generation, p.unlock)
	}
	batch := origin.Batch{Publisher: p.id, Manifests: p.manifests}
	if p.recordChanged {
		p.record.Version++
		p.record.Issued = p.node.Now().UTC().Truncate(1e9)
		b, err := datapackage.EncodePublisher(p.record)
		if err != nil {
			return err
		}
		batch.Record = &portal.PublisherRecord{Publisher: p.record, Bytes: b}
	}
	generation, err := p.origin.Publish(ctx, []origin.Batch{batch})
	if err != nil {
		p.out.Published = nil
		return err
	}
	p.out.Generation = generation
	return p.node.settle(ctx, generation, p.unlock)
}

func (p *publication) verdict() error {
	rejected := p.out.Rejected
	switch {
	case len(rejected) == 0:
		return nil
	case len(p.out.Published)+len(p.out.Unchanged) == 0 && len(rejected) == 1:
		return rejected[0].Err
	case len(p.out.Published)+len(p.out.Unchanged) == 0:
		errs := make([]error, len(rejected))
		for i, r := range rejected {
			errs[i] = r.Err
		}
		return errors.Join(errs...)
	}
	problem := &portal.Problem{
		Kind:    portal.ErrPartly,
		Message: fmt.Sprintf("%d of %d were not published", len(rejected), len(rejected)+len(p.out.Published)+len(p.out.Unchanged)),
		Hint:    "mend what is rejected and publish it again; the others are published",
	}
	return problem
}

// Withdraw publishes a tombstone: the dataset's passport and the reason stay,
// its bytes go, here and at every mirror's next sync.
func (n *Node) Withdraw(ctx context.Context, id portal.DatasetID, reason portal.Text) (out Published, err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return out, notCentral("withdraw")
	}
	release, err := n.writing(ctx)
	if err != nil {
		return out, err
	}
	defer release()
	p, done, err := n.publication(id.Publisher())
	if err != nil {
		return out, err
	}
	defer done()
	p.unlock = release
	last, ok := p.latest[id]
	if !ok {
		return out, &portal.Problem{Kind: portal.ErrNotFound, Where: string(id), Message: "there is no such dataset", Hint: "koprik search finds datasets"}
	}
	r, err := p.decode(id, last)
	if err != nil {
		return out, err
	}
	if r.Withdrawn != nil {
		p.out.Unchanged = []portal.DatasetID{id}
		return p.out, n.settle(ctx, p.out.Generation, release)
	}
	r.Previous = follows(last)
	r.Number++
	r.Resources, r.Reason, r.Withdrawn = nil, reason, &portal.Withdrawal{Reason: reason}
	r.Issued = n.Now().UTC().Truncate(1e9)
	m, err := p.write(r)
	if err != nil {
		return out, err
	}
	p.manifests = []portal.SignedManifest{m}
	p.out.Published = []PublishedRelease{{Dataset: id, Release: r.Number}}
	return p.out, p.finish(ctx)
}
