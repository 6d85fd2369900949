package compare

import (
	"errors"
	"strings"
	"sync"
)

// ErrFull means that a comparison has no memory for more objects or forms of them.
var ErrFull = errors.New("there are too many objects, or forms of them, to compare at once")

// Memory is what comparisons share. Its methods are safe for concurrent use; *semaphore.Weighted is one.
type Memory interface {
	// TryAcquire takes some bytes if there are as many.
	TryAcquire(bytes int64) bool
	// Release gives bytes back.
	Release(bytes int64)
}

// What the parts of an index take beside their text and the lists of clusters, with what maps and slices have in reserve.
const (
	objectCost = 192
	formCost   = 192
	// indexBytes is how much the index of one comparison may take.
	indexBytes = 64 << 20
	// manyForms is how many forms of an object are looked through one by one.
	manyForms = 16
)

// Comparison is what is known of the objects of a fleet so far. Its clusters are those that New was given, by their index.
type Comparison struct {
	clusters int
	memory   Memory
	shelf    shelf

	mu      sync.Mutex
	ids     map[id]int
	objects []object
	present bitset // clusters that were read
	taken   int64  // from memory, for the index
	used    int64
}

type id struct{ namespace, name string }

// object is one object over the fleet.
type object struct {
	id     id
	forms  []form
	byHash map[Hash]int // nil while there are few forms
}

// form is one form of an object.
type form struct {
	hash     Hash
	size     uint32 // of its content, at most math.MaxUint32
	place    place
	clusters set
}

// New returns a comparison of so many clusters, in the order of their names. It takes its memory from what is shared, and
// gives it back when it is closed.
func New(clusters int, memory Memory) *Comparison {
	return &Comparison{clusters: clusters, memory: memory, shelf: shelf{memory: memory}, ids: map[id]int{}}
}

// Close gives the memory back. Nothing of the comparison can be asked for any more.
func (c *Comparison) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.memory.Release(c.taken)
	c.taken, c.used, c.objects, c.ids = 0, 0, nil, nil
	c.shelf.close()
}

// Part is what one cluster adds. It is for one goroutine; the parts of several clusters may be added to at once.
type Part struct {
	comparison *Comparison
	cluster    int
	seen       bitset // objects, so that one that comes twice counts once
}

// Part begins the part of a cluster. It counts only after Done.
func (c *Comparison) Part(cluster int) *Part { return &Part{comparison: c, cluster: cluster} }

// Done says that the cluster was read: it has what was added and lacks everything else.
func (p *Part) Done() {
	p.comparison.mu.Lock()
	defer p.comparison.mu.Unlock()
	p.comparison.present.add(p.cluster)
}

// Add adds an object in its normal form, of which nothing is kept but copies. The error is ErrFull.
func (p *Part) Add(namespace, name string, content []byte, hash Hash) error {
	c := p.comparison
	c.mu.Lock()
	object, err := c.object(namespace, name)
	if err != nil || p.seen.has(object) {
		c.mu.Unlock()
		return err
	}
	p.seen.add(object)
	known := c.objects[object].find(hash)
	if known >= 0 {
		defer c.mu.Unlock()
		return c.join(object, known, p.cluster)
	}
	upon := c.base(object)
	c.mu.Unlock()

	packed, used := pack(content, upon) // takes its time, so others may go on

	c.mu.Lock()
	defer c.mu.Unlock()
	known = c.objects[object].find(hash)
	if known < 0 {
		if known, err = c.form(object, hash, len(content)); err != nil {
			return err
		}
		at := c.shelf.put(packed)
		at.upon = used
		c.objects[object].forms[known].place = at
	}
	return c.join(object, known, p.cluster)
}

// base returns the content that others of the object are packed upon: that of its first form, if it is kept.
func (c *Comparison) base(object int) []byte {
	forms := c.objects[object].forms
	if len(forms) == 0 || forms[0].place.chunk == 0 {
		return nil
	}
	return unpack(c.shelf.at(forms[0].place), nil)
}

func (c *Comparison) object(namespace, name string) (int, error) {
	key := id{namespace, name}
	if known, ok := c.ids[key]; ok {
		return known, nil
	}
	if err := c.grow(objectCost + len(namespace) + len(name)); err != nil {
		return 0, err
	}
	key = id{strings.Clone(namespace), strings.Clone(name)}
	c.ids[key] = len(c.objects)
	c.objects = append(c.objects, object{id: key})
	return len(c.objects) - 1, nil
}

func (c *Comparison) form(object int, hash Hash, size int) (int, error) {
	if err := c.grow(formCost); err != nil {
		return 0, err
	}
	o := &c.objects[object]
	o.forms = append(o.forms, form{hash: hash, size: uint32(size)}) //nolint:gosec // an object has some MiB at most
	last := len(o.forms) - 1
	switch {
	case o.byHash != nil:
		o.byHash[hash] = last
	case len(o.forms) > manyForms:
		o.byHash = make(map[Hash]int, 2*manyForms)
		for i := range o.forms {
			o.byHash[o.forms[i].hash] = i
		}
	}
	return last, nil
}

func (c *Comparison) join(object, form, cluster int) error {
	return c.grow(c.objects[object].forms[form].clusters.add(cluster, c.clusters))
}

// grow accounts for bytes of the index.
func (c *Comparison) grow(bytes int) error {
	for c.used+int64(bytes) > c.taken {
		if c.taken == indexBytes || !c.memory.TryAcquire(chunkBytes) {
			return ErrFull
		}
		c.taken += chunkBytes
	}
	c.used += int64(bytes)
	return nil
}

func (o *object) find(hash Hash) int {
	if o.byHash != nil {
		if i, ok := o.byHash[hash]; ok {
			return i
		}
		return -1
	}
	for i := range o.forms {
		if o.forms[i].hash == hash {
			return i
		}
	}
	return -1
}
