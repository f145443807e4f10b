package faults

import (
	"context"
	"io"
	"net"
	"sync"
)

// Forward listens on a port of this machine and carries whatever connects there
// over the link to a server: for programs that are not ours. stop ends it, and
// returns when all of it has ended.
func (l *Link) Forward(server string) (addr string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { l.forward(ctx, conn, server) })
		}
	})
	return listener.Addr().String(), func() {
		cancel()
		_ = listener.Close()
		all.Wait()
	}, nil
}

// forward carries one connection until either end closes it.
func (l *Link) forward(ctx context.Context, near net.Conn, server string) {
	defer near.Close()
	far, err := l.Dial(nil)(ctx, "tcp", server)
	if err != nil {
		return
	}
	defer far.Close()
	ended := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			ended <- struct{}{}
		}()
	}
	select {
	case <-ended:
	case <-ctx.Done():
	}
}
