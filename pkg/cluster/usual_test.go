package cluster

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
)

// FuzzUsualAnswer: what the short way understands, net/http understands alike.
func FuzzUsualAnswer(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nDate: x\r\ncontent-length: 02\r\nX-A:\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n folded: x\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA b: x\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!",
		"HTTP/1.1 200 OK\r\nA: x\rB\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
		"HTTP/1.1 204 No\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	req := &http.Request{Method: http.MethodGet}
	f.Fuzz(func(t *testing.T, sent []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(sent), 4096)
		_, _ = r.Peek(1)
		resp := usualAnswer(r, outgoing{made: req})
		if resp == nil {
			left, _ := io.ReadAll(r)
			if !bytes.Equal(left, sent) {
				t.Errorf("it took something from %q and left %q", sent, left)
			}
			return
		}
		reference := bufio.NewReader(bytes.NewReader(sent))
		want, err := http.ReadResponse(reference, req)
		if err != nil {
			t.Fatalf("%q is no answer: %v", sent, err)
		}
		content, err := io.ReadAll(want.Body)
		if err != nil || want.Close || reference.Buffered() > 0 || want.StatusCode != resp.StatusCode || want.Header.Get("Content-Encoding") != "" {
			t.Errorf("%q: %v, %+v", sent, err, want)
		}
		if !bytes.Equal(content, contentOf(resp)) {
			t.Errorf("%q: %q, want %q", sent, contentOf(resp), content)
		}
	})
}

// What is sent for nothing is what would be sent for a request.
func TestALeanRequestIsTheOneThatWouldBeMade(t *testing.T) {
	for name, config := range map[string]*rest.Config{
		"no credential":       {Host: "https://server:6443"},
		"a token":             {Host: "https://server:6443", BearerToken: "x"},
		"a password":          {Host: "https://server", Username: "joe", Password: "x"},
		"an agent":            {Host: "https://server", UserAgent: "theirs"},
		"a path":              {Host: "https://server/k8s/clusters/c-1/"},
		"a path with escapes": {Host: "https://server/a%2Fb/ü"},
		"someone else": {Host: "https://server", BearerToken: "x", Impersonate: rest.ImpersonationConfig{
			UserName: "joe", Groups: []string{"a", "b"}, Extra: map[string][]string{"Reason": {"x"}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			base, err := serverURL(config)
			if err != nil {
				t.Fatal(err)
			}
			r, err := newRequests(config, base, "agent/1")
			if err != nil {
				t.Fatal(err)
			}
			for path := range readyPaths {
				made, err := appendRequest(nil, r.get(t.Context(), readyPaths[path], ""))
				if err != nil {
					t.Fatal(err)
				}
				want, got := received(t, made), received(t, r.appendReady(nil, path))
				if diff := cmp.Diff(want.Header, got.Header); diff != "" || want.RequestURI != got.RequestURI || want.Host != got.Host {
					t.Errorf("%s of %s, want %s of %s\n%s", got.RequestURI, got.Host, want.RequestURI, want.Host, diff)
				}
			}
		})
	}
}

// received is a request as its server reads it.
func received(t *testing.T, sent []byte) *http.Request {
	t.Helper()
	r := bufio.NewReader(bytes.NewReader(sent))
	req, err := http.ReadRequest(r)
	if err != nil || r.Buffered() > 0 {
		t.Fatalf("%q: %v", sent, err)
	}
	return req
}

// FuzzRequest: what is sent is the request that was meant, whatever the path and the header.
func FuzzRequest(f *testing.F) {
	f.Add("/readyz", "limit=1", "Bearer x", "body", true)
	f.Add("/a b%/ü", "", "x\r\nHost: y", "", false)
	f.Fuzz(func(t *testing.T, path, query, value, body string, post bool) {
		base := &url.URL{Scheme: "https", Host: "server:6443"}
		r := requests{base: base, credential: []field{{"X-Value", value}}}
		values := url.Values{"q": {query}}.Encode()
		req := r.get(t.Context(), "/"+strings.TrimLeft(path, "/"), values)
		if post {
			req = r.post(t.Context(), "/"+strings.TrimLeft(path, "/"), body)
			values = ""
		}
		sent, err := appendRequest(nil, req)
		if err != nil {
			if isFieldValue(value) {
				t.Fatal(err)
			}
			return
		}
		reader := bufio.NewReader(bytes.NewReader(sent))
		got, err := http.ReadRequest(reader)
		if err != nil {
			t.Fatalf("%q: %v", sent, err)
		}
		content, err := io.ReadAll(got.Body)
		if err != nil || reader.Buffered() > 0 {
			t.Errorf("%q: %v", sent, err)
		}
		if !post {
			body = ""
		}
		want := []string{req.Method, "/" + strings.TrimLeft(path, "/"), values, "server:6443", strings.Trim(value, " \t"), body}
		if diff := cmp.Diff(want, []string{got.Method, got.URL.Path, got.URL.RawQuery, got.Host, got.Header.Get("X-Value"), string(content)}); diff != "" {
			t.Errorf("%q\n%s", sent, diff)
		}
	})
}
