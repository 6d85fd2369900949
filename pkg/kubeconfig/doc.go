// Package kubeconfig makes cluster definitions of kubeconfig files: every context is a cluster.
//
// It takes what kubectl takes, less what a server that runs unattended must not do: ask at a terminal, run a program that
// nobody has allowed, or use a proxy. What cannot be used is a Problem, one clear line without credentials, and leaves the
// rest as it is.
package kubeconfig
