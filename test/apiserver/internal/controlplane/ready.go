package controlplane

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/process"
)

const (
	firstPause    = 20 * time.Millisecond
	longestPause  = 500 * time.Millisecond
	answerTimeout = 5 * time.Second
)

// wait asks again and again, with growing pauses, until the answer is good. It gives up when ctx ends or p has died.
func wait(ctx context.Context, p *process.Process, ask func(context.Context) error) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.Done():
			return fmt.Errorf("%w; the end of its log:\n%s", p.Err(), p.LogTail())
		case <-ctx.Done():
			return fmt.Errorf("%w; last try: %w; the end of the log:\n%s", context.Cause(ctx), err, p.LogTail())
		case <-time.After(pause):
		}
	}
}

// get returns a question for wait: the answer is good when url answers 200.
func get(transport http.RoundTripper, url, token string) func(context.Context) error {
	client := &http.Client{Transport: transport, Timeout: answerTimeout}
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
		if err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s: %s", url, response.Status, strings.TrimSpace(string(body)))
		}
		return nil
	}
}
