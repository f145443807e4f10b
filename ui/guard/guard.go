// Package guard sets what the answers of every side carry against misuse in a
// browser.
package guard

import "net/http"

// Pages sets the headers of every page before it is made, whatever it turns out to
// be: the Content-Security-Policy that is given, no guessing of types, and no way
// for other sites to look in.
func Pages(policy string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		// Not "no-referrer": over plain HTTP a form would then send "Origin:
		// null", and http.CrossOriginProtection would refuse it.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
