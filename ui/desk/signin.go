package desk

import (
	"net/http"

	"koprik/portal"
)

// SignInPage is the struct of signin.html.
type SignInPage struct {
	*Frame
	Name, Next string
}

func (v *visit) signInPage() error {
	if whole, _ := v.session.Values[keyWhole].(bool); whole {
		return v.redirect(v.next())
	}
	return v.render(http.StatusOK, "signin", SignInPage{Frame: v.frame(v.T("desk.signin")), Next: v.next()})
}

// signIn answers every wrong pair of name and password alike, in the same time.
func (v *visit) signIn() error {
	g, name := v.desk.gate, v.field("name")
	if len(name) > portal.MaxAccountName {
		name = ""
	}
	if !g.admit(v.r, name) {
		return errTooMany
	}
	leave, ok := g.enter()
	if !ok {
		return errBusy
	}
	account, ok, err := v.desk.o.Accounts.SignIn(v.r.Context(), name, v.r.PostFormValue("password"))
	leave()
	if err != nil {
		return err
	}
	if !ok {
		page := SignInPage{Frame: v.frame(v.T("desk.signin")), Name: name, Next: v.next()}
		page.Problems = []string{v.T("desk.wrong")}
		return v.render(http.StatusUnprocessableEntity, "signin", page)
	}
	if err := v.begin(account, !account.SecondFactor); err != nil {
		return err
	}
	if account.SecondFactor {
		return v.redirect("/desk/code?next=" + v.next())
	}
	if err := g.remember(v.w, v.r, account.Name); err != nil {
		return err
	}
	return v.redirect(v.next())
}

func (v *visit) signOut() error {
	if err := v.end(); err != nil {
		return err
	}
	v.w.Header().Set("Clear-Site-Data", `"cache"`)
	return v.redirect("/desk/sign-in")
}

// CodePage is the struct of code.html.
type CodePage struct {
	*Frame
	Next string
}

func (v *visit) codePage() error {
	return v.render(http.StatusOK, "code", CodePage{Frame: v.frame(v.T("desk.code")), Next: v.next()})
}

// code asks for the second factor. Codes are guessed at as passwords are, and
// have the same budget.
func (v *visit) code() error {
	if whole, _ := v.session.Values[keyWhole].(bool); whole {
		return v.redirect(v.next())
	}
	if !v.desk.gate.admit(v.r, "code of "+v.account.Name) {
		return errTooMany
	}
	ok, err := v.desk.o.Factors.CheckSecondFactor(v.r.Context(), v.account.Name, v.field("code"))
	if err != nil {
		return err
	}
	if !ok {
		page := CodePage{Frame: v.frame(v.T("desk.code")), Next: v.next()}
		page.Problems = []string{v.T("desk.wrongcode")}
		return v.render(http.StatusUnprocessableEntity, "code", page)
	}
	if err := v.begin(v.account, true); err != nil {
		return err
	}
	if err := v.desk.gate.remember(v.w, v.r, v.account.Name); err != nil {
		return err
	}
	return v.redirect(v.next())
}
