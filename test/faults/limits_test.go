package faults_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// limitPatience is how long an aggregator at one of its limits may take for what a test asks of it.
const limitPatience = 90 * time.Second

func TestTenThousandCancelledCallsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	const calls, atOnce = 10_000, 50
	s := start(t, simulator.Config{Clusters: 8, Latency: simulator.Constant(50 * time.Millisecond)}, product.Unwatched)
	if err := s.fleet.SetFault("sim-0001", simulator.Fault{Kind: simulator.Hang}); err != nil {
		t.Fatal(err)
	}
	s.warmUp(t)
	before, err := s.resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	group.SetLimit(atOnce)
	for range calls {
		group.Go(func() error {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stream, err := s.health.ProbeClusters(ctx, &fleetv1.ProbeClustersRequest{})
			if err != nil {
				return err
			}
			_, err = stream.Recv()
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	s.awaitBaseline(t, before)
}

// TestAnAggregatorWithoutFilesToOpenBlamesNoCluster lets it have 256 files, for more clusters than that.
func TestAnAggregatorWithoutFilesToOpenBlamesNoCluster(t *testing.T) {
	t.Parallel()
	const files, clusters, atOnce = 256, 270, 8
	fleet, err := simulator.Start(t.Context(), simulator.Config{Clusters: clusters, OwnPorts: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fleet.Close() })
	kubeconfig := filepath.Join(t.TempDir(), "fleet.kubeconfig")
	if err := fleet.WriteKubeconfig(kubeconfig); err != nil {
		t.Fatal(err)
	}
	p := process.StartCommand(t, exec.Command("sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, files), programs.Path("aggregator"),
		"--kubeconfig", kubeconfig, "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", product.Unwatched))
	address := p.Stderr.Await(t, `msg=serving grpc=(\S+) http=`)[1]
	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	health := fleetv1.NewHealthServiceClient(connection)
	ctx, cancel := context.WithTimeout(t.Context(), limitPatience)
	defer cancel()
	healthy, ours := 0, 0
	for ours == 0 {
		stream, err := health.ProbeClusters(ctx, &fleetv1.ProbeClustersRequest{Depth: fleetv1.Verdict_DEPTH_QUICK, MaxConcurrency: atOnce})
		if err != nil {
			t.Fatal(err)
		}
		for {
			event, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("after %d good results, %d for want of files: %v", healthy, ours, err)
			}
			v := event.GetResult().GetObservation().GetVerdict()
			switch {
			case v == nil:
			case v.GetState() == fleetv1.Verdict_STATE_HEALTHY:
				healthy++
			case v.GetBlame() == fleetv1.Verdict_BLAME_OBSERVER && v.GetState() == fleetv1.Verdict_STATE_UNKNOWN:
				ours++
			default:
				t.Errorf("%s is blamed: %v", event.GetResult().GetCluster(), v)
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d results were good, %d failed for want of files", healthy, ours)
	if healthy == 0 {
		t.Error("nobody was reached")
	}
}

// TestSIGTERMEndsFiveHundredStreamsInTime has 500 watchers, and probes that hang.
func TestSIGTERMEndsFiveHundredStreamsInTime(t *testing.T) {
	t.Parallel()
	const streams, aConnection, limit = 500, 100, 30 * time.Second
	s := start(t, simulator.Config{Clusters: 3})
	if err := s.fleet.SetFault("sim-0001", simulator.Fault{Kind: simulator.Hang}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limitPatience)
	defer cancel()
	group, watched := errgroup.WithContext(ctx)
	synced := make(chan struct{}, streams)
	for range streams / aConnection {
		connection, err := grpc.NewClient("passthrough:///"+s.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { connection.Close() })
		for range aConnection {
			group.Go(func() error { return watchToTheEnd(watched, fleetv1.NewHealthServiceClient(connection), synced) })
		}
	}
	for range streams {
		select {
		case <-synced:
		case <-watched.Done():
			t.Fatalf("not all watchers are synced: %v", context.Cause(watched))
		}
	}
	probe, err := s.health.ProbeClusters(ctx, &fleetv1.ProbeClustersRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := probe.Recv(); err != nil {
		t.Fatal(err)
	}
	s.Signal(t, syscall.SIGTERM)
	if code := s.Wait(t, limit); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// watchToTheEnd watches until the aggregator ends the call, which is to be UNAVAILABLE, with a token to go on by.
func watchToTheEnd(ctx context.Context, health fleetv1.HealthServiceClient, synced chan<- struct{}) error {
	watch, err := health.WatchClusterHealth(ctx, &fleetv1.WatchClusterHealthRequest{})
	if err != nil {
		return err
	}
	for {
		event, err := watch.Recv()
		if err != nil {
			if status.Code(err) != codes.Unavailable || !hasToken(err) {
				return fmt.Errorf("the end of a watch: %w, %v", err, status.Convert(err).Details())
			}
			return nil
		}
		if event.GetSynced() != nil {
			synced <- struct{}{}
		}
	}
}

// TestClustersWhoseHTTP2BreaksItsRulesCostNoTimeAfterwards looks at what the aggregator does when nobody asks any more.
func TestClustersWhoseHTTP2BreaksItsRulesCostNoTimeAfterwards(t *testing.T) {
	t.Parallel()
	const window, tolerated = 5 * time.Second, 100 * time.Millisecond
	s := start(t, simulator.Config{Clusters: 4}, product.Unwatched)
	for i, kind := range []simulator.Kind{simulator.H2ZeroFrameSize, simulator.H2GoAwayStorm, simulator.H2ContinuationFlood} {
		if err := s.fleet.SetFault(fmt.Sprintf("sim-%04d", i+1), simulator.Fault{Kind: kind}); err != nil {
			t.Fatal(err)
		}
	}
	for name, r := range s.probeOnce(t) {
		state := r.GetObservation().GetVerdict().GetState()
		if (name == "sim-0004") != (state == fleetv1.Verdict_STATE_HEALTHY) {
			t.Errorf("%s: %v", name, r)
		}
	}
	before := cpuTime(t, s.PID())
	pause(t, window)
	used := cpuTime(t, s.PID()) - before
	t.Logf("in %s of rest the aggregator used %s", window, used)
	if used > tolerated {
		t.Errorf("that is more than %s", tolerated)
	}
}

// cpuTime is how much time a process has spent on processors. Linux counts it in hundredths of a second.
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	ticks := 0
	for _, field := range fields[11:13] { // of the user and of the system
		n, err := strconv.Atoi(string(field))
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
