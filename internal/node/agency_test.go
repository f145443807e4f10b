package node_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"koprik/internal/node"
	"koprik/portal"
)

// newAgency makes an agency's node, which signs with a key of its own, and lets
// the centre delegate to that key.
func newAgency(t *testing.T, central *node.Node, publisher string) *node.Node {
	t.Helper()
	dir := t.TempDir()
	_, err := node.Init(t.Context(), dir, node.InitOptions{
		Config: config(t, "role", "agency", "title", "Sogʻliqni saqlash", "contact", "desk@health.example.org", "publisher", publisher),
	}, options())
	must(t, err)
	agency := open(t, dir, options())
	if central != nil {
		_, err = central.Delegate(t.Context(), portal.PublisherID(publisher), 0, []node.KeyFile{givenKey(t, agency, publisher)})
		must(t, err)
	}
	return agency
}

// givenKey is a role's key as its owner gives it away.
func givenKey(t *testing.T, n *node.Node, role string) node.KeyFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.pub")
	must(t, os.WriteFile(path, []byte(keyOf(t, n, role).Public+"\n"), 0o600))
	f, err := node.ReadKeyFile(path, nil)
	must(t, err)
	return f
}

// serveHTTP serves a node's addresses; wrap may stand between.
func serveHTTP(t *testing.T, n *node.Node, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	h, err := n.Handler()
	must(t, err)
	if wrap != nil {
		h = wrap(h)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func wantSigner(t *testing.T, n *node.Node, id portal.DatasetID, key string) {
	t.Helper()
	if d := dataset(t, n, id); !slices.Equal(d.Signers, []string{key}) || d.Suspended {
		t.Errorf("%s: %s is signed by %v, want %s", n.Dir(), id, d.Signers, key)
	}
	if _, err := n.Verify(t.Context()); err != nil {
		t.Errorf("%s: %v", n.Dir(), err)
	}
}

func TestAgencyHandsOverByNetworkAndAMirrorShowsItAsTheSigner(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("own", 1))
	agency := newAgency(t, central, "health")
	m := newMirror(t, central)
	if r := sync(t, m); !slices.Equal(r.Suspended, []portal.PublisherID{"health"}) {
		t.Errorf("before it has signed anything: %+v", r)
	}
	url := serveHTTP(t, central, nil)
	publish(t, agency, revision("a", 1), revision("b", 1))
	publish(t, agency, revision("a", 2))
	out, err := agency.HandOver(t.Context(), url)
	must(t, err)
	if out.Version != 2 || out.Generation != generation(t, central) || out.Objects == 0 {
		t.Errorf("%+v, the centre is at %d", out, generation(t, central))
	}
	if r := sync(t, m); len(r.Suspended) > 0 || len(r.Added) != 2 {
		t.Errorf("%+v", r)
	}
	key := keyOf(t, agency, "health").ID
	for _, n := range []*node.Node{central, m} {
		wantSigner(t, n, "health_a", key)
		wantSigner(t, n, "health_b", key)
		if d := dataset(t, n, "health_a"); d.Latest.Number != 2 || len(d.History) != 2 || d.Publisher.Title.Plain == "" {
			t.Errorf("%+v", d.Latest)
		}
	}
	again, err := agency.HandOver(t.Context(), url)
	must(t, err)
	if !again.Unchanged || again.Generation != out.Generation {
		t.Errorf("%+v", again)
	}
	publish(t, agency, revision("a", 3))
	if out, err = agency.HandOver(t.Context(), url); err != nil || out.Version != 3 || out.Objects != 2 {
		t.Errorf("%+v, %v: one manifest and one file are new", out, err)
	}
	// A withdrawal travels like a release.
	_, err = agency.Withdraw(t.Context(), "health_b", portal.PlainText("names of persons"))
	must(t, err)
	_, err = agency.HandOver(t.Context(), url)
	must(t, err)
	sync(t, m)
	tombstone(t, m, "health_b", "names of persons")
	if got := titles(t, m); !maps.Equal(got, map[portal.DatasetID]string{"main_own": "Common own rev1", "health_a": "Common a rev3"}) {
		t.Errorf("%v", got)
	}
}

func TestAgencyHandsOverOnAStick(t *testing.T) {
	central := newCentral(t)
	agency := newAgency(t, central, "health")
	publish(t, agency, revision("a", 1))
	stick := t.TempDir()
	for round := 1; round <= 3; round++ {
		out, err := agency.HandOver(t.Context(), stick)
		must(t, err)
		if out.Version != int64(round)+1 {
			t.Errorf("round %d: %+v", round, out)
		}
		if _, err = agency.HandOver(t.Context(), stick); err != nil { // written twice before it is carried
			t.Error(err)
		}
		for range 2 { // taken twice
			taken, err := central.TakeInbox(t.Context(), stick)
			must(t, err)
			if len(taken) != 1 || taken[0].Err != nil || taken[0].Generation != generation(t, central) {
				t.Errorf("round %d: %+v", round, taken)
			}
		}
		wantSigner(t, central, "health_a", keyOf(t, agency, "health").ID)
		if d := dataset(t, central, "health_a"); d.Latest.Number != round {
			t.Errorf("round %d: release %d", round, d.Latest.Number)
		}
		if out, err := agency.HandOver(t.Context(), stick); err != nil || !out.Unchanged {
			t.Errorf("round %d, after the answer: %+v, %v", round, out, err)
		}
		publish(t, agency, revision("a", round+1))
	}
}

// TestHandOverGoesOnWhereItWasCut: every third request is cut in its middle.
func TestHandOverGoesOnWhereItWasCut(t *testing.T) {
	central := newCentral(t)
	agency := newAgency(t, central, "health")
	publish(t, agency, big(t, 900_000))
	var requests, sent atomic.Int64
	url := serveHTTP(t, central, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/objects/") {
				b, _ := io.ReadAll(r.Body)
				if requests.Add(1)%3 == 0 {
					b = b[:len(b)/2]
					r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(b), errReader{}))
					sent.Add(int64(len(b)))
					next.ServeHTTP(httptest.NewRecorder(), r)
					panic(http.ErrAbortHandler)
				}
				sent.Add(int64(len(b)))
				r.Body = io.NopCloser(bytes.NewReader(b))
			}
			next.ServeHTTP(w, r)
		})
	})
	_, err := agency.HandOver(t.Context(), url)
	must(t, err)
	if got := sent.Load(); requests.Load() < 5 || got > 910_000 {
		t.Errorf("%d bytes were sent in %d requests for 900,000", got, requests.Load())
	}
	wantSigner(t, central, "health_big", keyOf(t, agency, "health").ID)
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// put makes one request to an inbox and gives its status and body.
func put(t *testing.T, url string, body []byte, head ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, bytes.NewReader(body))
	must(t, err)
	for i := 0; i < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	b, err := io.ReadAll(resp.Body)
	must(t, err)
	must(t, resp.Body.Close())
	return resp.StatusCode, string(b)
}

