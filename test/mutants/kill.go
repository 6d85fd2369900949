package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// patience is how long the tests of one package may take, unless a mutant makes them hang.
const patience = 2 * time.Minute

// hung stands for the test that kills a mutant whose symptom is that the tests hang.
const hung = "(hangs)"

// What a mutant can be but killed.
var (
	errSurvived  = errors.New("SURVIVED: the tests pass, so one is missing")
	errUnbuilt   = errors.New("DOES NOT BUILD: it proves nothing")
	errMoved     = errors.New("DOES NOT APPLY: the source has moved, renew the patch as test/mutants/README.md says")
	errNotRun    = errors.New("NOT TESTED: the tests did not run")
	errSlow      = errors.New("NOT TESTED: without the fault the tests take more than a third of Hang, so that they may just be slow here")
	errMalformed = errors.New("MALFORMED: it is no patch as test/mutants/README.md says")
	errTimedOut  = errors.New("HANGS: no test failed before the time ran out; if that is the symptom, the patch has to say so (Hang: 10s)")
)

// kill runs the mutant's suites on the source below root with the fault in it, and returns what has failed, a test of each
// suite. The error says why the mutant is not killed.
func (m mutant) kill(ctx context.Context, root string) ([]string, error) {
	scratch, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	overlay, err := m.overlay(ctx, root, scratch)
	if err != nil {
		return nil, err
	}
	var killers []string
	for _, s := range m.suites {
		o, err := s.test(ctx, root, overlay, cmp.Or(m.hang, patience))
		if err != nil {
			return nil, err
		}
		killer, err := m.killer(o)
		if killer == hung {
			if o, err = s.test(ctx, root, "", patience); err != nil {
				return nil, err
			}
			err = m.really(o)
		}
		said := "\n" + strings.TrimSpace(o.output)
		if o.passed {
			said = ""
		}
		if err != nil {
			return nil, fmt.Errorf("%w\nTests: %s%s", err, s, said)
		}
		killers = append(killers, killer)
	}
	return killers, nil
}

// killer returns which test has noticed the fault.
func (m mutant) killer(o outcome) (string, error) {
	switch {
	case o.unbuilt:
		return "", errUnbuilt
	case o.passed:
		return "", errSurvived
	case o.killer != "":
		return o.killer, nil
	case !o.timedOut:
		return "", errNotRun
	case m.hang == 0:
		return "", errTimedOut
	}
	return hung, nil
}

// really says whether the tests hang by the fault: on a busy machine they may be too slow without it as well. It judges how
// they went without it, just after.
func (m mutant) really(o outcome) error {
	switch {
	case !o.passed:
		return errNotRun
	case o.took > m.hang/3:
		return fmt.Errorf("%w: %v of %v", errSlow, o.took, m.hang)
	}
	return nil
}
