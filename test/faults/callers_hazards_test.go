package faults_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// caller is one who speaks to the aggregator in frames.
type caller struct {
	*http2.Framer

	connection net.Conn
	headers    bytes.Buffer
	encoder    *hpack.Encoder
}

// callerPatience is how long a hostile caller waits for the aggregator to be rid of it.
const callerPatience = 30 * time.Second

func callRaw(t *testing.T, address string) *caller {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(callerPatience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(connection, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	c := &caller{Framer: http2.NewFramer(connection, connection), connection: connection}
	c.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.encoder = hpack.NewEncoder(&c.headers)
	if err := c.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return c
}

// open begins a call of a method; a gRPC client would put a slash before it.
func (c *caller) open(stream uint32, method string) error {
	c.headers.Reset()
	for _, f := range []hpack.HeaderField{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: method},
		{Name: ":authority", Value: "aggregator"},
		{Name: "content-type", Value: "application/grpc"},
		{Name: "te", Value: "trailers"},
	} {
		if err := c.encoder.WriteField(f); err != nil {
			return err
		}
	}
	return c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: c.headers.Bytes(), EndHeaders: true})
}

// request sends the whole of an empty message.
func (c *caller) request(stream uint32) error { return c.WriteData(stream, true, make([]byte, 5)) }

// await reads until a frame is what it should be, or the connection ends, which is an error.
func (c *caller) await(done func(http2.Frame) bool) error {
	for {
		frame, err := c.ReadFrame()
		if err != nil {
			return err
		}
		if done(frame) {
			return nil
		}
	}
}

// statusOf returns the gRPC status in a frame of headers, empty if there is none.
func statusOf(frame http2.Frame) string {
	if headers, ok := frame.(*http2.MetaHeadersFrame); ok {
		for _, f := range headers.Fields {
			if f.Name == "grpc-status" {
				return f.Value
			}
		}
	}
	return ""
}

const watchMethod = "/fleet.v1.HealthService/WatchClusterHealth"

// TestCallersWhoBreakTheRulesHarmNobodyElse has one caller after the other break the rules of HTTP/2, while another one
// watches and keeps asking.
func TestCallersWhoBreakTheRulesHarmNobodyElse(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{Clusters: 3})
	s.awaitHealthy(t)
	before, err := s.resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const allOfThem = 7 * callerPatience // six hostile callers, and what comes after them
	watched, leave := context.WithTimeout(t.Context(), allOfThem)
	defer leave()
	watch, err := s.health.WatchClusterHealth(watched, &fleetv1.WatchClusterHealthRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Recv(); err != nil {
		t.Fatal(err)
	}
	for name, harm := range map[string]func(*testing.T, *caller){
		"rapid reset":            resetRapidly,
		"ping flood":             pingEndlessly,
		"method without a slash": callWithoutSlash,
		"request of 5 MiB":       sendTooMuch,
		"streams without end":    openTooMany,
		"headers without end":    continueEndlessly,
	} {
		t.Run(name, func(t *testing.T) {
			s.askWhile(t, before, func() { harm(t, callRaw(t, s.GRPC)) })
		})
	}
	if err := s.fleet.SetFault("sim-0002", simulator.Fault{Kind: simulator.Unauthorized}); err != nil {
		t.Fatal(err)
	}
	for {
		event, err := watch.Recv()
		if err != nil {
			t.Fatalf("the watch of another caller: %v", err)
		}
		if event.GetChanged().GetState() == fleetv1.Verdict_STATE_UNAUTHORIZED {
			break
		}
	}
	leave()
	s.awaitBaseline(t, before)
}

// resetRapidly opens and resets streams; the aggregator must still answer on the same connection or have closed it. That it
// has not begun all of them at once is for the bystander to see.
func resetRapidly(t *testing.T, c *caller) {
	answered := make(chan error, 1)
	go func() {
		answered <- c.await(func(f http2.Frame) bool {
			ping, ok := f.(*http2.PingFrame)
			return ok && ping.IsAck()
		})
	}()
	var failed error
	for i := range uint32(5_000) {
		stream := 2*i + 1
		if failed = c.open(stream, watchMethod); failed != nil {
			break
		}
		if failed = c.WriteRSTStream(stream, http2.ErrCodeCancel); failed != nil {
			break
		}
	}
	if failed == nil {
		failed = c.WritePing(false, [8]byte{1})
	}
	if failed != nil {
		c.connection.Close()
	}
	notSilent(t, errors.Join(failed, <-answered))
}

// pingEndlessly must be told to go away.
func pingEndlessly(t *testing.T, c *caller) {
	told := make(chan error, 1)
	go func() {
		told <- c.await(func(f http2.Frame) bool {
			away, ok := f.(*http2.GoAwayFrame)
			return ok && away.ErrCode == http2.ErrCodeEnhanceYourCalm
		})
	}()
	for c.WritePing(false, [8]byte{}) == nil {
		continue
	}
	if err := <-told; err != nil {
		t.Errorf("the connection ended without GOAWAY: %v", err)
	}
}

func callWithoutSlash(t *testing.T, c *caller) {
	if err := errors.Join(c.open(1, "fleet.v1.HealthService.ListClusterHealth"), c.request(1)); err != nil {
		t.Fatal(err)
	}
	got := ""
	if err := c.await(func(f http2.Frame) bool { got = statusOf(f); return got != "" }); err != nil || got != "12" {
		t.Errorf("got status %q, %v, want %s", got, err, codes.Unimplemented)
	}
}

// sendTooMuch announces a message that is larger than any that is taken: it is refused before it is read.
func sendTooMuch(t *testing.T, c *caller) {
	announcement := []byte{0, 0, 0x50, 0, 0} // 5 MiB
	if err := errors.Join(c.open(1, "/fleet.v1.HealthService/ListClusterHealth"), c.WriteData(1, false, append(announcement, make([]byte, 1024)...))); err != nil {
		t.Fatal(err)
	}
	got := ""
	if err := c.await(func(f http2.Frame) bool { got = statusOf(f); return got != "" }); err != nil || got != "8" {
		t.Errorf("got status %q, %v, want %s", got, err, codes.ResourceExhausted)
	}
}

// openTooMany opens more streams than the aggregator announces to take at once.
func openTooMany(t *testing.T, c *caller) {
	const many = 200
	refused := 0
	done := make(chan error, 1)
	go func() {
		done <- c.await(func(f http2.Frame) bool {
			if reset, ok := f.(*http2.RSTStreamFrame); ok && reset.ErrCode == http2.ErrCodeRefusedStream {
				refused++
			}
			return refused == many-128
		})
	}()
	for i := range uint32(many) {
		if err := errors.Join(c.open(2*i+1, watchMethod), c.request(2*i+1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Errorf("%d streams were refused: %v", refused, err)
	}
}

// continueEndlessly sends headers that do not end; the connection must.
func continueEndlessly(t *testing.T, c *caller) {
	if err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}}); err != nil {
		t.Fatal(err)
	}
	block := bytes.Repeat([]byte{0, 1, 'a', 1, 'b'}, 1000)
	sent := 0
	var err error
	for ; err == nil && sent < 1<<28; sent += len(block) {
		err = c.WriteContinuation(1, false, block)
	}
	if err == nil {
		t.Errorf("%d bytes of headers were taken", sent)
	}
	notSilent(t, err)
}

// notSilent fails the test where the aggregator let the caller wait.
func notSilent(t *testing.T, err error) {
	t.Helper()
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the aggregator neither answers nor closes the connection: %v", err)
	}
}
