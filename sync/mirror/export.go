package mirror

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// ExportOptions say what a stick gets.
type ExportOptions struct {
	Since      int64   // only what this generation lacks; 0: everything
	Repository disk.FS // what this node serves: carriers, and metadata of earlier generations; nil: none
}

// Export is what a stick is to hold: the accepted copy, held still. It is made
// by PlanExport and written by Write.
type Export struct {
	Generation int64
	Since      int64 // the generation that what is written follows; 0: it follows nothing
	AsOf       time.Time
	Expires    time.Time
	Repository portal.Digest
	Datasets   []StickDataset // not withdrawn, by id
	LeftOut    []Item         // what this node does not hold itself

	contents  Contents
	served    disk.FS
	pieces    []piece // everything but the timestamp, in the order of writing
	timestamp []byte
	progress  func(stage string, done, total int64)
}

// StickDataset is a dataset for the pages that people read on a stick.
type StickDataset struct {
	ID        portal.DatasetID
	Title     portal.Text
	Issued    time.Time
	Publisher portal.Publisher
	Contact   portal.Contact // who answers; zero where the record names nobody
	Files     []StickFile
}

// StickFile is a plain file: its original bytes under a readable name.
type StickFile struct {
	Name     string // below KOPRIK/: "files/main_water/release-3/water.csv"; "" when it is not on this stick
	Resource portal.Resource
}

// piece is one file of the tree. Its bytes are given, or held under a hash.
type piece struct {
	name    string
	bytes   []byte        // where held is zero
	held    portal.Digest // of contents or a manifest
	size    int64         // of the contents
	carrier bool          // stands compressed
	lacking bool          // the generation that the stick follows lacks it
}

// maxPlain is the largest file that FAT32 holds.
const maxPlain = 4<<30 - 1

// PlainFile is where a file of a release stands on a stick, for people.
func PlainFile(id portal.DatasetID, release int, path string) string {
	return fmt.Sprintf("files/%s/release-%d/%s", id, release, path)
}

// PlanExport reads what the accepted copy is made of. It does not look at the
// contents themselves; the caller keeps trust/ still until it returns.
func (m *Mirror) PlanExport(ctx context.Context, o ExportOptions) (*Export, error) {
	a, err := m.load()
	if err != nil {
		return nil, err
	}
	state := a.state(false)
	switch {
	case state.Generation == 0 || len(a.damaged) > 0:
		return nil, &portal.Problem{
			Kind: portal.ErrNotFound, Where: "export", Message: "this node has no whole copy yet that could be written",
			Hint: "koprik sync brings one",
		}
	case o.Since > state.Generation:
		return nil, &portal.Problem{
			Kind: portal.ErrUsage, Where: "--since " + strconv.FormatInt(o.Since, 10),
			Message: fmt.Sprintf("this node has generation %d", state.Generation), Hint: "koprik status says which generation a node has",
		}
	}
	e := &Export{
		Generation: state.Generation, AsOf: state.AsOf, Expires: state.Expires, Repository: state.Repository,
		contents: m.o.Contents, served: o.Repository, progress: m.o.Progress,
	}
	p := &exportPlan{Export: e, m: m, a: a, carriers: map[portal.Digest]int{}}
	if o.Since > 0 {
		p.old, e.Since = earlier(o.Repository, o.Since)
	}
	p.exact = e.Since == o.Since
	if err := p.metadata(); err != nil {
		return nil, err
	}
	l, err := list(a)
	if err != nil {
		return nil, err
	}
	p.records(l)
	p.sides(l)
	for _, id := range slices.Sorted(maps.Keys(l.datasets)) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := p.dataset(id, l.datasets[id]); err != nil {
			return nil, fmt.Errorf("dataset %s: %w", id, err)
		}
	}
	return e, nil
}

// generationThen is what an earlier generation listed.
type generationThen struct {
	listing
	roles map[string]int64 // versions, by file name
}

