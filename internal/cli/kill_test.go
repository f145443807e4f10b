package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"koprik/internal/node"
	"koprik/portal"
)

// The tests below do not run side by side: a process that one of them forks
// would hold the locks of another's node for the moment before it becomes koprik.

// kills is how many processes each of the six tests kills: 20 in all, 8 with -short
// (under the race detector a process takes ten times as long), 1,000 with KOPRIK_SOAK,
// or as many in each test as KOPRIK_KILLS says.
func kills(share int) int {
	if n, err := strconv.Atoi(os.Getenv("KOPRIK_KILLS")); err == nil {
		return n
	}
	switch {
	case os.Getenv("KOPRIK_SOAK") != "":
		return 50 * share
	case testing.Short():
		return share / 2
	}
	return share
}

// atATime is how many processes are killed before a test begins with new nodes:
// every revision makes the next one dearer.
const atATime = 15

// tally counts what a test kills, and how many of them so late that the new
// revision was there: kills that fall on all of a process's life leave both.
type tally struct {
	due, killed, late int
	last              bool          // whether the last process was killed before it ended
	limit             time.Duration // the longest that the next one lives
}

// killing runs a test that kills so many processes, some of them at a time.
func killing(t *testing.T, all int, test func(t *testing.T, k *tally)) {
	t.Helper()
	killed, late := 0, 0
	for killed < all {
		k := tally{due: min(atATime, all-killed)}
		if !t.Run(fmt.Sprintf("%d-%d", killed+1, killed+k.due), func(t *testing.T) { test(t, &k) }) {
			return
		}
		killed, late = killed+k.killed, late+k.late
	}
	t.Logf("%d killed, %d of them when the new revision was there", killed, late)
}

// more tells whether the test has processes left to kill.
func (k *tally) more() bool { return k.killed < k.due }

// kill kills a process at a random moment before the limit has passed, unless it
// has ended by itself. The limit grows with each kill and shrinks when a process
// ended, so that kills fall on all of its life, also on a busy machine.
func (k *tally) kill(p *process, random *rand.Rand) {
	if k.last = p.killedWithin(random, k.limit); k.last {
		k.killed++
		k.limit += k.limit / 10
		return
	}
	k.limit -= k.limit / 5
}

// left asserts that what was killed shows the old revision or the new one.
func (k *tally) left(t *testing.T, got, before, after int) {
	t.Helper()
	if got != before && got != after {
		t.Fatalf("revision %d is shown after the change from %d to %d was killed", got, before, after)
	}
	if k.last && got == after {
		k.late++
	}
}

// chance is a source of random moments whose seed is printed; KOPRIK_SEED
// repeats one.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if s, err := strconv.ParseUint(os.Getenv("KOPRIK_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// packages are the datasets of the kill tests; a revision changes all of them.
var packages = []string{"births", "schools", "wells"}

// writeRevision writes packages whose titles and rows all say the same revision,
// and gives their folders.
func writeRevision(t *testing.T, dir string, rev int) []string {
	t.Helper()
	folders := make([]string, len(packages))
	for i, name := range packages {
		folders[i] = filepath.Join(dir, name)
		must(t, os.MkdirAll(folders[i], 0o755))
		rows := bytes.NewBufferString("region,value,revision\n")
		for r := range 40 {
			fmt.Fprintf(rows, "r%d,%d,rev%d\n", r, r*rev+i, rev)
		}
		descriptor := fmt.Sprintf(`{"name":%q,"title":"Common %s rev%d","resources":[{"name":"t","path":"t.csv"}]}`, name, name, rev)
		must(t, os.WriteFile(filepath.Join(folders[i], "t.csv"), rows.Bytes(), 0o600))
		must(t, os.WriteFile(filepath.Join(folders[i], "datapackage.json"), []byte(descriptor), 0o600))
	}
	return folders
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// koprik runs a command in this process; it must end with code 0.
func koprik(t *testing.T, args ...string) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := Main(Program{Version: "test"}, args, strings.NewReader(""), &stdout, &stderr); code != 0 {
		t.Fatalf("koprik %s: exit code %d\n%s", strings.Join(args, " "), code, stderr.String())
	}
	return stdout.Bytes()
}

// process is koprik as a process of its own.
type process struct {
	*exec.Cmd
	stderr bytes.Buffer
	out    io.Reader
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startAs(t, "koprik", args...)
}

