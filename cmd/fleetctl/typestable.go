package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// typesTable prints a line a type and version, in the order given.
func (a *app) typesTable(types []*fleetv1.ServedType, f typesFlags, wide bool) error {
	grid := output.Grid{Headings: []string{"NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"}, NoHeadings: f.noHeadings}
	if f.deprecated {
		grid.Headings = append(grid.Headings, "REMOVED-IN", "REPLACEMENT")
	}
	grid.Headings = append(grid.Headings, "CLUSTERS")
	if wide {
		grid.Headings = append(grid.Headings, "PREFERRED", "DEPRECATED-IN", "SERVING", "MISSING")
	}
	for _, t := range types {
		cells := []string{
			t.GetResource(), orDash(strings.Join(t.GetShortNames(), ",")), apiVersion(t.GetGroup(), t.GetVersion()),
			strconv.FormatBool(t.GetNamespaced()), t.GetKind(),
		}
		if f.deprecated {
			cells = append(cells, orDash(t.GetRemovedIn()), orDash(replacement(t)))
		}
		cells = append(cells, fmt.Sprintf("%d/%d", t.GetClusters(), t.GetClusters()+t.GetMissingCount()))
		if wide {
			cells = append(cells, strconv.Itoa(int(t.GetPreferred())), orDash(t.GetDeprecatedIn()), orDash(examples(t.GetServing(), t.GetClusters())),
				orDash(examples(t.GetMissing(), t.GetMissingCount())))
		}
		grid.Row(cells...)
	}
	return grid.Write(a.stdout)
}

func apiVersion(group, version string) string {
	if group == "" {
		return version
	}
	return group + "/" + version
}

// replacement is what replaces a type as KIND.VERSION.GROUP: a cell holds no spaces.
func replacement(t *fleetv1.ServedType) string {
	groupVersion, kind, _ := strings.Cut(t.GetReplacement(), " ")
	group, version, grouped := strings.Cut(groupVersion, "/")
	if !grouped {
		return strings.Trim(kind+"."+group, ".")
	}
	return kind + "." + version + "." + group
}

// warnBroken names the APIs that clusters announce and cannot serve, up to a bound unless all are wanted.
func (a *app) warnBroken(broken []*fleetv1.BrokenAPI, all bool) {
	for i, b := range broken {
		if i == maxWarnings && !all {
			fmt.Fprintf(a.stderr, "warning: and %d more APIs that are not served\n", len(broken)-i)
			return
		}
		text := examples(b.GetClusters(), b.GetClusterCount())
		if text == "" {
			text = fmt.Sprintf("%d clusters", b.GetClusterCount())
		}
		fmt.Fprintln(a.stderr, "warning: "+safetext.Clean(fmt.Sprintf("%s is announced and not served in %s: %s",
			apiVersion(b.GetGroup(), b.GetVersion()), text, b.GetMessage())))
	}
}
