package node_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"koprik/internal/disk/disktest"
	"koprik/internal/node"
	"koprik/portal"
	"koprik/sync/mirror"
)

// TestEveryGenerationTakesTheStickThatWasMadeForIt: mirrors that stopped at each
// generation of a history take a stick of what they lack, and all show the same.
func TestEveryGenerationTakesTheStickThatWasMadeForIt(t *testing.T) {
	central := newCentral(t)
	must(t, os.MkdirAll(repository(central), 0o700))
	var stopped []*node.Node
	step := func(do func()) {
		do()
		m := newMirror(t, central)
		sync(t, m)
		stopped = append(stopped, m)
	}
	step(func() { publish(t, central, revision("a", 1), revision("b", 1)) })
	step(func() { publish(t, central, revision("b", 2)) })
	step(func() { publish(t, central, revision("b", 1)) }) // back to contents of before
	step(func() { publish(t, central, revision("c", 1)) })
	step(func() {
		_, err := central.Withdraw(t.Context(), "main_a", portal.PlainText("names of persons"))
		must(t, err)
	})
	step(func() { publish(t, central, revision("c", 2)) })
	want := titles(t, central)
	for _, m := range stopped {
		have := generation(t, m)
		stick := stickOf(t, central, have)
		r, err := m.Sync(t.Context(), node.SyncOptions{From: stick})
		if err != nil || fmt.Sprint(titles(t, m)) != fmt.Sprint(want) {
			t.Fatalf("generation %d: %v, %v; want %v", have, titles(t, m), err, want)
		}
		_, err = m.Verify(t.Context())
		must(t, err)
		// What it relays is whole as well: it can write sticks for others.
		relayed := stickOf(t, m, 0)
		fresh := newMirror(t, central)
		_, err = fresh.Sync(t.Context(), node.SyncOptions{From: relayed})
		must(t, err)
		if fmt.Sprint(titles(t, fresh)) != fmt.Sprint(want) {
			t.Fatalf("a stick of a mirror brings %v", titles(t, fresh))
		}
		t.Logf("generation %d → %d: %d bytes from the stick", have, r.Generation, r.BytesDown)
	}
}

// TestAStickForOthersSaysForWhom: a node that is further behind is told which
// stick it needs; the stick that was whole before stays whole.
func TestAStickForOthersSaysForWhom(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	first := generation(t, central)
	whole := stickOf(t, central, 0)
	publish(t, central, revision("b", 1))
	since := stickOf(t, central, first)
	m := newMirror(t, central)
	_, err := m.Sync(t.Context(), node.SyncOptions{From: since})
	wantKind(t, err, portal.ErrRejected)
	if !strings.Contains(err.Error(), fmt.Sprintf("nodes of generation %d lack", first)) {
		t.Errorf("%v", err)
	}
	out, err := central.Export(t.Context(), node.ExportOptions{To: whole, Since: first})
	must(t, err)
	if !out.Whole || out.Kept+out.Files == 0 {
		t.Errorf("%+v", out)
	}
	_, err = m.Sync(t.Context(), node.SyncOptions{From: whole})
	must(t, err)
	if len(titles(t, m)) != 2 {
		t.Errorf("%v", titles(t, m))
	}
}

// TestWithdrawnBytesLeaveTheStick with the next export.
func TestWithdrawnBytesLeaveTheStick(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("secret", 1), revision("b", 1))
	hash := resources(t, central, "main_secret", 1)[0].Hash.Hex()
	stick := stickOf(t, central, 0)
	_, err := central.Withdraw(t.Context(), "main_secret", portal.PlainText("names of persons"))
	must(t, err)
	_, err = central.Export(t.Context(), node.ExportOptions{To: stick})
	must(t, err)
	must(t, filepath.WalkDir(stick, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if strings.Contains(path, hash) || strings.Contains(path, "main_secret/") || strings.Contains(string(b), "secret,r1") {
			t.Errorf("%s still has it", path)
		}
		return err
	}))
}

