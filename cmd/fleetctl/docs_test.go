package main

import (
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
			cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "FLEETCTL_SERVER="+address, "XDG_CONFIG_HOME="+cmd.Dir)
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

func shopObjectsOfAnyType(m member, req *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch {
	return shopPods(m, req)
}
