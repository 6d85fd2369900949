// Package broadcast tells any number of subscribers the latest value of each of many keys.
//
// A [Hub] keeps one value a key, in the order in which they were published. A [Subscription] is a place in that order and
// a bit a key, so it costs the same however much it has not read: values that a subscriber did not take in time are
// replaced by later ones, and a subscriber that never reads costs the others nothing. No goroutine runs.
//
// A [Token] is a place in the order that can be handed out: who subscribes with it gets what has changed behind it, without
// a gap, or is told that this is not known any more.
package broadcast
