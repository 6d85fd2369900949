package store

import (
	"fmt"
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// The types of this file are values of the domain that are stored by their names, which never change, rather than by
// their numbers, which may.

type state cluster.State

func (state) names() []string {
	return []string{
		cluster.Unknown:      "UNKNOWN",
		cluster.Healthy:      "HEALTHY",
		cluster.Degraded:     "DEGRADED",
		cluster.Unreachable:  "UNREACHABLE",
		cluster.Unauthorized: "UNAUTHORIZED",
	}
}

// MarshalText returns the state's name.
func (s state) MarshalText() ([]byte, error) { return nameOf(s) }

// UnmarshalText sets the state by its name.
func (s *state) UnmarshalText(text []byte) error { return byName(s, text) }

type blame cluster.Blame

func (blame) names() []string {
	return []string{
		cluster.BlameNone:         "NONE",
		cluster.BlameNetwork:      "NETWORK",
		cluster.BlameCredential:   "CREDENTIAL",
		cluster.BlameControlPlane: "CONTROL_PLANE",
		cluster.BlameObserver:     "OBSERVER",
	}
}

// MarshalText returns the name of who is to blame.
func (b blame) MarshalText() ([]byte, error) { return nameOf(b) }

// UnmarshalText sets who is to blame by name.
func (b *blame) UnmarshalText(text []byte) error { return byName(b, text) }

type depth cluster.Depth

func (depth) names() []string { return []string{cluster.Quick: "QUICK", cluster.Full: "FULL"} }

// MarshalText returns the depth's name.
func (d depth) MarshalText() ([]byte, error) { return nameOf(d) }

// UnmarshalText sets the depth by its name.
func (d *depth) UnmarshalText(text []byte) error { return byName(d, text) }

type expiryKind cluster.ExpiryKind

func (expiryKind) names() []string {
	return []string{
		cluster.ServingCertificate:      "SERVING_CERTIFICATE",
		cluster.ClientCertificateExpiry: "CLIENT_CERTIFICATE",
		cluster.TokenExpiry:             "TOKEN",
	}
}

// MarshalText returns the name of what expires.
func (k expiryKind) MarshalText() ([]byte, error) { return nameOf(k) }

// UnmarshalText sets what expires by name.
func (k *expiryKind) UnmarshalText(text []byte) error { return byName(k, text) }

// duration is stored as Go writes it: 1h2m3.5s.
type duration time.Duration

// MarshalText returns the duration as Go writes it.
func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText sets the duration from what Go writes.
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}

// named is a number whose name is at its index; an empty name is none.
type named interface {
	~int
	names() []string
}

func nameOf[T named](value T) ([]byte, error) {
	names := value.names()
	if value < 0 || int(value) >= len(names) || names[value] == "" {
		return nil, fmt.Errorf("%T %d has no name", value, value)
	}
	return []byte(names[value]), nil
}

func byName[T named](value *T, text []byte) error {
	i := slices.Index((*value).names(), string(text))
	if i < 0 || len(text) == 0 {
		return fmt.Errorf("there is no %T %q", *value, text)
	}
	*value = T(i)
	return nil
}
