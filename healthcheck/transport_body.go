package healthcheck

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// leasedBody is the body of a response, at whose end the lease is done.
type leasedBody struct {
	io.ReadCloser

	lease Lease
	use   Use
	ctx   context.Context // of the request: a Read has none
	end   func()          // of the attempt; not at the end of Read, as the other direction may go on
}

func (b *leasedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		u := b.use
		if !errors.Is(err, io.EOF) {
			u.Err = blame(b.ctx, err)
		}
		b.lease.Done(u)
	}
	return n, err
}

func (b *leasedBody) Close() error {
	err := b.ReadCloser.Close()
	b.end()
	b.lease.Done(b.use)
	return err
}

// leasedConn is the body of a response that switches protocols: a connection.
type leasedConn struct {
	*leasedBody
	io.Writer
}

// CloseWrite ends one direction of the connection, as httputil.ReverseProxy does when the other side has. The body of an
// *http.Transport can.
func (c *leasedConn) CloseWrite() error {
	if w, ok := c.Writer.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return http.ErrNotSupported
}

// retryBudget bounds retries to a part of the requests. It is a number of retries in hundredths: requests add to it, up to a
// reserve, and retries take away.
type retryBudget struct {
	percent int64
	balance atomic.Int64
}

func (b *retryBudget) init(percent int) {
	b.percent = int64(percent)
	b.balance.Store(100 * retryReserve)
}

func (b *retryBudget) deposit() {
	if b.balance.Load() < 100*retryReserve { // may go over by a few at a time
		b.balance.Add(b.percent)
	}
}

func (b *retryBudget) withdraw() bool {
	for {
		balance := b.balance.Load()
		if balance < 100 {
			return false
		}
		if b.balance.CompareAndSwap(balance, balance-100) {
			return true
		}
	}
}
