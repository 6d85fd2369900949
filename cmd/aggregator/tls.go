package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// rereadAfter is how long what was read of the TLS files is used before they are read again.
const rereadAfter = time.Second

// identity is what the server proves itself with, and whom it trusts. Its files are read again by a handshake that comes
// rereadAfter the last reading or later, so that connections have the certificate that was put there a moment ago, and
// open ones stay. Other handshakes do not wait for that. While the files are not good, such as when only one of them is
// written yet, the last good ones are used.
type identity struct {
	cert, key, clientCA string
	clientAuth          tls.ClientAuthType // with a clientCA
	protocols           []string
	rereadAfter         time.Duration
	log                 *slog.Logger

	config atomic.Pointer[tls.Config] // of the last good files

	reading sync.Mutex // held while the files are read, so a handshake only tries to take it
	read    pemFiles   // what config was made from
	at      time.Time  // when the files were read, good or not
	problem string     // the last one that was logged, empty since the files are good
}

// pemFiles are the contents of an identity's files.
type pemFiles struct{ cert, key, clientCA string }

// tlsConfig returns a configuration that follows the identity's files. It fails if they are not good now.
func (i *identity) tlsConfig() (*tls.Config, error) {
	if err := i.refresh(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		NextProtos:         i.protocols,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return i.current(), nil },
	}, nil
}

// current returns the configuration of one connection.
func (i *identity) current() *tls.Config {
	if i.reading.TryLock() {
		defer i.reading.Unlock()
		if time.Since(i.at) >= i.rereadAfter {
			i.complain(i.refresh())
		}
	}
	return i.config.Load()
}

// complain logs each problem once, however many connections meet it.
func (i *identity) complain(err error) {
	if err == nil {
		i.problem = ""
		return
	}
	if i.problem != err.Error() {
		i.problem = err.Error()
		i.log.Warn("the changed TLS files are not used", "problem", i.problem)
	}
}

// refresh makes the configuration that of the files, unless they are not good.
func (i *identity) refresh() error {
	files, err := i.readFiles()
	i.at = time.Now()
	if err != nil || i.config.Load() != nil && files == i.read {
		return err
	}
	pair, err := tls.X509KeyPair([]byte(files.cert), []byte(files.key))
	if err != nil {
		return fmt.Errorf("--tls-cert %s, --tls-key %s: %w", i.cert, i.key, err)
	}
	config := &tls.Config{
		MinVersion:   tls.VersionTLS13,
		NextProtos:   i.protocols,
		Certificates: []tls.Certificate{pair},
	}
	if i.clientCA != "" {
		config.ClientAuth = i.clientAuth
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM([]byte(files.clientCA)) {
			return fmt.Errorf("--client-ca %s: the file has no certificate in PEM", i.clientCA)
		}
	}
	i.read = files
	i.config.Store(config)
	return nil
}

func (i *identity) readFiles() (pemFiles, error) {
	var contents pemFiles
	for _, file := range []struct {
		flag, name string
		content    *string
	}{
		{"--tls-cert", i.cert, &contents.cert},
		{"--tls-key", i.key, &contents.key},
		{"--client-ca", i.clientCA, &contents.clientCA},
	} {
		if file.name == "" {
			continue
		}
		content, err := os.ReadFile(file.name)
		if pathError, ok := errors.AsType[*os.PathError](err); ok {
			err = pathError.Err // the name is said already
		}
		if err != nil {
			return pemFiles{}, fmt.Errorf("%s %s: %w", file.flag, file.name, err)
		}
		*file.content = string(content)
	}
	return contents, nil
}

// grpcTLS is the configuration of gRPC connections, nil for plaintext.
func (c *config) grpcTLS(log *slog.Logger) (*tls.Config, error) {
	return c.serverTLS(log, tls.RequireAndVerifyClientCert, "h2")
}

// httpTLS is the configuration of HTTP connections, nil for plaintext. Who asks whether the process lives, as a kubelet
// does, has no certificate to show: the handler of what is not for everyone asks for it.
func (c *config) httpTLS(log *slog.Logger) (*tls.Config, error) {
	return c.serverTLS(log, tls.VerifyClientCertIfGiven, "h2", "http/1.1")
}

func (c *config) serverTLS(log *slog.Logger, auth tls.ClientAuthType, protocols ...string) (*tls.Config, error) {
	if c.tlsCert == "" {
		return nil, nil //nolint:nilnil // no TLS is no error
	}
	return c.identity(log, auth, protocols...).tlsConfig()
}

func (c *config) identity(log *slog.Logger, auth tls.ClientAuthType, protocols ...string) *identity {
	return &identity{
		cert: c.tlsCert, key: c.tlsKey, clientCA: c.clientCA,
		clientAuth: auth, protocols: protocols, rereadAfter: rereadAfter, log: log,
	}
}
