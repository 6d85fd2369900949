package realkube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

// Compact makes etcd forget its history, as a production server does every five minutes: watches and continued lists of
// an earlier resource version answer 410 Gone from then on. kube-apiserver serves continued lists from snapshots of its
// own for up to 15 s more, unless it was started with --feature-gates=ListFromCacheSnapshot=false.
func (s *Server) Compact(t testing.TB) {
	t.Helper()
	// API servers that share an etcd tell each other under this key how far it is compacted. The first write makes a
	// revision that is later than everything anybody has read.
	key := []byte("compact_rev_key")
	revision := s.etcd(t, "put", map[string]any{"key": key, "value": []byte("0")})
	s.etcd(t, "put", map[string]any{"key": key, "value": []byte(revision)})
	s.etcd(t, "compaction", map[string]any{"revision": revision, "physical": true})
}

// etcd calls a method of etcd's key-value service, through its JSON gateway, and returns the store's revision after it.
// The gateway writes bytes as base64, like encoding/json, and 64-bit numbers as strings.
func (s *Server) etcd(t testing.TB, method string, parameters map[string]any) (revision string) {
	t.Helper()
	body, err := json.Marshal(parameters)
	if err != nil {
		t.Fatal(err)
	}
	url := s.EtcdURL + "/v3/kv/" + method
	status, answer, err := send(t.Context(), s.client, http.MethodPost, url, bytes.NewReader(body), http.Header{})
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, answer)
	}
	var result struct {
		Header struct {
			Revision string `json:"revision"`
		} `json:"header"`
	}
	if err == nil {
		err = json.Unmarshal(answer, &result)
	}
	if err != nil {
		t.Fatalf("%s: etcd %s: %v", s.Name, method, err)
	}
	return result.Header.Revision
}
