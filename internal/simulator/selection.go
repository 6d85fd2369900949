package simulator

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
)

// lottery deals out percentages of a fleet. Shares are dealt one after the other from a shuffled fleet, so two shares
// meet in one cluster only after the whole fleet was dealt.
type lottery struct {
	order []int
	next  int
}

// The streams keep the lotteries of one seed apart: a slow cluster is not for that reason a faulty one.
const (
	latencyStream  = 1 << 32
	scenarioStream = 2 << 32
)

func newLottery(clusters int, seed, stream uint64) *lottery {
	random := rand.New(rand.NewPCG(seed, stream)) //nolint:gosec // a simulation is to be repeatable, not secret
	return &lottery{order: random.Perm(clusters)}
}

// draw deals the share of the fleet, rounded, and at least one cluster: a fault that was asked for is there to be seen.
func (l *lottery) draw(share float64) []int {
	n := max(1, int(math.Round(share*float64(len(l.order)))))
	drawn := make([]int, 0, n)
	for range n {
		drawn = append(drawn, l.order[l.next%len(l.order)])
		l.next++
	}
	return drawn
}

// choose finds the clusters that text means: a percentage (2%), a label selector (anything with an operator:
// env=prod, tier!=batch, region in (eu-west-1)), or names and globs separated by commas (sim-0001,sim-01*).
func choose(text string, clusters []*cluster, shares *lottery) ([]*cluster, error) {
	text = strings.TrimSpace(text)
	if strings.HasSuffix(text, "%") {
		share, err := parsePercent(text)
		if err != nil {
			return nil, err
		}
		var chosen []*cluster
		for _, index := range shares.draw(share) {
			chosen = append(chosen, clusters[index])
		}
		return chosen, nil
	}
	matches, err := matcher(text)
	if err != nil {
		return nil, err
	}
	var chosen []*cluster
	for _, c := range clusters {
		if matches(c) {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("clusters: %q matches none of %d clusters", text, len(clusters))
	}
	return chosen, nil
}

func matcher(text string) (func(*cluster) bool, error) {
	if isSelector(text) {
		selector, err := labels.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("clusters: %w", err)
		}
		return func(c *cluster) bool { return selector.Matches(c.labels) }, nil
	}
	globs := strings.Split(text, ",")
	for i, glob := range globs {
		glob = strings.TrimSpace(glob)
		globs[i] = glob
		if _, err := path.Match(glob, ""); err != nil || glob == "" {
			return nil, fmt.Errorf("clusters: %q is no name or glob", glob)
		}
	}
	return func(c *cluster) bool {
		for _, glob := range globs {
			if ok, _ := path.Match(glob, c.name); ok {
				return true
			}
		}
		return false
	}, nil
}

// isSelector tells label selectors from names: only they have operators, and no name can hold one.
func isSelector(text string) bool {
	return strings.ContainsAny(text, "=!(")
}
