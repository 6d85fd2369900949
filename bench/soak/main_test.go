package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestShortRunWorks runs everything once. What needs a longer run is undecided then, and nothing else may be.
func TestShortRunWorks(t *testing.T) {
	table := filepath.Join(t.TempDir(), "soak.csv")
	var out, progress bytes.Buffer
	err := run(t.Context(), []string{"-duration", "20s", "-clusters", "50", "-csv", table}, &out, &progress)
	if !errors.Is(err, errUndecided) {
		t.Fatalf("%v\n%s%s", err, &out, &progress)
	}
	open := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, string(fails)) {
			t.Errorf("%s\n%s", line, &progress)
		}
		if what, _, found := strings.Cut(line, ":"); found && (strings.Contains(line, string(undecided)) || strings.Contains(line, string(tooShort))) {
			open[what] = true
		}
	}
	want := map[string]bool{"live heap beside the store's buffers": true, "goroutines": true, "open files": true, "connections": true, "calls with less than 5s": true}
	if diff := cmp.Diff(want, open); diff != "" {
		t.Errorf("undecided (-want +got):\n%s%s", diff, &out)
	}
	for _, call := range []string{"FetchManifests: ", "WatchClusterHealth: ", "ListTransitions: ", "reload: "} {
		if !strings.Contains(progress.String(), "  "+call) {
			t.Errorf("no %s in\n%s", call, &progress)
		}
	}
	if begun, over := counted(progress.String(), watchesBegan), counted(progress.String(), watching); begun == 0 || begun != over {
		t.Errorf("%d watches began, %d ended\n%s", begun, over, &progress)
	}
	checkTable(t, table)
}

// counted is the sum of a line of the tally.
func counted(progress, call string) (sum int) {
	_, line, _ := strings.Cut(progress, "  "+call+": ")
	line, _, _ = strings.Cut(line, "\n")
	for word := range strings.FieldsSeq(line) {
		if n, err := strconv.Atoi(word); err == nil {
			sum += n
		}
	}
	return sum
}

// checkTable expects samples of a run with callers in it, the last of them at rest.
func checkTable(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(text, []byte("seconds,heap_bytes,rss_bytes,goroutines,open_files,connections,")) {
		t.Errorf("it begins with %.80q", text)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(rows) < 12 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	watchers := slices.Index(rows[0], "watchers")
	if !slices.ContainsFunc(rows[1:], func(row []string) bool { return row[watchers] != "0" }) {
		t.Error("nobody ever watched")
	}
	rest := slices.Index(rows[0], "rest")
	points := slices.DeleteFunc(rows[1:], func(row []string) bool { return row[rest] != "1" })
	if len(points) == 0 { // on a busy machine a cycle of 5 s may be too short for a rest, but for the last one
		t.Fatal("no sample at rest")
	}
	for _, column := range []string{"heap_bytes", "rss_bytes", "goroutines", "open_files", "connections", "store_bytes", "collections", "clusters"} {
		value, err := strconv.ParseInt(points[len(points)-1][slices.Index(rows[0], column)], 10, 64)
		if err != nil || value <= 0 {
			t.Errorf("%s is %d, %v", column, value, err)
		}
	}
}

func TestCommandLineThatMakesNoSenseIsAnError(t *testing.T) {
	for _, args := range [][]string{{"-duration", "10s"}, {"-clusters", "2"}, {"argument"}, {"-no-such-flag"}} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil || exitCode(err) != 1 {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestFleetIsNoLargerThanOneCanBeSimulated(t *testing.T) {
	if _, err := parse([]string{"-clusters", "65024"}, io.Discard); err != nil {
		t.Error(err)
	}
	_, err := parse([]string{"-clusters", "65025"}, io.Discard)
	if want := "-clusters must be from 20 to 65024, not 65025"; err == nil || err.Error() != want {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestAggregatorThatDoesNotStartIsAnError(t *testing.T) {
	if err := run(t.Context(), []string{"-duration", "20s", "-programs", t.TempDir()}, io.Discard, io.Discard); err == nil || exitCode(err) != 1 {
		t.Error(err)
	}
}

func TestFaultsStrikeInEveryCycleAndEndBeforeItsRest(t *testing.T) {
	table := newTimetable(30 * time.Minute)
	all := faults(table, names(1000), rand.New(rand.NewPCG(1, 0)))
	if diff := cmp.Diff(all, faults(table, names(1000), rand.New(rand.NewPCG(1, 0)))); diff != "" {
		t.Errorf("one seed, two scenarios: %s", diff)
	}
	file := filepath.Join(t.TempDir(), "scenario")
	if err := writeScenario(file, all); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	scenario, err := simulator.ParseScenario(text)
	if err != nil {
		t.Fatal(err)
	}
	struck := make([]int, table.count)
	for _, rule := range scenario.Rules {
		cycle := int(rule.From / table.cycle)
		struck[cycle] += strings.Count(rule.Clusters, ",") + 1
		if rule.To > table.start(cycle)+table.faults() || rule.To <= rule.From {
			t.Errorf("%s from %s to %s", rule.Fault.Kind, rule.From, rule.To)
		}
	}
	if first := struck[0]; first != 0 || slices.Min(struck[1:]) < 300 {
		t.Errorf("struck in each cycle: %v", struck)
	}
}

func TestClustersComeUnderNewNamesAndTheFleetStaysAsLarge(t *testing.T) {
	folder := t.TempDir()
	fleet, err := simulator.Start(t.Context(), simulator.Config{Clusters: 200})
	if err != nil {
		t.Fatal(err)
	}
	defer fleet.Close()
	source, file := filepath.Join(folder, "all"), filepath.Join(folder, "now")
	if err := fleet.WriteKubeconfig(source); err != nil {
		t.Fatal(err)
	}
	k, err := newKubeconfig(source, file, names(200))
	if err != nil {
		t.Fatal(err)
	}
	ever := map[string]bool{}
	for range 5 {
		came, gone, err := k.change()
		if err != nil {
			t.Fatal(err)
		}
		config, err := clientcmd.LoadFromFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(config.Contexts) != k.size() || k.size() != 198 || config.Contexts[came] == nil || config.Contexts[gone] != nil || ever[came] {
			t.Errorf("%d contexts, %s came (before: %v), %s went", len(config.Contexts), came, ever[came], gone)
		}
		ever[came] = true
	}
}
