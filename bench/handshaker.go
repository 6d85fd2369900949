package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"runtime/debug"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// handshaker is the floor of whoever comes to a fleet for the first time: it reads the kubeconfig with client-go's parser,
// makes a TLS connection to each API server, verified as the others verify it, and keeps it. It asks nothing.
type handshaker struct {
	job   job
	conns []*tls.Conn
}

func (h *handshaker) Prepare(context.Context) error { return nil }

func (h *handshaker) Round(ctx context.Context) (operations int, err error) {
	file, err := clientcmd.LoadFromFile(h.job.Kubeconfig)
	if err != nil {
		return 0, err
	}
	configs, err := tlsConfigs(file)
	if err != nil {
		return 0, err
	}
	h.conns = make([]*tls.Conn, len(configs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(h.job.Limit)
	for i, c := range configs {
		group.Go(func() error {
			dialer := tls.Dialer{Config: c.config}
			conn, err := dialer.DialContext(ctx, "tcp", c.address)
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

// tlsConfigs returns the endpoint of each context. Contexts with the same certificate authority share one pool of it: to
// parse it again for each of them is not the least that one can do.
func tlsConfigs(file *api.Config) ([]endpoint, error) {
	pools := map[string]*x509.CertPool{}
	var endpoints []endpoint
	for name, c := range file.Contexts {
		cluster := file.Clusters[c.Cluster]
		if cluster == nil {
			return nil, fmt.Errorf("context %s has no cluster", name)
		}
		base, err := url.Parse(cluster.Server)
		if err != nil {
			return nil, fmt.Errorf("context %s: %w", name, err)
		}
		pool := pools[string(cluster.CertificateAuthorityData)]
		if pool == nil {
			pool = x509.NewCertPool()
			if !pool.AppendCertsFromPEM(cluster.CertificateAuthorityData) {
				return nil, errors.New("the configuration has no certificate authority")
			}
			pools[string(cluster.CertificateAuthorityData)] = pool
		}
		endpoints = append(endpoints, endpoint{base.Host, &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: pool, ServerName: cluster.TLSServerName, NextProtos: []string{"http/1.1"},
		}})
	}
	return endpoints, nil
}
