package simulator

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Latency is how long a cluster thinks before it answers. Its zero value is not at all. Made by Constant or
// ParseLatency.
type Latency struct {
	shape     shape
	low, high time.Duration // constant: low; uniform: both
	mu, sigma float64       // lognormal, of seconds
	tails     []tail
}

type shape int

const (
	constant shape = iota
	uniform
	lognormal
)

// tail is a share of the clusters whose every answer takes the same, longer time.
type tail struct {
	share float64 // 0 to 1
	delay time.Duration
}

// z99 is the 99th percentile of the standard normal distribution.
const z99 = 2.3263478740408408

// Constant is a latency that is always d.
func Constant(d time.Duration) Latency { return Latency{shape: constant, low: d} }

// ParseLatency reads a latency as it is written on a command line or in a scenario:
//
//	50ms                        always 50 ms
//	uniform:10ms-90ms           evenly spread
//	lognormal:p50=20ms,p99=200ms
//	50ms,1%=5s                  50 ms, but in 1 % of the clusters always 5 s
//
// Any number of `,SHARE%=DURATION` may follow a distribution.
func ParseLatency(text string) (Latency, error) {
	parts := strings.Split(text, ",")
	head := len(parts)
	for head > 1 && strings.Contains(parts[head-1], "%=") {
		head--
	}
	latency, err := parseShape(strings.Join(parts[:head], ","))
	if err != nil {
		return Latency{}, fmt.Errorf("latency %q: %w", text, err)
	}
	for _, part := range parts[head:] {
		share, delay, _ := strings.Cut(part, "=")
		t := tail{}
		if t.share, err = parsePercent(share); err != nil {
			return Latency{}, fmt.Errorf("latency %q: %w", text, err)
		}
		if t.delay, err = parseDelay(delay); err != nil {
			return Latency{}, fmt.Errorf("latency %q: %w", text, err)
		}
		latency.tails = append(latency.tails, t)
	}
	return latency, nil
}

func parseShape(text string) (Latency, error) {
	if spread, ok := strings.CutPrefix(text, "uniform:"); ok {
		from, to, _ := strings.Cut(spread, "-")
		low, err := parseDelay(from)
		if err != nil {
			return Latency{}, err
		}
		high, err := parseDelay(to)
		if err != nil {
			return Latency{}, err
		}
		if high < low {
			return Latency{}, fmt.Errorf("%s is more than %s", from, to)
		}
		return Latency{shape: uniform, low: low, high: high}, nil
	}
	if points, ok := strings.CutPrefix(text, "lognormal:"); ok {
		return parseLognormal(points)
	}
	d, err := parseDelay(text)
	return Constant(d), err
}

func parseLognormal(points string) (Latency, error) {
	half, rest, _ := strings.Cut(points, ",")
	half, okHalf := strings.CutPrefix(half, "p50=")
	rest, okRest := strings.CutPrefix(rest, "p99=")
	if !okHalf || !okRest {
		return Latency{}, errors.New("want lognormal:p50=DURATION,p99=DURATION")
	}
	p50, err := parseDelay(half)
	if err != nil {
		return Latency{}, err
	}
	p99, err := parseDelay(rest)
	if err != nil {
		return Latency{}, err
	}
	if p50 <= 0 || p99 < p50 {
		return Latency{}, errors.New("want 0 < p50 <= p99")
	}
	mu := math.Log(p50.Seconds())
	return Latency{shape: lognormal, mu: mu, sigma: (math.Log(p99.Seconds()) - mu) / z99}, nil
}

func parseDelay(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration like 50ms", text)
	}
	if d < 0 {
		return 0, fmt.Errorf("%s is negative", text)
	}
	return d, nil
}

func parsePercent(text string) (float64, error) {
	number, ok := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(share > 0 && share <= 100) {
		return 0, fmt.Errorf("%q is not a percentage above 0%% and up to 100%%", text)
	}
	return share / 100, nil
}

func (l *Latency) isZero() bool { return l.shape == constant && l.low == 0 }

func (l *Latency) draw(source rand.Source) time.Duration {
	random := rand.New(source) //nolint:gosec // a simulation is to be repeatable, not secret
	switch l.shape {
	case uniform:
		return l.low + time.Duration(random.Uint64N(uint64(l.high-l.low)+1)) //nolint:gosec // high is not less than low, and the longest of times and one more fit
	case lognormal:
		seconds := math.Exp(l.mu + l.sigma*random.NormFloat64())
		return time.Duration(min(seconds, math.MaxInt64/2e9) * float64(time.Second))
	default:
		return l.low
	}
}

// wait takes the cluster's time over one answer. It returns early, with the cause, when ctx ends.
func (c *cluster) wait(ctx context.Context, latency *Latency) error {
	if latency.isZero() {
		return ctx.Err()
	}
	c.mu.Lock()
	delay := latency.draw(c.random)
	c.mu.Unlock()
	return pause(ctx, delay)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
