package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// PageSize is how many objects a list is asked for at a time, unless the query wants fewer.
	PageSize = 500
	// maxPageBytes bounds one answer to a read, decompressed. It has room for most servers that ignore the limit of a page
	// and send all they have at once, and is an end for one that never comes to it.
	maxPageBytes = 512 << 20
	// maxErrorBytes bounds what is read of an answer that says no.
	maxErrorBytes = 64 << 10
	// wordsTimeout bounds the wait for them.
	wordsTimeout = time.Second
)

// Body is the answer to one read, as the API server sends it, decompressed. It holds one of the cluster's calls until it
// is closed. Errors of Read other than io.EOF are *Error.
type Body struct {
	// Resource is what the query has been resolved to; its Kind is empty where no discovery was needed, or where it failed.
	Resource Resource

	ctx     context.Context //nolint:containedctx // the call that the body is part of: it says why a read ended
	req     *http.Request
	content io.Reader
	failure *Error
	close   func()
}

// Read reads what has arrived.
func (b *Body) Read(p []byte) (int, error) {
	if b.failure != nil {
		return 0, b.failure
	}
	n, err := b.content.Read(p)
	if err == nil || err == io.EOF && b.ctx.Err() == nil { // a body that is cut off by its context may seem to end
		return n, err
	}
	b.failure = explainRead(b.ctx, conceal(err, b.req), PhaseBody)
	return n, b.failure
}

// Close ends the call. What was not read is not waited for. It may be called more than once.
func (b *Body) Close() error {
	b.close()
	return nil
}

// explainRead says why a read ended. A context that ended by a time of the caller's counts as the call's time: whose
// that was, the caller knows.
func explainRead(ctx context.Context, err error, phase Phase) *Error {
	if ctx.Err() == nil {
		return Classify(err, phase)
	}
	cause := context.Cause(ctx)
	if !isTimeout(cause) {
		return Unfinished(phase, cause)
	}
	return Classify(cause, phase)
}

// Read opens one object, or one page of a list: the first one, or the one that the previous page's continue token leads
// to. The token is the server's own text; it is sent back, never interpreted. Errors are *Error.
func (c *Client) Read(ctx context.Context, q Query, continueToken string) (*Body, error) {
	if err := q.Validate(); err != nil {
		return nil, NewError(InvalidRequest, PhaseQueue, err.Error(), err)
	}
	if q.Type.Version == "" || q.Format == MetadataFormat && c.discovered(ctx, q.Type, continueToken) {
		return c.readResolved(ctx, q, continueToken)
	}
	// The path is known but for the scope of the type, which discovery can tell: it is asked only if the guess is wrong.
	guess := Resource{Group: q.Type.Group, Version: q.Type.Version, Plural: q.Type.Name, Namespaced: true}
	body, err := c.readPage(ctx, guess, q, continueToken)
	if !is404(err) {
		return body, err
	}
	guessed := func(r Resource) bool { return r.path(q.Namespace, q.Name) == guess.path(q.Namespace, q.Name) }
	resource, resolveErr := c.resolve(ctx, q.Type, typesAge)
	if resolveErr == nil && guessed(resource) && !isNotFound(err) { // what was discovered may be out of date
		resource, resolveErr = c.resolve(ctx, q.Type, typesRetry)
	}
	switch {
	case resolveErr != nil && isNotFound(err) && !is404(resolveErr):
		return nil, err
	case resolveErr != nil:
		return nil, resolveErr
	}
	if wrong := resource.check(q); wrong != nil {
		return nil, wrong
	}
	if guessed(resource) {
		return nil, err
	}
	return c.readPage(ctx, resource, q, continueToken)
}

// discovered reports whether it is known what the name means, for answers that do not tell the kind of their objects. Where
// discovery fails, it is tried for the first page only.
func (c *Client) discovered(ctx context.Context, name TypeName, continueToken string) bool {
	if continueToken == "" {
		_, err := c.resolve(ctx, name, typesAge)
		return err == nil
	}
	_, err, known := c.reads().types.resolve(name, typesAge)
	return known && err == nil
}

