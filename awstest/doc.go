// Package awstest is AWS in memory, behind the real SDK clients.
//
//	cloud, err := awstest.New([]awstest.Service{ec2svc.New(), elbv2svc.New()})
//	...
//	defer cloud.Close()
//	client := ec2.NewFromConfig(cloud.Config("us-east-1")) // a real *ec2.Client
//
//	zone, err := cloud.Zone("use1-az1")
//	...
//	heal := zone.Fail(awstest.PowerLoss) // everything in it goes dark
//	defer heal()
//
// # When to use it
//
// Use it to rehearse what happens to your program when AWS is slow, wrong or
// half gone: a zone without power, a reply that was lost, a describe that lags,
// a launch without capacity. Time is that of package time, so in
// a testing/synctest bubble a 90-second lag or a day of health checks passes at
// once.
//
// Do not use it to learn what AWS answers: it models what high availability
// depends on, and the pages of the adapters say what is exact and what is
// simplified. What is not modelled fails loudly with [ErrNotModelled], at the
// call and again at [Cloud.Close]: an operation, a parameter, a filter.
//
// # How it works
//
// [Cloud.Config] returns an aws.Config with two middlewares in it. Everything
// that makes a client a client runs: input validation, endpoint and credential
// resolution, signing, retries, paginators, waiters; HTTP does not. In place of
// the network, the typed input goes to an adapter, and its typed output or
// error comes back in the shape that the service gives it, with an HTTP status
// and a request ID. Presigned requests are made as ever; sending one is
// refused, since it would leave the cloud.
//
//	your code -> SDK client -> retryer -> | seam | -> faults -> adapter -> world
//	                                                    ledger            |
//	your code <- net.Conn  <-------------- | data plane | <- instances <--+
//
// The world is regions with zones, and instances in them. An instance serves a
// port with a handler ([Instance.Serve]) or a listener ([Instance.Listen]), runs
// programs that die with it ([Instance.Program]), from its boot on
// ([Options].OnBoot), and [Cloud.Dial] reaches it through the addresses and load
// balancers of the moment, over a buffered connection in memory. So a client
// measures the real downtime of a failover.
//
// # Faults
//
// [Cloud.Inject] makes calls fail in every way that matters: rejected, throttled,
// applied with the reply lost, slow, hanging, stale; by operation, resource, count
// or chance. [Region.Fail], [Zone.Fail] and [Instance.Fail] take power or network away,
// [Zone.RefuseLaunches] capacity, [Cloud.FailService] a service; [Cloud.Stick]
// keeps a resource in a transient state. Adapters have effects of their own for
// what can befall their service alone, such as a message that is delivered
// twice. Each returns the function that heals it.
//
// # Time
//
// A call takes [Options.Latency], 1 ms unless set otherwise. States that pass by
// themselves (pending to running) and everything that acts by itself (health
// checks) run on one event loop, which starts with the first such thing and
// ends with Close. The SDK's own pauses between retries have random jitter, in
// a bubble too: around them assert outcomes, not instants.
//
// # Guarantees
//
//   - A call sees and changes the whole world at one instant.
//   - Reads are served as of an earlier moment under [Options.VisibilityLag] or
//     [Stale]; mutations never are.
//   - IDs count up, and chance comes from [Options.Seed]: sequential runs repeat.
//   - Close leaves no goroutine, timer or connection behind.
//   - No goroutine is started before something needs one, and nothing is
//     global: clouds do not know of each other.
//
// # Simplified
//
// Every packet arrives at once or not at all. A dial that meets silence connects
// the moment a path opens, not at the next retransmission. Security groups, route
// tables and permissions are not looked at: [Deny] stands for the latter. Private
// addresses are unique in a region.
//
// # Writing an adapter
//
// An operation is one typed function, given to [Handle]; see the example of
// [Handle]. One that may answer after its handler has returned, such as a long
// poll, is given to [HandleLater], one whose input carries a stream to
// [HandleBody]. What can befall one service alone is an effect of its adapter,
// made with [Special]. The import rule of the adapters is that each compiles the
// SDK client of its own service and no other.
package awstest