func startAs(t *testing.T, program string, args ...string) *process {
	t.Helper()
	path, err := exec.LookPath(program) // this test's own binary, see TestMain
	must(t, err)
	p := &process{Cmd: exec.Command(path, args...)}
	p.Stderr = &p.stderr
	p.out, err = p.StdoutPipe()
	must(t, err)
	must(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// killedWithin kills the process at a random moment before limit has passed, and
// tells whether it was still running.
func (p *process) killedWithin(random *rand.Rand, limit time.Duration) bool {
	timer := time.AfterFunc(time.Duration(random.Int64N(int64(limit))), func() { _ = p.Process.Kill() })
	defer timer.Stop()
	_, _ = io.Copy(io.Discard, p.out)
	_ = p.Wait()
	return !p.ProcessState.Exited()
}

// ends waits for the process, which must end by itself with code 0.
func (p *process) ends(t *testing.T) {
	t.Helper()
	_, _ = io.Copy(io.Discard, p.out)
	if err := p.Wait(); err != nil {
		t.Fatalf("%v: %v\n%s", p.Args, err, p.stderr.String())
	}
}

// whole asks the node in dir, which must open by itself, and gives the revision
// that all of it shows: status, search and every byte agree on one generation.
func whole(t *testing.T, dir string) int {
	t.Helper()
	var status struct{ Generation, Datasets int }
	must(t, json.Unmarshal(koprik(t, "status", "--json", "--dir", dir), &status))
	var found struct {
		Total int
		Hits  []struct{ Title string }
	}
	must(t, json.Unmarshal(koprik(t, "search", "common", "--json", "--limit", "100", "--dir", dir), &found))
	koprik(t, "verify", "--dir", dir)
	if found.Total != status.Datasets || len(found.Hits) != found.Total {
		t.Fatalf("generation %d: status counts %d datasets, search finds %d and shows %d", status.Generation, status.Datasets, found.Total, len(found.Hits))
	}
	if found.Total == 0 {
		return 0
	}
	revs := map[string]bool{}
	for _, h := range found.Hits {
		revs[h.Title[strings.LastIndex(h.Title, " ")+1:]] = true
	}
	if len(revs) != 1 || found.Total != len(packages) {
		t.Fatalf("generation %d mixes revisions: %v", status.Generation, found.Hits)
	}
	rev := slices.Collect(maps.Keys(revs))[0]
	must(t, json.Unmarshal(koprik(t, "search", rev, "--json", "--dir", dir), &found))
	if found.Total != len(packages) {
		t.Fatalf("generation %d: the catalogue shows %s, the index finds it %d times", status.Generation, rev, found.Total)
	}
	n, err := strconv.Atoi(strings.TrimPrefix(rev, "rev"))
	must(t, err)
	return n
}

// contents is everything a node holds of its datasets but the moments at which
// it was made: every release of every dataset, and the rows of the latest.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	n, err := node.Open(t.Context(), dir, node.Options{})
	must(t, err)
	defer n.Close()
	v, err := n.View(t.Context())
	must(t, err)
	defer v.Close()
	all := map[string]string{}
	res, err := v.Search(t.Context(), portal.Query{Limit: portal.MaxLimit})
	must(t, err)
	for _, h := range res.Hits {
		d, err := v.Dataset(t.Context(), h.Dataset)
		must(t, err)
		for _, ref := range d.History {
			r, err := v.Release(t.Context(), d.ID, ref.Number)
			must(t, err)
			r.Issued, r.Previous = time.Time{}, nil
			r.Passport.Uploaded, r.Passport.FirstPublished, r.Passport.LastChanged = "", "", ""
			b, err := json.Marshal(r)
			must(t, err)
			all[fmt.Sprintf("%s/%d", d.ID, ref.Number)] = string(b)
		}
		page, err := v.Rows(t.Context(), d.Latest.Resources[0], "", portal.RowQuery{Limit: 3})
		must(t, err)
		all[string(d.ID)+" rows"] = fmt.Sprint(page.Rows)
	}
	return all
}

// sameAs compares a node with its undisturbed twin.
func sameAs(t *testing.T, dir, twin string) {
	t.Helper()
	got, want := contents(t, dir), contents(t, twin)
	for key := range want {
		if got[key] != want[key] {
			t.Errorf("%s:\n%.300s\nthe undisturbed twin has\n%.300s", key, got[key], want[key])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d things, the undisturbed twin has %d", len(got), len(want))
	}
	if t.Failed() {
		t.FailNow()
	}
}

func initCentral(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	koprik(t, "init", "--role", "central", "--title", "Markaz", "--contact", "desk@example.org", "--dir", dir)
	return dir
}

func initMirrorOf(t *testing.T, central, upstream string) string {
	t.Helper()
	dir := t.TempDir()
	koprik(t, "init", "--role", "mirror", "--title", "Nukus", "--upstream", upstream,
		"--trust", filepath.Join(central, "repository", "metadata", "1.root.json"), "--dir", dir)
	return dir
}

// publishArgs publishes folders on the node in dir.
func publishArgs(dir string, folders []string) []string {
	return append([]string{"publish", "--dir", dir}, folders...)
}

// took is how long a command takes when nobody kills it.
func took(t *testing.T, args ...string) time.Duration {
	t.Helper()
	began := time.Now()
	start(t, args...).ends(t)
	return time.Since(began)
}

func TestPublishKilledAtAnyMomentIsFinishedByTheNext(t *testing.T) {
	killing(t, kills(4), func(t *testing.T, k *tally) {
		random, dir, twin, input := chance(t), initCentral(t), initCentral(t), t.TempDir()
		folders := writeRevision(t, input, 1)
		k.limit = took(t, publishArgs(dir, folders)...)
		publishAside(t, twin, folders)
		for rev := 2; k.more(); rev++ {
			writeRevision(t, input, rev)
			k.kill(start(t, publishArgs(dir, folders)...), random)
			k.left(t, whole(t, dir), rev-1, rev)
			koprik(t, publishArgs(dir, folders)...)
			publishAside(t, twin, folders)
			if got := whole(t, dir); got != rev {
				t.Fatalf("revision %d is shown, %d was published", got, rev)
			}
			sameAs(t, dir, twin)
		}
	})
}

// upstream is a centre whose revisions are published in this process, and which
// is served over HTTP.
type upstream struct {
	*node.Node
	input string
	url   string
}

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	n, err := node.Open(t.Context(), initCentral(t), node.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, n.Close()) })
	h, err := n.Handler()
	must(t, err)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return &upstream{n, t.TempDir(), server.URL}
}

