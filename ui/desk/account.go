package desk

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"koprik/portal"
	"koprik/ui/qr"
)

// AccountPage is the struct of account.html.
type AccountPage struct {
	*Frame
	Least int // characters of a password
}

// leastPassword is what SetPassword asks for; it refuses by itself too.
const leastPassword = 12

func (v *visit) accountPage() error { return v.showAccount(http.StatusOK, nil) }

func (v *visit) showAccount(status int, problems []string) error {
	page := AccountPage{Frame: v.frame(v.T("desk.account")), Least: leastPassword}
	page.Problems = problems
	return v.render(status, "account", page)
}

// setPassword asks for the password that was, so that nobody changes it at a desk
// that somebody has left. All other sessions of the account end.
func (v *visit) setPassword() error {
	was, next, again := v.r.PostFormValue("was"), v.r.PostFormValue("password"), v.r.PostFormValue("again")
	if !v.desk.gate.admit(v.r, "password of "+v.account.Name) {
		return errTooMany
	}
	leave, ok := v.desk.gate.enter()
	if !ok {
		return errBusy
	}
	_, ok, err := v.desk.o.Accounts.SignIn(v.r.Context(), v.account.Name, was)
	leave()
	switch {
	case err != nil:
		return err
	case !ok:
		return v.showAccount(http.StatusUnprocessableEntity, []string{v.T("desk.wrongwas")})
	case next != again:
		return v.showAccount(http.StatusUnprocessableEntity, []string{v.T("desk.notsame")})
	case utf8.RuneCountInString(next) < leastPassword:
		return v.showAccount(http.StatusUnprocessableEntity, []string{v.N("desk.shortpassword", leastPassword)})
	}
	if err := v.desk.o.Accounts.SetPassword(v.r.Context(), v.account.Name, next); err != nil {
		return err
	}
	if err := v.begin(v.account, true); err != nil {
		return err
	}
	return v.redirect("/desk/account?done=password")
}

func (v *visit) setLanguage() error {
	l, err := portal.ParseLang(v.field("language"))
	if err != nil {
		return v.showAccount(http.StatusUnprocessableEntity, []string{v.T("desk.badlanguage")})
	}
	if err := v.desk.o.Accounts.ChangeAccount(v.r.Context(), v.account.Name, func(a *portal.Account) { a.Lang = l }); err != nil {
		return err
	}
	return v.redirect("/desk/account?done=language")
}

// FactorPage is the struct of factor.html.
type FactorPage struct {
	*Frame
	Secret  string // in groups of four, to type
	Address string
	QR      string // path of the code
	Size    int
}

// factorPage offers a second factor. Nothing is kept until a code of it is shown.
func (v *visit) factorPage() error {
	f, err := v.desk.o.Factors.NewSecondFactor(v.account.Name)
	if err != nil {
		return err
	}
	return v.showFactor(http.StatusOK, f, nil)
}

func (v *visit) showFactor(status int, f portal.SecondFactor, problems []string) error {
	page := FactorPage{Frame: v.frame(v.T("desk.factor")), Secret: groups(f.Secret), Address: f.Address}
	page.QR, page.Size, _ = qr.Path(f.Address)
	page.Problems = problems
	return v.render(status, "factor", page)
}

func groups(s string) string {
	const of = 4
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%of == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// RecoveryPage is the struct of recovery.html.
type RecoveryPage struct {
	*Frame
	Codes []string
}

// setFactor asks for the password and a code of the new factor, and shows the
// codes that stand in for it, once.
func (v *visit) setFactor() error {
	if !v.desk.gate.admit(v.r, "password of "+v.account.Name) {
		return errTooMany
	}
	leave, ok := v.desk.gate.enter()
	if !ok {
		return errBusy
	}
	_, ok, err := v.desk.o.Accounts.SignIn(v.r.Context(), v.account.Name, v.r.PostFormValue("password"))
	leave()
	if err != nil {
		return err
	}
	secret := strings.ReplaceAll(v.field("secret"), " ", "")
	again := portal.SecondFactor{Secret: secret, Address: v.field("address")}
	if !strings.HasPrefix(again.Address, "otpauth://") {
		again.Address = ""
	}
	if !ok {
		return v.showFactor(http.StatusUnprocessableEntity, again, []string{v.T("desk.wrongwas")})
	}
	codes, err := v.desk.o.Factors.ConfirmSecondFactor(v.r.Context(), v.account.Name, secret, v.field("code"))
	if _, is := wrong(err); is {
		return v.showFactor(http.StatusUnprocessableEntity, again, []string{v.T("desk.wrongcode")})
	}
	if err != nil {
		return err
	}
	v.account.SecondFactor = true
	if err := v.begin(v.account, true); err != nil { // the session that was has ended
		return err
	}
	return v.render(http.StatusOK, "recovery", RecoveryPage{Frame: v.frame(v.T("desk.recovery")), Codes: codes})
}
