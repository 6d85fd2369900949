package trend

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// What the soak does: a rest every so often, the first fifth is not looked at, and a limit in MiB an hour.
const (
	every = 2 * time.Minute
	limit = 1.0
)

// simulated is how often, of some runs, it is concluded that a series grows by less than the limit, and that it does not.
type simulated struct{ holds, fails float64 }

// simulate lets series grow by leak an hour, with normal noise around that, and judges them as the soak does.
func simulate(random *rand.Rand, length time.Duration, noise, leak float64) simulated {
	const runs = 300
	var found simulated
	for range runs {
		slope, _ := TheilSen(noisy(random, length, noise, leak))
		if slope.High < limit {
			found.holds += 1.0 / runs
		}
		if slope.Low >= limit {
			found.fails += 1.0 / runs
		}
	}
	return found
}

func noisy(random *rand.Rand, length time.Duration, noise, leak float64) []Point {
	var points []Point
	for at := length / 5; at <= length; at += every {
		points = append(points, Point{At: at, Value: leak*at.Hours() + noise*random.NormFloat64()})
	}
	return points
}

// TestWhatHowLongARunDecides is the table of docs/soak.md: with -v it prints it.
func TestWhatHowLongARunDecides(t *testing.T) {
	lengths := []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour}
	for _, noise := range []float64{0.2, 0.5, 1.0, 1.4} {
		before := 0.0
		for _, length := range lengths {
			random := rand.New(rand.NewPCG(1, 2))
			var row []string
			for _, leak := range []float64{0, 2, 5, 10} {
				got := simulate(random, length, noise, leak)
				right, wrong := got.fails, got.holds
				if leak < limit {
					right, wrong = wrong, right
				}
				if wrong > 0.05 {
					t.Errorf("noise %g, %s, leak %g: %.1f %% wrong", noise, length, leak, 100*wrong)
				}
				if leak == 0 && right < before {
					t.Errorf("noise %g, %s: %.1f %% decided, %.1f %% in less time", noise, length, 100*right, 100*before)
				}
				if leak == 0 {
					before = right
				}
				row = append(row, fmt.Sprintf("%.0f %%", 100*right))
			}
			t.Logf("| %.1f MiB | %g h | %s |", noise, length.Hours(), strings.Join(row, " | "))
		}
	}
}

func TestARunAsLongAsItSaysDecides(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, noise := range []float64{0.5, 1.4} {
		const length = 30 * time.Minute
		var needed float64 // hours, of a typical run
		for range 100 {
			slope, _ := TheilSen(noisy(random, length, noise, 0))
			needed += length.Hours() * slope.Longer(limit) / 100
		}
		longer := time.Duration(needed * float64(time.Hour))
		if got := simulate(random, longer, noise, 0).holds; got < 0.85 || math.IsNaN(needed) || longer > 5*time.Hour {
			t.Errorf("noise %g: after %s %.1f %% are decided", noise, longer, 100*got)
		}
	}
}
