package node_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"koprik/internal/node"
	"koprik/portal"
)

// fetched is what an address of a node answers, which must be 200.
func fetched(t *testing.T, address string) []byte {
	t.Helper()
	resp, err := http.Get(address) //nolint:noctx // a test's own server
	must(t, err)
	b, err := io.ReadAll(resp.Body)
	must(t, err)
	must(t, resp.Body.Close())
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", address, resp.StatusCode, b)
	}
	return b
}

func examined(t *testing.T, n *node.Node, file []byte, want portal.Verdict) portal.Proof {
	t.Helper()
	p, err := n.Examine(t.Context(), bytes.NewReader(file))
	must(t, err)
	if p.Verdict != want || p.SHA256 != portal.DigestOf(file) {
		t.Errorf("%s: %.80q is %q, want %q: %+v", n.Config().Role, file, p.Verdict, want, p)
	}
	return p
}

func TestAFileThatTheCentreMadeIsProvedOnAMirror(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	publish(t, central, revision("a", 2))
	mirror := newMirror(t, central)
	sync(t, mirror)
	base := serveHTTP(t, central, nil)
	for address, release := range map[string]int{
		"/dataset/main_a/datapackage.json": 2, "/dataset/main_a/datapackage.json?release=2": 2, "/dataset/main_a/datapackage.json?release=1": 1,
	} {
		made := fetched(t, base+address)
		p := examined(t, mirror, made, portal.MadeFile)
		if p.Dataset != "main_a" || p.Release != release || p.Latest != 2 || len(p.Signers) != 1 {
			t.Errorf("%s: %+v", address, p)
		}
		for what, altered := range map[string][]byte{
			"a figure":    bytes.Replace(made, []byte("Common a"), []byte("Common b"), 1),
			"a space":     append([]byte(" "), made...),
			"the release": bytes.Replace(made, []byte(";release="), []byte(";release=1"), 1),
			"fingerprint": bytes.Replace(made, []byte("fingerprint="+p.Manifest.Hex()), []byte("fingerprint="+strings.Repeat("0", 64)), 1),
		} {
			want := portal.Altered
			if what == "the release" {
				want = portal.Elsewhere // there is none such
			}
			if bytes.Equal(altered, made) {
				t.Fatal(what)
			}
			examined(t, mirror, altered, want)
			_, err := mirror.Prove(t.Context(), bytes.NewReader(altered))
			wantKind(t, err, portal.ErrUnverified)
		}
	}
	// A newer release does not make an older file false, and an older copy says
	// that it cannot tell.
	made := fetched(t, base+"/dataset/main_a/datapackage.json")
	publish(t, central, revision("a", 3))
	newer := fetched(t, base+"/dataset/main_a/datapackage.json")
	examined(t, central, made, portal.MadeFile)
	examined(t, mirror, newer, portal.Elsewhere)
}

func TestProvenanceLeadsNowhereElse(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1), revision("b", 1))
	d := dataset(t, central, "main_a")
	for _, address := range []string{
		"", "/", "https://example.org/dataset/main_a/x", "//example.org/dataset/main_a/x", "/dataset/main_b/datapackage.json", "/api/v1/status",
		"/dataset/main_a/../../api/v1/status", "/dataset/main_a/nothing", "/dataset/main_a/datapackage.json?release=9", "/dataset/main_a/release/1.json%zz",
		"/uz/verify",
	} {
		line := portal.Provenance{Dataset: "main_a", Release: 1, Fingerprint: d.Manifest, Address: address}.String()
		examined(t, central, []byte(line), portal.Elsewhere)
	}
	line := portal.Provenance{Dataset: "main_a", Release: 1, Fingerprint: d.Manifest, Address: "/dataset/main_a/release/1/t.csv"}.String()
	examined(t, central, []byte(line), portal.Altered)
}

func TestAManifestIsProvedAndAWithdrawalIsSaid(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	base := serveHTTP(t, central, nil)
	manifest := fetched(t, base+"/dataset/main_a/release/1.json")
	made := fetched(t, base+"/dataset/main_a/datapackage.json")
	examined(t, central, manifest, portal.ManifestFile)
	_, err := central.Withdraw(t.Context(), "main_a", portal.PlainText("names of persons"))
	must(t, err)
	if p := examined(t, central, manifest, portal.ManifestFile); !p.Withdrawn || p.Latest != 2 {
		t.Errorf("%+v", p)
	}
	if p := examined(t, central, revision("a", 1).FS.(fstest.MapFS)["t.csv"].Data, portal.OriginalFile); !p.Withdrawn {
		t.Errorf("%+v", p)
	}
	examined(t, central, made, portal.Elsewhere)
}