// earlier reads the generation g out of the served repository, or the newest one
// before it that is known there: what is lacking since then is lacking at g, too.
// The generation that it gives is 0 when none is known.
func earlier(repo disk.FS, g int64) (generationThen, int64) {
	if repo == nil {
		return generationThen{}, 0
	}
	for _, v := range versionsOf(disk.Sub(repo, "metadata"), "snapshot") {
		if v > g {
			continue
		}
		if then, err := generationOf(disk.Sub(repo, "metadata"), v); err == nil {
			return then, v
		}
	}
	return generationThen{}, 0
}

func generationOf(metadata disk.FS, v int64) (generationThen, error) {
	then := generationThen{listing: newListing(), roles: map[string]int64{}}
	b, err := disk.ReadFile(metadata, carrier.MetadataName("snapshot", v), maxMetadata)
	if err != nil {
		return then, err
	}
	snapshot, err := tuf.ParseSnapshot(b)
	if err != nil {
		return then, err
	}
	for name, file := range snapshot.Meta {
		then.roles[name] = file.Version
	}
	if b, err = disk.ReadFile(metadata, carrier.MetadataName("targets", then.roles["targets.json"]), maxMetadata); err != nil {
		return then, err
	}
	targets, err := tuf.ParseTargets(b)
	if err != nil {
		return then, err
	}
	for _, d := range targets.Roles {
		version, published := then.roles[d.Name+".json"]
		if !published {
			continue
		}
		if b, err = disk.ReadFile(metadata, carrier.MetadataName(d.Name, version), maxMetadata); err != nil {
			return then, err
		}
		role, err := tuf.ParseTargets(b)
		if err == nil {
			err = then.add(portal.PublisherID(d.Name), &role)
		}
		if err != nil {
			return then, err
		}
	}
	return then, nil
}

// exportPlan is an Export being made.
type exportPlan struct {
	*Export
	m     *Mirror
	a     *accepted
	old   generationThen
	exact bool // old is the generation that was asked for: what it holds is known by hash

	carriers map[portal.Digest]int // planned contents, by their place in pieces
}

// metadata plans the roots and the roles that count, as they were signed.
func (p *exportPlan) metadata() error {
	versions, err := roots(p.m.o.Trust)
	if err != nil {
		return err
	}
	for _, v := range versions {
		if err := p.role("root", v, true); err != nil {
			return err
		}
	}
	snapshot := p.a.set.Snapshot()
	meta := snapshot.Meta
	for _, id := range p.a.publishers() {
		file := string(id) + ".json"
		version, published := meta[file]
		if !published {
			continue
		}
		if err := p.role(string(id), version.Version, p.old.roles[file] != version.Version); err != nil {
			return err
		}
	}
	targets := meta["targets.json"].Version
	if err := p.role("targets", targets, p.old.roles["targets.json"] != targets); err != nil {
		return err
	}
	if err := p.role("snapshot", snapshot.Version, true); err != nil {
		return err
	}
	p.timestamp, err = disk.ReadFile(p.m.o.Trust, "timestamp.json", maxTimestamp)
	return err
}

// role plans one metadata file: the accepted one, or the one that is served when
// it was not accepted, so that who takes the stick can judge it for himself.
func (p *exportPlan) role(role string, version int64, lacking bool) error {
	name := carrier.MetadataName(role, version)
	b, err := disk.ReadFile(p.m.o.Trust, name, maxMetadata)
	if err != nil && p.served != nil {
		b, err = disk.ReadFile(p.served, "metadata/"+name, maxMetadata)
	}
	if err != nil {
		return fmt.Errorf("metadata %s: %w", name, err)
	}
	p.pieces = append(p.pieces, piece{name: "metadata/" + name, bytes: b, size: int64(len(b)), lacking: lacking})
	return nil
}

func (p *exportPlan) records(l listing) {
	for _, id := range slices.Sorted(maps.Keys(l.records)) {
		want := l.records[id]
		p.pieces = append(p.pieces, piece{
			name: datapackage.PublisherFile(id, want.number, want.target.SHA256),
			held: want.target.SHA256, size: want.target.Length, lacking: p.old.records[id] != want,
		})
	}
}

