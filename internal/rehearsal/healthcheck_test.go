package rehearsal_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/awsha/awsha/awstest/route53svc"
)

// Route 53 puts its metrics in us-east-1. While CloudWatch is down there they are missing, and nothing else is.
func TestHealthChecksWithoutMetrics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud := newCloud(t)
		cfg := cloud.Config("us-east-1")
		made, err := route53.NewFromConfig(cloud.Config("eu-west-1")).CreateHealthCheck(t.Context(), &route53.CreateHealthCheckInput{
			CallerReference: aws.String("a"),
			HealthCheckConfig: &r53.HealthCheckConfig{
				Type: r53.HealthCheckTypeTcp, IPAddress: aws.String("203.0.113.77"), Port: aws.Int32(80), RequestInterval: aws.Int32(10), FailureThreshold: aws.Int32(1),
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		id := made.HealthCheck.Id
		points := func(d time.Duration) int {
			out, err := cloudwatch.NewFromConfig(cfg).GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
				Namespace: aws.String("AWS/Route53"), MetricName: aws.String("HealthCheckStatus"), Dimensions: []cw.Dimension{{Name: aws.String("HealthCheckId"), Value: id}},
				StartTime: aws.Time(time.Now().Add(-d)), EndTime: aws.Time(time.Now()), Period: aws.Int32(60), Statistics: []cw.Statistic{cw.StatisticMinimum},
			})
			if err != nil {
				t.Fatal(err)
			}
			return len(out.Datapoints)
		}
		heal, err := cloud.FailService(cloudwatch.ServiceID, "us-east-1")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*time.Minute + time.Second)
		if healthy, err := route53svc.Healthy(cloud, *id); healthy || err != nil {
			t.Errorf("an address that nobody has is healthy: %v, %v", healthy, err)
		}
		heal()
		if n := points(10 * time.Minute); n != 0 {
			t.Errorf("%d data points while it was down", n)
		}
		time.Sleep(5 * time.Minute)
		if n := points(5 * time.Minute); n != 5 {
			t.Errorf("%d data points in five minutes", n)
		}
	})
}
