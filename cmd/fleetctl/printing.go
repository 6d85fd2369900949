package main

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// printing says in which form results are printed.
type printing struct {
	text       string
	noHeadings bool
}

func (p *printing) register(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&p.text, "output", "o", "table", "table, wide, json, yaml, jsonl, name, jsonpath=TEMPLATE or custom-columns=HEADING:PATH,…")
	cmd.Flags().BoolVar(&p.noHeadings, "no-headers", false, "print tables without their first line")
	mustComplete(cmd, "output", completeFormats)
}

func (p *printing) format() (output.Format, error) {
	format, err := output.ParseFormat(p.text)
	if err == nil {
		return format, nil
	}
	kinds := output.Kinds()
	names := make([]string, 0, len(kinds))
	for _, kind := range kinds {
		names = append(names, string(kind))
	}
	if unknown, ok := errors.AsType[*output.UnknownFormatError](err); ok {
		return format, usagef("%w%s", err, didYouMean(similar(unknown.Name, names), ""))
	}
	return format, usageError{err}
}

// only refuses the forms that a command cannot print; instead says what to do where one of the others is wanted.
func only(format output.Format, instead string, kinds ...output.Kind) error {
	if slices.Contains(kinds, format.Kind) {
		return nil
	}
	names := make([]string, 0, len(kinds))
	for _, kind := range kinds {
		names = append(names, string(kind))
	}
	return usagef("-o %s is not for this: use %s%s", format.Kind, strings.Join(names, ", "), instead)
}

// encoded returns messages as JSON, in their order.
func encoded[M proto.Message](messages []M) ([]json.RawMessage, error) {
	items := make([]json.RawMessage, 0, len(messages))
	for _, m := range messages {
		raw, err := output.Message(m)
		if err != nil {
			return nil, err
		}
		items = append(items, raw)
	}
	return items, nil
}

// document prints what a command found as one document, in the order given.
func (a *app) document(p printing, format output.Format, items []json.RawMessage, summary *fleetv1.Summary) error {
	document := output.Document{Items: items}
	if summary != nil {
		raw, err := output.Message(summary)
		if err != nil {
			return err
		}
		document.Summary = raw
	}
	to := a.plain()
	if format.Kind == output.CustomColumns {
		to = a.stdout // Its cells are escaped.
	}
	return document.Write(to, format, p.noHeadings)
}

// message prints a message as one line of JSON and sends it off.
func (a *app) message(m proto.Message) error {
	raw, err := output.Message(m)
	if err != nil {
		return err
	}
	return a.line(raw)
}

// line prints a message as one line of JSON and sends it off.
func (a *app) line(raw json.RawMessage) error {
	if _, err := a.plain().Write(append(raw, '\n')); err != nil {
		return err
	}
	return a.stdout.Flush()
}

// name prints the parts of a name on a line of its own, with tabs between them.
func (a *app) name(parts ...string) error {
	for i, part := range parts {
		parts[i] = safetext.Line(part)
	}
	_, err := a.stdout.WriteString(strings.Join(parts, "\t") + "\n")
	return err
}

// word is an enum's value without its prefix; a dash where it is not set.
func word(value interface{ String() string }, prefix string) string {
	text := strings.TrimPrefix(value.String(), prefix)
	if text == "UNSPECIFIED" {
		return "-"
	}
	return text
}

// orDash keeps columns apart for programs that split lines at spaces.
func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// state is the word for a cluster's state in tables.
func state(v *fleetv1.Verdict, virtual bool) string {
	switch {
	case virtual:
		return "VIRTUAL"
	case v == nil:
		return "UNKNOWN"
	}
	return word(v.GetState(), "STATE_")
}

// stateColour is green for healthy clusters, yellow for degraded ones and red for those that cannot be used. Of a change it
// is the colour of the state that was changed to.
func stateColour(column int) func(int, string) string {
	colours := map[string]string{"HEALTHY": "32", "DEGRADED": "33", "UNREACHABLE": "31", "UNAUTHORIZED": "31", "UNKNOWN": "90", "VIRTUAL": "90"}
	return func(at int, cell string) string {
		if at != column {
			return ""
		}
		_, to, changed := strings.Cut(cell, becomes)
		if !changed {
			to = cell
		}
		if end := strings.IndexAny(to, " ,"); end >= 0 { // UNKNOWN (was HEALTHY); DEGRADED,flapping
			to = to[:end]
		}
		return colours[to]
	}
}

// latency is a time with the digits that matter; a dash where it is not known.
func latency(d *durationpb.Duration) string {
	if d == nil {
		return "-"
	}
	t := d.AsDuration()
	switch {
	case t < 10*time.Millisecond:
		return t.Round(100 * time.Microsecond).String()
	case t < time.Second:
		return t.Round(time.Millisecond).String()
	}
	return t.Round(10 * time.Millisecond).String()
}
