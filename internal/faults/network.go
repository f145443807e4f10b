package faults

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// DialFunc is what http.Transport.DialContext wants.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// Network is a listener in memory, and the way to it. It blocks only as
// testing/synctest wants, and belongs to the bubble it was made in.
type Network struct {
	conns chan net.Conn
	done  chan struct{}
	close sync.Once
}

// NewNetwork gives a network on which one server can listen.
func NewNetwork() *Network {
	return &Network{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Dial connects to the listener, whatever the address. After Close it is refused.
func (n *Network) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.conns <- server:
		return client, nil
	case <-n.done:
		return nil, fmt.Errorf("dial %s %s: %w", network, addr, ErrRefused)
	case <-ctx.Done():
		return nil, fmt.Errorf("dial %s %s: %w", network, addr, ctx.Err())
	}
}

// Accept waits for the next connection.
func (n *Network) Accept() (net.Conn, error) {
	select {
	case conn := <-n.conns:
		return conn, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and refuses new connections.
func (n *Network) Close() error {
	n.close.Do(func() { close(n.done) })
	return nil
}

// Addr is a name for messages.
func (n *Network) Addr() net.Addr { return memoryAddr{} }

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "memory" }
