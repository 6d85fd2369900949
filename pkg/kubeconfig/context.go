package kubeconfig

import (
	"encoding/json"
	"maps"
	"slices"

	kjson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
	v1 "k8s.io/client-go/tools/clientcmd/api/v1"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// maxClusterName bounds a cluster's name.
const maxClusterName = 253

// extensionName is the extension of a kubeconfig context that is ours:
//
//	extensions:
//	- name: clusterfleet
//	  extension: {labels: {region: eu}, virtual: true, maintenance: true}
const extensionName = "clusterfleet"

// definition returns the cluster that a context is.
func (k *merged) definition(name string, context *named[v1.Context]) (cluster.Definition, *Problem) {
	if context.problem != nil {
		return cluster.Definition{}, context.problem
	}
	if len(name) > maxClusterName || safetext.Line(name) != name {
		return cluster.Definition{}, context.bad("rename the context", "its name is longer than %d bytes or not printable", maxClusterName)
	}
	d := cluster.Definition{Name: name, Namespace: context.value.Namespace, Source: "kubeconfig"}
	if d.Namespace != "" && len(validation.IsDNS1123Label(d.Namespace)) > 0 {
		return cluster.Definition{}, context.bad("correct or remove it", "namespace %s is no valid namespace name", quoted(d.Namespace))
	}
	if problem := readExtension(context, &d); problem != nil {
		return cluster.Definition{}, problem
	}
	if d.Virtual {
		return d, nil
	}
	var problem *Problem
	d.Config, problem = k.config(context)
	return d, problem
}

// config returns address and credentials of a context, as clientcmd's ClientConfig builds them.
func (k *merged) config(context *named[v1.Context]) (*rest.Config, *Problem) {
	names := context.value
	if names.Cluster == "" {
		return nil, context.bad("name its cluster", "it names no cluster")
	}
	cluster := k.clusters[names.Cluster]
	if cluster == nil {
		return nil, context.bad("add it under clusters, or correct the context", "cluster %s is not defined", quoted(names.Cluster))
	}
	where, problem := resolve(k.endpoints, cluster, k.endpoint)
	if problem != nil {
		return nil, problem
	}
	var who identity
	if names.AuthInfo != "" {
		user := k.users[names.AuthInfo]
		if user == nil {
			return nil, context.bad("add it under users, or correct the context", "user %s is not defined", quoted(names.AuthInfo))
		}
		if who, problem = resolve(k.identities, user, k.identity); problem != nil {
			return nil, problem
		}
	}
	return where.with(who), nil
}

// resolve returns what an entry comes to, worked out once.
func resolve[E, R any](all map[string]resolved[R], e *named[E], work func(*named[E]) (R, *Problem)) (R, *Problem) {
	r, done := all[e.name]
	if !done {
		e.used = true
		if r.problem = e.problem; r.problem == nil {
			r.value, r.problem = work(e)
		}
		all[e.name] = r
	}
	return r.value, r.problem
}

// readExtension reads the labels and the kind of a cluster from its context's extension.
func readExtension(context *named[v1.Context], d *cluster.Definition) *Problem {
	raw, problem := extensionOf(context)
	if raw == nil {
		return problem
	}
	var fields map[string]json.RawMessage
	if kjson.Unmarshal(raw, &fields) != nil {
		return context.bad("write labels, virtual and maintenance below it", "its clusterfleet extension is no mapping")
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		switch field {
		case "labels":
			if d.Labels, problem = readLabels(context, fields[field]); problem != nil {
				return problem
			}
		case "virtual":
			if kjson.Unmarshal(fields[field], &d.Virtual) != nil {
				return context.bad("write it without quotes", "virtual in its clusterfleet extension must be true or false")
			}
		case "maintenance":
			if kjson.Unmarshal(fields[field], &d.Maintenance) != nil {
				return context.bad("write it without quotes", "maintenance in its clusterfleet extension must be true or false")
			}
		default:
			return context.bad("remove it, or correct its spelling",
				"its clusterfleet extension has labels, virtual and maintenance, but no field %s", quoted(field))
		}
	}
	return nil
}

// extensionOf returns the content of our extension, nil if there is none or more than one.
func extensionOf(context *named[v1.Context]) (json.RawMessage, *Problem) {
	var raw json.RawMessage
	for _, e := range context.value.Extensions {
		if e.Name != extensionName {
			continue
		}
		if raw != nil {
			return nil, context.bad("keep one", "it has more than one clusterfleet extension")
		}
		if raw = e.Extension.Raw; raw == nil {
			raw = json.RawMessage("null")
		}
	}
	return raw, nil
}

func readLabels(context *named[v1.Context], raw json.RawMessage) (map[string]string, *Problem) {
	var values map[string]json.RawMessage
	if kjson.Unmarshal(raw, &values) != nil {
		return nil, context.bad("write KEY: VALUE below it", "labels in its clusterfleet extension is no mapping")
	}
	labels := make(map[string]string, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		var value string
		if kjson.Unmarshal(values[key], &value) != nil {
			return nil, context.bad("put it in quotes", "the value of label %s must be text", quoted(key))
		}
		if wrong := validation.IsQualifiedName(key); len(wrong) > 0 {
			return nil, context.bad("correct the label", "label key %s is not valid: %s", quoted(key), wrong[0])
		}
		if wrong := validation.IsValidLabelValue(value); len(wrong) > 0 {
			return nil, context.bad("correct the label", "value %s of label %s is not valid: %s", quoted(value), quoted(key), wrong[0])
		}
		labels[key] = value
	}
	return labels, nil
}