// roleOf is a role file that an agency signed, as it would hand it in.
func roleOf(t *testing.T, agency *node.Node, publisher string) []byte {
	t.Helper()
	stick := t.TempDir()
	_, err := agency.HandOver(t.Context(), stick)
	must(t, err)
	b, err := os.ReadFile(filepath.Join(stick, "inbox", publisher, "role"))
	must(t, err)
	return b
}

func TestInboxRefusesWhatNobodyMaySignAndChangesNothing(t *testing.T) {
	central := newCentral(t)
	agency := newAgency(t, central, "health")
	thief := newAgency(t, nil, "health") // another key under the same name
	other := newAgency(t, central, "roads")
	for _, n := range []*node.Node{agency, thief, other} {
		publish(t, n, revision("a", 1))
	}
	before := generation(t, central)
	url := serveHTTP(t, central, nil)
	for _, c := range []struct {
		what   string
		path   string
		body   []byte
		status int
		says   string
	}{
		{"another key", "health/role", roleOf(t, thief, "health"), 422, "not signed by the keys"},
		{"another publisher's role", "health/role", roleOf(t, other, "roads"), 422, ""},
		{"no JSON", "health/role", []byte("{"), 422, "no role file"},
		{"an unknown publisher", "nobody/role", roleOf(t, agency, "health"), 422, "not a publisher"},
		{"no publisher's name", "No_Body/role", nil, 400, ""},
		{"more than a role has", "health/role", bytes.Repeat([]byte(" "), 17<<20), 422, "too large"},
		{"an object that nobody announced", "health/objects/" + strings.Repeat("ab", 32), []byte("x"), 400, "Koprik-Offer"},
	} {
		status, body := put(t, url+"/inbox/"+c.path, c.body)
		if status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s, want %d %q", c.what, status, body, c.status, c.says)
		}
	}
	_, err := thief.HandOver(t.Context(), url)
	wantKind(t, err, portal.ErrRejected)
	if !strings.Contains(err.Error(), "refused because") {
		t.Error(err)
	}
	if got := generation(t, central); got != before {
		t.Errorf("generation %d, was %d", got, before)
	}
	if _, err := os.Stat(filepath.Join(central.Dir(), "inbox")); err == nil {
		t.Error("something was written")
	}
}

