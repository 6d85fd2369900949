package simulator

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// document is a rendered answer of discovery.
type document struct {
	contentType string
	body        []byte
	etag        []string
}

// aggregated is appended to a path to find the document that has everything below it.
const aggregated = "#aggregated"

// servedVersion is one group and version with its resources.
type servedVersion struct {
	group, version string
	resources      []metav1.APIResource
	// stale marks what is announced and cannot be served. It has no document of its own.
	stale bool
}

// servedVersions is what there is to discover: the resource types, and the two reviews.
func servedVersions(types []*resourceType) []*servedVersion {
	var served []*servedVersion
	find := func(group, version string) *servedVersion {
		for _, s := range served {
			if s.group == group && s.version == version {
				return s
			}
		}
		s := &servedVersion{group: group, version: version}
		served = append(served, s)
		return s
	}
	for _, t := range types {
		s := find(t.group, t.version)
		s.resources = append(s.resources, metav1.APIResource{
			Name: t.plural, SingularName: t.singular, Namespaced: t.namespaced, Kind: t.kind,
			Verbs: metav1.Verbs{"get", "list"}, ShortNames: t.shortNames, Categories: t.categories,
		})
	}
	review := func(group, plural, kind string) {
		s := find(group, "v1")
		s.resources = append(s.resources, metav1.APIResource{
			Name: plural, SingularName: strings.ToLower(kind), Kind: kind, Verbs: metav1.Verbs{"create"},
		})
	}
	review("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview")
	review("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview")
	return served
}

func (s *servedVersion) groupVersion() string {
	if s.group == "" {
		return s.version
	}
	return s.group + "/" + s.version
}

// renderDiscovery makes every document, by path.
func renderDiscovery(served []*servedVersion) (map[string]document, error) {
	answers := map[string]any{
		"/api": metav1.APIVersions{
			TypeMeta: metav1.TypeMeta{Kind: "APIVersions"},
			Versions: []string{"v1"},
			ServerAddressByClientCIDRs: []metav1.ServerAddressByClientCIDR{
				{ClientCIDR: "0.0.0.0/0", ServerAddress: "127.0.0.1"},
			},
		},
	}
	groups := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	var core, named []apidiscoveryv2.APIGroupDiscovery
	for _, s := range served {
		list := metav1.APIResourceList{
			TypeMeta:     metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"},
			GroupVersion: s.groupVersion(),
			APIResources: s.resources,
		}
		if s.group == "" {
			answers["/api/"+s.version] = list
			core = append(core, s.discovery())
			continue
		}
		if !s.stale {
			answers["/apis/"+s.group+"/"+s.version] = list
		}
		named = append(named, s.discovery())
		version := metav1.GroupVersionForDiscovery{GroupVersion: s.groupVersion(), Version: s.version}
		group := metav1.APIGroup{
			Name: s.group, Versions: []metav1.GroupVersionForDiscovery{version}, PreferredVersion: version,
		}
		groups.Groups = append(groups.Groups, group)
		group.TypeMeta = metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}
		answers["/apis/"+s.group] = group
	}
	answers["/apis"] = groups
	answers["/api"+aggregated] = aggregatedList(core)
	answers["/apis"+aggregated] = aggregatedList(named)
	return renderDocuments(answers)
}

func aggregatedList(groups []apidiscoveryv2.APIGroupDiscovery) apidiscoveryv2.APIGroupDiscoveryList {
	return apidiscoveryv2.APIGroupDiscoveryList{
		TypeMeta: metav1.TypeMeta{Kind: "APIGroupDiscoveryList", APIVersion: "apidiscovery.k8s.io/v2"},
		Items:    groups,
	}
}

// discovery is the group as aggregated discovery describes it; every group here has one version.
func (s *servedVersion) discovery() apidiscoveryv2.APIGroupDiscovery {
	version := apidiscoveryv2.APIVersionDiscovery{Version: s.version, Freshness: apidiscoveryv2.DiscoveryFreshnessCurrent}
	if s.stale {
		version.Freshness = apidiscoveryv2.DiscoveryFreshnessStale
	}
	for _, r := range s.resources {
		scope := apidiscoveryv2.ScopeCluster
		if r.Namespaced {
			scope = apidiscoveryv2.ScopeNamespace
		}
		version.Resources = append(version.Resources, apidiscoveryv2.APIResourceDiscovery{
			Resource:         r.Name,
			ResponseKind:     &metav1.GroupVersionKind{Group: s.group, Version: s.version, Kind: r.Kind},
			Scope:            scope,
			SingularResource: r.SingularName,
			Verbs:            r.Verbs,
			ShortNames:       r.ShortNames,
			Categories:       r.Categories,
		})
	}
	group := apidiscoveryv2.APIGroupDiscovery{Versions: []apidiscoveryv2.APIVersionDiscovery{version}}
	group.Name = s.group
	return group
}

func renderDocuments(answers map[string]any) (map[string]document, error) {
	documents := make(map[string]document, len(answers))
	for path, answer := range answers {
		body, err := json.Marshal(answer)
		if err != nil {
			return nil, fmt.Errorf("render discovery of %s: %w", path, err)
		}
		d := document{contentType: jsonType, body: body}
		if strings.HasSuffix(path, aggregated) {
			d.contentType = discoveryType
			d.etag = []string{fmt.Sprintf("%q", fmt.Sprintf("%X", sha256.Sum256(body)))}
		}
		documents[path] = d
	}
	return documents, nil
}

// discovery answers if path is one of these documents of discovery.
func (x *exchange) discovery(documents map[string]document, path string) (bool, error) {
	path = strings.TrimSuffix(path, "/")
	accept := strings.Join(x.r.Header["Accept"], ",")
	if strings.Contains(accept, "as=APIGroupDiscoveryList") && acceptsV2(accept) {
		if d, ok := documents[path+aggregated]; ok {
			return true, x.document(d)
		}
	}
	d, ok := documents[path]
	if !ok {
		return false, nil
	}
	return true, x.document(d)
}

// acceptsV2 tells whether aggregated discovery is asked for in its stable version: v2beta1 is not served.
func acceptsV2(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		parameters := strings.Split(strings.ReplaceAll(part, " ", ""), ";")
		var version, group bool
		for _, p := range parameters {
			version = version || p == "v=v2"
			group = group || p == "g=apidiscovery.k8s.io"
		}
		if version && group {
			return true
		}
	}
	return false
}

func (x *exchange) document(d document) error {
	h := x.w.Header()
	h["Vary"] = []string{"Accept"}
	if d.etag == nil {
		return x.reply(http.StatusOK, d.contentType, d.body)
	}
	h["Etag"] = d.etag
	if x.r.Header.Get("If-None-Match") == d.etag[0] {
		return x.reply(http.StatusNotModified, d.contentType)
	}
	return x.reply(http.StatusOK, d.contentType, d.body)
}