// dataset plans the contents of the latest release, compressed for nodes and
// plain for people, and the manifests of all releases.
func (p *exportPlan) dataset(id portal.DatasetID, want listed) error {
	had := p.old.datasets[id]
	next := &portal.PreviousRelease{Release: want.number, SHA256: want.target.SHA256, Length: want.target.Length}
	var latest portal.Release
	known := map[portal.Digest]bool{} // contents that the old generation held
	for next != nil {
		b, err := p.contents.ReadAll(next.SHA256, maxManifest)
		if err != nil {
			return fmt.Errorf("manifest of release %d: %w", next.Release, err)
		}
		release, err := datapackage.Decode(b)
		if err != nil {
			return verdict(datapackage.ManifestPath(id, next.Release), err)
		}
		if next.Release == want.number {
			latest = release
		}
		if p.exact && next.Release == had.number {
			for _, r := range release.Resources {
				known[r.Hash] = true
			}
		}
		p.pieces = append(p.pieces, piece{
			name: datapackage.ManifestFile(id, next.Release, next.SHA256), held: next.SHA256, size: int64(len(b)),
			lacking: next.Release > had.number,
		})
		next = release.Previous
	}
	if latest.Withdrawn != nil {
		return nil
	}
	changed := want.number != had.number
	return p.files(id, latest, func(d portal.Digest) bool { return changed && !known[d] })
}

func (p *exportPlan) files(id portal.DatasetID, r portal.Release, lacking func(portal.Digest) bool) error {
	d := StickDataset{ID: id, Title: r.Title, Issued: r.Issued, Publisher: portal.Publisher{ID: id.Publisher()}}
	if record, ok, err := p.record(id.Publisher()); err != nil {
		return err
	} else if ok {
		d.Publisher = record
		d.Contact, _ = record.Contact(r.Passport.Contact)
	}
	for _, res := range r.Resources {
		file := StickFile{Resource: portal.Resource{
			Name: res.Name, Path: res.Path, Title: res.Title, Format: res.Format, Bytes: res.Bytes, Hash: res.Hash,
		}}
		if !p.contents.Has(res.Hash) {
			p.LeftOut = append(p.LeftOut, Item{Dataset: id, Resource: res})
			d.Files = append(d.Files, file)
			continue
		}
		it := piece{name: datapackage.ObjectFile(res.Hash), held: res.Hash, size: res.Bytes, carrier: true, lacking: lacking(res.Hash)}
		if i, twice := p.carriers[res.Hash]; twice {
			p.pieces[i].lacking = p.pieces[i].lacking || it.lacking
		} else {
			p.carriers[res.Hash] = len(p.pieces)
			p.pieces = append(p.pieces, it)
		}
		if res.Bytes <= maxPlain {
			file.Name = PlainFile(id, r.Number, res.Path)
			it.name, it.carrier = file.Name, false
			p.pieces = append(p.pieces, it)
		}
		d.Files = append(d.Files, file)
	}
	p.Datasets = append(p.Datasets, d)
	return nil
}

// record gives what a publisher says of itself.
func (p *exportPlan) record(id portal.PublisherID) (portal.Publisher, bool, error) {
	if n := len(p.Datasets); n > 0 && p.Datasets[n-1].Publisher.ID == id {
		return p.Datasets[n-1].Publisher, true, nil // datasets come publisher by publisher
	}
	l, err := listOf(p.a, id)
	if err != nil {
		return portal.Publisher{}, false, err
	}
	want, ok := l.records[id]
	if !ok {
		return portal.Publisher{}, false, nil
	}
	b, err := p.contents.ReadAll(want.target.SHA256, maxManifest)
	if errors.Is(err, portal.ErrNotHeld) {
		return portal.Publisher{}, false, nil
	}
	if err != nil {
		return portal.Publisher{}, false, err
	}
	record, err := datapackage.DecodePublisher(b)
	return record, err == nil, err
}
