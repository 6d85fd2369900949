package main

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/apimachinery/pkg/api/validate/content"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// overviewFlags are the flags of one `overview`.
type overviewFlags struct {
	selection
	printing

	groupBy  string
	limit    int32
	expiring model.Duration // It takes days and weeks.
}

func (a *app) overviewCommand() *cobra.Command {
	f := overviewFlags{expiring: model.Duration(30 * 24 * time.Hour)}
	cmd := &cobra.Command{
		Use:   "overview [NAME…]",
		Short: "Show the fleet on one page",
		Long: `Show the fleet on one page: how many clusters are in which state, in all and by the values of a label (--group-by), why
clusters are not healthy, which versions they run, what expires soon, failures that several clusters share, which clusters
answer slowest, and what has changed last. A section without entries is left out.

A section that could not be made is a warning on stderr; the others are printed. Exit code 1 where none could be made.

-o json and yaml print the whole answer, jsonpath reads it, jsonl prints it on one line.`,
		Example: `  fleetctl overview
  fleetctl overview --group-by env
  fleetctl overview -l env=prod --expiring-within 90d --limit 5
  fleetctl overview -o json | jq .states.healthy`,
		RunE: func(cmd *cobra.Command, names []string) error {
			f.names = names
			return a.overview(cmd, f)
		},
		ValidArgsFunction: a.completeClusters,
	}
	f.registerLabels(cmd)
	f.registerStates(cmd)
	f.register(cmd)
	cmd.Flags().StringVar(&f.groupBy, "group-by", "", "the label by whose values clusters are counted, such as region")
	cmd.Flags().Int32Var(&f.limit, "limit", 10, "how many entries a section lists at most, 1 to 100")
	cmd.Flags().Var(&f.expiring, "expiring-within", "list what expires within this time, such as 12h or 90d")
	mustComplete(cmd, "group-by", a.completeLabels)
	mustComplete(cmd, "limit", cobra.NoFileCompletions)
	mustComplete(cmd, "expiring-within", cobra.FixedCompletions([]string{"7d", "30d", "90d"}, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder))
	return cmd
}

func (a *app) overview(cmd *cobra.Command, f overviewFlags) error {
	format, err := f.format()
	if err != nil {
		return err
	}
	if err := only(format, "", output.Table, output.JSON, output.YAML, output.JSONL, output.JSONPath); err != nil {
		return err
	}
	req, err := f.request()
	if err != nil {
		return err
	}
	ctx, c, done, err := a.call(cmd)
	if err != nil {
		return err
	}
	defer done()
	overview, err := c.GetFleetOverview(ctx, req)
	if err != nil {
		return err
	}
	if format.Kind == output.Table {
		err = a.overviewPage(overview, f)
	} else {
		err = a.overviewDocument(overview, format)
	}
	if err != nil {
		return err
	}
	if err := a.stdout.Flush(); err != nil { // The results come first where both go to one place.
		return err
	}
	return a.overviewFailures(overview.GetFailures())
}

// request checks the flags here, so that a mistake is reported without a call.
func (f *overviewFlags) request() (*fleetv1.GetFleetOverviewRequest, error) {
	selector, err := f.selector("-l")
	if err != nil {
		return nil, err
	}
	const maxEntries = 100
	switch {
	case f.groupBy != "" && len(content.IsLabelKey(f.groupBy)) > 0:
		return nil, usagef("--group-by %q is not the name of a label", f.groupBy)
	case f.limit < 1 || f.limit > maxEntries:
		return nil, usagef("--limit must be from 1 to %d, not %d", maxEntries, f.limit)
	case f.expiring <= 0:
		return nil, usagef("--expiring-within must be positive, not %s", f.expiring)
	}
	return &fleetv1.GetFleetOverviewRequest{
		Selector: selector, GroupBy: f.groupBy, Limit: f.limit, ExpiringWithin: durationpb.New(time.Duration(f.expiring)),
	}, nil
}

func (a *app) overviewDocument(o *fleetv1.GetFleetOverviewResponse, format output.Format) error {
	raw, err := output.Message(o)
	if err != nil {
		return err
	}
	return output.Write(a.plain(), format, raw)
}

// overviewFailures names the sections that could not be made.
func (a *app) overviewFailures(failures []*fleetv1.GetFleetOverviewResponse_Failure) error {
	for _, f := range failures {
		fmt.Fprintln(a.stderr, "warning: "+failure{"section " + section(f.GetSection()), client.StatusError(f.GetError())}.String())
	}
	if sections := len(fleetv1.GetFleetOverviewResponse_Section_name) - 1; len(failures) >= sections {
		return exitError{exitFailed, "no section could be made"}
	}
	return nil
}
