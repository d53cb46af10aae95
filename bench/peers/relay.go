// The relay as Go's field guides write it: a goroutine for each direction, io.Copy, half-close passed on.
package main

import (
	"io"
	"log"
	"net"
	"os"
	"runtime"
)

func main() {
	runtime.GOMAXPROCS(1)
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(client.(*net.TCPConn), os.Args[2])
	}
}

func serve(client *net.TCPConn, target string) {
	upstream, err := net.Dial("tcp", target)
	if err != nil {
		client.Close()
		return
	}
	done := make(chan struct{})
	go func() {
		pass(upstream.(*net.TCPConn), client)
		close(done)
	}()
	pass(client, upstream.(*net.TCPConn))
	<-done
	client.Close()
	upstream.Close()
}

func pass(to, from *net.TCPConn) {
	io.Copy(to, from)
	to.CloseWrite()
}
