package kubeconfig

import (
	"bytes"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd/api"
	v1 "k8s.io/client-go/tools/clientcmd/api/v1"
)

// identity is what a user entry says: who asks, and what proves it. It holds secrets and is never printed.
type identity struct {
	token, tokenFile   string
	certFile, keyFile  string
	certData, keyData  []byte
	username, password string
	impersonate        rest.ImpersonationConfig
	plugin             *api.ExecConfig
}

// identity checks a user entry.
func (k *merged) identity(e *named[v1.AuthInfo]) (identity, *Problem) {
	u := e.value
	if u.AuthProvider != nil {
		return identity{}, e.bad("use a credential plugin under exec, such as gke-gcloud-auth-plugin or kubelogin",
			"auth-provider is no longer supported")
	}
	basic := u.Username != "" || u.Password != ""
	if basic && u.Token != "" {
		return identity{}, e.bad("keep one of them", "it has both a token and a user name or password")
	}
	c := identity{username: u.Username, password: u.Password}
	for _, read := range []func(*named[v1.AuthInfo], *identity) *Problem{
		k.readToken, k.readCertificate, readImpersonation, k.readPlugin,
	} {
		if problem := read(e, &c); problem != nil {
			return identity{}, problem
		}
	}
	return c, nil
}

// readToken takes the token, and the file that it is read from again and again.
func (k *merged) readToken(e *named[v1.AuthInfo], c *identity) *Problem {
	u := e.value
	if u.Token != "" {
		c.token = u.Token
		c.tokenFile = e.path(u.TokenFile)
		if !fitsHeader(u.Token) {
			return e.bad("put it on one line", "its token holds a line break or a control character")
		}
		return nil
	}
	if u.TokenFile == "" {
		return nil
	}
	path, data, problem := k.evidence.read(&e.entry, "tokenFile", u.TokenFile)
	if problem != nil {
		return problem
	}
	token := bytes.TrimSpace(data)
	if len(token) == 0 || !fitsHeader(string(token)) {
		return e.bad("put a token on one line into it", "tokenFile %s holds no token", quoted(path))
	}
	c.token, c.tokenFile = string(data), path
	return nil
}

// readCertificate takes the client certificate. A key without a certificate means nothing, as for kubectl.
func (k *merged) readCertificate(e *named[v1.AuthInfo], c *identity) *Problem {
	u := e.value
	if u.ClientCertificate == "" && len(u.ClientCertificateData) == 0 {
		return nil
	}
	if u.ClientCertificate != "" && len(u.ClientCertificateData) > 0 {
		return e.bad("keep one of them", "it has both client-certificate and client-certificate-data")
	}
	if u.ClientKey != "" && len(u.ClientKeyData) > 0 {
		return e.bad("keep one of them", "it has both client-key and client-key-data")
	}
	if u.ClientKey == "" && len(u.ClientKeyData) == 0 {
		return e.bad("add client-key or client-key-data", "it has a client certificate but no key")
	}
	c.certData, c.keyData = u.ClientCertificateData, u.ClientKeyData
	cert, key := c.certData, c.keyData
	var problem *Problem
	if u.ClientCertificate != "" {
		if c.certFile, cert, problem = k.evidence.read(&e.entry, "client-certificate", u.ClientCertificate); problem != nil {
			return problem
		}
	}
	if u.ClientKey != "" {
		if c.keyFile, key, problem = k.evidence.read(&e.entry, "client-key", u.ClientKey); problem != nil {
			return problem
		}
	}
	if wrong := checkPair(cert, key); wrong != "" {
		return e.bad("give a certificate and its own key in PEM", "%s", wrong)
	}
	return nil
}

func readImpersonation(e *named[v1.AuthInfo], c *identity) *Problem {
	u := e.value
	if u.Impersonate == "" {
		if u.ImpersonateUID != "" || len(u.ImpersonateGroups) > 0 || len(u.ImpersonateUserExtra) > 0 {
			return e.bad("add as, the user to impersonate", "it has as-uid, as-groups or as-user-extra without as")
		}
		return nil
	}
	values := append([]string{u.Impersonate, u.ImpersonateUID}, u.ImpersonateGroups...)
	for _, extra := range u.ImpersonateUserExtra {
		values = append(values, extra...)
	}
	if slices.ContainsFunc(values, func(s string) bool { return !fitsHeader(s) }) {
		return e.bad("correct it", "whom it impersonates holds a line break or a control character")
	}
	c.impersonate = rest.ImpersonationConfig{
		UserName: u.Impersonate,
		UID:      u.ImpersonateUID,
		Groups:   u.ImpersonateGroups,
		Extra:    u.ImpersonateUserExtra,
	}
	return nil
}

// fitsHeader tells whether a text can be sent in an HTTP header.
func fitsHeader(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
