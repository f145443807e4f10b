package guard_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"koprik/ui/guard"
)

func TestEveryAnswerCarriesThem(t *testing.T) {
	for _, status := range []int{200, 404, 500} {
		rec := httptest.NewRecorder()
		next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		guard.Pages("default-src 'none'", next).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := rec.Header().Get(name); got != want {
				t.Errorf("%d: %s: %q, want %q", status, name, got, want)
			}
		}
	}
}
