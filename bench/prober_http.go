package main

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/clusterfleet/clusterfleet/bench/internal/bare"
	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// httpProber is a peer: net/http held well, a client a cluster, HTTP/1.1.
type httpProber struct {
	job     job
	targets []httpTarget
}

// httpTarget is one cluster as net/http asks it.
type httpTarget struct {
	client *http.Client
	host   string
	token  string
}

func newHTTPTarget(d cluster.Definition) (httpTarget, error) {
	secure, err := bare.TLS(d.Config)
	if err != nil {
		return httpTarget{}, err
	}
	transport := &http.Transport{TLSClientConfig: secure, DisableCompression: true, MaxIdleConnsPerHost: 1}
	return httpTarget{client: &http.Client{Transport: transport}, host: d.Config.Host, token: d.Config.BearerToken}, nil
}

func newHTTPTargets(kubeconfig string) ([]httpTarget, error) {
	definitions, err := simulated.Definitions(kubeconfig)
	if err != nil {
		return nil, err
	}
	targets := make([]httpTarget, len(definitions))
	for i, d := range definitions {
		if targets[i], err = newHTTPTarget(d); err != nil {
			return nil, err
		}
	}
	return targets, nil
}

// get reads the answer to the end and returns how long it was.
func (t httpTarget) get(ctx context.Context, path string) (int64, error) {
	return t.read(ctx, path, io.Discard)
}

// read writes the answer to w and returns how long it was.
func (t httpTarget) read(ctx context.Context, path string, w io.Writer) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.host+path, http.NoBody)
	if err != nil {
		return 0, err
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+t.token)
	resp, err := t.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(w, resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, resp.Status)
	}
	return n, err
}

func (p *httpProber) Prepare(ctx context.Context) (err error) {
	if p.targets, err = newHTTPTargets(p.job.Kubeconfig); err != nil {
		return err
	}
	_, err = p.Round(ctx)
	return err
}

func (p *httpProber) Round(ctx context.Context) (operations int, err error) {
	return sweep(len(p.targets), p.job, func(i int) error {
		_, err := p.targets[i].get(ctx, "/readyz")
		return err
	})
}
