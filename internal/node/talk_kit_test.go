package node_test

import (
	"bytes"
	"net/http"
	"os"
	"strings"
	"testing"

	"koprik/internal/node"
)

func handler(t *testing.T, n *node.Node) http.Handler {
	t.Helper()
	h, err := n.Handler()
	must(t, err)
	return h
}

// holdsNone looks for secrets in a file, in any case.
func holdsNone(t *testing.T, path string, secrets []string) error {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b = bytes.ToLower(b)
	for _, s := range secrets {
		if bytes.Contains(b, []byte(strings.ToLower(s))) {
			t.Errorf("%s holds %q", path, s)
		}
	}
	return nil
}
