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

// TestWhatTellsGroupsApartIsNoSlope has points that lie higher the later their group is, and the same slope in each.
func TestWhatTellsGroupsApartIsNoSlope(t *testing.T) {
	points := series(12, func(hours float64) float64 { return 30 + 2*hours })
	for i := range points {
		points[i].Value += float64(i/4) * 100
	}
	got, ok := TheilSen(points[:4], points[4:8], points[8:11], points[11:])
	for _, value := range []float64{got.PerHour, got.Low, got.High} {
		if !ok || value < 1.999 || value > 2.001 {
			t.Fatalf("got %+v, %v; want 2 an hour", got, ok)
		}
	}
	if _, ok := TheilSen(points[:2], points[2:4], points[4:5], points[5:6]); ok {
		t.Error("a slope of four points: single ones make no pair")
	}
}

func TestBoundsOfGroupsHoldTheTrueSlopeAboutAsOftenAsTheySay(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const runs, slope = 2000, 2.0
	wrong := 0
	for range runs {
		points := series(24, func(hours float64) float64 { return slope*hours + random.NormFloat64() })
		var groups [3][]Point
		for i, p := range points {
			groups[i%3] = append(groups[i%3], Point{p.At, p.Value + float64(50*(i%3))})
		}
		got, ok := TheilSen(groups[:]...)
		if !ok {
			t.Fatal("no slope")
		}
		if got.Low > slope || got.High < slope {
			wrong++
		}
	}
	if wrong < runs/50 || wrong > runs/8 {
		t.Errorf("%d of %d intervals miss the slope, want some 10 %%", wrong, runs)
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
