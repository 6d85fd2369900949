package main

import (
	"strings"

	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// flagNames are the flags behind the fields of the requests. The flags that several commands name differently are not
// among them, but said in words.
func flagNames() map[string]string {
	return map[string]string{
		"per_cluster_timeout":     "--per-cluster-timeout",
		"max_concurrency":         "--limit",
		"limit_per_cluster":       "--limit-per-cluster",
		"include_unreachable":     "--include-unreachable",
		"allow_stale":             "--allow-stale",
		"output.format":           "-o",
		"output.json_path":        "--group-by",
		"output.secret_data":      "--show-secret-data",
		"output.managed_fields":   "--show-managed-fields",
		"namespace":               "-n",
		"name":                    "NAME",
		"label_selector":          "-l",
		"field_selector":          "--field-selector",
		"where":                   "--where",
		"resource_type":           "the resource type",
		"resource_type.resource":  "the resource type",
		"resource_type.group":     "the resource type's group",
		"resource_type.version":   "the resource type's version",
		"selector.names":          "the clusters' names",
		"selector.label_selector": "the label selector over clusters",
		"selector.states":         "--state",
		"ignore":                  "--ignore",
		"against":                 "--against",
		"include_equal":           "--include-equal",
		"since":                   "--since",
		"page_size":               "--limit",
		"limit":                   "--limit",
		"group":                   "--api-group",
		"deprecated":              "--deprecated",
		"depth":                   "--quick",
		"group_by":                "--group-by",
		"expiring_within":         "--expiring-within",
		"annotation":              "--annotation",
		"grouping":                "--by",
	}
}

// flagName is what a user calls a field of a request; the field itself where no flag sets it.
func flagName(field string) string {
	plain, _, _ := strings.Cut(field, "[") // selector.names[3]
	if name, ok := flagNames()[plain]; ok {
		return name
	}
	return field
}

// refusal is what the aggregator says of a request that it does not accept, in the words of the command line.
func refusal(err error) string {
	violations := client.Violations(err)
	if len(violations) == 0 {
		return renamed(client.Message(err))
	}
	said := make([]string, 0, len(violations))
	for _, v := range violations {
		said = append(said, flagName(v.Field)+": "+v.Description)
	}
	return strings.Join(said, "; ")
}

// renamed is a message that begins with the field that it is about.
func renamed(text string) string {
	field, rest, ok := strings.Cut(text, ": ")
	if !ok {
		return text
	}
	return flagName(field) + ": " + rest
}
