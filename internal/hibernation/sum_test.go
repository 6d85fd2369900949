package hibernation_test

import (
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/hibernation"
)

func TestTheStateOfAGroup(t *testing.T) {
	for _, c := range []struct {
		eligible, hibernated, unknown int
		want                          hibernation.State
	}{
		{0, 0, 0, hibernation.Running},
		{3, 0, 0, hibernation.Running},
		{3, 1, 0, hibernation.PartiallyHibernated},
		{3, 3, 0, hibernation.Hibernated},
		{1, 1, 0, hibernation.Hibernated},
		{0, 0, 1, hibernation.Unknown},
		{3, 0, 1, hibernation.Unknown},
		{3, 1, 1, hibernation.PartiallyHibernated},
		{3, 3, 1, hibernation.PartiallyHibernated}, // whether all do is not known
	} {
		if got := (hibernation.Sum{Eligible: c.eligible, Hibernated: c.hibernated, Unknown: c.unknown}).State(); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}
