package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// defaultWait is how long `wait` waits unless the command line says otherwise.
const defaultWait = 5 * time.Minute

// maxMissing bounds how many clusters are named that did not come into the state.
const maxMissing = 10

// waitFlags are the flags of one `wait`.
type waitFlags struct {
	selection
	printing

	condition string
	one       bool
}

func (a *app) waitCommand() *cobra.Command {
	var f waitFlags
	cmd := &cobra.Command{
		Use:   "wait --for=state=STATE [NAME…]",
		Short: "Wait until the clusters are in a state",
		Long: `Wait until all selected clusters are in a state at the same time, or with --any until one is. Nothing is polled: the
aggregator sends what changes. Each cluster is printed as it comes into the state, with -o name its name, with -o jsonl what
is known of it. What was known before the aggregator started does not count. Virtual clusters have no state to wait for.

It waits for 5 minutes, or for --timeout on the command line; the configuration's timeout is for calls.

Exit code 0: they are. 124: the time ran out; stderr names who is missing. 3: no cluster is selected. 2: --for is wrong, or
a name is not known. 1: a cluster that is named has left the fleet.`,
		Example: `  fleetctl wait --for=state=HEALTHY prod-1 prod-2
  fleetctl wait --for=state=healthy -l env=prod --timeout 30s
  fleetctl wait --for=state=HEALTHY --any -o name`,
		RunE: func(cmd *cobra.Command, names []string) error {
			f.names = names
			return a.wait(cmd, f)
		},
		ValidArgsFunction: a.completeClusters,
	}
	f.registerLabels(cmd)
	f.register(cmd)
	cmd.Flags().StringVar(&f.condition, "for", "", "what to wait for: state=STATE with one of "+strings.Join(stateNames(), ", "))
	cmd.Flags().BoolVar(&f.one, "any", false, "wait until one cluster is in the state, not all")
	conditions := stateNames()
	for i, name := range conditions {
		conditions[i] = "state=" + strings.ToUpper(name)
	}
	mustComplete(cmd, "for", cobra.FixedCompletions(conditions, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// parseCondition reads state=STATE.
func parseCondition(text string) (fleetv1.Verdict_State, error) {
	subject, name, ok := strings.Cut(text, "=")
	wanted := fleetv1.Verdict_State(fleetv1.Verdict_State_value["STATE_"+strings.ToUpper(name)])
	switch {
	case text == "":
		return 0, usagef("say what to wait for, such as --for=state=HEALTHY")
	case !ok || subject != "state":
		return 0, usagef("--for %q is not a condition: write state=STATE", text)
	case wanted == fleetv1.Verdict_STATE_UNSPECIFIED:
		return 0, usagef("--for: unknown state %q: use %s", name, strings.Join(stateNames(), ", "))
	}
	return wanted, nil
}

func (a *app) wait(cmd *cobra.Command, f waitFlags) error {
	wanted, err := parseCondition(f.condition)
	if err != nil {
		return err
	}
	format, err := f.format()
	if err != nil {
		return err
	}
	if err := only(format, "", output.Table, output.JSONL, output.Name); err != nil {
		return err
	}
	selector, err := f.selector("-l")
	if err != nil {
		return err
	}
	given := timeGiven(cmd)
	c, err := a.dial(cmd)
	if err != nil {
		return err
	}
	defer c.Close()
	if !given {
		a.connection.timeout = defaultWait
	}
	ctx, cancel := a.bounded(cmd.Context())
	defer cancel()
	w := &waiting{
		app: a, format: format, flags: f, wanted: wanted, board: newBoard(), ticker: ticker{app: a},
		there: map[string]bool{}, missing: map[string]string{},
	}
	for event, err := range c.Watch(ctx, &fleetv1.WatchClusterHealthRequest{Selector: selector}) {
		switch {
		case err != nil && w.began && timeOver(ctx, err) && cmd.Context().Err() == nil:
			return w.late()
		case err != nil:
			return err
		}
		if done, err := w.take(event); done || err != nil {
			return err
		}
	}
	return nil
}

// waiting is a wait under way.
type waiting struct {
	app    *app
	format output.Format
	flags  waitFlags
	wanted fleetv1.Verdict_State
	board  *board
	ticker ticker
	began  bool
	// there are the clusters that are in the state; missing are the states of the others. Virtual ones are in neither.
	there   map[string]bool
	missing map[string]string
}

// take notes an event and tells whether the wait is over.
func (w *waiting) take(event *fleetv1.WatchClusterHealthResponse) (done bool, err error) {
	if started := event.GetStarted(); started != nil && w.began {
		w.app.resumed(started)
	}
	w.began = true
	for _, c := range w.board.take(event) {
		if done, err := w.note(c); done || err != nil {
			return done, err
		}
	}
	switch {
	case !w.board.synced || w.flags.one && len(w.missing) > 0:
		return false, nil
	case len(w.there)+len(w.missing) == 0:
		return true, exitError{exitUnhealthy, noClusters}
	}
	return len(w.missing) == 0, nil
}

// note tells that the wait is over where one cluster is enough.
func (w *waiting) note(c change) (done bool, err error) {
	name := c.cluster()
	was := w.there[name]
	delete(w.there, name)
	delete(w.missing, name)
	switch {
	case c.after == nil && len(w.flags.names) > 0:
		return true, exitError{exitFailed, fmt.Sprintf("cluster %q is no longer in the fleet", name)}
	case c.after == nil || c.after.GetVirtual():
		return false, nil
	case c.after.GetRestored() || watched(c.after).confirmed() != w.wanted:
		w.missing[name] = watched(c.after).state()
		return false, nil
	}
	w.there[name] = true
	if was {
		return w.flags.one, nil
	}
	return w.flags.one, w.arrived(c)
}

func (w *waiting) arrived(c change) error {
	switch w.format.Kind {
	case output.JSONL:
		return w.app.message(c.after)
	case output.Name:
		if err := w.app.name(c.cluster()); err != nil {
			return err
		}
		return w.app.stdout.Flush()
	default:
		n, _ := newsOf(c)
		return w.ticker.show(n)
	}
}

// late names the clusters that did not come into the state in time.
func (w *waiting) late() error {
	names := slices.Sorted(maps.Keys(w.missing))
	for i, name := range names {
		names[i] = name + " (" + w.missing[name] + ")"
	}
	all := len(w.there) + len(w.missing)
	return exitError{exitDeadline, fmt.Sprintf("%s: %d of %d clusters are not %s: %s",
		w.app.over().Error(), len(names), all, word(w.wanted, "STATE_"), some(names, maxMissing))}
}
