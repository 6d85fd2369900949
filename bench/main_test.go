package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/clusterfleet/clusterfleet/bench/internal/child"
	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAbortsAreMeasuredFromTheKill(t *testing.T) {
	killed := time.Now()
	aborts := make([]int64, 100)
	for i := range aborts {
		aborts[i] = killed.Add(time.Duration(i+1) * time.Millisecond).UnixNano()
	}
	var k killings
	for _, kill := range []struct{ inFlight, aborted int }{{100, 100}, {9, 10}, {10, 10}} {
		if err := k.add(killed, kill.inFlight, aborts[:kill.aborted]); err != nil {
			t.Fatal(err)
		}
	}
	want := [][]time.Duration{
		{50 * time.Millisecond, 5 * time.Millisecond, 5 * time.Millisecond},
		{99 * time.Millisecond, 10 * time.Millisecond, 10 * time.Millisecond},
		{100 * time.Millisecond, 10 * time.Millisecond, 10 * time.Millisecond},
	}
	if diff := cmp.Diff(want, [][]time.Duration{k.p50, k.p99, k.last}); diff != "" {
		t.Errorf("p50, p99, last (-want +got):\n%s", diff)
	}
	if k.inFlight != 9 {
		t.Errorf("in flight %d, want the fewest, 9", k.inFlight)
	}
	if k.add(killed, 100, aborts[:99]) == nil || len(k.p99) != len(want[1]) {
		t.Error("a call that was not aborted is no error, or the kill was noted")
	}
}

func TestIdealOfATailIsItsSlowestUnlessTheLoadIsMore(t *testing.T) {
	slowest := tail{clusters: 1000, limit: 64, fast: 50 * time.Millisecond, slow: 5 * time.Second, share: 1}
	if got := slowest.ideal(); got != 5*time.Second {
		t.Errorf("got %v, want 5s", got)
	}
	load := tail{clusters: 1000, limit: 10, fast: 90 * time.Millisecond, slow: time.Second, share: 10}
	if got := load.ideal(); got != 18100*time.Millisecond {
		t.Errorf("got %v, want 18.1s", got)
	}
}

func TestChildAnswersWhenPreparedAndAfterEveryRound(t *testing.T) {
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	text := "apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster: {server: 'https://127.0.0.1:1'}\n" +
		"contexts:\n- name: a\n  context: {cluster: c}\n- name: b\n  context: {cluster: c}\n"
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"loader", "clientcmd", "applier"} {
		task, err := json.Marshal(job{Role: role, Kubeconfig: kubeconfig})
		if err != nil {
			t.Fatal(err)
		}
		var answers bytes.Buffer
		if err := run(t.Context(), []string{child.Command, string(task)}, strings.NewReader("\n\n"), &answers, io.Discard); err != nil {
			t.Fatal(err)
		}
		var operations []int
		for decoder := json.NewDecoder(&answers); ; {
			var m measure.Measurement
			if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			operations = append(operations, m.Operations)
			if m.Operations > 0 && (m.Wall <= 0 || m.CPU < 0 || m.PeakRSS <= 0) {
				t.Errorf("%s measured %+v", role, m)
			}
		}
		if diff := cmp.Diff([]int{0, 2, 2}, operations); diff != "" {
			t.Errorf("%s: operations of each answer (-want +got):\n%s", role, diff)
		}
	}
}

func TestPollEndsWhenDoneFailedOrOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		count := 0
		err := poll(t.Context(), time.Second, func() (bool, error) {
			count++
			return count == 3, nil
		})
		if err != nil || time.Since(start) != 2*pollInterval {
			t.Errorf("done the third time: %v after %v", err, time.Since(start))
		}
		if err := poll(t.Context(), time.Second, func() (bool, error) { return false, io.EOF }); !errors.Is(err, io.EOF) {
			t.Errorf("failed: %v", err)
		}
		if err := poll(t.Context(), time.Second, func() (bool, error) { return false, nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("never done: %v", err)
		}
	})
}

func TestSweepAsksEveryClusterOnceASweepAndStopsAtAnError(t *testing.T) {
	asked := make([]int, 100)
	operations, err := sweep(len(asked), job{Limit: 1, Sweeps: 3}, func(i int) error {
		asked[i]++
		return nil
	})
	if err != nil || operations != 300 || slices.Min(asked) != 3 || slices.Max(asked) != 3 {
		t.Errorf("%d operations, %v; asked %v", operations, err, asked)
	}
	failure := errors.New("no")
	if _, err := sweep(100, job{Limit: 8, Sweeps: 3}, func(int) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("every cluster fails: %v", err)
	}
}

func TestSummaryIsWholeOnlyIfAllWereExpectedAndSucceeded(t *testing.T) {
	if err := wholeSummary(&fleetv1.Summary{Expected: 3, Succeeded: 3}, 3); err != nil {
		t.Error(err)
	}
	for _, s := range []*fleetv1.Summary{nil, {}, {Expected: 2, Succeeded: 2}, {Expected: 3, Succeeded: 2, Failed: 1}} {
		if wholeSummary(s, 3) == nil {
			t.Errorf("%v is no error", s)
		}
	}
}

