package test_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

// The canaries of a Secret: each is in one place of it, where nothing may come from unless it is asked for and permitted.
const (
	canaryData     = "c4n4ry-data"
	canaryString   = "c4n4ry-string"
	canaryApplied  = "c4n4ry-last-applied"
	canaryKey      = "c4n4ry-key" // in data and, as f:c4n4ry-key, in managedFields
	lastApplied    = "kubectl.kubernetes.io/last-applied-configuration"
	notPermitted   = "this aggregator does not send the data of Secrets"
	canarySecret   = "canary"
	canaryPath     = "/api/v1/namespaces/vault/secrets"
	canaryHarmless = "not-a-s3cret" // a label: what may be told
)

// secretsStayWhereTheyAre looks for canaries in all that comes out of an aggregator, in every way of asking.
func secretsStayWhereTheyAre(t *testing.T, fleet *realkube.Fleet) {
	for i, server := range fleet.Servers {
		createNamespace(t, server, "vault")
		create(t, server, canaryPath, object{
			"metadata": object{
				"name": canarySecret, "labels": object{"label": canaryHarmless},
				"annotations": object{lastApplied: fmt.Sprintf(`{"kind":"Secret","stringData":{"a":%q}}`, canaryApplied)},
			},
			"data":       object{canaryKey: base64.StdEncoding.EncodeToString([]byte(canaryData))},
			"stringData": object{"string": fmt.Sprint(canaryString, i)}, // differs from cluster to cluster
		})
	}
	reference := func(output *fleetv1.Output) *fleetv1.GetManifestsRequest {
		r := &fleetv1.GetManifestsRequest{Output: output}
		for _, server := range fleet.Servers {
			r.References = append(r.References, &fleetv1.Reference{
				Cluster: server.Name, ResourceType: &fleetv1.ResourceType{Resource: "secrets"}, Namespace: "vault", Name: canarySecret,
			})
		}
		return r
	}
	for _, permitted := range []bool{false, true} {
		t.Run(fmt.Sprintf("nothing where it is not asked for, permitted %t", permitted), func(t *testing.T) {
			a := programs.Aggregator(t, fleet.Kubeconfig, product.Unwatched, fmt.Sprintf("--allow-secret-data=%t", permitted))
			for _, args := range secretCommands() {
				r := a.Fleetctl(t, args...)
				keepsSecrets(t, strings.Join(args, " "), r.Stdout+r.Stderr)
				if r.Code != 0 && r.Code != 3 || !strings.Contains(r.Stdout, canarySecret) && !strings.Contains(r.Stdout, canaryHarmless) {
					t.Errorf("%q finds nothing: exit code %d\n%s%s", args, r.Code, r.Stdout, r.Stderr)
				}
			}
			for _, format := range []fleetv1.Output_Format{fleetv1.Output_FORMAT_FULL, fleetv1.Output_FORMAT_METADATA} {
				for _, template := range []string{"", "{@}", "{.data}{.stringData}{.metadata.annotations}{.metadata.name}"} {
					text := getText(t, a, reference(&fleetv1.Output{Format: format, JsonPath: template}))
					keepsSecrets(t, fmt.Sprint("GetManifests ", format, " ", template), text)
					if strings.Count(text, canarySecret) < len(fleet.Servers) {
						t.Errorf("%s %q: got %s", format, template, text)
					}
				}
			}
			keepsSecrets(t, "the log", a.Stderr.String()+a.Stdout.String())
		})
	}
	t.Run("nothing where it is asked for and not permitted", func(t *testing.T) {
		a := programs.Aggregator(t, fleet.Kubeconfig, product.Unwatched)
		for _, args := range secretCommands() {
			if args[0] != "get" {
				continue
			}
			r := a.Fleetctl(t, append(args, "--show-secret-data")...)
			exits(t, r, 1, "", notPermitted)
			keepsSecrets(t, strings.Join(args, " "), r.Stdout+r.Stderr)
		}
	})
	t.Run("all of it where it is asked for and permitted", func(t *testing.T) {
		a := programs.Aggregator(t, fleet.Kubeconfig, product.Unwatched, "--allow-secret-data")
		r := a.Fleetctl(t, "get", "secrets", "-A", "-o", "json", "--show-secret-data", "--show-managed-fields")
		exits(t, r, 0, canaryApplied, "")
		for _, want := range []string{canaryData, canaryString + "0", canaryString + "2"} {
			exits(t, r, 0, base64.StdEncoding.EncodeToString([]byte(want)), "")
		}
		exits(t, r, 0, `"f:`+canaryKey+`"`, "")
		exits(t, a.Fleetctl(t, "get", "secrets", "-A", "--show-secret-data", "-o", "name", "--where", `"`+canaryKey+`" in object.data`), 0, "secret/canary", "")
		text := getText(t, a, reference(&fleetv1.Output{SecretData: true, JsonPath: "{.data." + canaryKey + "}"}))
		if strings.Count(text, base64.StdEncoding.EncodeToString([]byte(canaryData))) != len(fleet.Servers) {
			t.Errorf("got %s", text)
		}
		// Comparing has no way to ask for it.
		diff := a.Fleetctl(t, "diff", "secret", canarySecret, "-n", "vault", "-o", "json")
		keepsSecrets(t, "diff", diff.Stdout+diff.Stderr)
	})
}

