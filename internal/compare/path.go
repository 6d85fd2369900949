package compare

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Path is a place in objects, or several: `spec.replicas`, `metadata.annotations['example.com/owner']`,
// `spec.template.spec.containers[*].image`, `spec.ports[0]`.
type Path struct{ steps []step }

// step leads from a value into it.
type step struct {
	name  string // of a member; empty for the other kinds of steps
	index int    // of an element
	kind  stepKind
}

type stepKind int

const (
	memberStep stepKind = iota
	indexStep
	anyStep // each element of a list, or member of an object
)

// ParsePath reads a path. Names are separated by dots; one that has dots, slashes, brackets or quotes in it stands in
// brackets and quotes. One dot in front is allowed, for those who are used to JSONPath. Errors say what is wrong and how to
// write it.
func ParsePath(text string) (Path, error) {
	p := parser{rest: strings.TrimPrefix(text, ".")}
	if p.rest == "" {
		return Path{}, errors.New("the path is empty")
	}
	for first := true; p.rest != ""; first = false {
		if err := p.next(first); err != nil {
			return Path{}, fmt.Errorf("%q: %w", text, err)
		}
	}
	return Path{steps: p.steps}, nil
}

type parser struct {
	rest  string
	steps []step
}

func (p *parser) next(first bool) error {
	if p.rest[0] == '[' {
		return p.bracket()
	}
	if !first {
		if p.rest[0] != '.' {
			return fmt.Errorf("after a bracket comes a dot or another bracket, not %q", p.rest)
		}
		p.rest = p.rest[1:]
	}
	end := strings.IndexAny(p.rest, ".[")
	if end < 0 {
		end = len(p.rest)
	}
	name := p.rest[:end]
	if err := checkName(name); err != nil {
		return err
	}
	p.steps = append(p.steps, step{name: name})
	p.rest = p.rest[end:]
	return nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("a name is missing: two dots follow each other, or one stands at the end")
	case name == "*":
		return errors.New("write [*] for each element of a list or member of an object")
	case strings.ContainsAny(name, "]'\"{}$\\ \t\r\n"):
		return fmt.Errorf("%s is no plain name: write ['NAME']", strconv.Quote(name))
	case strings.Contains(name, "/"):
		return fmt.Errorf("a name with a slash, and mostly dots, stands in brackets and quotes: ['example.com/owner']; got %s", strconv.Quote(name))
	}
	return nil
}

// bracket reads [*], [3], ['name'] or ["name"].
func (p *parser) bracket() error {
	inner := p.rest[1:]
	if inner != "" && (inner[0] == '\'' || inner[0] == '"') {
		return p.quoted(inner[0])
	}
	inner, rest, closed := strings.Cut(inner, "]")
	if !closed {
		return errors.New("a bracket is not closed")
	}
	p.rest = rest
	if inner == "*" {
		p.steps = append(p.steps, step{kind: anyStep})
		return nil
	}
	index, err := strconv.ParseUint(inner, 10, 31)
	if err != nil {
		return fmt.Errorf("[%s] is neither [*] nor an index such as [0] nor a quoted name such as ['app']", inner)
	}
	p.steps = append(p.steps, step{kind: indexStep, index: int(index)})
	return nil
}

func (p *parser) quoted(quote byte) error {
	name, rest, closed := strings.Cut(p.rest[2:], string(quote)+"]")
	switch {
	case !closed:
		return fmt.Errorf("a name in brackets ends with %c]", quote)
	case name == "":
		return errors.New("a name in brackets is empty")
	}
	p.steps = append(p.steps, step{name: name})
	p.rest = rest
	return nil
}
