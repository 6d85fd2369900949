package simulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

// shelf holds the objects of one resource type, rendered, in the order of their keys in etcd: by namespace, then by
// name, for no namespace here is another one with something behind it. A list of neighbours is one slice of it.
type shelf struct {
	*resourceType
	items []item
	body  []byte          // the JSON of all items, separated by commas
	byKey map[string]int  // namespace/name → index in items
	spans map[string]span // namespace → its items
}

// item says where in the body an object is, and what selectors and Tables need of it.
type item struct {
	namespace, name  string
	from, to         int // of the object in body
	metaFrom, metaTo int // of its metadata in body
	labels           labels.Set
	cells            []byte // a JSON array
}

// span is a half-open range of items.
type span struct{ from, to int }

// fillerSize is the length of one piece of filler, which stands in the JSON with a key and some punctuation.
const fillerSize = 64

func stock(t *resourceType, count, namespaces, objectBytes int, now time.Time) (*shelf, error) {
	s := &shelf{resourceType: t, byKey: map[string]int{}, spans: map[string]span{}}
	type made struct {
		product
		text []byte
	}
	all := make([]made, 0, count)
	for i := range count {
		p := place{index: i, now: now}
		if t.namespaced {
			p.namespace = namespaceName(i * namespaces / count)
		}
		product, text, err := t.render(p, objectBytes)
		if err != nil {
			return nil, err
		}
		all = append(all, made{product: product, text: text})
	}
	slices.SortFunc(all, func(a, b made) int {
		return cmp.Or(cmp.Compare(a.meta.Namespace, b.meta.Namespace), cmp.Compare(a.meta.Name, b.meta.Name))
	})
	for _, m := range all {
		if err := s.put(m.product, m.text); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// render makes the object at p with as much filler as it takes to reach objectBytes.
func (t *resourceType) render(p place, objectBytes int) (product, []byte, error) {
	made := t.make(p)
	text, err := json.Marshal(made.object)
	if err != nil || len(text) >= objectBytes {
		return made, text, err
	}
	// How much a piece adds depends on the type; the second piece shows it, for the first may add a field as well.
	sizes := [3]int{len(text)}
	for n := 1; n <= 2; n++ {
		p.filler = filler(n)
		if text, err = json.Marshal(t.make(p).object); err != nil {
			return made, nil, err
		}
		sizes[n] = len(text)
	}
	each := sizes[2] - sizes[1]
	p.filler = filler(max(1, 2+(objectBytes-sizes[2]+each-1)/each))
	made = t.make(p)
	text, err = json.Marshal(made.object)
	return made, text, err
}

// filler is n different texts of one length.
func filler(n int) []string {
	texts := make([]string, 0, n)
	for i := range n {
		texts = append(texts, fmt.Sprintf("%08d-the-quick-brown-fox-jumps-over-the-lazy-dog-and-runs-on-----", i)[:fillerSize])
	}
	return texts
}

func fillerName(i int) string { return fmt.Sprintf("FILLER_%06d", i) }

func (s *shelf) put(p product, text []byte) error {
	if len(s.body) > 0 {
		s.body = append(s.body, ',')
	}
	from := len(s.body)
	s.body = append(s.body, text...)
	meta, err := json.Marshal(p.meta)
	if err != nil {
		return err
	}
	metaAt := bytes.Index(text, meta)
	if metaAt < 0 {
		return fmt.Errorf("%s: the metadata is not found in the object", p.meta.Name)
	}
	cells, err := json.Marshal(p.cells)
	if err != nil {
		return err
	}
	index := len(s.items)
	s.items = append(s.items, item{
		namespace: p.meta.Namespace,
		name:      p.meta.Name,
		from:      from,
		to:        len(s.body),
		metaFrom:  from + metaAt,
		metaTo:    from + metaAt + len(meta),
		labels:    p.meta.Labels,
		cells:     cells,
	})
	s.byKey[p.meta.Namespace+"/"+p.meta.Name] = index
	own, begun := s.spans[p.meta.Namespace]
	if !begun {
		own.from = index
	}
	own.to = index + 1
	s.spans[p.meta.Namespace] = own
	return nil
}

// within is the items of a namespace, or all when it is "".
func (s *shelf) within(namespace string) span {
	if namespace == "" {
		return span{to: len(s.items)}
	}
	return s.spans[namespace]
}

// text is the JSON of neighbours, as it stands in a list.
func (s *shelf) text(r span) []byte {
	if r.from >= r.to {
		return nil
	}
	return s.body[s.items[r.from].from:s.items[r.to-1].to]
}

// object is the JSON of one item as a get returns it: with its kind and apiVersion.
func (s *shelf) object(i int) [][]byte {
	text := s.text(span{i, i + 1})
	if s.custom {
		return [][]byte{text}
	}
	head := fmt.Appendf(nil, `{"kind":%q,"apiVersion":%q,`, s.kind, s.apiVersion())
	return [][]byte{head, text[1:]}
}

func (s *shelf) metadata(i int) []byte { return s.body[s.items[i].metaFrom:s.items[i].metaTo] }

// age is how kubectl says it.
func age(created, now time.Time) string {
	days := int(now.Sub(created).Hours() / 24)
	return fmt.Sprintf("%dd", days)
}
