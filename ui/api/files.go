package api

import (
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"koprik/portal"
)

// immutable is for bytes that never change under their address.
const immutable = "public, max-age=31536000, immutable"

// fileFault is why a file is not given out, with what is known about it.
type fileFault struct {
	err      error
	bytes    int64
	hash     string
	upstream string
	reason   *text
}

func (f *fileFault) Error() string { return f.err.Error() }
func (f *fileFault) Unwrap() error { return f.err }

// text tells a person the same as the JSON.
func (f *fileFault) text(p problem) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", p.Where, p.Message)
	if f.reason != nil {
		fmt.Fprintln(&b, f.reason.Plain)
		for _, l := range portal.Langs {
			if s := f.reason.Translated[l]; s != "" && s != f.reason.Plain {
				fmt.Fprintln(&b, s)
			}
		}
	}
	if f.hash != "" {
		fmt.Fprintf(&b, "%d bytes, %s\n", f.bytes, f.hash)
	}
	if p.Hint != "" {
		fmt.Fprintln(&b, p.Hint)
	}
	return []byte(b.String())
}

// withdrawn is an error, with the reason, when d was taken back.
func withdrawn(d portal.Dataset) error {
	if d.Latest.Withdrawn == nil {
		return nil
	}
	return goneSince(d.ID, d.Latest)
}

func goneSince(id portal.DatasetID, tombstone portal.Release) error {
	return &fileFault{
		err: &portal.Problem{
			Kind: portal.ErrGone, Where: string(id),
			Message: "the publisher withdrew this data with release " + strconv.Itoa(tombstone.Number),
		},
		reason: textOf(tombstone.Withdrawn.Reason),
	}
}

// elsewhere adds to an ErrNotHeld how large the file is and where it may be
// had; other errors pass.
func (a *api) elsewhere(r *http.Request, res portal.Resource, err error) error {
	if !errors.Is(err, portal.ErrNotHeld) {
		return err
	}
	fault := &fileFault{bytes: res.Bytes, hash: res.Hash.String()}
	p := &portal.Problem{
		Kind: portal.ErrNotHeld, Where: res.Path, Cause: err,
		Message: fmt.Sprintf("this node does not hold the file (%d bytes)", res.Bytes),
	}
	if s, err := a.o.Status(r.Context()); err == nil && s.Upstream != "" {
		fault.upstream = s.Upstream
		p.Hint = "ask " + s.Upstream + ", where this node takes its data from"
	}
	fault.err = p
	return fault
}

// releaseOf reads the dataset and the release that the address names.
func releaseOf(r *http.Request, v portal.View) (portal.Dataset, portal.Release, error) {
	d, err := datasetOf(r, v)
	if err != nil {
		return d, portal.Release{}, err
	}
	n, err := strconv.Atoi(mux.Vars(r)["n"])
	if err != nil || strconv.Itoa(n) != mux.Vars(r)["n"] {
		return d, portal.Release{}, notFound("release", "%q is not the number of a release", mux.Vars(r)["n"])
	}
	if n == d.Latest.Number {
		return d, d.Latest, nil
	}
	rel, err := v.Release(r.Context(), d.ID, n)
	if err != nil {
		return d, rel, fmt.Errorf("release %d of %s: %w", n, d.ID, err)
	}
	return d, rel, nil
}

// manifest gives the signed bytes of a release's manifest. A withdrawn
// dataset's manifests stay: they are what was signed.
func (a *api) manifest(w http.ResponseWriter, r *http.Request, v portal.View) error {
	d, rel, err := releaseOf(r, v)
	if err != nil {
		return err
	}
	data, err := v.Manifest(r.Context(), d.ID, rel.Number)
	if err != nil {
		return fmt.Errorf("manifest of %s, release %d: %w", d.ID, rel.Number, err)
	}
	sum := portal.DigestOf(data)
	w.Header().Set("Repr-Digest", reprDigest(sum))
	origin(w, portal.Provenance{Dataset: d.ID, Release: rel.Number, Fingerprint: sum})
	sendBytes(w, r, "application/json; charset=utf-8", data)
	return nil
}

// manifestOrFile answers …/release/{n}/manifest.json: the file of the release
// that is called so, if there is one, and the signed manifest otherwise. The
// manifest always stands at …/release/{n}.json, which no file can be called.
func (a *api) manifestOrFile(w http.ResponseWriter, r *http.Request, v portal.View) error {
	_, rel, err := releaseOf(r, v)
	if err != nil {
		return err
	}
	if _, ok := fileOf(rel, "manifest.json"); !ok {
		return a.manifest(w, r, v)
	}
	return a.file(w, mux.SetURLVars(r, withPath(mux.Vars(r), "manifest.json")), v)
}

func withPath(vars map[string]string, name string) map[string]string {
	return map[string]string{"slug": vars["slug"], "n": vars["n"], "path": name}
}

