package main

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

func TestAWaitEndsOnceAllAreInTheStateTogether(t *testing.T) {
	restored := condition("a", fleetv1.Verdict_STATE_HEALTHY)
	restored.Restored = true
	virtual := condition("v", fleetv1.Verdict_STATE_UNKNOWN)
	virtual.Virtual = true
	var many []*watchEvent
	for i := range 12 {
		many = append(many, down(fmt.Sprintf("c%02d", i)))
	}
	cut := status.Error(codes.Unavailable, "restarting")
	late := "error: the time of 1s ran out (--timeout): "
	for name, test := range map[string]struct {
		args   string
		calls  []watchCall
		stdout string
		stderr string
		code   int
	}{
		"not while one has left again": {
			"",
			[]watchCall{{[]*watchEvent{started(true), up("a"), down("b"), synced(), down("a"), up("b")}, nil}},
			"a\nb\n", late + "1 of 2 clusters are not HEALTHY: a (UNREACHABLE)\n", exitDeadline,
		},
		"once it is back": {
			"", []watchCall{{[]*watchEvent{started(true), up("a"), down("b"), synced(), down("a"), up("b"), up("a")}, nil}}, "a\nb\na\n", "", exitDone,
		},
		"not before all are known": {
			"", []watchCall{{[]*watchEvent{started(true), up("a"), down("b")}, nil}}, "a\n", late + "1 of 2 clusters are not HEALTHY: b (UNREACHABLE)\n", exitDeadline,
		},
		"not by what was known before a start": {
			"", []watchCall{{[]*watchEvent{started(true), changed(restored), synced()}, nil}}, "", late + "1 of 1 clusters are not HEALTHY: a (HEALTHY)\n", exitDeadline,
		},
		"once it is probed": {
			"", []watchCall{{[]*watchEvent{started(true), changed(restored), synced(), up("a")}, nil}}, "a\n", "", exitDone,
		},
		"without virtual ones": {
			"", []watchCall{{[]*watchEvent{started(true), changed(virtual), up("a"), synced()}, nil}}, "a\n", "", exitDone,
		},
		"without those that go": {
			"", []watchCall{{[]*watchEvent{started(true), up("a"), down("b"), synced(), removed("b")}, nil}}, "a\n", "", exitDone,
		},
		"unless they are named": {
			"a b",
			[]watchCall{{[]*watchEvent{started(true), up("a"), down("b"), synced(), removed("b")}, nil}},
			"a\n", `error: cluster "b" is no longer in the fleet` + "\n", exitFailed,
		},
		"also over a cut": {
			"",
			[]watchCall{{[]*watchEvent{started(true), up("a"), down("b"), synced()}, cut}, {[]*watchEvent{started(true), up("c"), synced()}, nil}},
			"a\nc\n", "watching again: the aggregator does not know what was sent before and sends all anew\n", exitDone,
		},
		"not on the way there, after a cut": {
			"",
			[]watchCall{{[]*watchEvent{started(true), up("a"), down("b"), synced()}, cut}, {[]*watchEvent{started(false), up("b"), down("a")}, nil}},
			"a\nb\n", "watching again: what has changed meanwhile follows\n" + late + "1 of 2 clusters are not HEALTHY: a (UNREACHABLE)\n", exitDeadline,
		},
		"or one, with --any": {
			"--any", []watchCall{{[]*watchEvent{started(true), down("b"), synced(), up("b")}, nil}}, "b\n", "", exitDone,
		},
		"with --any, before all are known": {
			"--any", []watchCall{{[]*watchEvent{started(true), down("b"), up("a")}, nil}}, "a\n", "", exitDone,
		},
		"and names ten who are missing": {
			"",
			[]watchCall{{append(append([]*watchEvent{started(true)}, many...), synced()), nil}},
			"",
			late + "12 of 12 clusters are not HEALTHY: c00 (UNREACHABLE), c01 (UNREACHABLE), c02 (UNREACHABLE), c03 (UNREACHABLE), c04 (UNREACHABLE), " +
				"c05 (UNREACHABLE), c06 (UNREACHABLE), c07 (UNREACHABLE), c08 (UNREACHABLE), c09 (UNREACHABLE) and 2 more\n", exitDeadline,
		},
	} {
		t.Run(name, func(t *testing.T) {
			timeout := "1m"
			if test.code == exitDeadline {
				timeout = "1s"
			}
			args := append([]string{"wait", "--for=state=HEALTHY", "-o", "name", "--timeout", timeout, "--server", clienttest.Serve(t, watches(test.calls...))}, strings.Fields(test.args)...)
			stdout, stderr, code := fleetctl(t.Context(), t, args...)
			if stdout != test.stdout || stderr != test.stderr || code != test.code {
				t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
			}
		})
	}
}
