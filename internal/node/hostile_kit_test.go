package node_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"koprik/internal/faults"
	"koprik/internal/node"
	"koprik/portal"
)

type object = map[string]any

// forge is a repository in hostile hands: a copy of a centre's, with its private
// keys. It signs whatever it is told to.
type forge struct {
	t      *testing.T
	dir    string
	keys   map[string]ed25519.PrivateKey // by key id
	origin *faults.Origin
	url    string

	// The versions that the mirror holds, for who forks them.
	heldVersion, heldSnapshot, heldMain int64
}

func newForge(t *testing.T, central *node.Node) *forge {
	t.Helper()
	f := &forge{t: t, dir: t.TempDir(), keys: map[string]ed25519.PrivateKey{}}
	copyTree(t, repository(central), f.dir)
	must(t, os.RemoveAll(filepath.Join(f.dir, "from"))) // mirrors walk, and ask for every file
	files, err := filepath.Glob(filepath.Join(central.Dir(), "keys", "*.pem"))
	must(t, err)
	for _, file := range files {
		b, err := os.ReadFile(file)
		must(t, err)
		block, _ := pem.Decode(b)
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		must(t, err)
		f.add(key.(ed25519.PrivateKey))
	}
	f.origin = faults.NewOrigin(os.DirFS(f.dir))
	server := httptest.NewServer(httpPrefix("/repository/", f.origin))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// publicKey is a key as metadata states it.
func publicKey(public ed25519.PublicKey) object {
	return object{"keytype": "ed25519", "scheme": "ed25519", "keyval": object{"public": hex.EncodeToString(public)}}
}

func (f *forge) add(key ed25519.PrivateKey) (id string) {
	id = fmt.Sprintf("%x", sha256.Sum256(canonical(publicKey(key.Public().(ed25519.PublicKey)))))
	f.keys[id] = key
	return id
}

// thief makes a key that nobody has delegated to.
func (f *forge) thief() (id string, public object) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(len(f.keys))}, ed25519.SeedSize))
	return f.add(key), publicKey(key.Public().(ed25519.PublicKey))
}

// canonical is right for what these tests write: no control characters.
func canonical(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func (f *forge) path(name string) string { return filepath.Join(f.dir, "metadata", name) }

func (f *forge) write(name string, b []byte) { must(f.t, os.WriteFile(f.path(name), b, 0o600)) }

func (f *forge) read(name string) []byte {
	f.t.Helper()
	b, err := os.ReadFile(f.path(name))
	must(f.t, err)
	return b
}

// newest is the newest version of a role, and its file's name.
func (f *forge) newest(role string) (version int64, name string) {
	if role == "timestamp" {
		return 0, "timestamp.json"
	}
	files, err := filepath.Glob(f.path("*." + role + ".json"))
	must(f.t, err)
	for _, file := range files {
		number, _, _ := strings.Cut(filepath.Base(file), ".")
		v, err := strconv.ParseInt(number, 10, 64)
		must(f.t, err)
		version = max(version, v)
	}
	return version, fmt.Sprintf("%d.%s.json", version, role)
}

// signed is the signed part of a role's newest file, and who signed it.
func (f *forge) signed(role string) (signed object, by []string) {
	_, name := f.newest(role)
	var file struct {
		Signatures []struct{ KeyID string }
		Signed     object
	}
	d := json.NewDecoder(bytes.NewReader(f.read(name)))
	d.UseNumber()
	must(f.t, d.Decode(&file))
	for _, s := range file.Signatures {
		by = append(by, s.KeyID)
	}
	return file.Signed, by
}

// sign makes a file of a signed part.
func (f *forge) sign(signed object, by ...string) []byte {
	message := canonical(signed)
	sigs := []object{}
	for _, id := range by {
		sigs = append(sigs, object{"keyid": id, "sig": hex.EncodeToString(ed25519.Sign(f.keys[id], message))})
	}
	return canonical(object{"signatures": sigs, "signed": signed})
}

// edit publishes a role's next version, changed, by its own keys or others.
// Snapshot and timestamp stay behind: publish brings them after.
func (f *forge) edit(role string, change func(object), by ...string) {
	signed, own := f.signed(role)
	if len(by) == 0 {
		by = own
	}
	version, _ := signed["version"].(json.Number).Int64()
	signed["version"] = version + 1
	change(signed)
	b := f.sign(signed, by...)
	if role == "timestamp" {
		f.write("timestamp.json", b)
		return
	}
	f.write(fmt.Sprintf("%d.%s.json", version+1, role), b)
}

// publish brings snapshot and timestamp to the newest versions of the other
// roles, and changes them.
func (f *forge) publish(snapshot, timestamp func(object)) {
	f.edit("snapshot", func(s object) {
		for name := range s["meta"].(object) {
			version, _ := f.newest(strings.TrimSuffix(name, ".json"))
			s["meta"].(object)[name] = object{"version": version}
		}
		if snapshot != nil {
			snapshot(s)
		}
	})
	f.edit("timestamp", func(s object) {
		version, _ := f.newest("snapshot")
		s["meta"] = object{"snapshot.json": object{"version": version}}
		if timestamp != nil {
			timestamp(s)
		}
	})
}

// tamper changes a file as text, as whoever stands on the path can.
func (f *forge) tamper(role, old, new string) {
	f.t.Helper()
	_, name := f.newest(role)
	b := f.read(name)
	if !bytes.Contains(b, []byte(old)) {
		f.t.Fatalf("%s has no %s: %s", name, old, b)
	}
	f.write(name, bytes.Replace(b, []byte(old), []byte(new), 1))
}

// delegation is the delegation to a publisher, in the signed part of targets.
func delegation(targets object, name string) object {
	for _, d := range targets["delegations"].(object)["roles"].([]any) {
		if d.(object)["name"] == name {
			return d.(object)
		}
	}
	return nil
}

// delegate adds a delegation, made like the one to main but for what changes.
func delegate(targets, changes object) {
	d := maps.Clone(delegation(targets, "main"))
	maps.Copy(d, changes)
	all := targets["delegations"].(object)
	all["roles"] = append(all["roles"].([]any), d)
}

// victim is a mirror that has a copy, and must not lose or change it.
type victim struct {
	*node.Node
	t          *testing.T
	titles     map[portal.DatasetID]string
	generation int64
}

func newVictim(t *testing.T, m *node.Node) *victim {
	t.Helper()
	return &victim{m, t, titles(t, m), generation(t, m)}
}

// unharmed asserts that the mirror serves what it served before.
func (v *victim) unharmed(after string) {
	v.t.Helper()
	if got := titles(v.t, v.Node); !maps.Equal(got, v.titles) || generation(v.t, v.Node) != v.generation {
		v.t.Errorf("after %s the mirror shows %v of generation %d, before %v of %d", after, got, generation(v.t, v.Node), v.titles, v.generation)
	}
}
