package straw_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// nginx serves a folder as static files: no process of ours, and nothing but
// what any web server does.
type nginx struct {
	addr string
	log  string // a line for each request, written when it has been answered
}

// traffic is what nginx has answered, in bytes of requests and answers with
// their heads.
type traffic struct {
	requests, up, down int64
	errors             int64 // answers of 500 and above
}

const nginxConf = `daemon off;
master_process off;
worker_processes 1;
pid %[1]s/pid;
error_log %[1]s/error.log;
events { worker_connections 4096; }
http {
  log_format bytes '$request_length $bytes_sent $status $request_uri';
  access_log %[1]s/access.log bytes;
  client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  default_type application/octet-stream;
  keepalive_requests 100000;
  sendfile on;
  server { listen 127.0.0.1:%[2]d; location / { root %[3]s; } %[4]s }
}
`

// serveByNginx ends with the test. extra stands in the server's block.
func serveByNginx(t *testing.T, root, extra string) *nginx {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	conf := filepath.Join(dir, "nginx.conf")
	must(t, os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, port, root, extra), 0o600))
	path, err := findNginx()
	must(t, err)
	cmd := command(path, "-p", dir, "-c", conf, "-e", filepath.Join(dir, "error.log"))
	cmd.Stderr = os.Stderr
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	s := &nginx{addr: fmt.Sprintf("127.0.0.1:%d", port), log: filepath.Join(dir, "access.log")}
	awaits(t, s.addr)
	return s
}

// findNginx looks where Debian puts it too, which is not on everybody's path.
func findNginx() (string, error) {
	if path, err := exec.LookPath("nginx"); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/nginx")
}

// answered sums the log.
func (s *nginx) answered(t *testing.T) (sum traffic) {
	t.Helper()
	f, err := os.Open(s.log)
	must(t, err)
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var up, down, status int64
		_, err := fmt.Sscan(lines.Text(), &up, &down, &status)
		must(t, err)
		sum.requests, sum.up, sum.down = sum.requests+1, sum.up+up, sum.down+down
		if status >= 500 {
			sum.errors++
		}
	}
	return sum
}
