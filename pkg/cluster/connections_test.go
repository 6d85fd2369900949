package cluster_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// probe fails the test unless the cluster is healthy.
func probe(t *testing.T, client *cluster.Client, depth cluster.Depth) *cluster.Verdict {
	t.Helper()
	v, err := client.Probe(t.Context(), depth, cluster.DefaultProbeTimeout)
	if err != nil {
		t.Fatal(err)
	}
	if v.State != cluster.Healthy {
		t.Fatalf("%s: %s", v.Reason, v.Message)
	}
	checkVerdict(t, v)
	return v
}

// eventually waits for a condition that another process or goroutine brings about.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatal("never came:", what)
		}
	}
}

func TestQuickProbesShareAConnection(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	client := newClient(t, a.config())
	for range 5 {
		probe(t, client, cluster.Quick)
	}
	if n := a.conns.Load(); n != 1 {
		t.Errorf("%d connections for one probe after the other", n)
	}
}

func TestProbesAtTheSameTimeAreTwoAtMost(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	client := newClient(t, a.config())
	var atOnce, most atomic.Int64
	met := make(chan struct{})
	a.on("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		n := atOnce.Add(1)
		defer atOnce.Add(-1)
		if n > 2 {
			most.Store(n)
		}
		select { // each waits for another one
		case met <- struct{}{}:
		case <-met:
		}
		_, _ = io.WriteString(w, "ok")
	})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { probe(t, client, cluster.Quick) })
	}
	group.Wait()
	if n := most.Load(); n != 0 {
		t.Errorf("%d probes at the same time", n)
	}
}

func TestAConnectionThatTheServerClosedIsReplaced(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	client := newClient(t, a.config())
	for range 5 {
		probe(t, client, cluster.Quick)
		if e := readAll(t.Context(), t, client, pods); e != nil {
			t.Fatal(e)
		}
		eventually(t, "closed connections", func() bool {
			a.CloseClientConnections()
			return a.open.Load() == 0
		})
	}
	if n := len(a.seen()); n != 10 {
		t.Errorf("%d requests, want 10: %v", n, a.seen())
	}
}

func TestWhatTheServerHasSeenIsNotSentAgain(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	client := newClient(t, rawServer(t, func(conn net.Conn) {
		for readRequest(conn) {
			if requests.Add(1) == 2 {
				return // seen, and not answered
			}
			_, _ = io.WriteString(conn, readyAnswer)
		}
	}))
	probe(t, client, cluster.Quick)
	v, err := client.Probe(t.Context(), cluster.Quick, cluster.DefaultProbeTimeout)
	if err != nil || v.Reason != cluster.ConnectionReset {
		t.Errorf("%+v, %v", v, err)
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("%d requests", n)
	}
	probe(t, client, cluster.Quick)
}

func TestARequestThatWasThrownAwayIsSentAgain(t *testing.T) {
	t.Parallel()
	var conns atomic.Int64
	ca := newAuthority("test CA")
	client := newClient(t, rawListener(t, ca, func(raw net.Conn) {
		first := conns.Add(1) == 1
		conn := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{ca.serving("127.0.0.1")}})
		for readRequest(conn) {
			_, _ = io.WriteString(conn, readyAnswer)
			if first {
				break
			}
		}
		if first { // what a router does that has forgotten a connection: the next packet is answered by a reset
			tcp, ok := raw.(*net.TCPConn)
			if !ok {
				return
			}
			_, _ = tcp.Read(make([]byte, 1))
			_ = tcp.SetLinger(0)
		}
	}))
	probe(t, client, cluster.Quick)
	probe(t, client, cluster.Quick)
	if n := conns.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func TestAFullProbeMakesAFreshConnection(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	client := newClient(t, a.config())
	probe(t, client, cluster.Quick)
	probe(t, client, cluster.Full)
	probe(t, client, cluster.Full)
	if n := a.conns.Load(); n != 3 {
		t.Errorf("%d connections, want one a full probe", n)
	}
	if n := a.resumed.Load(); n != 0 {
		t.Errorf("%d requests on resumed sessions", n)
	}
	eventually(t, "a single connection", func() bool { return a.open.Load() == 1 })
	eventually(t, "no connection", func() bool { a.CloseClientConnections(); return a.open.Load() == 0 })
	probe(t, client, cluster.Quick)
	if n := a.resumed.Load(); n != 1 {
		t.Errorf("the session was not resumed")
	}
}

func TestAFullProbeFallsBackOnTheSameConnection(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("/readyz", always(404, "no"))
	a.on("/livez", always(403, "no"))
	client := newClient(t, a.config())
	probe(t, client, cluster.Full)
	if n := a.conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	before := len(a.seen())
	probe(t, client, cluster.Quick)
	if diff := cmp.Diff([]string{"GET /healthz"}, a.seen()[before:]); diff != "" {
		t.Error("the path was not remembered:", diff)
	}
	a.on("/readyz", healthy)
	probe(t, client, cluster.Full)
	before = len(a.seen())
	probe(t, client, cluster.Quick)
	if diff := cmp.Diff([]string{"GET /readyz"}, a.seen()[before:]); diff != "" {
		t.Error("a path that came back was not taken:", diff)
	}
}

