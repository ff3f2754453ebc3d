package eip_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

// The associate was not applied, nobody could read, and a rival took the free address meanwhile.
func TestGoingOnAfterALostReplyRobsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.Unavailable()) // not applied
		heal := w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Unavailable())
		r := newRemapper(t, w.client)
		res, err := r.Remap(t.Context(), w.request(1))
		failure(t, err, eip.ErrUnverified)
		heal()
		theirs, err := newRemapper(t, w.client).Remap(t.Context(), eip.Request{AllocationID: w.allocation, Target: eip.Target{NetworkInterfaceID: w.eni[2]}, Guard: eip.GuardFree})
		if err != nil {
			t.Fatal(err)
		}
		req := w.request(1)
		req.Expect = res.Next
		again, err := r.Remap(t.Context(), req)
		if !errors.Is(err, eip.ErrConflict) || w.owner(t) != w.eni[2] {
			t.Errorf("After was %+v; resumed: %+v, %v; the rival's %v is gone, owner %s", res.After, again, err, theirs.After.ID, w.owner(t))
		}
	})
}

// The first read showed nothing but the past; nothing was done, and the expectation stands.
func TestGoingOnAfterAStaleFirstReadRobsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		res0, err := r.Remap(t.Context(), w.request(1))
		if err != nil {
			t.Fatal(err)
		}
		heal := w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(2*time.Minute))
		req := w.request(0)
		req.Expect = eip.Expect{Association: eip.Association{ID: res0.After.ID}}
		res, err := r.Remap(t.Context(), req)
		failure(t, err, eip.ErrUnverified)
		heal()
		w.associate(t, w.allocation, w.eni[2])
		time.Sleep(5 * time.Minute)
		req.Expect = res.Next
		again, err := r.Remap(t.Context(), req)
		if !errors.Is(err, eip.ErrConflict) {
			t.Errorf("resumed: %+v, %v; owner %s", again, err, w.owner(t))
		}
	})
}

// The associate was not applied, and a stale read shows an older association with the target.
func TestStaleReadAfterALostReplyIsNoProof(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t) // eni0 holds it for 2 minutes
		now := w.associate(t, w.allocation, w.eni[2])
		time.Sleep(500 * time.Millisecond)
		w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.Unavailable())
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(time.Second)) // well below ReadLag
		req := w.request(0)
		req.Expect = eip.Expect{Association: now}
		res, err := newRemapper(t, w.client).Remap(t.Context(), req)
		if owner := w.owner(t); err == nil && owner == "" || err == nil && res.After.ID == w.first.ID {
			t.Errorf("told %+v, nil; owner in truth %q", res, owner)
		}
	})
}

// EC2 refuses without naming the holder, and a stale read shows one that has ended.
func TestRefusalIsNotExplainedByWhatHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		res1, err := r.Remap(t.Context(), w.request(1)) // history: first has ended
		if err != nil {
			t.Fatal(err)
		}
		w.associate(t, w.allocation, w.eni[2]) // a rival
		w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.Reject(awstest.APIError{Code: "Resource.AlreadyAssociated", Message: "the resource is already associated"}))
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(time.Second))
		req := w.request(0)
		req.Expect = eip.Expect{Association: res1.After}
		res, err := r.Remap(t.Context(), req)
		if err == nil {
			t.Errorf("told %+v; owner %s, want %s", res.After, w.owner(t), w.eni[2])
		}
	})
}

// The associate is applied, and the body of its reply breaks off.
func TestBrokenReplyBodyIsALostReply(t *testing.T) {
	t.Parallel()
	calls := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, rq *http.Request) {
		_ = rq.ParseForm()
		op := rq.Form.Get("Action")
		calls[op]++
		switch op {
		case "AssociateAddress":
			rw.Header().Set("Content-Length", "1000")
			_, _ = rw.Write([]byte(`<AssociateAddressResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</reque`))
		case "DescribeAddresses":
			_, _ = rw.Write([]byte(`<DescribeAddressesResponse><addressesSet><item><allocationId>eipalloc-1</allocationId><associationId>eipassoc-9</associationId><networkInterfaceId>eni-2</networkInterfaceId></item></addressesSet></DescribeAddressesResponse>`))
		}
	}))
	defer srv.Close()
	hc := srv.Client()
	defer hc.CloseIdleConnections()
	client := ec2.New(ec2.Options{Region: "us-east-1", BaseEndpoint: aws.String(srv.URL), HTTPClient: hc,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
		})})
	r := newRemapper(t, client, func(o *eip.Options) { o.ReadLag, o.PollInterval = 20*time.Millisecond, time.Millisecond }) // time is real here
	res, err := r.Remap(t.Context(), eip.Request{AllocationID: "eipalloc-1", Target: eip.Target{NetworkInterfaceID: "eni-2"},
		Expect: eip.Expect{Association: eip.Association{ID: "eipassoc-1", NetworkInterfaceID: "eni-1"}}})
	if err != nil {
		t.Errorf("%v; %+v; %v", err, res, calls)
	}
}
