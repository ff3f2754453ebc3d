package awstest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/awstest"
)

const (
	privateA, publicA = "172.31.0.10", "203.0.113.10"
	privateB, publicB = "172.31.16.10", "203.0.113.11"
)

func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
}

func (f *fixture) serve(i *awstest.Instance, port int, h http.Handler) (stop func()) {
	f.Helper()
	stop, err := i.Serve(port, h)
	if err != nil {
		f.Fatal(err)
	}
	return stop
}

// get asks over a connection of its own and gives up after a second.
func (f *fixture) get(address string) (string, error) {
	transport := f.cloud.Transport()
	transport.DisableKeepAlives = true
	client := &http.Client{Transport: transport, Timeout: time.Second}
	resp, err := client.Get("http://" + address + "/")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func (f *fixture) expectReply(address, want string) {
	f.Helper()
	if got, err := f.get(address); got != want || err != nil {
		f.Errorf("%s answers %q, %v; want %q", address, got, err, want)
	}
}

func (f *fixture) expectSilence(address string) {
	f.Helper()
	start := time.Now()
	if got, err := f.get(address); err == nil || took(start) != time.Second {
		f.Errorf("%s answers %q, %v after %v; want silence", address, got, err, took(start))
	}
}

func (f *fixture) dial(address string) net.Conn {
	f.Helper()
	conn, err := f.cloud.Dial(f.Context(), "tcp", address)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestAddressLeadsWhereItIsRouted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.instance("use1-az1", privateA, publicA), f.instance("use1-az2", privateB, "")
		f.serve(a, 80, named("a"))
		f.serve(b, 80, named("b"))
		f.expectReply(publicA, "a")
		f.expectSilence(publicB)
		f.cloud.Update(func(tx *awstest.Tx) { tx.Route(nil, netip.MustParseAddr(publicA), b) })
		f.expectReply(publicA, "b")

		// Private addresses are for those inside.
		f.expectSilence(privateB)
		for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){"zone": f.zone("use1-az3").Dial, "instance": a.Dial} {
			conn, err := dial(t.Context(), "tcp", privateB+":80")
			if err != nil {
				t.Errorf("from the %s: %v", name, err)
				continue
			}
			_ = conn.Close()
		}
		other, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := f.zone("euw1-az1").Dial(other, "tcp", privateB+":80"); err == nil {
			t.Error("a private address was reached from another region")
		}
	})
}

func TestDialErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.instance("use1-az1", privateA, publicA)
		dial := func(network, address string) error {
			_, err := f.cloud.Dial(t.Context(), network, address)
			return err
		}
		if err := dial("tcp", publicA+":80"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("closed port: %v", err)
		}
		start := time.Now()
		if err := dial("tcp", "203.0.113.99:80"); !errors.Is(err, syscall.ETIMEDOUT) || took(start) != 127*time.Second {
			t.Errorf("nobody there: %v after %v", err, took(start))
		}
		var lookup *net.DNSError
		if err := dial("tcp", "nowhere.example:80"); !errors.As(err, &lookup) || !lookup.IsNotFound {
			t.Errorf("no such name: %v", err)
		}
		for _, bad := range [][2]string{{"udp", publicA + ":80"}, {"tcp", publicA}, {"tcp", publicA + ":http"}, {"tcp", publicA + ":0"}, {"tcp", publicA + ":65536"}} {
			if err := dial(bad[0], bad[1]); err == nil {
				t.Errorf("%v was dialled", bad)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := f.cloud.Dial(ctx, "tcp", "203.0.113.99:80")
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("deadline: %v", err)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		if _, err := f.cloud.Dial(ended, "tcp", publicA+":80"); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled before: %v", err)
		}
	})
}

func TestPowerLoss(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, publicA)
		cut := make(chan error, 1)
		f.serve(a, 80, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/wait" {
				<-r.Context().Done()
				cut <- r.Context().Err()
			}
		}))
		conn := f.dial(publicA + ":80")
		if _, err := io.WriteString(conn, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()

		heal := f.zone("use1-az1").Fail(awstest.PowerLoss)
		if err := <-cut; err == nil {
			t.Error("the program goes on without power")
		}
		if a.Running() || !f.zone("use1-az1").Down() {
			t.Error("the zone or the instance does not know")
		}
		if err := conn.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the connection says %v, want silence", err)
		}
		f.expectSilence(publicA)

		heal()
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the machine has rebooted and knows the connection: %v", err)
		}
		f.expectReply(publicA, "")
	})
}

