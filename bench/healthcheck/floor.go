package main

import (
	"context"
	"net"
	"time"
)

// floorTick is how often exchangeOnly has something to do.
const floorTick = 10 * time.Millisecond

// exchangeOnly is no checker, but what no checker over kept connections can
// go below on this machine: the writes and reads of its checks, many at a
// time on one goroutine, without a timeout, a look at the answers, or states.
func exchangeOnly(ctx context.Context, w work) error {
	conns := make([]net.Conn, 0, len(w.Addrs))
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	var dialer net.Dialer
	for _, addr := range w.Addrs {
		c, err := dialer.DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		conns = append(conns, c)
	}
	defer context.AfterFunc(ctx, func() {
		for _, c := range conns {
			_ = c.SetDeadline(time.Unix(1, 0))
		}
	})()

	ticker := time.NewTicker(floorTick)
	defer ticker.Stop()
	request := []byte("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: floor\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n")
	answer := make([]byte, 4<<10)
	begin, done := time.Now(), 0 // checks since begin, the targets in turn
	for ctx.Err() == nil {
		due := int(time.Since(begin) * time.Duration(len(conns)) / w.Settings.Interval)
		for i := done; i < due; i++ {
			if _, err := conns[i%len(conns)].Write(request); err != nil {
				return context.Cause(ctx)
			}
		}
		for ; done < due; done++ {
			if _, err := conns[done%len(conns)].Read(answer); err != nil {
				return context.Cause(ctx)
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	return nil
}
