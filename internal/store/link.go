package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// link is a connection to a JetStream, and the server itself where it is embedded.
type link struct {
	conn   *nats.Conn
	js     jetstream.JetStream
	server *server.Server // nil if external
}

// open connects to where the options say, and makes the streams there.
func open(ctx context.Context, o *Options) (l *link, err error) {
	if o.Dir != "" {
		l, err = embed(ctx, o)
	} else {
		l, err = dial(o)
	}
	if err != nil {
		return nil, err
	}
	if err := l.prepare(ctx, o); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// embed starts a server on the data directory and connects to it. A directory that it cannot open stays as it is.
func embed(ctx context.Context, o *Options) (*link, error) {
	if err := writable(o.Dir); err != nil {
		return nil, err
	}
	if err := keep(o.Dir); err != nil {
		o.Log.Warn("the data directory is opened without a safety net: its files cannot be linked", "error", err)
	}
	l := &link{}
	if err := l.start(ctx, o); err != nil {
		l.close()
		return nil, errors.Join(err, putBack(o.Dir))
	}
	if err := release(o.Dir); err != nil {
		o.Log.Warn("files that are not needed any more cannot be removed", "error", err)
	}
	return l, nil
}

// start starts a server, which has no port and handles no signal, and checks that it has opened all that is there.
func (l *link) start(ctx context.Context, o *Options) (err error) {
	log := &serverLog{log: o.Log}
	there, err := streams(o.Dir)
	if err != nil {
		return damaged(o.Dir, err.Error())
	}
	l.server, err = server.NewServer(&server.Options{
		ServerName: "clusterfleet",
		DontListen: true,
		NoSigs:     true,
		JetStream:  true,
		StoreDir:   o.Dir,
		SyncAlways: true,
		// Without limits of its own the server would take its share of the disk and of the memory as it finds them.
		JetStreamMaxStore:      1 << 50,
		JetStreamMaxMemory:     64 << 20,
		DisableJetStreamBanner: true,
	})
	if err != nil {
		return fmt.Errorf("start the embedded NATS server on %s: %w", o.Dir, err)
	}
	l.server.SetLoggerV2(log, false, false, false)
	l.server.Start()
	if !l.server.JetStreamEnabled() {
		return damaged(o.Dir, log.complaint())
	}
	if l.conn, err = nats.Connect("", settings(o.Log, nats.InProcessServer(l.server))...); err != nil {
		return fmt.Errorf("connect to the embedded NATS server: %w", err)
	}
	if l.js, err = jetstream.New(l.conn); err != nil {
		return err
	}
	return l.undamaged(ctx, o.Dir, there, log)
}

// undamaged checks that the server has opened the streams that were there. It passes over one whose description is
// damaged, which would then be made anew on top.
func (l *link) undamaged(ctx context.Context, dir string, there []string, log *serverLog) error {
	var opened []string
	names := l.js.StreamNames(ctx)
	for name := range names.Name() {
		opened = append(opened, name)
	}
	if err := names.Err(); err != nil {
		return fmt.Errorf("list what is stored in %s: %w", dir, err)
	}
	for _, name := range there {
		if !slices.Contains(opened, name) {
			return damaged(dir, name+": "+log.complaint())
		}
	}
	return nil
}

// dial connects to an external server. Later on the connection is made again whenever it is lost.
func dial(o *Options) (*link, error) {
	conn, err := nats.Connect(o.URL, settings(o.Log, nats.Timeout(5*time.Second))...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w: check its URL, and that it can be reached from here", redact(o.URL), err)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &link{conn: conn, js: js}, nil
}

// settings are those of every connection: it lasts, buffers nothing while it is lost, and has no words on stderr.
func settings(log *slog.Logger, more ...nats.Option) []nats.Option {
	return append([]nats.Option{
		nats.Name("clusterfleet"),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(500 * time.Millisecond),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(20 * time.Second),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("the connection to NATS is lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("connected to NATS again") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Warn("NATS complains", "error", err) }),
	}, more...)
}

// redact returns the addresses without the credentials in them.
func redact(addresses string) string {
	all := strings.Split(addresses, ",")
	for i, address := range all {
		parsed, err := url.Parse(strings.TrimSpace(address))
		if err != nil {
			all[i] = "(an address that cannot be parsed)"
			continue
		}
		if parsed.User != nil {
			parsed.User = url.User("xxxxx")
		}
		all[i] = parsed.String()
	}
	return strings.Join(all, ",")
}

// close ends the connection, and the server if it is ours: then all that it has is on disk.
func (l *link) close() {
	if l.conn != nil {
		l.conn.Close()
	}
	if l.server != nil {
		l.server.Shutdown()
		l.server.WaitForShutdown()
	}
}

// broken reports whether an error says that the server did not do its work, rather than that it refused to.
func broken(err error) bool {
	var refused *jetstream.APIError
	return !errors.As(err, &refused)
}
