// Package hibernation tells which workloads sleep: were scaled to 0 by a hibernator that left the number of replicas in an
// annotation. It judges objects as bytes and sums up what it finds; it neither reads from a cluster nor wakes anything.
package hibernation
