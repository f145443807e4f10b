// Package desk is the signed-in side of a node: the inquiries that wait for an
// answer, who gets them, what the public sees, and who can sign in.
//
// Nobody comes here without an account, and every address says for whom it is
// (routes); what an account may do with one inquiry is portal.Account.May. Nothing
// of the desk is served to a public screen.
package desk

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/gorilla/mux"
	"github.com/klauspost/compress/gzhttp"

	"koprik/portal"
	"koprik/ui/assets"
	"koprik/ui/guard"
	"koprik/ui/locale"
)

// Accounts tell who somebody is.
type Accounts interface {
	// SignIn takes as long for a name that nobody has.
	SignIn(ctx context.Context, name, password string) (a portal.Account, ok bool, err error)
	// SetPassword ends all sessions of the account. A password that is too short
	// is portal.ErrRejected.
	SetPassword(ctx context.Context, name, password string) error
	ChangeAccount(ctx context.Context, name string, change func(a *portal.Account)) error
}

// Sessions tell who is signed in.
type Sessions interface {
	// BeginSession gives the value of a cookie that nobody can guess. whole is
	// false while the second factor is still asked for.
	BeginSession(ctx context.Context, name string, whole bool) (cookie string, err error)
	// Session is portal.ErrNotFound for a cookie of none.
	Session(ctx context.Context, cookie string) (a portal.Account, whole bool, err error)
	EndSession(ctx context.Context, cookie string) error
}

// Factors are the second proof of who somebody is.
type Factors interface {
	NewSecondFactor(name string) (portal.SecondFactor, error)
	// ConfirmSecondFactor is portal.ErrRejected for a wrong code.
	ConfirmSecondFactor(ctx context.Context, name, secret, code string) (recovery []string, err error)
	// CheckSecondFactor takes each code once.
	CheckSecondFactor(ctx context.Context, name, code string) (ok bool, err error)
}

// Inquiries are what citizens asked.
type Inquiries interface {
	Cases(ctx context.Context, q portal.CaseQuery) (list []portal.Case, total int, err error)
	FindCase(ctx context.Context, id string) (portal.Case, error)
	// ChangeCase is one step: an error of do changes nothing.
	ChangeCase(ctx context.Context, id portal.InquiryID, by string, do func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error) (portal.Case, error)
}

// Staff keeps accounts.
type Staff interface {
	Accounts(ctx context.Context) ([]portal.Account, error)
	AddAccount(ctx context.Context, a portal.Account, password string) error
	RemoveSecondFactor(ctx context.Context, name string) error
}

// Nodes are the machines from which inquiries come.
type Nodes interface {
	KnownNodes(ctx context.Context) ([]portal.KnownNode, error)
	SetNode(ctx context.Context, k portal.KnownNode) error
}

// Letters are the one-time links in the centre's letters.
type Letters interface {
	// ByLetter looks and uses nothing up: portal.ErrNotFound, portal.ErrExpired.
	ByLetter(ctx context.Context, token string) (portal.LetterVisit, error)
	// AnswerByLetter answers once; an answer that is none is portal.ErrRejected and
	// leaves the link as it was.
	AnswerByLetter(ctx context.Context, token string, a portal.Answer) error
	// PassOnByLetter gives the inquiry to the next office, once; errors as before.
	PassOnByLetter(ctx context.Context, token string, why portal.NotOurs) error
	ConfirmByLetter(ctx context.Context, token string, still bool) error
	// MailState says how letters get on.
	MailState(ctx context.Context) (portal.MailState, error)
}

// Templates are the answers that a publisher gives often; "" is the centre.
type Templates interface {
	Templates(ctx context.Context, p portal.PublisherID) ([]portal.AnswerTemplate, error)
	// ChangeTemplates is one step. What is wrong with them is portal.ErrRejected.
	ChangeTemplates(ctx context.Context, p portal.PublisherID, change func([]portal.AnswerTemplate) []portal.AnswerTemplate) error
}

// Form has the centre's words of the form for questions.
type Form interface {
	FormWords(ctx context.Context) (portal.FormWords, error)
	SetFormWords(ctx context.Context, w portal.FormWords) error
}

// Options say what the desk works on. All but Words and Log are mandatory.
type Options struct {
	Accounts   Accounts
	Sessions   Sessions
	Factors    Factors
	Inquiries  Inquiries
	Cohorts    Cohorts
	Staff      Staff
	Nodes      Nodes
	Letters    Letters
	Templates  Templates
	Form       Form
	Calendar   func(context.Context) (portal.WorkCalendar, error)
	Publishers func(context.Context) ([]portal.Publisher, error)
	AnswerDays func(context.Context, portal.PublisherID) (int, error) // working days, of a publisher or ("") the centre
	NewThread  func() portal.InquiryID                                // a public name that no inquiry has
	Now        func() time.Time                                       // trusted time
	Machine    func() time.Time                                       // the machine's own, for how fast somebody tries
	DeviceKey  []byte                                                 // signs the cookies of devices that have signed in before
	Words      *locale.Catalog                                        // nil: those compiled in
	Log        *slog.Logger                                           // nil: slog.Default()
}

//go:embed templates/*.html
var templateFiles embed.FS

// policy lets a page of the desk load what this node serves and run no script at
// all.
const policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// maxForm bounds what a form of the desk may bring, bytes.
const maxForm = 64 << 10

type desk struct {
	o         Options
	words     *locale.Catalog
	assets    *assets.Set
	templates map[string]*template.Template
	store     *store
	gate      *gate
}

// pageTemplates are the pages; each stands in base.html.
var pageTemplates = []string{"signin", "code", "inbox", "inquiry", "reuses", "reuse", "account", "factor", "recovery", "users", "user", "nodes", "letter", "templates", "form", "error"}