// secretCommands are the ways to look at Secrets on the command line. Each finds the one that has canaries.
func secretCommands() [][]string {
	get := func(args ...string) []string { return slices.Concat([]string{"get", "secrets", "-A"}, args) }
	one := func(args ...string) []string {
		return slices.Concat([]string{"get", "secret", canarySecret, "-n", "vault"}, args)
	}
	commands := [][]string{
		get("--where", "true"), get("--where", "has(object.metadata.name)", "-o", "json"),
		get("--group-by", "{@}"), get("--group-by", "{.metadata}", "-o", "json"), get("--group-by", "{.metadata.labels}", "-o", "wide"),
		get("-o", "jsonpath={.items}"), get("-o", "jsonpath={range .items[*]}{.metadata.name}{.data}{.metadata.annotations}{end}"),
		get("-o", "custom-columns=A:.metadata.name,B:.data,C:.stringData,D:.metadata.annotations,E:.metadata.managedFields"),
		{"diff", "secrets", "-n", "vault"},
		{"diff", "secret", canarySecret, "-n", "vault", "-o", "json", "--against", "real-2"},
		{"diff", "secrets", "-n", "vault", "-o", "jsonl", "--include-equal"},
	}
	for _, form := range []string{"table", "wide", "json", "yaml", "jsonl", "name"} {
		commands = append(commands, get("-o", form), one("-o", form), get("-o", form, "--limit-per-cluster", "500"))
	}
	return commands
}

// getText returns all that GetManifests sends, as JSON.
func getText(t *testing.T, a *product.Aggregator, r *fleetv1.GetManifestsRequest) string {
	t.Helper()
	var text strings.Builder
	stream := a.Client(t).GetManifests(t.Context(), r)
	for result, err := range stream.Results() {
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString(protojson.Format(result))
	}
	return text.String()
}

// keepsSecrets checks that no canary is in a text, in any form in which a program might write one.
func keepsSecrets(t *testing.T, where, text string) {
	t.Helper()
	for _, canary := range []string{canaryData, canaryString, canaryApplied} {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(canary))
		if strings.Contains(text, canary) || strings.Contains(text, encoded[:len(encoded)-2]) {
			t.Errorf("%s tells of %s:\n%s", where, canary, text)
		}
	}
	if strings.Contains(text, "f:"+canaryKey) {
		t.Errorf("%s has managedFields:\n%s", where, text)
	}
}
