package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

// TestDocumentedCommandsRun runs each command line of docs/fleetctl.md and of the commands' help in a shell, up to the
// first program that it is piped into.
func TestDocumentedCommandsRun(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "fleetctl.md"))
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for i, block := range strings.Split(string(text), "```") {
		if commands, ok := strings.CutPrefix(block, "sh\n"); ok && i%2 == 1 {
			documented = append(documented, strings.Split(strings.TrimSpace(commands), "\n")...)
		}
	}
	var examples func(*cobra.Command)
	examples = func(cmd *cobra.Command) {
		if cmd.Example != "" {
			documented = append(documented, strings.Split(cmd.Example, "\n")...)
		}
		for _, child := range cmd.Commands() {
			examples(child)
		}
	}
	examples((&app{}).root())

	address := clienttest.Serve(t, fleet{members: testFleet(), fetch: shopObjectsOfAnyType}.script())
	for _, line := range documented {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " | ")
		t.Run(line, func(t *testing.T) {
			if !strings.HasPrefix(line, "fleetctl") {
				t.Fatal("not a command of fleetctl")
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", "exec "+line)
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "FLEETCTL_SERVER="+address, "XDG_CONFIG_HOME="+cmd.Dir)
			if endless(line) {
				interrupted(t, cmd)
				return
			}
			output, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != exitDone && code != exitUnhealthy || strings.Contains(string(output), "error:") {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
	if len(documented) < 30 {
		t.Errorf("only %d commands are documented", len(documented))
	}
}

// endless tells that a command goes on until it is interrupted.
func endless(line string) bool {
	return !strings.Contains(line, "--once") && (strings.HasPrefix(line, "fleetctl watch") || strings.Contains(line, "--watch"))
}

// interrupted runs a command until it has printed something, and then ends it as a user does.
func interrupted(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := stdout.Read(make([]byte, 1)); err != nil {
		t.Errorf("nothing is printed: %v", err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if _, err := io.Copy(io.Discard, stdout); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != exitInterrupted {
		t.Errorf("%v\n%s", err, stderr.String())
	}
}

func shopObjectsOfAnyType(m member, req *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch {
	return shopPods(m, req)
}
