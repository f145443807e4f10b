package site

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"koprik/internal/sharedtest"
	"koprik/portal"
)

// TestPagesPerSecond measures the program against nginx serving the same bytes:
// `make bench-pages`. KOPRIK_BENCH_PAGES names the program, KOPRIK_BENCH_DATASETS
// how many datasets it serves (600), which are those of sharedtest.Records. Requests are counted per second
// of the server's own processor time, so that the client beside it takes nothing.
func TestPagesPerSecond(t *testing.T) {
	program := os.Getenv("KOPRIK_BENCH_PAGES")
	if program == "" {
		t.Skip("measures a built program: make bench-pages")
	}
	count, err := strconv.Atoi(cmp.Or(os.Getenv("KOPRIK_BENCH_DATASETS"), "600"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	node := filepath.Join(dir, "node")
	run(t, program, "init", "--dir", node, "--role", "central", "--title", "Bench", "--contact", "desk@example.org")
	publishMany(t, program, node, filepath.Join(dir, "in"), count)

	listen := free(t)
	begin := time.Now()
	server := start(t, program, "serve", "--dir", node, "--listen", listen)
	base := "http://" + listen
	waitFor(t, base+"/uz/")
	t.Logf("%d datasets: first byte of the home page %v after the start, %d MB resident", count, time.Since(begin).Round(time.Millisecond), resident(t, server)>>20)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8, DisableCompression: true}}
	page := fetch(t, client, base+"/uz/")
	kept := perCPUSecond(t, client, server, func(int) string { return base + "/uz/" })
	made := perCPUSecond(t, client, server, func(i int) string { // each dataset once in each language
		if i >= count*len(portal.Langs) {
			return ""
		}
		return fmt.Sprintf("%s/%s/dataset/main_d%d", base, portal.Langs[i/count].Path(), i%count)
	})
	found := perCPUSecond(t, client, server, func(i int) string { return fmt.Sprintf("%s/uz/search?q=portal+%d", base, i) })
	t.Logf("kept %.0f, made %.0f, searched %.0f requests per CPU-second; %d MB resident afterwards", kept, made, found, resident(t, server)>>20)
	nginx, ok := startNginx(t, dir, page)
	if !ok {
		t.Log("no nginx on this machine to compare with")
		return
	}
	static := perCPUSecond(t, client, nginx.worker, func(int) string { return nginx.url })
	t.Logf("nginx %.0f requests per CPU-second for the same %d bytes: kept %.2f, made %.3f, searched %.3f of it", static, len(page), kept/static, made/static, found/static)
}

// publishMany writes count data packages and publishes them, ten thousand at once.
func publishMany(t *testing.T, program, node, in string, count int) {
	t.Helper()
	records := sharedtest.Records(t)
	var batch []string
	for i := range count {
		folder := filepath.Join(in, fmt.Sprintf("d%d", i))
		records[i%len(records)].Write(t, folder, fmt.Sprintf("d%d", i), i)
		write(t, filepath.Join(folder, "t.csv"), fmt.Appendf(nil, "year,value\n2024,%d\n2025,%d\n", i, i+1))
		if batch = append(batch, folder); len(batch) == 10_000 || i == count-1 {
			begin := time.Now()
			run(t, program, append([]string{"publish", "--dir", node, "--quiet"}, batch...)...)
			t.Logf("published %d in %v", len(batch), time.Since(begin).Round(time.Second))
			batch = nil
		}
	}
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, program string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", program, args[0], err, clip(string(out), 2000))
	}
}

// start runs a server until the test ends, and gives its process id.
func start(t *testing.T, program string, args ...string) int {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // ended by the signal
	})
	return cmd.Process.Pid
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func waitFor(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); <-time.After(2 * time.Millisecond) {
		res, err := http.Get(url)
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
	}
	t.Fatalf("%s never answered", url)
}

func fetch(t *testing.T, client *http.Client, url string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("Cookie", "lang=uz")
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || len(b) == 0 {
		t.Fatalf("%s: %d, %d bytes, %v", url, res.StatusCode, len(b), err)
	}
	return b
}

// perCPUSecond asks from four connections for three seconds, or until there are
// no more addresses.
func perCPUSecond(t *testing.T, client *http.Client, pid int, url func(int) string) float64 {
	t.Helper()
	const connections, length = 4, 3 * time.Second
	var wait sync.WaitGroup
	counts := make([]int, connections)
	before, end := cpu(t, pid), time.Now().Add(length)
	for c := range connections {
		wait.Go(func() {
			for time.Now().Before(end) {
				address := url(c + connections*counts[c])
				if address == "" {
					return
				}
				fetch(t, client, address)
				counts[c]++
			}
		})
	}
	wait.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / (cpu(t, pid) - before).Seconds()
}

// cpu is the processor time of a process, which Linux counts in hundredths of
// a second.
func cpu(t *testing.T, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Skip("no /proc on this system")
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// resident is the memory of a process in bytes.
func resident(t *testing.T, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Skip("no /proc on this system")
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// nginxServer is an nginx with one worker.
type nginxServer struct {
	url    string
	worker int
}

// startNginx serves one page, compressed beforehand as the program's own is.
func startNginx(t *testing.T, dir string, page []byte) (nginxServer, bool) {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		if path = "/usr/sbin/nginx"; !exists(path) {
			return nginxServer{}, false
		}
	}
	z, err := gzip.NewReader(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "www", "page.html"), plain)
	write(t, filepath.Join(dir, "www", "page.html.gz"), page)
	listen := free(t)
	write(t, filepath.Join(dir, "nginx.conf"), fmt.Appendf(nil, `daemon off; worker_processes 1; pid %[1]s/nginx.pid; error_log stderr; user root;
events {} http { access_log off; gzip_static on; keepalive_requests 1000000; sendfile on; types { text/html html; }
server { listen %[2]s; root %[1]s/www; } }`, dir, listen))
	master := start(t, path, "-c", filepath.Join(dir, "nginx.conf"), "-p", dir)
	url := "http://" + listen + "/page.html"
	waitFor(t, url)
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", master, master))
	if err != nil || len(strings.Fields(string(b))) == 0 {
		return nginxServer{}, false
	}
	worker, err := strconv.Atoi(strings.Fields(string(b))[0])
	if err != nil {
		t.Fatal(err)
	}
	return nginxServer{url, worker}, true
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