// New makes the handler of everything below /desk/.
func New(o Options) (http.Handler, error) {
	d, err := newDesk(o)
	if err != nil {
		return nil, err
	}
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(512))
	if err != nil {
		return nil, err
	}
	var forgery http.CrossOriginProtection
	forgery.SetDenyHandler(d.page(anyone, func(*visit) error { return errForged }))
	return guard.Pages(policy, unkept(forgery.Handler(compress(d.router())))), nil
}

func newDesk(o Options) (*desk, error) {
	if o.Accounts == nil || o.Sessions == nil || o.Factors == nil || o.Inquiries == nil || o.Cohorts == nil || o.Staff == nil || o.Nodes == nil || o.Letters == nil || o.Templates == nil || o.Form == nil ||
		o.Calendar == nil || o.Publishers == nil || o.AnswerDays == nil || o.NewThread == nil || o.Now == nil || o.Machine == nil || len(o.DeviceKey) < 16 {
		return nil, errors.New("desk: an option is missing")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	d := &desk{o: o, words: o.Words, store: &store{sessions: o.Sessions}, gate: newGate(o.DeviceKey, o.Machine), templates: map[string]*template.Template{}}
	var err error
	if d.words == nil {
		if d.words, err = locale.New(nil); err != nil {
			return nil, err
		}
	}
	if d.assets, err = assets.Load(false); err != nil {
		return nil, err
	}
	for _, name := range pageTemplates {
		if d.templates[name], err = template.ParseFS(templateFiles, "templates/base.html", "templates/"+name+".html"); err != nil {
			return nil, fmt.Errorf("template %s: %w", name, err)
		}
	}
	return d, nil
}

// audience is for whom an address is.
type audience int

const (
	anyone  audience = iota // nobody has to be signed in
	halfway                 // the password was right, the second factor is asked for
	staff                   // everybody who is signed in
	routers                 // those who say who gets an inquiry
	centre                  // accounts of the centre
	admins                  // those who keep accounts and nodes
)

// admits tells whether an account belongs to an audience of those signed in.
func (a audience) admits(account portal.Account) bool {
	switch a {
	case anyone, halfway, staff:
		return true
	case routers:
		return account.Role != portal.DeskHolder
	case centre:
		return account.OfCentre()
	case admins:
		return account.May(portal.ActAccounts, nil)
	}
	return false
}

type route struct {
	method, path string
	who          audience
	answer       func(v *visit) error
}

// routes are all addresses of the desk.
func (d *desk) routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	return []route{
		{get, "/desk/sign-in", anyone, (*visit).signInPage},
		{post, "/desk/sign-in", anyone, (*visit).signIn},
		{post, "/desk/sign-out", halfway, (*visit).signOut},
		{get, "/desk/code", halfway, (*visit).codePage},
		{post, "/desk/code", halfway, (*visit).code},
		{get, letterPath + "{token}", anyone, (*visit).letterPage},
		{post, letterPath + "{token}", anyone, (*visit).letter},
		{get, "/desk/", staff, (*visit).inbox},
		{get, "/desk/inquiry/{id}", staff, (*visit).inquiryPage},
		{post, "/desk/inquiry/{id}/answer", staff, (*visit).answer},
		{post, "/desk/inquiry/{id}/clock", staff, (*visit).clock},
		{post, "/desk/inquiry/{id}/assign", routers, (*visit).assign},
		{post, "/desk/inquiry/{id}/moderate", centre, (*visit).moderate},
		{get, "/desk/reuses", centre, (*visit).reuses},
		{post, "/desk/reuses", centre, (*visit).cohort},
		{get, "/desk/reuse/{id}", centre, (*visit).reusePage},
		{post, "/desk/reuse/{id}", centre, (*visit).decideReuse},
		{get, "/desk/templates", staff, (*visit).templatesPage},
		{post, "/desk/templates", routers, (*visit).changeTemplates},
		{get, "/desk/form", admins, (*visit).formPage},
		{post, "/desk/form", admins, (*visit).setForm},
		{get, "/desk/account", staff, (*visit).accountPage},
		{post, "/desk/account/password", staff, (*visit).setPassword},
		{post, "/desk/account/language", staff, (*visit).setLanguage},
		{get, "/desk/account/factor", staff, (*visit).factorPage},
		{post, "/desk/account/factor", staff, (*visit).setFactor},
		{get, "/desk/users", admins, (*visit).usersPage},
		{post, "/desk/users", admins, (*visit).addUser},
		{get, "/desk/users/{name}", admins, (*visit).userPage},
		{post, "/desk/users/{name}", admins, (*visit).changeUser},
		{get, "/desk/nodes", admins, (*visit).nodesPage},
		{post, "/desk/nodes", admins, (*visit).changeNode},
	}
}

func (d *desk) router() *mux.Router {
	r := mux.NewRouter()
	r.Handle("/desk", http.RedirectHandler("/desk/", http.StatusFound)).Methods(http.MethodGet, http.MethodHead)
	r.PathPrefix(assets.Prefix).Handler(d.assets).Methods(http.MethodGet, http.MethodHead)
	for _, route := range d.routes() {
		methods := []string{route.method}
		if route.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		r.Handle(route.path, d.page(route.who, route.answer)).Methods(methods...)
	}
	missing := d.page(anyone, func(*visit) error { return portal.ErrNotFound })
	r.NotFoundHandler, r.MethodNotAllowedHandler = missing, d.page(anyone, func(*visit) error { return errMethod })
	return r
}

// unkept keeps what is behind a sign-in out of every store, and bounds what a form
// brings.
func unkept(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
}
