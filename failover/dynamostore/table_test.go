package dynamostore_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/dynamostore"
	"github.com/awsha/awsha/failover/failovermock"
)

// use makes each call of a store, and returns their errors.
func use(ctx context.Context, s failover.Store) []error {
	_, get := s.Get(ctx, "g", "n")
	_, list := s.List(ctx, "g")
	_, put := s.Put(ctx, "g", "n", []byte("v"), "")
	return []error{get, list, put}
}

func TestAGlobalTableThatIsNotStrongIsRefusedUntilItIsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s, trusting := newStore(t, client), newStore(t, client, func(o *dynamostore.Options) { o.SkipTableCheck = true })
		heal := inject(t, cloud, awstest.Match{}, dynamodbsvc.Replicated("", "eu-west-1", "us-west-2"))
		for _, err := range use(t.Context(), s) {
			if !errors.Is(err, dynamostore.ErrEventual) || !strings.Contains(err.Error(), "eu-west-1, us-west-2") {
				t.Error(err)
			}
		}
		if n := cloud.Count(dynamodb.ServiceID, "PutItem"); n != 0 {
			t.Errorf("%d items were put into it", n)
		}
		for _, err := range use(t.Context(), trusting) {
			if err != nil {
				t.Error(err)
			}
		}
		heal()
		heal = inject(t, cloud, awstest.Match{}, dynamodbsvc.Replicated("EVENTUAL"))
		if _, err := s.Get(t.Context(), "g", "n"); !errors.Is(err, dynamostore.ErrEventual) {
			t.Errorf("a global table whose replicas are not shown: %v", err)
		}
		heal()
		inject(t, cloud, awstest.Match{}, dynamodbsvc.Replicated("STRONG", "us-east-2", "us-west-2"))
		if _, err := s.Get(t.Context(), "g", "n"); err != nil {
			t.Errorf("a table with multi-Region strong consistency: %v", err)
		}
	})
}

func TestATableWithAnotherKeyIsRefused(t *testing.T) {
	t.Parallel()
	for has, key := range map[string][]string{
		"key S HASH":                 {"key S"},
		"group S HASH":               {"group S"},
		"name S HASH, group S RANGE": {"name S", "group S"},
		"group S HASH, name N RANGE": {"group S", "name N"},
		"group B HASH, name S RANGE": {"group B", "name S"},
	} {
		t.Run(has, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, client := newCloud(t)
				if err := createTable(client, "other", key...); err != nil {
					t.Fatal(err)
				}
				s, err := dynamostore.New(client, "other")
				if err != nil {
					t.Fatal(err)
				}
				for _, err := range use(t.Context(), s) {
					var wrong *dynamostore.KeyError
					if !errors.As(err, &wrong) || *wrong != (dynamostore.KeyError{Table: "other", Has: has, Needs: "group S HASH, name S RANGE"}) {
						t.Error(err)
					}
				}
			})
		})
	}
}

func TestNamesOfTheKeyAreOptions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, client := newCloud(t)
		if err := createTable(client, "other", "pk S", "size S"); err != nil { // size is a reserved word
			t.Fatal(err)
		}
		s, err := dynamostore.New(client, "arn:aws:dynamodb:us-east-1:123456789012:table/other", func(o *dynamostore.Options) { o.GroupAttribute, o.NameAttribute = "pk", "size" })
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range use(t.Context(), s) {
			if err != nil {
				t.Error(err)
			}
		}
		list, err := s.List(t.Context(), "g")
		if err != nil || len(list) != 1 || list[0].Name != "n" {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestTheTableIsLookedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s := newStore(t, client)
		inject(t, cloud, awstest.Match{Operation: "DescribeTable"}, awstest.Delay(100*time.Millisecond))
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := s.Get(t.Context(), "g", "n"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := cloud.Count(dynamodb.ServiceID, "DescribeTable"); n != 1 {
			t.Errorf("%d looks", n)
		}
	})
}

func TestATableThatCouldNotBeLookedAtIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s := newStore(t, client)
		heal := inject(t, cloud, awstest.Match{Operation: "DescribeTable"}, awstest.Hang())
		began := time.Now()
		var all sync.WaitGroup
		for range 20 { // they wait for the same look
			all.Go(func() {
				if _, err := s.Get(t.Context(), "g", "n"); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if took := time.Since(began); took != time.Second {
			t.Errorf("took %v", took)
		}
		heal()
		if _, err := s.Get(t.Context(), "g", "n"); err != nil {
			t.Error(err)
		}
	})
}

func TestALookDoesNotEndForAllWhenTheFirstHasNoMoreTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s := newStore(t, client)
		inject(t, cloud, awstest.Match{Operation: "DescribeTable", Times: 1}, awstest.Hang())
		hurried, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := s.Get(hurried, "g", "n"); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
		synctest.Wait()
		why := errors.New("the reason")
		gone, leave := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Millisecond, func() { leave(why) })
		for _, c := range []struct {
			ctx  context.Context
			want error
		}{{t.Context(), nil}, {t.Context(), nil}, {gone, why}} {
			all.Go(func() {
				if _, err := s.Get(c.ctx, "g", "n"); !errors.Is(err, c.want) {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

func TestARoleThatMayNotLookIsToldOfTheOption(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		inject(t, cloud, awstest.Match{Operation: "DescribeTable"}, awstest.Deny())
		for _, err := range use(t.Context(), newStore(t, client)) {
			if err == nil || !strings.Contains(err.Error(), "AccessDeniedException") || !strings.Contains(err.Error(), "Options.SkipTableCheck") {
				t.Error(err)
			}
		}
		for _, err := range use(t.Context(), newStore(t, client, func(o *dynamostore.Options) { o.SkipTableCheck = true })) {
			if err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAReplyWithoutATableIsAnError(t *testing.T) {
	t.Parallel()
	s := newStore(t, &failovermock.DynamoStoreAPIMock{DescribeTableFunc: func(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
		return &dynamodb.DescribeTableOutput{}, nil
	}})
	if _, err := s.Get(t.Context(), "g", "n"); err == nil || !strings.Contains(err.Error(), "the reply has no table") {
		t.Error(err)
	}
}
