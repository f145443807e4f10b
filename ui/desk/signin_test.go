package desk

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"koprik/portal"
)

// TestEveryAddressIsForThoseItSays walks the router: whoever is not signed in goes
// to the sign-in, whoever is half signed in to the second step, and every role gets
// what routes says. An address that nobody listed fails.
func TestEveryAddressIsForThoseItSays(t *testing.T) {
	o := newOffice()
	d := o.desk(t)
	listed := map[string]audience{}
	for _, r := range d.routes() {
		listed[r.method+" "+r.path] = r.who
	}
	may := map[audience]map[portal.DeskRole]bool{
		staff:   {portal.DeskHolder: true, portal.DeskCoordinator: true, portal.DeskModerator: true, portal.DeskAdmin: true},
		routers: {portal.DeskCoordinator: true, portal.DeskModerator: true, portal.DeskAdmin: true},
		centre:  {portal.DeskModerator: true, portal.DeskAdmin: true},
		admins:  {portal.DeskAdmin: true},
	}
	tried := 0
	err := d.router().Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := r.GetPathTemplate()
		if err != nil || path == "/desk" || path == "/assets/" {
			return err
		}
		methods, err := r.GetMethods()
		if err != nil {
			return err
		}
		who, ok := listed[methods[0]+" "+path]
		if !ok {
			t.Errorf("%s %s is not listed", methods[0], path)
		}
		address := strings.NewReplacer("{id}", ofPrices.String(), "{name}", "prices").Replace(path)
		try := func(cookie string) *httptest.ResponseRecorder {
			tried++
			r := httptest.NewRequest(methods[0], address, strings.NewReader("version=none"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.AddCookie(&http.Cookie{Name: sessionCookie, Value: cookie})
			rec := httptest.NewRecorder()
			d.router().ServeHTTP(rec, r)
			return rec
		}
		if who != anyone {
			if rec := try("nobody's"); rec.Code != http.StatusSeeOther || !strings.HasPrefix(rec.Header().Get("Location"), "/desk/sign-in") {
				t.Errorf("%s %s without a sign-in: %d %s", methods[0], path, rec.Code, rec.Header().Get("Location"))
			}
		}
		for role, account := range people {
			cookie, _ := o.BeginSession(t.Context(), account.Name, false)
			if rec := try(cookie); who >= staff && (rec.Code != http.StatusSeeOther || !strings.HasPrefix(rec.Header().Get("Location"), "/desk/code")) {
				t.Errorf("%s %s by half a sign-in of a %s: %d", methods[0], path, role, rec.Code)
			}
			cookie, _ = o.BeginSession(t.Context(), account.Name, true)
			if rec := try(cookie); who >= staff && (rec.Code != http.StatusForbidden) != may[who][role] {
				t.Errorf("%s %s by a %s: %d", methods[0], path, role, rec.Code)
			}
		}
		return nil
	})
	if err != nil || tried < 9*len(listed)-20 {
		t.Errorf("%v, %d tries", err, tried)
	}
}

func TestASignInBeginsUnderANewNameAndEndsForAll(t *testing.T) {
	o := newOffice()
	at := o.serve(t)
	b := newBrowser(t, at)
	u, err := url.Parse(at + "/desk")
	if err != nil {
		t.Fatal(err)
	}
	// Somebody has planted a cookie, even one of a session of their own.
	planted, _ := o.BeginSession(t.Context(), "prices", true)
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: sessionCookie, Value: planted, Path: "/desk"}})
	if status, where, body := b.signIn("admin", password); status != http.StatusSeeOther || where != "/desk/" {
		t.Fatalf("%d %s %s", status, where, body)
	}
	mine := b.cookie(sessionCookie)
	if mine == planted || mine == "" {
		t.Errorf("the sign-in kept the planted session %q", mine)
	}
	if _, _, err := o.Session(t.Context(), planted); err == nil {
		t.Error("the planted session stands")
	}
	status, _, body := b.get("/desk/")
	want(t, "inbox", status, 200, body, "admin", "4 questions")
	other := newBrowser(t, at)
	other.client.Jar.SetCookies(u, []*http.Cookie{{Name: sessionCookie, Value: mine, Path: "/desk"}})
	status, _, body = b.post("/desk/sign-out")
	want(t, "sign-out", status, http.StatusSeeOther, body)
	status, where, _ := other.get("/desk/")
	if status != http.StatusSeeOther || where != "/desk/sign-in" {
		t.Errorf("a copied cookie after the sign-out: %d %s", status, where)
	}
}

