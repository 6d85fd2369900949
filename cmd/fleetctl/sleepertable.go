package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

func (a *app) printSleepers(s *sleepers, summary *fleetv1.Summary, f hibernationFlags, format output.Format) error {
	switch format.Kind {
	case output.JSONL, output.Name:
		return nil
	case output.Table, output.Wide:
		return a.sleeperTable(s.sorted(), f, format.Kind == output.Wide)
	default:
		all := s.sorted()
		if f.state != "" {
			all = slices.DeleteFunc(all, func(r *fleetv1.HibernationResult) bool { return len(r.GetGroups()) == 0 })
		}
		items, err := encoded(all)
		if err != nil {
			return err
		}
		return a.document(f.printing, format, items, summary)
	}
}

// sleeperTable prints a line a group.
func (a *app) sleeperTable(all []*fleetv1.HibernationResult, f hibernationFlags, wide bool) error {
	headings := map[string][]string{
		"cluster":   {"CLUSTER", "STATE", "ELIGIBLE", "HIBERNATED", "UNKNOWN", "REPLICAS", "WAS"},
		"namespace": {"CLUSTER", "NAMESPACE", "STATE", "ELIGIBLE", "HIBERNATED", "UNKNOWN", "REPLICAS", "WAS"},
		"workload":  {"CLUSTER", "NAMESPACE", "WORKLOAD", "STATE", "REPLICAS", "WAS"},
	}[f.by]
	if wide {
		headings = append(headings, "UNREADABLE")
	}
	grid := output.Grid{Headings: headings, NoHeadings: f.noHeadings}
	if a.coloured() {
		grid.Colour = sleepColour(slices.Index(headings, "STATE"))
	}
	for _, r := range all {
		for _, g := range r.GetGroups() {
			cells := append(f.nameOf(r.GetCluster(), g), word(g.GetState(), "STATE_"))
			if f.by != "workload" {
				cells = append(cells, number(g.GetEligible()), number(g.GetHibernated()), number(g.GetUnknown()))
			}
			cells = append(cells, strconv.FormatInt(g.GetReplicas(), 10), strconv.FormatInt(g.GetHibernatedReplicas(), 10))
			if wide {
				cells = append(cells, orDash(unreadable(r)))
			}
			grid.Row(cells...)
		}
	}
	return grid.Write(a.stdout)
}

// nameOf is what a line is about.
func (f *hibernationFlags) nameOf(cluster string, g *fleetv1.HibernationGroup) []string {
	switch f.by {
	case "namespace":
		return []string{cluster, g.GetNamespace()}
	case "workload":
		return []string{cluster, g.GetNamespace(), strings.ToLower(g.GetKind()) + "/" + g.GetName()}
	}
	return []string{cluster}
}

// sleeperNames prints what the lines of a message would be about.
func (a *app) sleeperNames(r *fleetv1.HibernationResult, f hibernationFlags) error {
	for _, g := range r.GetGroups() {
		if err := a.name(f.nameOf(r.GetCluster(), g)...); err != nil {
			return err
		}
	}
	return a.stdout.Flush()
}

func number(n int32) string { return strconv.Itoa(int(n)) }

// unreadable names the types that could not be read.
func unreadable(r *fleetv1.HibernationResult) string {
	var names []string
	for _, u := range r.GetUnreadable() {
		names = append(names, u.GetResource()+"="+u.GetReason())
	}
	return strings.Join(names, ",")
}

// sleepColour is grey for what sleeps, green for what runs and yellow for what is between or unknown.
func sleepColour(column int) func(int, string) string {
	colours := map[string]string{"HIBERNATED": "90", "PARTIALLY_HIBERNATED": "33", "RUNNING": "32", "UNKNOWN": "33"}
	return func(at int, cell string) string {
		if at != column {
			return ""
		}
		return colours[cell]
	}
}
