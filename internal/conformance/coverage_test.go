package conformance_test

import (
	"slices"
	"sync"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/arczonalshiftsvc"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/elbv2svc"
	"github.com/awsha/awsha/awstest/eventbridgesvc"
	"github.com/awsha/awsha/awstest/kmssvc"
	"github.com/awsha/awsha/awstest/rdssvc"
	"github.com/awsha/awsha/awstest/route53svc"
	"github.com/awsha/awsha/awstest/s3svc"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/awstest/stssvc"
)

// services are the adapters that the suite holds to AWS's documentation.
func services() []awstest.Service {
	return []awstest.Service{
		arczonalshiftsvc.New(), autoscalingsvc.New(), cloudwatchsvc.New(), dynamodbsvc.New(),
		ec2svc.New(), elbv2svc.New(), eventbridgesvc.New(), kmssvc.New(), rdssvc.New(), route53svc.New(), s3svc.New(), sqssvc.New(), stssvc.New(),
	}
}

// coverage is which operations are modelled, and whether they have succeeded in some scenario.
type coverage struct {
	mu        sync.Mutex
	succeeded map[string]bool
}

func (c *coverage) note(cloud *awstest.Cloud) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, service := range cloud.Services() {
		for _, op := range cloud.Operations(service) {
			if name := service + "." + op; !c.succeeded[name] {
				c.succeeded[name] = false
			}
		}
	}
	for _, r := range cloud.Calls(awstest.Match{}) {
		if r.Applied {
			c.succeeded[r.Service+"."+r.Operation] = true
		}
	}
}

// missing returns the operations that no scenario has seen succeed.
func (c *coverage) missing() (names []string) {
	for name, ok := range c.succeeded {
		if !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