func TestCommandLineThatMakesNoSenseIsAnError(t *testing.T) {
	for _, args := range [][]string{{"-run", "("}, {"-no-such-flag"}, {"argument"}, {child.Command, "{"}, {child.Command, `{"role":"none"}`}} {
		if err := run(t.Context(), args, strings.NewReader(""), io.Discard, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("a page without a table\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-markdown", page}, {"-markdown", page + ".none"}, {"-markdown", page, "-short"}, {"-markdown", page, "-run", "cold"}} {
		if err := run(t.Context(), args, strings.NewReader(""), io.Discard, io.Discard); err == nil {
			t.Errorf("%q: no error before the work", args)
		}
	}
	o, err := parse([]string{"-run", "^fetch$", "-short"}, io.Discard)
	if err != nil || !o.short || o.only.MatchString("prefetch") {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestWhatCannotWorkIsToldBeforeTheWork(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(folder, "none")
	for _, c := range []struct{ flag, value, why string }{
		{"-json", filepath.Join(none, "rows.json"), "no such file or directory"},
		{"-json", folder, "is a directory"},
		{"-markdown", none, "no such file or directory"},
		{"-markdown", file, "the page has no place for the table: two comments that make bench-docs looks for"},
		{"-cpuprofile", none, "no such file or directory"},
		{"-cpuprofile", file, "not a directory"},
		{"-programs", folder, "aggregator: no such file or directory"},
	} {
		var progress bytes.Buffer
		err := run(t.Context(), []string{c.flag, c.value}, strings.NewReader(""), io.Discard, &progress)
		if want := c.flag + " " + c.value + ": " + c.why; err == nil || err.Error() != want || progress.Len() > 0 {
			t.Errorf("%v after %q; want %s", err, &progress, want)
		}
	}
	for _, flag := range []string{"-run", "-programs", "-cpuprofile", "-json", "-markdown"} {
		if _, err := parse([]string{flag, ""}, io.Discard); err == nil || !strings.HasPrefix(err.Error(), flag+": ") {
			t.Errorf("%s without a value: %v", flag, err)
		}
	}
	err := run(t.Context(), []string{"-run", "nosuch"}, strings.NewReader(""), io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "kubeconfig, cold, ") {
		t.Errorf("no case: %v", err)
	}
	if err := (options{json: filepath.Join(folder, "new"), markdown: file, profiles: folder}).check(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("left behind by looking: %v, %v", left, err)
	}
}

func TestRunOutsideTheSourceTellsWhatToDo(t *testing.T) {
	t.Chdir(t.TempDir())
	var progress bytes.Buffer
	err := run(t.Context(), []string{"-run", "kubeconfig"}, strings.NewReader(""), io.Discard, &progress)
	if err == nil || !strings.Contains(err.Error(), "-programs") || !strings.Contains(err.Error(), "run this from within it") || progress.Len() > 0 {
		t.Errorf("%v, after %q", err, &progress)
	}
}

func TestRowThatMustHoldIsAnErrorIfItDoesNot(t *testing.T) {
	slow := report.Row{Work: "slow", Ours: report.Duration(time.Second), Target: report.AtMost(report.Duration(time.Millisecond))}
	leak := report.Row{Work: "leaks", Ours: report.Count(1), Target: report.AtMost(report.Count(0)), Must: true}
	tight := report.Row{Work: "leaks", Ours: report.Count(0), Target: report.AtMost(report.Count(0)), Must: true}
	if err := missedMusts([]report.Row{slow, tight}); err != nil {
		t.Errorf("slow, and nothing leaks: %v", err)
	}
	if err := missedMusts([]report.Row{slow, leak}); err == nil || !strings.Contains(err.Error(), "leaks: 1, want ≤ 0") {
		t.Errorf("a leak: %v", err)
	}
}

func TestResultsAreKeptInFiles(t *testing.T) {
	page, data := filepath.Join(t.TempDir(), "page.md"), filepath.Join(t.TempDir(), "rows.json")
	const text = "before\n<!-- the table: make bench-docs -->\n<!-- the end of the table -->\nafter\n"
	if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := parse([]string{"-markdown", page, "-json", data}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	r, err := openResults(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.write([]report.Row{{Number: 3, Work: "a makespan", Ours: report.Duration(time.Second)}}); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{page, data} {
		if got, err := os.ReadFile(file); err != nil || !strings.Contains(string(got), "a makespan") {
			t.Errorf("%s: %q, %v", file, got, err)
		}
	}
}

func TestMilestoneTellsOnceWhenSoManyBytesHaveCome(t *testing.T) {
	told := 0
	m := &milestone{left: 10, passed: func() { told++ }}
	for i, want := range []int{0, 0, 1, 1} {
		if _, err := m.Write(make([]byte, 4)); err != nil || told != want {
			t.Errorf("write %d: told %d times, %v; want %d", i+1, told, err, want)
		}
	}
}

func TestCasesHaveDistinctNamesThatRunCanChoose(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range cases() {
		if seen[c.name] || c.run == nil || c.work == "" {
			t.Errorf("case %q is not well made", c.name)
		}
		seen[c.name] = true
	}
	for _, s := range allShapes() {
		if titles()[s] == "" {
			t.Errorf("shape %s has no title", s)
		}
	}
}
