package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clusterfleet/clusterfleet/internal/version"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

const defaultServer = "127.0.0.1:7443"

// connection is where the aggregator is and how it is spoken to: the global flags.
type connection struct {
	config     string
	server     string
	timeout    time.Duration
	caFile     string
	certFile   string
	keyFile    string
	serverName string
	plaintext  bool

	// from says where a flag has its value from, if not from the command line.
	from map[string]string
}

func (c *connection) register(flags *pflag.FlagSet) {
	flags.StringVar(&c.config, "config", "", "configuration file (default "+defaultConfigHelp+")")
	flags.StringVar(&c.server, "server", defaultServer, "address of the aggregator, HOST:PORT")
	flags.DurationVar(&c.timeout, "timeout", client.DefaultTimeout, "how long the whole command may take; where it is not given, wait takes 5m, watch and probe --watch go on")
	flags.StringVar(&c.caFile, "ca-file", "", "certificate authorities that may sign the aggregator's certificate, PEM (default those of the system)")
	flags.StringVar(&c.certFile, "tls-cert", "", "client certificate for mutual TLS, PEM")
	flags.StringVar(&c.keyFile, "tls-key", "", "key of the client certificate, PEM")
	flags.StringVar(&c.serverName, "server-name", "", "name that the aggregator's certificate must be made out to (default the host of its address)")
	flags.BoolVar(&c.plaintext, "plaintext", false, "speak without TLS, to a loopback address only (default for those, unless a flag of TLS is given)")
}

// call is what a command does that asks the aggregator once: it makes a client and gives the command its time. Unless
// there is an error, done must be called in the end.
func (a *app) call(cmd *cobra.Command) (ctx context.Context, c *client.Client, done func(), err error) {
	c, err = a.dial(cmd)
	if err != nil {
		return nil, nil, nil, err
	}
	ctx, cancel := a.bounded(cmd.Context())
	return ctx, c, func() {
		cancel()
		_ = c.Close() // nothing is under way any more
	}, nil
}

// dial settles the flags and returns a client, which does not connect yet.
func (a *app) dial(cmd *cobra.Command) (*client.Client, error) {
	c := &a.connection
	if err := c.settle(cmd.Flags()); err != nil {
		return nil, usageError{err}
	}
	if c.timeout <= 0 {
		return nil, usagef("%s must be positive, not %s", c.source("timeout"), c.timeout)
	}
	if c.server == "" {
		return nil, usagef("%s is empty: write HOST:PORT", c.source("server"))
	}
	options := []client.Option{client.WithTimeout(c.timeout), client.WithUserAgent("fleetctl/" + version.String()), client.WithCut(a.cutOff)}
	t := client.TLS{CAFile: c.caFile, CertFile: c.certFile, KeyFile: c.keyFile, ServerName: c.serverName}
	given := t != client.TLS{}
	switch {
	case c.plaintext && given:
		return nil, usagef("--plaintext excludes the flags of TLS: --ca-file, --tls-cert, --tls-key and --server-name%s", c.whence(securityFlags()))
	case c.plaintext:
		options = append(options, client.WithPlaintext())
	case given || cmd.Flags().Changed("plaintext"):
		options = append(options, client.WithTLS(t))
	}
	caller, err := client.Dial(c.server, options...)
	if err != nil {
		return nil, usagef("%w%s", err, c.whence(involved(err)))
	}
	c.server = caller.Address()
	return caller, nil
}

// securityFlags are the flags that say whether and how TLS is spoken.
func securityFlags() []string {
	return []string{"ca-file", "tls-cert", "tls-key", "server-name", "plaintext"}
}

// involved are the flags that a client may not be made for.
func involved(err error) []string {
	if _, ok := errors.AsType[*client.AddressError](err); ok {
		return []string{"server"}
	}
	return securityFlags()
}
