package test_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

func hangingClusterAmongGoodOnes(t *testing.T, fleet *realkube.Fleet) {
	silent := contextOf("silent", fleet.Servers[0])
	silent.cluster["server"] = "https://" + listenSilently(t)
	a := programs.Aggregator(t, writeKubeconfig(t,
		contextOf("good-1", fleet.Servers[0]), contextOf("good-2", fleet.Servers[1]), contextOf("good-3", fleet.Servers[2]), silent), product.Unwatched)
	const (
		deadline = 2 * time.Second
		starting = 2 * time.Second // for the program, on a machine that is busy
	)

	t.Run("holds a probe no longer than the deadline", func(t *testing.T) {
		started := time.Now()
		results, summary := probe(t, a, 124, "--timeout", deadline.String())
		if took := time.Since(started); took > deadline+starting {
			t.Errorf("it took %s", took)
		}
		for _, name := range []string{"good-1", "good-2", "good-3"} {
			fullyHealthy(t, results[name])
		}
		if !summary.GetDeadlineExceeded() || summary.GetSucceeded() != 3 || summary.GetFailed() != 1 {
			t.Errorf("got %v", summary)
		}
		v := results["silent"].GetObservation().GetVerdict()
		if v.GetState() != fleetv1.Verdict_STATE_UNKNOWN || results["silent"].GetError().GetCode() != 4 || !strings.Contains(v.GetMessage(), "TLS") {
			t.Errorf("got %v, %v", v, results["silent"].GetError())
		}
	})
	t.Run("holds a fetch no longer than the deadline", func(t *testing.T) {
		started := time.Now()
		r := a.Fleetctl(t, "get", "namespaces", "-o", "name", "--timeout", deadline.String())
		if took := time.Since(started); took > deadline+starting {
			t.Errorf("it took %s", took)
		}
		exits(t, r, 124, "", "silent")
		for _, name := range []string{"good-1", "good-2", "good-3"} {
			exits(t, r, 124, name+"\tnamespace/kube-system\n", "")
		}
	})
	t.Run("is told of before the deadline", func(t *testing.T) {
		r := a.Fleetctl(t, "probe", "-o", "jsonl", "--timeout", deadline.String())
		lines := strings.Split(strings.TrimSpace(r.Stdout), "\n")
		last := &fleetv1.ProbeClustersResponse{}
		if err := protojson.Unmarshal([]byte(lines[len(lines)-1]), last); err != nil {
			t.Fatal(err)
		}
		// The summary comes only if the stream ends well, which is before the deadline.
		if took := last.GetSummary().GetDuration().AsDuration(); !last.GetSummary().GetDeadlineExceeded() || took >= deadline || took < deadline/2 {
			t.Errorf("the last line is %v", last)
		}
	})
}

// listenSilently accepts connections and never says anything on them, until the test ends.
func listenSilently(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var open []net.Conn
		for {
			conn, err := listener.Accept()
			if err != nil {
				break
			}
			open = append(open, conn)
		}
		for _, conn := range open {
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return listener.Addr().String()
}
