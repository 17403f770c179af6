package e2e

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// startNginx runs nginx with the configuration of docs/operations.md in front of three
// replicas, and returns its address. Only addresses and times are other ones, and
// both adapters are at one address there.
func startNginx(t *testing.T, replicas []*process) string {
	t.Helper()
	binary, err := exec.LookPath("nginx")
	if err != nil {
		if binary, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			t.Skip("nginx is not on this machine")
		}
	}
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "```text nginx.conf\n")
	text, _, found := strings.Cut(after, "```")
	if !found {
		t.Fatal("docs/operations.md shows no nginx.conf")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := free.Addr().String()
	replaced := []string{"listen 80;", "listen " + at + ";", "server_name gateway.example;", "", "keepalive_timeout 5s;", "keepalive_timeout 500ms;"}
	for i, p := range replicas {
		for port, base := range map[string]string{"8080": p.rest, "9090": p.mcp} {
			u, err := url.Parse(base)
			if err != nil {
				t.Fatal(err)
			}
			replaced = append(replaced, fmt.Sprintf("10.0.0.1%d:%s", i+1, port), u.Host)
		}
	}
	for i := 0; i < len(replaced); i += 2 {
		if !strings.Contains(text, replaced[i]) {
			t.Fatalf("%q is not in the nginx.conf of docs/operations.md", replaced[i])
		}
		text = strings.ReplaceAll(text, replaced[i], replaced[i+1])
	}
	dir := t.TempDir()
	// One process, which needs no other user's rights.
	text = fmt.Sprintf(`daemon off;
master_process off;
pid %[1]s/pid;
error_log %[1]s/error.log;
events {}
http {
access_log off;
client_body_temp_path %[1]s/body;
proxy_temp_path %[1]s/proxy;
fastcgi_temp_path %[1]s/fastcgi;
uwsgi_temp_path %[1]s/uwsgi;
scgi_temp_path %[1]s/scgi;
%[2]s}
`, dir, text)
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-p", dir, "-e", filepath.Join(dir, "error.log"), "-c", config)
	said := newStream()
	cmd.Stdout, cmd.Stderr = said, said
	free.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "error.log"))
			t.Logf("nginx: %s\n%s", said, log)
		}
	})
	eventually(t, "nginx listens", func() (string, bool) {
		select {
		case <-ended:
			t.Fatalf("nginx ended: %s", said)
		default:
		}
		conn, err := net.Dial("tcp", at)
		if err != nil {
			return err.Error(), false
		}
		conn.Close()
		return "", true
	})
	return at
}

// TestNginx stops two of three replicas behind an nginx that is configured as
// docs/operations.md says, and that looks at no health: it learns of the end from a
// refused connection. No write is applied twice, and no call fails, but those that
// come in the very instant in which a socket is closed, which the page tells of.
func TestNginx(t *testing.T) {
	const workers = 6
	upstream := newLedger(t, nil)
	var replicas []*process
	for _, name := range []string{"one", "two", "three"} {
		replicas = append(replicas, startReplica(t, upstream, name, "lameDuck: 2s\n"))
	}
	at := startNginx(t, replicas)
	c := newCallers(t, "http://"+at, "http://"+at+"/mcp")
	var instant atomic.Int64
	l := c.start(t, workers, func(m made) {
		e := upstream.of(m.id)
		if m.err != nil && e.seen == 0 && strings.Contains(m.err.Error(), "Bad Gateway") {
			instant.Add(1)
			return
		}
		if m.err != nil || m.told != "ok" || e.seen != 1 {
			t.Errorf("%s: %s, %v; %d requests came", m.way, m.told, m.err, e.seen)
		}
	})
	l.more(t, 200)
	stops := replicas[:2]
	for _, p := range stops {
		p.terminate()
		p.stopped()
		l.more(t, 200)
	}
	l.end()
	t.Logf("%d calls, %d in the instant of closing", l.calls.Load(), instant.Load())
	if instant.Load() > int64(workers*len(stops)) {
		t.Errorf("%d calls failed", instant.Load())
	}
}
