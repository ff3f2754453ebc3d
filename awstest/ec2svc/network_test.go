package ec2svc_test

import (
	"io"
	"net/http"
	"time"
)

// says is a server that gives its name.
func says(name string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, name) })
}

// wantAnswer asserts who answers at an address, seen from the Internet;
// nobody if want is empty.
func wantAnswer(w *world, ip, want string) {
	w.Helper()
	transport := w.cloud.Transport()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 2 * time.Second}
	got := ""
	if resp, err := client.Get("http://" + ip + "/"); err == nil {
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		got = string(body)
	}
	if got != want {
		w.Errorf("at %s answers %q, want %q", ip, got, want)
	}
}