func TestAWrongNameAndAWrongPasswordLookAlike(t *testing.T) {
	o := newOffice()
	at := o.serve(t)
	one, _, body := newBrowser(t, at).signIn("admin", "wrong")
	other, _, nobody := newBrowser(t, at).signIn("nobo1", "wrong")
	if one != http.StatusUnprocessableEntity || one != other || strings.ReplaceAll(body, "admin", "nobo1") != nobody {
		t.Errorf("%d %d:\n%s\n%s", one, other, body, nobody)
	}
}

func TestAfterTheSignInComesAPageOfTheDeskAndNoOther(t *testing.T) {
	o := newOffice()
	at := o.serve(t)
	b := newBrowser(t, at)
	inquiry := "/desk/inquiry/" + ofPrices.String()
	status, where, _ := b.get(inquiry)
	if status != http.StatusSeeOther || where != "/desk/sign-in?next="+inquiry {
		t.Errorf("%d %s", status, where)
	}
	for next, want := range map[string]string{
		inquiry: inquiry, "": "/desk/", "https://evil.example/": "/desk/", "//evil.example/desk/inquiry/": "/desk/", "/desk/inquiry/../../x": "/desk/",
		"/desk/inquiry//evil.example": "/desk/", `/desk/inquiry/\evil.example`: "/desk/", "/desk/sign-out": "/desk/", "javascript:alert(1)": "/desk/",
	} {
		o.clock.Add(3600)
		status, where, body := newBrowser(t, at).post("/desk/sign-in", "name", "admin", "password", password, "next", next)
		if status != http.StatusSeeOther || where != want {
			t.Errorf("%q leads to %d %q: %.300s", next, status, where, body)
		}
	}
}

func TestTheSecondStepIsAskedForOnce(t *testing.T) {
	o := newOffice()
	at := o.serve(t)
	b := o.as(t, at, portal.DeskHolder)
	status, _, body := b.get("/desk/account/factor")
	want(t, "page", status, 200, body, "ABCD EFGH", "<svg")
	status, _, body = b.post("/desk/account/factor", "secret", "ABCD EFGH", "address", "javascript:x", "code", "123456", "password", "wrong")
	want(t, "wrong password", status, 422, body)
	status, _, body = b.post("/desk/account/factor", "secret", "ABCD EFGH", "code", "000000", "password", password)
	want(t, "wrong code", status, 422, body)
	status, _, body = b.post("/desk/account/factor", "secret", "ABCD EFGH", "code", "123456", "password", password)
	want(t, "right code", status, 200, body, "PAPER00001", "PAPER00002")
	status, _, body = b.get("/desk/")
	want(t, "still signed in", status, 200, body)

	b = newBrowser(t, at)
	status, where, _ := b.signIn("prices", password)
	if status != http.StatusSeeOther || where != "/desk/code?next=/desk/" {
		t.Errorf("%d %s", status, where)
	}
	status, where, _ = b.get("/desk/")
	if status != http.StatusSeeOther || where != "/desk/code" {
		t.Errorf("half a sign-in sees the inbox: %d %s", status, where)
	}
	half := b.cookie(sessionCookie)
	status, _, body = b.post("/desk/code", "code", "111111")
	want(t, "wrong code", status, 422, body)
	status, where, body = b.post("/desk/code", "code", "654321")
	if status != http.StatusSeeOther || where != "/desk/" || b.cookie(sessionCookie) == half {
		t.Errorf("%d %s %s", status, where, body)
	}
	status, _, body = b.get("/desk/")
	want(t, "whole", status, 200, body)
	if b.cookie(deviceCookie) == "" {
		t.Error("the device is not remembered")
	}
}

