package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// silentClusters are three of ten, for fleetsim.
const silentClusters = "sim-*1,sim-*2,sim-*3"

// isSilent tells the same of a name.
func isSilent(name string) bool { return name != "" && strings.ContainsAny(name[len(name)-1:], "123") }

// silentFleet is a watched fleet of which some comes and goes.
type silentFleet struct {
	*aggregator

	simulation *simulated.Fleet
	living     []string
	dead       []string
	door       string // the address of the one that goes last
}

// silentFleet starts a fleet, and an aggregator that watches it. It must be ended with kill.
func (b *bench) silentFleet(ctx context.Context, s silence) (*silentFleet, error) {
	scenario := filepath.Join(b.folder, "silent.yaml")
	if err := os.WriteFile(scenario, []byte(s.scenario()), 0o600); err != nil {
		return nil, err
	}
	fleet, err := b.fleet(ctx, s.clusters, "--latency", s.latency.String(), "--scenario", scenario)
	if err != nil {
		return nil, err
	}
	f := &silentFleet{simulation: fleet}
	definitions, err := simulated.Definitions(fleet.Kubeconfig)
	if err != nil {
		fleet.Kill()
		return nil, err
	}
	for _, d := range definitions {
		if !isSilent(d.Name) {
			f.living = append(f.living, d.Name)
			continue
		}
		f.dead = append(f.dead, d.Name)
		f.door = strings.TrimPrefix(d.Server(), "https://")
	}
	if len(f.dead) != s.dead {
		fleet.Kill()
		return nil, fmt.Errorf("%d clusters are to be silent, want %d", len(f.dead), s.dead)
	}
	if f.aggregator, err = b.aggregator(ctx, fleet.Kubeconfig, s.interval); err != nil {
		fleet.Kill()
		return nil, err
	}
	return f, nil
}

func (f *silentFleet) kill() {
	f.aggregator.kill()
	f.simulation.Kill()
}

// struck reports whether the fault has come to the last of the clusters: nobody takes a connection any more.
func (f *silentFleet) struck(ctx context.Context) bool {
	dialer := net.Dialer{Timeout: 250 * time.Millisecond}
	conn, err := dialer.DialContext(ctx, "tcp", f.door)
	if err != nil {
		return true
	}
	_ = conn.Close() // it was only tried
	return false
}

// await watches until those that come and go are known to be in a state, and all others to be healthy.
func (f *silentFleet) await(ctx context.Context, limit time.Duration, state fleetv1.Verdict_State) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stream, err := fleetv1.NewHealthServiceClient(f.conn).WatchClusterHealth(ctx, &fleetv1.WatchClusterHealthRequest{})
	if err != nil {
		return err
	}
	as := map[string]bool{} // who is in the state that is waited for
	for len(f.living)+len(f.dead) > len(as) {
		response, err := stream.Recv()
		if err != nil {
			return fmt.Errorf("%d of %d clusters are as awaited for %v: %w", len(as), len(f.living)+len(f.dead), state, err)
		}
		changed := response.GetChanged()
		want := fleetv1.Verdict_STATE_HEALTHY
		if isSilent(changed.GetCluster()) {
			want = state
		}
		if changed.GetState() == want {
			as[changed.GetCluster()] = true
		} else {
			delete(as, changed.GetCluster())
		}
	}
	return nil
}

// note reads, and adds what it took.
func (f *silentFleet) note(ctx context.Context, to *[]time.Duration, r *fleetv1.FetchManifestsRequest, struck bool) error {
	took, err := f.read(ctx, r, struck)
	*to = append(*to, took)
	return err
}

// read reads the fleet and returns the p99 of the times from the beginning to the end of each living cluster. With the last
// of them it leaves. If some are struck, none of these may be read.
func (f *silentFleet) read(ctx context.Context, r *fleetv1.FetchManifestsRequest, struck bool) (time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.ResourceType = &fleetv1.ResourceType{Version: "v1", Resource: "configmaps"}
	start := time.Now()
	stream, err := fleetv1.NewManifestServiceClient(f.conn).FetchManifests(ctx, r)
	if err != nil {
		return 0, err
	}
	var times []time.Duration
	for len(times) < len(f.living) {
		response, err := stream.Recv()
		if err != nil {
			return 0, fmt.Errorf("%d of %d living clusters were read: %w", len(times), len(f.living), err)
		}
		batch := response.GetBatch()
		if batch.GetCompletion() == nil {
			continue
		}
		silent := isSilent(batch.GetCluster())
		if failed := batch.GetCompletion().GetError() != nil; failed != (silent && struck) {
			return 0, fmt.Errorf("%s was read: %t, silent: %t: %v", batch.GetCluster(), !failed, silent && struck, batch.GetCompletion().GetError())
		}
		if !silent {
			times = append(times, time.Since(start))
		}
	}
	return measure.Percentile(times, 99), nil
}
