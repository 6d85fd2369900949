package health_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// noon is when the first cluster of a test failed.
func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// record returns a healthy cluster.
func record(name string, traits health.Traits) *health.Record {
	return &health.Record{
		Subject: &health.Subject{Name: name, Traits: traits},
		State:   cluster.Healthy,
		Verdict: &cluster.Verdict{State: cluster.Healthy},
	}
}

// fail makes a cluster fail.
func fail(r *health.Record, reason cluster.Reason) {
	r.State = reason.State()
	r.Verdict = &cluster.Verdict{State: r.State, Reason: reason}
	r.Since = noon()
}

// members returns n clusters of a kind, of which the first failing fail.
func members(kind string, traits health.Traits, n, failing int, reason cluster.Reason) []*health.Record {
	records := make([]*health.Record, n)
	for i := range records {
		records[i] = record(fmt.Sprintf("%s-%03d", kind, i), traits)
		if i < failing {
			fail(records[i], reason)
		}
	}
	return records
}

// names are what members calls the first n.
func names(kind string, n int) []string {
	var result []string
	for i := range n {
		result = append(result, fmt.Sprintf("%s-%03d", kind, i))
	}
	return result
}

func edited(records []*health.Record, edit func(*health.Record)) []*health.Record {
	for _, r := range records {
		edit(r)
	}
	return records
}

