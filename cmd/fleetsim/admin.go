package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// admin serves the statistics of a fleet. nil is an admin that was not asked for.
type admin struct {
	listener net.Listener
	server   *http.Server
	ended    chan error
}

func checkAdminAddress(address string) error {
	if address == "" {
		return nil
	}
	parsed, err := netip.ParseAddrPort(address)
	if err != nil || !parsed.Addr().IsLoopback() {
		return fmt.Errorf("--admin-address %q is no loopback address with a port, such as 127.0.0.1:0", address)
	}
	return nil
}

func startAdmin(ctx context.Context, address string, fleet *simulator.Fleet) (*admin, error) {
	if address == "" {
		return nil, nil
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve statistics: %w", err)
	}
	a := &admin{
		listener: listener,
		server:   &http.Server{Handler: adminHandler(fleet), ReadHeaderTimeout: 5 * time.Second},
		ended:    make(chan error, 1),
	}
	go func() { a.ended <- a.server.Serve(listener) }()
	return a, nil
}

func (a *admin) url() string {
	if a == nil {
		return ""
	}
	return "http://" + a.listener.Addr().String()
}

func (a *admin) close() error {
	if a == nil {
		return nil
	}
	err := a.server.Close()
	if ended := <-a.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// adminHandler serves GET /stats, of the fleet or of one ?cluster=NAME, and POST /reset.
func adminHandler(fleet *simulator.Fleet) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Query().Get("cluster")
		if name == "" {
			writeJSON(w, fleet.Stats())
			return
		}
		stats, ok := fleet.ClusterStats(name)
		if !ok {
			http.Error(w, "no such cluster", http.StatusNotFound)
			return
		}
		writeJSON(w, stats)
	})
	mux.HandleFunc("POST /reset", func(w http.ResponseWriter, _ *http.Request) {
		fleet.ResetStats()
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // fails only when the client has left
}
