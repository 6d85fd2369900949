package manifest

import "slices"

// appliedCopies are the annotations in which tools keep a copy of the object that they applied, readable, encoded or packed.
//
//nolint:gochecknoglobals // constants
var appliedCopies = [...]string{
	"kubectl.kubernetes.io/last-applied-configuration",
	"objectset.rio.cattle.io/applied",
	"kapp.k14s.io/original",
	"kapp.k14s.io/original-diff",
	"banzaicloud.com/last-applied",
	"kopf.zalando.org/last-handled-configuration",
}

// AppliedCopies returns the names of the annotations that are copies of what was applied: those of a Secret hold its data, and
// none says anything of an object that the object does not.
func AppliedCopies() []string { return slices.Clone(appliedCopies[:]) }
