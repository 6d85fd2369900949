// Package server is the gRPC face of the fleet: it decodes requests, runs package fleet's use cases, and sends every result
// as it comes. A handler is one loop in one goroutine, which is the only one that sends.
//
// Proto messages and gRPC codes are known here and nowhere below; convert.go and status.go turn the domain into them.
package server
