package compare

// node is a place on the way of paths, as a tree: what is cut, and what leads on to it.
type node struct {
	cut bool
	// unless is a value that stays although it is cut.
	unless   string
	members  map[string]*node
	elements map[int]*node
	each     *node
}

func (n *node) add(p Path, unless string) {
	at := n
	for _, s := range p.steps {
		at = at.child(s)
	}
	at.cut, at.unless = true, unless
}

func (n *node) child(s step) *node {
	switch s.kind {
	case anyStep:
		if n.each == nil {
			n.each = &node{}
		}
		return n.each
	case indexStep:
		if n.elements == nil {
			n.elements = map[int]*node{}
		}
		return in(n.elements, s.index)
	case memberStep:
	}
	if n.members == nil {
		n.members = map[string]*node{}
	}
	return in(n.members, s.name)
}

func in[K comparable](nodes map[K]*node, key K) *node {
	if nodes[key] == nil {
		nodes[key] = &node{}
	}
	return nodes[key]
}

// member appends the nodes that a member of that name is at, given that its object is at from.
func member(to, from []*node, name []byte) []*node {
	for _, n := range from {
		if next := n.members[string(name)]; next != nil {
			to = append(to, next)
		}
		if n.each != nil {
			to = append(to, n.each)
		}
	}
	return to
}

// element is the same for an element of a list.
func element(to, from []*node, index int) []*node {
	for _, n := range from {
		if next := n.elements[index]; next != nil {
			to = append(to, next)
		}
		if n.each != nil {
			to = append(to, n.each)
		}
	}
	return to
}
