package server

import (
	"context"
	"log/slog"
	"runtime/debug"
	"strings"

	validatepb "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	grpcprometheus "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/logging"
	validating "github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/protovalidate"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// maxViolations bounds what is told of a bad request.
const maxViolations = 10

// interceptors returns what every call passes, the outermost first.
func interceptors(log *slog.Logger, metrics *grpcprometheus.ServerMetrics, life *lifetime) ([]grpc.ServerOption, error) {
	validator, err := protovalidate.New()
	if err != nil {
		return nil, err
	}
	recovered := recovery.WithRecoveryHandlerContext(func(_ context.Context, p any) error {
		log.Error("panic in a handler", "panic", p, "stack", string(debug.Stack()))
		return panicked()
	})
	lines := []logging.Option{
		logging.WithLogOnEvents(logging.FinishCall),
		logging.WithLevels(level),
	}
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(
			metrics.UnaryServerInterceptor(),
			logging.UnaryServerInterceptor(logger(log), lines...),
			recovery.UnaryServerInterceptor(recovered),
			life.unary,
			explainUnary,
			validating.UnaryServerInterceptor(validator),
		),
		grpc.ChainStreamInterceptor(
			keepBare,
			metrics.StreamServerInterceptor(),
			logging.StreamServerInterceptor(logger(log), lines...),
			life.stream,
			recovery.StreamServerInterceptor(recovered), // in the goroutine that life.stream starts
			explainStream,
			validating.StreamServerInterceptor(validator),
		),
	}, nil
}

func logger(log *slog.Logger) logging.Logger {
	return logging.LoggerFunc(func(ctx context.Context, level logging.Level, message string, fields ...any) {
		log.Log(ctx, slog.Level(level), message, fields...) //nolint:sloglint // the interceptor's few constants
	})
}

// level is by whose fault a call failed: a caller's mistakes are no errors of ours.
func level(code codes.Code) logging.Level {
	switch code {
	case codes.Internal, codes.Unknown, codes.DataLoss:
		return logging.LevelError
	case codes.Unavailable, codes.ResourceExhausted:
		return logging.LevelWarn
	case codes.OK:
		return logging.LevelDebug
	default:
		return logging.LevelInfo
	}
}

func explainUnary(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	response, err := handler(ctx, request)
	return response, explain(err)
}

func explainStream(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return explain(handler(service, stream))
}

// explain gives the error of a request that broke the API's rules the details that gRPC callers know.
func explain(err error) error {
	s, ok := status.FromError(err)
	if err == nil || !ok || s.Code() != codes.InvalidArgument {
		return err
	}
	for _, detail := range s.Details() {
		if violations, ok := detail.(*validatepb.Violations); ok {
			return explainViolations(violations)
		}
	}
	return err
}

// explainViolations tells the first few: a request of ten thousand references may hold as many mistakes.
func explainViolations(violations *validatepb.Violations) error {
	var fields []*errdetails.BadRequest_FieldViolation
	var problems []string
	all := violations.GetViolations()
	for _, v := range all[:min(maxViolations, len(all))] {
		field := protovalidate.FieldPathString(v.GetField())
		fields = append(fields, &errdetails.BadRequest_FieldViolation{Field: field, Description: v.GetMessage()})
		problems = append(problems, field+": "+v.GetMessage())
	}
	return badRequest(strings.Join(problems, "; "), fields...)
}
