package compare

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
)

// shownDigest is how many bytes of a digest stand for a value: enough that no two are alike by accident.
const shownDigest = 8

// digester stands for values that nobody may see. Its key lives as long as one comparison and leaves it never, so that no
// value can be found by trying; and a digest counts for one member of one object only, so that nobody finds one by putting
// guesses into objects of his own.
type digester struct{ key [32]byte }

func newDigester() digester {
	var d digester
	_, _ = rand.Read(d.key[:]) // it never fails
	return d
}

// append appends what stands for a value, as a JSON string.
func (d *digester) append(to []byte, o Object, value []byte, path ...string) []byte {
	mac := hmac.New(sha256.New, d.key[:])
	for _, part := range append([]string{o.Namespace, o.Name}, path...) {
		mac.Write([]byte(part))
		mac.Write([]byte{0})
	}
	mac.Write(value)
	to = append(to, `"(hidden: `...)
	to = hex.AppendEncode(to, mac.Sum(nil)[:shownDigest])
	return append(to, `)"`...)
}

// isSecret tells whether an object calls itself a Secret. Without an apiVersion it is held to be one.
func isSecret(o Object) bool {
	return o.Kind == "Secret" && (o.APIVersion == "v1" || o.APIVersion == "")
}

// secretMember filters a member of a Secret. What is known to hold no secret stays; of `data` and `stringData` the names stay
// and the values are hidden; whatever else a server may send is hidden as a whole.
func (n *Normalizer) secretMember(o Object, name string, at []*node) (left, error) {
	switch name {
	case "apiVersion", "kind", "metadata", "type", "immutable":
		return n.value(at)
	case "data", "stringData":
		if n.decoder.PeekKind() == '{' && !isCut(at) {
			return n.hideMembers(o, name, at)
		}
	}
	return n.hide(o, at, name)
}

func (n *Normalizer) hideMembers(o Object, name string, at []*node) (left, error) {
	if _, err := n.decoder.ReadToken(); err != nil {
		return some, err
	}
	start := len(n.out)
	n.out = append(n.out, '{')
	err := n.members(at, func(key []byte, at []*node) (left, error) { return n.hide(o, at, name, string(key)) })
	if len(n.out) == start+1 {
		return empty, err
	}
	n.out = append(n.out, '}')
	return some, err
}

// hide writes a digest in place of the next value, of its one canonical form.
func (n *Normalizer) hide(o Object, at []*node, path ...string) (left, error) {
	read, err := n.decoder.ReadValue()
	if err != nil || isCut(at) {
		return none, err
	}
	value := read.Clone()
	if err := canonicalize(&value); err != nil {
		return none, err
	}
	n.out = n.filter.hidden.append(n.out, o, value, path...)
	return some, nil
}
