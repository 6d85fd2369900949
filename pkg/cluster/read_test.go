package cluster_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestPagesAreReadOneByOne(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("/api/v1/namespaces/ns/pods", func(w http.ResponseWriter, r *http.Request) {
		answer(w, 200, r.URL.RawQuery)
	})
	client := newClient(t, a.config())
	q := cluster.Query{Type: pods.Type, Namespace: "ns", LabelSelector: "app=x,tier in (a,b)", FieldSelector: "status.phase!=Running"}
	const token = "page 2&limit=0#ü"
	for _, next := range []string{"", token} {
		body, err := client.Read(t.Context(), q, next)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body)
		must(err)
		_ = body.Close()
		values, err := url.ParseQuery(string(got))
		must(err)
		want := url.Values{"limit": {"500"}, "labelSelector": {q.LabelSelector}, "fieldSelector": {q.FieldSelector}}
		if next != "" {
			want.Set("continue", next)
		}
		if diff := cmp.Diff(want, values); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAnExpiredContinueTokenIsNotTheCallersFault(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("*", func(w http.ResponseWriter, _ *http.Request) {
		status(w, 410, "The provided continue parameter is too old")
	})
	_, err := newClient(t, a.config()).Read(t.Context(), pods, "token")
	e, ok := errors.AsType[*cluster.Error](err)
	if !ok || e.Reason != cluster.ServerError || e.StatusCode != 410 ||
		e.Message != "the list changed while it was read (its continue token expired); ask again" {
		t.Errorf("%+v", err)
	}
	if fresh, expired := cluster.Expired(err); !expired || fresh != "" {
		t.Errorf("expired: %t, a fresh token %q", expired, fresh)
	}
	if _, expired := cluster.Expired(cluster.NewStatusError(409, "", 0)); expired {
		t.Error("a conflict is no expired token")
	}
	for _, code := range []int{408, 409, 410} {
		if e := cluster.NewStatusError(code, "", 0); e.Reason != cluster.ServerError {
			t.Errorf("%d is %s", code, e.Reason)
		}
	}
}

func TestARemovedClusterIsNotReadAndNotBlamed(t *testing.T) {
	t.Parallel()
	client := newClient(t, newAPI(t).config())
	if e := readAll(t.Context(), t, client, pods); e != nil {
		t.Fatal(e)
	}
	client.Close()
	e := readAll(t.Context(), t, client, pods)
	if e == nil || e.Reason != cluster.Internal || e.Blame != cluster.BlameObserver || e.Message != "the cluster was removed" {
		t.Errorf("%+v", e)
	}
}

func TestFormatsAreAskedForByTheirMediaTypes(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("*", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Accept")+" "+r.Header.Get("Accept-Encoding")+" "+r.URL.RawQuery) //nolint:gosec // no browser reads it
	})
	client := newClient(t, a.config())
	for format, want := range map[cluster.Format][2]string{
		cluster.FullFormat: {"application/json", "application/json"},
		cluster.MetadataFormat: {
			"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
		},
		cluster.TableFormat: {"application/json;as=Table;g=meta.k8s.io;v=v1", "application/json;as=Table;g=meta.k8s.io;v=v1"},
	} {
		for i, name := range []string{"", "p"} {
			body, err := client.Read(t.Context(), cluster.Query{Type: pods.Type, Namespace: "ns", Name: name, Format: format}, "")
			must(err)
			got, err := io.ReadAll(body)
			must(err)
			_ = body.Close()
			if full := want[i] + "  " + []string{"limit=500", ""}[i]; string(got) != full {
				t.Errorf("%q, want %q", got, full)
			}
		}
	}
}

func packed(content string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, content)
	_ = w.Close()
	return b.Bytes()
}

func TestCompressionThatNobodyAskedForIsUndone(t *testing.T) {
	t.Parallel()
	good := packed("ok")
	for name, c := range map[string]struct {
		encoding string
		body     []byte
		probe    cluster.Reason
		read     cluster.Reason
	}{
		"gzip":      {"gzip", good, "", ""},
		"identity":  {"identity", []byte("ok"), "", ""},
		"cut":       {"gzip", good[:len(good)-6], cluster.MalformedResponse, cluster.MalformedResponse},
		"empty":     {"gzip", nil, cluster.MalformedResponse, cluster.MalformedResponse},
		"none":      {"gzip", []byte("ok"), cluster.MalformedResponse, cluster.MalformedResponse},
		"bad sum":   {"gzip", append(append([]byte{}, good[:len(good)-8]...), 1, 2, 3, 4, 5, 6, 7, 8), cluster.MalformedResponse, cluster.MalformedResponse},
		"something": {"br", []byte("ok"), cluster.MalformedResponse, cluster.MalformedResponse},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.on("*", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", c.encoding)
				_, _ = w.Write(c.body)
			})
			client := newClient(t, a.config())
			v, err := client.Probe(t.Context(), cluster.Quick, cluster.DefaultProbeTimeout)
			if err != nil || v.Reason != c.probe {
				t.Errorf("%+v, %v", v, err)
			}
			e := readAll(t.Context(), t, client, pods)
			if got := reasonOf(e); got != c.read {
				t.Errorf("%q: %+v", got, e)
			}
		})
	}
}

