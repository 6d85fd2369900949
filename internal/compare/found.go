package compare

import (
	"cmp"
	"iter"
	"slices"
)

// Found is one object over the clusters that were read.
type Found struct {
	Namespace, Name string
	// Variants are its forms: the baseline first, then by the number of clusters.
	Variants []Variant
	// Missing are the clusters that lack it, in their order.
	Missing []int

	object int
}

// Variant is one form of an object.
type Variant struct {
	Hash Hash
	// Size is that of its content in bytes.
	Size int
	// Clusters are those that have it, in their order; at least one.
	Clusters []int

	form int
}

// Same tells whether all clusters that were read have the object, and in one form.
func (f *Found) Same() bool { return len(f.Variants) == 1 && len(f.Missing) == 0 }

// Totals counts objects.
type Totals struct {
	// Objects is how many different ones there are in the clusters that were read.
	Objects int
	// Equal ones are the same in all clusters, Differing ones have several forms, and MissingSomewhere some cluster lacks:
	// the latter two may be both.
	Equal, Differing, MissingSomewhere int
}

// Totals counts the objects that some cluster has, without looking at who has them: it takes a small part of the time that
// Objects takes. No part may be added to any more.
func (c *Comparison) Totals() Totals {
	var t Totals
	read := c.present.count()
	for i := range c.objects {
		variants, have := 0, 0
		for f := range c.objects[i].forms {
			if n := c.objects[i].forms[f].clusters.count(&c.present); n > 0 {
				variants++
				have += n
			}
		}
		t.count(variants, have == read)
	}
	return t
}

// count counts an object of so many variants.
func (t *Totals) count(variants int, everywhere bool) {
	if variants == 0 {
		return // only clusters that failed later had it
	}
	t.Objects++
	if variants > 1 {
		t.Differing++
	}
	if !everywhere {
		t.MissingSomewhere++
	}
	if variants == 1 && everywhere {
		t.Equal++
	}
}

// Objects yields each object that some cluster has, in the order of namespaces and names. against is the cluster whose form is
// the baseline, -1 for none. Where it lacks the object, and without one, that is the form that most clusters have, of equals
// that of the first cluster. No part may be added to any more.
func (c *Comparison) Objects(against int) iter.Seq[*Found] {
	return func(yield func(*Found) bool) {
		order := make([]int, len(c.objects))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(x, y int) int {
			a, b := c.objects[x].id, c.objects[y].id
			return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
		})
		for _, object := range order {
			f := c.found(object, against)
			if len(f.Variants) == 0 {
				continue // only clusters that failed later had it
			}
			if !yield(f) {
				return
			}
		}
	}
}

func (c *Comparison) found(object, against int) *Found {
	o := &c.objects[object]
	f := &Found{Namespace: o.id.namespace, Name: o.id.name, object: object}
	var have bitset
	for i := range o.forms {
		clusters := o.forms[i].clusters.sorted(&c.present)
		if len(clusters) == 0 {
			continue
		}
		for _, cluster := range clusters {
			have.add(cluster)
		}
		f.Variants = append(f.Variants, Variant{Hash: o.forms[i].hash, Size: int(o.forms[i].size), Clusters: clusters, form: i})
	}
	for cluster := range c.clusters {
		if c.present.has(cluster) && !have.has(cluster) {
			f.Missing = append(f.Missing, cluster)
		}
	}
	slices.SortFunc(f.Variants, func(x, y Variant) int {
		return cmp.Or(cmp.Compare(len(y.Clusters), len(x.Clusters)), cmp.Compare(x.Clusters[0], y.Clusters[0]))
	})
	baseline := slices.IndexFunc(f.Variants, func(v Variant) bool {
		_, has := slices.BinarySearch(v.Clusters, against)
		return has
	})
	if baseline > 0 {
		chosen := f.Variants[baseline]
		copy(f.Variants[1:baseline+1], f.Variants[:baseline])
		f.Variants[0] = chosen
	}
	return f
}

// Kept tells whether the content of a variant is kept.
func (c *Comparison) Kept(f *Found, v Variant) bool {
	return c.objects[f.object].forms[v.form].place.chunk > 0
}

// Content returns what a variant consists of; nil if it is not kept.
func (c *Comparison) Content(f *Found, v Variant) []byte {
	forms := c.objects[f.object].forms
	at := forms[v.form].place
	packed := c.shelf.at(at)
	switch {
	case packed == nil:
		return nil
	case at.upon:
		return unpack(packed, unpack(c.shelf.at(forms[0].place), nil))
	}
	return unpack(packed, nil)
}
