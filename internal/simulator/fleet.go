package simulator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Fleet is a running fleet. Its methods may be called from any goroutine.
type Fleet struct {
	clusters  []*cluster
	byName    map[string]*cluster
	network   network
	pki       *pki
	catalogue *catalogue
	stats     *stats
	log       *slog.Logger
	bomb      func() (bomb, error) // made when the first one is asked for
	address   netip.AddrPort       // of the shared listener; zero when every cluster has a port of its own

	server                *http.Server
	tlsHealthy, tlsFaulty *tls.Config
	loops                 sync.WaitGroup // accept loops, the timeline, connections that a fault has taken over
	conns                 sync.WaitGroup // connections in the hands of the HTTP server
	requests              tracker
	stopTimeline          context.CancelFunc

	faultMu sync.Mutex // serialises changes of faults and of doors
	closed  bool       // guarded by faultMu
}

// Start brings a fleet up: when it returns, every cluster listens and the faults of the scenario that are on from the
// beginning are on. ctx bounds the start only; Close ends the fleet. Errors that wrap ErrInvalid are the
// configuration's.
func Start(ctx context.Context, config Config) (*Fleet, error) {
	n, err := parseNetwork(config.Network)
	if err != nil {
		return nil, err
	}
	ranged := n.isOurs(ctx)
	if !ranged && !n.isLoopback() {
		return nil, fmt.Errorf("the addresses of %s are not this machine's: `ip route add local %s dev lo` makes them so", config.Network, config.Network)
	}
	return launch(ctx, config, n, ranged)
}