// TestAStickIsReadableWithoutAProgram: pages in five languages whose links lead
// to files with the bytes that SHA256SUMS.txt names.
func TestAStickIsReadableWithoutAProgram(t *testing.T) {
	central := newCentral(t)
	hostile := fstest.MapFS{
		"datapackage.json":   {Data: []byte(`{"name":"x","title":"<script>alert(1)</script> & \"x\"","resources":[{"name":"t","path":"Data/Year-2015.csv"}]}`)},
		"Data/Year-2015.csv": {Data: []byte("a,b\n1,2\n")},
	}
	publish(t, central, revision("a", 1), node.Input{Label: "x", Name: ".", FS: hostile})
	stick := filepath.Join(stickOf(t, central, 0), "KOPRIK")
	sums, err := os.ReadFile(filepath.Join(stick, "SHA256SUMS.txt"))
	must(t, err)
	lines := strings.Split(strings.TrimSpace(string(sums)), "\n")
	plain := 0
	for _, line := range lines {
		sum, name, _ := strings.Cut(line, "  ")
		b, err := os.ReadFile(filepath.Join(stick, filepath.FromSlash(name)))
		must(t, err)
		if got := sha256.Sum256(b); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s has another checksum", name)
		}
		if strings.HasPrefix(name, "files/") {
			plain++
		}
	}
	if plain != 2 || len(lines) != 2+6 {
		t.Errorf("%d plain files in %d lines", plain, len(lines))
	}
	pages, err := filepath.Glob(filepath.Join(stick, "index", "*", "*.html"))
	must(t, err)
	for _, page := range append(pages, filepath.Join(stick, "INDEX.html")) {
		b, err := os.ReadFile(page)
		must(t, err)
		text := string(b)
		if strings.Contains(text, "<script") || !utf8.ValidString(text) || strings.Contains(text, "[stick") {
			t.Errorf("%s: %s", page, text)
		}
		for _, part := range strings.Split(text, `href="`)[1:] {
			link, _, _ := strings.Cut(part, `"`)
			if strings.HasPrefix(link, "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), filepath.FromSlash(link))); err != nil {
				t.Errorf("%s links to %s: %v", page, link, err)
			}
		}
	}
	if len(pages) != 5 {
		t.Errorf("%d lists", len(pages))
	}
}

// TestNamesOnAStickFitEveryFilesystem: no name that FAT32 or Windows refuses,
// none that differs from another by capitals alone.
func TestNamesOnAStickFitEveryFilesystem(t *testing.T) {
	central := newCentral(t)
	long := strings.Repeat("l", 59)
	publish(t, central, revision("a", 1), revision(long, 1))
	stick := stickOf(t, central, 0)
	seen := map[string]string{}
	must(t, filepath.WalkDir(stick, func(path string, d fs.DirEntry, err error) error {
		name := strings.TrimPrefix(strings.TrimPrefix(path, stick), "/")
		if err != nil || name == "" {
			return err
		}
		low := strings.ToLower(name)
		if other, twice := seen[low]; twice {
			t.Errorf("%s and %s differ by capitals alone", name, other)
		}
		seen[low] = name
		if len(name) > 220 || len(d.Name()) > 255 || strings.ContainsAny(name, `\:*?"<>| `) || strings.HasSuffix(name, ".") {
			t.Errorf("%s does not fit", name)
		}
		if !d.IsDir() {
			if _, err := portal.ParsePath(d.Name()); err != nil && len(d.Name()) <= portal.MaxPath {
				t.Errorf("%v", err)
			}
		}
		return nil
	}))
}

// TestAStickWithoutRoomIsRefusedBeforeTheFirstByte, naming what is needed.
func TestAStickWithoutRoomIsRefusedBeforeTheFirstByte(t *testing.T) {
	c := newTraveller(t, 1)
	plan, err := c.mirror().PlanExport(t.Context(), mirror.ExportOptions{})
	must(t, err)
	for _, cluster := range []uint64{512, 4 << 10, 32 << 10} {
		stick := disktest.New()
		_, err := plan.Write(t.Context(), stick, nil, func() (mirror.Space, error) { return mirror.Space{Free: 100 << 10, Cluster: cluster}, nil })
		if cluster == 512 {
			must(t, err)
			continue
		}
		wantKind(t, err, portal.ErrNoSpace)
		if !strings.Contains(err.Error(), "MiB on the stick") || stick.Ops() > 1 {
			t.Errorf("%v after %d operations", err, stick.Ops())
		}
	}
}

// TestStickWithAnotherRepositoryOrANewerCopyIsLeftAsItIs.
func TestStickWithAnotherRepositoryOrANewerCopyIsLeftAsItIs(t *testing.T) {
	central, other := newCentral(t), newCentral(t)
	publish(t, central, revision("a", 1))
	behind := newMirror(t, central)
	sync(t, behind)
	publish(t, central, revision("a", 2))
	publish(t, other, revision("a", 1))
	stick := stickOf(t, central, 0)
	for what, n := range map[string]*node.Node{"another repository": other, "an older node": behind} {
		_, err := n.Export(t.Context(), node.ExportOptions{To: stick})
		if err == nil {
			t.Fatalf("%s wrote over it", what)
		}
		wantKind(t, err, portal.ErrRejected)
	}
	m := newMirror(t, central)
	_, err := m.Sync(t.Context(), node.SyncOptions{From: stick})
	must(t, err)
	if got := titles(t, m)["main_a"]; got != "Common a rev2" {
		t.Errorf("%q", got)
	}
}

func TestExportNeedsAFolderAndACopy(t *testing.T) {
	central := newCentral(t)
	m := newMirror(t, central)
	_, err := m.Export(t.Context(), node.ExportOptions{To: t.TempDir()})
	wantKind(t, err, portal.ErrNotFound)
	_, err = central.Export(t.Context(), node.ExportOptions{To: filepath.Join(t.TempDir(), "gone")})
	wantKind(t, err, portal.ErrUsage)
	publish(t, central, revision("a", 1))
	_, err = central.Export(t.Context(), node.ExportOptions{To: t.TempDir(), Since: 99})
	wantKind(t, err, portal.ErrUsage)
}
