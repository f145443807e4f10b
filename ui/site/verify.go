package site

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"koprik/portal"
)

// Verifier says whether something is what was signed, without a network.
type Verifier interface {
	// Examine reads a file to its end, keeps nothing of it, and says what it is.
	Examine(ctx context.Context, file io.Reader) (portal.Proof, error)
	// Identify looks up what a person typed or a camera read; what is no
	// fingerprint at all is portal.ErrUsage.
	Identify(ctx context.Context, text string) (portal.Proof, error)
}

const (
	// maxUpload is the largest file that is read to be checked, in bytes: about a
	// second of hashing. Larger ones are for koprik verify.
	maxUpload = 500_000_000
	// maxUploads is how many are read at once; one more is told to come again.
	maxUploads = 8
	// maxParts is how many parts of a form are looked at for the file.
	maxParts = 4
)

// verifyPage is the struct of templates/verify.html.
type verifyPage struct {
	*Frame
	Proof    *proofBox
	Lead     string
	Action   string
	FileNote string // "" where no file can be chosen
	Code     string // what was typed
	MaxCode  int
}

// proofBox is what was found.
type proofBox struct {
	Look  string // "done", "bad", or "" where nobody can tell
	Title string
	Text  []string
	Rows  []Row
}

// Paper is what a printed page is checked by.
type Paper struct {
	Image, Text, Code string
}

// paper is that of a page that shows a dataset's latest release.
func (v *visit) paper(d portal.Dataset) *Paper {
	code := portal.ReleaseCode(d.ID, d.Latest.Number, d.Manifest)
	return &Paper{
		Image: v.Base + "/verify/code.svg?h=" + url.QueryEscape(code), Text: v.T("verify.title"), Code: code,
	}
}

// verifyURL leads to what is known of a dataset's latest release.
func (v *visit) verifyURL(d portal.Dataset) string {
	return v.Base + "/verify?h=" + url.QueryEscape(portal.ReleaseCode(d.ID, d.Latest.Number, d.Manifest))
}

func (v *visit) verifyPage() *verifyPage {
	v.Title = v.T("verify.title")
	p := &verifyPage{Frame: v.Frame, Lead: v.T("verify.lead"), Action: v.Base + "/verify", MaxCode: portal.MaxSaid}
	if v.Kiosk == nil {
		p.FileNote = v.T("verify.filenote", "size", v.Bytes(maxUpload))
	}
	return p
}

// verify answers the form, and what was typed into it.
func (s *site) verify(v *visit) (answer, error) {
	p := v.verifyPage()
	if p.Code = v.one("h"); p.Code == "" {
		return answer{template: "verify", data: p}, nil
	}
	if len(p.Code) > portal.MaxSaid {
		return answer{}, v.bad("error.badcode", "max", portal.MaxSaid)
	}
	proof, err := s.o.Verifier.Identify(v.ctx, p.Code)
	if errors.Is(err, portal.ErrUsage) {
		proof, err = portal.Proof{Verdict: portal.Unknown, State: v.view.State()}, nil
	}
	if err != nil {
		return answer{}, fmt.Errorf("fingerprint: %w", err)
	}
	p.Proof = v.proof(proof, p.Code)
	return answer{template: "verify", data: p}, nil
}

// verifyFile reads the file that was sent, and keeps nothing of it.
func (s *site) verifyFile(v *visit) (answer, error) {
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	default:
		return answer{}, portal.ErrTooMuch
	}
	file, err := v.sentFile()
	if err != nil {
		return answer{}, err
	}
	proof, err := s.o.Verifier.Examine(v.ctx, file)
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return answer{}, v.bigFile()
	case err != nil && file.failed:
		return answer{}, v.bad("error.nofile")
	case err != nil:
		return answer{}, fmt.Errorf("check a file: %w", err)
	}
	p := v.verifyPage()
	p.Proof = v.proof(proof, "")
	return answer{template: "verify", data: p}, nil
}

func (v *visit) bigFile() error {
	return &pageError{
		status: http.StatusRequestEntityTooLarge, title: v.T("error.bad"), text: v.T("error.bigfile", "size", v.Bytes(maxUpload)),
		back: Link{Shown: Shown{Text: v.T("verify.title")}, Href: v.Base + "/verify"},
	}
}

// sent is the body of a form's file. failed says that the request broke off.
type sent struct {
	io.Reader
	failed bool
}

func (s *sent) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	s.failed = s.failed || err != nil && !errors.Is(err, io.EOF)
	return n, err
}

// sentFile finds the file in the form as it comes in: nothing is written to disk
// or held in memory.
func (v *visit) sentFile() (*sent, error) {
	const frame = 64 << 10 // of the form around the file
	if v.r.ContentLength > maxUpload+frame {
		return nil, v.bigFile()
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxUpload+frame)
	parts, err := v.r.MultipartReader()
	if err != nil {
		return nil, v.bad("error.nofile")
	}
	for range maxParts {
		part, err := parts.NextPart()
		if err != nil {
			break
		}
		if part.FormName() == "file" && part.FileName() != "" {
			return &sent{Reader: part}, nil
		}
	}
	return nil, v.bad("error.nofile")
}

