package compare

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Hash is the SHA-256 of an object's normal form.
type Hash [sha256.Size]byte

// Object is an object as it was read.
type Object struct {
	Namespace, Name string
	// APIVersion and Kind are what the list tells of its objects; the object itself is asked where one is empty.
	APIVersion, Kind string
	JSON             []byte
	// Secret says that it is a Secret, whatever it calls itself.
	Secret bool
}

// Filter is what does not count as a difference in one comparison. It is safe for concurrent use.
type Filter struct {
	common *node
	kinds  map[typeKey]*node
	hidden digester
}

// typeKey is a kind with its group.
type typeKey struct{ group, kind string }

// NewFilter returns the filter of Rules and of what the caller ignores. Secrets are hidden with a key of its own: digests of
// two filters cannot be compared.
func NewFilter(ignore []Path) *Filter {
	f := &Filter{common: &node{}, kinds: map[typeKey]*node{}, hidden: newDigester()}
	for _, r := range Rules() {
		path, err := ParsePath(r.Path)
		if err != nil {
			panic(err) // a constant of ours; each test parses them
		}
		to := f.common
		if r.Kind != "" {
			to = in(f.kinds, typeKey{r.Group, r.Kind})
		}
		to.add(path, r.Unless)
	}
	for _, path := range ignore {
		f.common.add(path, "")
	}
	return f
}

// Normalizer makes the normal form of objects, one after the other. It keeps its buffers.
type Normalizer struct {
	filter  *Filter
	decoder *jsontext.Decoder
	in, out []byte
	stack   []*node
}

// maxKept bounds a buffer that is kept for the next object.
const maxKept = 1 << 20

// NewNormalizer returns a normalizer. It is for one goroutine at a time.
func NewNormalizer(f *Filter) *Normalizer {
	return &Normalizer{filter: f, decoder: jsontext.NewDecoder(&bytes.Buffer{})}
}

// Normalize returns the normal form of an object as JSON, valid until the next call, and its hash. An error means that the
// object is no JSON object; it repeats nothing of it.
func (n *Normalizer) Normalize(o Object) ([]byte, Hash, error) {
	n.shrink()
	n.in = append(n.in[:0], o.JSON...)
	if o.APIVersion == "" || o.Kind == "" {
		if err := n.tell(&o); err != nil {
			return nil, Hash{}, err
		}
	}
	n.out, n.stack = n.out[:0], n.stack[:0]
	roots := []*node{n.filter.common}
	group, _, grouped := strings.Cut(o.APIVersion, "/")
	if !grouped {
		group = ""
	}
	if own := n.filter.kinds[typeKey{group, o.Kind}]; own != nil {
		roots = append(roots, own)
	}
	n.decoder.Reset(bytes.NewBuffer(n.in))
	if err := n.root(o, roots); err != nil {
		return nil, Hash{}, malformed(o)
	}
	if err := canonicalize((*jsontext.Value)(&n.out)); err != nil {
		return nil, Hash{}, malformed(o)
	}
	return n.out, sha256.Sum256(n.out), nil
}

func (n *Normalizer) shrink() {
	if cap(n.in) > maxKept {
		n.in = nil
	}
	if cap(n.out) > maxKept {
		n.out = nil
	}
}

// canonicalize sorts members, and writes strings and numbers in one way. Integers keep all their digits.
func canonicalize(v *jsontext.Value) error {
	return v.Canonicalize(jsontext.CanonicalizeRawInts(false))
}

func malformed(o Object) error {
	return fmt.Errorf("%q is no JSON object that can be compared", strings.TrimPrefix(o.Namespace+"/"+o.Name, "/"))
}

// tell fills in apiVersion and kind out of the object itself.
func (n *Normalizer) tell(o *Object) error {
	n.decoder.Reset(bytes.NewBuffer(n.in))
	if n.decoder.PeekKind() != '{' {
		return malformed(*o)
	}
	_, _ = n.decoder.ReadToken() // it has been peeked at
	for found := 0; found < 2 && n.decoder.PeekKind() == '"'; {
		name, err := n.decoder.ReadToken()
		if err != nil {
			return malformed(*o)
		}
		to := map[string]*string{"apiVersion": &o.APIVersion, "kind": &o.Kind}[name.String()]
		if to == nil || n.decoder.PeekKind() != '"' {
			if err := n.decoder.SkipValue(); err != nil {
				return malformed(*o)
			}
			continue
		}
		value, err := n.decoder.ReadToken()
		if err != nil {
			return malformed(*o)
		}
		*to = value.String()
		found++
	}
	return nil
}