func fileOf(rel portal.Release, name string) (portal.Resource, bool) {
	for _, r := range rel.Resources {
		if r.Path == name {
			return r, true
		}
	}
	return portal.Resource{}, false
}

// file gives the original bytes of a release's file, for ever.
func (a *api) file(w http.ResponseWriter, r *http.Request, v portal.View) error {
	d, rel, err := releaseOf(r, v)
	if err != nil {
		return err
	}
	if err := withdrawn(d); err != nil {
		return err
	}
	if rel.Withdrawn != nil {
		return goneSince(d.ID, rel)
	}
	name := mux.Vars(r)["path"]
	res, ok := fileOf(rel, name)
	if !ok {
		return notFound("file", "release %d of %s has no file %q", rel.Number, d.ID, name).
			WithHint("its files are listed in %s", releaseURL(d.ID, rel.Number)+".json")
	}
	object, size, err := v.Object(r.Context(), res.Hash)
	if err != nil {
		if gone := goneLater(r, v, d, rel.Number); gone != nil && errors.Is(err, portal.ErrNotHeld) {
			return gone
		}
		return a.elsewhere(r, res, fmt.Errorf("file %s of %s: %w", name, d.ID, err))
	}
	defer object.Close()
	v.Close() // a slow reader of a large file must not hold the generation
	if size != res.Bytes {
		return fmt.Errorf("file %s of %s: %d bytes held, %d signed", name, d.ID, size, res.Bytes)
	}
	fileHeaders(w.Header(), res)
	if from, ok := provenanceOf(d, rel.Number); ok {
		origin(w, from)
	}
	if !asksForLess(r) {
		a.downloaded(r, d.ID)
	}
	http.ServeContent(w, oneRange(r), "", rel.Issued, object)
	return nil
}

// downloaded counts a file of a dataset that somebody began to fetch.
func (a *api) downloaded(r *http.Request, id portal.DatasetID) {
	if a.o.Count != nil {
		a.o.Count(r, portal.UsageKey{Name: string(id), Kind: portal.Downloads})
	}
}

// asksForLess tells a request that goes on with a file, or asks whether it has
// changed: whoever made it has been counted.
func asksForLess(r *http.Request) bool {
	from := r.Header.Get("Range")
	return from != "" && !strings.HasPrefix(from, "bytes=0-") || r.Header.Get("If-None-Match") != "" || r.Header.Get("If-Modified-Since") != ""
}

// goneLater finds the withdrawal after release n of a dataset that has come
// back since.
func goneLater(r *http.Request, v portal.View, d portal.Dataset, n int) error {
	for m := n + 1; m < d.Latest.Number; m++ {
		rel, err := v.Release(r.Context(), d.ID, m)
		if err == nil && rel.Withdrawn != nil {
			return goneSince(d.ID, rel)
		}
	}
	return nil
}

// fileHeaders make a publisher's file safe to give out from this address: it is
// saved and not shown, and nobody guesses at its type.
func fileHeaders(h http.Header, res portal.Resource) {
	h.Set("Content-Type", mediaType(res))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(res.Path)}))
	h.Set("ETag", `"`+res.Hash.Hex()+`"`)
	h.Set("Repr-Digest", reprDigest(res.Hash))
	h.Set("Cache-Control", immutable)
}

// reprDigest is a digest as RFC 9530 writes it.
func reprDigest(d portal.Digest) string {
	return "sha-256=:" + base64.StdEncoding.EncodeToString(d[:]) + ":"
}

// mediaTypes of the formats that the system's table may not know.
var mediaTypes = map[string]string{
	"csv":     "text/csv",
	"tsv":     "text/tab-separated-values",
	"json":    "application/json",
	"ndjson":  "application/x-ndjson",
	"geojson": "application/geo+json",
	"xlsx":    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"xls":     "application/vnd.ms-excel",
	"ods":     "application/vnd.oasis.opendocument.spreadsheet",
	"pdf":     "application/pdf",
	"xml":     "application/xml",
	"zip":     "application/zip",
	"txt":     "text/plain",
}

// mediaType is what the publisher declared, or what the format says, with the
// encoding where it is text.
func mediaType(res portal.Resource) string {
	kind, params, err := mime.ParseMediaType(res.MediaType)
	if err != nil || !strings.Contains(kind, "/") {
		kind, params = mediaTypes[res.Format], nil
	}
	if kind == "" {
		return "application/octet-stream"
	}
	if strings.HasPrefix(kind, "text/") && params["charset"] == "" {
		charset := res.Encoding
		if charset == "" {
			charset = "utf-8"
		}
		params = map[string]string{"charset": charset}
	}
	if whole := mime.FormatMediaType(kind, params); whole != "" {
		return whole
	}
	return "application/octet-stream"
}

// oneRange leaves at most one range in a request. A client that asks for
// several gets the whole file, as RFC 9110 allows.
func oneRange(r *http.Request) *http.Request {
	if !strings.Contains(r.Header.Get("Range"), ",") {
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Del("Range")
	return r
}