func (u *upstream) publish(t *testing.T, rev int) {
	t.Helper()
	publishOn(t, u.Node, writeRevision(t, u.input, rev))
}

func publishOn(t *testing.T, n *node.Node, folders []string) {
	t.Helper()
	var inputs []node.Input
	for _, folder := range folders {
		in, done, err := node.OpenInput(folder)
		must(t, err)
		defer done()
		inputs = append(inputs, in)
	}
	_, err := n.Publish(context.WithoutCancel(t.Context()), "", inputs)
	must(t, err)
}

// publishAside publishes on a node that nobody follows, without packs.
func publishAside(t *testing.T, dir string, folders []string) {
	t.Helper()
	n, err := node.Open(t.Context(), dir, node.Options{NoPacks: true})
	must(t, err)
	publishOn(t, n, folders)
	must(t, n.Close())
}

func TestSyncKilledAtAnyMomentIsFinishedByTheNext(t *testing.T) {
	killing(t, kills(4), func(t *testing.T, k *tally) {
		random, u := chance(t), newUpstream(t)
		u.publish(t, 1)
		dir, twin := initMirrorOf(t, u.Dir(), u.url), initMirrorOf(t, u.Dir(), u.url)
		k.limit = took(t, "sync", "--dir", twin)
		for rev := 1; k.more(); rev++ {
			u.publish(t, rev)
			from := []string{u.url, u.Dir()}[random.IntN(2)]
			k.kill(start(t, "sync", "--dir", dir, "--from", from), random)
			k.left(t, whole(t, dir), rev-1, rev)
			koprik(t, "sync", "--dir", dir, "--from", from)
			koprik(t, "sync", "--dir", twin)
			if got := whole(t, dir); got != rev {
				t.Fatalf("revision %d is shown, the centre has %d", got, rev)
			}
			sameAs(t, dir, twin)
		}
		third := initMirrorOf(t, u.Dir(), dir) // what was killed so often is an upstream of its own
		koprik(t, "sync", "--dir", third)
		sameAs(t, third, twin)
	})
}

func TestCentralKilledWhilePublishesComeInStartsAgain(t *testing.T) {
	killing(t, kills(3), func(t *testing.T, k *tally) {
		random, dir, twin, input := chance(t), initCentral(t), initCentral(t), t.TempDir()
		folders := writeRevision(t, input, 1)
		k.limit = took(t, publishArgs(dir, folders)...) + 300*time.Millisecond // until a server looks
		publishAside(t, twin, folders)
		for rev := 2; k.more(); rev++ {
			writeRevision(t, input, rev)
			server := start(t, "serve", "--dir", dir, "--listen", "127.0.0.1:0")
			_, err := bufio.NewReader(server.out).ReadString('\n')
			must(t, err)
			publish := start(t, publishArgs(dir, folders)...)
			k.kill(server, random)
			if random.IntN(2) == 0 {
				_ = publish.Process.Kill()
				publish.killedWithin(random, time.Nanosecond)
			} else {
				publish.ends(t) // its server is gone: it shows the generation itself
				if got := whole(t, dir); got != rev {
					t.Fatalf("revision %d is shown, %d was published", got, rev)
				}
			}
			k.left(t, whole(t, dir), rev-1, rev)
			koprik(t, publishArgs(dir, folders)...)
			publishAside(t, twin, folders)
			sameAs(t, dir, twin)
		}
	})
}

func TestMirrorKilledWhileItSyncsStartsAgain(t *testing.T) {
	killing(t, kills(3), func(t *testing.T, k *tally) {
		random, u := chance(t), newUpstream(t)
		u.publish(t, 1)
		dir, twin := initMirrorOf(t, u.Dir(), u.url), initMirrorOf(t, u.Dir(), u.url)
		k.limit = 2 * took(t, "sync", "--dir", twin)
		for rev := 1; k.more(); rev++ {
			u.publish(t, rev)
			k.kill(start(t, "serve", "--dir", dir, "--listen", "127.0.0.1:0", "--sync-interval", "1s"), random)
			k.left(t, whole(t, dir), rev-1, rev)
			koprik(t, "sync", "--dir", dir)
			koprik(t, "sync", "--dir", twin)
			if got := whole(t, dir); got != rev {
				t.Fatalf("revision %d is shown, the centre has %d", got, rev)
			}
			sameAs(t, dir, twin)
		}
	})
}
