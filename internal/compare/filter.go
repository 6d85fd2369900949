package compare

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// left is what is left of a value.
type left int

const (
	some left = iota
	none      // it was cut
	// empty is an object or a list on the way of a path that has nothing in it, any more or from the beginning: a cluster
	// that lacks what is ignored is like one whose only member it is.
	empty
)

// root filters a whole object. apiVersion and kind are added where it lacks them.
func (n *Normalizer) root(o Object, roots []*node) error {
	if n.decoder.PeekKind() != '{' {
		return io.ErrUnexpectedEOF
	}
	_, _ = n.decoder.ReadToken() // it has been peeked at
	secret := o.Secret || isSecret(o)
	n.out = append(n.out, '{')
	lacks := map[string]string{"apiVersion": o.APIVersion, "kind": o.Kind}
	err := n.members(roots, func(name []byte, at []*node) (left, error) {
		delete(lacks, string(name))
		if secret {
			return n.secretMember(o, string(name), at)
		}
		return n.value(at)
	})
	if err != nil {
		return err
	}
	for name, value := range lacks {
		if value != "" && !isCut(member(nil, roots, []byte(name))) {
			n.comma()
			n.out = append(n.out, `"`+name+`":`...)
			n.out, _ = jsontext.AppendQuote(n.out, value) // invalid UTF-8 becomes a replacement character
		}
	}
	n.out = append(n.out, '}')
	if _, err := n.decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// value filters the next value, which is at the nodes.
func (n *Normalizer) value(at []*node) (left, error) {
	if isCut(at) {
		return n.cut(at)
	}
	kind := n.decoder.PeekKind()
	if len(at) == 0 || kind != '{' && kind != '[' {
		value, err := n.decoder.ReadValue()
		n.out = append(n.out, value...)
		return some, err
	}
	if _, err := n.decoder.ReadToken(); err != nil {
		return some, err
	}
	start := len(n.out)
	n.out = append(n.out, byte(kind))
	var err error
	if kind == '{' {
		err = n.members(at, func(_ []byte, at []*node) (left, error) { return n.value(at) })
	} else {
		err = n.elements(at)
	}
	switch {
	case err != nil:
		return some, err
	case len(n.out) == start+1:
		n.out = n.out[:start]
		return empty, nil
	case kind == '{':
		n.out = append(n.out, '}')
	default:
		n.out = append(n.out, ']')
	}
	return some, nil
}

// isCut tells whether one of the nodes cuts what is there.
func isCut(at []*node) bool { return slices.ContainsFunc(at, func(n *node) bool { return n.cut }) }

// cut leaves the next value out, unless it is one that all who cut it would keep.
func (n *Normalizer) cut(at []*node) (left, error) {
	value, err := n.decoder.ReadValue()
	if err != nil || slices.ContainsFunc(at, func(n *node) bool { return n.cut && n.unless != string(value) }) {
		return none, err
	}
	n.out = append(n.out, value...)
	return some, nil
}

// members filters the members of an object whose opening brace is read, up to its closing one.
func (n *Normalizer) members(at []*node, filter func(name []byte, at []*node) (left, error)) error {
	for n.decoder.PeekKind() == '"' {
		quoted, err := n.decoder.ReadValue()
		if err != nil {
			return err
		}
		start := len(n.out)
		n.comma()
		n.out = append(append(n.out, quoted...), ':')
		name := unquoted(quoted)
		mark := len(n.stack)
		n.stack = member(n.stack, at, name)
		what, err := filter(name, n.stack[mark:])
		n.stack = n.stack[:mark]
		if err != nil {
			return err
		}
		if what != some {
			n.out = n.out[:start]
		}
	}
	_, err := n.decoder.ReadToken()
	return err
}

// unquoted returns what a string that was read says, as a part of it where that is possible.
func unquoted(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	text, _ := jsontext.AppendUnquote(nil, quoted) // it was read, so it is valid
	return text
}

func (n *Normalizer) comma() {
	if last := n.out[len(n.out)-1]; last != '{' && last != '[' {
		n.out = append(n.out, ',')
	}
}

// elements filters those of a list. One that has become empty stays as an empty one, so that the others keep their places.
func (n *Normalizer) elements(at []*node) error {
	for i := 0; n.decoder.PeekKind() != ']'; i++ {
		kind := n.decoder.PeekKind()
		start := len(n.out)
		n.comma()
		mark := len(n.stack)
		n.stack = element(n.stack, at, i)
		what, err := n.value(n.stack[mark:])
		n.stack = n.stack[:mark]
		switch {
		case err != nil:
			return err
		case what == none:
			n.out = n.out[:start]
		case what == empty && kind == '{':
			n.out = append(n.out, "{}"...)
		case what == empty:
			n.out = append(n.out, "[]"...)
		}
	}
	_, err := n.decoder.ReadToken()
	return err
}
