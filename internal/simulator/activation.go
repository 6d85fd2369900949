package simulator

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// active is a checked fault.
type active struct {
	Fault
	trait
}

// faultSet is what is wrong with a cluster now. It is immutable; nil is a healthy cluster. When several faults of one
// family are on, the one that was assigned first in the scenario is seen, and one set by SetFault before all.
type faultSet struct {
	assigned []assignment // by key, ascending
	link     *active
	conn     *active
	answers  []*active
}

// assignment is a fault and who put it there: the index of a scenario's rule, or byHand.
type assignment struct {
	key   int
	fault *active
}

const byHand = -1

// with is the set after key's fault was exchanged; a nil fault removes it.
func (s *faultSet) with(key int, fault *active) *faultSet {
	next := &faultSet{}
	if s != nil {
		for _, a := range s.assigned {
			if a.key != key {
				next.assigned = append(next.assigned, a)
			}
		}
	}
	if fault != nil {
		next.assigned = append(next.assigned, assignment{key: key, fault: fault})
	}
	if len(next.assigned) == 0 {
		return nil
	}
	slices.SortFunc(next.assigned, func(a, b assignment) int { return a.key - b.key })
	for _, a := range next.assigned {
		next.add(a.fault)
	}
	return next
}

func (s *faultSet) add(fault *active) {
	switch {
	case fault.family == linkFault && s.link == nil:
		s.link = fault
	case fault.family == connectionFault && s.conn == nil:
		s.conn = fault
	case fault.family == answerFault:
		s.answers = append(s.answers, fault)
	}
}

func (s *faultSet) linkKind() Kind {
	if s == nil || s.link == nil {
		return ""
	}
	return s.link.Kind
}

func (s *faultSet) connectionFault() *active {
	if s == nil {
		return nil
	}
	return s.conn
}

// SetFault breaks a cluster until ClearFault, beside what a scenario does to it. A second call replaces the first. When
// it returns, the fault is there: the next connection or request meets it.
func (f *Fleet) SetFault(name string, fault Fault) error {
	c, ok := f.byName[name]
	if !ok {
		return fmt.Errorf("no cluster %q", name)
	}
	fault, t, err := fault.check()
	if err != nil {
		return fmt.Errorf("break %s: %w", name, err)
	}
	return f.assign(context.Background(), c, byHand, &active{Fault: fault, trait: t})
}

// ClearFault ends what SetFault began; it is no error when there is nothing to end.
func (f *Fleet) ClearFault(name string) error {
	c, ok := f.byName[name]
	if !ok {
		return fmt.Errorf("no cluster %q", name)
	}
	return f.assign(context.Background(), c, byHand, nil)
}

// errNoDoor says what to do about a link fault of a cluster that shares its socket with others.
var errNoDoor = errors.New("it shares the listener of the fleet: give it a port of its own (Config.OwnPorts)")

func (f *Fleet) assign(ctx context.Context, c *cluster, key int, fault *active) error {
	if fault != nil && fault.family == linkFault {
		if c.door == nil {
			return fmt.Errorf("%s: %s: %w", fault.Kind, c.name, errNoDoor)
		}
		if fault.Kind == Blackhole && !canBlackhole {
			return fmt.Errorf("%s: %s: %w on this system", fault.Kind, c.name, errors.ErrUnsupported)
		}
	}
	f.faultMu.Lock()
	defer f.faultMu.Unlock()
	if f.closed {
		return fmt.Errorf("%s: the fleet is closed", c.name)
	}
	before := c.faults.Load()
	after := before.with(key, fault)
	c.traffic.expired.Store(0)
	c.faults.Store(after)
	if before.connectionFault() != after.connectionFault() {
		for _, open := range c.connections() {
			open.drop()
		}
	}
	return f.relink(ctx, c, before.linkKind(), after.linkKind())
}

// relink moves the cluster's door from one link fault to another; "" is none.
func (f *Fleet) relink(ctx context.Context, c *cluster, was, is Kind) error {
	if was == is {
		return nil
	}
	if is == Refuse {
		for _, open := range c.connections() {
			open.reset()
		}
	}
	var errs []error
	if was == Refuse {
		if err := c.door.open(ctx); err != nil {
			return fmt.Errorf("%s: end %s: %w", c.name, was, err)
		}
		f.serveDoor(c)
	}
	if was == Blackhole {
		errs = append(errs, c.door.unstop())
		c.unmute()
	}
	if is == Refuse {
		c.door.shut()
	}
	if is == Blackhole {
		c.mute.Store(&gate{opened: make(chan struct{})})
		errs = append(errs, c.door.stopUp(ctx))
	}
	return errors.Join(errs...)
}

func (c *cluster) unmute() {
	if g := c.mute.Swap(nil); g != nil {
		close(g.opened)
	}
}
