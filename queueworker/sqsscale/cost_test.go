package sqsscale_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/queueworker"
	"github.com/awsha/awsha/queueworker/sqsscale"
)

// The page of the package says what an hour costs.
func TestAnHourCostsWhatThePageSays(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 2, func(w *world) {
		hints := func() *queueworker.Scaler {
			stats := func() queueworker.Stats { return queueworker.Stats{Slots: 5, MeanHandler: time.Second} }
			return must(queueworker.NewScaler(w.queue, w.url, stats, func(o *queueworker.ScalerOptions) {
				o.Min, o.CacheFor = 2, 10*time.Second
				o.Instances, o.OldestAge = sqsscale.InService(w.Client, "workers"), sqsscale.OldestAge(w.metrics, "work")
			}))(w)
		}
		var from [4]int
		count := func() (n [4]int) {
			n = [4]int{w.cloud.Count(sqs.ServiceID, ""), w.cloud.Count(service, ""), w.cloud.Count(cloudwatch.ServiceID, "PutMetricData"), w.cloud.Count(cloudwatch.ServiceID, "GetMetricStatistics")}
			for i := range n {
				n[i] -= from[i]
			}
			return n
		}
		check := func(what string, want [4]int) {
			w.Helper()
			for i, got := range count() {
				if got < want[i]*95/100 && i != 3 || got > want[i]*105/100 { // ages are asked for at the most as often
					w.Errorf("%s: %d calls, want %d", what, got, want[i])
				}
			}
			from = [4]int{}
			from = count()
		}
		from = count()

		publisher := must(sqsscale.NewPublisher(w.metrics, hints(), policy.Metric))(w)
		w.wg.Go(func() { _ = publisher.Run(w.ctx) })
		time.Sleep(time.Hour)
		check("publisher", [4]int{120, 120, 120, 60})

		w.stop()
		w.wg.Wait()
		w.ctx, w.stop = w.Context(), func() {}
		stop := w.drive(w.Client, hints())
		from = [4]int{}
		from = count()
		time.Sleep(time.Hour)
		stop()
		check("driver", [4]int{240, 480, 0, 60})
	})
}
