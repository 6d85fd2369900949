package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// DefaultTimeout bounds a call whose context has no deadline.
const DefaultTimeout = 60 * time.Second

// maxMessage is the largest message that is received: twice what the aggregator sends at most.
const maxMessage = 8 << 20

// Option changes how a [Client] is dialed. Without any, it speaks plaintext to a loopback address and TLS, trusting the
// system's certificate authorities, to every other.
type Option func(*settings)

type settings struct {
	plaintext bool
	tls       *TLS
	userAgent string
	timeout   time.Duration
	cut       func(context.Context, error)
	grpc      []grpc.DialOption
}

// TLS says how the aggregator and the caller prove who they are. Files are in PEM.
type TLS struct {
	// CAFile holds the authorities that may sign the aggregator's certificate. Default: those of the system.
	CAFile string
	// CertFile and KeyFile are the caller's certificate and key, for mutual TLS; both or neither. They are read again at
	// each handshake, so that a renewed certificate is used without a new client. Default: none.
	CertFile string
	KeyFile  string
	// ServerName is the name that the aggregator's certificate must be made out to. Default: the host of the address.
	ServerName string
}

// WithTLS makes the client speak TLS 1.3, to a loopback address, too.
func WithTLS(t TLS) Option { return func(s *settings) { s.tls = &t } }

// WithPlaintext makes the client speak without TLS. Dial refuses it for an address that is not on loopback.
func WithPlaintext() Option { return func(s *settings) { s.plaintext = true } }

// WithUserAgent names the calling program in the aggregator's logs, such as "fleetctl/1.2.0".
func WithUserAgent(name string) Option { return func(s *settings) { s.userAgent = name } }

// WithTimeout bounds calls whose context has no deadline, instead of [DefaultTimeout]. It must be positive.
func WithTimeout(d time.Duration) Option { return func(s *settings) { s.timeout = d } }

// WithCut has f called when a watch that worked has failed twice in a row and is still tried: what was seen may be old by
// now. It gets the watch's context and how it failed last. Calls of f may come from several watches at once.
func WithCut(f func(context.Context, error)) Option { return func(s *settings) { s.cut = f } }

// WithGRPC adds options of grpc-go, such as a stats handler for tracing.
func WithGRPC(options ...grpc.DialOption) Option {
	return func(s *settings) { s.grpc = append(s.grpc, options...) }
}

// credentials decides between plaintext and TLS.
func (s *settings) credentials(to address) (creds credentials.TransportCredentials, plaintext bool, err error) {
	switch {
	case s.plaintext && s.tls != nil:
		return nil, false, errors.New("plaintext and TLS exclude each other")
	case s.plaintext && !to.loopback():
		return nil, false, fmt.Errorf("plaintext to %s is refused: only a loopback address is spoken to without TLS", to)
	case s.plaintext, s.tls == nil && to.loopback():
		return insecure.NewCredentials(), true, nil
	case s.tls == nil:
		s.tls = &TLS{}
	}
	config, err := s.tls.config()
	if err != nil {
		return nil, false, err
	}
	return credentials.NewTLS(config), false, nil
}

func (t TLS) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the certificate authorities: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", t.CAFile)
		}
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return nil, errors.New("a client certificate needs both its file and its key's file")
	}
	if t.CertFile == "" {
		return config, nil
	}
	if _, err := t.keyPair(); err != nil {
		return nil, err
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.keyPair() }
	return config, nil
}

func (t TLS) keyPair() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("load the client certificate: %w", err)
	}
	return &pair, nil
}
