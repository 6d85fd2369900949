package hibernation

// Type is a type of workloads.
type Type struct {
	// Group and Version are those of the API. An empty version is the one that a cluster prefers: the type may be missing
	// there, and only discovery tells that from a type that may not be read.
	Group, Version string
	// Resource is the plural name, Kind what an object of the type is called.
	Resource, Kind string
	// Roots says that objects with a controller do not count: they are parts of another workload.
	Roots bool
}

// String returns the type as kubectl writes it, such as `deployments.apps`.
func (t Type) String() string { return t.Resource + "." + t.Group }

// Types returns the types of workloads that a hibernator scales.
func Types() []Type {
	return []Type{
		{Group: "apps", Version: "v1", Resource: "deployments", Kind: "Deployment"},
		{Group: "apps", Version: "v1", Resource: "statefulsets", Kind: "StatefulSet"},
		{Group: "apps", Version: "v1", Resource: "replicasets", Kind: "ReplicaSet", Roots: true},
		{Group: "argoproj.io", Resource: "rollouts", Kind: "Rollout"},
	}
}

// counts reports whether the workload counts among those of its type.
func (t Type) counts(w Workload) bool { return w.Eligible && (!t.Roots || !w.Controlled) }
