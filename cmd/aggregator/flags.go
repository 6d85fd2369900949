package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/version"
)

// config is what the command line says.
type config struct {
	kubeconfig        string
	grpcAddress       string
	httpAddress       string
	tlsCert, tlsKey   string
	clientCA          string
	probeInterval     time.Duration
	dataDir, natsURL  string
	historyMaxAge     time.Duration
	limit             int
	credentialPlugins []string
	allowInsecure     bool
	allowSecretData   bool
	clusterMetrics    int
	logFormat         string
	logLevel          slog.Level
}

// Bounds of --probe-interval.
const (
	minProbeInterval = time.Second
	maxProbeInterval = 10 * time.Minute
)

// watches reports whether clusters are watched between calls.
func (c *config) watches() bool { return c.probeInterval > 0 }

// rules are those by which clusters are watched.
func (c *config) rules() health.Rules { return health.DefaultRules().At(c.probeInterval) }

// usageError is a command line that makes no sense.
type usageError struct{ cause error }

func (e *usageError) Error() string { return e.cause.Error() + " (see aggregator --help)" }
func (e *usageError) Unwrap() error { return e.cause }

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// newCommand returns the command; serve is called with a valid configuration.
func newCommand(serve func(*cobra.Command, config) error) *cobra.Command {
	c := config{}
	command := &cobra.Command{
		Use:   "aggregator",
		Short: "Serve the state and the manifests of a fleet of Kubernetes clusters over gRPC",
		Long: `Serve the state and the manifests of a fleet of Kubernetes clusters over gRPC.

Every context of the kubeconfig is a cluster. Plaintext is served on loopback addresses only; any other address needs
--tls-cert and --tls-key, which then hold for both addresses. --http-address serves /metrics, /livez and /readyz; with
--client-ca, /metrics asks for a client certificate, too.`,
		Args:          func(_ *cobra.Command, args []string) error { return noArguments(args) },
		Version:       version.String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := c.validate(); err != nil {
				return err
			}
			return serve(command, c)
		},
	}
	command.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	command.CompletionOptions.DisableDefaultCmd = true
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&c.kubeconfig, "kubeconfig", defaultKubeconfig(), "kubeconfig `FILE`s, joined by "+string(os.PathListSeparator)+"; merged as kubectl merges them")
	flags.StringVar(&c.grpcAddress, "grpc-address", "127.0.0.1:7443", "serve gRPC at this `ADDRESS`; port 0 takes a free one")
	flags.StringVar(&c.httpAddress, "http-address", "127.0.0.1:7444", "serve /metrics, /livez and /readyz at this `ADDRESS`; empty: not at all")
	flags.StringVar(&c.tlsCert, "tls-cert", "", "serve TLS 1.3 with the certificate chain in this `FILE`; when it changes, the new one is used within a second")
	flags.StringVar(&c.tlsKey, "tls-key", "", "the private key of --tls-cert, in this `FILE`")
	flags.StringVar(&c.clientCA, "client-ca", "", "require client certificates signed by an authority in this `FILE`")
	flags.DurationVar(&c.probeInterval, "probe-interval", health.DefaultRules().Interval, "watch every cluster by a probe each `TIME`; 0: clusters are not watched")
	flags.StringVar(&c.dataDir, "data-dir", "", "keep the latest health and the history of the clusters in this `DIR`; without it they end with the process")
	flags.StringVar(&c.natsURL, "nats-url", "", "keep them in the JetStream of the NATS servers at this `URL` instead")
	flags.DurationVar(&c.historyMaxAge, "history-max-age", 30*24*time.Hour, "keep the history of the clusters for this `TIME`")
	flags.IntVar(&c.limit, "limit", fleet.DefaultLimit, "work on `N` clusters at once in a call that does not ask for another number")
	flags.StringSliceVar(&c.credentialPlugins, "credential-plugin", nil, "allow credential plugins of this `NAME` beside the well-known ones; * allows all")
	flags.BoolVar(&c.allowInsecure, "allow-insecure-skip-tls-verify", false, "accept contexts that do not verify their API server")
	flags.BoolVar(&c.allowSecretData, "allow-secret-data", false, "let callers ask for the data of Secrets; otherwise it never leaves this process")
	flags.IntVar(&c.clusterMetrics, "cluster-metrics", 0, "show metrics of its own for each of the first `N` clusters, by name")
	flags.StringVar(&c.logFormat, "log-format", "text", "write the log on stderr as `text or json`")
	flags.TextVar(&c.logLevel, "log-level", slog.LevelInfo, "log from this `LEVEL` on: debug, info, warn or error")
	return command
}

func noArguments(args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage("unknown argument %q", args[0])
}

// defaultKubeconfig is what kubectl reads.
func defaultKubeconfig() string {
	if list := os.Getenv("KUBECONFIG"); list != "" {
		return list
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".kube", "config")
}

func (c *config) validate() error {
	switch {
	case len(c.kubeconfigs()) == 0:
		return usage("--kubeconfig names no file")
	case c.limit < 1 || c.limit > fleet.MaxLimit:
		return usage("--limit must be from 1 to %d, not %d", fleet.MaxLimit, c.limit)
	case (c.tlsCert == "") != (c.tlsKey == ""):
		return usage("--tls-cert and --tls-key go together")
	case c.clientCA != "" && c.tlsCert == "":
		return usage("--client-ca needs --tls-cert and --tls-key")
	case c.probeInterval != 0 && (c.probeInterval < minProbeInterval || c.probeInterval > maxProbeInterval):
		return usage("--probe-interval must be 0 or from %v to %v, not %v", minProbeInterval, maxProbeInterval, c.probeInterval)
	case c.dataDir != "" && c.natsURL != "":
		return usage("--data-dir and --nats-url exclude each other")
	case c.historyMaxAge <= 0:
		return usage("--history-max-age must be positive")
	case c.clusterMetrics < 0:
		return usage("--cluster-metrics must not be negative")
	case c.logFormat != "text" && c.logFormat != "json":
		return usage("--log-format must be text or json, not %q", c.logFormat)
	}
	if err := c.validateAddress(c.grpcAddress); err != nil {
		return usage("--grpc-address %q: %w", c.grpcAddress, err)
	}
	if c.httpAddress == "" {
		return nil
	}
	if err := c.validateAddress(c.httpAddress); err != nil {
		return usage("--http-address %q: %w", c.httpAddress, err)
	}
	return nil
}

// validateAddress holds plaintext to loopback.
func (c *config) validateAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return errors.New("must be HOST:PORT")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return errors.New("the port must be from 0 to 65535")
	}
	if c.tlsCert == "" && !isLoopback(host) {
		return errors.New("plaintext is served on loopback only: give --tls-cert and --tls-key, or an address such as 127.0.0.1:7443")
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *config) kubeconfigs() []string {
	var files []string
	for _, file := range filepath.SplitList(c.kubeconfig) {
		if strings.TrimSpace(file) != "" {
			files = append(files, file)
		}
	}
	return files
}
