package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

func (a *app) clustersCommand() *cobra.Command {
	var selected selection
	var printed printing
	cmd := &cobra.Command{
		Use:   "clusters [NAME…]",
		Short: "List the clusters of the fleet with their last known state",
		Long: `List the clusters of the fleet with their last known state, in the order of their names. No cluster is asked: "probe"
does that.

-o json prints {"items": […]}, jsonl a line a cluster; jsonpath and custom-columns read the same documents.`,
		Example: `  fleetctl clusters
  fleetctl clusters prod-1 prod-2 -o wide
  fleetctl clusters -l 'env in (prod, staging)' --state unreachable,degraded
  fleetctl clusters -o custom-columns=NAME:.name,SERVER:.server
  fleetctl clusters --state healthy -o name`,
		RunE: func(cmd *cobra.Command, names []string) error {
			selected.names = names
			return a.clusters(cmd, selected, printed)
		},
		ValidArgsFunction: a.completeClusters,
	}
	cmd.Flags().StringVarP(&selected.labels, "selector", "l", "", "only clusters whose labels match, such as env=prod,!canary")
	selected.registerStates(cmd)
	printed.register(cmd)
	return cmd
}

func (a *app) clusters(cmd *cobra.Command, selected selection, printed printing) error {
	format, err := printed.format()
	if err != nil {
		return err
	}
	selector, err := selected.selector("-l")
	if err != nil {
		return err
	}
	c, err := a.dial(cmd)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := a.bounded(cmd.Context())
	defer cancel()
	var found []*fleetv1.Cluster
	var failed error
	for cluster, err := range c.ListClusters(ctx, &fleetv1.ListClustersRequest{Selector: selector}) {
		if failed = err; failed != nil {
			break
		}
		switch format.Kind {
		case output.JSONL:
			raw, err := output.Message(cluster)
			if err != nil {
				return err
			}
			if err := a.line(raw); err != nil {
				return err
			}
		case output.Name:
			if err := a.name(cluster.GetName()); err != nil {
				return err
			}
		default:
			found = append(found, cluster)
		}
	}
	if failed != nil && len(found) == 0 {
		return failed
	}
	if err := a.printClusters(found, format, printed); err != nil {
		return err
	}
	return failed
}

func (a *app) printClusters(found []*fleetv1.Cluster, format output.Format, printed printing) error {
	switch format.Kind {
	case output.JSONL, output.Name:
		return nil
	case output.Table, output.Wide:
		return a.clusterTable(found, format.Kind == output.Wide, printed.noHeadings)
	default:
		items := make([]named, 0, len(found))
		for _, cluster := range found {
			items = append(items, named{cluster.GetName(), cluster})
		}
		return a.document(printed, format, items, nil)
	}
}

func (a *app) clusterTable(found []*fleetv1.Cluster, wide, noHeadings bool) error {
	if len(found) == 0 {
		_, err := fmt.Fprintln(a.stderr, noClusters)
		return err
	}
	grid := output.Grid{Headings: []string{"CLUSTER", "STATE", "REASON", "VERSION", "CHECKED", "SERVER"}, NoHeadings: noHeadings}
	if wide {
		grid.Headings = append(grid.Headings, "CREDENTIAL", "NAMESPACE", "SOURCE", "LABELS")
	}
	if a.coloured() {
		grid.Colour = stateColour(slices.Index(grid.Headings, "STATE"))
	}
	for _, cluster := range found {
		verdict := cluster.GetObservation().GetVerdict()
		checked := "-"
		if age := cluster.GetObservation().GetAge(); age != nil {
			checked = duration.HumanDuration(age.AsDuration())
		}
		cells := []string{
			cluster.GetName(), state(verdict, cluster.GetVirtual()), word(verdict.GetReason(), "REASON_"),
			orDash(verdict.GetServerVersion()), checked, orDash(cluster.GetServer()),
		}
		if wide {
			cells = append(cells, strings.ToLower(word(cluster.GetCredential(), "CREDENTIAL_")), orDash(cluster.GetNamespace()),
				orDash(cluster.GetSource()), orDash(labels.Set(cluster.GetLabels()).String()))
		}
		grid.Row(cells...)
	}
	return grid.Write(a.stdout)
}
