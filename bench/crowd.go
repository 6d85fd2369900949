package main

import (
	"context"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleettest/wire"
)

// crowd are callers that watch.
type crowd struct {
	conns []*wire.Conn
	group sync.WaitGroup

	mu    sync.Mutex
	first map[string]time.Time // by resume token: when the first was told
	late  []time.Duration      // each delivery's time after the first
}

// watches opens watches at an address, spread over connections. They are not read before read.
func watches(ctx context.Context, address string, connections, watchers int) (*crowd, error) {
	c := &crowd{first: map[string]time.Time{}}
	for range connections {
		conn, err := wire.Open(ctx, address, fleetv1.HealthService_WatchClusterHealth_FullMethodName, watchers/connections)
		if err != nil {
			c.leave()
			return nil, err
		}
		c.conns = append(c.conns, conn)
	}
	return c, nil
}

// read reads all watches until they end. It returns when all have been told what was known when they began.
func (c *crowd) read(watchers int) {
	var behind sync.WaitGroup
	for _, conn := range c.conns {
		calls := watchers / len(c.conns)
		behind.Add(calls)
		c.group.Go(func() { c.follow(conn, make([]bool, calls), behind.Done) })
	}
	behind.Wait()
}

// follow notes when each change comes to a caller, once it has the snapshot.
func (c *crowd) follow(conn *wire.Conn, synced []bool, caughtUp func()) {
	defer func() {
		for _, done := range synced {
			if !done {
				caughtUp()
			}
		}
	}()
	for {
		call, message, err := conn.Next()
		if err != nil {
			return
		}
		now := time.Now()
		e := look(message)
		if synced[call] {
			c.note(e.token, now)
		}
		if e.synced {
			synced[call] = true
			caughtUp()
		}
	}
}

// event is what matters here of a WatchClusterHealthResponse.
type event struct {
	token  []byte
	synced bool
}

// look finds it without decoding the rest.
func look(message []byte) (e event) {
	fields := (&fleetv1.WatchClusterHealthResponse{}).ProtoReflect().Descriptor().Fields()
	token, synced := fields.ByName("resume_token").Number(), fields.ByName("synced").Number()
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return e
		}
		message = message[n:]
		if number == token {
			e.token, _ = protowire.ConsumeBytes(message)
		}
		e.synced = e.synced || number == synced
		n = protowire.ConsumeFieldValue(number, kind, message)
		if n < 0 {
			return e
		}
		message = message[n:]
	}
	return e
}

func (c *crowd) note(token []byte, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first, known := c.first[string(token)]
	if !known {
		c.first[string(token)], first = now, now
	}
	c.late = append(c.late, now.Sub(first))
}

// reset returns what was noted, and begins anew.
func (c *crowd) reset() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	late := c.late
	c.late, c.first = nil, map[string]time.Time{}
	return late
}

func (c *crowd) leave() {
	for _, conn := range c.conns {
		_ = conn.Close() // it is a client's connection
	}
	c.group.Wait()
}
