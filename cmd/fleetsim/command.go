package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/internal/version"
)

// options are the flags, as they are written.
type options struct {
	clusters     int
	kubeconfig   string
	network      string
	port         int
	auth         string
	latency      string
	seed         uint64
	scenario     string
	counts       map[string]*int // by resource type
	objectBytes  int
	ownPorts     bool
	duration     time.Duration
	adminAddress string
}

func newCommand(ctx context.Context, stdout, stderr io.Writer) *cobra.Command {
	o := &options{counts: map[string]*int{}}
	cmd := &cobra.Command{
		Use:   "fleetsim --clusters N --kubeconfig-out FILE",
		Short: "Simulate a fleet of Kubernetes API servers",
		Long: "fleetsim simulates a fleet of Kubernetes API servers on loopback addresses of this machine, with TLS, own\n" +
			"credentials for each, latency and scripted faults. It runs until it is interrupted.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unexpected argument %q", args[0])}
			}
			return nil
		},
		Version:           version.String(),
		RunE:              func(*cobra.Command, []string) error { return o.run(ctx, stdout, stderr) },
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })

	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&o.clusters, "clusters", 20, "how many clusters")
	flags.StringVar(&o.kubeconfig, "kubeconfig-out", "", "where to write the kubeconfig of the fleet (required)")
	flags.StringVar(&o.network, "network", "127.16.0.0/16",
		"addresses of the clusters; unless they are of loopback, they have to be this machine's, and anybody who reaches them is served")
	flags.IntVar(&o.port, "port", 0, "port of the listener that clusters share; 0 picks a free one")
	flags.StringVar(&o.auth, "auth", string(simulator.AuthToken), "credentials of the clients: token or cert")
	flags.StringVar(&o.latency, "latency", "0s",
		"time until an answer: 50ms, uniform:10ms-90ms, lognormal:p50=20ms,p99=200ms; with ,1%=5s for a share of the clusters")
	flags.Uint64Var(&o.seed, "seed", 1, "decides everything that is drawn at random")
	flags.StringVar(&o.scenario, "scenario", "", "file with the faults of the fleet")
	flags.DurationVar(&o.duration, "for", 0, "end after this time; 0 runs until interrupted")
	flags.StringVar(&o.adminAddress, "admin-address", "", "serve statistics here, on loopback, such as 127.0.0.1:0")
	flags.BoolVar(&o.ownPorts, "own-ports", false, "give every cluster a port of its own")
	flags.IntVar(&o.objectBytes, "object-bytes", 0, "least size of an object's JSON; 0 leaves objects as small as they are")
	counts := simulator.DefaultCounts()
	for _, resource := range slices.Sorted(maps.Keys(counts)) {
		o.counts[resource] = flags.Int(resource, counts[resource], resource+" in each cluster")
	}
	return cmd
}

// config checks what the flags say.
func (o *options) config(log *slog.Logger) (simulator.Config, error) {
	config := simulator.Config{
		Clusters:    o.clusters,
		Port:        o.port,
		Auth:        simulator.Auth(o.auth),
		Seed:        o.seed,
		Counts:      map[string]int{},
		ObjectBytes: o.objectBytes,
		OwnPorts:    o.ownPorts,
		Logger:      log,
	}
	if o.kubeconfig == "" {
		return config, errors.New("--kubeconfig-out FILE is required")
	}
	if o.duration < 0 {
		return config, fmt.Errorf("--for %s is negative", o.duration)
	}
	if err := checkAdminAddress(o.adminAddress); err != nil {
		return config, err
	}
	for resource, count := range o.counts {
		config.Counts[resource] = *count
	}
	var err error
	if config.Network, err = netip.ParsePrefix(o.network); err != nil {
		return config, fmt.Errorf("--network %q is no network, such as 10.16.0.0/16", o.network)
	}
	if config.Latency, err = simulator.ParseLatency(o.latency); err != nil {
		return config, err
	}
	if o.scenario == "" {
		return config, nil
	}
	text, err := os.ReadFile(o.scenario)
	if err != nil {
		return config, err
	}
	if config.Scenario, err = simulator.ParseScenario(text); err != nil {
		return config, fmt.Errorf("%s: %w", o.scenario, err)
	}
	return config, nil
}

func (o *options) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	config, err := o.config(slog.New(slog.NewTextHandler(stderr, nil)))
	if err != nil {
		return usageError{err}
	}
	fleet, err := simulator.Start(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fleet.Close()) }()
	if err := fleet.WriteKubeconfig(o.kubeconfig); err != nil {
		return err
	}
	admin, err := startAdmin(ctx, o.adminAddress, fleet)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.close()) }()
	if err := o.announce(fleet, admin, stdout, stderr); err != nil {
		return err
	}
	o.wait(ctx)
	return nil
}

// wait returns when the program is to end.
func (o *options) wait(ctx context.Context) {
	if o.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}
	<-ctx.Done()
}