func TestWhoGuessesIsStoppedAndLocksNobodyOut(t *testing.T) {
	o := newOffice()
	at := o.serve(t)
	owner := o.as(t, at, portal.DeskAdmin)
	owner.post("/desk/sign-out")
	d := o.desk(t)
	h, err := New(d.o)
	if err != nil {
		t.Fatal(err)
	}
	guess := func(address, name, cookie string) int {
		r := httptest.NewRequest(http.MethodPost, "/desk/sign-in", strings.NewReader("name="+name+"&password=guess"))
		r.RemoteAddr = address
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if cookie != "" {
			r.AddCookie(&http.Cookie{Name: deviceCookie, Value: cookie})
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec.Code
	}
	// From many addresses at one name: the name's budget ends.
	for i := range 3 * triesAtOnce {
		code, stopped := guess(fmt.Sprintf("192.0.2.%d:1000", i), "admin", ""), i >= triesAtOnce
		if (code == http.StatusTooManyRequests) != stopped {
			t.Errorf("guess %d: %d", i, code)
		}
	}
	// The owner's own browser still gets in, and guesses no more than others.
	device := owner.cookie(deviceCookie)
	for i := range 3 * triesAtOnce {
		code, stopped := guess(fmt.Sprintf("198.51.100.%d:1000", i), "admin", device), i >= triesAtOnce
		if (code == http.StatusTooManyRequests) != stopped {
			t.Errorf("guess %d by the device: %d", i, code)
		}
	}
	if code := guess("203.0.113.1:1", "stat", device); code != http.StatusUnprocessableEntity {
		t.Errorf("another name: %d", code)
	}
	for _, forged := range []string{"x", "x.y", strings.SplitN(device, ".", 2)[0] + ".AAAA", "." + device} {
		if code := guess("203.0.113.2:1", "admin", forged); code != http.StatusTooManyRequests {
			t.Errorf("forged device %q: %d", forged, code)
		}
	}
	// From one network at many names: the network's budget ends.
	for i := range 2 * addressAtOnce {
		code, stopped := guess(fmt.Sprintf("[2001:db8:0:1::%x]:1000", i), fmt.Sprintf("n%d", i), ""), i >= addressAtOnce
		if (code == http.StatusTooManyRequests) != stopped {
			t.Errorf("guess %d of the network: %d", i, code)
		}
	}
	o.clock.Add(60)
	if code := guess("192.0.2.200:1", "admin", ""); code != http.StatusUnprocessableEntity {
		t.Errorf("a minute later: %d", code)
	}
}

func TestAFloodOfNamesTakesLittleMemory(t *testing.T) {
	o := newOffice()
	g := o.desk(t).gate
	for i := range 3 * maxBuckets {
		r := httptest.NewRequest(http.MethodPost, "/desk/sign-in", http.NoBody)
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)
		g.admit(r, fmt.Sprintf("n%d", i))
	}
	if n := len(g.recent) + len(g.before); n > maxBuckets+2 {
		t.Errorf("%d budgets are kept", n)
	}
}

func TestOnlySoManyPasswordsAreTriedAtOnce(t *testing.T) {
	o := newOffice()
	o.came, o.hold = make(chan struct{}), make(chan struct{})
	h, err := New(o.desk(t).o)
	if err != nil {
		t.Fatal(err)
	}
	send := func(i int) int {
		r := httptest.NewRequest(http.MethodPost, "/desk/sign-in", strings.NewReader("name=admin&password=x"))
		r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", i)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec.Code
	}
	codes := make(chan int)
	for i := range hashing {
		go func() { codes <- send(i) }()
		<-o.came
	}
	if code := send(9); code != http.StatusServiceUnavailable {
		t.Errorf("one more than there are places for: %d", code)
	}
	close(o.hold)
	for range hashing {
		if code := <-codes; code != http.StatusUnprocessableEntity {
			t.Errorf("status %d", code)
		}
	}
}

func TestAFormOfAnotherSiteDoesNothing(t *testing.T) {
	o := newOffice()
	at := o.serve(t)
	b := o.as(t, at, portal.DeskHolder)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/desk/inquiry/"+ofPrices.String()+"/answer", strings.NewReader("state=answered&text=x&language=en&version=0"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	status, _, body := b.do(r)
	want(t, "forged", status, http.StatusForbidden, body, "This form came from another site")
	if len(o.cases[ofPrices].Answers) != 0 {
		t.Error("it was answered")
	}
	status, _, body = b.post("/desk/inquiry/"+ofPrices.String()+"/answer", "state", "answered", "text", strings.Repeat("x", 2*maxForm))
	want(t, "a form of 128 KB", status, http.StatusRequestEntityTooLarge, body)
	status, _, body = b.get("/desk/nowhere")
	want(t, "nowhere", status, 404, body)
	status, _, body = b.post("/desk/account/factor/x")
	want(t, "nowhere by POST", status, 404, body)
}
