package controlplane

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/pki"
)

// adminGroup may do everything, by authorizers that come before RBAC.
const adminGroup = "system:masters"

// user is known to every server.
type user struct {
	name   string
	groups []string
}

// users can, all but admin, do nothing but look at themselves until a test binds a role to them or, for member, to the
// group team. guest is the one tests leave alone.
func users() []user {
	return []user{
		{name: "admin", groups: []string{adminGroup}},
		{name: "limited"},
		{name: "guest"},
		{name: "member", groups: []string{"team"}},
	}
}

// credentials are the files that let a server and its clients know each other.
type credentials struct {
	caFile          string
	servingCertFile string
	servingKeyFile  string

	clientCAFile    string
	clientCAKeyFile string
	clientCertFile  string
	clientKeyFile   string

	serviceAccountKeyFile string

	tokenFile string
	tokens    map[string]string // by user name
}

// newCredentials makes fresh credentials and writes them into dir.
func newCredentials(dir, name string) (credentials, error) {
	c := credentials{
		caFile:                filepath.Join(dir, "ca.crt"),
		servingCertFile:       filepath.Join(dir, "serving.crt"),
		servingKeyFile:        filepath.Join(dir, "serving.key"),
		clientCAFile:          filepath.Join(dir, "client-ca.crt"),
		clientCAKeyFile:       filepath.Join(dir, "client-ca.key"),
		clientCertFile:        filepath.Join(dir, "admin.crt"),
		clientKeyFile:         filepath.Join(dir, "admin.key"),
		serviceAccountKeyFile: filepath.Join(dir, "service-account.key"),
		tokenFile:             filepath.Join(dir, "tokens.csv"),
		tokens:                map[string]string{},
	}
	ca, err := pki.NewAuthority(name + " serving")
	if err != nil {
		return credentials{}, err
	}
	serving, err := ca.Serving("127.0.0.1", "localhost")
	if err != nil {
		return credentials{}, err
	}
	clientCA, err := pki.NewAuthority(name + " clients")
	if err != nil {
		return credentials{}, err
	}
	admin, err := clientCA.Client("admin", adminGroup)
	if err != nil {
		return credentials{}, err
	}
	serviceAccountKey, err := pki.NewKey()
	if err != nil {
		return credentials{}, err
	}
	for path, content := range map[string][]byte{
		c.caFile:                ca.Pair().Certificate,
		c.servingCertFile:       serving.Certificate,
		c.servingKeyFile:        serving.Key,
		c.clientCAFile:          clientCA.Pair().Certificate,
		c.clientCAKeyFile:       clientCA.Pair().Key,
		c.clientCertFile:        admin.Certificate,
		c.clientKeyFile:         admin.Key,
		c.serviceAccountKeyFile: serviceAccountKey,
		c.tokenFile:             c.newTokens(),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return credentials{}, err
		}
	}
	return c, nil
}

// newTokens gives every user a token and returns the token file that says so.
func (c credentials) newTokens() []byte {
	var file strings.Builder
	for _, user := range users() {
		c.tokens[user.name] = rand.Text()
		fmt.Fprintf(&file, "%s,%s,%s,%q\n", c.tokens[user.name], user.name, user.name, strings.Join(user.groups, ","))
	}
	return []byte(file.String())
}
