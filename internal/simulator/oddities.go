package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// oldVersion is what /version of an old cluster says: the last one before Kubernetes 1.25 removed so much.
const oldVersion = "v1.24.17"

// brokenPath is what cannot be served where an APIService is broken.
const brokenPath = "/apis/metrics.k8s.io/v1beta1"

// oddity is what a cluster says of itself that serves other types than the rest.
type oddity struct {
	version   []byte // nil: what all say
	discovery map[string]document
	lists     map[string][]byte // by listKey
}

func listKey(group, version, plural string) string { return group + "/" + version + "/" + plural }

// oddities renders what clusters say that have one of these faults.
func oddities(types []*resourceType) (map[Kind]oddity, error) {
	odd := map[Kind]oddity{}
	for kind, more := range map[Kind][]*servedVersion{
		BrokenAPI: {{group: "metrics.k8s.io", version: "v1beta1", stale: true}},
		ExtraType: {{group: "example.org", version: "v1alpha1", resources: []metav1.APIResource{listed("gadgets", "Gadget", true, "gd")}}},
		OldKubernetes: {
			{group: "autoscaling", version: "v2beta2", resources: []metav1.APIResource{listed("horizontalpodautoscalers", "HorizontalPodAutoscaler", true, "hpa")}},
			{group: "batch", version: "v1beta1", resources: []metav1.APIResource{listed("cronjobs", "CronJob", true, "cj")}},
			{group: "policy", version: "v1beta1", resources: []metav1.APIResource{
				listed("poddisruptionbudgets", "PodDisruptionBudget", true, "pdb"),
				listed("podsecuritypolicies", "PodSecurityPolicy", false, "psp"),
			}},
		},
	} {
		documents, err := renderDiscovery(append(servedVersions(types), more...))
		if err != nil {
			return nil, err
		}
		lists := map[string][]byte{}
		for _, s := range more {
			for _, r := range s.resources {
				lists[listKey(s.group, s.version, r.Name)] = fmt.Appendf(nil, `{"kind":"%sList","apiVersion":"%s","metadata":{"resourceVersion":"%s"},"items":[]}`,
					r.Kind, s.groupVersion(), resourceVersion)
			}
		}
		odd[kind] = oddity{discovery: documents, lists: lists}
	}
	old := odd[OldKubernetes]
	maps.DeleteFunc(old.discovery, func(path string, _ document) bool { return strings.HasSuffix(path, aggregated) })
	var err error
	old.version, err = json.Marshal(versionInfo(oldVersion))
	odd[OldKubernetes] = old
	return odd, err
}

func listed(plural, kind string, namespaced bool, shortName string) metav1.APIResource {
	return metav1.APIResource{
		Name: plural, SingularName: strings.ToLower(kind), Kind: kind, Namespaced: namespaced,
		Verbs: metav1.Verbs{"get", "list"}, ShortNames: []string{shortName},
	}
}

func brokenAPI(_ context.Context, x *exchange, _ *Fault) (bool, error) {
	if path := x.r.URL.Path; x.identify() == owner && (path == brokenPath || strings.HasPrefix(path, brokenPath+"/")) {
		return true, x.text(http.StatusServiceUnavailable, "service unavailable\n")
	}
	return x.odd(BrokenAPI)
}

func extraType(_ context.Context, x *exchange, _ *Fault) (bool, error) { return x.odd(ExtraType) }

func oldKubernetes(_ context.Context, x *exchange, _ *Fault) (bool, error) {
	return x.odd(OldKubernetes)
}

// odd answers what the cluster says of itself, and lists of what only such clusters have: they are empty.
func (x *exchange) odd(kind Kind) (bool, error) {
	says := x.cluster.catalogue.odd[kind]
	path := strings.TrimSuffix(x.r.URL.Path, "/")
	if path == "/version" && says.version != nil {
		return true, x.reply(http.StatusOK, jsonType, says.version)
	}
	if x.identify() != owner {
		return false, nil
	}
	if shown, err := x.discovery(says.discovery, path); shown {
		return true, err
	}
	t := parseTarget(x.r)
	list, ok := says.lists[listKey(t.group, t.version, t.resource)]
	if !ok || t.name != "" {
		return false, nil
	}
	switch form, _ := negotiate(x.r.Header["Accept"]); form {
	case asTable:
		list = []byte(emptyTable)
	case asMetadata:
		list = []byte(emptyMetadataList)
	case asObject:
	}
	return true, x.reply(http.StatusOK, jsonType, list)
}

// What is listed where there is nothing.
const (
	emptyTable = `{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"` + resourceVersion + `"},` +
		`"columnDefinitions":[{"name":"Name","type":"string","format":"name","description":"","priority":0}],"rows":[]}`
	emptyMetadataList = `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"` + resourceVersion + `"},"items":[]}`
)
