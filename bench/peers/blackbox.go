package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/child"
	"github.com/clusterfleet/clusterfleet/bench/internal/process"
	"golang.org/x/sync/errgroup"
)

// blackbox lets blackbox_exporter probe, and asks it as Prometheus does: a request for each probe, over connections that are
// kept. A cluster has a module of its own, for its token and server name. The exporter makes a new connection for each probe;
// it knows no other way.
type blackbox struct {
	job      child.Job
	clusters []target
	exporter *process.Process
	client   *http.Client
	address  string
}

// blackboxModule is a module of the exporter's configuration; JSON is YAML as well.
type blackboxModule struct {
	Prober  string       `json:"prober"`
	Timeout string       `json:"timeout"`
	HTTP    blackboxHTTP `json:"http"`
}

type blackboxHTTP struct {
	ValidStatusCodes []int                 `json:"valid_status_codes"`
	PreferredIP      string                `json:"preferred_ip_protocol"`
	FollowRedirects  bool                  `json:"follow_redirects"`
	HTTP2            bool                  `json:"enable_http2"`
	TLS              blackboxTLS           `json:"tls_config"`
	Authorization    blackboxAuthorization `json:"authorization"`
}

type blackboxTLS struct {
	CA         string `json:"ca"`
	ServerName string `json:"server_name"`
}

type blackboxAuthorization struct {
	Credentials string `json:"credentials"`
}

func (b *blackbox) Prepare(ctx context.Context) (err error) {
	if b.clusters, err = targets(b.job); err != nil {
		return err
	}
	file, err := b.configure()
	if err != nil {
		return err
	}
	b.exporter, err = process.Start(ctx, "", b.job.Tool, "--config.file", file, "--web.listen-address", "127.0.0.1:0")
	if err != nil {
		return err
	}
	listening := regexp.MustCompile(`msg="Listening on" address=(\S+)`)
	line, err := b.exporter.AwaitLog(ctx, listening.MatchString)
	if err != nil {
		return err
	}
	b.address = listening.FindStringSubmatch(line)[1]
	b.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: b.job.Limit}}
	if b.job.Warm {
		_, err = b.Round(ctx)
	}
	return err
}

// configure writes the exporter's configuration and returns where it is.
func (b *blackbox) configure() (file string, err error) {
	modules := make(map[string]blackboxModule, len(b.clusters))
	for _, c := range b.clusters {
		modules[c.name] = blackboxModule{Prober: "http", Timeout: patience.String(), HTTP: blackboxHTTP{
			ValidStatusCodes: []int{http.StatusOK},
			PreferredIP:      "ip4",
			TLS:              blackboxTLS{CA: string(c.config.CAData), ServerName: c.config.ServerName},
			Authorization:    blackboxAuthorization{Credentials: c.config.BearerToken},
		}}
	}
	text, err := json.Marshal(map[string]any{"modules": modules})
	if err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp(b.job.Folder, "blackbox-")
	if err != nil {
		return "", err
	}
	file = filepath.Join(folder, "blackbox.yml")
	return file, os.WriteFile(file, text, 0o600)
}

func (b *blackbox) Round(ctx context.Context) (operations int, err error) {
	var succeeded atomic.Int64
	for range max(b.job.Sweeps, 1) {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(b.job.Limit)
		for _, c := range b.clusters {
			group.Go(func() error {
				found, err := b.probe(ctx, c)
				if found["probe_success"] == 1 {
					succeeded.Add(1)
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return 0, b.exporter.Failed(err)
		}
	}
	return int(succeeded.Load()), nil
}

// probe has the exporter probe a cluster once. A cluster that fails is no error.
func (b *blackbox) probe(ctx context.Context, c target) (samples, error) {
	query := url.Values{"module": {c.name}, "target": {c.config.Host + "/readyz"}}
	header := http.Header{"X-Prometheus-Scrape-Timeout-Seconds": {strconv.Itoa(int(patience / time.Second))}}
	return scrape(ctx, b.client, "http://"+b.address+"/probe?"+query.Encode(), header)
}

func (b *blackbox) CPU() (time.Duration, error) { return process.CPU(b.exporter.PID()) }

func (b *blackbox) PeakRSS() (int64, error) { return process.PeakRSS(b.exporter.PID()) }

// End ends the exporter.
func (b *blackbox) End() {
	if b.client != nil {
		b.client.CloseIdleConnections()
	}
	if b.exporter != nil {
		b.exporter.Kill()
	}
}
