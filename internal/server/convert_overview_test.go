package server

import (
	"fmt"
	"testing"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/overview"
)

func TestSectionsAndCausesAreTheSameNumbersInTheAPI(t *testing.T) {
	sections := map[overview.Section]string{
		overview.SectionStates:      "SECTION_STATES",
		overview.SectionReasons:     "SECTION_REASONS",
		overview.SectionVersions:    "SECTION_VERSIONS",
		overview.SectionExpiring:    "SECTION_EXPIRING",
		overview.SectionIncidents:   "SECTION_INCIDENTS",
		overview.SectionSlowest:     "SECTION_SLOWEST",
		overview.SectionTransitions: "SECTION_TRANSITIONS",
	}
	for section, want := range sections {
		m := overviewMessage(&overview.Overview{Failures: []overview.Failure{{Section: section, Err: overview.ErrNoHistory}}})
		if got := m.GetFailures()[0].GetSection().String(); got != want {
			t.Errorf("%s is %s in the API", want, got)
		}
	}
	if n := len(fleetv1.GetFleetOverviewResponse_Section_name) - 1; n != len(sections) {
		t.Errorf("%d sections in the API, %d in the domain", n, len(sections))
	}
	causes := map[health.Cause]string{
		health.CauseZone:      "CAUSE_DNS_ZONE",
		health.CauseAuthority: "CAUSE_CERTIFICATE_AUTHORITY",
		health.CauseRange:     "CAUSE_ADDRESS_RANGE",
		health.CauseRegion:    "CAUSE_REGION",
	}
	for cause, want := range causes {
		if got := incident(health.Incident{Cause: cause}).GetCause().String(); got != want {
			t.Errorf("%s is %s in the API", want, got)
		}
	}
	if n := len(fleetv1.Incident_Cause_name) - 1; n != len(causes) {
		t.Errorf("%d causes in the API, %d in the domain", n, len(causes))
	}
}

func TestOnlySomeMembersOfAnIncidentAreNamed(t *testing.T) {
	i := health.Incident{Exposed: 300}
	for n := range 250 {
		i.Members = append(i.Members, fmt.Sprintf("c%03d", n))
	}
	if m := incident(i); len(m.GetClusters()) != 100 || m.GetMembers() != 250 || m.GetExposed() != 300 || m.GetSince() != nil {
		t.Errorf("%d named of %d members, %d exposed, since %v", len(m.GetClusters()), m.GetMembers(), m.GetExposed(), m.GetSince())
	}
}
