package controlplane

// Description is what a client has to know of a ready server. Its JSON is the program's output.
type Description struct {
	Name   string `json:"name"`
	URL    string `json:"url"`
	CAFile string `json:"ca_file"` // of the authority that signed the serving certificate

	Token  string            `json:"token"`  // of the user admin
	Tokens map[string]string `json:"tokens"` // of every user, by name

	// An administrator's client certificate, and the authority that the server trusts for such certificates.
	ClientCertFile  string `json:"client_cert_file"`
	ClientKeyFile   string `json:"client_key_file"`
	ClientCAFile    string `json:"client_ca_file"`
	ClientCAKeyFile string `json:"client_ca_key_file"`

	PID     int    `json:"pid"` // of kube-apiserver
	LogFile string `json:"log_file"`

	EtcdURL     string `json:"etcd_url"` // plain HTTP, gRPC and its JSON gateway, no authentication
	EtcdPID     int    `json:"etcd_pid"`
	EtcdLogFile string `json:"etcd_log_file"`
}

// Description describes the server.
func (s *Server) Description() Description {
	c := s.credentials
	return Description{
		Name:            s.Name,
		URL:             s.URL,
		CAFile:          c.caFile,
		Token:           c.tokens["admin"],
		Tokens:          c.tokens,
		ClientCertFile:  c.clientCertFile,
		ClientKeyFile:   c.clientKeyFile,
		ClientCAFile:    c.clientCAFile,
		ClientCAKeyFile: c.clientCAKeyFile,
		PID:             s.APIServer.PID(),
		LogFile:         s.apiServerLogFile(),
		EtcdURL:         s.EtcdURL,
		EtcdPID:         s.Etcd.PID(),
		EtcdLogFile:     s.etcdLogFile(),
	}
}
