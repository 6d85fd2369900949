package cluster

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unique"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// wholeDiscovery is all that discovery looks at in any of its documents.
type wholeDiscovery struct {
	Kind  string `json:"kind"`
	Items []struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Versions []struct {
			Version   string          `json:"version"`
			Freshness string          `json:"freshness"`
			Resources []wholeResource `json:"resources"`
		} `json:"versions"`
	} `json:"items"`
	Versions []string `json:"versions"`
	Groups   []struct {
		Name     string         `json:"name"`
		Versions []wholeVersion `json:"versions"`
		Prefers  wholeVersion   `json:"preferredVersion"`
	} `json:"groups"`
}

type wholeVersion struct {
	Version string `json:"version"`
}

type wholeResources struct {
	Resources []wholeResource `json:"resources"`
}

// wholeResource is a resource in either form. One that has members of both is in neither.
type wholeResource struct {
	Resource         *string  `json:"resource"`
	Name             *string  `json:"name"`
	SingularResource *string  `json:"singularResource"`
	SingularName     *string  `json:"singularName"`
	ShortNames       []string `json:"shortNames"`
	ResponseKind     *struct {
		Kind string `json:"kind"`
	} `json:"responseKind"`
	Kind       *string `json:"kind"`
	Scope      *string `json:"scope"`
	Namespaced *bool   `json:"namespaced"`
}

// served returns the type that the resource is, false for none, and whether it is in one form.
func (r wholeResource) served(group, version string) (s ServedType, named, pure bool) {
	aggregated := r.Resource != nil || r.SingularResource != nil || r.ResponseKind != nil || r.Scope != nil
	if aggregated && (r.Name != nil || r.SingularName != nil || r.Kind != nil || r.Namespaced != nil) {
		return s, false, false
	}
	text := func(texts ...*string) string {
		for _, t := range texts {
			if t != nil {
				return *t
			}
		}
		return ""
	}
	s.Group, s.Version = group, version
	s.Plural, s.Kind, s.Singular = text(r.Resource, r.Name), text(r.Kind), text(r.SingularResource, r.SingularName)
	if r.ResponseKind != nil {
		s.Kind = r.ResponseKind.Kind
	}
	s.Namespaced = text(r.Scope) == "Namespaced" || r.Namespaced != nil && *r.Namespaced
	usable := func(group, version, name string) bool { return TypeName{group, version, name}.validate() == nil }
	var short []string
	for name := range strings.SplitSeq(strings.Join(r.ShortNames, ","), ",") {
		if usable("", "", name) {
			short = append(short, name)
		}
	}
	s.ShortNames = strings.Join(short, ",")
	if !usable("", "", s.Singular) {
		s.Singular = ""
	}
	return s, version != "" && usable(group, version, s.Plural) && usable("", "", s.Kind), len(strings.Join(r.ShortNames, ",")) < maxNameBytes/2
}

