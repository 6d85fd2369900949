package main

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// resting makes the samples of a run of half an hour, of which the first one is from before the first caller.
func resting(value func(hours float64, s *sample)) []sample {
	t := newTimetable(30 * time.Minute)
	random := rand.New(rand.NewPCG(3, 4))
	samples := make([]sample, t.count)
	for i := range samples {
		s := &samples[i]
		s.at, s.visits, s.rest = t.start(i+1), 100*i, true
		s.own = 40<<20 + int64(random.NormFloat64()*50_000)
		s.goroutines, s.files, s.connections = 2500+random.IntN(3), 2030+random.IntN(3), 1990+random.IntN(3)
		value(s.at.Hours(), s)
	}
	return samples
}

// notHeld are the findings that do not hold or are undecided.
func notHeld(findings []finding) []string {
	var lines []string
	for _, f := range findings {
		if f.verdict == fails || f.verdict.open() {
			lines = append(lines, f.what+": "+string(f.verdict))
		}
	}
	return lines
}

func TestJudgeTellsGrowthFromNoise(t *testing.T) {
	const mib = 1 << 20
	for name, test := range map[string]struct {
		value func(hours float64, s *sample)
		want  []string
	}{
		"flat and noisy": {func(float64, *sample) {}, nil},
		"the heap grows while caches fill": {func(hours float64, s *sample) {
			s.own -= int64(max(0, 0.1-hours) * 100 * mib)
		}, nil},
		"the heap shrinks": {func(hours float64, s *sample) { s.own -= int64(hours * 10 * mib) }, nil},
		"buffers that are larger than their files let on": {func(hours float64, s *sample) {
			if hours > 0.3 {
				s.buffers, s.own = 4*mib, s.own+5*mib
			}
		}, nil},
		"a heap that leaks": {
			func(hours float64, s *sample) { s.own += int64(hours * 2 * mib) },
			[]string{"live heap beside the store's buffers: growth: does not hold"},
		},
		"too noisy to tell": {
			func(hours float64, s *sample) { s.own += int64(hours*20) % 3 * 2 * mib },
			[]string{"live heap beside the store's buffers: growth: undecided: run longer"},
		},
		"one file a minute": {
			func(hours float64, s *sample) { s.files += int(hours * 60) },
			[]string{"open files: last third beyond the first: does not hold", "open files: more than before the first caller: does not hold"},
		},
		"one goroutine a minute": {
			func(hours float64, s *sample) { s.goroutines += int(hours * 60) },
			[]string{"goroutines: last third beyond the first: does not hold"},
		},
		"connections that stay when callers have come": {
			func(_ float64, s *sample) { s.connections += min(s.visits, 20) },
			[]string{"connections: more than before the first caller: does not hold"},
		},
		"goroutines that stay for the next work": {func(_ float64, s *sample) { s.goroutines += min(s.visits, 64) }, nil},
		"goroutines that stay, more than there are places for": {
			func(_ float64, s *sample) { s.goroutines += min(s.visits, 80) },
			[]string{"goroutines: more than before the first caller: does not hold"},
		},
		"a peak of connections": {func(hours float64, s *sample) {
			if hours > 0.24 && hours < 0.26 {
				s.connections += 500
			}
		}, nil},
	} {
		samples := resting(test.value)
		findings := judge(samples, newTimetable(30*time.Minute))
		if diff := cmp.Diff(test.want, notHeld(findings)); diff != "" {
			t.Errorf("%s: what does not hold (-want +got):\n%s%v", name, diff, findings)
		}
		if (conclude(findings) == nil) != (len(test.want) == 0) {
			t.Errorf("%s: %v", name, conclude(findings))
		}
	}
}

func TestARunThatIsTooNoisySaysHowLongWouldDecide(t *testing.T) {
	samples := resting(func(hours float64, s *sample) { s.own += int64(hours*20) % 3 * 2 << 20 })
	f := judge(samples, newTimetable(30*time.Minute))[0]
	_, needed, found := strings.Cut(f.found, "; some ")
	if hours, err := strconv.ParseFloat(strings.TrimSuffix(needed, " h would decide"), 64); !found || f.verdict != undecided || err != nil || hours < 1 || hours > 6 {
		t.Errorf("%+v", f)
	}
}

func TestFewSamplesDecideNothing(t *testing.T) {
	for _, rest := range [][]sample{nil, resting(func(float64, *sample) {})[:1], resting(func(float64, *sample) {})[1:4]} {
		if n := len(notHeld(judge(rest, newTimetable(30*time.Minute)))); n != 7 {
			t.Errorf("%d samples: %d of 7 findings are open", len(rest), n)
		}
	}
}

func TestShortRunDecidesNothingOfGrowth(t *testing.T) {
	want := []string{
		"live heap beside the store's buffers: growth: undecided: too short",
		"goroutines: last third beyond the first: undecided: too short",
		"open files: last third beyond the first: undecided: too short",
		"connections: last third beyond the first: undecided: too short",
	}
	whole := resting(func(float64, *sample) {})
	for name, test := range map[string]struct {
		rest     []sample
		duration time.Duration
		want     []string
	}{
		"long enough":     {whole, leastTime, nil},
		"in nine minutes": {whole, 9 * time.Minute, want},
		"of few rests":    {whole[:fewestRests-1], 30 * time.Minute, want},
	} {
		if diff := cmp.Diff(test.want, notHeld(judge(test.rest, newTimetable(test.duration)))); diff != "" {
			t.Errorf("%s: what does not hold (-want +got):\n%s", name, diff)
		}
	}
}

func TestExitCodeTellsWhatFailedFromWhatIsUndecided(t *testing.T) {
	held, short, long, failed := finding{verdict: holds}, finding{verdict: tooShort}, finding{verdict: undecided}, finding{verdict: fails}
	for name, test := range map[string]struct {
		findings []finding
		want     int
	}{
		"too short":                      {[]finding{held, short}, 3},
		"too noisy":                      {[]finding{long, held}, 3},
		"something fails":                {[]finding{held, failed}, 1},
		"it fails and is too short":      {[]finding{short, failed, long}, 1},
		"what fails comes first of them": {[]finding{failed, short}, 1},
	} {
		if err := conclude(test.findings); exitCode(err) != test.want {
			t.Errorf("%s: %v: exit code %d, want %d", name, err, exitCode(err), test.want)
		}
	}
	if code := exitCode(interrupted("")); code != 1 {
		t.Errorf("interrupted: exit code %d", code)
	}
}

func TestCallsStrayWatchesAndAProgramThatDoesNotEndFail(t *testing.T) {
	for name, found := range map[string]finding{
		"a call":            none("calls", 1),
		"a watch":           none("watches", stray([]sample{{}, {watchers: 1}, {}})),
		"it takes too long": judgeStop(31*time.Second, 0),
		"it fails":          judgeStop(time.Second, 1),
	} {
		if err := conclude([]finding{found}); !errors.Is(err, errNotHeld) {
			t.Errorf("%s: %+v: %v", name, found, err)
		}
	}
	fine := []finding{none("calls", 0), judgeStop(time.Second, 0), {what: "told"}}
	if err := conclude(fine); err != nil {
		t.Errorf("nothing is wrong: %+v: %v", fine, err)
	}
	var table strings.Builder
	if err := write(&table, fine); err != nil || !strings.Contains(table.String(), "end after SIGTERM  1.0 s, exit code 0  ≤ 30 s, 0  holds") {
		t.Errorf("%v\n%s", err, &table)
	}
}
