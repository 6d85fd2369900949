package realkube

import (
	"io"
	"net/http"
	"testing"
)

// Hold begins to create an object with a user's token and does not go on, so that the server has one request of the user
// to work on until the test ends, or its patience does after a minute. The path is that of a collection.
func (s *Server) Hold(t testing.TB, token, path string) {
	t.Helper()
	body, rest := io.Pipe()
	header := http.Header{"Authorization": {"Bearer " + token}}
	patient := &http.Client{Transport: s.client.Transport}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if _, _, err := send(t.Context(), patient, http.MethodPost, s.URL+path, body, header); err != nil && t.Context().Err() == nil {
			t.Errorf("%s: hold a request: %v", s.Name, err)
		}
	}()
	t.Cleanup(func() {
		rest.Close()
		<-ended
	})
}
