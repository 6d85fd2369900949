package main

import (
	"cmp"

	"github.com/spf13/pflag"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
)

// What the aggregator is asked to send of an object where not even all of that is printed.
const (
	creationTemplate = "{.metadata.creationTimestamp}"
	nameTemplate     = "{.metadata.name}"
)

// checkShape refuses what --where and --group-by cannot do.
func (f *getFlags) checkShape(flags *pflag.FlagSet, format output.Format) error {
	if err := cmp.Or(isText("--where", f.where), isText("--group-by", f.groupBy)); err != nil {
		return err
	}
	switch {
	case flags.Changed("where") && f.where == "":
		return usagef("--where needs an expression, such as 'object.spec.replicas > 3'")
	case flags.Changed("group-by") && f.groupBy == "":
		return usagef("--group-by needs a path, such as '{.status.phase}'")
	case f.where != "" && f.groupBy == "" && format.Kind == output.Wide:
		return usagef("-o wide is not for --where: API servers print it of all objects; use table, json, yaml, jsonl, name, jsonpath or custom-columns")
	case f.groupBy == "":
		return nil
	}
	if _, err := output.ParsePath(f.groupBy); err != nil {
		return usagef("--group-by: %w", err)
	}
	return nil
}

// template is what the aggregator makes of each object, empty where the object itself is printed or nothing is selected by it.
func (f *getFlags) template(format output.Format) string {
	switch {
	case f.groupBy != "":
		return f.groupBy
	case f.where != "" && format.Kind == output.Table:
		return creationTemplate
	case f.where != "" && format.Kind == output.Name:
		return nameTemplate // a predicate wants the whole object, a name does not
	}
	return ""
}
