package desk

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"koprik/portal"
	"koprik/ui/locale"
)

// UsersPage is the struct of users.html.
type UsersPage struct {
	*Frame
	Users []User
	Typed portal.Account
	Roles []Choice
	Langs []Choice
	Least int
}

// User is one account of the list.
type User struct{ Name, Href, Role, Office, Post, State string }

var roleWords = map[portal.DeskRole]locale.Key{
	portal.DeskHolder: "desk.role-holder", portal.DeskCoordinator: "desk.role-coordinator",
	portal.DeskModerator: "desk.role-moderator", portal.DeskAdmin: "desk.role-admin",
}

func (v *visit) usersPage() error { return v.showUsers(http.StatusOK, portal.Account{}, nil) }

func (v *visit) showUsers(status int, typed portal.Account, problems []string) error {
	all, err := v.desk.o.Staff.Accounts(v.r.Context())
	if err != nil {
		return err
	}
	page := UsersPage{Frame: v.frame(v.T("desk.users")), Typed: typed, Roles: v.roles(typed.Role), Langs: v.langs(typed.Lang), Least: leastPassword}
	page.Problems = problems
	for _, a := range all {
		page.Users = append(page.Users, v.user(a))
	}
	return v.render(status, "users", page)
}

func (v *visit) user(a portal.Account) User {
	u := User{Name: a.Name, Href: "/desk/users/" + a.Name, Role: v.T(roleWords[a.Role]), Post: a.Post, Office: v.office(portal.Route{Publisher: a.Publisher, Contact: a.Contact})}
	if !a.Disabled.IsZero() {
		u.State = v.T("desk.disabled")
	} else if a.SecondFactor {
		u.State = v.T("desk.hasfactor")
	}
	return u
}

func (v *visit) roles(chosen portal.DeskRole) (list []Choice) {
	for _, r := range portal.DeskRoles {
		list = append(list, Choice{Value: string(r), Text: v.T(roleWords[r]), Chosen: r == chosen})
	}
	return list
}

func (v *visit) langs(chosen portal.Lang) (list []Choice) {
	for _, l := range portal.Langs {
		list = append(list, Choice{Value: l.Path(), Text: v.desk.words.Words(l).T("lang.self"), Chosen: l == chosen})
	}
	return list
}

// typedAccount reads the form of an account.
func (v *visit) typedAccount(name string) portal.Account {
	a := portal.Account{
		Name: name, Role: portal.DeskRole(v.field("role")), Publisher: portal.PublisherID(v.field("publisher")),
		Contact: portal.ContactID(v.field("contact")), Post: v.field("post"),
	}
	a.Lang, _ = portal.ParseLang(v.field("language"))
	return a
}

func (v *visit) addUser() error {
	a := v.typedAccount(v.field("name"))
	err := a.Validate()
	if err == nil {
		err = v.desk.o.Staff.AddAccount(v.r.Context(), a, v.r.PostFormValue("password"))
	}
	if lines, is := wrong(err); is {
		return v.showUsers(http.StatusUnprocessableEntity, a, lines)
	}
	if err != nil {
		return err
	}
	return v.redirect("/desk/users?done=user")
}

// UserPage is the struct of user.html.
type UserPage struct {
	*Frame
	User     portal.Account
	State    string
	Disabled bool
	Self     bool // one's own: it is not taken away from oneself
	Roles    []Choice
	Langs    []Choice
	Least    int
}

func (v *visit) userPage() error { return v.showUser(http.StatusOK, nil, nil) }

func (v *visit) showUser(status int, typed *portal.Account, problems []string) error {
	all, err := v.desk.o.Staff.Accounts(v.r.Context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(a portal.Account) bool { return a.Name == v.path("name") })
	if i < 0 {
		return portal.ErrNotFound
	}
	a := all[i]
	page := UserPage{
		User: a, State: v.user(a).State, Disabled: !a.Disabled.IsZero(), Self: a.Name == v.account.Name, Frame: v.frame(a.Name), Least: leastPassword,
	}
	if typed != nil {
		page.User.Role, page.User.Publisher, page.User.Contact, page.User.Post, page.User.Lang = typed.Role, typed.Publisher, typed.Contact, typed.Post, typed.Lang
	}
	page.Roles, page.Langs, page.Problems = v.roles(page.User.Role), v.langs(page.User.Lang), problems
	return v.render(status, "user", page)
}

var errSelf = errors.New("desk: nobody takes the own account away")

// changeUser does one thing to an account: "do" says which.
func (v *visit) changeUser() error {
	ctx, name, typed := v.r.Context(), v.path("name"), v.typedAccount(v.path("name"))
	accounts := v.desk.o.Accounts
	var err error
	switch do := v.field("do"); {
	case name == v.account.Name && do != "save":
		err = errSelf
	case do == "save":
		err = accounts.ChangeAccount(ctx, name, func(a *portal.Account) {
			if a.Name == v.account.Name { // who administers stays an administrator
				typed.Role, typed.Publisher, typed.Contact = a.Role, a.Publisher, a.Contact
			}
			typed.Name, typed.Created, typed.Disabled = a.Name, a.Created, a.Disabled
			*a = typed
		})
	case do == "password":
		err = accounts.SetPassword(ctx, name, v.r.PostFormValue("password"))
	case do == "disable":
		err = accounts.ChangeAccount(ctx, name, func(a *portal.Account) { a.Disabled = v.now })
	case do == "enable":
		err = accounts.ChangeAccount(ctx, name, func(a *portal.Account) { a.Disabled = time.Time{} })
	case do == "factor":
		err = v.desk.o.Staff.RemoveSecondFactor(ctx, name)
	default:
		err = portal.ErrNotFound
	}
	if errors.Is(err, errSelf) {
		return v.showUser(http.StatusUnprocessableEntity, nil, []string{v.T("desk.self")})
	}
	if lines, is := wrong(err); is {
		return v.showUser(http.StatusUnprocessableEntity, &typed, lines)
	}
	if err != nil {
		return err
	}
	return v.redirect("/desk/users/" + name + "?done=user")
}
