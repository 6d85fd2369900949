// Package simulator is a fleet of simulated Kubernetes API servers in one process: real sockets, real TLS, real
// HTTP/1.1 and HTTP/2, scripted latency and scripted faults. Ten thousand of them fit on a small machine, because a
// cluster is a loopback address and a TLS server name behind one shared listener, and all clusters serve the same
// rendered objects. Where the machine has a network of its own for them, they may have addresses that others reach.
//
// What is simulated is what a reader of clusters sees: health endpoints, version, discovery, self reviews, lists and
// gets of a handful of resource types. Nothing can be written, watched or executed, and unless told otherwise nothing but
// loopback is served.
package simulator