func TestWhatFailsTogetherIsOneIncident(t *testing.T) {
	type traits = health.Traits
	sound := func(n int) []*health.Record {
		return members("sound", traits{Region: "r", Range: "10.0.0.0/24"}, n, 0, "")
	}
	incident := func(cause health.Cause, value string, reason cluster.Reason, exposed int, members []string, message string) health.Incident {
		return health.Incident{Cause: cause, Value: value, Reason: reason, Since: noon(), Members: members, Exposed: exposed, Message: message}
	}
	for name, c := range map[string]struct {
		fleet [][]*health.Record
		want  []health.Incident
	}{
		"a region": {
			[][]*health.Record{members("a", traits{Region: "eu-west-1"}, 14, 12, cluster.ConnectTimeout), sound(50)},
			[]health.Incident{incident(health.CauseRegion, "eu-west-1", cluster.ConnectTimeout, 14, names("a", 12),
				"12 of 14 clusters in region eu-west-1 are unreachable: CONNECT_TIMEOUT")},
		},
		"a range rather than the larger region": {
			[][]*health.Record{members("a", traits{Region: "r", Range: "10.0.7.0/24"}, 5, 5, cluster.ConnectionRefused), sound(4)},
			[]health.Incident{incident(health.CauseRange, "10.0.7.0/24", cluster.ConnectionRefused, 5, names("a", 5),
				"5 of 5 clusters in address range 10.0.7.0/24 are unreachable: CONNECTION_REFUSED")},
		},
		"a range rather than the zone of the same clusters": {
			[][]*health.Record{members("a", traits{Zone: "0.example", Range: "10.0.7.0/24"}, 5, 5, cluster.ConnectionRefused), sound(20)},
			[]health.Incident{incident(health.CauseRange, "10.0.7.0/24", cluster.ConnectionRefused, 5, names("a", 5),
				"5 of 5 clusters in address range 10.0.7.0/24 are unreachable: CONNECTION_REFUSED")},
		},
		"a zone rather than the larger range": {
			[][]*health.Record{members("a", traits{Zone: "z.example", Range: "10.0.0.0/24"}, 5, 5, cluster.ConnectionRefused), sound(4), members("b", traits{}, 9, 0, "")},
			[]health.Incident{incident(health.CauseZone, "z.example", cluster.ConnectionRefused, 5, names("a", 5),
				"5 of 5 clusters in DNS zone z.example are unreachable: CONNECTION_REFUSED")},
		},
		"a region rather than its ranges": {
			[][]*health.Record{
				members("a", traits{Region: "eu", Range: "10.0.7.0/24"}, 4, 4, cluster.ConnectTimeout),
				members("b", traits{Region: "eu", Range: "10.0.8.0/24"}, 4, 4, cluster.ConnectTimeout), sound(30),
			},
			[]health.Incident{incident(health.CauseRegion, "eu", cluster.ConnectTimeout, 8, append(names("a", 4), names("b", 4)...),
				"8 of 8 clusters in region eu are unreachable: CONNECT_TIMEOUT")},
		},
		"a zone": {
			[][]*health.Record{members("a", traits{Zone: "corp.example", Region: "eu"}, 6, 3, cluster.DNSFailure), sound(10)},
			[]health.Incident{incident(health.CauseZone, "corp.example", cluster.DNSFailure, 6, names("a", 3),
				"3 of 6 clusters in DNS zone corp.example are unreachable: DNS_FAILURE")},
		},
		"an authority": {
			[][]*health.Record{members("a", traits{Authority: "c0ffee", Region: "eu"}, 4, 4, cluster.TLSExpired), sound(10)},
			[]health.Incident{incident(health.CauseAuthority, "c0ffee", cluster.TLSExpired, 4, names("a", 4),
				"4 of 4 clusters with certificate authority c0ffee are unreachable: TLS_EXPIRED")},
		},
		"credentials of a region": {
			[][]*health.Record{members("a", traits{Region: "eu"}, 3, 3, cluster.Unauthenticated), sound(10)},
			[]health.Incident{incident(health.CauseRegion, "eu", cluster.Unauthenticated, 3, names("a", 3),
				"3 of 3 clusters in region eu are unauthorized: UNAUTHENTICATED")},
		},
		"two at once, the larger first": {
			[][]*health.Record{
				members("a", traits{Range: "10.1.0.0/24"}, 3, 3, cluster.ConnectTimeout),
				members("b", traits{Region: "eu"}, 20, 20, cluster.ConnectTimeout), sound(40),
			},
			[]health.Incident{
				incident(health.CauseRegion, "eu", cluster.ConnectTimeout, 20, names("b", 20), "20 of 20 clusters in region eu are unreachable: CONNECT_TIMEOUT"),
				incident(health.CauseRange, "10.1.0.0/24", cluster.ConnectTimeout, 3, names("a", 3), "3 of 3 clusters in address range 10.1.0.0/24 are unreachable: CONNECT_TIMEOUT"),
			},
		},
		"answering and not answering": {
			[][]*health.Record{
				edited(members("a", traits{Region: "eu"}, 2, 2, cluster.ResponseTimeout), func(r *health.Record) { r.State = cluster.Degraded }),
				members("b", traits{Region: "eu"}, 2, 2, cluster.ResponseTimeout), sound(40),
			},
			[]health.Incident{incident(health.CauseRegion, "eu", cluster.ResponseTimeout, 4, append(names("a", 2), names("b", 2)...),
				"4 of 4 clusters in region eu are not healthy: RESPONSE_TIMEOUT")},
		},
		"those in maintenance and virtual ones do not count": {
			[][]*health.Record{
				members("a", traits{Region: "eu"}, 4, 3, cluster.ConnectTimeout), sound(10),
				edited(members("m", traits{Region: "eu"}, 9, 2, cluster.ConnectTimeout), func(r *health.Record) { r.Subject.Maintenance = true }),
				edited(members("v", traits{Region: "eu"}, 9, 0, ""), func(r *health.Record) { r.Subject.Virtual, r.State, r.Verdict = true, cluster.Unknown, nil }),
			},
			[]health.Incident{incident(health.CauseRegion, "eu", cluster.ConnectTimeout, 4, names("a", 3), "3 of 4 clusters in region eu are unreachable: CONNECT_TIMEOUT")},
		},
		"two are none":                        {[][]*health.Record{members("a", traits{Region: "eu"}, 2, 2, cluster.ConnectTimeout), sound(10)}, nil},
		"less than half is none":              {[][]*health.Record{members("a", traits{Region: "eu"}, 25, 12, cluster.ConnectTimeout), sound(90)}, nil},
		"a few of an authority that all have": {[][]*health.Record{members("a", traits{Authority: "c0ffee"}, 1000, 10, cluster.TLSExpired)}, nil},
		"what the whole fleet shares":         {[][]*health.Record{members("a", traits{Authority: "c0ffee"}, 10, 9, cluster.TLSExpired)}, nil},
		"what is as bad elsewhere":            {[][]*health.Record{members("a", traits{Region: "eu"}, 400, 300, cluster.ConnectTimeout), members("b", traits{}, 400, 200, cluster.ConnectTimeout)}, nil},
		"what chance brings about somewhere": {[][]*health.Record{
			members("a", traits{Region: "eu"}, 4, 3, cluster.ConnectTimeout), members("b", traits{Region: "us"}, 40, 9, cluster.ConnectTimeout),
		}, nil},
		"several reasons":                    {[][]*health.Record{members("a", traits{Region: "eu"}, 2, 2, cluster.ConnectTimeout), members("b", traits{Region: "eu"}, 2, 2, cluster.ConnectionReset), sound(10)}, nil},
		"a region has no names":              {[][]*health.Record{members("a", traits{Region: "eu"}, 5, 5, cluster.DNSFailure), sound(10)}, nil},
		"a zone has no certificates":         {[][]*health.Record{members("a", traits{Zone: "corp.example"}, 5, 5, cluster.TLSExpired), sound(10)}, nil},
		"our own fault":                      {[][]*health.Record{edited(members("a", traits{Region: "eu"}, 5, 5, cluster.QueueTimeout), func(r *health.Record) { r.State = cluster.Unreachable }), sound(10)}, nil},
		"suspects":                           {[][]*health.Record{edited(members("a", traits{Region: "eu"}, 5, 5, cluster.ConnectTimeout), func(r *health.Record) { r.Suspect = true }), sound(10)}, nil},
		"what is not confirmed":              {[][]*health.Record{edited(members("a", traits{Region: "eu"}, 5, 5, cluster.ConnectTimeout), func(r *health.Record) { r.State = cluster.Healthy }), sound(10)}, nil},
		"what is better again":               {[][]*health.Record{edited(members("a", traits{Region: "eu"}, 5, 5, cluster.ConnectTimeout), func(r *health.Record) { r.Verdict = &cluster.Verdict{State: cluster.Healthy} }), sound(10)}, nil},
		"what was never probed":              {[][]*health.Record{edited(members("a", traits{Region: "eu"}, 5, 5, cluster.ConnectTimeout), func(r *health.Record) { r.Verdict = nil }), sound(10)}, nil},
		"the unknown are not held to be bad": {[][]*health.Record{members("a", traits{Region: "eu"}, 3, 3, cluster.ConnectTimeout), edited(members("b", traits{Region: "eu"}, 4, 0, ""), func(r *health.Record) { r.State, r.Verdict = cluster.Unknown, nil }), sound(10)}, nil},
		"nobody":                             {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := health.Correlate(slices.Concat(c.fleet...))
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(health.Incident{}, "ID")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestAnIncidentKeepsItsNameWhileItsMembersChange(t *testing.T) {
	id := func(region string, failing int, reason cluster.Reason) string {
		fleet := slices.Concat(members("a", health.Traits{Region: region}, 10, failing, reason), members("b", health.Traits{}, 20, 0, ""))
		found := health.Correlate(fleet)
		if len(found) != 1 || found[0].ID == "" {
			t.Fatalf("%+v", found)
		}
		return found[0].ID
	}
	if id("eu", 6, cluster.ConnectTimeout) != id("eu", 9, cluster.ConnectTimeout) {
		t.Error("another member makes another incident")
	}
	seen := map[string]struct{}{
		id("eu", 6, cluster.ConnectTimeout):    {},
		id("us", 6, cluster.ConnectTimeout):    {},
		id("eu", 6, cluster.ConnectionRefused): {},
	}
	if len(seen) != 3 {
		t.Errorf("three incidents have the names %v", seen)
	}
}

func TestAnIncidentBeganWithItsFirstMember(t *testing.T) {
	fleet := slices.Concat(members("a", health.Traits{Region: "eu"}, 4, 4, cluster.ConnectTimeout), members("b", health.Traits{}, 20, 0, ""))
	fleet[0].Since = time.Time{} // not known
	fleet[2].Since = noon().Add(-time.Hour)
	if got := health.Correlate(fleet)[0].Since; !got.Equal(noon().Add(-time.Hour)) {
		t.Errorf("since %v", got)
	}
}

func TestIncidentsAreBounded(t *testing.T) {
	var fleet []*health.Record
	for i := range 200 {
		fleet = append(fleet, members(fmt.Sprintf("a%03d", i), health.Traits{Authority: fmt.Sprint(i)}, 5, 5, cluster.TLSExpired)...)
	}
	fleet = append(fleet, members("b", health.Traits{}, 20_000, 0, "")...)
	if n := len(health.Correlate(fleet)); n != 100 {
		t.Errorf("%d incidents", n)
	}
}

// randomFleet returns clusters with random traits, each failing on its own with the given probability.
func randomFleet(random *rand.Rand, size int, failing float64) []*health.Record {
	reasons := []cluster.Reason{cluster.ConnectTimeout, cluster.ConnectionRefused, cluster.DNSFailure, cluster.TLSExpired, cluster.NotReady, cluster.Unauthenticated}
	if random.IntN(2) == 0 {
		reasons = reasons[:1] // the same everywhere is the hardest to tell from a cause
	}
	regions, zones, ranges, authorities := 1+random.IntN(12), 1+random.IntN(40), 1+random.IntN(size), 1+random.IntN(size)
	records := make([]*health.Record, size)
	for i := range records {
		traits := health.Traits{Region: fmt.Sprintf("r%d", random.IntN(regions)), Authority: fmt.Sprintf("ca%d", random.IntN(authorities))}
		if random.IntN(2) == 0 {
			traits.Zone = fmt.Sprintf("z%d.example", random.IntN(zones))
		} else {
			traits.Range = fmt.Sprintf("10.%d/24", random.IntN(ranges))
		}
		records[i] = record(fmt.Sprintf("c%05d", i), traits)
		if random.Float64() < failing {
			fail(records[i], reasons[random.IntN(len(reasons))])
		}
	}
	return records
}

func TestWhatFailsOnItsOwnIsNoIncident(t *testing.T) {
	for seed := range uint64(150) {
		random := rand.New(rand.NewPCG(seed, 1))
		if found := health.Correlate(randomFleet(random, 10+random.IntN(2000), 0.02)); len(found) > 0 {
			t.Errorf("seed %d: %d incidents: %s", seed, len(found), found[0].Message)
		}
	}
}

func TestAPlantedIncidentIsFoundWithItsMembers(t *testing.T) {
	for seed := range uint64(150) {
		random := rand.New(rand.NewPCG(seed, 2))
		fleet := randomFleet(random, 200+random.IntN(2000), 0.02)
		cause := health.Cause(1 + random.IntN(4))
		reason := map[health.Cause]cluster.Reason{
			health.CauseZone: cluster.DNSFailure, health.CauseAuthority: cluster.TLSUnknownAuthority,
			health.CauseRange: cluster.ConnectionReset, health.CauseRegion: cluster.NotReady,
		}[cause]
		// A share of the fleet gets a value of its own, and most of those with it fail.
		exposed := 5 + random.IntN(len(fleet)/10)
		failing := (exposed*6+9)/10 + random.IntN(exposed*4/10+1)
		for _, r := range fleet {
			if r.Verdict.Reason == reason {
				*r = *record(r.Subject.Name, r.Subject.Traits) // its reason is the incident's alone
			}
		}
		var want []string
		for i, at := range random.Perm(len(fleet))[:exposed] {
			r := fleet[at]
			r.Subject.Traits = planted(r.Subject.Traits, cause)
			if i < failing {
				fail(r, reason)
				want = append(want, r.Subject.Name)
			}
		}
		slices.Sort(want)
		found := health.Correlate(fleet)
		if len(found) == 0 || found[0].Cause != cause || found[0].Value != "planted" || found[0].Exposed != exposed || !slices.Equal(found[0].Members, want) {
			t.Fatalf("seed %d: %d of %d planted in cause %d, found %+v", seed, failing, exposed, cause, found)
		}
		random.Shuffle(len(fleet), func(i, j int) { fleet[i], fleet[j] = fleet[j], fleet[i] })
		if diff := cmp.Diff(found, health.Correlate(fleet)); diff != "" {
			t.Errorf("seed %d: another order gives another result:\n%s", seed, diff)
		}
	}
}

func planted(traits health.Traits, cause health.Cause) health.Traits {
	switch cause {
	case health.CauseZone:
		traits.Zone = "planted"
	case health.CauseAuthority:
		traits.Authority = "planted"
	case health.CauseRange:
		traits.Range = "planted"
	case health.CauseRegion:
		traits.Region = "planted"
	}
	return traits
}

func TestWhateverTheFleetIncidentsKeepTheirRules(t *testing.T) {
	for seed := range uint64(150) {
		random := rand.New(rand.NewPCG(seed, 3))
		fleet := randomFleet(random, 10+random.IntN(300), random.Float64()/2)
		for range random.IntN(4) { // a value fails
			value := fleet[random.IntN(len(fleet))].Subject.Traits
			for _, r := range fleet {
				if r.Subject.Traits.Region == value.Region && random.IntN(5) > 0 {
					fail(r, cluster.ConnectTimeout)
				}
			}
		}
		taken, before := map[string]bool{}, len(fleet)
		for _, i := range health.Correlate(fleet) {
			if len(i.Members) < 3 || 2*len(i.Members) < i.Exposed || len(i.Members) > before || !slices.IsSorted(i.Members) || !strings.HasSuffix(i.Message, ": "+string(i.Reason)) {
				t.Errorf("seed %d: %+v", seed, i)
			}
			before = len(i.Members)
			for _, name := range i.Members {
				if taken[name] {
					t.Errorf("seed %d: %s is a member of two incidents", seed, name)
				}
				taken[name] = true
			}
		}
	}
}

func BenchmarkCorrelate(b *testing.B) {
	for _, failing := range []float64{0.02, 0.5} {
		b.Run(fmt.Sprintf("failing=%v", failing), func(b *testing.B) {
			fleet := randomFleet(rand.New(rand.NewPCG(1, 4)), 10_000, failing)
			for b.Loop() {
				health.Correlate(fleet)
			}
		})
	}
}
