package trend

import (
	"math/rand/v2"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// series are points two minutes apart.
func series(n int, value func(hours float64) float64) []Point {
	points := make([]Point, n)
	for i := range points {
		at := time.Duration(i) * 2 * time.Minute
		points[i] = Point{At: at, Value: value(at.Hours())}
	}
	return points
}

func TestSlopeOfAStraightLineIsCertain(t *testing.T) {
	got, ok := TheilSen(series(12, func(hours float64) float64 { return 30 + 4*hours }))
	for _, value := range []float64{got.PerHour, got.Low, got.High} {
		if !ok || value < 3.999 || value > 4.001 {
			t.Fatalf("got %+v, %v; want 4 an hour", got, ok)
		}
	}
}

func TestAnOutlierDoesNotMoveTheSlope(t *testing.T) {
	points := series(12, func(hours float64) float64 { return 30 + hours })
	points[11].Value += 50
	if got, _ := TheilSen(points); got.PerHour < 0.9 || got.PerHour > 1.1 {
		t.Errorf("got %+v, want 1 an hour", got)
	}
}

func TestBoundsHoldTheTrueSlopeAboutAsOftenAsTheySay(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const runs, slope = 2000, 2.0
	below, above := 0, 0
	for range runs {
		got, ok := TheilSen(series(12, func(hours float64) float64 { return slope*hours + random.NormFloat64() }))
		if !ok || got.Low > got.PerHour || got.High < got.PerHour {
			t.Fatalf("got %+v, %v", got, ok)
		}
		if got.Low > slope {
			below++
		}
		if got.High < slope {
			above++
		}
	}
	for _, wrong := range []int{below, above} {
		if wrong < runs/100 || wrong > runs/16 {
			t.Errorf("%d and %d of %d intervals miss the slope on a side, want some 5 %%", below, above, runs)
		}
	}
}

func TestFewPointsSayNothing(t *testing.T) {
	points := series(fewest-1, func(hours float64) float64 { return hours })
	if _, ok := TheilSen(points); ok {
		t.Error("a slope")
	}
	if _, ok := Thirds(points); ok {
		t.Error("a growth")
	}
	if _, ok := TheilSen(make([]Point, 10)); ok {
		t.Error("a slope of points at one time")
	}
}

func TestThirdsCompareTheMediansOfTheEnds(t *testing.T) {
	points := series(12, func(float64) float64 { return 100 })
	points[1].Value, points[10].Value = 900, 900 // noise
	if got, ok := Thirds(points); !ok || got.By() != 0 {
		t.Errorf("flat and noisy: %+v, %v", got, ok)
	}
	got, ok := Thirds(series(12, func(hours float64) float64 { return 100 + 30*hours }))
	if !ok || got.First != 101.5 || got.By() != 8 {
		t.Errorf("a leak of one every two minutes: %+v, %v", got, ok)
	}
}
