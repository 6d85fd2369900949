// Package simulated runs fleetsim, the simulated fleet that the benchmarks ask, as a process of its own, and reads what
// its API servers have seen.
package simulated

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/process"
)

// readyTime is what a fleet of thousands gets to make its certificates and listen.
const readyTime = 60 * time.Second

// Config describes a fleet.
type Config struct {
	// Program is the path of fleetsim; Folder is where the fleet's files go.
	Program, Folder string
	Clusters        int
	// Flags are further flags of fleetsim.
	Flags []string
}

// Fleet is a simulated fleet that runs. It must be ended with Kill.
type Fleet struct {
	// Kubeconfig is the file that has a context for each cluster.
	Kubeconfig string

	process *process.Process
	admin   string
}

// Stats is what the API servers have seen since the last Reset.
type Stats struct {
	Requests           int64   `json:"requests"`
	InFlight           int     `json:"inFlight"`
	PeakInFlight       int     `json:"peakInFlight"`
	Aborted            int     `json:"aborted"`
	AbortTimesUnixNano []int64 `json:"abortTimesUnixNano"` // by the wall clock, oldest first
	OpenConnections    int     `json:"openConnections"`
	TLSHandshakes      int64   `json:"tlsHandshakes"`
}

// Start starts a fleet and returns when all of its clusters answer.
func Start(ctx context.Context, c Config) (*Fleet, error) {
	f := &Fleet{Kubeconfig: filepath.Join(c.Folder, "kubeconfig")}
	args := append([]string{
		"--clusters", strconv.Itoa(c.Clusters), "--kubeconfig-out", f.Kubeconfig, "--admin-address", "127.0.0.1:0",
	}, c.Flags...)
	var err error
	if f.process, err = process.Start(ctx, c.Folder, c.Program, args...); err != nil {
		return nil, err
	}
	if err := f.announced(); err != nil {
		f.Kill()
		return nil, f.process.Failed(err)
	}
	return f, nil
}

// announced waits for the first line on stdout, which says that the fleet is up.
func (f *Fleet) announced() error {
	impatience := time.AfterFunc(readyTime, f.Kill)
	defer impatience.Stop()
	line, err := f.process.Stdout.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("wait for the fleet: %w", err)
	}
	var announcement struct {
		Admin string `json:"admin"`
	}
	if err := json.Unmarshal(line, &announcement); err != nil {
		return fmt.Errorf("the fleet announced itself by %q: %w", line, err)
	}
	f.admin = announcement.Admin
	return nil
}

// Kill ends the fleet. It may be called more than once.
func (f *Fleet) Kill() { f.process.Kill() }

// Stats returns what the fleet has seen.
func (f *Fleet) Stats(ctx context.Context) (Stats, error) {
	var stats Stats
	body, err := f.call(ctx, http.MethodGet, "/stats")
	if err != nil {
		return stats, err
	}
	return stats, json.Unmarshal(body, &stats)
}

// Reset makes the fleet count anew. What is in flight or open stays counted.
func (f *Fleet) Reset(ctx context.Context) error {
	_, err := f.call(ctx, http.MethodPost, "/reset")
	return err
}

func (f *Fleet) call(ctx context.Context, method, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, f.admin+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		return nil, fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return io.ReadAll(resp.Body)
}
