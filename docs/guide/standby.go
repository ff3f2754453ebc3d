// Package guide is the code of the guide "test your own failover with awstest", which stands in README.md beside it: two
// small programs as anybody might have them, and the tests that find out what they do when AWS fails.
package guide

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
)

// A Standby takes an address over when the primary has stopped answering.
type Standby struct {
	EC2     *ec2.Client
	HTTP    *http.Client
	Primary string // URL that is answered while the primary is healthy
	Address string // allocation ID
	Self    string // instance ID
}

// Run watches the primary until it has taken its address over, or ctx ends.
func (s *Standby) Run(ctx context.Context) error {
	const pause, tolerated = 5 * time.Second, 3
	for failures := 0; ; {
		switch s.healthy(ctx) {
		case true:
			failures = 0
		case false:
			failures++
		}
		if failures >= tolerated && s.takeOver(ctx) == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (s *Standby) healthy(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Primary, http.NoBody)
	if err != nil {
		return false
	}
	resp, err := s.HTTP.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

var errAlive = errors.New("the primary answers")

func (s *Standby) takeOver(ctx context.Context) error {
	// Who is cut off sees everybody else dead. Only if AWS answers, be it with an error, and the primary then does not, it
	// is the primary that is dead.
	_, err := s.EC2.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{s.Address}})
	if _, answered := errors.AsType[smithy.APIError](err); err != nil && !answered {
		return err
	}
	if s.healthy(ctx) {
		return errAlive
	}
	_, err = s.EC2.AssociateAddress(ctx, &ec2.AssociateAddressInput{AllocationId: &s.Address, InstanceId: &s.Self})
	return err
}
