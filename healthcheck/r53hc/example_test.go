package r53hc_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
	"github.com/awsha/awsha/awstest/route53svc"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/r53hc"
)

// The health of a pool is published once, here; a program leaves Run running.
func ExampleNew() {
	cloud, err := awstest.New([]awstest.Service{cloudwatchsvc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	pool, stop := fleet("10.0.0.1:80", "10.0.0.2:80")
	defer stop()

	ctx, cancel := context.WithCancel(context.Background())
	publisher, err := r53hc.New(cloudwatch.NewFromConfig(cloud.Config("eu-west-1")), pool, func(o *r53hc.Options) {
		o.Dimensions = []r53hc.Dimension{{Name: "Pool", Value: "web"}}
		o.OnEvent = func(_ context.Context, e r53hc.Event) {
			fmt.Println(e.Kind, e.Values)
			cancel()
		}
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(publisher.Run(ctx))
	// Output:
	// published map[HealthyCount:2 HealthyPercent:100]
	// context canceled
}

// A deployment makes the alarm and the health check, as often as it is run.
func ExampleEnsure() {
	cloud, err := awstest.New([]awstest.Service{cloudwatchsvc.New(), route53svc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	cfg := cloud.Config("eu-west-1")
	for range 2 {
		made, err := r53hc.Ensure(context.Background(), cloudwatch.NewFromConfig(cfg), route53.NewFromConfig(cfg), r53hc.Spec{
			Series: r53hc.Series{Dimensions: []r53hc.Dimension{{Name: "Pool", Value: "web"}}},
			Alarm:  "web-pool", Region: "eu-west-1",
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(made.HealthCheckID, made.Version)
	}
	// Output:
	// 00000000-0000-4000-8000-000000000001 1
	// 00000000-0000-4000-8000-000000000001 1
}

// Route 53's checkers ask for /healthz, and search the answer for the string.
func ExampleNewHandler() {
	pool, stop := fleet("10.0.0.1:80", "10.0.0.2:80")
	defer stop()
	handler, err := r53hc.NewHandler(pool, func(o *r53hc.HandlerOptions) { o.Body = "web is in service" })
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/healthz", handler)

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/healthz", http.NoBody))
	fmt.Println(answer.Code, answer.Body)
	// Output: 200 web is in service
}

// fleet is a pool whose targets are all well.
func fleet(addrs ...string) (pool *healthcheck.Pool, stop func()) {
	pool, err := healthcheck.New(healthcheck.Func(func(context.Context, healthcheck.Target) error { return nil }))
	if err != nil {
		log.Fatal(err)
	}
	for _, addr := range addrs {
		if err := pool.Register(healthcheck.Target{ID: addr, Zone: "eu-west-1a", Addr: addr}); err != nil {
			log.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- pool.Run(ctx) }()
	if err := pool.Wait(ctx, func(v *healthcheck.View) bool { return v.Count(healthcheck.Healthy) == len(addrs) }); err != nil {
		log.Fatal(err)
	}
	return pool, func() { cancel(); <-done }
}
