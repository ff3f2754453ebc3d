package s3svc_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/s3svc"
)

func TestReplicationLag(t *testing.T) {
	t.Parallel()
	for set, want := range map[time.Duration]time.Duration{0: 15 * time.Second, s3svc.Immediately: 0, time.Hour: time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			cloud := svctest.Must(awstest.New([]awstest.Service{s3svc.New(func(o *s3svc.Options) { o.ReplicationLag = set })}))(t)
			w := &world{TB: t, cloud: cloud, Client: s3.NewFromConfig(cloud.Config(here)), elsewhere: s3.NewFromConfig(cloud.Config(there))}
			defer w.close()
			w.bucket(name)
			w.abroad(replicas)
			w.versioning(types.BucketVersioningStatusEnabled)
			if err := version(w.Context(), w.elsewhere, replicas, types.BucketVersioningStatusEnabled); err != nil {
				w.Fatal(err)
			}
			if err := w.replicate(rule()); err != nil {
				w.Fatal(err)
			}
			w.put("key", "text")
			start := time.Now()
			for w.status("key") != "COMPLETED" {
				sleep(want/100 + time.Millisecond)
			}
			if took := time.Since(start); took < want || took > want+want/50+10*time.Millisecond {
				w.Errorf("%v: it took %v", set, took)
			}
		})
	}
}

func TestOptionsThatAreWrong(t *testing.T) {
	t.Parallel()
	_, err := awstest.New([]awstest.Service{s3svc.New(func(o *s3svc.Options) { o.ReplicationLag = -2 })})
	var fe *awstest.FieldError
	if !errors.As(err, &fe) || fe.Field != "s3svc.Options.ReplicationLag" {
		t.Errorf("got %v", err)
	}
}
