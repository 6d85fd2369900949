// Package test holds the end-to-end tests: they run the product's programs as processes, as its users do, against real
// Kubernetes API servers and against simulated ones that fail on demand.
package test
