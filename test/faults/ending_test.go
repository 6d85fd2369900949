package faults_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/checker"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
)

// play shows the faults of the schedule and waits for its end.
func play(t *testing.T, plan *schedule.Schedule, h *checker.History, s *subject) {
	t.Helper()
	if err := plan.Play(t.Context(), h.Start, s.fleet); err != nil {
		t.Fatal(err)
	}
}

// pause lets the monitor's time pass.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

// settling is how long what is asked for in the end may be ahead of what watchers have been told by then.
const settling = 10 * time.Second

// finish asks for what is known in the end, until attentive watchers know the same. Where they do not come to, the checker
// tells of it.
func (s *subject) finish(t *testing.T, h *checker.History) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), settling)
	defer cancel()
	err := process.Poll(ctx, func() (bool, error) {
		transitions, err := s.transitions(ctx)
		if err != nil {
			return false, err
		}
		list, err := s.list(ctx)
		if err != nil {
			return false, err
		}
		h.Transitions, h.Final = transitions, list
		err = h.Disagree(list)
		return err == nil, err
	})
	if err != nil {
		t.Errorf("watchers and lists do not come to know the same: %v", err)
	}
}

// keepsSecrets looks through all that the aggregator has left, beside what callers were told; at least so many bytes.
func (s *subject) keepsSecrets(t *testing.T, least int64) {
	t.Helper()
	s.cage.Look("stdout", []byte(s.Stdout.String()))
	s.cage.Look("stderr", []byte(s.Stderr.String()))
	if err := s.cage.LookIn(s.dataDir); err != nil {
		t.Error(err)
	}
	found, read := s.cage.Found()
	slices.Sort(found)
	for _, f := range slices.Compact(found) {
		t.Errorf("a secret was told: %s", f)
	}
	t.Logf("%d KiB were looked through for secrets", read>>10)
	if read < least {
		t.Errorf("only %d bytes were looked through for secrets", read)
	}
}

// showsAll makes sure that each kind of fault has found room in the schedule.
func showsAll(t *testing.T, plan *schedule.Schedule) {
	t.Helper()
	kinds := map[string]bool{}
	for _, e := range plan.Episodes {
		kinds[e.Name] = true
	}
	if n, all := len(kinds), len(schedule.Acts()); n < all {
		t.Fatalf("there is room for %d of %d kinds of faults only: give more -clusters than %d, or a longer -duration than %s",
			n, all, len(plan.Clusters), plan.Length)
	}
}

// told logs how much there was to be judged, and makes sure that there was some of everything.
func told(t *testing.T, plan *schedule.Schedule, h *checker.History) {
	t.Helper()
	kinds := map[string]int{}
	for _, e := range plan.Episodes {
		kinds[e.Name]++
	}
	events, probes, objects, resumed, results, wrong := 0, 0, 0, 0, 0, 0
	for _, w := range h.Watches {
		events += len(w.Seen)
		if len(w.Seen) > 0 && w.Token != "" && !w.Seen[0].Event.GetStarted().GetReset_() {
			resumed++
		}
	}
	for _, c := range h.Calls {
		results += len(c.Results)
		for _, r := range c.Results {
			if r.Error != nil {
				wrong++
			}
			objects += len(r.Objects)
			if r.Observation != nil {
				probes++
			}
		}
	}
	down := 0
	for _, tr := range h.Transitions {
		if s := tr.GetTo(); s != fleetv1.Verdict_STATE_HEALTHY && s != fleetv1.Verdict_STATE_UNKNOWN {
			down++
		}
	}
	judgedEnough(t, plan, h)
	t.Logf("%d faults of %d kinds; %d transitions, %d of them down; %d watches, %d resumed, %d events; %d calls, %d results, %d of them failures, %d of them probes; %d objects",
		len(plan.Episodes), len(kinds), len(h.Transitions), down, len(h.Watches), resumed, events, len(h.Calls), results, wrong, probes, objects)
	if down == 0 || resumed == 0 || wrong == 0 || probes == 0 || objects == 0 || len(h.Lists) == 0 {
		t.Error("that is too little to be judged")
	}
}

// judgedEnough logs of how many faults it was judged whether they were told in time, and fails where that were few although
// the machine had time for the run. Where it had none, most faults end before they must be told, on a machine that is busy
// enough all of them: a third of them are to be told all the same.
func judgedEnough(t *testing.T, plan *schedule.Schedule, h *checker.History) {
	t.Helper()
	whole := schedule.Window{To: h.Now()}
	stalled := h.Stalled(whole)
	judged, of := checker.Judged(plan, h)
	known := checker.Told(plan, h)
	t.Logf("of %s the machine let the run wait for %s; of %d of %d faults it was judged whether they were told in time; %d were",
		whole.To.Round(time.Second), stalled.Round(time.Millisecond), judged, of, known)
	if known*3 < of {
		t.Errorf("only %d of %d faults were told in time: where no rule is broken, it could not be judged here, on a machine that let the run wait too much",
			known, of)
	}
	if stalled < whole.To/10 && judged*10 < of*8 {
		t.Errorf("only %d of %d faults could be judged", judged, of)
	}
}

// awaitTransition waits until the history tells of a fall of the cluster.
func (s *subject) awaitTransition(t *testing.T, cluster string) {
	t.Helper()
	err := process.Poll(t.Context(), func() (bool, error) {
		all, err := s.transitions(t.Context())
		return slices.ContainsFunc(all, func(tr *fleetv1.Transition) bool {
			return tr.GetCluster() == cluster && tr.GetTo() == fleetv1.Verdict_STATE_UNAUTHORIZED
		}), err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// hasToken reports whether an error tells by which token a watch goes on.
func hasToken(err error) bool {
	return slices.ContainsFunc(status.Convert(err).Details(), func(detail any) bool {
		info, ok := detail.(*errdetails.ErrorInfo)
		return ok && info.GetMetadata()["resume_token"] != ""
	})
}

// probeOnce returns the results of a full probe of the whole fleet, by cluster.
func (s *subject) probeOnce(t *testing.T) map[string]*fleetv1.ProbeResult {
	t.Helper()
	stream, err := s.health.ProbeClusters(t.Context(), &fleetv1.ProbeClustersRequest{})
	if err != nil {
		t.Fatal(err)
	}
	results := map[string]*fleetv1.ProbeResult{}
	for {
		event, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return results
		}
		if err != nil {
			t.Fatal(err)
		}
		if r := event.GetResult(); r != nil {
			results[r.GetCluster()] = r
		}
	}
}
