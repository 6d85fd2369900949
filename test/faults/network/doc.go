// Package network tests the product against faults of a real network: packets that disappear, ways that are denied, links
// that go down. Each test has two network namespaces of its own (see netns), the aggregator in one and a simulated fleet in
// the other, and nothing in it touches the machine's network. It needs Linux and the right to make namespaces.
package network
