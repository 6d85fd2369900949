package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// maxExamples is how many clusters the page names of those that share a failure.
const maxExamples = 3

// section is the word for a part of the overview.
func section(s fleetv1.GetFleetOverviewResponse_Section) string {
	return strings.ToLower(word(s, "SECTION_"))
}

// pageSection is a table with its title.
type pageSection struct {
	kind fleetv1.GetFleetOverviewResponse_Section
	grid output.Grid
	// stateColumn is the column that is coloured; -1 for none.
	stateColumn int
	rows        int
}

func newSection(kind fleetv1.GetFleetOverviewResponse_Section, headings ...string) *pageSection {
	return &pageSection{kind: kind, grid: output.Grid{Headings: headings}, stateColumn: slices.Index(headings, "TO")}
}

func (s *pageSection) row(cells ...string) {
	s.grid.Row(cells...)
	s.rows++
}

// overviewPage prints the sections that have entries, and the titles of those that could not be made.
func (a *app) overviewPage(o *fleetv1.GetFleetOverviewResponse, f overviewFlags) error {
	failed := map[fleetv1.GetFleetOverviewResponse_Section]bool{}
	for _, failure := range o.GetFailures() {
		failed[failure.GetSection()] = true
	}
	separator := ""
	for _, s := range []*pageSection{
		stateSection(o, f.groupBy), reasonSection(o), versionSection(o), expirySection(o), incidentSection(o), slowSection(o), changeSection(o),
	} {
		title := strings.ToUpper(section(s.kind))
		switch {
		case failed[s.kind]:
			title += ": could not be made"
		case s.rows == 0:
			continue
		}
		if _, err := fmt.Fprint(a.stdout, separator+title+"\n"); err != nil {
			return err
		}
		separator = "\n"
		s.grid.NoHeadings = f.noHeadings
		if a.coloured() && s.stateColumn >= 0 {
			s.grid.Colour = stateColour(s.stateColumn)
		}
		if err := s.grid.Write(a.stdout); err != nil {
			return err
		}
	}
	return nil
}

// stateSection counts all clusters, and those with each value of the label.
func stateSection(o *fleetv1.GetFleetOverviewResponse, groupBy string) *pageSection {
	first := "CLUSTERS"
	if groupBy != "" {
		first = strings.ToUpper(groupBy)
	}
	s := newSection(fleetv1.GetFleetOverviewResponse_SECTION_STATES, first, "TOTAL", "HEALTHY", "DEGRADED", "UNREACHABLE", "UNAUTHORIZED",
		"UNKNOWN", "VIRTUAL", "MAINTENANCE", "FLAPPING")
	count := func(name string, n *fleetv1.GetFleetOverviewResponse_States) {
		cells := []string{name}
		for _, n := range []int32{
			n.GetTotal(), n.GetHealthy(), n.GetDegraded(), n.GetUnreachable(), n.GetUnauthorized(),
			n.GetUnknown(), n.GetVirtual(), n.GetMaintenance(), n.GetFlapping(),
		} {
			cells = append(cells, strconv.Itoa(int(n)))
		}
		s.row(cells...)
	}
	if o.GetStates() != nil {
		count("(all)", o.GetStates())
	}
	for _, group := range o.GetGroups() {
		name := group.GetValue()
		if name == "" {
			name = "(without)"
		}
		count(name, group)
	}
	return s
}

func reasonSection(o *fleetv1.GetFleetOverviewResponse) *pageSection {
	s := newSection(fleetv1.GetFleetOverviewResponse_SECTION_REASONS, "REASON", "COUNT", "CLUSTERS")
	for _, r := range o.GetReasons() {
		s.row(word(r.GetReason(), "REASON_"), strconv.Itoa(int(r.GetCount())), orDash(examples(r.GetClusters(), r.GetCount())))
	}
	return s
}

func versionSection(o *fleetv1.GetFleetOverviewResponse) *pageSection {
	s := newSection(fleetv1.GetFleetOverviewResponse_SECTION_VERSIONS, "VERSION", "COUNT")
	for _, v := range o.GetVersions() {
		name := v.GetVersion()
		if name == "" {
			name = "(not known)"
		}
		s.row(name, strconv.Itoa(int(v.GetCount())))
	}
	return s
}

func expirySection(o *fleetv1.GetFleetOverviewResponse) *pageSection {
	s := newSection(fleetv1.GetFleetOverviewResponse_SECTION_EXPIRING, "EXPIRES", "CLUSTER", "WHAT")
	for _, e := range o.GetExpiring() {
		s.row(when(e.GetExpiresAt()), e.GetCluster(), strings.ToLower(word(e.GetKind(), "KIND_")))
	}
	return s
}

func incidentSection(o *fleetv1.GetFleetOverviewResponse) *pageSection {
	s := newSection(fleetv1.GetFleetOverviewResponse_SECTION_INCIDENTS, "SINCE", "CAUSE", "VALUE", "REASON", "MEMBERS", "CLUSTERS", "MESSAGE")
	for _, i := range o.GetIncidents() {
		s.row(when(i.GetSince()), strings.ToLower(word(i.GetCause(), "CAUSE_")), orDash(i.GetValue()), word(i.GetReason(), "REASON_"),
			fmt.Sprintf("%d/%d", i.GetMembers(), i.GetExposed()), orDash(examples(i.GetClusters(), i.GetMembers())), orDash(i.GetMessage()))
	}
	return s
}

func slowSection(o *fleetv1.GetFleetOverviewResponse) *pageSection {
	s := newSection(fleetv1.GetFleetOverviewResponse_SECTION_SLOWEST, "CLUSTER", "P50", "P90", "P99", "PROBES")
	for _, slow := range o.GetSlowest() {
		l := slow.GetLatency()
		s.row(slow.GetCluster(), latency(l.GetP50()), latency(l.GetP90()), latency(l.GetP99()), strconv.Itoa(int(l.GetProbes())))
	}
	return s
}

func changeSection(o *fleetv1.GetFleetOverviewResponse) *pageSection {
	s := newSection(fleetv1.GetFleetOverviewResponse_SECTION_TRANSITIONS, "TIME", "CLUSTER", "FROM", "TO", "LASTED", "REASON", "MESSAGE")
	for _, t := range o.GetTransitions() {
		s.row(when(t.GetOccurredAt()), t.GetCluster(), word(t.GetFrom(), "STATE_"), word(t.GetTo(), "STATE_"),
			span(t.GetLasted()), word(t.GetReason(), "REASON_"), orDash(t.GetMessage()))
	}
	return s
}

// examples names a few of all clusters, without spaces, and counts the others.
func examples(names []string, all int32) string {
	few := names[:min(maxExamples, len(names))]
	text := strings.Join(few, ",")
	if more := int(all) - len(few); more > 0 && len(few) > 0 {
		text += fmt.Sprintf(",+%d", more)
	}
	return text
}
