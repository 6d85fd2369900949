package simulator

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Kubeconfig is a kubeconfig of the whole fleet: a context a cluster, whose labels are in its extension
// `clusterfleet`. It holds credentials.
func (f *Fleet) Kubeconfig() []byte {
	authority := base64.StdEncoding.EncodeToString(f.pki.authority.pem())
	var b bytes.Buffer
	fmt.Fprintf(&b, "apiVersion: v1\nkind: Config\npreferences: {}\ncurrent-context: %s\n", f.clusters[0].name)
	b.WriteString("clusters:\n")
	for _, c := range f.clusters {
		fmt.Fprintf(&b, "- name: %s\n  cluster:\n    server: https://%s\n    tls-server-name: %s\n"+
			"    certificate-authority-data: %s\n", c.name, c.address, c.serverName(), authority)
	}
	b.WriteString("contexts:\n")
	for _, c := range f.clusters {
		fmt.Fprintf(&b, "- name: %s\n  context:\n    cluster: %s\n    user: %s\n    extensions:\n    - name: clusterfleet\n"+
			"      extension:\n        labels: {env: %s, region: %s, tier: %s}\n",
			c.name, c.name, c.name, c.labels["env"], c.labels["region"], c.labels["tier"])
	}
	b.WriteString("users:\n")
	for _, c := range f.clusters {
		fmt.Fprintf(&b, "- name: %s\n  user:\n%s", c.name, c.credential.yaml())
	}
	return b.Bytes()
}

func (c *credential) yaml() string {
	if c.bearer != "" {
		return fmt.Sprintf("    token: %s\n", strings.TrimPrefix(c.bearer, "Bearer "))
	}
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("    client-certificate-data: %s\n    client-key-data: %s\n",
		encode(certPEM(c.certDER)), encode(keyPEM(c.keyDER)))
}

// WriteKubeconfig writes it to a file that only its owner can read. The file is there with all of its content or not at
// all, whatever was there before.
func (f *Fleet) WriteKubeconfig(path string) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".kubeconfig-*") // has mode 0600
	if err != nil {
		return fmt.Errorf("write the kubeconfig: %w", err)
	}
	_, err = temporary.Write(f.Kubeconfig())
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write the kubeconfig: %w", errors.Join(err, os.Remove(temporary.Name())))
	}
	return nil
}