func (c *Client) readResolved(ctx context.Context, q Query, continueToken string) (*Body, error) {
	resource, err := c.resolve(ctx, q.Type, typesAge)
	if err != nil {
		return nil, err
	}
	if err := resource.check(q); err != nil {
		return nil, err
	}
	body, gone := c.readPage(ctx, resource, q, continueToken)
	if !is404(gone) || q.Name != "" && isNotFound(gone) {
		return body, gone
	}
	// A list exists, empty or not, as long as its type does, and of an object that is not there a Status tells: what was
	// discovered is out of date.
	fresh, err := c.resolve(ctx, q.Type, typesRetry)
	if err != nil {
		return nil, err
	}
	if fresh == resource {
		return nil, gone
	}
	return c.readPage(ctx, fresh, q, continueToken)
}

// check reports a query that cannot be meant for the resource.
func (r Resource) check(q Query) error {
	if r.Namespaced && q.Name != "" && q.Namespace == "" {
		return NewError(InvalidRequest, PhaseQueue, fmt.Sprintf("%s are namespaced: the name %q needs a namespace", r.Plural, q.Name), nil)
	}
	return nil
}

func (c *Client) readPage(ctx context.Context, r Resource, q Query, continueToken string) (*Body, error) {
	body, err := c.open(ctx, func(ctx context.Context) *http.Request {
		return c.requests.read(ctx, fetching, r.path(q.Namespace, q.Name), q.parameters(continueToken), q.Format.accept(q.Name == ""))
	}, bounds{bytes: maxPageBytes, pause: maxRetryAfter})
	if e, ok := errors.AsType[*Error](err); ok && e.StatusCode == http.StatusGone && continueToken != "" {
		e.Message = "the list changed while it was read (its continue token expired); ask again"
	}
	if err != nil {
		return nil, err
	}
	body.Resource = r
	return body, nil
}

// bounds are those of one call.
type bounds struct {
	// bytes is how much is read of the answer's content.
	bytes int64
	// time is how long the call may take once it is its turn; 0: as long as its context.
	time time.Duration
	// pause is the longest pause that the answer can ask for.
	pause time.Duration
}

// context is that of the call.
func (b bounds) context(ctx context.Context) (context.Context, context.CancelFunc) {
	if b.time == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, b.time)
}

// open makes one call within its bounds and returns its answer if it is a good one.
func (c *Client) open(ctx context.Context, request func(context.Context) *http.Request, within bounds) (*Body, error) {
	if c.isClosed() {
		return nil, removed(nil)
	}
	place, err := c.turn(ctx)
	if err != nil {
		return nil, explainRead(ctx, err, PhaseQueue)
	}
	t := &trace{}
	callCtx, cancel := within.context(withTrace(ctx, t))
	resp, err := c.roundTrip(by(readWay, request(callCtx)))
	if err != nil {
		cancel()
		place.leave()
		if errors.Is(err, net.ErrClosed) && c.isClosed() {
			return nil, removed(err)
		}
		return nil, c.explainRejected(explainRead(ctx, err, t.at()), nil)
	}
	c.reads().limiter.learn(resp.StatusCode, min(retryAfter(resp.Header, time.Now()), within.pause))
	body := &Body{ctx: ctx, req: resp.Request, close: sync.OnceFunc(func() {
		cancel()
		_ = resp.Body.Close() // the call is over, whatever comes
		place.leave()
	})}
	if resp.StatusCode != http.StatusOK {
		defer body.close()
		return nil, c.explainRejected(refused(resp, cancel), resp.Request)
	}
	content, err := decompressed(resp)
	if err != nil {
		body.close()
		return nil, explainRead(ctx, err, PhaseBody)
	}
	body.content = &boundedReader{reader: content, left: within.bytes}
	return body, nil
}

// removed returns the error of a read that a Close of the client kept from beginning.
func removed(cause error) *Error {
	return NewError(Internal, PhaseQueue, "the cluster was removed", cause)
}

// refused returns why the server gave no good answer. Its words are waited for a short time only: the status is there.
func refused(resp *http.Response, cancel func()) *Error {
	defer time.AfterFunc(wordsTimeout, cancel).Stop()
	var words []byte
	if content, err := decompressed(resp); err == nil {
		words, _ = io.ReadAll(io.LimitReader(content, maxErrorBytes)) // without words, the status says it
	}
	if e := judge(resp, words); e != nil {
		if _, ok := readStatus(words); !ok && e.Reason == NotFound {
			return noStatus()
		}
		e.expire(words)
		return e
	}
	e := NewError(MalformedResponse, PhaseBody, fmt.Sprintf("the server answered %d to a read", resp.StatusCode), nil)
	e.StatusCode = resp.StatusCode
	return e
}

// DefaultReadTimeout is the time that reading from one cluster may take.
const DefaultReadTimeout = 30 * time.Second
