package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"koprik/portal"
)

// refusal runs a complaint and gives the exit code and what was written.
func refusal(err error, asked bool) (int, string) {
	var out bytes.Buffer
	a := &app{stderr: &out, json: asked}
	code := a.complain(err)
	return code, out.String()
}

func TestErrorsArePutIntoWordsWithTheirExitCode(t *testing.T) {
	row := portal.Rejected("water.csv: row 3", "3 cells, 2 expected")
	mail := portal.Rejected("water.passport.yaml: contact.email", "is missing").WithHint("write one")
	partly := &portal.Problem{Kind: portal.ErrPartly, Message: "1 of 2 were not published"}
	for _, c := range []struct {
		name string
		err  error
		exit int
		want string
	}{
		{"a problem", mail, 8, "koprik: water.passport.yaml: contact.email: is missing\n  write one\n"},
		{"a usage error names its command once", usage("koprik status", "no"), 2, "koprik status: no\n  koprik status --help explains\n"},
		{"two problems", portal.Problems{row, mail}, 8, "koprik: water.csv: row 3: 3 cells, 2 expected\nkoprik: water.passport.yaml: contact.email: is missing\n  write one\n"},
		{"the same problem twice", errors.Join(row, fmt.Errorf("%w", row)), 8, "koprik: water.csv: row 3: 3 cells, 2 expected\n"},
		{"a wrapped problem keeps what stood before it", fmt.Errorf("open centre: %w", row), 8, "koprik: open centre: water.csv: row 3: 3 cells, 2 expected\n"},
		{"partly wins over what is below", errors.Join(partly, row), 7, "koprik: 1 of 2 were not published\nkoprik: water.csv: row 3: 3 cells, 2 expected\n"},
		{"problems beside another error", errors.Join(portal.Problems{row, mail}, errors.New("x")), 8, "koprik: water.csv: row 3: 3 cells, 2 expected\nkoprik: water.passport.yaml: contact.email: is missing\n  write one\nkoprik: x\n  nobody expected this; koprik doctor looks the data directory over\n"},
		{"the kind decides, not the cause", &portal.Problem{Kind: portal.ErrRejected, Message: "no", Cause: portal.ErrUnverified}, 8, "koprik: no\n"},
		{"a missing file", &fs.PathError{Op: "open", Path: "a/b", Err: syscall.ENOENT}, 1, "koprik: a/b: there is no such file or folder\n  check the path\n"},
		{"a full disk", &fs.PathError{Op: "write", Path: "a/b", Err: syscall.ENOSPC}, 6, "koprik: a/b: the disk is full\n  free some space and run the command again\n"},
		{"no right", &os.LinkError{Op: "rename", Old: "a", New: "b", Err: syscall.EACCES}, 1, "koprik: b: this user may not do that here: permission denied\n  check who owns it\n"},
		{"a sentinel alone", fmt.Errorf("open dataset x: %w", portal.ErrNotFound), 1, "koprik: open dataset x: not found\n"},
		{"too slow", context.DeadlineExceeded, 1, "koprik: took longer than it is given: context deadline exceeded\n  try again\n"},
		{"Ctrl-C", interrupted(context.Canceled), 130, "koprik: interrupted\n  nothing is half done: what stood before stands, and the same command goes on from there\n"},
		{"lines are set in", portal.Rejected("a", "one\ntwo"), 8, "koprik: a: one\n  two\n"},
	} {
		if exit, got := refusal(c.err, false); exit != c.exit || got != c.want {
			t.Errorf("%s: exit code %d, want %d\n%swant\n%s", c.name, exit, c.exit, got, c.want)
		}
	}
}

func TestManyProblemsAreNotAllPutBeforeAPerson(t *testing.T) {
	var many portal.Problems
	for i := range 80 {
		many.Add(fmt.Sprintf("row %d", i), "is wrong")
	}
	_, text := refusal(many, false)
	if lines := strings.Count(text, "\n"); lines != maxShown+1 || !strings.HasSuffix(text, "koprik: and 30 more\n") {
		t.Errorf("%d lines:\n%s", lines, text)
	}
	_, line := refusal(many, true)
	var out struct{ Error errorJSON }
	if err := json.Unmarshal([]byte(line), &out); err != nil || len(out.Error.Problems) != 80 {
		t.Errorf("%v, %d problems in JSON", err, len(out.Error.Problems))
	}
}

func TestErrorsAsJSONHaveFourFieldsAndEachProblemWhenThereAreSeveral(t *testing.T) {
	row := portal.Rejected("row 3", "3 cells")
	exit, got := refusal(row, true)
	if want := `{"error":{"code":"rejected","message":"3 cells","where":"row 3","hint":""}}` + "\n"; exit != 8 || got != want {
		t.Errorf("exit code %d\n%swant\n%s", exit, got, want)
	}
	partly := &portal.Problem{Kind: portal.ErrPartly, Message: "1 of 2 were not published", Hint: "mend it"}
	exit, got = refusal(errors.Join(partly, row), true)
	want := `{"error":{"code":"partly","message":"1 of 2 were not published; row 3: 3 cells","where":"","hint":"mend it","problems":[` +
		`{"code":"partly","message":"1 of 2 were not published","where":"","hint":"mend it"},{"code":"rejected","message":"3 cells","where":"row 3","hint":""}]}}` + "\n"
	if exit != 7 || got != want {
		t.Errorf("exit code %d\n%swant\n%s", exit, got, want)
	}
}

func TestCtrlCEndsACommandWith130AndLeavesWhatStood(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signal that a test could send to one process")
	}
	central := initCentral(t)
	asked, once, over := make(chan struct{}), sync.Once{}, make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(asked) })
		select {
		case <-r.Context().Done():
		case <-over:
		}
	}))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(over) })
	dir := initMirrorOf(t, central, silent.URL)
	p := start(t, "sync", "--dir", dir)
	<-asked
	must(t, p.Process.Signal(os.Interrupt))
	_ = p.Wait()
	if code := p.ProcessState.ExitCode(); code != 130 || !strings.HasPrefix(p.stderr.String(), "koprik: interrupted\n") {
		t.Errorf("exit code %d\n%s", code, p.stderr.String())
	}
	koprik(t, "sync", "--dir", dir, "--from", central)
}

func TestAnAddressThatABrowserCanOpenIsPrinted(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080", "[::]:8080": "http://localhost:8080", "0.0.0.0:80": "http://localhost:80", "10.0.0.5:80": "http://10.0.0.5:80",
	} {
		if got := reachable(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	abs, err := filepath.Abs("stick")
	must(t, err)
	for in, want := range map[string]string{"https://data.example.org": "https://data.example.org", "stick": abs} {
		if got, err := lasting(in); err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", in, got, err, want)
		}
	}
}