func reasonOf(e *cluster.Error) cluster.Reason {
	if e == nil {
		return ""
	}
	return e.Reason
}

func TestABodyThatIsCutIsNoEnd(t *testing.T) {
	t.Parallel()
	client := newClient(t, rawServer(t, func(conn net.Conn) {
		readRequest(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
	}))
	body, err := client.Read(t.Context(), pods, "")
	must(err)
	defer body.Close()
	got, err := io.ReadAll(body)
	e, ok := errors.AsType[*cluster.Error](err)
	if string(got) != "half" || !ok || e.Reason != cluster.ConnectionReset || e.Phase != cluster.PhaseBody {
		t.Errorf("%q, %+v", got, err)
	}
	if _, again := body.Read(make([]byte, 1)); !errors.Is(again, err) {
		t.Errorf("then %v", again)
	}
}

func TestTheWordsOfARefusalAreRepeated(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("*", func(w http.ResponseWriter, _ *http.Request) {
		status(w, 403, `pods is forbidden: User "jane" cannot list resource "pods"`)
	})
	e := readAll(t.Context(), t, newClient(t, a.config()), pods)
	const want = `the server answered 403: pods is forbidden: User "jane" cannot list resource "pods"`
	if e == nil || e.Message != want {
		t.Errorf("%+v", e)
	}
}

// HTTP/2 is never asked for: a server that speaks it all the same gets no chance to use its frames against us.
func TestAServerThatSpeaksHTTP2IsMalformed(t *testing.T) {
	t.Parallel()
	config := tlsServer(t, "http/1.1", func(conn net.Conn) {
		if _, err := conn.Read(make([]byte, 1<<10)); err != nil {
			return
		}
		framer := http2.NewFramer(conn, conn)
		for framer.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 0}) == nil {
		}
	})
	_, e := readWay(t, hazard{timeout: 2 * shortly}, newClient(t, config))
	if e.Reason != cluster.MalformedResponse && e.Reason != cluster.ResponseTooLarge {
		t.Errorf("%s: %s", e.Reason, e.Message)
	}
	checkSafe(t, e.Message)
}

func TestTheTokenByWhichAListCanGoOnIsRead(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("*", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 410, `{"kind":"Status","apiVersion":"v1","metadata":{"continue":"fresh"},"status":"Failure","reason":"Expired","code":410}`)
	})
	_, err := newClient(t, a.config()).Read(t.Context(), pods, "token")
	if fresh, expired := cluster.Expired(err); !expired || fresh != "fresh" {
		t.Errorf("expired: %t, a fresh token %q: %v", expired, fresh, err)
	}
}

func TestAQueryMayWantFewerObjectsAndFromTheServersCache(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("*", func(w http.ResponseWriter, r *http.Request) { answer(w, 200, r.URL.RawQuery) })
	client := newClient(t, a.config())
	for about, tt := range map[string]struct {
		limit       int
		name, token string
		want        string
	}{
		"a list":                 {want: "limit=500&resourceVersion=0"},
		"a short list":           {limit: 7, want: "limit=7&resourceVersion=0"},
		"a list that is long":    {limit: 501, want: "limit=500&resourceVersion=0"},
		"the next page":          {token: "t", want: "continue=t&limit=500"},
		"one object by its name": {name: "p", want: "resourceVersion=0"},
	} {
		q := cluster.Query{Type: pods.Type, Namespace: "ns", Name: tt.name, Limit: tt.limit, AllowStale: true}
		body, err := client.Read(t.Context(), q, tt.token)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body)
		must(err)
		_ = body.Close()
		if string(got) != tt.want {
			t.Errorf("%s: asked for with %s, want %s", about, got, tt.want)
		}
	}
}

// stopped counts waits.
type stopped struct{ waits, goes int }

func (s *stopped) Wait() { s.waits++ }
func (s *stopped) Go()   { s.goes++ }

func TestAReadTellsWhenItWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("*", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "{}") })
	client := newClient(t, a.config())
	for range cluster.MaxReads { // whoever comes next has to wait
		body, err := client.Read(t.Context(), pods, "")
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var s stopped
	if _, err := client.Read(cluster.WithWaiter(ctx, &s), pods, ""); err == nil || s != (stopped{1, 1}) {
		t.Errorf("%+v, %v", s, err)
	}
}
