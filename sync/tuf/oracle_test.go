package tuf

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sigstore "github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
)

// go-tuf is the other reading of the specification: it reads what we write, we
// read what it writes.

func TestGoTufReadsWhatWeWriteAndDownloadsATarget(t *testing.T) {
	for _, hashes := range []bool{false, true} {
		contents := []byte("a manifest")
		const path, file = "d/main/water-2015/1.json", "d/main/water-2015/%x.1.json"
		r := newRepo(t)
		r.hashes = hashes
		later := time.Now().AddDate(1, 0, 0)
		r.root.Expires, r.time.Expires, r.snap.Expires, r.top.Expires = later, later, later, later
		r.pub["main"] = Targets{Version: 3, Expires: later, Targets: map[string]Target{path: {Length: int64(len(contents)), SHA256: sha256.Sum256(contents)}}}
		first := r.rootFile()
		r.root.Version = 2
		r.rootRole("root", 2, testKey(1), testKey(31), testKey(32))
		files := map[string][]byte{
			"/metadata/2.root.json": r.rootFile(), "/metadata/timestamp.json": r.timestampFile(),
			"/metadata/1.snapshot.json": r.snapshotFile(), "/metadata/1.targets.json": r.targetsFile(),
			"/metadata/3.main.json": r.pubFile("main"), "/" + fmt.Sprintf(file, sha256.Sum256(contents)): contents,
		}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			b, ok := files[req.URL.Path]
			if !ok {
				http.NotFound(w, req)
			}
			_, _ = w.Write(b)
		}))
		defer server.Close()
		cfg, err := config.New(server.URL+"/metadata/", first)
		if err != nil {
			t.Fatal(err)
		}
		cfg.LocalMetadataDir, cfg.LocalTargetsDir, cfg.RemoteTargetsURL = t.TempDir(), t.TempDir(), server.URL
		u, err := updater.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		info, err := u.GetTargetInfo(path)
		if err != nil {
			t.Fatal(err)
		}
		_, got, err := u.DownloadTarget(info, filepath.Join(cfg.LocalTargetsDir, "it"), "")
		if err != nil || string(got) != string(contents) {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// goTufFile is a file as go-tuf writes it, indented or not.
func goTufFile[T metadata.Roles](t *testing.T, m *metadata.Metadata[T], pretty bool, keys ...PrivateKey) []byte {
	t.Helper()
	for _, k := range keys {
		signer, err := sigstore.LoadSigner(k.ed25519(), crypto.Hash(0))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Sign(signer); err != nil {
			t.Fatal(err)
		}
	}
	b, err := m.ToBytes(pretty)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func goTufKey(t *testing.T, k PrivateKey) *metadata.Key {
	t.Helper()
	key, err := metadata.KeyFromPublicKey(k.ed25519().Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	if id, err := key.ID(); err != nil || id != k.Public().ID() {
		t.Fatalf("go-tuf calls the key %s, we %s; %v", id, k.Public().ID(), err)
	}
	return key
}

func TestWeReadWhatGoTufWrites(t *testing.T) {
	const path = "d/main/suv-ʻoʻlchami/1.json"
	for _, pretty := range []bool{false, true} {
		root := metadata.Root(expires)
		for i, role := range topRoles {
			if err := root.Signed.AddKey(goTufKey(t, testKey(byte(i+1))), role); err != nil {
				t.Fatal(err)
			}
		}
		stamp, snap, top, pub := metadata.Timestamp(expires), metadata.Snapshot(expires), metadata.Targets(expires), metadata.Targets(expires)
		target, err := metadata.TargetFile().FromBytes("x", []byte("it"), "sha256", "sha512")
		if err != nil {
			t.Fatal(err)
		}
		pub.Signed.Targets[path] = target
		top.Signed.Delegations = &metadata.Delegations{Keys: map[string]*metadata.Key{}, Roles: []metadata.DelegatedRole{
			{Name: "main", Threshold: 1, Paths: []string{"d/main/*/*"}, Terminating: true},
		}}
		if err := top.Signed.AddKey(goTufKey(t, testKey(5)), "main"); err != nil {
			t.Fatal(err)
		}
		snap.Signed.Meta["main.json"] = metadata.MetaFile(1)
		s, err := NewSet(goTufFile(t, root, pretty, testKey(1)))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.UpdateTimestamp(goTufFile(t, stamp, pretty, testKey(2)), before),
			s.UpdateSnapshot(goTufFile(t, snap, pretty, testKey(3)), before), s.UpdateTargets(goTufFile(t, top, pretty, testKey(4)), before),
			s.UpdateDelegated("main", goTufFile(t, pub, pretty, testKey(5)), before)); err != nil {
			t.Fatal(err)
		}
		if got := s.Delegated("main").Targets[path]; got != (Target{Length: 2, SHA256: sha256.Sum256([]byte("it"))}) {
			t.Errorf("%+v", got)
		}
	}
	if !strings.Contains(specVersion, metadata.SPECIFICATION_VERSION) {
		t.Errorf("we write specification %s, go-tuf %s", specVersion, metadata.SPECIFICATION_VERSION)
	}
}
