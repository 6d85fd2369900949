package cluster

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// leastSecret is the length below which a credential is not looked for: it would be found in innocent words.
const leastSecret = 4

const concealed = "[credential]"

// concealIn returns what a server said without the credential that it was asked with: some servers, and proxies that
// want to help, repeat a request in their answers.
func concealIn(said string, req *http.Request) string {
	if req == nil {
		return said
	}
	for _, value := range req.Header["Authorization"] {
		_, secret, _ := strings.Cut(value, " ")
		said = replaceSecret(said, secret)
		if decoded, err := base64.StdEncoding.DecodeString(secret); err == nil {
			_, password, _ := strings.Cut(string(decoded), ":")
			said = replaceSecret(said, password)
		}
	}
	return said
}

func replaceSecret(said, secret string) string {
	if len(secret) < leastSecret {
		return said
	}
	return strings.ReplaceAll(said, secret, concealed)
}

// conceal returns the error, nil if it is nil, with a text that does not repeat the credential.
func conceal(err error, req *http.Request) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if clean := concealIn(text, req); clean != text {
		return &concealedError{text: clean, cause: err}
	}
	return err
}

type concealedError struct {
	text  string
	cause error
}

func (e *concealedError) Error() string { return e.text }
func (e *concealedError) Unwrap() error { return e.cause }
