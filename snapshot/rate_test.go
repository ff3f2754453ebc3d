package snapshot_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/snapshot"
)

// bucket is how AWS throttles: it holds so many tokens, and so many come in a second.
// Source: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html (read 2026-11)
type bucket struct {
	reader

	most, rate float64
	others     float64 // take so many in a second

	mu        sync.Mutex
	tokens    float64
	at        time.Time
	calls     int
	throttled int
}

func (b *bucket) DeleteSnapshot(ctx context.Context, in *ec2.DeleteSnapshotInput, optFns ...func(*ec2.Options)) (*ec2.DeleteSnapshotOutput, error) {
	b.mu.Lock()
	now := time.Now()
	b.tokens = min(b.most, b.tokens+now.Sub(b.at).Seconds()*(b.rate-b.others))
	b.at = now
	b.calls++
	short := b.tokens < 1
	if short {
		b.throttled++
	} else {
		b.tokens--
	}
	b.mu.Unlock()
	if short {
		return nil, &smithy.GenericAPIError{Code: "RequestLimitExceeded", Message: "Request limit exceeded."}
	}
	return b.reader.DeleteSnapshot(ctx, in, optFns...)
}

// Deletes go at 95 % of the configured rate at least, and less than 5 % of them are throttled, also where others leave less than the rate.
func TestDeletesAreNotThrottled(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tokens, others float64 // at the beginning, and taken by others in a second
		least, most    float64 // deletes in a second
	}{
		"alone":                              {100, 0, 0.95 * 4, 4.1},
		"alone, after others":                {0, 0, 0.95 * 4, 4.1},
		"others take 2 a second":             {100, 2, 0.85 * 3, 4.1},
		"others take 2 a second, since ever": {0, 2, 0.75 * 3, 3.05},
		"others take 4 a second, since ever": {0, 4, 0.6 * 1, 1.05},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				var volumes []string
				for range 60 {
					volumes = append(volumes, w.volume())
				}
				p := of(volumes...)
				w.taken(w.manager(), p, 11)
				p.Retain.Last = 1
				b := &bucket{reader: reader{w.ec2[home], w}, most: 100, rate: 5, tokens: test.tokens, others: test.others, at: time.Now()}
				m, err := snapshot.New(func(string) snapshot.Clients { return snapshot.Clients{EC2: b} })
				if err != nil {
					t.Fatal(err)
				}
				plan, err := m.Plan(w.Context(), p)
				if err != nil {
					t.Fatal(err)
				}
				b.at = time.Now()
				began := time.Now()
				report, err := m.Apply(w.Context(), plan, func(o *snapshot.ApplyOptions) { o.AllowMassDelete = true })
				if err != nil || len(report.Deleted) != 600 {
					t.Fatalf("%d deleted: %v", len(report.Deleted), err)
				}
				rate, refused := 600/time.Since(began).Seconds(), float64(b.throttled)/float64(b.calls)
				if rate < test.least || rate > test.most || refused >= 0.05 {
					t.Errorf("%.2f deletes a second, %.1f %% throttled", rate, 100*refused)
				}
				t.Logf("%.2f deletes a second, %.1f %% throttled", rate, 100*refused)
			}, func(_ *awstest.Options, o *ec2svc.Options) { o.PendingSnapshots = 1000 })
		})
	}
}
