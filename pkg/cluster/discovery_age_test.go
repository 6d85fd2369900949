package cluster_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// pipeServer serves HTTP over pipes in the bubble of a synctest, where sockets would keep time from passing.
func pipeServer(t *testing.T, handler http.Handler) *rest.Config {
	t.Helper()
	dialled := make(chan net.Conn)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Hour}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(&pipeListener{dialled: dialled, closed: make(chan struct{})})
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return &rest.Config{Host: "http://pipe", Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case dialled <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
}

type pipeListener struct {
	dialled chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.dialled:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// wait lets time pass.
func wait(d time.Duration) { <-time.After(d) }

func TestWhatWasDiscoveredAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		discoveries, served := 0, coreDiscovery
		config := pipeServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			switch r.URL.Path {
			case "/api":
				discoveries++
				answer(w, 200, served)
			case "/apis":
				answer(w, 200, `{"kind":"APIGroupDiscoveryList"}`)
			default:
				answer(w, 200, "{}")
			}
		}))
		client := newClient(t, config)
		read := func(name string) cluster.Reason {
			if e := readAll(t.Context(), t, client, cluster.Query{Type: cluster.TypeName{Name: name}}); e != nil {
				return e.Reason
			}
			return ""
		}
		expect := func(name string, want cluster.Reason, count int) {
			t.Helper()
			if got := read(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
			if discoveries != count {
				t.Errorf("%d discoveries, want %d", discoveries, count)
			}
		}
		expect("po", "", 1)
		expect("gadgets", cluster.NotFound, 1)
		mu.Lock()
		served = strings.ReplaceAll(coreDiscovery, "nodes", "gadgets")
		mu.Unlock()
		wait(9 * time.Second)
		expect("gadgets", cluster.NotFound, 1)
		wait(2 * time.Second)
		expect("gadgets", "", 2)
		wait(9 * time.Minute)
		expect("gadgets", "", 2)
		wait(2 * time.Minute)
		expect("gadgets", "", 3)
		client.Close()
	})
}

func TestATypeWhoseVersionIsGoneIsDiscoveredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		version, discoveries := "v1", 0
		client := newClient(t, pipeServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			switch r.URL.Path {
			case "/api":
				discoveries++
				answer(w, 200, strings.Replace(coreDiscovery, `"version":"v1"`, quoted("version")+":"+quoted(version), 1))
			case "/apis":
				answer(w, 200, `{"kind":"APIGroupDiscoveryList"}`)
			case "/api/" + version + "/pods":
				answer(w, 200, "{}")
			default:
				status(w, 404, "not found")
			}
		})))
		expect := func(name string, want cluster.Reason, count int) {
			t.Helper()
			q := cluster.Query{Type: cluster.TypeName{Name: "po"}, Name: name}
			if name != "" {
				q.Namespace = "ns"
			}
			if got := reasonOf(readAll(t.Context(), t, client, q)); got != want || discoveries != count {
				t.Errorf("%q after %d discoveries, want %q after %d", got, discoveries, want, count)
			}
		}
		expect("", "", 1)
		mu.Lock()
		version = "v2"
		mu.Unlock()
		wait(9 * time.Second)
		expect("", cluster.NotFound, 1)
		wait(2 * time.Second)
		expect("missing", cluster.NotFound, 1)
		expect("", "", 2)
		client.Close()
	})
}