func TestFingerprintsOfFilesReleasesAndKeysAreKnown(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	mirror := newMirror(t, central)
	sync(t, mirror)
	d := dataset(t, central, "main_a")
	file, key, root := d.Latest.Resources[0].Hash, keyOf(t, central, "main"), keyOf(t, central, "root")
	for text, want := range map[string]portal.Verdict{
		file.Hex(): portal.OriginalFile, file.Short(): portal.OriginalFile, strings.ToUpper(file.String()): portal.OriginalFile,
		d.Manifest.Short(): portal.ManifestFile, portal.ReleaseCode("main_a", 1, d.Manifest): portal.ManifestFile,
		"https://x.uz/uz/verify?h=" + url.QueryEscape(portal.ReleaseCode("main_a", 1, d.Manifest)): portal.ManifestFile,
		key.ID: portal.SigningKey, key.Words: portal.SigningKey, key.Public: portal.SigningKey, root.Words: portal.SigningKey, root.ID[:20]: portal.SigningKey,
		file.Short() + strings.Repeat("0", 48): portal.Unknown, strings.Repeat("ab", 8): portal.Unknown, "bader bader bader bader bader bader": portal.Unknown,
		portal.ReleaseCode("main_a", 1, file): portal.Altered, portal.ReleaseCode("main_a", 7, d.Manifest): portal.Elsewhere,
		portal.ReleaseCode("main_z", 1, d.Manifest): portal.Elsewhere,
	} {
		p, err := mirror.Identify(t.Context(), text)
		must(t, err)
		if p.Verdict != want {
			t.Errorf("%s is %q, want %q", text, p.Verdict, want)
		}
		if want == portal.SigningKey && (p.Role != "main" || p.Publisher.ID != "main") && p.Role != "root" {
			t.Errorf("%s: %+v", text, p)
		}
	}
	for _, text := range []string{"", "x", "koprik-key:ed25519:12", strings.Repeat("a", 2000)} {
		_, err := mirror.Identify(t.Context(), text)
		wantKind(t, err, portal.ErrUsage)
	}
}

func TestARevokedKeyLeavesTheVerdictAndSaysSo(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	_, err := central.Revoke(t.Context(), "main", keyOf(t, central, "main").ID)
	must(t, err)
	p := examined(t, central, revision("a", 1).FS.(fstest.MapFS)["t.csv"].Data, portal.OriginalFile)
	if !p.Suspended || len(p.Signers) > 0 {
		t.Errorf("%+v", p)
	}
}

func TestThePageProvesWhatTheCommandProvesAndKeepsNothing(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("a", 1))
	base := serveHTTP(t, central, nil)
	before := files(t, central.Dir())
	for name, want := range map[string]string{"t.csv": "Unaltered: a file of this release", "other": "Not known in this copy"} {
		content := []byte("other")
		if name == "t.csv" {
			content = revision("a", 1).FS.(fstest.MapFS)[name].Data
		}
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, err := form.CreateFormFile("file", name)
		must(t, err)
		_, err = part.Write(content)
		must(t, err)
		must(t, form.Close())
		resp, err := http.Post(base+"/en/verify", form.FormDataContentType(), &body) //nolint:noctx // a test's own server
		must(t, err)
		page, err := io.ReadAll(resp.Body)
		must(t, err)
		must(t, resp.Body.Close())
		if !strings.Contains(string(page), want) {
			t.Errorf("%s: %s", name, page)
		}
	}
	if after := files(t, central.Dir()); after != before {
		t.Errorf("the files of the node changed from %s to %s", before, after)
	}
}

// files is every file of a folder with its size, but for what databases write
// beside themselves.
func files(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	must(t, fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, ".db-") || strings.HasPrefix(path, "index/") {
			return err
		}
		info, err := d.Info()
		fmt.Fprintln(&all, path, info.Size())
		return err
	}))
	return all.String()
}
