// Package product runs the product's programs in end-to-end tests, as their users do.
package product

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
)

const module = "github.com/clusterfleet/clusterfleet"

// commandTime is what one command may take at most, whatever its own limits.
const commandTime = 2 * time.Minute

// buildTime is what a build may take that finds nothing in Go's cache.
const buildTime = 10 * time.Minute

// Programs are the product's programs.
type Programs struct {
	dir string
	// launcher is a command that runs the programs; empty: none.
	launcher []string
}

// In returns the programs that were built into dir.
func In(dir string) *Programs { return &Programs{dir: dir} }

// By returns the same programs, started by a command that takes their command lines as its last arguments.
func (p *Programs) By(launcher ...string) *Programs { return &Programs{p.dir, launcher} }

// Build builds the programs into dir, with the race detector.
func Build(ctx context.Context, dir string) (*Programs, error) { return build(ctx, dir, "-race") }

// Shipped returns the programs without the race detector, for tests that measure how long something takes.
func Shipped(t testing.TB) *Programs {
	t.Helper()
	p, err := build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func build(ctx context.Context, dir string, flags ...string) (*Programs, error) {
	args := append(append([]string{"build"}, flags...), "-o", dir+string(os.PathSeparator),
		module+"/cmd/aggregator", module+"/cmd/fleetctl", module+"/cmd/fleetsim")
	cmd := exec.CommandContext(ctx, "go", args...)
	if output, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the programs: %w\n%s", err, output)
	}
	return In(dir), nil
}

// Dir is the directory of the executables.
func (p *Programs) Dir() string { return p.dir }

// BuildGrpcurl puts grpcurl beside the programs, as tools/go.mod pins it.
func (p *Programs) BuildGrpcurl(t testing.TB) {
	t.Helper()
	cmd := exec.Command("go", "build", "-modfile="+filepath.Join("tools", "go.mod"), "-o", p.Path("grpcurl"), "github.com/fullstorydev/grpcurl/cmd/grpcurl")
	cmd.Dir = ".."
	if r := process.RunCommand(t, buildTime, cmd); r.Code != 0 {
		t.Fatalf("build grpcurl: %s", r.Stderr)
	}
}

// Path returns the executable of a program.
func (p *Programs) Path(name string) string { return filepath.Join(p.dir, name) }

// Run runs one of the programs to its end.
func (p *Programs) Run(t testing.TB, name string, args ...string) process.Result {
	t.Helper()
	return process.RunCommand(t, commandTime, p.command(name, args...))
}

// command returns a command that does not see how whoever runs the tests has configured the programs.
func (p *Programs) command(name string, args ...string) *exec.Cmd {
	line := slices.Concat(p.launcher, []string{p.Path(name)}, args)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+p.dir, "FLEETCTL_SERVER=", "KUBECONFIG=")
	return cmd
}

// Aggregator is a running aggregator.
type Aggregator struct {
	*process.Process

	// GRPC and HTTP are its addresses, as HOST:PORT.
	GRPC, HTTP string

	programs *Programs
	dial     func() (*client.Client, error)
}

// Unwatched is a flag of the aggregator for tests that are about calls: nothing else asks the clusters then.
const Unwatched = "--probe-interval=0"

// Aggregator runs an aggregator on free ports of loopback until the test ends. Flags that are given come last, so they
// win.
func (p *Programs) Aggregator(t testing.TB, kubeconfig string, flags ...string) *Aggregator {
	t.Helper()
	args := append([]string{"--kubeconfig", kubeconfig, "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0"}, flags...)
	a := &Aggregator{Process: process.StartCommand(t, p.command("aggregator", args...)), programs: p}
	addresses := a.Stderr.Await(t, `msg=serving grpc=(\S+) http=(\S+)`)
	a.GRPC, a.HTTP = addresses[1], addresses[2]
	a.dial = sync.OnceValues(func() (*client.Client, error) {
		c, err := client.Dial(a.GRPC)
		if err == nil {
			t.Cleanup(func() { c.Close() })
		}
		return c, err
	})
	return a
}

// Client returns a client of the aggregator, always the same, in plaintext. It is closed when the test that started the
// aggregator ends.
func (a *Aggregator) Client(t testing.TB) *client.Client {
	t.Helper()
	c, err := a.dial()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Fleetctl runs a fleetctl command against the aggregator to its end.
func (a *Aggregator) Fleetctl(t testing.TB, args ...string) process.Result {
	t.Helper()
	return a.programs.Run(t, "fleetctl", append([]string{"--server", a.GRPC}, args...)...)
}

// StartFleetctl starts a fleetctl command against the aggregator.
func (a *Aggregator) StartFleetctl(t testing.TB, args ...string) *process.Process {
	t.Helper()
	return process.StartCommand(t, a.programs.command("fleetctl", append([]string{"--server", a.GRPC}, args...)...))
}
