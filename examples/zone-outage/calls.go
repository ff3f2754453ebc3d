package main

import (
	"context"
	"strings"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// callCounter counts the calls that leave the SDK, retries included, by
// operation. It works on AWS in memory as on AWS.
type callCounter struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *callCounter) attach(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("zone-outage:Count",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			c.mu.Lock()
			if c.counts == nil {
				c.counts = map[string]int{}
			}
			c.counts[awsmiddleware.GetServiceID(ctx)+"."+awsmiddleware.GetOperationName(ctx)]++
			c.mu.Unlock()
			return next.HandleDeserialize(ctx, in)
		}), middleware.Before) // added last, and so outside of everything else
}

// take returns the counts since the last take.
func (c *callCounter) take() callCounts {
	c.mu.Lock()
	defer c.mu.Unlock()
	var n callCounts
	for name, count := range c.counts {
		switch {
		case name == "EC2.AssociateAddress":
			n.associate += count
		case name == "EC2.DisassociateAddress":
			n.disassociate += count
		case strings.HasPrefix(name, "EC2.Describe"):
			n.describe += count
		}
	}
	c.counts = nil
	return n
}

// callCounts are the calls to EC2 of one move.
type callCounts struct{ associate, disassociate, describe int }
