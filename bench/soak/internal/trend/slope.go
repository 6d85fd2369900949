// Package trend tells growth from noise in a short series of figures that were taken at comparable moments.
package trend

import (
	"math"
	"slices"
	"time"
)

// Point is a figure at a time.
type Point struct {
	At    time.Duration
	Value float64
}

// fewest is how many points a trend needs: below it the interval of a slope may be all of its pairs.
const fewest = 6

// quantile is that of the normal distribution for 95 % on one side.
const quantile = 1.645

// Slope is how fast a figure grows, each in its unit an hour.
type Slope struct {
	PerHour float64
	// Low and High are its bounds: it lies above Low with a confidence of 95 %, and below High likewise.
	Low, High float64
}

// TheilSen returns the median of the slopes between all pairs of points, which an outlier moves little, with Sen's
// confidence interval: the pairs' slopes by rank, as far from the median as Kendall's tau may be by chance. It takes the
// noise of the points for independent. Of several groups, only points of the same one make pairs: what tells groups apart
// has no part in the slope, and the variances of their taus add up. false: there are too few points to tell.
func TheilSen(groups ...[]Point) (Slope, bool) {
	var slopes []float64
	points, variance := 0, 0
	for _, group := range groups {
		between := pairs(group)
		if len(between) == 0 {
			continue
		}
		slopes = append(slopes, between...)
		n := len(group)
		points += n
		variance += n * (n - 1) * (2*n + 5)
	}
	if points < fewest {
		return Slope{}, false
	}
	slices.Sort(slopes)
	spread := quantile * math.Sqrt(float64(variance)/18)
	rank := func(at float64) float64 { return slopes[min(max(0, int(at)), len(slopes)-1)] }
	count := float64(len(slopes))
	return Slope{
		PerHour: median(slopes),
		Low:     rank(math.Floor((count-spread)/2) - 1),
		High:    rank(math.Ceil((count + spread) / 2)),
	}, true
}

// pairs returns the slopes between all pairs of points.
func pairs(points []Point) (slopes []float64) {
	for i, from := range points {
		for _, to := range points[i+1:] {
			if apart := to.At - from.At; apart > 0 {
				slopes = append(slopes, (to.Value-from.Value)/apart.Hours())
			}
		}
	}
	return slopes
}

// Longer is how many times as long, in as many points a time, it takes to tell a series that does not grow from one that
// grows by the limit, 19 times of 20: its whole interval must be narrower than the limit, and it narrows with the time to
// the power of 3/2. At least half as long again, for a slope that is near the limit needs more than one that is not.
func (s Slope) Longer(limit float64) float64 {
	return max(1.5, math.Pow((s.High-s.Low)/limit, 2.0/3))
}

// median returns that of sorted values, of which there is at least one.
func median(sorted []float64) float64 {
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
