package cluster_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestSlowAnswersEndInTime(t *testing.T) {
	t.Parallel()
	drip := func(head string) func(net.Conn) {
		return func(conn net.Conn) {
			if !readRequest(conn) {
				return
			}
			_, _ = io.WriteString(conn, head)
			ticker := time.NewTicker(20 * time.Millisecond)
			defer ticker.Stop()
			for range ticker.C {
				if _, err := io.WriteString(conn, "x"); err != nil {
					return
				}
			}
		}
	}
	for name, head := range map[string]string{
		"header": "HTTP/1.1 200 OK\r\nX-Slow: ",
		"body":   "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := hazard{timeout: shortly, phase: cluster.PhaseBody}
			want := finding{cluster.Unreachable, cluster.ResponseTimeout, cluster.PhaseBody, cluster.BlameControlPlane, 0}
			for _, call := range []func(*testing.T, hazard, *cluster.Client) (finding, *cluster.Error){probeWay(cluster.Quick), probeWay(cluster.Full), readWay} {
				client := newClient(t, rawServer(t, drip(head)))
				start := time.Now()
				got, e := call(t, h, client)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("-want +got:\n%s\n%s", diff, e.Message)
				}
				if took := time.Since(start); took > 3*shortly {
					t.Errorf("took %v", took)
				}
				checkFree(t, client, h.timeout/4)
			}
		})
	}
}

func TestARefusalIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	client := newClient(t, rawServer(t, func(conn net.Conn) {
		readRequest(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 1000\r\n\r\n")
		silent(conn)
	}))
	start := time.Now()
	e := readAll(t.Context(), t, client, pods)
	if e == nil || e.Reason != cluster.Throttled || e.RetryAfter != 3*time.Second {
		t.Errorf("%+v", e)
	}
	if took := time.Since(start); took > 2500*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

func TestAConnectionAttemptEndsAfterThreeSeconds(t *testing.T) {
	t.Parallel()
	config := &rest.Config{Host: "https://192.0.2.1", BearerToken: canary, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done() // as a dialer whose packets are dropped
		return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
	}}
	for name, call := range map[string]func(*testing.T, hazard, *cluster.Client) (finding, *cluster.Error){
		"quick": probeWay(cluster.Quick), "full": probeWay(cluster.Full), "read": readWay,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			got, _ := call(t, hazard{timeout: 20 * time.Second, phase: cluster.PhaseConnect}, newClient(t, config))
			want := finding{cluster.Unreachable, cluster.ConnectTimeout, cluster.PhaseConnect, cluster.BlameNetwork, 0}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if took := time.Since(start); took < 2900*time.Millisecond || took > 4*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}
