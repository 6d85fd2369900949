package server

import (
	"crypto/tls"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

// Bounds of what a caller may do to the server. They are far above what a caller needs that means well.
const (
	maxStreams         = 128
	maxRequestBytes    = 1 << 20
	maxMessageBytes    = 4 << 20
	maxHeaderListBytes = 16 << 10
	connectionTimeout  = 5 * time.Second
	pingAfter          = 30 * time.Second
	pingTimeout        = 10 * time.Second
	maxIdle            = 15 * time.Minute
	maxAge             = 30 * time.Minute
	ageGrace           = 5 * time.Minute
	minPingInterval    = 20 * time.Second
	unaryTimeout       = 30 * time.Second
)

func transportOptions(secure *tls.Config) []grpc.ServerOption {
	options := []grpc.ServerOption{
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxRecvMsgSize(maxRequestBytes),
		grpc.MaxSendMsgSize(maxMessageBytes),
		grpc.MaxHeaderListSize(maxHeaderListBytes),
		grpc.ConnectionTimeout(connectionTimeout),
		grpc.WaitForHandlers(true),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time:                  pingAfter,
			Timeout:               pingTimeout,
			MaxConnectionIdle:     maxIdle,
			MaxConnectionAge:      maxAge,
			MaxConnectionAgeGrace: ageGrace,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPingInterval}),
	}
	if secure != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(secure)))
	}
	return options
}
