package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// scrapeBytes bounds what is read of an exporter.
const scrapeBytes = 64 << 20

// samples are the sums of what an exporter tells, by the metric's name.
type samples map[string]float64

// scrape reads what an exporter tells in Prometheus' text format.
func scrape(ctx context.Context, client *http.Client, url string, header http.Header) (samples, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header = header
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", req.URL.Path, resp.Status)
	}
	return parse(io.LimitReader(resp.Body, scrapeBytes))
}

// parse reads `name{labels} value` and `name value`, each with or without a timestamp.
func parse(text io.Reader) (samples, error) {
	found := samples{}
	scanner := bufio.NewScanner(text)
	for scanner.Scan() {
		line := scanner.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		name, rest := line[:strings.IndexAny(line+" ", "{ ")], line[strings.LastIndexByte(line, '}')+1:]
		if rest == line {
			rest = line[len(name):]
		}
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			return nil, fmt.Errorf("no sample: %q", line)
		}
		value, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			return nil, err
		}
		found[name] += value
	}
	return found, scanner.Err()
}
