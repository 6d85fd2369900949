package kubeconfig

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// Problem is one thing that is wrong with a kubeconfig. Its texts hold names, paths and positions, never a credential,
// and are safe to log and to show.
type Problem struct {
	// File is the kubeconfig to correct, as it was named; empty if none was given.
	File string
	// Line is the line of File, counted from 1; 0 if it is not known.
	Line int
	// Context is the context that cannot be used; empty if the problem is not one context's.
	Context string
	// What is wrong, such as `user "bob": client-key does not belong to client-certificate`.
	What string
	// Fix is what to do about it, as an imperative.
	Fix string
}

// maxShownPath bounds a path in a text, so that what is wrong with it still fits in.
const maxShownPath = 512

func newProblem(file, what, fix string) *Problem {
	return &Problem{File: safetext.Line(file), What: safetext.Clean(what), Fix: safetext.Clean(fix)}
}

// at returns the problem with its line.
func (p *Problem) at(line int) *Problem {
	p.Line = line
	return p
}

// in returns the problem as one of a context: entries are shared, so this is a copy.
func (p *Problem) in(context string) *Problem {
	c := *p
	c.Context = safetext.Clean(context)
	return &c
}

// Error returns the problem in one line of at most 1 KiB: file, context, what is wrong, what to do.
func (p *Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(safetext.Truncate(p.File, maxShownPath))
		if p.Line > 0 {
			b.WriteString(":" + strconv.Itoa(p.Line))
		}
		b.WriteString(": ")
	}
	if p.Context != "" {
		fmt.Fprintf(&b, "context %s: ", quoted(p.Context))
	}
	b.WriteString(p.What + "; " + p.Fix)
	return safetext.Clean(b.String())
}

// quoted returns a name as it is shown within a text.
func quoted(name string) string { return strconv.Quote(safetext.Truncate(name, maxClusterName)) }