// FuzzDiscovery holds what is read of a discovery document, aggregated or not, against a decoder that has it all in hand.
// Whatever it says, all that is kept of it can be put into a path.
func FuzzDiscovery(f *testing.F) {
	for _, seed := range []string{
		`{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"apps"},"versions":[{"version":"v1","freshness":"Current","resources":[` +
			`{"resource":"deployments","singularResource":"deployment","shortNames":["deploy","x/y",""],"scope":"Namespaced","responseKind":{"kind":"Deployment"}},` +
			`{"resource":"../secrets","responseKind":{"kind":"X"}}]},{"version":"v2","freshness":"Stale","resources":null}]}]}`,
		`{"items":[{"versions":[{"resources":[{"scope":"Cluster","responseKind":{"kind":"Node"},"shortNames":["no"],"resource":"nodes"}],"version":"v1"}],"metadata":{}}],"kind":"x"}`,
		`{"kind":"APIVersions","versions":["v1",null,"v2/.."]}`,
		`{"kind":"APIGroupList","groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1beta1","version":"v1beta1"},{"version":"v1"}],"preferredVersion":{"version":"v1"}},null]}`,
		`{"kind":"APIResourceList","resources":[{"name":"pods","singularName":"","namespaced":true,"kind":"Pod","verbs":["get"],"shortNames":["po"]},{"name":"pods/log","kind":"Pod"},null]}`,
		`{"resources":[{"name":"a","name":"b","kind":"X"}]} {}`, `[]`, `{"items":[1]}`, `{"kind":null,"items":null}`,
		strings.Repeat(`{"items":[`, 100), `{"resources":[{"name":"Pods","singularName":"Pod","kind":"POD","shortNames":["Po"]}]}`,
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, content []byte, single bool) {
		found := discovery{types: &Types{}}
		d := newDocument(&Body{ctx: t.Context(), content: bytes.NewReader(content)})
		read := found.readRoot
		if single {
			read = func(d *document) error { return found.readResources(d, Resource{Group: "apps", Version: "v1"}) }
		}
		err := read(d)
		if err == nil {
			err = d.end()
		}
		requireUsable(t, found.types)
		if !jsontext.Value(content).IsValid() { // invalid, or with a name twice
			return
		}
		want, pure, wantErr := wholeTypes(content, single)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("error %v, the reference %v", err, wantErr)
		}
		if err != nil || !pure {
			return
		}
		var got []ServedType
		for _, s := range found.types.Served {
			got = append(got, s.Value())
		}
		if diff := cmp.Diff(want.types, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("types (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want.groupVersions, found.groupVersions, cmpopts.EquateEmpty()); diff != "" || found.kind != want.kind {
			t.Errorf("kind %q, want %q, group versions (-want +got):\n%s", found.kind, want.kind, diff)
		}
	})
}

func requireUsable(t *testing.T, types *Types) {
	t.Helper()
	if len(types.Broken) > maxBroken || len(types.Served) > maxTypes {
		t.Errorf("%d broken, %d served", len(types.Broken), len(types.Served))
	}
	for _, b := range types.Broken {
		if (TypeName{b.Group, b.Version, "x"}).validate() != nil || len(b.Message) > maxBrokenMessage {
			t.Errorf("%+v is kept", b)
		}
	}
	for _, handle := range types.Served {
		s := handle.Value()
		names := append(slices.DeleteFunc(append(strings.Split(s.ShortNames, ","), s.Singular), func(n string) bool { return n == "" }), s.Plural, s.Kind)
		for _, name := range names {
			wanted := TypeName{s.Group, s.Version, name}
			r, ok := lookup(types, wanted)
			if wanted.validate() != nil || !ok || r.path("", "") == "" {
				t.Errorf("%+v is kept, and %q is not found", s, wanted)
			}
		}
	}
}

type typesOfWhole struct {
	kind          string
	types         []ServedType
	groupVersions []Resource
}

// wholeTypes reads a document at once. It reports whether each resource in it is in one form only.
func wholeTypes(content []byte, single bool) (w typesOfWhole, pure bool, err error) {
	pure = true
	add := func(group, version string, resources []wholeResource) {
		for _, r := range resources {
			s, named, clean := r.served(group, version)
			pure = pure && clean
			if named {
				w.types = append(w.types, unique.Make(s).Value())
			}
		}
	}
	if single {
		var all wholeResources
		err = utiljson.Unmarshal(content, &all)
		add("apps", "v1", all.Resources)
		return w, pure, err
	}
	var all wholeDiscovery
	err = utiljson.Unmarshal(content, &all)
	w.kind = all.Kind
	for _, g := range all.Items {
		for _, v := range g.Versions {
			add(g.Metadata.Name, v.Version, v.Resources)
		}
	}
	for _, v := range all.Versions {
		w.groupVersions = append(w.groupVersions, Resource{Version: v})
	}
	both := len(all.Versions) > 0 && len(all.Groups) > 0 // in an order of their own
	for _, g := range all.Groups {
		var others []Resource
		for _, v := range g.Versions {
			r := Resource{Group: g.Name, Version: v.Version}
			if v.Version == g.Prefers.Version {
				w.groupVersions = append(w.groupVersions, r)
			} else {
				others = append(others, r)
			}
		}
		w.groupVersions = append(w.groupVersions, others...)
	}
	return w, pure && !both, err
}
