package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var day = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

type object = map[string]any

// repo is a repository of any kind that serves what a test puts into it. One
// key signs everything, and next publishes all roles anew.
type repo struct {
	t       *testing.T
	key     crypto.Signer
	scheme  string
	version map[string]int
	roles   map[string]object // targets and below: their signed parts
	files   map[string][]byte
	asked   []string
	url     string
	dir     string // of the client
}

func newRepo(t *testing.T, key crypto.Signer, scheme string) *repo {
	r := &repo{
		t: t, key: key, scheme: scheme, version: map[string]int{}, files: map[string][]byte{}, dir: t.TempDir(),
		roles: map[string]object{"targets": {"targets": object{}}},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		name := strings.TrimPrefix(req.URL.EscapedPath(), "/")
		r.asked = append(r.asked, name)
		b, ok := r.files[name]
		if !ok {
			http.NotFound(w, req)
			return
		}
		_, _ = w.Write(b)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func newEd25519(t *testing.T) *repo {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	r := newRepo(t, key, "ed25519")
	r.must(err)
	return r
}

func (r *repo) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// keys are the one key under the id "k", as metadata states it.
func (r *repo) keys() object {
	kind, public := "ed25519", ""
	if p, ok := r.key.Public().(ed25519.PublicKey); ok {
		public = hex.EncodeToString(p)
	} else {
		der, err := x509.MarshalPKIXPublicKey(r.key.Public())
		r.must(err)
		public = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		kind, _, _ = strings.Cut(r.scheme, "-")
		kind = strings.TrimSuffix(kind, "ssa")
	}
	return object{"k": object{"keytype": kind, "scheme": r.scheme, "keyval": object{"public": public}}}
}

func role() object { return object{"keyids": []string{"k"}, "threshold": 1} }

// canonical is right for what these tests write.
func canonical(v any) []byte {
	b, _ := json.Marshal(v)
	return []byte(strings.ReplaceAll(string(b), `\n`, "\n"))
}

// sign makes the next version of a role's file.
func (r *repo) sign(name, kind string, signed object) []byte {
	r.version[name]++
	signed = maps.Clone(signed)
	maps.Copy(signed, object{"_type": kind, "spec_version": "1.0.31", "version": r.version[name], "expires": "2031-01-01T00:00:00Z"})
	var opts crypto.SignerOpts = crypto.Hash(0)
	message := canonical(signed)
	if r.scheme != "ed25519" {
		sum := sha256.Sum256(message)
		message, opts = sum[:], crypto.SHA256
	}
	if r.scheme == "rsassa-pss-sha256" {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	}
	sig, err := r.key.Sign(rand.Reader, message, opts)
	r.must(err)
	b, err := json.Marshal(object{"signatures": []object{{"keyid": "k", "sig": hex.EncodeToString(sig)}}, "signed": signed})
	r.must(err)
	return b
}

func (r *repo) put(name, kind string, signed object) {
	b := r.sign(name, kind, signed)
	r.files[fmt.Sprintf("%d.%s.json", r.version[name], quoted(name))] = b
}

func (r *repo) root() {
	roles := object{"root": role(), "timestamp": role(), "snapshot": role(), "targets": role()}
	r.put("root", "root", object{"consistent_snapshot": true, "keys": r.keys(), "roles": roles})
}

// next publishes every role in a new version.
func (r *repo) next() {
	meta := object{}
	for name, signed := range r.roles {
		r.put(name, "targets", signed)
		meta[name+".json"] = object{"version": r.version[name]}
	}
	r.put("snapshot", "snapshot", object{"meta": meta})
	r.timestamp()
}

func (r *repo) timestamp() {
	r.files["timestamp.json"] = r.sign("timestamp", "timestamp", object{"meta": object{"snapshot.json": object{"version": r.version["snapshot"]}}})
}

// delegate lets one role delegate to another one.
func (r *repo) delegate(from, to string, terminating bool, paths ...string) {
	if r.roles[to] == nil {
		r.roles[to] = object{"targets": object{}}
	}
	d, ok := r.roles[from]["delegations"].(object)
	if !ok {
		d = object{"keys": r.keys(), "roles": []object{}}
		r.roles[from]["delegations"] = d
	}
	one := role()
	maps.Copy(one, object{"name": to, "paths": paths, "terminating": terminating})
	d["roles"] = append(d["roles"].([]object), one)
}

// target puts a file into the repository, and into a role, by its SHA-512 if so wished.
func (r *repo) target(in, path, contents string, by512 bool) {
	hash, algorithm := fmt.Sprintf("%x", sha256.Sum256([]byte(contents))), "sha256"
	if by512 {
		hash, algorithm = fmt.Sprintf("%x", sha512.Sum512([]byte(contents))), "sha512"
	}
	r.roles[in]["targets"].(object)[path] = object{"length": len(contents), "hashes": object{algorithm: hash}}
	folder, base := filepath.Split(path)
	r.files["targets/"+folder+hash+"."+base] = []byte(contents)
}

// start publishes for the first time, and brings the client the root.
func (r *repo) start() {
	r.root()
	r.next()
	file := filepath.Join(r.t.TempDir(), "root.json")
	r.must(os.WriteFile(file, r.files["1.root.json"], 0o600))
	r.must(r.run("init", file))
}

// run is one run of the program, with the time of the test.
func (r *repo) run(args ...string) error {
	r.asked = nil
	all := append([]string{"--metadata-dir", r.dir, "--metadata-url", r.url + "/", "--target-base-url", r.url + "/targets/", "--target-dir", r.dir}, args...)
	return run(r.t.Context(), all, func(context.Context) (time.Time, error) { return day, nil })
}

func (r *repo) download(names ...string) error {
	args := []string{}
	for _, n := range names {
		args = append(args, "--target-name", n)
	}
	return r.run(append(args, "download")...)
}

// held is the version of a role that the client trusts, 0 without one.
func (r *repo) held(name string) int {
	var file struct{ Signed struct{ Version int } }
	b, err := os.ReadFile(filepath.Join(r.dir, name+".json"))
	if err == nil {
		r.must(json.Unmarshal(b, &file))
	}
	return file.Signed.Version
}

func TestEveryKindOfKeyOfTheSpecificationVerifies(t *testing.T) {
	_, ed, errEd := ed25519.GenerateKey(rand.Reader)
	ec, errEC := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rs, errRSA := rsa.GenerateKey(rand.Reader, 2048)
	if errEd != nil || errEC != nil || errRSA != nil {
		t.Fatal(errEd, errEC, errRSA)
	}
	for scheme, key := range map[string]crypto.Signer{"ed25519": ed, "ecdsa-sha2-nistp256": ec, "rsassa-pss-sha256": rs} {
		r := newRepo(t, key, scheme)
		r.start()
		if err := r.run("refresh"); err != nil || r.held("targets") != 1 {
			t.Errorf("%s: %v", scheme, err)
		}
		for _, spoilt := range []string{`"ab`, `"zz`, `"`} {
			r.next()
			b := string(r.files["timestamp.json"])
			at := strings.Index(b, `"sig":"`) + len(`"sig":`)
			r.files["timestamp.json"] = []byte(b[:at] + spoilt + b[at+1+len(spoilt):])
			if err := r.run("refresh"); err == nil || r.held("timestamp") != 1 {
				t.Errorf("%s: a broken signature counts", scheme)
			}
		}
	}
}

func TestDelegationsAreSearchedDepthFirstInTheirOrder(t *testing.T) {
	type arrow struct {
		from, to    string
		terminating bool
		path        string
	}
	for name, c := range map[string]struct {
		arrows []arrow
		want   string
	}{
		"two levels":                      {[]arrow{{"targets", "A", false, "*"}, {"targets", "B", false, "*"}, {"B", "C", false, "*"}}, "A B C"},
		"depth first":                     {[]arrow{{"targets", "A", false, "*"}, {"targets", "B", false, "*"}, {"A", "C", false, "*"}, {"A", "D", false, "*"}}, "A C D B"},
		"a terminating one ends the rest": {[]arrow{{"targets", "A", false, "*"}, {"targets", "B", false, "*"}, {"A", "C", true, "*"}, {"A", "D", false, "*"}}, "A C"},
		"but not what is below it":        {[]arrow{{"targets", "A", true, "*"}, {"targets", "B", false, "*"}, {"A", "C", false, "*"}}, "A C"},
		"a path that doesn't match":       {[]arrow{{"targets", "A", true, "*.py"}, {"targets", "B", false, "*"}}, "B"},
		"a star stops at a slash":         {[]arrow{{"targets", "A", false, "*/*"}, {"targets", "B", false, "?issing"}}, "B"},
		"a circle":                        {[]arrow{{"targets", "A", false, "*"}, {"A", "B", false, "*"}, {"B", "A", false, "*"}, {"B", "targets", false, "*"}}, ""},
		"a circle below":                  {[]arrow{{"targets", "A", false, "*"}, {"A", "B", false, "*"}, {"B", "A", false, "*"}}, "A B"},
		"two that delegate to one":        {[]arrow{{"targets", "A", false, "*"}, {"targets", "B", false, "*"}, {"B", "C", false, "*"}, {"A", "C", false, "*"}}, "A C B"},
	} {
		r := newEd25519(t)
		for _, a := range c.arrows {
			r.delegate(a.from, a.to, a.terminating, a.path)
		}
		r.start()
		if err := r.download("missing"); err == nil {
			t.Errorf("%s: found", name)
		}
		var visited []string
		for _, path := range r.asked[min(4, len(r.asked)):] {
			visited = append(visited, strings.Split(path, ".")[1])
		}
		if got := strings.Join(visited, " "); got != c.want && name != "a circle" {
			t.Errorf("%s: asked for %s, want %s", name, got, c.want)
		}
	}
}

func TestTargetsComeInOrderVerifiedAndOnce(t *testing.T) {
	r := newEd25519(t)
	r.delegate("targets", "../?#ʻ 1", false, "x/*/*")
	r.target("targets", "one", "1", false)
	r.target("../?#ʻ 1", "x/y/two", "22", true)
	r.target("targets", "bad", "good", false)
	for path := range r.files {
		if strings.HasSuffix(path, ".bad") {
			r.files[path] = []byte("evil")
		}
	}
	r.start()
	r.must(r.download("one", "x/y/two"))
	want := []string{"2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"}
	if !slices.Equal(r.asked[:4], want) || r.asked[5] != "1...%2F%3F%23%CA%BB%201.json" || len(r.asked) != 7 {
		t.Errorf("asked for %q", r.asked)
	}
	r.must(r.download("x/y/two", "one"))
	if len(r.asked) != 2 {
		t.Errorf("asked again for %q", r.asked)
	}
	if err := r.download("bad", "nowhere"); err == nil || len(r.asked) != 3 {
		t.Errorf("%v after %q", err, r.asked)
	}
	if b, err := os.ReadFile(filepath.Join(r.dir, "x%2Fy%2Ftwo")); err != nil || string(b) != "22" {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "bad")); err == nil {
		t.Error("a target that isn't what was signed was kept")
	}
}

func TestARunKnowsHowFarEarlierRunsCame(t *testing.T) {
	r := newEd25519(t)
	r.start()
	r.next()
	old := r.files["timestamp.json"]
	r.next()
	r.must(r.run("refresh"))
	r.version["snapshot"]++ // named, and not there
	r.timestamp()
	if err := r.run("refresh"); err == nil || r.held("timestamp") != 4 || r.held("snapshot") != 3 {
		t.Errorf("%v; timestamp %d, snapshot %d", err, r.held("timestamp"), r.held("snapshot"))
	}
	newest := r.files["timestamp.json"]
	r.files["timestamp.json"] = old
	if err := r.run("refresh"); err == nil || r.held("timestamp") != 4 {
		t.Error("the timestamp went back")
	}
	r.files["timestamp.json"] = newest
	r.version["targets"] = 0 // a snapshot with targets 1, after 3
	r.version["snapshot"]--
	r.next()
	if err := r.run("refresh"); err == nil || r.held("snapshot") != 3 || r.held("targets") != 3 {
		t.Errorf("%v; snapshot %d, targets %d", err, r.held("snapshot"), r.held("targets"))
	}
}

func TestNewKeysMakeTheClientForgetWhatTheOldOnesSigned(t *testing.T) {
	r := newEd25519(t)
	r.version["timestamp"], r.version["snapshot"], r.version["targets"] = 99, 99, 99
	r.start()
	r.must(r.run("refresh"))
	clear(r.version)
	r.version["root"] = 1
	oldKey := r.key
	_, key, err := ed25519.GenerateKey(rand.Reader)
	r.must(err)
	r.key = key
	r.next()
	roles := object{"root": role(), "timestamp": object{"keyids": []string{"n"}, "threshold": 1}, "snapshot": role(), "targets": role()}
	newKeys := r.keys()["k"]
	r.key = oldKey
	keys := r.keys()
	keys["n"] = newKeys
	r.put("root", "root", object{"consistent_snapshot": true, "keys": keys, "roles": roles})
	r.version["snapshot"], r.version["targets"] = 0, 0
	r.next()
	r.key, r.version["timestamp"] = key, 0
	r.timestamp()
	r.files["timestamp.json"] = []byte(strings.Replace(string(r.files["timestamp.json"]), `"keyid":"k"`, `"keyid":"n"`, 1))
	r.must(r.run("refresh"))
	if r.held("root") != 2 || r.held("timestamp") != 1 || r.held("snapshot") != 1 || r.held("targets") != 1 {
		t.Errorf("root %d, timestamp %d, snapshot %d, targets %d", r.held("root"), r.held("timestamp"), r.held("snapshot"), r.held("targets"))
	}
}

func TestTheSameVersionWithOtherBytesChangesNothing(t *testing.T) {
	r := newEd25519(t)
	r.start()
	r.must(r.run("refresh"))
	r.version["timestamp"], r.version["snapshot"] = 0, 100
	r.timestamp()
	if err := r.run("refresh"); err != nil || r.held("snapshot") != 1 || len(r.asked) != 2 {
		t.Errorf("%v, asked for %q", err, r.asked)
	}
}

func TestACommandLineThatIsNotUnderstoodIsAnError(t *testing.T) {
	for _, args := range [][]string{{}, {"walk"}, {"init"}, {"init", "nothing-here"}, {"refresh", "x"}, {"--metadata-dir"}, {"--target-name"}, {"refresh"}} {
		if err := run(t.Context(), args, date); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
	if now, err := date(t.Context()); err != nil || now.Before(day.AddDate(-10, 0, 0)) {
		t.Errorf("%v, %v", now, err)
	}
}
