package client

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// DefaultPort is the port that is dialed where an address names none.
const DefaultPort = "7443"

// AddressError means that [Dial] was given what is no address.
type AddressError struct{ problem string }

// Error says what is wrong with it.
func (e *AddressError) Error() string { return e.problem }

func addressf(format string, s string) error { return &AddressError{fmt.Sprintf(format, s)} }

// address is where an aggregator listens.
type address struct {
	host string
	port string
}

// parseAddress reads HOST or HOST:PORT; an IPv6 host stands in brackets where a port follows.
func parseAddress(s string) (address, error) {
	if strings.Contains(s, "://") || strings.ContainsAny(s, "/@ \t\r\n") {
		return address{}, addressf("%q is not an address: write HOST:PORT, without scheme, path or user", s)
	}
	if ip, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return address{host: ip.String(), port: DefaultPort}, nil
	}
	if !strings.Contains(s, ":") {
		s = net.JoinHostPort(s, DefaultPort)
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return address{}, addressf("%q is not an address: write HOST:PORT", s)
	}
	if host == "" {
		return address{}, addressf("address %q lacks a host: write HOST:PORT", s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return address{}, addressf("address %q has no valid port: write HOST:PORT with a port from 1 to 65535", s)
	}
	return address{host: host, port: port}, nil
}

// loopback tells whether the address cannot leave the machine.
func (a address) loopback() bool {
	host := strings.ToLower(strings.TrimSuffix(a.host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func (a address) String() string { return net.JoinHostPort(a.host, a.port) }
