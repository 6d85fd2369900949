package server

import (
	"context"
	"errors"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/overview"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// errorDomain is the domain of every ErrorInfo that the aggregator sends.
const errorDomain = "clusterfleet"

// shutdownRetry is when a caller whose call was ended by a shutdown may try again.
const shutdownRetry = time.Second

// codeOf is the gRPC code that stands for a reason. UNAUTHENTICATED is kept for the aggregator's own callers.
func codeOf(reason cluster.Reason) codes.Code {
	switch reason {
	case cluster.DNSFailure, cluster.ConnectTimeout, cluster.ConnectionRefused, cluster.ConnectionReset,
		cluster.Throttled, cluster.NotReady, cluster.ServerError, cluster.ObserverSuspect:
		return codes.Unavailable
	case cluster.TLSExpired, cluster.TLSUnknownAuthority, cluster.TLSHostnameMismatch, cluster.TLSHandshakeFailed,
		cluster.Unauthenticated, cluster.Redirected, cluster.CredentialPluginFailed:
		return codes.FailedPrecondition
	case cluster.Forbidden:
		return codes.PermissionDenied
	case cluster.ResponseTooLarge:
		return codes.ResourceExhausted
	case cluster.ResponseTimeout, cluster.QueueTimeout, cluster.NotAttempted:
		return codes.DeadlineExceeded
	case cluster.NotFound:
		return codes.NotFound
	case cluster.InvalidRequest:
		return codes.InvalidArgument
	case cluster.MalformedResponse, cluster.Internal:
	}
	return codes.Internal
}

// clusterStatus is the failure of one cluster, as data in a stream.
func clusterStatus(e *cluster.Error) *statuspb.Status {
	info := &errdetails.ErrorInfo{Reason: string(e.Reason), Domain: errorDomain, Metadata: map[string]string{}}
	if hint := e.Hint(); hint != "" {
		info.Metadata["hint"] = hint
	}
	if blame := strings.TrimPrefix(blame(e.Blame).String(), "BLAME_"); e.Blame != cluster.BlameNone {
		info.Metadata["blame"] = blame
	}
	details := []protoadapt.MessageV1{info}
	if e.RetryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)})
	}
	return detailed(codeOf(e.Reason), e.Message, details...).Proto()
}

// verdictStatus is the failure that a verdict tells, nil if the cluster is healthy.
func verdictStatus(v *cluster.Verdict) *statuspb.Status {
	if v.Reason == "" {
		return nil
	}
	e := cluster.NewError(v.Reason, cluster.PhaseBody, v.Message, nil)
	e.Blame, e.RetryAfter = v.Blame, v.RetryAfter
	return clusterStatus(e)
}

// requestStatus is the failure of a whole call: a request that makes no sense.
func requestStatus(err error) error {
	if e, ok := errors.AsType[*fleet.UnknownClusterError](err); ok {
		return failure(codes.NotFound, "CLUSTER_NOT_FOUND", e.Error())
	}
	if e, ok := errors.AsType[*fleet.RequestError](err); ok {
		return invalidField(e.Field, e.Problem)
	}
	return failure(codes.Internal, "INTERNAL", err.Error())
}

func badRequest(message string, violations ...*errdetails.BadRequest_FieldViolation) error {
	return detailed(codes.InvalidArgument, message,
		&errdetails.ErrorInfo{Reason: "INVALID_REQUEST", Domain: errorDomain},
		&errdetails.BadRequest{FieldViolations: violations}).Err()
}

func invalidField(field, why string) error {
	return badRequest(field+": "+why, &errdetails.BadRequest_FieldViolation{Field: field, Description: why})
}

func panicked() error {
	return failure(codes.Internal, "INTERNAL", "the aggregator failed; its log says why")
}

// sectionStatus is why a section of an overview is missing. What failed on our side is in the log.
func sectionStatus(err error) *statuspb.Status {
	switch {
	case errors.Is(err, overview.ErrNoHistory):
		err = failure(codes.FailedPrecondition, "NO_HISTORY", "this aggregator keeps no history")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		err = failure(codes.DeadlineExceeded, "SECTION_TIMEOUT", "the section was not made in time")
	default:
		err = panicked()
	}
	return status.Convert(err).Proto()
}

func secretDataNotAllowed() error {
	return failure(codes.PermissionDenied, "SECRET_DATA_NOT_ALLOWED",
		"output.secret_data: this aggregator does not send the data of Secrets; its operator permits it with --allow-secret-data")
}

// shuttingDown ends a call. A watch can be resumed elsewhere behind the last event that was sent.
func shuttingDown(resumeToken string) error {
	return detailed(codes.Unavailable, "the aggregator is shutting down",
		&errdetails.ErrorInfo{Reason: "SHUTTING_DOWN", Domain: errorDomain, Metadata: resumeMetadata(resumeToken)},
		&errdetails.RetryInfo{RetryDelay: durationpb.New(shutdownRetry)}).Err()
}

// slowCaller ends a call. A watch can be resumed behind the last event that was sent.
func slowCaller(resumeToken string) error {
	return detailed(codes.ResourceExhausted, "the call was ended: what was sent was not read in time",
		&errdetails.ErrorInfo{Reason: "SLOW_CALLER", Domain: errorDomain, Metadata: resumeMetadata(resumeToken)}).Err()
}

func resumeMetadata(token string) map[string]string {
	if token == "" {
		return nil
	}
	return map[string]string{"resume_token": token}
}

func notMonitored() error {
	return failure(codes.FailedPrecondition, "NOT_MONITORED",
		"this aggregator does not watch its clusters (--probe-interval 0); ProbeClusters, or fleetctl probe, tests them now")
}

func noHistory() error {
	return failure(codes.FailedPrecondition, "NO_HISTORY", "this aggregator keeps no history of its clusters' states")
}

func failure(code codes.Code, reason, message string) error {
	return detailed(code, message, &errdetails.ErrorInfo{Reason: reason, Domain: errorDomain}).Err()
}

// orGone returns why the caller is gone if that is why sending failed: it is no failure of ours. ctx is the stream's own.
func orGone(ctx context.Context, err error) error {
	switch gone := ctx.Err(); {
	case errors.Is(err, errSlowCaller):
		return err
	case gone != nil:
		return status.FromContextError(gone).Err()
	case status.Code(err) == codes.Unavailable: // the connection is closing, and the context ends in a moment
		return status.FromContextError(context.Canceled).Err()
	}
	return err
}

func detailed(code codes.Code, message string, details ...protoadapt.MessageV1) *status.Status {
	s := status.New(code, message)
	if with, err := s.WithDetails(details...); err == nil {
		return with
	}
	return s
}
