// A line intake as Go programs have it: a goroutine a connection, each line one record of JSON in a file. Also the load.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type record struct {
	Time       string `json:"time"`
	Listener   string `json:"listener"`
	Connection string `json:"connection"`
	Client     string `json:"client"`
	Sequence   int    `json:"sequence"`
	Bytes      int    `json:"bytes"`
	Text       string `json:"text"`
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(i int) int {
	n, err := strconv.Atoi(os.Args[i])
	check(err)
	return n
}

// serve FILE: prints its address, then takes connections until it is killed.
func serve() {
	file, err := os.OpenFile(os.Args[2], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	check(err)
	out := bufio.NewWriterSize(file, 64*1024)
	var lock sync.Mutex
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println(listener.Addr())
	for id := 1; ; id++ {
		connection, err := listener.Accept()
		check(err)
		go take(connection, strconv.Itoa(id), out, &lock)
	}
}

func take(connection net.Conn, id string, out *bufio.Writer, lock *sync.Mutex) {
	defer connection.Close()
	client := connection.RemoteAddr().String()
	lines := bufio.NewScanner(connection)
	lines.Buffer(make([]byte, 64*1024), 1024*1024)
	for sequence := 1; lines.Scan(); sequence++ {
		text := lines.Text()
		now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
		line, err := json.Marshal(record{now, "intake", id, client, sequence, len(text), text})
		check(err)
		lock.Lock()
		out.Write(append(line, '\n'))
		lock.Unlock()
	}
	lock.Lock()
	check(out.Flush())
	lock.Unlock()
}

// lines ADDRESS CONNECTIONS LINES: seconds until every connection was ended by the server.
func lines() {
	count, each := number(3), number(4)
	line := append(bytes.Repeat([]byte("0123456789"), 10), '\n')
	block := bytes.Repeat(line, 100)
	var all sync.WaitGroup
	start := time.Now()
	for i := 0; i < count; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			connection, err := net.Dial("tcp", os.Args[2])
			check(err)
			for sent := 0; sent < each; sent += 100 {
				_, err := connection.Write(block)
				check(err)
			}
			check(connection.(*net.TCPConn).CloseWrite())
			io.Copy(io.Discard, connection)
			connection.Close()
		}()
	}
	all.Wait()
	fmt.Println(time.Since(start).Seconds())
}

// connections ADDRESS TOTAL PARALLEL: the same, a connection for each line.
func connections() {
	left := int64(number(3))
	var all sync.WaitGroup
	start := time.Now()
	for i := number(4); i > 0; i-- {
		all.Add(1)
		go func() {
			defer all.Done()
			for atomic.AddInt64(&left, -1) >= 0 {
				connection, err := net.Dial("tcp", os.Args[2])
				check(err)
				connection.Write([]byte("one line\n"))
				check(connection.(*net.TCPConn).CloseWrite())
				io.Copy(io.Discard, connection)
				connection.Close()
			}
		}()
	}
	all.Wait()
	fmt.Println(time.Since(start).Seconds())
}

func main() {
	switch os.Args[1] {
	case "version":
		fmt.Println(runtime.Version())
	case "serve":
		serve()
	case "lines":
		lines()
	case "connections":
		connections()
	}
}
