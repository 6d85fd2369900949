package server_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"k8s.io/client-go/rest"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// virtual returns a definition for each name.
func virtual(names ...string) []cluster.Definition {
	var definitions []cluster.Definition
	for _, name := range names {
		definitions = append(definitions, cluster.Definition{Name: name, Virtual: true})
	}
	return definitions
}

func TestPagesNeitherSkipNorRepeatWhileTheFleetChanges(t *testing.T) {
	f := fleettest.Of(t, virtual("b", "c", "d", "e", "f", "g"), fleet.Options{})
	client := fleetv1.NewClusterServiceClient(serve(t, f, server.Options{}))
	var got []string
	r := &fleetv1.ListClustersRequest{PageSize: 2}
	for pages := 0; ; pages++ {
		page, err := client.ListClusters(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.GetClusters() {
			got = append(got, c.GetName())
		}
		if page.GetNextPageToken() == "" {
			break
		}
		r.PageToken = page.GetNextPageToken()
		if pages > 0 {
			continue
		}
		// The one that the next page would begin after goes, one comes before it and one behind it.
		if err := f.Apply(virtual("a", "b", "d", "dd", "e", "f", "g")); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(strings.Fields("b c d dd e f g"), got); diff != "" {
		t.Error(diff)
	}
}

func TestThePageSizeHasADefaultAndTheLastPageEndsTheList(t *testing.T) {
	var names []string
	for i := range 501 {
		names = append(names, fmt.Sprintf("c%04d", i))
	}
	client := fleetv1.NewClusterServiceClient(serve(t, fleettest.Of(t, virtual(names...), fleet.Options{}), server.Options{}))
	for _, test := range []struct {
		size int32
		want int
		more bool
	}{{0, 500, true}, {500, 500, true}, {501, 501, false}, {1000, 501, false}} {
		page, err := client.ListClusters(t.Context(), &fleetv1.ListClustersRequest{PageSize: test.size})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.GetClusters()) != test.want || (page.GetNextPageToken() != "") != test.more || page.GetTotalSize() != 501 {
			t.Errorf("size %d: %d clusters of %d, token %q", test.size, len(page.GetClusters()), page.GetTotalSize(), page.GetNextPageToken())
		}
	}
}

func TestAPageFitsIntoAMessageHoweverMuchClustersSay(t *testing.T) {
	var definitions []cluster.Definition
	for i := range 400 {
		d := cluster.Definition{Name: fmt.Sprintf("c%04d", i), Virtual: true, Labels: map[string]string{}}
		for k := range 200 {
			d.Labels[fmt.Sprintf("key-%d", k)] = strings.Repeat("v", 63)
		}
		definitions = append(definitions, d)
	}
	client := fleetv1.NewClusterServiceClient(serve(t, fleettest.Of(t, definitions, fleet.Options{}), server.Options{}))
	total, pages := 0, 0
	for r := (&fleetv1.ListClustersRequest{PageSize: 1000}); ; pages++ {
		page, err := client.ListClusters(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		total += len(page.GetClusters())
		if r.PageToken = page.GetNextPageToken(); r.GetPageToken() == "" {
			break
		}
	}
	if total != 400 || pages == 0 {
		t.Errorf("%d clusters came on %d pages", total, pages+1)
	}
}

func TestBadPageTokensAndUnknownClusters(t *testing.T) {
	client := fleetv1.NewClusterServiceClient(serve(t, fleettest.Of(t, virtual("a"), fleet.Options{}), server.Options{}))
	_, err := client.ListClusters(t.Context(), &fleetv1.ListClustersRequest{PageToken: "%%%"})
	mustBeInvalid(t, "a page token", "page_token", 0, err)
	_, err = client.ListClusters(t.Context(), &fleetv1.ListClustersRequest{PageSize: 1001})
	mustBeInvalid(t, "a page size", "page_size", 0, err)
	_, err = client.GetCluster(t.Context(), &fleetv1.GetClusterRequest{})
	mustBeInvalid(t, "no name", "name", 0, err)
	_, err = client.GetCluster(t.Context(), &fleetv1.GetClusterRequest{Name: "b\x1b[31m"})
	s := status.Convert(err)
	if s.Code() != codes.NotFound || strings.Contains(s.Message(), "\x1b") {
		t.Errorf("got %v", err)
	}
	if info, _, _ := detailsOf(t, s.Proto()); info.GetReason() != "CLUSTER_NOT_FOUND" {
		t.Errorf("reason %s", info.GetReason())
	}
}

func TestAClusterIsShownWithWhatIsKnownOfIt(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 2})
	conn := serve(t, f, server.Options{})
	client := fleetv1.NewClusterServiceClient(conn)
	name := sim.Names()[0]
	get := func() *fleetv1.Cluster {
		response, err := client.GetCluster(t.Context(), &fleetv1.GetClusterRequest{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		return response.GetCluster()
	}
	c := get()
	if c.GetName() != name || c.GetLabels()["env"] == "" || !strings.HasPrefix(c.GetServer(), "https://127.") || c.GetCredential() != fleetv1.Cluster_CREDENTIAL_TOKEN || c.GetObservation() != nil {
		t.Errorf("got %v", c)
	}
	probe(t.Context(), t, conn, &fleetv1.ProbeClustersRequest{})
	o := get().GetObservation()
	if o.GetVerdict().GetState() != fleetv1.Verdict_STATE_HEALTHY || o.GetSource() != fleetv1.Observation_SOURCE_LIVE || o.GetAge() == nil || o.GetLastSuccess() == nil {
		t.Errorf("observed: %v", o)
	}
}

func TestNoCredentialLeavesTheServer(t *testing.T) {
	sim := fleettest.Simulate(t, simulator.Config{Clusters: 4, OwnPorts: true, Auth: simulator.AuthCert})
	definitions := fleettest.Definitions(t, sim)
	canaries := []string{"canary-token", "canary-password"}
	for line := range strings.FieldsSeq(string(definitions[3].Config.KeyData) + string(definitions[3].Config.CertData)) {
		if len(line) > 40 {
			canaries = append(canaries, line, base64.StdEncoding.EncodeToString([]byte(line))[:40])
		}
	}
	for i, spoil := range []func(c *rest.Config){
		func(c *rest.Config) { c.BearerToken = "canary-token" },
		func(c *rest.Config) { c.Username, c.Password = "somebody", "canary-password" },
		func(c *rest.Config) { c.BearerToken = "canary-token\r\nX-Evil: 1" }, // not even fit for a header
	} {
		definitions[i].Config = rest.CopyConfig(definitions[i].Config)
		spoil(definitions[i].Config)
	}
	fleettest.SetFault(t, sim, sim.Names()[3], simulator.Fault{Kind: simulator.Refuse})
	for i := range definitions { // what can be said about a token can also be said in base64
		token := definitions[i].Config.BearerToken
		if token != "" {
			canaries = append(canaries, token, base64.StdEncoding.EncodeToString([]byte(token)))
		}
	}
	f := fleet.New(fleet.Options{})
	defer f.Close()
	problems := f.Apply(definitions)
	var log strings.Builder
	conn := serve(t, f, server.Options{Log: verbose(&log)})

	var said strings.Builder
	fmt.Fprintln(&said, problems)
	for name, r := range probe(t.Context(), t, conn, &fleetv1.ProbeClustersRequest{}).results {
		fmt.Fprintln(&said, name, protojson.Format(r))
	}
	for name, c := range fetch(t.Context(), t, conn, &fleetv1.FetchManifestsRequest{ResourceType: configMaps()}).clusters {
		fmt.Fprintln(&said, name, protojson.Format(c.completion))
	}
	list, err := fleetv1.NewClusterServiceClient(conn).ListClusters(t.Context(), &fleetv1.ListClustersRequest{})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&said, protojson.Format(list), fmt.Sprintf("%v %+v", definitions, definitions), log.String())
	for _, canary := range canaries {
		if at := strings.Index(said.String(), canary); at >= 0 {
			t.Errorf("%q was said: …%s…", canary, said.String()[max(0, at-200):min(at+100, said.Len())])
		}
	}
}
