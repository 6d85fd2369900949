package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

func readDocs(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/fleetsim.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDocsNameEveryFlagAndFault(t *testing.T) {
	docs := readDocs(t)
	newCommand(t.Context(), io.Discard, io.Discard).Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Name != "help" && !strings.Contains(docs, "`--"+flag.Name+"`") {
			t.Errorf("no --%s", flag.Name)
		}
	})
	for _, kind := range append(simulator.Kinds(), "flap") {
		if !strings.Contains(docs, "`"+string(kind)+"`") {
			t.Errorf("no %s", kind)
		}
	}
}

func TestExampleShowsEveryFault(t *testing.T) {
	example, err := os.ReadFile("../../docs/examples/faults.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range append(simulator.Kinds(), "flap") {
		if !regexp.MustCompile(`fault: ` + string(kind) + `\b`).Match(example) {
			t.Errorf("no %s", kind)
		}
	}
}

func TestScenarioInTheDocsIsOne(t *testing.T) {
	_, rest, found := strings.Cut(readDocs(t), "```yaml\n")
	text, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatal("no YAML in the docs")
	}
	if _, err := simulator.ParseScenario([]byte(text)); err != nil {
		t.Error(err)
	}
}

func TestDocumentedCommandsRun(t *testing.T) {
	commands := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(readDocs(t), -1) {
		for line := range strings.Lines(strings.ReplaceAll(block[1], "\\\n", " ")) {
			args := strings.Fields(line)
			if len(args) == 0 || args[0] != "fleetsim" {
				t.Errorf("what is %q?", line)
				continue
			}
			commands++
			kubeconfig := filepath.Join(t.TempDir(), "fleet.kubeconfig")
			for i, arg := range args {
				args[i] = strings.Replace(arg, "fleet.kubeconfig", kubeconfig, 1)
				args[i] = strings.Replace(args[i], "docs/", "../../docs/", 1)
			}
			var stdout bytes.Buffer
			if err := run(t.Context(), append(args[1:], "--for=1ms"), &stdout, io.Discard); err != nil {
				t.Errorf("%s: %v", strings.TrimSpace(line), err)
			}
			if _, err := os.Stat(kubeconfig); err != nil || !strings.HasPrefix(stdout.String(), `{"kubeconfig":`) {
				t.Errorf("%s: %v, stdout %q", strings.TrimSpace(line), err, stdout.String())
			}
		}
	}
	if commands < 4 {
		t.Errorf("%d commands", commands)
	}
}