// proof puts a verdict into words. code is what was typed; "" for a file.
func (v *visit) proof(p portal.Proof, code string) *proofBox {
	box := &proofBox{Look: "bad", Title: v.T("verify.unknown")}
	if p.Verdict.Holds() {
		box.Look = "done"
	}
	switch p.Verdict {
	case portal.OriginalFile:
		box.Title = v.T("verify.original")
	case portal.ManifestFile:
		box.Title = v.T("verify.manifest")
	case portal.MadeFile:
		box.Title = v.T("verify.made")
	case portal.SigningKey:
		box.Title = v.T("verify.key")
	case portal.Altered:
		box.Title, box.Text = v.T("verify.altered"), []string{v.T("verify.alteredtext")}
	case portal.Elsewhere:
		box.Look, box.Title, box.Text = "", v.T("verify.elsewhere"), []string{v.T("verify.elsewheretext")}
	default:
		box.Text = []string{v.T("verify.unknowntext")}
		if code != "" {
			box.Text = []string{v.T("verify.unknowncode", "got", clip(code, 100))}
		}
	}
	if code != "" && (p.Verdict == portal.OriginalFile || p.Verdict == portal.ManifestFile) {
		box.Title, box.Text = v.T("verify.known"), []string{v.T("verify.knowntext")}
	}
	if p.Suspended && p.Verdict.Holds() {
		box.Look, box.Text = "", append(box.Text, v.T("dataset.suspendedtext"))
	}
	if p.Withdrawn {
		box.Text = append(box.Text, v.T("dataset.withdrawn")+". "+v.T("dataset.withdrawnkept"))
	}
	if p.Verdict.Holds() && p.Latest > p.Release {
		box.Text = append(box.Text, v.T("verify.newer", "n", p.Latest))
	}
	box.Rows = v.proofRows(p, code)
	return box
}

func (v *visit) proofRows(p portal.Proof, code string) []Row {
	var rs rows
	if p.Verdict == portal.SigningKey {
		whose := Value{Shown: Shown{Text: v.T("verify.centre", "role", p.Role)}}
		if p.Publisher.ID != "" {
			link := v.publisherLink(p.Publisher)
			whose = Value{Shown: link.Shown, Href: link.Href}
		} else if _, err := portal.ParsePublisherID(p.Role); err == nil && !isTopRole(p.Role) {
			whose = Value{Shown: Shown{Text: p.Role}}
		}
		v.add(&rs, v.T("verify.signs"), whose)
		for _, id := range p.Signers {
			v.add(&rs, v.T("passport.fingerprint"), plain(portal.SixWords(id)), Value{Shown: Shown{Text: id}, Code: true})
		}
		return rs
	}
	if p.Dataset != "" {
		title := v.text(p.Title)
		if title.Text == "" {
			title = Shown{Text: string(p.Dataset)}
		}
		v.add(&rs, v.T("verify.dataset"), Value{Shown: title, Href: v.datasetURL(p.Dataset)})
		v.add(&rs, v.T("passport.release"), plain(strconv.Itoa(p.Release)))
	}
	v.add(&rs, v.T("verify.file1"), plain(p.Resource))
	if p.Publisher.ID != "" {
		v.add(&rs, v.T("passport.signed"), v.signedBy(p.Publisher, p.Signers)...)
		v.add(&rs, v.T("verify.issued"), plain(v.moment(p.Issued)))
		v.add(&rs, v.T("passport.fingerprint"), Value{Shown: Shown{Text: p.Manifest.Short()}, Code: true})
	}
	if !p.SHA256.IsZero() && (code == "" || p.Verdict == portal.OriginalFile) {
		v.add(&rs, v.T("verify.sum"), Value{Shown: Shown{Text: p.SHA256.Hex()}, Code: true})
	}
	v.add(&rs, v.T("node.asof"), plain(v.moment(p.State.AsOf)))
	return rs
}

func isTopRole(role string) bool {
	return role == "root" || role == "targets" || role == "snapshot" || role == "timestamp"
}

// printedCode draws the code of a printed page: the address of the page that
// checks it, under the name by which the reader knows this node.
func (s *site) printedCode(w http.ResponseWriter, r *http.Request) {
	code := r.URL.Query().Get("h")
	said, err := portal.ParseSaid(code)
	if err != nil || said.Dataset == "" {
		s.notFound(w, r)
		return
	}
	text := code
	if base := origin(r); base != "" {
		text = base + strings.TrimSuffix(r.URL.Path, "/code.svg") + "?h=" + code
	}
	picture := qrOf(text, "")
	if picture == nil {
		s.notFound(w, r)
		return
	}
	picture.send(w)
}

// send answers with the code as a picture.
func (c *QR) send(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "private, max-age=86400")
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[1]d"><path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path d="%[2]s"/></svg>`, c.Size, c.Path)
}