func TestNetworkLossOnlyDelays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, neighbour := f.instance("use1-az1", privateA, publicA), f.instance("use1-az1", "172.31.0.11", "")
		l, err := a.Listen(7)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					_, _ = io.Copy(conn, conn)
					_ = conn.Close()
				}()
			}
		}()
		conn := f.dial(publicA + ":7")
		heal := f.zone("use1-az1").Fail(awstest.NetworkLoss)
		if _, err := io.WriteString(conn, "echo"); err != nil {
			t.Fatal(err)
		}
		reply := make(chan string)
		go func() {
			buf := make([]byte, 4)
			_, _ = io.ReadFull(conn, buf)
			reply <- string(buf)
		}()
		time.Sleep(time.Minute)
		select {
		case got := <-reply:
			t.Errorf("%q came through", got)
		default:
		}
		if !a.Running() {
			t.Error("a machine without network does not run")
		}
		inside, err := neighbour.Dial(t.Context(), "tcp", privateA+":7")
		if err != nil {
			t.Fatalf("inside the zone: %v", err)
		}
		_ = inside.Close()
		heal()
		if got := <-reply; got != "echo" {
			t.Errorf("after the heal: %q", got)
		}
	})
}

func TestFaultsOverlap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, publicA)
		f.serve(a, 80, named("a"))
		zone := f.zone("use1-az1")
		first, second, own := zone.Fail(awstest.PowerLoss), zone.Fail(awstest.PowerLoss), a.Fail(awstest.NetworkLoss)
		first()
		first() // heals nothing but its own
		f.expectSilence(publicA)
		second()
		f.expectSilence(publicA)
		own()
		f.expectReply(publicA, "a")
	})
}

func TestWaitingDialConnectsWhenAPathOpens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		b := f.instance("use1-az2", privateB, "")
		f.serve(b, 80, named("b"))
		start := time.Now()
		go func() {
			time.Sleep(20 * time.Second)
			f.cloud.Update(func(tx *awstest.Tx) { tx.Route(nil, netip.MustParseAddr(publicA), b) })
		}()
		conn := f.dial(publicA + ":80")
		if d := took(start); d != 20*time.Second {
			t.Errorf("connected after %v", d)
		}

		// An address that moves away cuts its connections off; one that
		// arrives elsewhere resets them.
		f.cloud.Update(func(tx *awstest.Tx) { tx.Route(nil, netip.MustParseAddr(publicA), nil) })
		_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("without an owner: %v", err)
		}
		a := f.instance("use1-az1", privateA, publicA)
		_ = a
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("with another owner: %v", err)
		}
	})
}

func TestOrderlyShutdownAndBoot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, publicA)
		f.serve(a, 80, named("a"))
		l, err := a.Listen(7)
		if err != nil {
			t.Fatal(err)
		}
		conn := f.dial(publicA + ":7")
		f.cloud.Update(func(tx *awstest.Tx) { tx.PowerOff(a) })
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the connection was not closed: %v", err)
		}
		if _, err := l.Accept(); err != nil {
			// the one connection that had come in
			t.Logf("accept: %v", err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the listener has outlived its machine: %v", err)
		}
		if _, err := a.Listen(9); err == nil {
			t.Error("a machine that is off listens")
		}
		f.cloud.Update(func(tx *awstest.Tx) { tx.PowerOn(a) })
		f.expectReply(publicA, "a")
		if _, err := f.cloud.Dial(t.Context(), "tcp", publicA+":7"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a listener came back by itself: %v", err)
		}
	})
}

func TestPorts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, publicA)
		stop := f.serve(a, 80, named("a"))
		var wrong *awstest.FieldError
		for _, port := range []int{80, 0, -1, 65536} {
			if _, err := a.Serve(port, named("b")); !errors.As(err, &wrong) {
				t.Errorf("port %d: %v", port, err)
			}
			if _, err := a.Listen(port); !errors.As(err, &wrong) {
				t.Errorf("port %d: %v", port, err)
			}
		}
		if _, err := a.Serve(81, nil); !errors.As(err, &wrong) {
			t.Errorf("no handler: %v", err)
		}
		stop()
		stop()
		if _, err := f.cloud.Dial(t.Context(), "tcp", publicA+":80"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("stopped: %v", err)
		}
		l, err := a.Listen(80)
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		if _, err := f.cloud.Dial(t.Context(), "tcp", publicA+":80"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("closed listener: %v", err)
		}
		f.serve(a, 80, named("again"))
		f.expectReply(publicA, "again")
	})
}

func TestNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, "")
		f.serve(a, 8080, named("a"))
		f.cloud.Update(func(tx *awstest.Tx) {
			tx.Name("Web.example", func(_ *awstest.Tx, port uint16) awstest.Hop {
				if port != 80 {
					return awstest.Hop{Refused: true}
				}
				return awstest.Hop{Instance: a, Port: 8080}
			})
		})
		f.expectReply("web.Example.", "a")
		if _, err := f.get("web.example:81"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("another port: %v", err)
		}
		f.cloud.Update(func(tx *awstest.Tx) { tx.Name("web.example", nil) })
		if _, err := f.get("web.example"); err == nil || !strings.Contains(err.Error(), "no such host") {
			t.Errorf("a name that is gone: %v", err)
		}
	})
}

func TestInstanceCallsAWSWhileItCan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, "")
		client := f.clientOf(a)
		heal := f.zone("use1-az1").Fail(awstest.NetworkLoss)
		if _, err := client.AssumeRole(t.Context(), addInput()); err == nil || f.read() != "0" {
			t.Errorf("got %v, sum %s", err, f.read())
		}
		heal()
		if _, err := client.AssumeRole(t.Context(), addInput()); err != nil || f.read() != "1" {
			t.Errorf("healed: %v, sum %s", err, f.read())
		}
		f.inject(awstest.Match{Caller: a.ID()}, awstest.Deny())
		if _, err := client.AssumeRole(t.Context(), addInput()); code(err) != "AccessDenied" {
			t.Errorf("its own fault: %v", err)
		}
		if err := f.add(); err != nil {
			t.Errorf("somebody else's fault: %v", err)
		}
	})
}

func TestReachabilityChangesOnlyWhenItDoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, publicA)
		start := time.Now()
		expect := func(want awstest.Reachability) {
			t.Helper()
			var got awstest.Reachability
			f.cloud.Update(func(tx *awstest.Tx) { got = tx.Reachable(a) })
			if got.OK != want.OK || !got.Since.Equal(want.Since) || got.Before != want.Before {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		time.Sleep(time.Hour)
		first := f.zone("use1-az1").Fail(awstest.PowerLoss)
		time.Sleep(time.Minute)
		second := a.Fail(awstest.NetworkLoss) // changes nothing
		expect(awstest.Reachability{OK: false, Since: start.Add(time.Hour), Before: time.Hour})
		first()
		expect(awstest.Reachability{OK: false, Since: start.Add(time.Hour), Before: time.Hour})
		second()
		expect(awstest.Reachability{OK: true, Since: start.Add(time.Hour + time.Minute), Before: time.Minute})
	})
}

func TestZoneIsDownFromItsFirstFaultToItsLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		z := f.zone("use1-az1")
		start := time.Now()
		expect := func(ok bool, since, before time.Duration) {
			t.Helper()
			var got awstest.Reachability
			f.cloud.Update(func(tx *awstest.Tx) { got = tx.ZoneReachable(z) })
			if got.OK != ok || got.Since.Sub(start) != since || got.Before != before {
				t.Errorf("got %+v, want %v since %v, before for %v", got, ok, since, before)
			}
		}
		time.Sleep(time.Hour)
		first := z.Fail(awstest.PowerLoss)
		time.Sleep(time.Minute)
		second := z.Fail(awstest.NetworkLoss)
		first()
		time.Sleep(time.Minute)
		second()
		expect(true, time.Hour+2*time.Minute, 2*time.Minute)
		time.Sleep(time.Hour)
		defer z.Fail(awstest.NetworkLoss)()
		f.zone("use1-az2").Fail(awstest.PowerLoss)() // another one
		time.Sleep(time.Minute)
		expect(false, 2*time.Hour+2*time.Minute, time.Hour)
	})
}

func TestReachHearsOfEveryChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		z := f.zone("use1-az1")
		var heard []bool // in events that were scheduled, as one has to
		var a *awstest.Instance
		f.cloud.Update(func(tx *awstest.Tx) {
			a = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: z, Reach: func(tx *awstest.Tx) {
				tx.Schedule(tx.Now(), func(tx *awstest.Tx) { heard = append(heard, tx.Reachable(a).OK) })
			}})
		})
		step := func(do func()) {
			do()
			time.Sleep(time.Second)
		}
		step(func() { f.cloud.Update(func(tx *awstest.Tx) { tx.PowerOn(a) }) })
		heal := z.Fail(awstest.NetworkLoss)
		step(func() {})
		step(func() { a.Fail(awstest.PowerLoss)() }) // changes nothing
		step(heal)
		step(func() { f.cloud.Update(func(tx *awstest.Tx) { tx.Remove(a) }) })
		f.cloud.Update(func(*awstest.Tx) { // events run with the cloud locked
			if want := []bool{true, false, true, false}; !slices.Equal(heard, want) {
				t.Errorf("heard %v, want %v", heard, want)
			}
		})
	})
}
