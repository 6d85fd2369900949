package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"google.golang.org/grpc/credentials/tls/certprovider"
	"google.golang.org/grpc/credentials/tls/certprovider/pemfile"
)

// certificateRefresh is how soon a changed certificate is used for new connections.
const certificateRefresh = 5 * time.Second

// serverTLS returns the TLS configuration of the command line, nil for plaintext. The files are read again when they
// change; connections that are open stay. stop ends the reading.
func (c *config) serverTLS(protocols ...string) (config *tls.Config, stop func(), err error) {
	if c.tlsCert == "" {
		return nil, func() {}, nil
	}
	if _, err := tls.LoadX509KeyPair(c.tlsCert, c.tlsKey); err != nil {
		return nil, nil, fmt.Errorf("--tls-cert and --tls-key: %w", err)
	}
	provider, err := pemfile.NewProvider(pemfile.Options{
		CertFile:        c.tlsCert,
		KeyFile:         c.tlsKey,
		RootFile:        c.clientCA,
		RefreshDuration: certificateRefresh,
	})
	if err != nil {
		return nil, nil, err
	}
	if _, err := provider.KeyMaterial(context.Background()); c.clientCA != "" && err != nil {
		provider.Close()
		return nil, nil, fmt.Errorf("--client-ca: %w", err)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: protocols,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			return c.currentTLS(hello.Context(), provider, protocols)
		},
	}, provider.Close, nil
}

func (c *config) currentTLS(ctx context.Context, provider certprovider.Provider, protocols []string) (*tls.Config, error) {
	material, err := provider.KeyMaterial(ctx)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		MinVersion:   tls.VersionTLS13,
		NextProtos:   protocols,
		Certificates: material.Certs,
	}
	if c.clientCA != "" {
		config.ClientCAs = material.Roots
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config, nil
}
