package trend

import "slices"

// Growth is what a figure that should stay came to.
type Growth struct {
	// First and Last are the medians of the first and of the last third of the points.
	First, Last float64
}

// By is how much more it is at the end; negative for less.
func (g Growth) By() float64 { return g.Last - g.First }

// Thirds holds the last third of the points against the first. false: there are too few points to tell.
func Thirds(points []Point) (Growth, bool) {
	if len(points) < fewest {
		return Growth{}, false
	}
	third := len(points) / 3
	return Growth{First: middle(points[:third]), Last: middle(points[len(points)-third:])}, true
}

func middle(points []Point) float64 {
	values := make([]float64, 0, len(points))
	for _, p := range points {
		values = append(values, p.Value)
	}
	slices.Sort(values)
	return median(values)
}
