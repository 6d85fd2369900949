package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/clusterfleet/clusterfleet/bench/internal/process"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// trigger is a writer that calls a function when something is written to it.
type trigger struct {
	word string
	pull func()
}

// Write never fails.
func (t trigger) Write(text []byte) (int, error) {
	if bytes.Contains(text, []byte(t.word)) {
		t.pull()
	}
	return len(text), nil
}

func TestInterruptedRunSaysSoAndWhereItsRowsAre(t *testing.T) {
	file := filepath.Join(t.TempDir(), "soak.csv")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var out bytes.Buffer
	err := run(ctx, []string{"-duration", "20s", "-clusters", "50", "-csv", file}, &out, trigger{"cycle 1 of 4", interrupt})
	if want := "interrupted; rows so far are in " + file; err == nil || err.Error() != want || exitCode(err) != 1 || out.Len() > 0 {
		t.Errorf("it says %v and prints %q, want %q and nothing", err, &out, want)
	}
	text, err := os.ReadFile(file)
	if rows := bytes.Count(text, []byte("\n")); err != nil || rows < 2 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

func TestInterruptedExchangeDoesNotWaitForClusters(t *testing.T) {
	folder := t.TempDir()
	fleet, err := simulator.Start(t.Context(), simulator.Config{Clusters: 20})
	if err != nil {
		t.Fatal(err)
	}
	defer fleet.Close()
	source := filepath.Join(folder, "all")
	if err := fleet.WriteKubeconfig(source); err != nil {
		t.Fatal(err)
	}
	k, err := newKubeconfig(source, filepath.Join(folder, "now"), names(20))
	if err != nil {
		t.Fatal(err)
	}
	deaf, err := process.Start(t.Context(), "", "/bin/sh", "-c", "trap '' HUP; echo ready >&2; exec cat")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Kill()
	if _, err := deaf.AwaitLog(t.Context(), func(line string) bool { return line == "ready" }); err != nil {
		t.Fatal(err)
	}
	quiet, err := client.Dial("127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	defer quiet.Close()
	s := &soaking{kubeconfig: k, aggregator: &aggregator{process: deaf}, quiet: quiet, tally: newTally()}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	if err := s.exchange(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if wrong, words := s.tally.failures(); wrong > 0 {
		t.Errorf("what was interrupted counts as wrong: %q", words)
	}
}
