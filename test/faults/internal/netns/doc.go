// Package netns gives a test networks of its own, which the kernel makes and takes away: real routes, neighbours and
// links, on which real faults are made. Nothing of the machine's own network is seen or changed.
//
// A test runs [Apart]: in a child process that is root of its own user namespace, so that nobody has to be root, and alone
// in its own network namespace. A [Pair] adds a second namespace behind a link. Namespaces last as long as a process is in
// them or holds them open, and no longer.
//
// It needs Linux and the right to make user and network namespaces, and no program but the test's own.
package netns
