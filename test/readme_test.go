package test_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/test/internal/process"
)

// goProgram is a package around a piece of documented code.
const goProgram = `package documented

import (
	"context"
	"fmt"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

func run(ctx context.Context) error {
CODE
	return nil
}
`

func TestDocumentedGoCodeCompiles(t *testing.T) {
	blocks := codeBlocks(t, filepath.Join(root(t), "README.md"), "go")
	if len(blocks) == 0 {
		t.Fatal("the README shows no Go code")
	}
	for _, block := range blocks {
		file := writeFile(t, "documented.go", strings.Replace(goProgram, "CODE", block, 1))
		overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root(t), "test", "documented", "documented.go"): file}})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("go", "build", "-race", "-overlay", writeFile(t, "overlay.json", string(overlay)), "./test/documented")
		cmd.Dir = root(t)
		exits(t, process.RunCommand(t, 5*time.Minute, cmd), 0, "", "")
	}
}

func TestDemoRunsToItsEndAndLeavesNothingRunning(t *testing.T) {
	cmd := exec.Command("make", "demo")
	cmd.Dir = root(t)
	demo := process.StartCommand(t, cmd)
	if code := demo.Wait(t, 10*time.Minute); code != 0 { // it builds the programs first
		t.Errorf("exit code %d:\n%s\n%s", code, demo.Stdout.Tail(), demo.Stderr.Tail())
	}
	shown := demo.Stdout.String()
	for _, want := range []string{`\$ fleetctl probe\n`, `CLUSTER +STATE`, `UNREACHABLE +CONNECTION_REFUSED`, `… and 1[89]\d healthy ones`, `\$ fleetctl get deployments`, `bin/aggregator --kubeconfig ~/.kube/config`} {
		if !regexp.MustCompile(want).MatchString(shown) {
			t.Errorf("the demo does not show %s:\n%s", want, shown)
		}
	}
	if demo.GroupLives() {
		t.Error("the demo leaves processes behind")
	}
}
