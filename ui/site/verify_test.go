package site

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"koprik/portal"
	"koprik/ui/locale"
)

// fakeVerifier knows what a test tells it.
type fakeVerifier struct {
	files map[string]portal.Proof // by content
	said  map[string]portal.Proof
	err   error
	read  atomic.Int64
	came  chan struct{} // told of each file that is being read; nil: nobody asks
	hold  chan struct{} // closed to let readers go on
}

func (f *fakeVerifier) Examine(_ context.Context, file io.Reader) (portal.Proof, error) {
	if f.came != nil {
		f.came <- struct{}{}
		<-f.hold
	}
	b, err := io.ReadAll(file)
	f.read.Add(int64(len(b)))
	if err != nil || f.err != nil {
		return portal.Proof{}, errors.Join(err, f.err)
	}
	if p, ok := f.files[string(b)]; ok {
		return p, nil
	}
	return portal.Proof{Verdict: portal.Unknown, SHA256: portal.DigestOf(b)}, nil
}

func (f *fakeVerifier) Identify(_ context.Context, text string) (portal.Proof, error) {
	if f.err != nil {
		return portal.Proof{}, f.err
	}
	if p, ok := f.said[text]; ok {
		return p, nil
	}
	if _, err := portal.ParseSaid(text); err != nil {
		return portal.Proof{}, errors.Join(portal.ErrUsage, err)
	}
	return portal.Proof{Verdict: portal.Unknown}, nil
}

// knownProof is of a file of release 2, where 3 is the latest.
func knownProof(verdict portal.Verdict) portal.Proof {
	return portal.Proof{
		Verdict: verdict, SHA256: portal.DigestOf([]byte("file")), Dataset: "main_population", Release: 2, Latest: 3, Resource: "aholi.csv",
		Title: portal.PlainText("Aholi"), Publisher: portal.Publisher{ID: "main", Title: portal.PlainText("Idora")}, Issued: now.AddDate(0, -1, 0),
		Manifest: portal.DigestOf([]byte("manifest")), Signers: []string{strings.Repeat("ab", 32)}, State: portal.CopyState{AsOf: now},
	}
}

// upload sends a form with a file, as a browser does.
func (w *world) upload(t testing.TB, address, field, name string, content io.Reader) *http.Response {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile(field, name)
	if err == nil {
		_, err = io.Copy(part, content)
	}
	if err = errors.Join(err, form.Close()); err != nil {
		t.Fatal(err)
	}
	return w.post(t, address, form.FormDataContentType(), &body)
}

func (w *world) post(t testing.TB, address, kind string, body io.Reader) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, address, body)
	r.Header.Set("Content-Type", kind)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	if n := w.open.Load(); n != 0 {
		t.Errorf("%s: %d views left open", address, n)
	}
	return rec.Result()
}

func text(t testing.TB, res *http.Response, status int) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		t.Errorf("status %d, want %d; %v\n%s", res.StatusCode, status, err, b)
	}
	return string(b)
}

func TestAFileIsSaidToBeUnalteredOrNotInEveryLanguage(t *testing.T) {
	v := &fakeVerifier{files: map[string]portal.Proof{}}
	for _, verdict := range []portal.Verdict{portal.OriginalFile, portal.ManifestFile, portal.MadeFile, portal.Altered, portal.Elsewhere} {
		v.files[string(verdict)] = knownProof(verdict)
	}
	w := newWorld(t, func(w *world) { w.options.Verifier = v })
	for _, l := range portal.Langs {
		words := wordsOf(t, l)
		for content, look := range map[string]string{"original": "done", "manifest": "done", "made": "done", "altered": "bad", "elsewhere": "", "unknown": "bad"} {
			address := "/" + l.Path() + "/verify"
			body := text(t, w.upload(t, address, "file", "a.csv", strings.NewReader(content)), 200)
			mustHave(t, body, `<div class="note `+look+`" role="status">`, words.T(locale.Key("verify."+content)))
			if look == "done" {
				mustHave(t, body, "Idora", "aholi.csv", "abababababababab", portal.DigestOf([]byte("manifest")).Short(), `href="/`+l.Path()+`/dataset/main_population"`)
			}
			checkPage(t, address, l, []byte(body))
		}
	}
}

func TestWhatBecameOfAReleaseSinceIsSaidBesideTheVerdict(t *testing.T) {
	suspended, withdrawn := knownProof(portal.OriginalFile), knownProof(portal.OriginalFile)
	suspended.Suspended, suspended.Signers = true, nil
	withdrawn.Withdrawn = true
	w := newWorld(t, func(w *world) {
		w.options.Verifier = &fakeVerifier{files: map[string]portal.Proof{"s": suspended, "w": withdrawn}}
	})
	mustHave(t, text(t, w.upload(t, "/en/verify", "file", "a", strings.NewReader("s")), 200), "no signature of this publisher holds", "There is a newer release: 3.")
	mustHave(t, text(t, w.upload(t, "/en/verify", "file", "a", strings.NewReader("w")), 200), "This dataset was withdrawn")
}

