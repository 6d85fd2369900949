package client

import (
	"context"
	"fmt"
	"iter"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// Client calls one aggregator. It is safe for concurrent use; Close it when done.
type Client struct {
	address address
	timeout time.Duration
	cut     func(context.Context, error)
	link    *link
	conn    *grpc.ClientConn

	clusters  fleetv1.ClusterServiceClient
	health    fleetv1.HealthServiceClient
	manifests fleetv1.ManifestServiceClient
	workloads fleetv1.WorkloadServiceClient
	fleet     fleetv1.FleetServiceClient
	serving   healthpb.HealthClient
}

// Dial returns a client of the aggregator at target: HOST:PORT, or HOST for port 7443. It does not connect: the first
// call does. An error means that the target (an [AddressError]) or an option is wrong.
func Dial(target string, options ...Option) (*Client, error) {
	s := settings{userAgent: "clusterfleet-go", timeout: DefaultTimeout, cut: func(context.Context, error) {}}
	for _, set := range options {
		set(&s)
	}
	if s.timeout <= 0 {
		return nil, fmt.Errorf("the timeout must be positive, not %s", s.timeout)
	}
	to, err := parseAddress(target)
	if err != nil {
		return nil, err
	}
	creds, plaintext, err := s.credentials(to)
	if err != nil {
		return nil, err
	}
	link := newLink(plaintext)
	conn, err := grpc.NewClient("passthrough:///"+to.String(), append([]grpc.DialOption{
		grpc.WithTransportCredentials(watched{TransportCredentials: creds, link: link}),
		grpc.WithContextDialer(link.dial),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 30 * time.Second},
			MinConnectTimeout: connectTimeout,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithUserAgent(s.userAgent),
		grpc.WithDisableRetry(), // retry.go retries: it honours RetryInfo, which grpc-go does not know.
	}, s.grpc...)...)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", to, err)
	}
	return &Client{
		address: to, timeout: s.timeout, cut: s.cut, link: link, conn: conn,
		clusters:  fleetv1.NewClusterServiceClient(conn),
		health:    fleetv1.NewHealthServiceClient(conn),
		manifests: fleetv1.NewManifestServiceClient(conn),
		workloads: fleetv1.NewWorkloadServiceClient(conn),
		fleet:     fleetv1.NewFleetServiceClient(conn),
		serving:   healthpb.NewHealthClient(conn),
	}, nil
}

// Close closes the connection and ends the calls that are under way.
func (c *Client) Close() error { return c.conn.Close() }

// Address returns the aggregator's address as HOST:PORT.
func (c *Client) Address() string { return c.address.String() }

// ListClusters returns the selected clusters in the order of their names, over all pages from req's own on; it asks for
// a page when the previous one is used up. An error ends it.
func (c *Client) ListClusters(ctx context.Context, req *fleetv1.ListClustersRequest) iter.Seq2[*fleetv1.Cluster, error] {
	return pages("clusters", req.GetPageToken(), func(token string) ([]*fleetv1.Cluster, string, error) {
		page := copied(req)
		page.PageToken = token
		answer, err := unary(ctx, c, page, c.clusters.ListClusters)
		return answer.GetClusters(), answer.GetNextPageToken(), err
	})
}

// GetCluster returns one cluster; one that the fleet does not have is a status of code NOT_FOUND.
func (c *Client) GetCluster(ctx context.Context, name string) (*fleetv1.Cluster, error) {
	answer, err := unary(ctx, c, &fleetv1.GetClusterRequest{Name: name}, c.clusters.GetCluster)
	return answer.GetCluster(), err
}

// Serving tells whether the aggregator, or one of its services such as "fleet.v1.HealthService", takes calls
// (grpc.health.v1). The empty service is the aggregator as a whole.
func (c *Client) Serving(ctx context.Context, service string) (bool, error) {
	answer, err := unary(ctx, c, &healthpb.HealthCheckRequest{Service: service}, c.serving.Check)
	return answer.GetStatus() == healthpb.HealthCheckResponse_SERVING, err
}

// ProbeClusters tests the selected clusters now and streams each result as it comes.
func (c *Client) ProbeClusters(ctx context.Context, req *fleetv1.ProbeClustersRequest) *ProbeStream {
	return newStream(ctx, c, req, c.health.ProbeClusters, (*fleetv1.ProbeClustersResponse).GetResult)
}

// FetchManifests reads one resource type from the selected clusters and streams the objects as they arrive.
func (c *Client) FetchManifests(ctx context.Context, req *fleetv1.FetchManifestsRequest) *FetchStream {
	return newStream(ctx, c, req, c.manifests.FetchManifests, (*fleetv1.FetchManifestsResponse).GetBatch)
}

// GetManifests reads single objects by reference and streams them as they arrive; results carry the reference's index.
func (c *Client) GetManifests(ctx context.Context, req *fleetv1.GetManifestsRequest) *ReferenceStream {
	return newStream(ctx, c, req, c.manifests.GetManifests, (*fleetv1.GetManifestsResponse).GetResult)
}

// SummarizeHibernation tells which workloads of the selected clusters sleep and streams what is found of each cluster as it
// comes; the last result of each carries its completion.
func (c *Client) SummarizeHibernation(ctx context.Context, req *fleetv1.SummarizeHibernationRequest) *HibernationStream {
	return newStream(ctx, c, req, c.workloads.SummarizeHibernation, (*fleetv1.SummarizeHibernationResponse).GetResult)
}

// bounded gives ctx the client's timeout unless it has a deadline of its own.
func (c *Client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.timeout)
}

// unary makes one call that has one answer.
func unary[Req, Res any](ctx context.Context, c *Client, req *Req,
	call func(context.Context, *Req, ...grpc.CallOption) (*Res, error),
) (*Res, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	var answer *Res
	err := retry(ctx, func() (trailer metadata.MD, err error) {
		answer, err = call(ctx, req, grpc.Trailer(&trailer))
		return trailer, c.explain(err)
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// ListResourceTypes returns which resource types the selected clusters serve. A cluster that could not be asked is data, in
// its failures.
func (c *Client) ListResourceTypes(ctx context.Context, req *fleetv1.ListResourceTypesRequest) (*fleetv1.ListResourceTypesResponse, error) {
	return unary(ctx, c, req, c.manifests.ListResourceTypes)
}