func TestInboxTakesNoReplayNoGapAndNothingOlder(t *testing.T) {
	central := newCentral(t)
	agency := newAgency(t, central, "health")
	url := serveHTTP(t, central, nil)
	publish(t, agency, revision("a", 1))
	first := roleOf(t, agency, "health")
	_, err := agency.HandOver(t.Context(), url)
	must(t, err)
	accepted := generation(t, central)
	if status, body := put(t, url+"/inbox/health/role", first); status != 200 || !strings.Contains(body, fmt.Sprint(accepted)) {
		t.Errorf("the answer was lost, and the same file comes again: %d %s", status, body)
	}
	publish(t, agency, revision("a", 2))
	_, err = agency.HandOver(t.Context(), url)
	must(t, err)
	if status, body := put(t, url+"/inbox/health/role", first); status != 409 || !strings.Contains(body, "version 4 is next") {
		t.Errorf("a replay: %d %s", status, body)
	}
	if generation(t, central) != accepted+1 {
		t.Errorf("generation %d, want %d", generation(t, central), accepted+1)
	}
	// The agency was restored from an old copy, and goes back.
	restored := newAgency(t, nil, "health")
	_, err = central.Delegate(t.Context(), "health", 0, []node.KeyFile{givenKey(t, restored, "health")})
	must(t, err)
	publish(t, restored, revision("a", 7))
	_, err = restored.HandOver(t.Context(), url)
	wantKind(t, err, portal.ErrRejected)
	if !strings.Contains(err.Error(), "goes back") {
		t.Error(err)
	}
	if d := dataset(t, central, "health_a"); d.Latest.Number != 2 {
		t.Errorf("release %d", d.Latest.Number)
	}
}