func TestAFingerprintIsLookedUpAsItWasTyped(t *testing.T) {
	centre := portal.Proof{Verdict: portal.SigningKey, Role: "root", Signers: []string{strings.Repeat("cd", 32)}}
	office := portal.Proof{Verdict: portal.SigningKey, Role: "main", Publisher: portal.Publisher{ID: "main", Title: portal.PlainText("Idora")}, Signers: []string{strings.Repeat("ab", 32)}}
	w := newWorld(t, func(w *world) {
		w.options.Verifier = &fakeVerifier{said: map[string]portal.Proof{
			"2d711642b726b044": knownProof(portal.ManifestFile), "root": centre, "office": office,
		}}
	})
	mustHave(t, w.body(t, "/en/verify?h=2d711642b726b044", 200), "Genuine: this release is signed", "Compare what you hold", `value="2d711642b726b044"`)
	mustHave(t, w.body(t, "/en/verify?h=root", 200), "This key is known", "the centre: root", portal.SixWords(strings.Repeat("cd", 32)))
	mustHave(t, w.body(t, "/en/verify?h=office", 200), "Idora", portal.SixWords(strings.Repeat("ab", 32)))
	mustHave(t, w.body(t, "/en/verify?h=ffffffffffffffff", 200), "Nothing in this copy has the fingerprint “ffffffffffffffff”")
	mustHave(t, w.body(t, "/en/verify?h=%3Cscript%3E", 200), "Nothing in this copy", "&lt;script&gt;")
	mustHave(t, w.body(t, "/en/verify?h="+strings.Repeat("a", portal.MaxSaid+1), 400), "too long for a fingerprint")
	w.options.Verifier.(*fakeVerifier).err = errors.New("disk on fire")
	w.body(t, "/en/verify?h=2d711642b726b044", 500)
}

func TestAFileThatIsTooLargeOrBreaksOffIsRefusedInWords(t *testing.T) {
	v := &fakeVerifier{}
	w := newWorld(t, func(w *world) { w.options.Verifier = v })
	const boundary = "xYz"
	kind := "multipart/form-data; boundary=" + boundary
	head := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"
	for what, c := range map[string]struct {
		kind   string
		body   io.Reader
		status int
		says   string
	}{
		"no form":         {"text/plain", strings.NewReader("x"), 400, "No file came"},
		"no file":         {kind, strings.NewReader("--" + boundary + "--\r\n"), 400, "No file came"},
		"an empty choice": {kind, strings.NewReader("--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n--" + boundary + "--\r\n"), 400, "No file came"},
		"cut":             {kind, io.MultiReader(strings.NewReader(head+"abc"), iotest.ErrReader(io.ErrUnexpectedEOF)), 400, "No file came"},
		"without an end":  {kind, strings.NewReader(head + "abc"), 400, "No file came"},
		"too large":       {kind, io.MultiReader(strings.NewReader(head), zeros{}), 413, "larger than 500\u00a0MB"},
	} {
		body := text(t, w.post(t, "/en/verify", c.kind, c.body), c.status)
		if !strings.Contains(body, c.says) {
			t.Errorf("%s: %s", what, body)
		}
	}
}

// zeros never end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestOnlySoManyFilesAreReadAtOnce(t *testing.T) {
	v := &fakeVerifier{came: make(chan struct{}), hold: make(chan struct{})}
	w := newWorld(t, func(w *world) { w.options.Verifier = v })
	const body = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc\r\n--x--\r\n"
	send := func() int {
		r := httptest.NewRequest(http.MethodPost, "/en/verify", strings.NewReader(body))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		return rec.Code
	}
	codes := make(chan int)
	for range maxUploads {
		go func() { codes <- send() }()
		<-v.came
	}
	if code := send(); code != http.StatusServiceUnavailable {
		t.Errorf("one more than there are places for is answered %d", code)
	}
	close(v.hold)
	for range maxUploads {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("status %d", code)
		}
	}
}

func TestAPublicScreenTakesNoFiles(t *testing.T) {
	w := kiosk(t)
	body := w.body(t, "/en/verify", 200)
	mustHave(t, body, `name="h"`)
	mustNotHave(t, body, `type="file"`)
	text(t, w.upload(t, "/en/verify", "file", "a", strings.NewReader("x")), 405)
}

func TestAPrintedPageHasACodeThatVerifyReads(t *testing.T) {
	w := newWorld(t)
	d := w.view.datasets[0]
	code := portal.ReleaseCode(d.ID, d.Latest.Number, d.Manifest)
	for _, page := range []string{"", "/history", "/table/population"} {
		body := w.body(t, "/uz/dataset/"+string(d.ID)+page, 200)
		mustHave(t, body, `<p class="paper"><img src="/uz/verify/code.svg?h=`, "<code>"+code+"</code>")
	}
	mustNotHave(t, w.body(t, "/uz/search", 200), `class="paper"`)
	res := w.get(t, "/uz/verify/code.svg?h="+code)
	picture := text(t, res, 200)
	if res.Header.Get("Content-Type") != "image/svg+xml" {
		t.Errorf("%v", res.Header)
	}
	_, path, _ := strings.Cut(picture, `<path d="`)
	path, _, _ = strings.Cut(path, `"`)
	want := "http://example.com/uz/verify?h=" + code
	if path != qrOf(want, "").Path {
		t.Errorf("the code does not say %s", want)
	}
	if said, err := portal.ParseSaid(want); err != nil || said.Dataset != d.ID || said.Release != d.Latest.Number || said.Hex != d.Manifest.Short() {
		t.Errorf("verify reads %+v, %v", said, err)
	}
	for _, bad := range []string{"", "x", "2d711642b726b044", "javascript:alert(1)"} {
		w.body(t, "/uz/verify/code.svg?h="+bad, 404)
	}
}
