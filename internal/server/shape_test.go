package server_test

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// shapedObjects returns the objects that came of each cluster, and how each cluster ended.
func shapedObjects(t *testing.T, service fleetv1.ManifestServiceClient, r *fleetv1.FetchManifestsRequest) (map[string][]*fleetv1.Manifest, map[string]*fleetv1.Completion) {
	t.Helper()
	stream, err := service.FetchManifests(t.Context(), r)
	messages, err := receive(t, stream, err)
	if err != nil {
		t.Fatal(err)
	}
	objects, completions := map[string][]*fleetv1.Manifest{}, map[string]*fleetv1.Completion{}
	for _, m := range messages {
		b := m.GetBatch()
		objects[b.GetCluster()] = append(objects[b.GetCluster()], b.GetManifests()...)
		if b.GetCompletion() != nil {
			completions[b.GetCluster()] = b.GetCompletion()
		}
	}
	return objects, completions
}

func TestOnlyObjectsThatMatchAreSentAndCounted(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 3})
	service := fleetv1.NewManifestServiceClient(serve(t, f, server.Options{}))
	pods := &fleetv1.FetchManifestsRequest{ResourceType: &fleetv1.ResourceType{Resource: "pods"}}
	all, whole := shapedObjects(t, service, pods)
	pods.Where = `object.kind == "Pod" && object.metadata.labels.app == "web" && object.spec.containers.all(c, c.ports[0].containerPort > 80)`
	objects, completions := shapedObjects(t, service, pods)
	for _, name := range sim.Names() {
		got, done := objects[name], completions[name]
		if len(got) == 0 || len(got) >= len(all[name]) || done.GetItems() != int64(len(got)) || done.GetBytes() < whole[name].GetBytes()/2 || done.GetError() != nil {
			t.Errorf("%s: %d of %d objects, %v", name, len(got), len(all[name]), done)
		}
		for _, m := range got {
			if !strings.HasPrefix(m.GetName(), "web-") || !strings.Contains(m.GetJson(), `"containerPort"`) || m.GetProjection() != "" {
				t.Errorf("%s: %s: %.100s", name, m.GetName(), m.GetJson())
			}
		}
	}
}

func TestAProjectionIsSentInsteadOfTheObject(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	name := sim.Names()[0]
	service := fleetv1.NewManifestServiceClient(serve(t, f, server.Options{}))
	deployments := &fleetv1.ResourceType{Group: "apps", Version: "v1", Resource: "deployments"}
	output := &fleetv1.Output{JsonPath: `{.kind} {.spec.template.spec.containers[0].image}`}
	objects, _ := shapedObjects(t, service, &fleetv1.FetchManifestsRequest{ResourceType: deployments, Output: output, Where: `object.spec.replicas > 0`})
	if len(objects[name]) == 0 {
		t.Fatal("no objects")
	}
	r := &fleetv1.GetManifestsRequest{Output: output}
	for _, m := range objects[name] {
		if m.GetJson() != "" || !strings.HasPrefix(m.GetProjection(), "Deployment registry.example.com/") {
			t.Errorf("%s: %q %q", m.GetName(), m.GetProjection(), m.GetJson())
		}
		r.References = append(r.References, &fleetv1.Reference{Cluster: name, ResourceType: deployments, Namespace: m.GetNamespace(), Name: m.GetName()})
	}
	stream, err := service.GetManifests(t.Context(), r)
	messages, err := receive(t, stream, err)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if result := m.GetResult(); result != nil && (result.GetManifest().GetJson() != "" || result.GetManifest().GetProjection() != objects[name][result.GetIndex()].GetProjection()) {
			t.Errorf("by reference: %v", result)
		}
	}
}

func TestExpressionsSeeOfMetadataWhatIsSent(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	service := fleetv1.NewManifestServiceClient(serve(t, f, server.Options{}))
	objects, _ := shapedObjects(t, service, &fleetv1.FetchManifestsRequest{
		ResourceType: &fleetv1.ResourceType{Resource: "pods"}, Where: `object.kind == "Pod" && !has(object.spec)`,
		Output: &fleetv1.Output{Format: fleetv1.Output_FORMAT_METADATA, JsonPath: `.metadata.name`},
	})
	got := objects[sim.Names()[0]]
	if len(got) == 0 || got[0].GetProjection() != got[0].GetName() {
		t.Errorf("objects %v", got)
	}
}