func TestInboxTakesNoByteMoreThanWasSignedAndKeepsNothingElse(t *testing.T) {
	central := newCentral(t)
	agency := newAgency(t, central, "health")
	publish(t, agency, big(t, 100_000))
	url := serveHTTP(t, central, nil)
	role := roleOf(t, agency, "health")
	status, body := put(t, url+"/inbox/health/role", role)
	if status != 202 {
		t.Fatalf("%d %s", status, body)
	}
	digest, size := wanted(t, body)
	at := url + "/inbox/health/objects/" + digest
	id := portal.DigestOf(role).Hex()
	for _, c := range []struct {
		what   string
		body   []byte
		head   []string
		status int
	}{
		{"another offer's", []byte("x"), []string{"Koprik-Offer", strings.Repeat("ab", 32)}, 409},
		{"a gap", []byte("x"), []string{"Koprik-Offer", id, "Content-Range", "bytes 7-7/9"}, 409},
		{"a wrong range", []byte("x"), []string{"Koprik-Offer", id, "Content-Range", "7-7/9"}, 400},
		{"more than was signed", bytes.Repeat([]byte("x"), size+1), []string{"Koprik-Offer", id}, 422},
		{"other bytes", bytes.Repeat([]byte("x"), size), []string{"Koprik-Offer", id}, 422},
		{"a part", bytes.Repeat([]byte("x"), size-1), []string{"Koprik-Offer", id}, 202},
		{"the same part again", bytes.Repeat([]byte("x"), size-1), []string{"Koprik-Offer", id}, 409},
	} {
		if status, body := put(t, at, c.body, c.head...); status != c.status {
			t.Errorf("%s: %d %s, want %d", c.what, status, body, c.status)
		}
	}
	if status, _ := put(t, url+"/inbox/health/role", role); status != 202 {
		t.Errorf("nothing came, and it is answered %d", status)
	}
	// A spoilt part costs one more try and no more.
	_, err := agency.HandOver(t.Context(), url)
	if err != nil {
		_, err = agency.HandOver(t.Context(), url)
	}
	must(t, err)
	wantSigner(t, central, "health_big", keyOf(t, agency, "health").ID)
	if left, _ := os.ReadDir(filepath.Join(central.Dir(), "inbox", "health")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// wanted reads the first missing object out of an inbox's answer.
func wanted(t *testing.T, body string) (digest string, size int) {
	t.Helper()
	_, rest, _ := strings.Cut(body, `"sha256":"`)
	digest, rest, _ = strings.Cut(rest, `"`)
	_, err := fmt.Sscanf(rest, `,"bytes":%d`, &size)
	must(t, err)
	return digest, size
}

func TestSpoiltStickIsRefusedWithAReasonAndTheOthersAreTaken(t *testing.T) {
	central := newCentral(t)
	health, roads := newAgency(t, central, "health"), newAgency(t, central, "roads")
	stick := t.TempDir()
	for name, n := range map[string]*node.Node{"a": health, "b": roads} {
		publish(t, n, revision(name, 1))
		_, err := n.HandOver(t.Context(), stick)
		must(t, err)
	}
	objects := filepath.Join(stick, "inbox", "health", "objects")
	entries, err := os.ReadDir(objects)
	must(t, err)
	for _, spoil := range []func(name string){
		func(name string) { must(t, os.WriteFile(name, []byte("other"), 0o600)) },
		func(name string) { must(t, os.Remove(name)); must(t, os.Symlink("/etc/hostname", name)) },
		func(name string) { must(t, os.Remove(name)); must(t, os.Mkdir(name, 0o700)) },
		func(name string) { must(t, os.Remove(name)) },
	} {
		spoil(filepath.Join(objects, entries[0].Name()))
		taken, err := central.TakeInbox(t.Context(), stick)
		must(t, err)
		if len(taken) != 2 || taken[0].Err == nil || taken[1].Err != nil {
			t.Errorf("%+v", taken)
		}
	}
	answer, err := os.ReadFile(filepath.Join(stick, "inbox", "health", "answer.json"))
	must(t, err)
	if !strings.Contains(string(answer), `"refused":"`) {
		t.Errorf("%s", answer)
	}
	_, err = health.HandOver(t.Context(), stick) // mends the stick
	must(t, err)
	taken, err := central.TakeInbox(t.Context(), stick)
	must(t, err)
	if len(taken) != 2 || taken[0].Err != nil {
		t.Errorf("%+v", taken)
	}
	if got := titles(t, central); len(got) != 2 {
		t.Errorf("%v", got)
	}
	_, err = central.TakeInbox(t.Context(), t.TempDir())
	wantKind(t, err, portal.ErrNotFound)
}
