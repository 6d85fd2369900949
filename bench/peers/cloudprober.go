package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/child"
	"github.com/clusterfleet/clusterfleet/bench/internal/process"
)

const (
	// probeInterval is how often cloudprober probes each cluster; it probes by itself and cannot be asked to.
	probeInterval = time.Second
	// awaitTime is what cloudprober gets until it has told of what it is awaited to have probed.
	awaitTime = time.Minute
	awaitPoll = 250 * time.Millisecond
)

// cloudprober lets cloudprober probe over connections that are kept. A cluster has a probe of its own, for its token and
// server name. It tells what it has found each time that it has done the sweeps of a round.
type cloudprober struct {
	job      child.Job
	clusters []target
	prober   *process.Process
	client   *http.Client
	address  string
}

func (c *cloudprober) Prepare(ctx context.Context) (err error) {
	if c.clusters, err = targets(c.job); err != nil {
		return err
	}
	file, err := c.configure()
	if err != nil {
		return err
	}
	// It would ask the machine's cloud for metadata.
	c.prober, err = process.Start(ctx, "", c.job.Tool, "--config_file", file, "--cloud_metadata", "none", "--disable_sys_metrics")
	if err != nil {
		return err
	}
	c.client = &http.Client{Transport: &http.Transport{}}
	_, err = c.await(ctx, c.expected())
	return err
}

// await waits until cloudprober has told of so many probes, whether they succeeded or not, and returns what it tells then.
func (c *cloudprober) await(ctx context.Context, probes float64) (samples, error) {
	ctx, cancel := context.WithTimeout(ctx, awaitTime)
	defer cancel()
	ticker := time.NewTicker(awaitPoll)
	defer ticker.Stop()
	for {
		found, err := c.scrape(ctx) // fails before it listens
		if err == nil && found["total"] >= probes {
			return found, nil
		}
		select {
		case <-ticker.C:
		case <-c.prober.Done():
			return nil, c.prober.Failed(errors.New("it has ended"))
		case <-ctx.Done():
			return nil, c.prober.Failed(fmt.Errorf("it told of %v probes, not of %v: %w", found["total"], probes, ctx.Err()))
		}
	}
}

// expected is how many probes a round has.
func (c *cloudprober) expected() float64 { return float64(len(c.clusters) * c.sweeps()) }

func (c *cloudprober) sweeps() int { return max(c.job.Sweeps, 1) }

// roundTime is how long a round takes.
func (c *cloudprober) roundTime() time.Duration { return time.Duration(c.sweeps()) * probeInterval }

func (c *cloudprober) scrape(ctx context.Context) (samples, error) {
	return scrape(ctx, c.client, "http://"+c.address+"/metrics", nil)
}

// Round counts the probes that have succeeded while it took its time, and until the last of them has been told of.
func (c *cloudprober) Round(ctx context.Context) (operations int, err error) {
	before, err := c.await(ctx, 0)
	if err != nil {
		return 0, err
	}
	timer := time.NewTimer(c.roundTime())
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	after, err := c.await(ctx, before["total"]+c.expected())
	if err != nil {
		return 0, err
	}
	return int(after["success"] - before["success"]), nil
}

func (c *cloudprober) CPU() (time.Duration, error) { return process.CPU(c.prober.PID()) }

func (c *cloudprober) PeakRSS() (int64, error) { return process.PeakRSS(c.prober.PID()) }

// End ends cloudprober.
func (c *cloudprober) End() {
	if c.client != nil {
		c.client.CloseIdleConnections()
	}
	if c.prober != nil {
		c.prober.Kill()
	}
}

// configure chooses an address, writes cloudprober's configuration and returns where it is. JSON is YAML as well.
func (c *cloudprober) configure() (file string, err error) {
	folder, err := os.MkdirTemp(c.job.Folder, "cloudprober-")
	if err != nil {
		return "", err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	address := free.Addr().(*net.TCPAddr)
	if err := free.Close(); err != nil {
		return "", err
	}
	c.address = address.String()
	probes := make([]any, len(c.clusters))
	for i, cluster := range c.clusters {
		authority := filepath.Join(folder, cluster.name+".pem")
		if err := os.WriteFile(authority, cluster.config.CAData, 0o600); err != nil {
			return "", err
		}
		probes[i] = c.probe(cluster, authority)
	}
	text, err := json.MarshalIndent(object{ // cloudprober reads no line of more than 64 KiB
		"host":     address.IP.String(),
		"port":     address.Port,
		"surfacer": []object{{"type": "PROMETHEUS"}},
		"probe":    probes,
	}, "", " ")
	if err != nil {
		return "", err
	}
	file = filepath.Join(folder, "cloudprober.yaml")
	return file, os.WriteFile(file, text, 0o600)
}

type object = map[string]any

func (c *cloudprober) probe(cluster target, authority string) object {
	return object{
		"name":                       cluster.name,
		"type":                       "HTTP",
		"interval":                   probeInterval.String(),
		"timeout":                    probeInterval.String(), // it must not exceed the interval
		"stats_export_interval_msec": c.roundTime().Milliseconds(),
		"targets":                    object{"endpoint": []object{{"name": cluster.name, "url": cluster.config.Host + "/readyz"}}},
		"validator":                  []object{{"name": "ok", "http_validator": object{"success_status_codes": "200"}}},
		"http_probe": object{
			"keep_alive":    true,
			"disable_http2": true,
			"max_redirects": 0,
			"user_agent":    userAgent,
			"header":        object{"Authorization": "Bearer " + cluster.config.BearerToken, "Accept": "application/json"},
			"tls_config":    object{"ca_cert_file": authority, "server_name": cluster.config.ServerName},
		},
	}
}
