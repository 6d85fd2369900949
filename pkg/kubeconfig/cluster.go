package kubeconfig

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	v1 "k8s.io/client-go/tools/clientcmd/api/v1"
)

// execExtension is the extension of a kubeconfig cluster that is handed to a credential plugin.
const execExtension = "client.authentication.k8s.io/exec"

// endpoint is what a cluster entry says: where the API server is and how it proves who it is.
type endpoint struct {
	host               string
	plain              bool // http: nothing proves anything, and no credential is sent
	tls                rest.TLSClientConfig
	disableCompression bool
	pluginConfig       runtime.Object
}

// with returns the configuration that asks this endpoint with a credential.
func (e endpoint) with(c identity) *rest.Config {
	config := &rest.Config{Host: e.host, DisableCompression: e.disableCompression, Impersonate: c.impersonate}
	if e.plain {
		return config
	}
	config.TLSClientConfig = e.tls
	config.CertFile, config.CertData = c.certFile, c.certData
	config.KeyFile, config.KeyData = c.keyFile, c.keyData
	config.BearerToken, config.BearerTokenFile = c.token, c.tokenFile
	config.Username, config.Password = c.username, c.password
	if c.plugin != nil {
		plugin := *c.plugin
		plugin.Config = e.pluginConfig
		config.ExecProvider = &plugin
	}
	return config
}

// endpoint checks a cluster entry.
func (k *merged) endpoint(e *named[v1.Cluster]) (endpoint, *Problem) {
	c := e.value
	if c.ProxyURL != "" {
		return endpoint{}, e.bad("remove it and make the API server reachable directly", "proxy-url is set, but proxies are not used")
	}
	if c.InsecureSkipTLSVerify && !k.insecure {
		return endpoint{}, e.bad("give its certificate-authority-data, or start the aggregator with --allow-insecure-skip-tls-verify",
			"insecure-skip-tls-verify would give its credentials to anyone on the way")
	}
	host, plain, problem := serverOf(e)
	if problem != nil {
		return endpoint{}, problem
	}
	where := endpoint{host: host, plain: plain, disableCompression: c.DisableCompression}
	if where.tls, problem = k.verification(e); problem != nil {
		return endpoint{}, problem
	}
	for _, extension := range c.Extensions {
		if extension.Name == execExtension && extension.Extension.Raw != nil {
			where.pluginConfig = &runtime.Unknown{Raw: extension.Extension.Raw, ContentType: runtime.ContentTypeJSON}
		}
	}
	return where, nil
}

// serverOf checks the address of the API server. It is never shown: it may hold a password.
func serverOf(e *named[v1.Cluster]) (host string, plain bool, problem *Problem) {
	const form = "write it as https://HOST:PORT"
	server := e.value.Server
	if server == "" {
		return "", false, e.bad(form, "it has no server")
	}
	u, err := url.Parse(server)
	if err != nil || u.Opaque != "" || u.Hostname() == "" {
		return "", false, e.bad(form, "its server is no URL")
	}
	if u.User != nil {
		return "", false, e.bad("move them to its user", "its server holds a user name or a password")
	}
	if strings.ContainsAny(server, "?#") {
		return "", false, e.bad("remove it", "its server has a query or a fragment")
	}
	if port, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || port < 1 || port > 65535) {
		return "", false, e.bad(form, "the port of its server is not between 1 and 65535")
	}
	plain = u.Scheme == "http"
	if u.Scheme != "https" && (!plain || !isLoopback(u.Hostname())) {
		return "", false, e.bad(form, "its server is no https:// URL")
	}
	// A path is encoded, as clientcmd does it.
	if u, err := url.ParseRequestURI(server); err == nil && len(u.Path) > 1 {
		return u.String(), plain, nil
	}
	return server, plain, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// verification returns how the API server proves who it is.
func (k *merged) verification(e *named[v1.Cluster]) (rest.TLSClientConfig, *Problem) {
	c := e.value
	t := rest.TLSClientConfig{Insecure: c.InsecureSkipTLSVerify, ServerName: c.TLSServerName}
	inline, file := len(c.CertificateAuthorityData) > 0, c.CertificateAuthority != ""
	if !inline && !file {
		return t, nil
	}
	if inline && file {
		return t, e.bad("keep one of them", "it has both certificate-authority and certificate-authority-data")
	}
	if c.InsecureSkipTLSVerify {
		return t, e.bad("remove one of them", "it has both insecure-skip-tls-verify and a certificate authority")
	}
	field, data := "certificate-authority-data", c.CertificateAuthorityData
	if file {
		var problem *Problem
		field = "certificate-authority"
		if t.CAFile, data, problem = k.evidence.read(&e.entry, field, c.CertificateAuthority); problem != nil {
			return t, problem
		}
	}
	shared, ok := k.evidence.authority(data)
	if !ok {
		return t, e.bad("give a certificate in PEM", "%s holds no certificate that can be read", field)
	}
	if inline {
		t.CAData = shared
	}
	return t, nil
}
