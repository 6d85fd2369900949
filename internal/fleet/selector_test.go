package fleet_test

import (
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
)

func TestNamesOfUnknownClustersAreEscapedOnce(t *testing.T) {
	for name, want := range map[string]string{
		"prod-9":              `the fleet has no cluster "prod-9"`,
		"\x1b[31mevil\nname":  `the fleet has no cluster "\x1b[31mevil\nname"`,
		`corp\someone@prod-1`: `the fleet has no cluster "corp\someone@prod-1"`,
	} {
		if got := (&fleet.UnknownClusterError{Names: []string{name}}).Error(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
