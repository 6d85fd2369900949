package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

// TestOutputThatIsNotReadDoesNotHoldTheProgram gives fleetctl more to print than a pipe holds, and reads none of it.
func TestOutputThatIsNotReadDoesNotHoldTheProgram(t *testing.T) {
	object := `{"data":"` + strings.Repeat("x", 512<<10) + `"}`
	address := clienttest.Serve(t, fleet{
		members: []member{healthyMember("a"), healthyMember("b")},
		fetch: func(member, *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch {
			return []*fleetv1.ManifestBatch{{Manifests: []*fleetv1.Manifest{{Name: "a", Json: object}}}}
		},
	}.script())
	for name, test := range map[string]struct {
		output  string
		timeout string
		signal  os.Signal
		code    int
		says    string
	}{
		"its time, as it streams": {"jsonl", "500ms", nil, exitDeadline, "error: the output is not read: the time of 500ms ran out (--timeout)"},
		"its time, at the end":    {"jsonpath={.items}", "500ms", nil, exitDeadline, "error: the output is not read: the time of 500ms ran out (--timeout)"},
		"a signal":                {"jsonl", "1h", syscall.SIGTERM, exitTerminated, "error: terminated"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "fleetctl", "get", "pods", "-o", test.output, "--timeout", test.timeout, "--server", address)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			cmd.Stdout = writer
			start := time.Now()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			writer.Close()
			if test.signal != nil {
				if _, err := reader.Read(make([]byte, 1)); err != nil { // It writes now.
					t.Fatal(err)
				}
				if err := cmd.Process.Signal(test.signal); err != nil {
					t.Fatal(err)
				}
			}
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != test.code || !strings.HasPrefix(stderr.String(), test.says) {
				t.Errorf("exit code %d: %s", got, stderr.String())
			}
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}
