// Package awsha is the tour of a library of high-availability patterns for AWS, built on aws-sdk-go-v2. It exports nothing:
// import the package that does the work you need.
//
// The library runs inside your own Go service. It has no daemon, no configuration file and no client of its own: you make
// the SDK's clients as you always do and hand them over.
//
// # Packages
//
// The patterns, none of which imports another:
//
//   - [github.com/awsha/awsha/eip] keeps an Elastic IP on a healthy instance. It moves the address in two calls that cannot
//     take it from an owner that it did not expect, and says so only when the new association has been read back.
//   - [github.com/awsha/awsha/healthcheck] probes targets over HTTP and TCP with the thresholds and states of Elastic Load
//     Balancing, and keeps a pool of them by zone. It needs the standard library alone.
//   - [github.com/awsha/awsha/queueworker] handles the messages of an SQS queue at least once: leases that are kept while
//     handlers run, deletes that are repeated until they are proven, and hints of how many workers a backlog needs.
//   - [github.com/awsha/awsha/snapshot] backs up volumes, instances, images and databases by policy, copies them to other
//     Regions, keeps what a retention says and why, and restores in any zone.
//   - [github.com/awsha/awsha/failover] runs a plan: steps with dependencies, in parallel where they allow it, under a
//     lease with fencing tokens, with a journal and a timeline. It knows no AWS service; a step may do anything.
//
// The ready-made steps are under failover, a package for each AWS service: ec2step (instances, capacity, volumes,
// addresses), asgstep, elbstep, arcstep and rdsstep, which use the packages above. Package preset makes whole plans of them,
// and package drill rehearses one.
//
// And what they are tested with, as your own code can be:
//
//   - [github.com/awsha/awsha/awstest] is an AWS in memory behind the SDK's real clients: regions, zones, faults, and a
//     network between the instances.
//
// # How they fit
//
// A health pool notices that a target is gone. The failover engine takes the lease, writes down what it is about to do, and
// runs the plan: one step moves the address with eip, another the target registration with the SDK, side by side. The pool
// sees the service come back; the timeline says when each thing happened and what it cost. The program in
// examples/zone-outage is exactly that, and runs without an account; that in examples/zone-evacuation has all of it: a load
// balancer, an Auto Scaling group, a queue and its workers, and a single instance that comes back from its backup.
//
// Nothing forces the combination. Each package is of use alone, and each takes its collaborators as small interfaces or
// functions. The program in examples/eip-remap uses eip and nothing else.
//
// # The shape they share
//
// New takes what is required by position and the rest as option functions, as the SDK's own feature packages do. It does no
// I/O and starts nothing; it reports every mistake in the options at once. Run blocks until all that it started has ended.
// The zero value of an option is its documented default.
//
// An error is a sentinel where a caller has to branch, and a struct with the resources, the cause and AWS's own error,
// request ID included, where a person has to read. errors.Is and errors.As reach both.
//
// Time is package time. There is no clock to inject, because [testing/synctest] makes package time virtual: see below.
//
// A nil logger is silent. Events are passed to a function in the options: synchronously by eip and failover, in order but
// possibly later by healthcheck.
//
// # Testing with awstest
//
// A cloud is made from the services that the test needs, and gives out an ordinary configuration:
//
//	synctest.Test(t, func(t *testing.T) {
//		cloud, err := awstest.New([]awstest.Service{ec2svc.New()})
//		if err != nil {
//			t.Fatal(err)
//		}
//		defer func() {
//			if err := cloud.Close(); err != nil { // names what was asked for and is not modelled
//				t.Error(err)
//			}
//		}()
//		client := ec2.NewFromConfig(cloud.Config("us-east-1"))
//		// client is a real *ec2.Client: it validates, signs, retries, paginates and waits.
//	})
//
// In the bubble of synctest an outage of an hour takes milliseconds, and detection and recovery times can be asserted
// exactly. Outside a bubble the same cloud runs in real time.
//
// # Faults
//
// High availability is what happens when a call fails in the worst way, so the faults are part of awstest's API: a call
// refused; a call applied and its reply lost; a call that hangs; a read that is stale; a zone without capacity; a zone
// without power. Every fault returns the function that heals it, and each is drawn from a seed.
//
// # What it is not for
//
//   - A service that a load balancer, an Auto Scaling group or Multi-AZ already keeps up. Prefer those; what AWS does by
//     itself needs no controller of yours.
//   - Fail-over in less time than AWS takes to move an address. Traffic follows a moved Elastic IP after seconds, not
//     milliseconds.
//   - Consensus among your servers, or replication of your data. The engine moves traffic and roles; what makes your data
//     safe to move is yours to say, as a step of the plan.
//   - Infrastructure as code. It moves what exists; it does not own your resources.
package awsha
