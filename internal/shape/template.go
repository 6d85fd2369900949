package shape

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/client-go/util/jsonpath"
)

// Projection is a JSONPath template in kubectl's syntax. The template is client-go's, the evaluation is not: client-go's
// keeps its state in the template, orders the members of objects by chance, and takes any time and memory.
type Projection struct {
	parts   []part
	members members // of the object, that the template looks at
}

// part is what a template prints, one after the other: what a path leads to, or the body for each of these.
type part struct {
	path []jsonpath.Node
	body []part // of a range
	loop bool   // it is a range
}

// ParseProjection compiles a template such as `{.spec.replicas}` or `{range .spec.containers[*]}{.image}{"\n"}{end}`. As
// in kubectl's custom columns, `.spec.replicas` and `spec.replicas` are paths. The error is the caller's to mend.
func ParseProjection(template string) (p *Projection, err error) {
	defer func() {
		if r := recover(); r != nil { // the parser panics on some of what it should refuse
			p, err = nil, errors.New("it is no JSONPath template")
		}
	}()
	parsed, err := jsonpath.Parse("template", strict(template))
	if err != nil {
		return nil, err
	}
	parts, rest, err := structure(parsed.Root.Nodes)
	switch {
	case err != nil:
		return nil, err
	case len(rest) > 0:
		return nil, errors.New("an {end} without a {range …}")
	}
	return &Projection{parts: parts, members: namedIn(parts)}, nil
}

// strict returns a template as the parser wants it. A single path needs neither braces nor a dot.
func strict(template string) string {
	bare := regexp.MustCompile(`^[$@]?\.?([^{}]+)$`)
	if path := bare.FindStringSubmatch(template); path != nil {
		return "{." + path[1] + "}"
	}
	dotless := regexp.MustCompile(`^\{([\pL_][^{}]*)\}$`)
	if path := dotless.FindStringSubmatch(template); path != nil && path[1] != "end" && !strings.HasPrefix(path[1], "range ") {
		return "{." + path[1] + "}"
	}
	return template
}

// structure finds the ranges of a template. It returns what stands before the first {end} that closes none of them, and the
// rest from there.
func structure(nodes []jsonpath.Node) (parts []part, rest []jsonpath.Node, err error) {
	for len(nodes) > 0 {
		path := []jsonpath.Node{nodes[0]}
		if list, ok := nodes[0].(*jsonpath.ListNode); ok {
			path = list.Nodes
		}
		word := keyword(path)
		switch word {
		case "end":
			return parts, nodes, nil
		case "range":
			path = path[1:]
		}
		if err := checkPath(path); err != nil {
			return nil, nil, err
		}
		next := part{path: path, loop: word == "range"}
		nodes = nodes[1:]
		if next.loop {
			if next.body, nodes, err = structure(nodes); err != nil {
				return nil, nil, err
			}
			if len(nodes) == 0 {
				return nil, nil, errors.New("a {range …} without an {end}")
			}
			nodes = nodes[1:]
		}
		parts = append(parts, next)
	}
	return parts, nil, nil
}

// keyword is the word that an action begins with, empty if it is a path.
func keyword(path []jsonpath.Node) string {
	if len(path) == 0 {
		return ""
	}
	word, _ := path[0].(*jsonpath.IdentifierNode)
	if word == nil {
		return ""
	}
	return word.Name
}

// checkPath refuses what client-go's parser takes and nothing can evaluate.
func checkPath(path []jsonpath.Node) error {
	for _, node := range path {
		var err error
		switch n := node.(type) {
		case *jsonpath.IdentifierNode:
			err = fmt.Errorf("%q is neither a path, such as .%s, nor range or end", n.Name, n.Name)
		case *jsonpath.ListNode:
			err = checkPath(n.Nodes)
		case *jsonpath.ArrayNode:
			if n.Params[2].Known && n.Params[2].Value <= 0 {
				err = errors.New("the step of a slice must be positive")
			}
		case *jsonpath.UnionNode:
			for _, member := range n.Nodes {
				if err = checkPath(member.Nodes); err != nil {
					break
				}
			}
		case *jsonpath.FilterNode:
			if !slices.Contains([]string{"exists", "==", "!=", "<", "<=", ">", ">="}, n.Operator) {
				return fmt.Errorf("%q does not compare: use ==, !=, <, <=, > or >=", n.Operator)
			}
			if err = checkPath(n.Left.Nodes); err == nil {
				err = checkPath(n.Right.Nodes)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// namedIn returns the members of the object that a template names; nil where it may look at any.
func namedIn(parts []part) members {
	named := members{}
	for _, p := range parts {
		if len(p.path) == 0 {
			return nil
		}
		switch first := p.path[0].(type) {
		case *jsonpath.TextNode:
		case *jsonpath.FieldNode:
			named[first.Value] = struct{}{}
		default:
			return nil
		}
	}
	return named
}
