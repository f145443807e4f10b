package cli

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// lesson is a block of commands on a page, and the lines that they print among others.
type lesson struct {
	commands string
	prints   []string
}

var fenced = regexp.MustCompile("(?ms)^```(sh|text)\n(.*?)^```$")

// lessonsOf reads a page: a block of text belongs to the commands before it.
func lessonsOf(t *testing.T, page string) (list []lesson) {
	t.Helper()
	for _, found := range fenced.FindAllStringSubmatch(page, -1) {
		switch {
		case found[1] == "sh":
			list = append(list, lesson{commands: found[2]})
		case len(list) == 0:
			t.Fatalf("what prints this? %s", found[2])
		default:
			l := &list[len(list)-1]
			l.prints = append(l.prints, strings.Split(strings.TrimSpace(found[2]), "\n")...)
		}
	}
	return list
}

// onFreePorts replaces the addresses of a page by free ones of this machine.
func onFreePorts(t *testing.T, page string) string {
	t.Helper()
	free := map[string]string{}
	return regexp.MustCompile(`127\.0\.0\.1:80\d\d`).ReplaceAllStringFunc(page, func(address string) string {
		if free[address] == "" {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			free[address] = l.Addr().String()
			must(t, l.Close())
		}
		return free[address]
	})
}

// TestTheTutorialsDoAndPrintWhatTheySay runs every page of docs/tutorial from its
// first command to its last, in one shell and an empty folder.
func TestTheTutorialsDoAndPrintWhatTheySay(t *testing.T) {
	pages, err := filepath.Glob("../../docs/tutorial/*.md")
	must(t, err)
	if len(pages) == 0 {
		t.Fatal("there is no tutorial")
	}
	for _, tool := range []string{"sh", "curl", "grep"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the tutorials need %s, which is not on this machine", tool)
		}
	}
	for _, name := range pages {
		t.Run(filepath.Base(name), func(t *testing.T) {
			b, err := os.ReadFile(name)
			must(t, err)
			follow(t, lessonsOf(t, onFreePorts(t, string(b))))
		})
	}
}

// follow runs the commands and compares, lesson by lesson, what they print.
func follow(t *testing.T, lessons []lesson) {
	t.Helper()
	const turn = "=== the next lesson ==="
	script := "set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n"
	for _, l := range lessons {
		script += fmt.Sprintf("echo %q\n%s", turn, l.commands)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Dir, cmd.WaitDelay = t.TempDir(), 10*time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	printed := strings.Split(string(out), turn+"\n")[1:]
	if len(printed) != len(lessons) {
		t.Fatalf("%d of %d lessons were printed:\n%s", len(printed), len(lessons), out)
	}
	for i, l := range lessons {
		for _, line := range l.prints {
			like := strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*")
			if !regexp.MustCompile("(?m)^" + like + "$").MatchString(printed[i]) {
				t.Errorf("the page says\n%s\nand\n%sprints\n%s", line, l.commands, printed[i])
			}
		}
	}
}