// launch is Start on a system where all addresses of the network are this machine's, or only 127.0.0.1 is.
func launch(ctx context.Context, config Config, n network, ranged bool) (*Fleet, error) {
	setDefault(&config.Auth, AuthToken)
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if err := config.validate(); err != nil {
		return nil, err
	}
	config.OwnPorts = config.OwnPorts || !ranged
	if config.OwnPorts && config.Port != 0 {
		return nil, invalid("port: every cluster has a port of its own, there is no listener for %d", config.Port)
	}
	f := &Fleet{
		byName:  make(map[string]*cluster, config.Clusters),
		network: n,
		stats:   &stats{},
		log:     config.Logger,
		bomb:    sync.OnceValues(newBomb),
	}
	for i := range config.Clusters {
		c := newCluster(i, config.Seed)
		f.clusters = append(f.clusters, c)
		f.byName[c.name] = c
	}
	f.spreadLatency(config)
	casts, err := f.cast(config)
	if err != nil {
		return nil, err
	}
	if f.catalogue, err = newCatalogue(config.Counts, config.ObjectBytes, time.Now()); err != nil {
		return nil, err
	}
	if err := f.stock(); err != nil {
		return nil, err
	}
	if f.pki, err = newPKI(time.Now()); err != nil {
		return nil, err
	}
	if err := f.issueCredentials(config.Auth); err != nil {
		return nil, err
	}
	shared, err := f.listen(ctx, config, casts, ranged)
	if err != nil {
		return nil, err
	}
	f.serve(config.Auth, shared)
	if err := f.begin(ctx, config.Scenario, casts); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// stock gives each cluster what it serves.
func (f *Fleet) stock() error {
	common, err := f.catalogue.without(rolloutGroup)
	if err != nil {
		return err
	}
	for _, c := range f.clusters {
		c.catalogue = common
		if c.hasRollouts() {
			c.catalogue = f.catalogue
		}
	}
	return nil
}

// spreadLatency gives each cluster the distribution it answers with.
func (f *Fleet) spreadLatency(config Config) {
	for _, c := range f.clusters {
		c.latency = &config.Latency
	}
	shares := newLottery(len(f.clusters), config.Seed, latencyStream)
	for _, t := range config.Latency.tails {
		slow := Constant(t.delay)
		for _, index := range shares.draw(t.share) {
			f.clusters[index].latency = &slow
		}
	}
}

// cast chooses the clusters of each rule of the scenario.
func (f *Fleet) cast(config Config) ([][]*cluster, error) {
	if config.Scenario == nil {
		return nil, nil
	}
	shares := newLottery(len(f.clusters), config.Seed, scenarioStream)
	casts := make([][]*cluster, 0, len(config.Scenario.Rules))
	for i, rule := range config.Scenario.Rules {
		chosen, err := choose(rule.Clusters, f.clusters, shares)
		if err != nil {
			return nil, invalid("scenario: fault %d: (%s) %w", i+1, rule.Fault.Kind, err)
		}
		casts = append(casts, chosen)
	}
	return casts, nil
}

// listen opens every socket and tells the clusters where they live. It returns the shared listener, nil if all
// clusters have ports of their own.
func (f *Fleet) listen(ctx context.Context, config Config, casts [][]*cluster, ranged bool) (*net.TCPListener, error) {
	own := map[*cluster]bool{}
	for i, chosen := range casts {
		if kind := config.Scenario.Rules[i].Fault.Kind; kind == Refuse || kind == Blackhole {
			for _, c := range chosen {
				own[c] = true
			}
		}
	}
	host := func(c *cluster) netip.Addr {
		if ranged {
			return f.network.at(c.index)
		}
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	for _, c := range f.clusters {
		if !config.OwnPorts && !own[c] {
			continue
		}
		d, err := newDoor(ctx, host(c))
		if err != nil {
			f.abandonDoors()
			return nil, err
		}
		c.door, c.address = d, d.address
	}
	if config.OwnPorts {
		return nil, nil
	}
	shared, err := listenForAll(ctx, f.network, config.Port)
	if err != nil {
		f.abandonDoors()
		return nil, err
	}
	f.address = netip.AddrPortFrom(netip.IPv4Unspecified(), portOf(shared))
	for _, c := range f.clusters {
		if c.door == nil {
			c.address = netip.AddrPortFrom(host(c), f.address.Port())
		}
	}
	return shared, nil
}

// abandonDoors closes the doors of a fleet that does not come to serve them.
func (f *Fleet) abandonDoors() {
	for _, c := range f.clusters {
		if c.door != nil {
			_ = c.door.listener.Close()
		}
	}
}

// issueCredentials uses all processors: ten thousand certificates take some seconds of one.
func (f *Fleet) issueCredentials(auth Auth) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, c := range f.clusters {
		if auth == AuthToken {
			c.credential = newTokenCredential()
			continue
		}
		group.Go(func() (err error) {
			c.credential, err = f.pki.authority.newCertCredential(c, time.Now())
			return err
		})
	}
	return group.Wait()
}

// begin turns on the faults that are there from the start, and lets the timeline do the rest.
func (f *Fleet) begin(ctx context.Context, s *Scenario, casts [][]*cluster) error {
	start := time.Now()
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f.stopTimeline = cancel
	f.loops.Go(func() { f.issueCertificates(later) })
	if s == nil {
		return nil
	}
	var cues []cue
	faults := make([]*active, len(s.Rules))
	for i, rule := range s.Rules {
		fault, t, err := rule.Fault.check()
		if err != nil {
			return invalid("scenario: fault %d: %w", i+1, err)
		}
		faults[i] = &active{Fault: fault, trait: t}
		next, more := firstCue(i, rule), true
		if rule.From == 0 {
			if err := f.perform(ctx, next, casts[i], faults[i]); err != nil {
				return err
			}
			next, more = rule.after(next)
		}
		if more {
			cues = append(cues, next)
		}
	}
	f.loops.Go(func() {
		play(later, start, s.Rules, cues, func(c cue) {
			err := f.perform(later, c, casts[c.rule], faults[c.rule])
			if err != nil && later.Err() == nil {
				f.log.Error("a fault of the scenario did not come or go", "rule", c.rule+1, "error", err)
			}
		})
	})
	return nil
}

func (f *Fleet) perform(ctx context.Context, c cue, cast []*cluster, fault *active) error {
	if !c.on {
		fault = nil
	}
	var errs []error
	for _, member := range cast {
		errs = append(errs, f.assign(ctx, member, c.rule, fault))
	}
	return errors.Join(errs...)
}

// Address is that of the listener that clusters share, as host:port; "" when every cluster has a port of its own.
func (f *Fleet) Address() string {
	if !f.address.IsValid() {
		return ""
	}
	return f.address.String()
}

// Names lists the clusters, which are the contexts of the kubeconfig, in order.
func (f *Fleet) Names() []string {
	names := make([]string, 0, len(f.clusters))
	for _, c := range f.clusters {
		names = append(names, c.name)
	}
	return names
}
