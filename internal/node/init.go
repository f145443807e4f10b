package node

import (
	"context"
	"os"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/mirror"
	"koprik/sync/origin"
)

// InitOptions say what a new node is to be.
type InitOptions struct {
	Config    Config      // Role, Title, Contact, Publisher, Upstream, Listen and so on
	Publisher portal.Text // name of the first publisher; zero: the portal's title
	Root      []byte      // a mirror's root of trust
}

// SetConfig fills a Config from settings by key, as flags give them.
func SetConfig(values map[string]string) (Config, error) {
	c := Config{sources: map[string]string{}}
	for _, s := range Settings {
		v, given := values[s.Key]
		if !given || v == "" {
			v = s.Default
		}
		if v == "" {
			continue
		}
		if err := s.set(&c, v); err != nil {
			return c, &portal.Problem{Kind: portal.ErrUsage, Where: "--" + s.Flag(), Message: err.Error()}
		}
	}
	return c, nil
}

// Init makes a node in dir and returns its root of trust. A directory that has
// a node already is left as it is; one in which Init was interrupted is finished.
func Init(ctx context.Context, dir string, o InitOptions, opt Options) (root []byte, err error) {
	defer named(dir, &err)
	opt.defaults()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, disk.Classify(err)
	}
	fsys, err := disk.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer fsys.Close() //nolint:errcheck // nothing is written through it any more
	if _, err := fsys.Stat(configFile); err == nil {
		return nil, &portal.Problem{
			Kind: portal.ErrUsage, Where: dir, Message: "there is a Koprik node here already",
			Hint: "name another directory with --dir",
		}
	}
	lock, err := disk.Lock(dir, writeLock)
	if err != nil {
		return nil, err
	}
	defer lock.Unlock() //nolint:errcheck // ends with the process at the latest
	for _, sub := range []string{objectsDir, trustDir, stagingDir, tablesDir, indexDir} {
		if err := fsys.MkdirAll(sub); err != nil {
			return nil, err
		}
	}
	if o.Config.Role == portal.Mirror {
		root = o.Root
	} else if root, err = initOrigin(ctx, dir, fsys, o, opt); err != nil {
		return nil, err
	}
	if err := mirror.Bootstrap(disk.Sub(fsys, trustDir), root); err != nil {
		return nil, err
	}
	// The configuration comes last: with it the directory is a node.
	return root, writeConfig(fsys, o.Config)
}

func initOrigin(ctx context.Context, dir string, fsys disk.FS, init InitOptions, opt Options) ([]byte, error) {
	c := init.Config
	keys, err := openKeys(dir)
	if err != nil {
		return nil, err
	}
	defer keys.Close() //nolint:errcheck // every key is synced by now
	o := origin.Open(origin.Options{Repository: disk.Sub(fsys, repositoryDir), Keys: keys, Now: opt.now})
	root, err := o.Init(ctx, c.Publisher)
	if err != nil {
		return nil, err
	}
	listing, err := o.Listing(c.Publisher)
	if err != nil || listing.Record != nil {
		return root, err
	}
	title := init.Publisher
	if title.IsZero() {
		title = portal.PlainText(c.Title)
	}
	record, err := firstRecord(c.Publisher, title, c.Contact, opt)
	if err != nil {
		return nil, err
	}
	seals, err := sealingKeys(keys, nil, portal.DateOf(opt.now()))
	if err != nil {
		return nil, err
	}
	_, err = o.PublishWith(ctx, []origin.Batch{{Publisher: c.Publisher, Record: &record}}, origin.Sides{datapackage.SealRole: seals})
	return root, err
}

// firstRecord is a publisher's contact record: with an e-mail it has a desk
// that answers for whatever comes without a passport.
func firstRecord(id portal.PublisherID, title portal.Text, email string, opt Options) (portal.PublisherRecord, error) {
	p := portal.Publisher{ID: id, Version: 1, Issued: opt.now().Truncate(1e9), Title: title}
	if email != "" {
		p.Default = "desk"
		p.Contacts = []portal.Contact{{ID: "desk", Post: postOfPublisher, Unit: title, Email: email}}
	}
	b, err := datapackage.EncodePublisher(p)
	return portal.PublisherRecord{Publisher: p, Bytes: b}, err
}

// Publishers lists who may publish on this node.
func (n *Node) Publishers(ctx context.Context) ([]portal.Publisher, error) {
	snap, err := n.catalog.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	return snap.Publishers(ctx)
}

// AddPublisher makes a key for a new publisher, delegates its part of the
// repository to it, and publishes its contact record.
func (n *Node) AddPublisher(ctx context.Context, id portal.PublisherID, title, email string) (err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return notCentral("publisher add")
	}
	release, err := n.writing(ctx)
	if err != nil {
		return err
	}
	defer release()
	o, done, err := n.origin()
	if err != nil {
		return err
	}
	defer done()
	if err := o.AddPublisher(ctx, id); err != nil {
		return err
	}
	listing, err := o.Listing(id)
	if err != nil {
		return err
	}
	if listing.Record != nil {
		return &portal.Problem{Kind: portal.ErrUsage, Where: string(id), Message: "this publisher is there already"}
	}
	opt := n.opt
	opt.Clock = n.Now
	record, err := firstRecord(id, portal.PlainText(title), email, opt)
	if err != nil {
		return err
	}
	generation, err := o.Publish(ctx, []origin.Batch{{Publisher: id, Record: &record}})
	if err != nil {
		return err
	}
	return n.settle(ctx, generation, release)
}

// RootOfTrust gives the bytes that a mirror of this node begins with.
func (n *Node) RootOfTrust() ([]byte, error) { return n.mirror.Root() }
