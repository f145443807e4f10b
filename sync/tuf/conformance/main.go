// Command conformance speaks the client protocol of theupdateframework's
// tuf-conformance, so that package tuf is tested by its suite. It is for tests
// only and is not given out.
//
// It is a client of any TUF repository: it asks for a general set, walks through
// delegations, and enforces every expiry. What it verifies, package tuf verifies.
// The suite fakes the time through libc, which a static Go program doesn't see:
// the time is asked of the program date.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], date)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1) //nolint:forbidigo // the main of this program
	}
}

// date asks the world outside, which faketime changes, for the time.
func date(ctx context.Context) (time.Time, error) {
	out, err := exec.CommandContext(ctx, "date", "+%s").Output()
	if err != nil {
		return time.Time{}, fmt.Errorf("date +%%s: %w", err)
	}
	s, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	return time.Unix(s, 0), err
}

// command is a command line, read.
type command struct {
	metadataDir, metadataURL, targetDir, targetBase string
	targets                                         []string
	verb                                            string
	rest                                            []string
}

func parse(args []string) (c command, err error) {
	into := map[string]*string{
		"--metadata-dir": &c.metadataDir, "--metadata-url": &c.metadataURL,
		"--target-dir": &c.targetDir, "--target-base-url": &c.targetBase,
	}
	for i := 0; i < len(args); i++ {
		value, known := into[args[i]]
		switch {
		case (known || args[i] == "--target-name") && i+1 == len(args):
			return c, fmt.Errorf("%s has no value", args[i])
		case known:
			i++
			*value = args[i]
		case args[i] == "--target-name":
			i++
			c.targets = append(c.targets, args[i])
		case c.verb == "":
			c.verb = args[i]
		default:
			c.rest = append(c.rest, args[i])
		}
	}
	return c, nil
}

// run does what the command line says, and gives an error for what the suite
// calls exit status 1.
func run(ctx context.Context, args []string, clock func(context.Context) (time.Time, error)) error {
	c, err := parse(args)
	if err != nil {
		return err
	}
	if c.verb == "init" && len(c.rest) == 1 {
		root, err := os.ReadFile(c.rest[0])
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(c.metadataDir, "root.json"), root, 0o600)
	}
	if c.verb != "refresh" && c.verb != "download" || len(c.rest) > 0 {
		return errors.New("want init TRUSTED_ROOT, refresh or download")
	}
	now, err := clock(ctx)
	if err != nil {
		return err
	}
	k, err := open(c.metadataDir, now, web(c.metadataURL))
	if err != nil {
		return err
	}
	if err := k.refresh(ctx); err != nil {
		return err
	}
	for _, name := range c.targets {
		if err := k.download(ctx, name, c.targetDir, web(c.targetBase)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// fetch reads a file of at most limit bytes; errMissing when it isn't there.
type fetch func(ctx context.Context, path string, limit int64) ([]byte, error)

var errMissing = errors.New("not there")

// web fetches below an address.
func web(base string) fetch {
	return func(ctx context.Context, path string, limit int64) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/"+path, nil)
		if err != nil {
			return nil, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close() //nolint:errcheck // read to its end or given up
		switch resp.StatusCode {
		case http.StatusOK:
		case http.StatusNotFound, http.StatusForbidden:
			return nil, fmt.Errorf("%s: %w", path, errMissing)
		default:
			return nil, fmt.Errorf("%s: %s", path, resp.Status)
		}
		b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
		if err == nil && int64(len(b)) > limit {
			err = fmt.Errorf("%s: more than %d bytes", path, limit)
		}
		return b, err
	}
}
