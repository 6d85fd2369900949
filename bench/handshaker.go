package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"runtime/debug"

	"golang.org/x/sync/errgroup"

	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// handshaker is the floor of whoever comes to a fleet for the first time: it reads the kubeconfig with the cheapest parser
// there is, the product's, makes a TLS connection to each API server, verified as the others verify it, and keeps it. It asks
// nothing.
type handshaker struct {
	job   job
	conns []*tls.Conn
}

func (h *handshaker) Prepare(context.Context) error { return nil }

func (h *handshaker) Round(ctx context.Context) (operations int, err error) {
	definitions, err := simulated.Definitions(h.job.Kubeconfig)
	if err != nil {
		return 0, err
	}
	endpoints, err := endpointsOf(definitions)
	if err != nil {
		return 0, err
	}
	h.conns = make([]*tls.Conn, len(endpoints))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(h.job.Limit)
	for i, e := range endpoints {
		group.Go(func() error {
			dialer := tls.Dialer{Config: e.config}
			conn, err := dialer.DialContext(ctx, "tcp", e.address)
			if err != nil {
				return err
			}
			h.conns[i] = conn.(*tls.Conn) // so it is documented
			return nil
		})
	}
	return len(h.conns), group.Wait()
}

// connected is the floor of whoever watches a fleet: it holds a connection to each cluster and nothing else.
type connected struct{ handshaker }

func (c *connected) Round(ctx context.Context) (operations int, err error) {
	operations, err = c.handshaker.Round(ctx)
	debug.FreeOSMemory() // what it took to make them is not what it takes to hold them
	return operations, err
}

// endpoint is where an API server is, and how it is known to be the right one.
type endpoint struct {
	address string
	config  *tls.Config
}

// endpointsOf returns the endpoint of each cluster. Clusters with the same certificate authority share one pool of it: to
// parse it again for each of them is not the least that one can do.
func endpointsOf(definitions []cluster.Definition) ([]endpoint, error) {
	pools := map[string]*x509.CertPool{}
	endpoints := make([]endpoint, len(definitions))
	for i, d := range definitions {
		base, err := url.Parse(d.Config.Host)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
		authority := string(d.Config.CAData)
		pool := pools[authority]
		if pool == nil {
			pool = x509.NewCertPool()
			if !pool.AppendCertsFromPEM(d.Config.CAData) {
				return nil, fmt.Errorf("%s has no certificate authority", d.Name)
			}
			pools[authority] = pool
		}
		endpoints[i] = endpoint{base.Host, &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: pool, ServerName: d.Config.ServerName, NextProtos: []string{"http/1.1"},
		}}
	}
	return endpoints, nil
}
