package simulator

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTimelineBeginsAndEndsFaultsAtTheirTime(t *testing.T) {
	type event struct {
		At   time.Duration
		Rule int
		On   bool
	}
	rules := []Rule{
		{From: 10 * time.Second, To: 30 * time.Second},
		{From: 20 * time.Second},
		{From: 5 * time.Second, To: 18 * time.Second, Period: 4 * time.Second},
		{From: time.Second, Period: time.Minute},
	}
	want := []event{
		{1 * time.Second, 3, true},
		{5 * time.Second, 2, true},
		{7 * time.Second, 2, false},
		{9 * time.Second, 2, true},
		{10 * time.Second, 0, true},
		{11 * time.Second, 2, false},
		{13 * time.Second, 2, true},
		{15 * time.Second, 2, false},
		{17 * time.Second, 2, true},
		{18 * time.Second, 2, false},
		{20 * time.Second, 1, true},
		{30 * time.Second, 0, false},
		{31 * time.Second, 3, false},
		{61 * time.Second, 3, true},
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 70*time.Second)
		defer cancel()
		var cues []cue
		for i, rule := range rules {
			cues = append(cues, firstCue(i, rule))
		}
		var got []event
		play(ctx, start, rules, cues, func(c cue) { got = append(got, event{time.Since(start), c.rule, c.on}) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestFaultDoesNotBeginAgainAtItsEnd(t *testing.T) {
	rule := Rule{To: 8 * time.Second, Period: 4 * time.Second}
	events := 1
	for c, more := rule.after(firstCue(0, rule)); more; c, more = rule.after(c) {
		events++
		if c.on && c.at >= rule.To {
			t.Errorf("begins at %v", c.at)
		}
	}
	if events != 4 {
		t.Errorf("%d events, want 4", events)
	}
}

func TestLatencyFollowsItsDistribution(t *testing.T) {
	for text, want := range map[string]struct{ low, p50, p99, high time.Duration }{
		"50ms":                         {50 * time.Millisecond, 50 * time.Millisecond, 50 * time.Millisecond, 50 * time.Millisecond},
		"uniform:10ms-90ms":            {10 * time.Millisecond, 50 * time.Millisecond, 89 * time.Millisecond, 90 * time.Millisecond},
		"lognormal:p50=20ms,p99=200ms": {0, 20 * time.Millisecond, 200 * time.Millisecond, time.Minute},
	} {
		latency, err := ParseLatency(text)
		if err != nil {
			t.Fatal(err)
		}
		source := rand.NewPCG(1, 1)
		draws := make([]time.Duration, 50_000)
		for i := range draws {
			draws[i] = latency.draw(source)
		}
		slices.Sort(draws)
		near := func(what string, got, want time.Duration) {
			if got < want*9/10 || got > want*11/10 {
				t.Errorf("%s: %s is %v, want about %v", text, what, got, want)
			}
		}
		near("median", draws[len(draws)/2], want.p50)
		near("p99", draws[len(draws)*99/100], want.p99)
		if draws[0] < want.low || draws[len(draws)-1] > want.high {
			t.Errorf("%s: from %v to %v", text, draws[0], draws[len(draws)-1])
		}
	}
}

func TestAddressesAreTakenOnceAndFoundAgain(t *testing.T) {
	seen := map[netip.Addr]bool{}
	n := loopback()
	for index := range MaxClusters {
		addr := n.at(index)
		if !addr.IsLoopback() || seen[addr] {
			t.Fatalf("cluster %d at %v", index, addr)
		}
		seen[addr] = true
		if found, ok := n.indexOf(addr); !ok || found != index {
			t.Fatalf("%v is cluster %d, %v; want %d", addr, found, ok, index)
		}
	}
	for _, text := range []string{"127.0.0.1", "127.16.0.0", "127.16.0.255", "127.17.0.1", "192.0.2.1"} {
		if index, ok := n.indexOf(netip.MustParseAddr(text)); ok {
			t.Errorf("%s is cluster %d", text, index)
		}
	}
}

func TestWithoutALoopbackRangeEveryClusterHasAPort(t *testing.T) {
	fleet, err := launch(t.Context(), Config{Clusters: 3}, loopback(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := fleet.Close(); err != nil {
			t.Error(err)
		}
	}()
	if fleet.Address() != "" {
		t.Errorf("a shared listener at %s", fleet.Address())
	}
	ports := map[uint16]bool{}
	for _, c := range fleet.clusters {
		ports[c.address.Port()] = true
		if c.address.Addr() != netip.MustParseAddr("127.0.0.1") {
			t.Errorf("%s is at %v", c.name, c.address)
		}
		roots := x509.NewCertPool()
		roots.AddCert(fleet.pki.authority.cert)
		conn, err := tls.Dial("tcp", c.address.String(), &tls.Config{RootCAs: roots, ServerName: c.serverName()})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		_ = conn.Close()
	}
	if len(ports) != 3 {
		t.Errorf("ports %v", ports)
	}
	if _, err := launch(t.Context(), Config{Clusters: 3, Port: 12345}, loopback(), false); !errors.Is(err, ErrInvalid) {
		t.Errorf("a port for a listener that is not there: %v", err)
	}
}

func TestAbortTimesAreARing(t *testing.T) {
	s, c := &stats{}, &traffic{}
	for i := range rememberedAborts + 10 {
		s.countAbort(c, time.Unix(0, int64(i)))
	}
	times, count := s.abortTimes()
	if count != rememberedAborts+10 || len(times) != rememberedAborts || times[0] != 10 || times[len(times)-1] != rememberedAborts+9 {
		t.Errorf("%d of %d, from %d to %d", len(times), count, times[0], times[len(times)-1])
	}
}

func TestLaterFaultsOfOneFamilyWait(t *testing.T) {
	refuse := &active{Fault: Fault{Kind: Refuse}, trait: trait{family: linkFault}}
	hole := &active{Fault: Fault{Kind: Blackhole}, trait: trait{family: linkFault}}
	var set *faultSet
	set = set.with(3, hole).with(1, refuse)
	if set.linkKind() != Refuse {
		t.Errorf("rule 3 is shown before rule 1: %s", set.linkKind())
	}
	if set = set.with(byHand, hole); set.linkKind() != Blackhole {
		t.Errorf("what was set by hand is not shown first: %s", set.linkKind())
	}
	if set = set.with(byHand, nil).with(1, nil); set.linkKind() != Blackhole {
		t.Errorf("the other one is gone too: %q", set.linkKind())
	}
	if set = set.with(3, nil); set != nil {
		t.Errorf("something is left: %+v", set)
	}
}

func TestNetworkIsOneOfSixteenBits(t *testing.T) {
	for text, want := range map[string]string{
		"10.16.0.0/16": "10.16.0.1", "127.17.0.0/16": "127.17.0.1", "10.16.0.0/24": "", "10.16.3.0/16": "", "fd00::/16": "",
		"0.1.0.0/16": "", "239.1.0.0/16": "", "255.255.0.0/16": "",
	} {
		n, err := parseNetwork(netip.MustParsePrefix(text))
		if want == "" {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("%s: got %v, %v", text, n, err)
			}
			continue
		}
		index, ok := n.indexOf(n.at(300))
		if err != nil || n.at(0).String() != want || !ok || index != 300 {
			t.Errorf("%s: got %s, %d, %v", text, n.at(0), index, err)
		}
	}
}

func TestOnlyLoopbackIsClosedToOthers(t *testing.T) {
	other, here := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("127.0.0.1")
	if n := loopback(); n.admits(other) || !n.admits(here) {
		t.Error("a fleet on loopback is for this machine")
	}
	if n := (network{10, 16}); !n.admits(other) || !n.admits(here) {
		t.Error("a fleet on a network is for all who reach it")
	}
}
