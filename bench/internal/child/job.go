package child

import "time"

// Job says what a child is to do. What a role does not need is left out.
type Job struct {
	// Program is the executable that does the job, for who starts it; empty: the benchmarks themselves.
	Program string `json:"-"`

	Role       string `json:"role"`
	Kubeconfig string `json:"kubeconfig,omitempty"`
	// Clusters is how many of the kubeconfig's clusters are meant, in the order of their names; 0: all.
	Clusters   int    `json:"clusters,omitempty"`
	Aggregator string `json:"aggregator,omitempty"` // its gRPC address
	Shape      string `json:"shape,omitempty"`
	Limit      int    `json:"limit,omitempty"`
	Sweeps     int    `json:"sweeps,omitempty"` // how many times a round goes over the fleet
	// Warm does a round in the preparation, which makes the connections.
	Warm    bool          `json:"warm,omitempty"`
	Timeout time.Duration `json:"timeout,omitempty"` // of one operation
	Objects int           `json:"objects,omitempty"` // how many a list must have
	Tool    string        `json:"tool,omitempty"`    // the path of another's program that does the work
	Folder  string        `json:"folder,omitempty"`  // for files, which are removed with it
	Profile string        `json:"profile,omitempty"` // where to write a CPU profile of each round, but for its number
}