func TestExpressionsDoNotSeeTheDataOfSecrets(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	name := sim.Names()[0]
	service := fleetv1.NewManifestServiceClient(serve(t, f, server.Options{SecretData: true}))
	request := func(where, jsonPath string, data bool) *fleetv1.FetchManifestsRequest {
		return &fleetv1.FetchManifestsRequest{
			ResourceType: &fleetv1.ResourceType{Resource: "secrets"}, Where: where, Output: &fleetv1.Output{JsonPath: jsonPath, SecretData: data},
		}
	}
	for where, sees := range map[string]bool{`has(object.data)`: true, `object.data.size() > 0`: true, `object.exists(k, k == "data")`: true, `!has(object.data)`: false} {
		for _, data := range []bool{false, true} {
			objects, _ := shapedObjects(t, service, request(where, "", data))
			if got, want := len(objects[name]) > 0, sees == data; got != want {
				t.Errorf("%s, with data %t: %d Secrets match", where, data, len(objects[name]))
			}
		}
	}
	objects, _ := shapedObjects(t, service, request("", `{.data}{.stringData}{..data}`, false))
	for _, m := range objects[name] {
		if m.GetProjection() != "" {
			t.Errorf("%s: %s", m.GetName(), m.GetProjection())
		}
	}
}

func TestAnExpressionThatIsTooCostlyFailsTheClusterAndQuotesNothing(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1, Counts: fleettest.OnlyConfigMaps(3), ObjectBytes: 100_000})
	service := fleetv1.NewManifestServiceClient(serve(t, f, server.Options{}))
	for _, r := range []*fleetv1.FetchManifestsRequest{
		{Where: `object.data.all(k, lists.range(900).all(i, object.data[k].replace("a", "bb").size() != i + 10000000))`},
		{Where: `object.metadata.name > 3`},
		{Output: &fleetv1.Output{JsonPath: `{.data}{.data}`}},
	} {
		r.ResourceType = configMaps()
		objects, completions := shapedObjects(t, service, r)
		done := completions[sim.Names()[0]]
		s := status.FromProto(done.GetError())
		if s.Code() != codes.InvalidArgument || len(objects[sim.Names()[0]]) != 0 || len(s.Message()) > 300 {
			t.Errorf("%s: %d objects, %v", r.GetWhere(), len(objects[sim.Names()[0]]), s)
		}
		if info, _, _ := detailsOf(t, done.GetError()); info.GetReason() != "INVALID_REQUEST" {
			t.Errorf("%s: %v", r.GetWhere(), info)
		}
	}
}

func TestAMistakeInAnExpressionReachesNoCluster(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	service := fleetv1.NewManifestServiceClient(serve(t, f, server.Options{}))
	table := fleetv1.Output_FORMAT_TABLE
	for _, c := range []struct {
		field string
		r     *fleetv1.FetchManifestsRequest
	}{
		{"where", &fleetv1.FetchManifestsRequest{Where: `object.`}},
		{"where", &fleetv1.FetchManifestsRequest{Where: `1 + 1`}},
		{"where", &fleetv1.FetchManifestsRequest{Where: `true`, Output: &fleetv1.Output{Format: table}}},
		{"where", &fleetv1.FetchManifestsRequest{Where: strings.Repeat(" ", 4096) + `true`}},
		{"output.json_path", &fleetv1.FetchManifestsRequest{Output: &fleetv1.Output{JsonPath: `{.a`}}},
		{"output.json_path", &fleetv1.FetchManifestsRequest{Output: &fleetv1.Output{JsonPath: `{.a}`, Format: table}}},
	} {
		c.r.ResourceType = configMaps()
		stream, err := service.FetchManifests(t.Context(), c.r)
		messages, err := receive(t, stream, err)
		mustBeInvalid(t, c.r.String(), c.field, len(messages), err)
		if c.r.GetOutput() == nil {
			continue
		}
		got, err := service.GetManifests(t.Context(), &fleetv1.GetManifestsRequest{
			References: []*fleetv1.Reference{{Cluster: sim.Names()[0], ResourceType: configMaps(), Name: "a"}}, Output: &fleetv1.Output{JsonPath: `{.a`},
		})
		results, err := receive(t, got, err)
		mustBeInvalid(t, "get", "output.json_path", len(results), err)
	}
	stream, err := service.FetchManifests(t.Context(), &fleetv1.FetchManifestsRequest{ResourceType: configMaps(), Where: "object.a &&\n  objct.b"})
	_, err = receive(t, stream, err)
	if want := "where: 2:3: undeclared reference to 'objct'"; !strings.HasPrefix(status.Convert(err).Message(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	if n := sim.Stats().AcceptedConnections; n != 0 {
		t.Errorf("%d connections were made", n)
	}
}
