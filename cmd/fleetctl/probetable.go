package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// probeTable prints a line a cluster, in the order of their names. MESSAGE stands last: only it holds spaces.
func (a *app) probeTable(found []*fleetv1.ProbeResult, wide, noHeadings bool) error {
	sortProbes(found)
	grid := output.Grid{Headings: []string{"CLUSTER", "STATE", "REASON", "LATENCY", "VERSION", "MESSAGE"}, NoHeadings: noHeadings}
	if wide {
		grid.Headings = []string{"CLUSTER", "STATE", "REASON", "LATENCY", "VERSION", "BLAME", "USER", "EXPIRES", "CHECKS", "MESSAGE", "HINT"}
	}
	if a.coloured() {
		grid.Colour = stateColour(slices.Index(grid.Headings, "STATE"))
	}
	for _, result := range found {
		v := result.GetObservation().GetVerdict()
		message := v.GetMessage()
		if message == "" {
			message = result.GetError().GetMessage()
		}
		cells := []string{
			result.GetCluster(), state(v, result.GetSkipped()), word(v.GetReason(), "REASON_"),
			latency(v.GetDuration()), orDash(v.GetServerVersion()),
		}
		if wide {
			cells = append(cells, word(v.GetBlame(), "BLAME_"), orDash(v.GetUsername()), expires(v.GetExpiries()), orDash(checks(v.GetChecks())))
		}
		cells = append(cells, orDash(message))
		if wide {
			cells = append(cells, orDash(v.GetHint()))
		}
		grid.Row(cells...)
	}
	return grid.Write(a.stdout)
}

// sortProbes puts results in the order of the clusters' names.
func sortProbes(found []*fleetv1.ProbeResult) {
	slices.SortStableFunc(found, func(x, y *fleetv1.ProbeResult) int { return cmp.Compare(x.GetCluster(), y.GetCluster()) })
}

// expires is the day on which the first certificate or token in use expires; a dash where none is known.
func expires(all []*fleetv1.Expiry) string {
	first := time.Time{}
	for _, e := range all {
		if e.GetExpiresAt() == nil {
			continue
		}
		if at := e.GetExpiresAt().AsTime(); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	if first.IsZero() {
		return "-"
	}
	return first.UTC().Format(time.DateOnly)
}

// checks is what was tested, with the time or the outcome of each: DNS=1ms,TCP=2ms,TLS=FAILED.
func checks(all []*fleetv1.Check) string {
	parts := make([]string, 0, len(all))
	for _, c := range all {
		value := latency(c.GetDuration())
		if c.GetOutcome() != fleetv1.Check_OUTCOME_PASSED {
			value = word(c.GetOutcome(), "OUTCOME_")
		}
		parts = append(parts, word(c.GetKind(), "KIND_")+"="+value)
	}
	return strings.Join(parts, ",")
}

// tally is a probe's summary in one line.
func tally(s *fleetv1.Summary) string {
	line := fmt.Sprintf("%d healthy, %d failed", s.GetSucceeded(), s.GetFailed())
	if n := s.GetSkipped(); n > 0 {
		line += fmt.Sprintf(", %d virtual", n)
	}
	if n := s.GetNotAttempted(); n > 0 {
		line += fmt.Sprintf(", %d not attempted", n)
	}
	return fmt.Sprintf("%s of %d in %s", line, s.GetExpected(), latency(s.GetDuration()))
}

// cut is how many clusters a probe has no verdict of because the call's time ran out: those that failed are known to have.
func cut(s *fleetv1.Summary, found []*fleetv1.ProbeResult) int32 {
	missing := s.GetExpected()
	for _, result := range found {
		if !unfinished(result) {
			missing--
		}
	}
	return missing
}

// unfinished tells that a probe was ended by the call. A cluster that takes too long itself is unreachable, not unknown.
func unfinished(result *fleetv1.ProbeResult) bool {
	state := result.GetObservation().GetVerdict().GetState()
	return codes.Code(result.GetError().GetCode()) == codes.DeadlineExceeded && //nolint:gosec // Codes are small.
		(state == fleetv1.Verdict_STATE_UNKNOWN || state == fleetv1.Verdict_STATE_UNSPECIFIED)
}
