package simulator_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

func TestCertificateFaults(t *testing.T) {
	for kind, check := range map[simulator.Kind]func(error) bool{
		simulator.TLSExpired: func(err error) bool {
			var invalid x509.CertificateInvalidError
			return errors.As(err, &invalid) && invalid.Reason == x509.Expired
		},
		simulator.TLSWrongHost: func(err error) bool {
			var wrong x509.HostnameError
			return errors.As(err, &wrong) && wrong.Certificate.DNSNames[0] == "other.fleetsim.internal"
		},
		simulator.TLSUnknownCA: func(err error) bool {
			return errors.As(err, new(x509.UnknownAuthorityError))
		},
		simulator.TLSHugeSAN: func(err error) bool {
			var wrong x509.HostnameError
			return errors.As(err, &wrong) && len(wrong.Certificate.DNSNames) == 5000
		},
		simulator.TLSBadConstraint: func(err error) bool {
			var invalid x509.CertificateInvalidError
			return errors.As(err, &invalid) && invalid.Reason == x509.CANotAuthorizedForThisName
		},
		simulator.TLSDSA: func(err error) bool {
			return err != nil && strings.Contains(err.Error(), "unsupported type of public key: *dsa.PublicKey")
		},
		simulator.TLSGarbage: func(err error) bool {
			return errors.As(err, new(tls.RecordHeaderError))
		},
	} {
		t.Run(string(kind), func(t *testing.T) {
			fleet := start(t, simulator.Config{Clusters: 2})
			c := newClient(t, fleet, "sim-0001")
			c.tls.ClientSessionCache = tls.NewLRUClientSessionCache(4) // a resumed session would hide the certificate
			wantStatus(t, c.get("/readyz"), 200)
			if err := fleet.SetFault("sim-0001", simulator.Fault{Kind: kind}); err != nil {
				t.Fatal(err)
			}
			eventually(t, "existing connections end", func() bool { return fleet.Stats().OpenConnections == 0 })
			for range 2 {
				conn, err := c.dial(t.Context())
				if err == nil {
					_ = conn.Close()
				}
				if !check(err) {
					t.Errorf("got %v", err)
				}
			}
			wantStatus(t, newClient(t, fleet, "sim-0002").get("/readyz"), 200)
			if err := fleet.ClearFault("sim-0001"); err != nil {
				t.Fatal(err)
			}
			wantStatus(t, newClient(t, fleet, "sim-0001").get("/readyz"), 200)
		})
	}
}

func TestHangAtTheHandshake(t *testing.T) {
	s := newStage(t, simulator.Fault{Kind: simulator.Hang, At: simulator.AtHandshake})
	conn, err := net.Dial("tcp", s.h1.address())
	if err != nil {
		t.Fatalf("it does not even accept: %v", err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := tls.Client(conn, s.h1.tls).HandshakeContext(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}

func TestRefusedConnections(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 2, OwnPorts: true})
	c := newClient1(t, fleet, "sim-0001")
	warm := dialTLS(t, c)
	askRaw(t, warm, "/readyz", c.token)
	readRaw(t, warm)
	for range 2 { // again and again, on the same port
		if err := fleet.SetFault("sim-0001", simulator.Fault{Kind: simulator.Refuse}); err != nil {
			t.Fatal(err)
		}
		if _, err := net.Dial("tcp", c.address()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dial: got %v, want ECONNREFUSED", err)
		}
		wantStatus(t, newClient(t, fleet, "sim-0002").get("/readyz"), 200)
		if err := fleet.ClearFault("sim-0001"); err != nil {
			t.Fatal(err)
		}
		wantStatus(t, c.get("/readyz"), 200)
	}
	if _, err := warm.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("existing connection: got %v, want ECONNRESET", err)
	}
}

func TestBlackHole(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 2, OwnPorts: true})
	c := newClient1(t, fleet, "sim-0001")
	warm := dialTLS(t, c)
	askRaw(t, warm, "/readyz", c.token)
	readRaw(t, warm)
	for range 2 {
		if err := fleet.SetFault("sim-0001", simulator.Fault{Kind: simulator.Blackhole}); err != nil {
			t.Fatal(err)
		}
		dialer := net.Dialer{Timeout: 150 * time.Millisecond}
		for range 2 {
			var timeout net.Error
			if _, err := dialer.Dial("tcp", c.address()); !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Errorf("dial: got %v, want a timeout", err)
			}
		}
		askRaw(t, warm, "/readyz", c.token)
		deadline(t, warm, 150*time.Millisecond)
		if _, err := warm.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("existing connection: got %v, want silence", err)
		}
		wantStatus(t, newClient(t, fleet, "sim-0002").get("/readyz"), 200)
		if err := fleet.ClearFault("sim-0001"); err != nil {
			t.Fatal(err)
		}
		wantStatus(t, newClient(t, fleet, "sim-0001").get("/readyz"), 200)
		warm = dialTLS(t, c) // a TLS connection is of no use after a timeout
		askRaw(t, warm, "/readyz", c.token)
		readRaw(t, warm)
	}
	stats, _ := fleet.ClusterStats("sim-0001")
	if want := int64(5); stats.AcceptedConnections != want { // three here, two clients
		t.Errorf("%d connections accepted, want %d: the plugs are not to be counted", stats.AcceptedConnections, want)
	}
}

