package cluster_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
)

// serverProcess is the environment variable that makes the test binary the server of the benchmarks, so that what they
// measure is our side's CPU alone.
const serverProcess = "CLUSTER_TEST_SERVER"

// readyAnswer is a readiness answer as kube-apiserver sends it.
const readyAnswer = "HTTP/1.1 200 OK\r\n" +
	"Audit-Id: 7d2ba33c-8e0a-4c04-8a1b-1ab06f5b3f9c\r\n" +
	"Cache-Control: no-cache, private\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n" +
	"X-Content-Type-Options: nosniff\r\n" +
	"X-Kubernetes-Pf-Flowschema-Uid: 4c2ab1ae-7a35-4b02-94ab-8b7ee62d4d05\r\n" +
	"X-Kubernetes-Pf-Prioritylevel-Uid: 0bcd8c96-1c5c-4e1d-a0e2-2d35a3c4f1ae\r\n" +
	"Date: Tue, 01 Sep 2026 12:00:00 GMT\r\n" +
	"Content-Length: 2\r\n\r\nok"

// runServerProcess serves readyAnswer until its standard input ends.
func runServerProcess() int {
	ca := newAuthority("bench CA")
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{ca.serving("127.0.0.1")}})
	if err != nil {
		return 1
	}
	fmt.Printf("%s\n%s\n\n", listener.Addr(), ca.pem()) //nolint:forbidigo // it is how the parent learns the address
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveReady(conn)
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

func serveReady(conn net.Conn) {
	defer conn.Close()
	var pending []byte
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		pending = append(pending, buffer[:n]...)
		for {
			end := bytes.Index(pending, []byte("\r\n\r\n"))
			if end < 0 {
				break
			}
			pending = append(pending[:0], pending[end+4:]...)
			if _, err := io.WriteString(conn, readyAnswer); err != nil {
				return
			}
		}
	}
}
