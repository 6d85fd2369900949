package test_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/fleettest/metrics"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

// quiet is how long nothing is sent before a caller counts as stalled.
const quiet = 500 * time.Millisecond

func callerKilledMidFetch(t *testing.T, fleet *realkube.Fleet) {
	text := strings.Repeat("0123456789abcdef", bulkBytes/16)
	for _, server := range fleet.Servers {
		createNamespace(t, server, "stalled")
		createMany(t, server, "/api/v1/namespaces/stalled/configmaps", bulkObjects, func(n int) object {
			return configMap(fmt.Sprintf("bulk-%02d", n), map[string]string{"text": text})
		})
	}
	a := programs.Aggregator(t, fleet.Kubeconfig, product.Unwatched)
	exits(t, a.Fleetctl(t, "get", "namespaces", "-o", "name", "--require-complete"), 0, "real-3", "")
	before := connections(t, a, fleet)
	if before == 0 {
		t.Fatal("no connection to the API servers is seen")
	}
	method := []string{"grpc_method", "FetchManifests"}
	started := a.Metrics(t)

	caller := stalledFleetctl(t, a, "get", "configmaps", "-n", "stalled", "-o", "jsonl")
	sent, since := 0.0, time.Now()
	a.AwaitMetrics(t, "the aggregator has sent what the caller takes", func(m metrics.Metrics) bool {
		if now := m.Value("grpc_server_msg_sent_total", method...); now != sent {
			sent, since = now, time.Now()
		}
		return sent > started.Value("grpc_server_msg_sent_total", method...) && time.Since(since) > quiet
	})
	if n := a.Metrics(t).Value("grpc_server_handled_total", method...); n != started.Value("grpc_server_handled_total", method...) {
		t.Fatal("the call has ended: its caller did not stall")
	}
	during := connections(t, a, fleet)
	if during < len(fleet.Servers) {
		t.Fatalf("%d connections to the API servers while %d lists are under way", during, len(fleet.Servers))
	}

	caller.Kill(t)
	killed := time.Now()
	a.AwaitMetrics(t, "the handler ends", func(m metrics.Metrics) bool {
		return m.Value("grpc_server_handled_total", method...) == started.Value("grpc_server_handled_total", method...)+1
	})
	// A connection in the middle of an answer cannot be used again: each list takes its own with it.
	if err := process.Poll(t.Context(), func() (bool, error) {
		n := connections(t, a, fleet)
		return n <= before && n <= during-len(fleet.Servers), fmt.Errorf("%d connections to the API servers, %d before, %d during the lists", n, before, during)
	}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(killed); took > promptly {
		t.Errorf("the aggregator gave up after %s", took)
	}
	exits(t, a.Fleetctl(t, "get", "configmaps", "-n", "stalled", "-o", "name", "--require-complete"), 0, "real-3\tconfigmap/bulk-31", "")
}

// stalledFleetctl starts fleetctl with nobody to read what it prints.
func stalledFleetctl(t *testing.T, a *product.Aggregator, args ...string) *process.Process {
	t.Helper()
	pipe := filepath.Join(t.TempDir(), "stdout")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0) // a pipe without reader cannot be opened for writing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	command := []string{"-c", `exec "$@" >"$0"`, pipe, programs.Path("fleetctl"), "--server", a.GRPC}
	return process.StartCommand(t, exec.Command("bash", append(command, args...)...))
}

// connections counts the aggregator's open connections to the API servers, as Linux tells them.
func connections(t *testing.T, a *product.Aggregator, fleet *realkube.Fleet) (n int) {
	t.Helper()
	own := sockets(t, a.PID())
	servers := map[string]bool{}
	for _, server := range fleet.Servers {
		servers[hexPort(t, server)] = true
	}
	for _, table := range []string{"tcp", "tcp6"} {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", a.PID(), table))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			// sl, local, remote, state, queues, timer, retransmits, uid, timeout, inode
			fields := strings.Fields(line)
			if len(fields) < 10 {
				continue
			}
			if _, port, _ := strings.Cut(fields[2], ":"); servers[port] && own["socket:["+fields[9]+"]"] {
				n++
			}
		}
	}
	return n
}

// hexPort returns the server's port as Linux writes it.
func hexPort(t *testing.T, server *realkube.Server) string {
	t.Helper()
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(portOf(t, address.Host), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%04X", port)
}

// sockets returns the open sockets of a process.
func sockets(t *testing.T, pid int) map[string]bool {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]bool{}
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join(dir, entry.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // closed since
		}
		if err != nil {
			t.Fatal(err)
		}
		open[target] = true
	}
	return open
}