func TestReadsUseTwoConnectionsAtMost(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var open, most atomic.Int64
	config := a.config()
	config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		most.Store(max(most.Load(), open.Add(1)))
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			open.Add(-1)
			return nil, err
		}
		return &countedConn{conn, sync.OnceFunc(func() { open.Add(-1) })}, nil
	}
	client := newClient(t, config)
	var group sync.WaitGroup
	for range 30 {
		group.Go(func() {
			if e := readAll(t.Context(), t, client, pods); e != nil {
				t.Error(e)
			}
		})
	}
	probe(t, client, cluster.Full)
	group.Wait()
	if n := most.Load(); n > 3 {
		t.Errorf("%d connections for reads and probes at once", n)
	}
	client.Close()
	eventually(t, "no connection", func() bool { return a.open.Load() == 0 })
}

type countedConn struct {
	net.Conn
	closed func()
}

func (c *countedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

// The environment is that of another process, because net/http reads it once, and the cluster is elsewhere, because no proxy
// is asked for what is on this machine.
func TestProxiesOfTheEnvironmentAreIgnored(t *testing.T) {
	const proxied = "CLUSTER_TEST_PROXIED"
	a := newAPI(t)
	if os.Getenv(proxied) != "" {
		config := a.config()
		config.Host, config.ServerName = "https://cluster.test", "localhost"
		config.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, a.Listener.Addr().String())
		}
		client := newClient(t, config)
		probe(t, client, cluster.Full)
		if e := readAll(t.Context(), t, client, pods); e != nil {
			t.Error(e)
		}
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), proxied+"=1")
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
		cmd.Env = append(cmd.Env, name+"="+a.URL)
	}
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
	if n := a.conns.Load(); n != 0 {
		t.Errorf("%d connections to the proxy", n)
	}
}

func TestReadsAreBoundedAndProbesHaveTheirOwnPlace(t *testing.T) {
	t.Parallel()
	var running, most atomic.Int64
	released := make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	a := newAPI(t)
	t.Cleanup(release)
	a.on("/api/v1/pods", func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), running.Add(1)))
		defer running.Add(-1)
		<-released
		healthy(w, r)
	})
	client := newClient(t, a.config())
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if e := readAll(t.Context(), t, client, pods); e != nil {
				t.Error(e)
			}
		})
	}
	eventually(t, "as many reads as may run", func() bool { return running.Load() >= cluster.MaxReads })
	probe(t, client, cluster.Quick)
	ctx, cancel := context.WithTimeout(t.Context(), shortly/4)
	defer cancel()
	if e := readAll(ctx, t, client, pods); e == nil || e.Reason != cluster.QueueTimeout || e.Phase != cluster.PhaseQueue {
		t.Errorf("%+v", e)
	}
	release()
	group.Wait()
	if n := most.Load(); n != cluster.MaxReads {
		t.Errorf("%d reads at once", n)
	}
}

func TestThePathOfTheServersAddressIsKept(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	prefix := "/k8s/clusters/c-x%2Fyz"
	a.on("*", func(w http.ResponseWriter, r *http.Request) {
		rest, found := bytes.CutPrefix([]byte(r.URL.EscapedPath()), []byte(prefix))
		if !found {
			t.Error("path", r.URL.EscapedPath())
		}
		r.URL.Path = string(rest)
		healthy(w, r)
	})
	for _, end := range []string{"", "/"} {
		config := a.config()
		config.Host += prefix + end
		client := newClient(t, config)
		probe(t, client, cluster.Full)
		probe(t, client, cluster.Quick)
		if e := readAll(t.Context(), t, client, pods); e != nil {
			t.Error(e)
		}
	}
}

func TestUnusualAnswersAreUnderstood(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"chunked":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"interim":        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"bare newlines":  "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
		"HTTP/1.0":       "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"closing":        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"line end":       "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n",
		"more than ok":   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\n",
		"many header":    "HTTP/1.1 200 OK\r\n" + header(50) + "Content-Length: 2\r\n\r\nok",
		"larger header":  "HTTP/1.1 200 OK\r\n" + header(500) + "Content-Length: 2\r\n\r\nok",
		"two equal ones": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, rawServer(t, says(text)))
			for range 3 {
				probe(t, client, cluster.Quick)
			}
		})
	}
}

func header(lines int) string {
	var b bytes.Buffer
	for i := range lines {
		b.WriteString("X-Header-" + strconv.Itoa(i) + ": some value that is rather long\r\n")
	}
	return b.String()
}
