package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// describe puts an error into words that say what to do.
func (a *app) describe(ctx context.Context, err error) string {
	var exit exitError
	var unreachable *client.ConnectError
	switch {
	case errors.As(err, &exit):
		return exit.text
	case ctx.Err() != nil:
		return stop(ctx).Error()
	case errors.Is(err, errUnread):
		return err.Error() + ": the time of " + a.connection.timeout.String() + " ran out (--timeout)"
	case errors.As(err, &unreachable):
		return "cannot reach the aggregator at " + unreachable.Address + ": " + cause(unreachable.Cause) + "; " + a.connection.advice(unreachable)
	}
	text := client.Message(err)
	switch status.Code(err) {
	case codes.DeadlineExceeded:
		return "the aggregator at " + a.connection.server + " did not answer within " + a.connection.timeout.String() + " (--timeout)"
	case codes.Unauthenticated:
		return with("the aggregator at "+a.connection.server+" does not know the caller: "+text, client.Hint(err))
	case codes.Unimplemented:
		return "the server at " + a.connection.server + " does not offer this call; is it an aggregator, and not older than fleetctl? (" + text + ")"
	case codes.Unavailable:
		text = "the aggregator at " + a.connection.server + " is not available: " + text
	case codes.NotFound:
		return with(text, cmp.Or(client.Hint(err), "fleetctl clusters lists the names of all"))
	case codes.InvalidArgument:
		text = refusal(err)
	case codes.PermissionDenied:
		text = renamed(text)
	default:
	}
	text = with(text, client.Hint(err))
	if after, ok := client.RetryAfter(err); ok {
		text += "; try again in " + after.Round(time.Millisecond).String()
	}
	return text
}

func with(text, hint string) string {
	if hint == "" {
		return text
	}
	return text + "; " + hint
}

// cause leaves out of an error of net what the line says already: the operation and the addresses.
func cause(err error) string {
	var number syscall.Errno
	var name *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &number):
		return number.Error()
	case errors.As(err, &name):
		return name.Error()
	case errors.Is(err, io.EOF):
		return "the connection is closed without an answer"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer"
	}
	return strings.TrimPrefix(err.Error(), "remote error: ")
}

// advice says what mends a connection that failed.
func (c *connection) advice(unreachable *client.ConnectError) string {
	err := unreachable.Cause
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &authority):
		return "name the authority of its certificate with --ca-file"
	case errors.As(err, &name):
		return "name the host of its certificate with --server-name"
	case errors.As(err, &record):
		return "it does not speak TLS: use --plaintext where it is on this machine"
	case errors.Is(err, client.ErrForeignProtocol):
		return "name the port of its gRPC, " + client.DefaultPort + " by default, with --server"
	case unreachable.Plaintext && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)):
		return "it was spoken to without TLS and may want it: use --ca-file or --plaintext=false"
	case unreachable.CertificateRefused() && c.certFile == "":
		return "it wants a client certificate: --tls-cert and --tls-key"
	case unreachable.CertificateRefused():
		return "it does not accept the client certificate"
	}
	return "set its address with --server, FLEETCTL_SERVER or server: in " + cmp.Or(c.file(), defaultConfigHelp)
}
