package store

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
)

// serverLog is the logger of the embedded server. Its lines go where ours go, from warnings up.
type serverLog struct {
	log *slog.Logger
	// last is the latest complaint: what the server says when it cannot start is only said here.
	last atomic.Pointer[string]
}

// Noticef drops the line: the server notes its daily life.
func (*serverLog) Noticef(string, ...any) {}

// Debugf drops the line.
func (*serverLog) Debugf(string, ...any) {}

// Tracef drops the line.
func (*serverLog) Tracef(string, ...any) {}

// Warnf logs a warning.
func (l *serverLog) Warnf(format string, args ...any) { l.complain(slog.LevelWarn, format, args) }

// Errorf logs an error.
func (l *serverLog) Errorf(format string, args ...any) { l.complain(slog.LevelError, format, args) }

// Fatalf logs an error. The process goes on: that the server does not run is found out by who started it.
func (l *serverLog) Fatalf(format string, args ...any) { l.complain(slog.LevelError, format, args) }

func (l *serverLog) complain(level slog.Level, format string, args []any) {
	text := strings.TrimSpace(fmt.Sprintf(format, args...))
	l.last.Store(&text)
	l.log.Log(context.Background(), level, "the embedded NATS server complains", "text", text)
}

// complaint returns the latest one, or a word for none.
func (l *serverLog) complaint() string {
	if text := l.last.Load(); text != nil {
		return *text
	}
	return "the embedded server gives no reason"
}
