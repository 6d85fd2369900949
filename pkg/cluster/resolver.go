package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
)

// ownLimit keeps the failure at one of the aggregator's own limits that kept a name from being resolved: a net.DNSError
// has only its text. The queries for one name run at the same time, and may outlive the call.
type ownLimit struct{ failure atomic.Pointer[error] }

type ownLimitKey struct{}

func withOwnLimit(ctx context.Context) (context.Context, *ownLimit) {
	l := &ownLimit{}
	return context.WithValue(ctx, ownLimitKey{}, l), l
}

// explain returns the error of a dial, with its cause if that was ours.
func (l *ownLimit) explain(err error) error {
	dns, isDNS := errors.AsType[*net.DNSError](err)
	ours := l.failure.Load()
	if !isDNS || dns.IsNotFound || ours == nil {
		return err
	}
	return fmt.Errorf("%w: %w", err, *ours)
}

// newResolver returns Go's own resolver, which tells the dial that asks it when one of our limits makes it fail.
func newResolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if l, ok := ctx.Value(ownLimitKey{}).(*ownLimit); ok && err != nil && isOurs(err) {
			l.failure.Store(&err)
		}
		return conn, err
	}}
}
