package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

// condition is the health of a cluster that has been in a state for a minute.
func condition(name string, state fleetv1.Verdict_State) *fleetv1.ClusterHealth {
	verdict := &fleetv1.Verdict{State: state}
	if state == fleetv1.Verdict_STATE_UNREACHABLE {
		verdict.Reason, verdict.Message = fleetv1.Verdict_REASON_CONNECT_TIMEOUT, "no answer"
	}
	return &fleetv1.ClusterHealth{
		Cluster: name, State: state, KnownState: state, Since: ago(time.Minute),
		Observation: &fleetv1.Observation{Verdict: verdict, ObservedAt: ago(0), Age: nil},
	}
}

func up(name string) *watchEvent { return changed(condition(name, fleetv1.Verdict_STATE_HEALTHY)) }
func down(name string) *watchEvent {
	return changed(condition(name, fleetv1.Verdict_STATE_UNREACHABLE))
}

// watchCall is what one call of a watch sends; it lasts until the caller leaves unless it ends with an error.
type watchCall struct {
	events []*watchEvent
	err    error
}

// watches serves a call after the other.
func watches(calls ...watchCall) clienttest.Script {
	var made atomic.Int32
	return clienttest.Script{WatchClusterHealth: func(_ *fleetv1.WatchClusterHealthRequest, out watchServer) error {
		call := calls[made.Add(1)-1]
		if err := sendAll(out, call.events...); err != nil || call.err != nil {
			return errOr(err, call.err)
		}
		<-out.Context().Done()
		return nil
	}}
}

func errOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// atAnyTime masks the times of lines whose events tell none.
func atAnyTime(text string) string {
	return regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ( +\S+ +REMOVED)`).ReplaceAllString(text, "NOW$1")
}

func TestAWatchThatIsCutShowsWhatHasChangedMeanwhile(t *testing.T) {
	cut := status.Error(codes.Unavailable, "restarting")
	over := status.Error(codes.PermissionDenied, "not any more")
	quietly := condition("c", fleetv1.Verdict_STATE_HEALTHY)
	quietly.Observation.ObservedAt = ago(-time.Second) // A newer observation alone is no news.
	flapping := condition("c", fleetv1.Verdict_STATE_HEALTHY)
	flapping.Flapping = true
	unknown := condition("c", fleetv1.Verdict_STATE_HEALTHY)
	unknown.State, unknown.ObserverSuspect, unknown.Since = fleetv1.Verdict_STATE_UNKNOWN, true, ago(0)
	address := clienttest.Serve(t, watches(
		watchCall{[]*watchEvent{started(true), up("a"), down("b"), up("c"), synced(), changed(quietly), changed(flapping)}, cut},
		watchCall{nil, cut},
		watchCall{[]*watchEvent{started(false), up("b"), synced()}, cut},
		watchCall{[]*watchEvent{started(true), up("c"), up("b"), synced(), down("new"), changed(unknown), removed("b")}, over},
	))
	stdout, stderr, code := fleetctl(t.Context(), t, "watch", "--server", address)
	want := "NAME   STATE         REASON            AGE   SINCE   VERSION   FLAGS\n" +
		"a      HEALTHY       -                 -     SINCE   -         -\n" +
		"b      UNREACHABLE   CONNECT_TIMEOUT   -     SINCE   -         -\n" +
		"c      HEALTHY       -                 -     SINCE   -         -\n" +
		"2026-11-22T12:00:00Z   c     HEALTHY,flapping           -                    -\n" +
		"2026-11-22T11:59:00Z   b     UNREACHABLE→HEALTHY        -                    -\n" +
		"2026-11-22T12:00:00Z   c     HEALTHY                    -                    -\n" +
		"NOW   a     REMOVED                    -                    -\n" +
		"2026-11-22T12:00:00Z   new   UNREACHABLE                CONNECT_TIMEOUT      no answer\n" +
		"2026-11-22T12:00:00Z   c     HEALTHY→UNKNOWN,observer-suspect   -                    -\n" +
		"NOW   b     REMOVED                    -                    -\n"
	stdout = regexp.MustCompile(`- {5}\S+ +-`).ReplaceAllString(atAnyTime(stdout), "-     SINCE   -") // By today's clock.
	if diff := cmp.Diff(want, stdout); diff != "" {
		t.Errorf("stdout (-want +got):\n%s", diff)
	}
	wantErr := "the watch is cut, and tried again for 2 minutes: the aggregator at " + address + " is not available: restarting\n" +
		"watching again: what has changed meanwhile follows\n" +
		"watching again: the aggregator does not know what was sent before and sends all anew\n" +
		"error: not any more\n"
	if diff := cmp.Diff(wantErr, stderr); diff != "" || code != exitFailed {
		t.Errorf("exit code %d, stderr (-want +got):\n%s", code, diff)
	}
}

func TestAWatchThatEndsEarlyShowsWhatItGot(t *testing.T) {
	address := clienttest.Serve(t, watches(watchCall{[]*watchEvent{started(true), up("a")}, status.Error(codes.Internal, "a defect")}))
	stdout, stderr, code := fleetctl(t.Context(), t, "watch", "--no-headers", "--server", address)
	if !strings.HasPrefix(stdout, "a     HEALTHY ") || stderr != "error: a defect\n" || code != exitFailed {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

// TestTheConfiguredTimeoutIsForCalls has what goes on for long outlast it.
func TestTheConfiguredTimeoutIsForCalls(t *testing.T) {
	const timeout = 800 * time.Millisecond
	config := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(config, []byte("timeout: "+timeout.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := clienttest.Script{WatchClusterHealth: func(_ *fleetv1.WatchClusterHealthRequest, out watchServer) error {
		later := time.NewTimer(2 * timeout)
		defer later.Stop()
		if err := sendAll(out, started(true), down("a"), synced()); err != nil {
			return err
		}
		<-later.C
		return errOr(out.Send(up("a")), status.Error(codes.PermissionDenied, "enough"))
	}}
	address := clienttest.Serve(t, script)
	for line, want := range map[string]struct {
		code int
		says string
	}{
		"watch":                                    {exitFailed, "error: enough\n"},
		"watch --timeout 800ms":                    {exitDeadline, "error: the time of 800ms ran out (--timeout)\n"},
		"wait --for=state=HEALTHY":                 {exitDone, ""},
		"wait --for=state=HEALTHY --once":          {exitUsage, "error: unknown flag: --once\n"},
		"wait --for=state=UNKNOWN --timeout 800ms": {exitDeadline, "error: the time of 800ms ran out (--timeout): 1 of 1 clusters are not UNKNOWN: a (UNREACHABLE)\n"},
	} {
		_, stderr, code := fleetctl(t.Context(), t, append(strings.Fields(line), "--config", config, "--server", address)...)
		if code != want.code || stderr != want.says {
			t.Errorf("%s: exit code %d: %s", line, code, stderr)
		}
	}
}
