package simulator_test

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

func parse(t *testing.T, text string) *simulator.Scenario {
	t.Helper()
	scenario, err := simulator.ParseScenario([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return scenario
}

func TestScenarioIsReadWithItsDefaults(t *testing.T) {
	const text = `
faults:
- {clusters: sim-0001, fault: throttle, retryAfter: 7, from: 10s, for: 1m, paths: [/readyz]}
- {clusters: "2%", fault: flap, as: not-ready, checks: [etcd, own], period: 30s}
- {clusters: "env=prod", fault: gzip-bomb, bytes: 64Mi, to: 2h}
- {clusters: "*", fault: flap}
- {clusters: "*", fault: clock-skew, offset: -5m}
- {clusters: "sim-01*, sim-0200", fault: redirect, status: 307, location: "https://example.com"}
`
	want := []simulator.Rule{
		{
			Clusters: "sim-0001", From: 10 * time.Second, To: 70 * time.Second,
			Fault: simulator.Fault{Kind: simulator.Throttle, RetryAfter: 7, Paths: []string{"/readyz"}},
		},
		{Clusters: "2%", Period: 30 * time.Second, Fault: simulator.Fault{Kind: simulator.NotReady, Checks: []string{"etcd", "own"}}},
		{Clusters: "env=prod", To: 2 * time.Hour, Fault: simulator.Fault{Kind: simulator.GzipBomb, Bytes: 64 << 20}},
		{Clusters: "*", Period: 20 * time.Second, Fault: simulator.Fault{Kind: simulator.Error503}},
		{Clusters: "*", Fault: simulator.Fault{Kind: simulator.ClockSkew, Offset: -5 * time.Minute}},
		{
			Clusters: "sim-01*, sim-0200",
			Fault:    simulator.Fault{Kind: simulator.Redirect, Status: 307, Location: "https://example.com"},
		},
	}
	ignore := cmpopts.IgnoreUnexported(simulator.Latency{})
	if diff := cmp.Diff(want, parse(t, text).Rules, ignore); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const asJSON = `{"faults": [{"clusters": "sim-0001", "fault": "throttle", "retryAfter": 7, "from": "10s", "for": "1m", "paths": ["/readyz"]}]}`
	if diff := cmp.Diff(want[:1], parse(t, asJSON).Rules, ignore); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

func TestScenarioErrorsSayWhere(t *testing.T) {
	for text, want := range map[string]string{
		"faults:\n- {clusters: a, fault: reset":               "line 2",
		"faults:\n- {clusters: a, clusters: b, fault: reset}": `"clusters" already set`,
		"[]":              "want an object with a list of faults",
		"fault: []":       `unknown field "fault"`,
		"faults: {}":      "want a list",
		"faults: []":      "at least one fault",
		"faults: [reset]": "fault 1: want an object",
		"faults: [{clusters: a, fault: reset}, {fault: reset}]":                      "fault 2: (reset) clusters and fault are required",
		"faults: [{clusters: a, fault: broken}]":                                     `fault 1: (broken) unknown fault "broken"; known are auth-fails,`,
		"faults: [{clusters: a, fault: reset, retryAfter: 3}]":                       `fault 1: (reset) unknown field "retryAfter"; known are clusters,`,
		"faults: [{clusters: a, fault: throttle, retryAfter: soon}]":                 "fault 1: retryAfter: unexpected string",
		"faults: [{clusters: a, fault: throttle, retryAfter: -1}]":                   "fault 1: (throttle) a parameter is negative",
		"faults: [{clusters: a, fault: reset, from: 10}]":                            "fault 1: 10 is not a duration",
		"faults: [{clusters: a, fault: reset, from: -1s}]":                           "fault 1: -1s is negative",
		"faults: [{clusters: a, fault: clock-skew, offset: late}]":                   `"late" is not a duration`,
		"faults: [{clusters: a, fault: reset, from: 10s, to: 5s}]":                   "it ends (5s) before it begins (10s)",
		"faults: [{clusters: a, fault: reset, for: 10s, to: 5s}]":                    "to and for exclude each other",
		"faults: [{clusters: a, fault: refuse, paths: [/readyz]}]":                   "before any path is known",
		"faults: [{clusters: a, fault: reset, paths: [readyz]}]":                     `"readyz" does not begin with /`,
		"faults: [{clusters: a, fault: hang, at: dawn}]":                             `"dawn" is neither`,
		"faults: [{clusters: a, fault: slow, latency: soon}]":                        `(slow) latency "soon"`,
		"faults: [{clusters: a, fault: slow}]":                                       "fault 1: (slow) latency: this fault needs one",
		"faults: [{clusters: a, fault: slow, latency: 0s}]":                          "fault 1: (slow) latency: this fault needs one",
		"faults: [{clusters: a, fault: flap, as: slow, period: 4s}]":                 "fault 1: (flap) latency: this fault needs one",
		"faults: [{clusters: a, fault: slow, latency: '1s,5%=2s'}]":                  "not by a share of its latency",
		"faults: [{clusters: a, fault: redirect, status: 200}]":                      "200 is no redirect",
		"faults: [{clusters: a, fault: redirect, location: \"a\\r\\nSet-Cookie:\"}]": "line break",
		"faults: [{clusters: a, fault: flap, as: flap}]":                             `unknown fault "flap"`,
		"faults: [{clusters: a, fault: reset, bytes: many}]":                         "fault 1:",
	} {
		scenario, err := simulator.ParseScenario([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot  %v, %v\nwant %s", text, scenario, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %v", text, err)
		}
	}
}

func TestScenarioChoosesClusters(t *testing.T) {
	for clusters, want := range map[string]int{
		"sim-0003":                   1,
		"sim-0003,sim-0004":          2,
		"sim-001?":                   10,
		"sim-*":                      30,
		"10%":                        3,
		"0.1%":                       1,
		"env=prod":                   15,
		"env!=prod, tier in (batch)": 5,
	} {
		fleet := start(t, simulator.Config{
			Clusters: 30,
			Scenario: parse(t, `faults: [{clusters: "`+clusters+`", fault: tls-garbage}]`),
		})
		broken, known := 0, load(t, fleet)
		for _, name := range fleet.Names() {
			if isGarbage(t, known.client(name)) {
				broken++
			}
		}
		if broken != want {
			t.Errorf("%s: %d clusters, want %d", clusters, broken, want)
		}
	}
	for _, clusters := range []string{"x*", "env=none", "[", "0%", "101%", "a=b=c"} {
		_, err := simulator.Start(t.Context(), simulator.Config{
			Clusters: 10,
			Scenario: parse(t, `faults: [{clusters: "`+clusters+`", fault: hang}]`),
		})
		if !errors.Is(err, simulator.ErrInvalid) || !strings.Contains(err.Error(), "fault 1: (hang)") {
			t.Errorf("%s: got %v", clusters, err)
		}
	}
}

// isGarbage looks at the first byte the server says by itself.
func isGarbage(t *testing.T, c *client) bool {
	t.Helper()
	conn, err := c.dial(t.Context())
	if err == nil {
		_ = conn.Close()
	}
	return err != nil
}

func TestPercentagesDoNotMeetUntilTheFleetIsDealtOut(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 40, Scenario: parse(t, `
faults:
- {clusters: "50%", fault: error-500}
- {clusters: "25%", fault: html}
- {clusters: "25%", fault: throttle}
`)})
	statuses, known := map[int]int{}, load(t, fleet)
	for _, name := range fleet.Names() {
		statuses[known.client(name).get("/readyz").status]++
	}
	if diff := cmp.Diff(map[int]int{500: 20, 200: 10, 429: 10}, statuses); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSeedDecidesWhichClustersAreChosen(t *testing.T) {
	chosen := func(seed uint64) []string {
		fleet := start(t, simulator.Config{Clusters: 30, Seed: seed, Scenario: parse(t, `faults: [{clusters: "20%", fault: error-500}]`)})
		var names []string
		known := load(t, fleet)
		for _, name := range fleet.Names() {
			if known.client(name).get("/readyz").status == 500 {
				names = append(names, name)
			}
		}
		return names
	}
	if diff := cmp.Diff(chosen(7), chosen(7)); diff != "" {
		t.Errorf("one seed, two choices:\n%s", diff)
	}
	if cmp.Equal(chosen(7), chosen(8)) {
		t.Error("two seeds, one choice")
	}
}

func TestFaultsComeAndGo(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 5, Scenario: parse(t, `
faults:
- {clusters: sim-0001, fault: error-503, from: 200ms}
- {clusters: sim-0002, fault: error-503, for: 200ms}
- {clusters: sim-0003, fault: flap, as: error-500, period: 400ms}
- {clusters: sim-0004, fault: flap, as: refuse, period: 400ms}
`)})
	known := load(t, fleet)
	for name, statuses := range map[string][]int{
		"sim-0001": {503}, "sim-0002": {200}, "sim-0003": {500, 200, 500, 200}, "sim-0005": {200},
	} {
		c := known.client(name)
		for _, want := range statuses {
			eventually(t, name+" changes", func() bool { return c.get("/readyz").status == want })
		}
	}
	address := known.client("sim-0004").address()
	for _, want := range []bool{true, false, true, false} {
		eventually(t, "sim-0004 comes and goes", func() bool {
			conn, err := net.Dial("tcp", address)
			if err != nil && !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.ECONNRESET) {
				t.Fatal(err)
			}
			if err == nil {
				_ = conn.Close()
			}
			return (err == nil) == want
		})
	}
}

func TestScenarioGivesPortsToThoseItRefuses(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 10, Scenario: parse(t, `
faults:
- {clusters: sim-0002, fault: refuse}
- {clusters: sim-0003, fault: blackhole}
- {clusters: sim-0004, fault: refuse, from: 1h}
`)})
	if _, err := net.Dial("tcp", newClient(t, fleet, "sim-0002").address()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("sim-0002: got %v", err)
	}
	dialer := net.Dialer{Timeout: 100 * time.Millisecond}
	var timeout net.Error
	if _, err := dialer.Dial("tcp", newClient(t, fleet, "sim-0003").address()); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("sim-0003: got %v", err)
	}
	ports := map[string]bool{}
	for _, name := range []string{"sim-0001", "sim-0004", "sim-0005"} {
		c := newClient(t, fleet, name)
		wantStatus(t, c.get("/readyz"), 200)
		_, port, _ := net.SplitHostPort(c.address())
		ports[port] = true
	}
	if len(ports) != 2 {
		t.Errorf("ports %v: want one shared, and one of sim-0004", ports)
	}
}
