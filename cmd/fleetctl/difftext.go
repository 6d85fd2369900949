package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

const (
	// fewClusters is how many clusters of a variant a table names, and fewVariants how many variants stand on lines of
	// their own: the baseline and those that have a diff.
	fewClusters = 5
	fewVariants = 11
)

// comparedObject prints an object with the clusters that have each form of it, and the diffs.
func (a *app) comparedObject(o *fleetv1.ComparedObject, d *differences) error {
	few, variants := fewClusters, o.GetVariants()
	if d.format.Kind == output.Wide {
		few = len(d.clusters)
	} else {
		variants = variants[:min(fewVariants, len(variants))]
	}
	p := diffPrinter{app: a, few: few}
	if d.printed > 1 {
		p.line("", "")
	}
	p.line("1", strings.TrimPrefix(o.GetNamespace()+"/"+o.GetName(), "/"))
	for i, v := range variants {
		switch {
		case i > 0:
			p.group("differs", v.GetClusters())
		case len(o.GetVariants()) == 1 && len(o.GetMissing()) == 0:
			p.group("same", v.GetClusters())
		default:
			p.group("baseline", v.GetClusters())
		}
	}
	if more := o.GetVariants()[len(variants):]; len(more) > 0 {
		p.line("", fmt.Sprintf("  %-8s  %s more", "differs", counted(len(more), "variant")))
	}
	if len(o.GetMissing()) > 0 {
		p.group("missing", o.GetMissing())
	}
	if against := d.flags.against; against != "" && !slices.Contains(o.GetVariants()[0].GetClusters(), against) {
		p.line("", fmt.Sprintf("  (%s does not have it, or was not read: the baseline is what most clusters have)", against))
	}
	p.diffs(o.GetVariants())
	return p.err
}

// diffPrinter prints lines until one fails.
type diffPrinter struct {
	app *app
	few int
	err error
}

// line prints one, in a colour on terminals. What a stranger may have written is escaped.
func (p *diffPrinter) line(colour, text string) {
	text = safetext.Line(text)
	if colour != "" && p.app.coloured() {
		text = "\x1b[" + colour + "m" + text + "\x1b[0m"
	}
	if p.err == nil {
		_, p.err = p.app.stdout.WriteString(text + "\n")
	}
}

func (p *diffPrinter) group(what string, clusters []string) {
	p.line("", fmt.Sprintf("  %-8s  %-11s  %s", what, counted(len(clusters), "cluster"), some(clusters, p.few)))
}

func (p *diffPrinter) diffs(variants []*fleetv1.ComparedObject_Variant) {
	var reasons []string
	without := map[string]int{}
	for _, v := range variants {
		for line := range strings.Lines(v.GetDiff()) {
			p.diffLine(strings.TrimSuffix(line, "\n"))
		}
		switch reason := v.GetDiffOmitted(); {
		case reason == "":
		case v.GetDiff() != "":
			p.line("", "  ("+reason+")")
		default:
			if without[reason] == 0 {
				reasons = append(reasons, reason)
			}
			without[reason]++
		}
	}
	for _, reason := range reasons {
		p.line("", fmt.Sprintf("  (no diff of %s: %s)", counted(without[reason], "variant"), reason))
	}
}

func (p *diffPrinter) diffLine(text string) {
	colour := ""
	switch {
	case strings.HasPrefix(text, "---"), strings.HasPrefix(text, "+++"):
		colour = "1"
	case strings.HasPrefix(text, "-"):
		colour = "31"
	case strings.HasPrefix(text, "+"):
		colour = "32"
	case strings.HasPrefix(text, "@@"):
		colour = "36"
	}
	p.line(colour, text)
}
