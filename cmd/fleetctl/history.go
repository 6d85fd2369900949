package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// historyFlags are the flags of one `history`.
type historyFlags struct {
	selection
	printing

	since model.Duration // It takes days and weeks.
	limit int
}

// noTransitions says that nothing has changed, or that nothing is kept of it.
const noTransitions = "No transitions found."

// maxPage is how many items a page has at most.
const maxPage = 1000

func (a *app) historyCommand() *cobra.Command {
	var f historyFlags
	cmd := &cobra.Command{
		Use:   "history [NAME…]",
		Short: "Show how the clusters' states have changed, the latest change first",
		Long: `Show how the clusters' states have changed, the latest change first: when, from which state to which, how long the one
before lasted, and why. Clusters that are no longer in the fleet may be named. --state selects the states changed to.

-o json prints {"items": […]}, jsonl a line a transition, name each cluster once; jsonpath and custom-columns read the
same documents.`,
		Example: `  fleetctl history
  fleetctl history prod-1 --since 7d
  fleetctl history -l env=prod --state unreachable,degraded --limit 20 -o wide
  fleetctl history --since 24h --limit 10000 -o jsonl | jq -r .cluster | sort | uniq -c`,
		RunE: func(cmd *cobra.Command, names []string) error {
			f.names = names
			return a.history(cmd, f)
		},
		ValidArgsFunction: a.completeClusters,
	}
	f.registerLabels(cmd)
	f.registerStatesAs(cmd, "only changes to one of these states")
	f.register(cmd)
	cmd.Flags().Var(&f.since, "since", "only changes of the last such as 24h or 7d (default all that are kept)")
	cmd.Flags().IntVar(&f.limit, "limit", 100, "how many changes are shown at most, the latest")
	mustComplete(cmd, "since", cobra.FixedCompletions([]string{"1h", "24h", "7d", "30d"}, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder))
	mustComplete(cmd, "limit", cobra.NoFileCompletions)
	return cmd
}

func (a *app) history(cmd *cobra.Command, f historyFlags) error {
	format, err := f.format()
	if err != nil {
		return err
	}
	selector, err := f.selector("-l")
	if err != nil {
		return err
	}
	req := &fleetv1.ListTransitionsRequest{Selector: selector, PageSize: int32(min(f.limit, maxPage-1)) + 1} //nolint:gosec // It is bounded.
	switch {
	case f.limit < 1:
		return usagef("--limit must be at least 1, not %d", f.limit)
	case cmd.Flags().Changed("since") && f.since <= 0:
		return usagef("--since must be positive, not %s", f.since)
	case f.since > 0:
		req.Since = timestamppb.New(time.Now().Add(-time.Duration(f.since)))
	}
	ctx, c, done, err := a.call(cmd)
	if err != nil {
		return err
	}
	defer done()
	var found []*fleetv1.Transition
	var failed error
	for transition, err := range c.ListTransitions(ctx, req) {
		if failed = err; failed != nil {
			break
		}
		if len(found) == f.limit {
			fmt.Fprintf(a.stderr, "the latest %d are shown, there are more: --limit\n", f.limit)
			break
		}
		found = append(found, transition)
	}
	if failed != nil && len(found) == 0 {
		return failed
	}
	if err := a.printHistory(found, format, f.printing); err != nil {
		return err
	}
	return failed
}

func (a *app) printHistory(found []*fleetv1.Transition, format output.Format, p printing) error {
	switch format.Kind {
	case output.Table, output.Wide:
		if len(found) == 0 {
			_, err := fmt.Fprintln(a.stderr, noTransitions)
			return err
		}
		return a.historyTable(found, format.Kind == output.Wide, p.noHeadings)
	case output.Name:
		seen := map[string]bool{}
		for _, t := range found {
			if seen[t.GetCluster()] {
				continue
			}
			seen[t.GetCluster()] = true
			if err := a.name(t.GetCluster()); err != nil {
				return err
			}
		}
		return nil
	case output.JSONL:
		for _, t := range found {
			if err := a.message(t); err != nil {
				return err
			}
		}
		return nil
	default:
		items, err := encoded(found)
		if err != nil {
			return err
		}
		return a.document(p, format, items, nil)
	}
}

func (a *app) historyTable(found []*fleetv1.Transition, wide, noHeadings bool) error {
	grid := output.Grid{Headings: []string{"TIME", "CLUSTER", "FROM", "TO", "LASTED", "REASON", "MESSAGE"}, NoHeadings: noHeadings}
	if wide {
		grid.Headings = []string{"TIME", "CLUSTER", "FROM", "TO", "LASTED", "REASON", "BLAME", "FLAGS", "SEQUENCE", "MESSAGE"}
	}
	if a.coloured() {
		grid.Colour = stateColour(slices.Index(grid.Headings, "TO"))
	}
	for _, t := range found {
		cells := []string{
			when(t.GetOccurredAt()), t.GetCluster(), word(t.GetFrom(), "STATE_"), word(t.GetTo(), "STATE_"),
			span(t.GetLasted()), word(t.GetReason(), "REASON_"),
		}
		if wide {
			flags := "-"
			if t.GetFlapping() {
				flags = "flapping"
			}
			cells = append(cells, word(t.GetBlame(), "BLAME_"), flags, strconv.FormatUint(t.GetSequence(), 10))
		}
		grid.Row(append(cells, orDash(t.GetMessage()))...)
	}
	return grid.Write(a.stdout)
}

// when is a time to the second; a dash where it is not known.
func when(t *timestamppb.Timestamp) string {
	if t == nil {
		return "-"
	}
	return t.AsTime().UTC().Format(time.RFC3339)
}

// span is a time of seconds to years with the digits that matter; a dash where it is not known.
func span(d *durationpb.Duration) string {
	if d == nil {
		return "-"
	}
	return duration.HumanDuration(d.AsDuration())
}
