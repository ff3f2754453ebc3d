package conformance_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Over HTTP, a call is repeated if its connection breaks, and for no other reason.
func TestCallsAreRepeatedWhenTheirConnectionBreaks(t *testing.T) {
	t.Parallel()
	refuse := func(status int, code string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.WriteHeader(status)
			fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>no</Message></Error></ErrorResponse>", code)
		}
	}
	for name, c := range map[string]struct {
		breaks   int64 // how many answers break off
		then     func(http.ResponseWriter)
		requests int64
		want     string
	}{
		"nothing breaks":                  {0, identity, 1, "123456789012"},
		"one answer breaks off":           {1, identity, 2, "123456789012"},
		"two answers break off":           {2, identity, 3, "123456789012"},
		"refused after one breaks off":    {1, refuse(http.StatusInternalServerError, "InternalFailure"), 2, "InternalFailure"},
		"HTTP 500":                        {0, refuse(http.StatusInternalServerError, "InternalFailure"), 1, "InternalFailure"},
		"HTTP 503":                        {0, refuse(http.StatusServiceUnavailable, "ServiceUnavailable"), 1, "ServiceUnavailable"},
		"a code that the SDK would retry": {0, refuse(http.StatusBadRequest, "Throttling"), 1, "Throttling"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, requests, _ := identityFrom(t, c.breaks, c.then)
			if got != c.want || requests != c.requests {
				t.Errorf("got %s after %d requests, want %s after %d", got, requests, c.want, c.requests)
			}
		})
	}
}

func TestCallsAreRepeatedTwiceAtMost(t *testing.T) {
	t.Parallel()
	if _, requests, err := identityFrom(t, 100, identity); err == nil || requests != 3 {
		t.Errorf("got error %v after %d requests, want one after 3", err, requests)
	}
}

// identity is the answer to GetCallerIdentity.
func identity(w http.ResponseWriter) {
	fmt.Fprint(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
}

// identityFrom asks a server who one is that breaks off some answers in the middle of their bodies, by a reset, and returns
// the account or the outcome.
func identityFrom(t *testing.T, breaks int64, then func(http.ResponseWriter)) (got string, requests int64, err error) {
	t.Helper()
	var n atomic.Int64
	begun := make(chan struct{}, 1) // the client has the head of an answer: a reset meets it in the body
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, rq *http.Request) {
		if n.Add(1) > breaks {
			then(w)
			return
		}
		conn, text, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(text, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<GetCallerIdentityResponse>")
		if err := text.Flush(); err != nil {
			t.Error(err)
		}
		select {
		case <-begun:
		case <-t.Context().Done():
		}
		if err := conn.(*net.TCPConn).SetLinger(0); err != nil { // a reset
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	endpoint, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	cfg := overHTTP(t, &settings{endpoint: endpoint, regions: [2]string{"us-east-1", "eu-west-1"}, credentials: staticCredentials, emulator: none}).config("us-east-1")
	client := cfg.HTTPClient
	cfg.HTTPClient = smithyhttp.ClientDoFunc(func(rq *http.Request) (*http.Response, error) {
		res, err := client.Do(rq)
		select {
		case begun <- struct{}{}:
		default:
		}
		return res, err
	})
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		return outcome(err), n.Load(), err
	}
	return *who.Account, n.Load(), nil
}
