package cluster_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestCloseEndsConnectionsInUseWithTheirCalls(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("/api/v1/pods", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "{")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	client := newClient(t, a.config())
	body, err := client.Read(t.Context(), pods, "")
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	if _, err := io.ReadFull(body, make([]byte, 1)); err != nil {
		t.Error("the call did not go on:", err)
	}
	if n := a.open.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	_ = body.Close()
	eventually(t, "no connection", func() bool { return a.open.Load() == 0 })
}

func TestClosingABodyEarlyAbortsTheCall(t *testing.T) {
	t.Parallel()
	aborted := make(chan struct{})
	a := newAPI(t)
	a.on("/api/v1/pods", func(w http.ResponseWriter, r *http.Request) {
		defer close(aborted)
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	})
	body, err := newClient(t, a.config()).Read(t.Context(), pods, "")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadFull(body, make([]byte, 100))
	_ = body.Close()
	<-aborted
}

func TestAReadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	left := errors.New("the caller left")
	for name, start := range map[string]func(t *testing.T, reached chan<- struct{}) *rest.Config{
		"connecting": func(_ *testing.T, reached chan<- struct{}) *rest.Config {
			return &rest.Config{Host: "https://192.0.2.1", Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				reached <- struct{}{}
				<-ctx.Done()
				return nil, ctx.Err()
			}}
		},
		"in the TLS handshake": func(t *testing.T, reached chan<- struct{}) *rest.Config {
			t.Helper()
			return rawListener(t, newAuthority("x"), func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 1))
				reached <- struct{}{}
				silent(conn)
			})
		},
		"waiting for the answer": func(t *testing.T, reached chan<- struct{}) *rest.Config {
			t.Helper()
			return rawServer(t, func(conn net.Conn) { readRequest(conn); reached <- struct{}{}; silent(conn) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reached := make(chan struct{}, 9)
			client := newClient(t, start(t, reached))
			for _, call := range []func(context.Context) error{
				func(ctx context.Context) error {
					if e := readAll(ctx, t, client, pods); e != nil {
						return e
					}
					return nil
				},
				func(ctx context.Context) error {
					v, err := client.Probe(ctx, cluster.Full, time.Minute)
					if v != nil {
						t.Errorf("a verdict without a probe: %+v", v)
					}
					return err
				},
			} {
				ctx, cancel := context.WithCancelCause(t.Context())
				go func() { <-reached; cancel(left) }()
				start := time.Now()
				err := call(ctx)
				e, ok := errors.AsType[*cluster.Error](err)
				if !ok || e.Blame != cluster.BlameObserver || !errors.Is(err, left) {
					t.Errorf("%#v", err)
				}
				if ok && e.Phase.String() != name {
					t.Errorf("phase %q", e.Phase)
				}
				if took := time.Since(start); took > 2*time.Second {
					t.Errorf("left after %v", took)
				}
			}
		})
	}
}

func TestACallersDeadlineIsNoVerdict(t *testing.T) {
	t.Parallel()
	client := newClient(t, rawServer(t, silent))
	ctx, cancel := context.WithTimeout(t.Context(), shortly)
	defer cancel()
	start := time.Now()
	v, err := client.Probe(ctx, cluster.Quick, 15*time.Second)
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("the probe went on for %v", took)
	}
	e, ok := errors.AsType[*cluster.Error](err)
	if v != nil || !ok || e.Reason != cluster.ResponseTimeout || e.Blame != cluster.BlameObserver || e.Phase != cluster.PhaseWait {
		t.Errorf("%+v, %+v", v, err)
	}
}

func TestAnAttemptToConnectEndsWithItsCall(t *testing.T) {
	t.Parallel()
	began, ended := make(chan struct{}, 1), make(chan struct{}, 1)
	client := newClient(t, &rest.Config{Host: "https://192.0.2.1", Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		began <- struct{}{}
		<-ctx.Done()
		ended <- struct{}{}
		return nil, ctx.Err()
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-began; cancel() }()
	_ = readAll(ctx, t, client, pods)
	select {
	case <-ended:
	case <-time.After(2 * time.Second): // by itself it would end after three
		t.Error("it goes on")
	}
}
