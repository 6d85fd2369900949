package cluster_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// bomb returns a gzip stream that inflates to 64 MiB of white space.
func bomb() []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(bytes.Repeat([]byte{' '}, 1<<20))
	_ = w.Close()
	return bytes.Repeat(b.Bytes(), 64)
}

// endless writes the piece until the client leaves.
func endless(piece []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	packed := bomb()
	for name, handler := range map[string]http.HandlerFunc{
		"endless body": endless(make([]byte, 64<<10)),
		"gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, depth := range []cluster.Depth{cluster.Quick, cluster.Full} {
				client := newClient(t, answering(handler)(t))
				v, err := client.Probe(t.Context(), depth, cluster.DefaultProbeTimeout)
				if err != nil || v.Reason != cluster.ResponseTooLarge || v.State != cluster.Degraded {
					t.Errorf("%+v, %v", v, err)
				}
				checkVerdict(t, v)
			}
		})
	}
}

func TestDiscoveryIsBounded(t *testing.T) {
	t.Parallel()
	packed := bomb()
	a := newAPI(t)
	a.on("/api", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed)
	})
	e := readAll(t.Context(), t, newClient(t, a.config()), cluster.Query{Type: cluster.TypeName{Name: "pods"}})
	if e == nil || e.Reason != cluster.ResponseTooLarge {
		t.Errorf("%+v", e)
	}
}

// TestAPageIsBounded is not parallel to those that look at the time: it uses all the processor it gets.
func TestAPageIsBounded(t *testing.T) { //nolint:paralleltest // see above
	packed := bomb()
	client := newClient(t, answering(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		endless(packed)(w, r)
	})(t))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	body, err := client.Read(ctx, pods, "")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	n, err := io.Copy(io.Discard, body)
	e, ok := errors.AsType[*cluster.Error](err)
	if !ok || n != cluster.MaxPageBytes || e.Reason != cluster.ResponseTooLarge {
		t.Errorf("%d bytes, then %v", n, err)
	}
}
