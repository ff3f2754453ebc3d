package rdsstep

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/failover/internal/awsstep"
)

// lagWindow is how old the newest value of a replica's lag may be. RDS tells it once a minute.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html (read 2026-11)
const lagWindow = 10 * time.Minute

// lag is how far a replica was behind at a moment: the newest value of ReplicaLag before. It is -1 while MySQL does not replicate, which tells nothing,
// and grows while PostgreSQL hears nothing from its source.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.Monitoring.html (read 2026-11)
func lag(ctx context.Context, api MetricAPI, replica string, at time.Time) (value time.Duration, known bool, err error) {
	out, err := awsstep.Call(ctx, "cloudwatch:GetMetricData", replica, api.GetMetricData, &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(at.Add(-lagWindow)), EndTime: aws.Time(at), ScanBy: types.ScanByTimestampDescending,
		MetricDataQueries: []types.MetricDataQuery{{
			Id: aws.String("lag"),
			MetricStat: &types.MetricStat{
				Period: aws.Int32(60), Stat: aws.String("Maximum"),
				Metric: &types.Metric{
					Namespace: aws.String("AWS/RDS"), MetricName: aws.String("ReplicaLag"),
					Dimensions: []types.Dimension{{Name: aws.String("DBInstanceIdentifier"), Value: &replica}},
				},
			},
		}},
	})
	if err != nil {
		return 0, false, err
	}
	for _, r := range out.MetricDataResults {
		for _, v := range r.Values { // the newest first
			if v >= 0 {
				return time.Duration(v * float64(time.Second)), true, nil
			}
		}
	}
	return 0, false, nil
}

// gate says what is wrong with a lag.
func gate(replica string, value time.Duration, known bool, most time.Duration) error {
	switch {
	case most == AnyLag || known && value <= most:
		return nil
	case !known:
		return fmt.Errorf("%w: nobody knows how far %s was behind, and %s may be lost", ErrLag, replica, most)
	}
	return fmt.Errorf("%w: %s was %s behind, and %s may be lost", ErrLag, replica, value, most)
}
