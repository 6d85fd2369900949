package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
)

// clustersFlags are the flags of one `clusters`.
type clustersFlags struct {
	selection
	printing

	order order
}

func (a *app) clustersCommand() *cobra.Command {
	var f clustersFlags
	cmd := &cobra.Command{
		Use:   "clusters [NAME…]",
		Short: "List the clusters of the fleet with their live state",
		Long: `List the clusters of the fleet with the state that the continuous monitor knows. No cluster is asked: "probe" does that.

AGE is that of the latest observation, SINCE for how long the cluster has been in its state. "UNKNOWN (was HEALTHY)" tells
the last state that was known. FLAGS are flapping; maintenance; observer-suspect: the aggregator itself seems to be cut off;
restored: not probed since the aggregator started; unconfirmed: the latest probe found another state; virtual.
-o wide adds quantiles of the probes' latency, the part of the time in which the cluster was healthy, what expires first,
the incident, the definition and the message.

Where the aggregator does not monitor its clusters, the state is that of the last probe.

-o json prints {"items": […]}, jsonl a line a cluster: the definition, with what the monitor knows as "health"; jsonpath and
custom-columns read the same documents.`,
		Example: `  fleetctl clusters
  fleetctl clusters prod-1 prod-2 -o wide
  fleetctl clusters -l 'env in (prod, staging)' --state unreachable,degraded
  fleetctl clusters --sort-by since
  fleetctl clusters -o custom-columns=NAME:.name,SERVER:.server,P99:.health.latency.p99
  fleetctl clusters --state healthy -o name`,
		RunE: func(cmd *cobra.Command, names []string) error {
			f.names = names
			return a.clusters(cmd, f)
		},
		ValidArgsFunction: a.completeClusters,
	}
	f.registerLabels(cmd)
	f.registerStates(cmd)
	f.order.register(cmd)
	f.register(cmd)
	return cmd
}

func (a *app) clusters(cmd *cobra.Command, f clustersFlags) error {
	format, err := f.format()
	if err != nil {
		return err
	}
	selector, err := f.selector("-l")
	if err != nil {
		return err
	}
	if err := f.order.check(); err != nil {
		return err
	}
	ctx, c, done, err := a.call(cmd)
	if err != nil {
		return err
	}
	defer done()
	found, failed := listLive(ctx, c, selector)
	if failed != nil && len(found) == 0 {
		return failed
	}
	f.order.sort(found)
	if err := a.printClusters(found, format, f.printing); err != nil {
		return err
	}
	return failed
}

func (a *app) printClusters(found []live, format output.Format, p printing) error {
	switch format.Kind {
	case output.Table, output.Wide:
		if len(found) == 0 {
			_, err := fmt.Fprintln(a.stderr, noClusters)
			return err
		}
		return a.clusterTable(found, format.Kind == output.Wide, p.noHeadings)
	case output.Name:
		for _, l := range found {
			if err := a.name(l.cluster.GetName()); err != nil {
				return err
			}
		}
		return nil
	default:
	}
	items := make([]json.RawMessage, 0, len(found))
	for _, l := range found {
		raw, err := l.json()
		if err != nil {
			return err
		}
		if format.Kind == output.JSONL {
			if err := a.line(raw); err != nil {
				return err
			}
		}
		items = append(items, raw)
	}
	if format.Kind == output.JSONL {
		return nil
	}
	return a.document(p, format, items, nil)
}
