// Package cluster talks to one Kubernetes API server: it probes it, reads resources from it, and says exactly what went
// wrong if something did.
//
// A Client is made once from a Definition and kept for the definition's life. It owns at most one connection for probes
// and two for reads, its own limits, and its credentials. What it returns about failures is typed (Error, Verdict):
// reason, phase, blame and a text that is safe to show to anybody.
//
// The package knows nothing of fleets, of gRPC, or of what the bytes of a manifest mean. It never follows a redirect,
// never uses a proxy, never retries what the server has seen, and never sleeps because a server tells it to.
package cluster
