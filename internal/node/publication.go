package node

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"koprik/embed/blob"
	"koprik/embed/table/read"
	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/origin"
)

// publication gathers one publisher's new releases.
type publication struct {
	node   *Node
	origin *origin.Origin
	group  *disk.Group // what is written becomes durable together
	blobs  *blob.Store // the node's, in the group
	id     portal.PublisherID
	record portal.Publisher
	latest map[portal.DatasetID]origin.Listed
	unlock func() // lets go of write.lock

	recordChanged bool
	suspended     bool // what is published waits to be signed by a key that holds
	manifests     []portal.SignedManifest
	taken         map[portal.DatasetID]string // dataset → label of the input it came from
	kept          map[portal.Digest]bool      // contents of the inputs that were taken
	tables        []portal.TableInfo          // of the input being added, as they were read
	out           Published
}

func (n *Node) publication(id portal.PublisherID) (*publication, func(), error) {
	group := disk.NewGroup(n.root)
	blobs := blob.Open(disk.Sub(group, objectsDir))
	o, closeKeys, err := n.originOn(group, blobs)
	if err != nil {
		return nil, nil, err
	}
	done := func() {
		closeKeys()
		_ = group.Abandon() // after Publish there is nothing left in it
	}
	listing, err := o.Listing(id)
	if err != nil {
		done()
		return nil, nil, err
	}
	p := &publication{node: n, origin: o, group: group, blobs: blobs, id: id, record: portal.Publisher{ID: id}, latest: listing.Datasets, taken: map[portal.DatasetID]string{}, kept: map[portal.Digest]bool{}}
	p.out.Generation, p.suspended = listing.Generation, listing.Suspended
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
	var put []portal.Digest
	defer func() {
		if err != nil {
			p.record, p.recordChanged = record, changed
			err = errors.Join(err, p.discard(put))
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
	p.tables = nil
	for i := range r.Resources {
		readable, err := p.resource(ctx, in, draft.Files[i], &r.Resources[i])
		put = append(put, r.Resources[i].Hash)
		if err != nil {
			return err
		}
		if !readable && in.bare(draft) {
			hint := "a file of another kind needs a passport beside it: koprik passport new " + in.Label
			if r.Resources[i].Format == "json" {
				hint += "; an indicator of the statistics office comes with its own: koprik import siat " + in.Label
			}
			return portal.Rejected(in.Label, "%s", NotATable(r.Resources[i])).WithHint("%s", hint)
		}
		bytes += r.Resources[i].Bytes
	}
	if err := p.release(ctx, in, r, bytes); err != nil {
		return err
	}
	p.taken[id] = in.Label
	for _, d := range put {
		p.kept[d] = true
	}
	return nil
}

// discard removes the contents of a rejected input, unless another release has
// them: then they stand in the repository, or in this publication.
func (p *publication) discard(put []portal.Digest) error {
	for _, d := range put {
		if d.IsZero() || p.kept[d] {
			continue
		}
		if _, err := p.group.Stat(repositoryDir + "/" + datapackage.ObjectFile(d)); err == nil {
			continue
		}
		if err := p.blobs.Remove(d); err != nil {
			return err
		}
	}
	return nil
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
	hash, size, err := p.blobs.Put(src)
	if err = errors.Join(err, src.Close()); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = portal.Rejected(r.Path, "resource %q is missing: there is no such file in the package", r.Name)
		}
		return false, under(in.Label, err)
	}
	r.Hash, r.Bytes = hash, size
	obj, size, err := p.blobs.Open(hash)
	if err != nil {
		return false, err
	}
	defer obj.Close() //nolint:errcheck // opened for reading
	infos, err := read.Check(ctx, obj, size, *r)
	if err != nil {
		return false, under(in.Label, err)
	}
	learn(r, infos)
	p.tables = append(p.tables, infos...)
	return len(infos) > 0, nil
}

// release compares with the latest one and writes a manifest when the content is new.
func (p *publication) release(ctx context.Context, in Input, r portal.Release, bytes int64) error {
	label := in.Label
	if err := r.ValidateContent().Under(label).Err(); err != nil {
		return err
	}
	r.Number = 1
	var broken *ReuseBreak
	if last, ok := p.latest[r.Dataset]; ok {
		before, err := p.decode(r.Dataset, last)
		if err != nil {
			return err
		}
		if before.Withdrawn == nil && datapackage.SameContent(before, r) {
			p.out.Unchanged = append(p.out.Unchanged, r.Dataset)
			return nil
		}
		if broken, err = p.breaks(ctx, before, r); err != nil {
			return err
		}
		if broken != nil && in.KeepColumns {
			return broken.refuse(label)
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
	p.out.Published = append(p.out.Published, PublishedRelease{Dataset: r.Dataset, Release: r.Number, Bytes: bytes, Tables: p.tables, Breaks: broken})
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
	if err := p.sign(ctx); err != nil {
		return err
	}
	return p.node.settle(ctx, p.out.Generation, p.unlock)
}

// sign publishes what was gathered, if anything was.
func (p *publication) sign(ctx context.Context) error {
	if len(p.manifests) == 0 && !p.recordChanged && !p.suspended {
		return nil
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
	return nil
}