func TestSilentConnectionGoesOnAfterTheBlackHole(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 1, OwnPorts: true})
	c := newClient1(t, fleet, "sim-0001")
	warm := dialTLS(t, c)
	askRaw(t, warm, "/readyz", c.token)
	readRaw(t, warm)
	if err := fleet.SetFault("sim-0001", simulator.Fault{Kind: simulator.Blackhole}); err != nil {
		t.Fatal(err)
	}
	askRaw(t, warm, "/readyz", c.token)
	if err := fleet.ClearFault("sim-0001"); err != nil {
		t.Fatal(err)
	}
	if status := readRaw(t, warm); status != 200 {
		t.Errorf("status %d", status)
	}
}

func TestFleetEndsWhileClustersAreOutOfReach(t *testing.T) {
	for _, kind := range []simulator.Kind{simulator.Refuse, simulator.Blackhole, simulator.Hang, simulator.Drip} {
		fleet := start(t, simulator.Config{Clusters: 1, OwnPorts: true})
		c := newClient1(t, fleet, "sim-0001")
		warm := dialTLS(t, c)
		askRaw(t, warm, "/readyz", c.token)
		readRaw(t, warm)
		if err := fleet.SetFault("sim-0001", simulator.Fault{Kind: kind}); err != nil {
			t.Fatal(err)
		}
		if kind != simulator.Refuse {
			askRaw(t, warm, "/readyz", c.token)
		}
		if err := fleet.Close(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if err := fleet.SetFault("sim-0001", simulator.Fault{Kind: kind}); err == nil {
			t.Errorf("%s: a closed fleet takes faults", kind)
		}
	}
}

func TestLinkFaultsNeedAPortOfTheirOwn(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 1})
	for _, kind := range []simulator.Kind{simulator.Refuse, simulator.Blackhole} {
		err := fleet.SetFault("sim-0001", simulator.Fault{Kind: kind})
		if err == nil || !strings.Contains(err.Error(), "OwnPorts") {
			t.Errorf("%s: got %v", kind, err)
		}
	}
	wantStatus(t, newClient(t, fleet, "sim-0001").get("/readyz"), 200)
}

func TestHTTP2Faults(t *testing.T) {
	for kind, show := range map[simulator.Kind]func(*testing.T, *http2.Framer){
		simulator.H2ZeroFrameSize: func(t *testing.T, f *http2.Framer) {
			settings, ok := nextFrame(t, f).(*http2.SettingsFrame)
			if !ok {
				t.Fatalf("got a %T", settings)
			}
			if size, ok := settings.Value(http2.SettingMaxFrameSize); !ok || size != 0 {
				t.Errorf("frame size %d, %v", size, ok)
			}
		},
		simulator.H2GoAwayStorm: func(t *testing.T, f *http2.Framer) {
			nextFrame(t, f)
			for range 1000 {
				if frame := nextFrame(t, f); frame.Header().Type != http2.FrameGoAway {
					t.Fatalf("got %v", frame)
				}
			}
		},
		simulator.H2ContinuationFlood: func(t *testing.T, f *http2.Framer) {
			nextFrame(t, f)
			first, ok := nextFrame(t, f).(*http2.HeadersFrame)
			if !ok || first.HeadersEnded() {
				t.Fatalf("got %v", first)
			}
			for range 1000 {
				frame, ok := nextFrame(t, f).(*http2.ContinuationFrame)
				if !ok || frame.HeadersEnded() {
					t.Fatalf("got %v", frame)
				}
			}
		},
	} {
		t.Run(string(kind), func(t *testing.T) {
			s := newStage(t, simulator.Fault{Kind: kind})
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond) // net/http tries again and again
			defer cancel()
			if _, err := read(s.h2.request(ctx, "GET", "/readyz", nil, nil)); err == nil {
				t.Error("net/http got an answer")
			}
			s.h2.tls = s.h2.tls.Clone() // net/http still tries, and reads it
			s.h2.tls.NextProtos = []string{"h2"}
			conn := dialTLS(t, s.h2)
			if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
				t.Fatal(err)
			}
			framer := http2.NewFramer(conn, conn)
			if err := framer.WriteSettings(); err != nil {
				t.Fatal(err)
			}
			err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}, EndHeaders: true, EndStream: true})
			if err != nil {
				t.Fatal(err)
			}
			show(t, framer)
			wantStatus(t, s.healthy.get("/readyz"), 200)
		})
	}
}
