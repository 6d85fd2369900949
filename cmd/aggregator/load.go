package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/monitor"
	"github.com/clusterfleet/clusterfleet/pkg/kubeconfig"
)

// loader makes the kubeconfig's contexts the fleet, at the start and at every SIGHUP.
type loader struct {
	config  config
	fleet   *fleet.Fleet
	watch   *monitor.Monitor // nil if clusters are not watched
	garbage *garbage
	log     *slog.Logger
	hangup  chan os.Signal
	// problems is how many there were the last time.
	problems atomic.Int64
}

func newLoader(c config, f *fleet.Fleet, m *monitor.Monitor, g *garbage, log *slog.Logger) *loader {
	l := &loader{config: c, fleet: f, watch: m, garbage: g, log: log, hangup: make(chan os.Signal, 1)}
	signal.Notify(l.hangup, syscall.SIGHUP)
	return l
}

func (l *loader) close() { signal.Stop(l.hangup) }

// load reads the kubeconfig. What cannot be used is logged, a line each; it is an error only if nothing can, and then the
// fleet stays as it was.
func (l *loader) load(ctx context.Context) error {
	definitions, unusable := kubeconfig.Load(l.config.kubeconfigs(), kubeconfig.Options{
		CredentialPlugins: plugins(l.config.credentialPlugins),
		AllowInsecure:     l.config.allowInsecure,
	})
	var problems []string
	for _, problem := range unusable {
		problems = append(problems, problem.Error())
	}
	if len(definitions) > 0 {
		l.garbage.bound(len(definitions))
		for _, err := range each(l.fleet.Apply(definitions)) {
			problems = append(problems, err.Error())
		}
		if l.watch != nil {
			l.watch.Apply(l.fleet.Definitions())
		}
	}
	l.problems.Store(int64(len(problems)))
	empty := len(definitions) == 0 || l.fleet.Size() == 0
	level := slog.LevelWarn
	if empty {
		level = slog.LevelError // the last line refers to them
	}
	for _, problem := range problems {
		l.log.Log(ctx, level, "kubeconfig", "problem", problem)
	}
	if empty {
		return fmt.Errorf("no usable cluster in %s: the problems are listed above", l.config.kubeconfig)
	}
	l.log.Info("fleet loaded", "clusters", l.fleet.Size(), "problems", len(problems))
	return nil
}

// reload loads again at every SIGHUP until ctx ends.
func (l *loader) reload(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.hangup:
			if err := l.load(ctx); err != nil {
				l.log.Error("the fleet stays as it was", "problem", err.Error())
			}
		}
	}
}

// each returns the errors that errors.Join has joined.
func each(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

func plugins(extra []string) []string {
	if len(extra) == 0 {
		return nil
	}
	return append(kubeconfig.DefaultCredentialPlugins(), extra...)
}
