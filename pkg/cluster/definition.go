package cluster

import (
	"encoding/json"
	"log/slog"

	"k8s.io/client-go/rest"
)

// Credential is the kind of credential that a cluster is asked with.
type Credential int

// The kinds of credentials.
const (
	Anonymous Credential = iota
	Token
	ClientCertificate
	Plugin
	Basic
)

// Definition says where one cluster is and how to authenticate to it. It is immutable once handed over.
type Definition struct {
	// Name is the name people use: a kubeconfig context's name as it is. At most 253 bytes, printable.
	Name string
	// Labels select clusters. Keys and values are valid Kubernetes labels.
	Labels map[string]string
	// Namespace is the context's default namespace, empty if it has none.
	Namespace string
	// Source says where the definition comes from, such as "kubeconfig".
	Source string
	// Virtual clusters have no API server: they are listed but neither probed nor read.
	Virtual bool
	// Maintenance says that the cluster is being worked on: it is asked as ever, but nobody is alarmed.
	Maintenance bool
	// Config holds address and credentials; nil for virtual clusters. It never leaves the process.
	Config *rest.Config
}

// Server returns the address of the API server, without what may be secret in it; empty for a virtual cluster and for an
// address that is none.
func (d Definition) Server() string {
	if d.Config == nil {
		return ""
	}
	base, err := serverURL(d.Config)
	if err != nil {
		return ""
	}
	return base.String()
}

// Credential returns the kind of credential that the definition carries.
func (d Definition) Credential() Credential {
	c := d.Config
	switch {
	case c == nil:
		return Anonymous
	case c.BearerToken != "" || c.BearerTokenFile != "":
		return Token
	case c.Username != "":
		return Basic
	case len(c.CertData) > 0 || c.CertFile != "":
		return ClientCertificate
	case c.ExecProvider != nil:
		return Plugin
	}
	return Anonymous
}

// String returns the name: a definition never prints its credentials.
func (d Definition) String() string { return d.Name }

// GoString returns the name: a definition never prints its credentials.
func (d Definition) GoString() string { return "cluster.Definition(" + d.Name + ")" }

// MarshalJSON returns the name: a definition never prints its credentials.
func (d Definition) MarshalJSON() ([]byte, error) { return json.Marshal(d.Name) }

// LogValue returns the name: a definition never logs its credentials.
func (d Definition) LogValue() slog.Value { return slog.StringValue(d.Name) }
