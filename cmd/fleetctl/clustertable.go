package main

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// clusterTable prints a line a cluster, in the order given. MESSAGE stands last: of the other cells only STATE may hold spaces.
func (a *app) clusterTable(found []live, wide, noHeadings bool) error {
	grid := output.Grid{Headings: []string{"NAME", "STATE", "REASON", "AGE", "SINCE", "VERSION", "FLAGS"}, NoHeadings: noHeadings}
	if wide {
		grid.Headings = append(grid.Headings, "P50", "P99", "UP-1H", "UP-24H", "UP-30D", "EXPIRES", "INCIDENT",
			"SERVER", "CREDENTIAL", "NAMESPACE", "SOURCE", "LABELS", "MESSAGE")
	}
	if a.coloured() {
		grid.Colour = stateColour(slices.Index(grid.Headings, "STATE"))
	}
	for _, l := range found {
		verdict := l.observation().GetVerdict()
		cells := []string{
			l.cluster.GetName(), l.state(), word(verdict.GetReason(), "REASON_"), l.age(), l.since(),
			orDash(verdict.GetServerVersion()), orDash(l.flags()),
		}
		if wide {
			cells = append(cells, l.wideCells()...)
		}
		grid.Row(cells...)
	}
	return grid.Write(a.stdout)
}

func (l live) wideCells() []string {
	c, up, took := l.cluster, l.health.GetAvailability(), l.health.GetLatency()
	ends := l.health.GetExpiries()
	if l.health == nil {
		ends = l.observation().GetVerdict().GetExpiries()
	}
	if up == nil {
		up = &fleetv1.Availability{}
	}
	return []string{
		latency(took.GetP50()), latency(took.GetP99()), percent(up.Hour), percent(up.Day), percent(up.Month),
		expires(ends), orDash(l.health.GetIncident()), orDash(c.GetServer()),
		strings.ToLower(word(c.GetCredential(), "CREDENTIAL_")), orDash(c.GetNamespace()), orDash(c.GetSource()),
		orDash(labels.Set(c.GetLabels()).String()), orDash(l.observation().GetVerdict().GetMessage()),
	}
}

// age is how old the observation is; a dash where there is none.
func (l live) age() string { return span(l.observation().GetAge()) }

// since is for how long the cluster has been in its state; a dash where that is not known.
func (l live) since() string {
	if at := l.health.GetSince(); at != nil {
		return duration.HumanDuration(max(0, l.now().Sub(at.AsTime())))
	}
	return "-"
}

// percent is a part of the time, rounded down: 100% means all of it. A dash where it is not known.
func percent(part *float64) string {
	if part == nil {
		return "-"
	}
	const digits = 1e4                                     // Two behind the point.
	hundredths := math.Floor(*part*digits*(1+1e-12)) / 100 // 0.9995 is a little less than it looks.
	return strconv.FormatFloat(hundredths, 'f', -1, 64) + "%"
}
