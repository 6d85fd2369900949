package main

import (
	"encoding/json"
	"os"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/controlplane"
)

// The parts of a kubeconfig that are written. It is JSON, which every reader of YAML takes.
type (
	kubeconfig struct {
		APIVersion     string         `json:"apiVersion"`
		Kind           string         `json:"kind"`
		CurrentContext string         `json:"current-context"`
		Clusters       []namedCluster `json:"clusters"`
		Users          []namedUser    `json:"users"`
		Contexts       []namedContext `json:"contexts"`
	}
	namedCluster struct {
		Name    string  `json:"name"`
		Cluster cluster `json:"cluster"`
	}
	cluster struct {
		Server                   string `json:"server"`
		CertificateAuthorityData []byte `json:"certificate-authority-data"`
	}
	namedUser struct {
		Name string `json:"name"`
		User user   `json:"user"`
	}
	user struct {
		Token string `json:"token"`
	}
	namedContext struct {
		Name    string         `json:"name"`
		Context clusterAndUser `json:"context"`
	}
	clusterAndUser struct {
		Cluster string `json:"cluster"`
		User    string `json:"user"`
	}
)

// writeKubeconfig writes a new file with a context a server, named like the server, whose user is the administrator.
// It refuses to overwrite a file: that could be somebody's own kubeconfig.
func writeKubeconfig(path string, servers []*controlplane.Server) error {
	config := kubeconfig{APIVersion: "v1", Kind: "Config", CurrentContext: servers[0].Name}
	for _, server := range servers {
		d := server.Description()
		ca, err := os.ReadFile(d.CAFile)
		if err != nil {
			return err
		}
		admin := d.Name + "-admin"
		config.Clusters = append(config.Clusters, namedCluster{d.Name, cluster{d.URL, ca}})
		config.Users = append(config.Users, namedUser{admin, user{d.Token}})
		config.Contexts = append(config.Contexts, namedContext{d.Name, clusterAndUser{d.Name, admin}})
	}
	content, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := file.Write(append(content, '\n')); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
