package node

import (
	"net/http"
	"strings"
	"time"
)

// stall is how long a reader of an export may take nothing: it keeps one of few
// places in which files are made.
const stall = time.Minute

// isExport tells the addresses at which files are made while they are sent.
func isExport(path string) bool {
	return strings.HasPrefix(path, "/api/v1/tables/") && strings.HasSuffix(path, "/export")
}

// patiently serves an export to a reader who may be slow and may not stand still.
func patiently(h http.Handler, w http.ResponseWriter, r *http.Request) {
	// The connection goes by the clock of the machine, whatever the node thinks of it.
	p := &patient{ResponseWriter: w, clock: SystemClock}
	// Where the connection has no deadlines there is none to be moved. What is
	// asked next on this connection has no deadline again.
	defer func() { _ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) }()
	h.ServeHTTP(p, r)
}

// patient moves the deadline of a connection while its reader takes something.
type patient struct {
	http.ResponseWriter
	clock func() time.Time
	until time.Time
}

func (p *patient) Write(b []byte) (int, error) {
	if now := p.clock(); p.until.Sub(now) < stall/2 {
		p.until = now.Add(stall)
		_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(p.until)
	}
	return p.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }
