package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

func TestPeerThatIsNotThereIsToldAndNotMeasured(t *testing.T) {
	r := rivals{versions: []string{"client-go v1"}}
	r.add(tool{name: "there", path: "/there", version: "v2"}, peer{title: "there"})
	r.add(tool{name: "gone", missing: "not installed"}, peer{title: "gone"})
	if diff := cmp.Diff([]job{{Tool: "/there"}}, r.jobs()); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"peers: client-go v1, there v2", "not measured: gone (not installed)"}, r.notes()); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestKubectlThatIsNotInstalledIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if found := kubectl(t.Context()); !strings.Contains(found.missing, "is not installed") {
		t.Errorf("got %+v", found)
	}
}

func TestOperationsOfAPeerThatFailedAreTold(t *testing.T) {
	r := rivals{peers: []peer{{title: "a", expected: 10, note: "few"}, {title: "b", expected: 10}}}
	found := [][]measure.Measurement{
		{{Operations: 10, CPU: 10 * time.Millisecond}, {Operations: 8, CPU: 16 * time.Millisecond}, {Operations: 9, CPU: 27 * time.Millisecond}},
		{{Operations: 11, CPU: 11 * time.Millisecond}},
	}
	want := []report.Peer{
		{Name: "a", Value: report.Duration(2 * time.Millisecond), Note: "few, 3 of 30 failed"},
		{Name: "b", Value: report.Duration(time.Millisecond)},
	}
	if diff := cmp.Diff(want, r.probeLines(found)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestKubectlsAreMultipliedToTheFleetAndHaveNoCommonPeak(t *testing.T) {
	r := rivals{peers: []peer{
		{title: "all", expected: 300},
		{title: "few", expected: 10, job: job{Clusters: 10}},
	}}
	found := [][]measure.Measurement{
		{{Operations: 300, CPU: 9 * time.Second, PeakRSS: 7e6}},
		{{Operations: 10, CPU: time.Second, PeakRSS: 8e6}},
	}
	cpu := []report.Peer{{Name: "all", Value: report.Duration(9 * time.Second)}, {Name: "few", Value: report.Duration(30 * time.Second)}}
	if diff := cmp.Diff(cpu, r.fetchLines(found, 300)); diff != "" {
		t.Errorf("processor time (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]report.Peer{{Name: "all", Value: report.Bytes(7e6)}}, r.peakLines(found)); diff != "" {
		t.Errorf("memory (-want +got):\n%s", diff)
	}
}
