package main

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// end ends the aggregator and concludes.
func (s *soaking) end(ctx context.Context) ([]finding, error) {
	last, err := s.look(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.quiet.Close(); err != nil {
		return nil, err
	}
	took, code, err := s.aggregator.stop(ctx)
	if err != nil {
		return nil, err
	}
	findings := append(judge(s.log.atRest(), s.timetable),
		finding{what: "callers' visits", found: strconv.Itoa(last.visits), verdict: told},
		finding{what: "samples that could not be taken in time", found: strconv.FormatInt(s.missed.Load(), 10), verdict: told},
		s.judgeCalls(),
		judgeLate(s.tally.lateness()),
		none("watches that nobody reads at rest", stray(s.log.atRest())),
		none("transitions and snapshots not written to the store", last.lost),
		judgeStop(took, code))
	_, _ = fmt.Fprintf(s.progress, "soak: how the calls ended\n%s", s.tally) // nobody is left to tell
	return findings, nil
}

// judgeCalls tells how many calls ended as they should not; the first of them are told in words.
func (s *soaking) judgeCalls() finding {
	count, words := s.tally.failures()
	for _, line := range words {
		_, _ = fmt.Fprintln(s.progress, "soak: wrong:", line) // nobody is left to tell
	}
	return none("calls that ended as they should not", count)
}

// Of calls with little time, one of lateShare may be late. Of fewer than enoughCalls that is not told, unless most are.
const (
	lateShare   = 100
	enoughCalls = 200
)

// judgeLate holds calls with little time, late ones, against all of them.
func judgeLate(late, of int) finding {
	f := finding{
		what:  fmt.Sprintf("calls with less than %s: no answer in it", ample),
		found: fmt.Sprintf("%d of %d", late, of), limit: fmt.Sprintf("≤ 1 of %d", lateShare), verdict: holds,
	}
	switch {
	case of < enoughCalls && late <= of/2:
		f.verdict = tooShort
	case late > of/lateShare:
		f.verdict = fails
	}
	return f
}

// stray is how many watches were there at rest, where there should be none.
func stray(rest []sample) (most int) {
	for _, s := range rest {
		most = max(most, s.watchers)
	}
	return most
}

func judgeStop(took time.Duration, code int) finding {
	f := finding{
		what: "end after SIGTERM", found: fmt.Sprintf("%.1f s, exit code %d", took.Seconds(), code),
		limit: fmt.Sprintf("≤ %.0f s, 0", stopTime.Seconds()), verdict: holds,
	}
	if took > stopTime || code != 0 {
		f.verdict = fails
	}
	return f
}
