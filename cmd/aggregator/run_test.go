package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

// oneCluster has a cluster that is never asked.
const oneCluster = `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: not-used}}]
contexts: [{name: here, context: {cluster: c, user: u}}]
`

func TestVersionAndHelpAreWrittenToStdout(t *testing.T) {
	for args, want := range map[string]string{"--version": "aggregator version ", "--help": "--kubeconfig FILE"} {
		var stdout, stderr bytes.Buffer
		if err := run(t.Context(), []string{args}, &stdout, &stderr); err != nil {
			t.Errorf("%s: %v", args, err)
		}
		if !strings.Contains(stdout.String(), want) || stderr.Len() > 0 {
			t.Errorf("%s: got %q and, on stderr, %q", args, &stdout, &stderr)
		}
	}
}

func TestHealthIsShownToEveryoneAndMetricsToThoseWhoAreKnown(t *testing.T) {
	authority := clienttest.NewAuthority(t)
	certFile, keyFile := authority.Issue(t, "fleet.test")
	for _, c := range []struct {
		name         string
		args         []string
		cert, secure bool
		want         map[string]int
	}{
		{"plaintext", nil, false, false, map[string]int{"/metrics": 200, "/livez": 200, "/readyz": 200, "/": 404}},
		{"TLS", []string{"--tls-cert", certFile, "--tls-key", keyFile}, false, true, map[string]int{"/metrics": 200, "/livez": 200}},
		{
			"without a client certificate",
			[]string{"--tls-cert", certFile, "--tls-key", keyFile, "--client-ca", authority.CAFile},
			false, true,
			map[string]int{"/metrics": 401, "/livez": 200, "/readyz": 200},
		},
		{
			"with a client certificate",
			[]string{"--tls-cert", certFile, "--tls-key", keyFile, "--client-ca", authority.CAFile},
			true, true,
			map[string]int{"/metrics": 200, "/livez": 200},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := start(t, c.args...).http
			transport := &http.Transport{DisableKeepAlives: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
			scheme := "http"
			if c.secure {
				scheme = "https"
			}
			if c.cert {
				pair, err := tls.LoadX509KeyPair(certFile, keyFile)
				if err != nil {
					t.Fatal(err)
				}
				transport.TLSClientConfig.Certificates = []tls.Certificate{pair}
			}
			for path, status := range c.want {
				if got := get(t, transport, scheme+"://"+address+path); got != status {
					t.Errorf("%s: got %d, want %d", path, got, status)
				}
			}
		})
	}
}

func TestEndOfTheContextTurnsHealthAndEndsTheProgram(t *testing.T) {
	program := start(t)
	conn, err := grpc.NewClient(program.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	watch, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := watch.Recv(); err != nil || answer.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Fatalf("got %v, %v; want SERVING", answer, err)
	}
	program.stop()
	// Nothing else is under way: the watch may end with the server before it has told of it.
	if answer, err := watch.Recv(); status.Code(err) != codes.Unavailable && answer.GetStatus() != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("got %v, %v; want NOT_SERVING or UNAVAILABLE", answer, err)
	}
	conn.Close()
	if err := program.wait(t); err != nil {
		t.Errorf("got %v", err)
	}
}

// program is a run of the program in this process.
type program struct {
	kubeconfig string
	grpc, http string
	stop       context.CancelFunc
	done       chan struct{}
	err        error
}

func TestTheKubeconfigIsReadAgainOnSIGHUP(t *testing.T) {
	p := start(t)
	more := strings.Replace(oneCluster, "contexts: [", "contexts: [{name: there, context: {cluster: c, user: u}}, {name: broken, context: {cluster: none, user: u}}, ", 1)
	for _, step := range []struct{ file, want string }{
		{more, "\nclusterfleet_clusters 2\n"},
		{more, "\nclusterfleet_kubeconfig_problems 1\n"},
		{"not: [a kubeconfig", "\nclusterfleet_clusters 2\n"}, // the fleet stays as it was
		{oneCluster, "\nclusterfleet_clusters 1\n"},
	} {
		if err := os.WriteFile(p.kubeconfig, []byte(step.file), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		p.awaitMetrics(t, step.want)
	}
}

func (p *program) awaitMetrics(t *testing.T, want string) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	late := time.After(patience)
	for {
		var body strings.Builder
		resp, err := http.Get("http://" + p.http + "/metrics") //nolint:noctx // bounded by patience
		if err == nil {
			_, err = io.Copy(&body, resp.Body)
			_ = resp.Body.Close()
		}
		if err == nil && strings.Contains(body.String(), want) {
			return
		}
		select {
		case <-ticker.C:
		case <-late:
			t.Fatalf("no %q in the metrics: %v", want, err)
		}
	}
}

// start runs the program on free ports until the test ends.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, []byte(oneCluster), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &program{kubeconfig: file, stop: stop, done: make(chan struct{})}
	reader, stderr := io.Pipe()
	go func() {
		defer close(p.done)
		defer stderr.Close()
		p.err = run(ctx, append([]string{"--kubeconfig", file, "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0"}, args...), io.Discard, stderr)
	}()
	log := &logReader{serving: make(chan []string, 1), done: make(chan struct{})}
	go log.read(reader)
	t.Cleanup(func() {
		stop()
		<-p.done
		<-log.done
		t.Logf("the program's log:\n%s", log.text.String())
	})
	select {
	case addresses := <-log.serving:
		p.grpc, p.http = addresses[1], addresses[2]
	case <-p.done:
		t.Fatalf("the program ended: %v", p.err)
	case <-time.After(patience):
		t.Fatal("the program does not serve")
	}
	return p
}

func (p *program) wait(t *testing.T) error {
	t.Helper()
	select {
	case <-p.done:
		return p.err
	case <-time.After(patience):
		t.Fatal("the program does not end")
		return nil
	}
}

// logReader reads the program's log and tells the addresses in it.
type logReader struct {
	serving chan []string
	done    chan struct{}
	text    bytes.Buffer // valid when done is closed
}

func (l *logReader) read(from io.Reader) {
	defer close(l.done)
	addresses := regexp.MustCompile(`msg=serving grpc=(\S+) http=(\S+)`)
	piece := make([]byte, 4<<10)
	for {
		n, err := from.Read(piece)
		l.text.Write(piece[:n])
		if found := addresses.FindStringSubmatch(string(piece[:n])); found != nil {
			l.serving <- found
		}
		if err != nil {
			return
		}
	}
}

func get(t *testing.T, transport *http.Transport, url string) (status int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Error(err)
	}
	return response.StatusCode
}
