package dynamodedupe_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/queueworker"
	"github.com/awsha/awsha/queueworker/dynamodedupe"
	"github.com/awsha/awsha/queueworker/queueworkermock"
)

// newCloud returns a DynamoDB with the table "handled".
func newCloud(t testing.TB) (*awstest.Cloud, *dynamodb.Client) {
	t.Helper()
	cloud, err := awstest.New([]awstest.Service{dynamodbsvc.New(func(o *dynamodbsvc.Options) { o.Creating = dynamodbsvc.Immediately })})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	client := dynamodb.NewFromConfig(cloud.Config("us-east-1"))
	if err := createTable(client); err != nil {
		t.Fatal(err)
	}
	return cloud, client
}

func createTable(client *dynamodb.Client) error {
	_, err := client.CreateTable(context.Background(), &dynamodb.CreateTableInput{
		TableName: aws.String("handled"), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("key"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("key"), AttributeType: types.ScalarAttributeTypeS}},
	})
	return err
}

func newStore(t testing.TB, api dynamodedupe.API, optFns ...func(*dynamodedupe.Options)) *dynamodedupe.Store {
	t.Helper()
	store, err := dynamodedupe.New(api, "handled", optFns...)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestStoreKeepsItsContract(t *testing.T) {
	t.Parallel()
	for _, lossy := range []bool{false, true} {
		t.Run(fmt.Sprintf("every reply is lost once: %v", lossy), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cloud, client := newCloud(t)
				s := newStore(t, client)
				ctx := t.Context()
				lose := func(operation string) {
					if !lossy {
						return
					}
					if _, err := cloud.LoseReply(dynamodb.ServiceID, operation, 1); err != nil {
						t.Fatal(err)
					}
				}
				begin := func(token string, want queueworker.Claim) {
					t.Helper()
					lose("UpdateItem")
					got, err := s.Begin(ctx, "k", token, 10*time.Second)
					slack := time.Second
					if lossy {
						slack = 9 * time.Second // the SDK pauses before it repeats a call
					}
					if got.State != want.State || got.Remaining > want.Remaining || got.Remaining < max(want.Remaining-slack, 0) || err != nil {
						t.Errorf("%+v, want %+v; %v", got, want, err)
					}
				}
				is := func(err, want error) {
					t.Helper()
					if !errors.Is(err, want) {
						t.Errorf("%v, want %v", err, want)
					}
				}
				extend := func(token string) error { lose("UpdateItem"); return s.Extend(ctx, "k", token, 10*time.Second) }
				complete := func(token string) error { lose("UpdateItem"); return s.Complete(ctx, "k", token, time.Minute) }
				abandon := func(token string) error { lose("DeleteItem"); return s.Abandon(ctx, "k", token) }

				begin("a", queueworker.Claim{})
				begin("a", queueworker.Claim{})
				begin("b", queueworker.Claim{State: queueworker.ClaimInProgress, Remaining: 10 * time.Second})
				is(extend("b"), queueworker.ErrClaimLost)
				is(complete("b"), queueworker.ErrClaimLost)
				is(abandon("b"), nil)
				is(extend("a"), nil)
				begin("b", queueworker.Claim{State: queueworker.ClaimInProgress, Remaining: 10 * time.Second})
				time.Sleep(11 * time.Second)
				begin("b", queueworker.Claim{}) // a has died
				is(extend("a"), queueworker.ErrClaimLost)
				is(complete("a"), queueworker.ErrClaimLost)
				is(abandon("a"), nil)
				time.Sleep(time.Minute)
				is(complete("b"), nil) // late, and nobody else was there
				is(complete("b"), nil)
				is(abandon("b"), nil)
				is(extend("b"), queueworker.ErrClaimLost)
				begin("c", queueworker.Claim{State: queueworker.ClaimDone})
				time.Sleep(61 * time.Second)
				begin("c", queueworker.Claim{}) // forgotten, although the item is there
				is(abandon("c"), nil)
				is(abandon("c"), nil)
				begin("d", queueworker.Claim{})
				is(abandon("d"), nil)
				is(complete("e"), nil) // its claim had ended and was deleted
			})
		})
	}
}

func TestOfThoseWhoClaimAtATimeOneWins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, client := newCloud(t)
		s := newStore(t, client)
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				claim, err := s.Begin(t.Context(), "k", fmt.Sprint(i), time.Minute)
				if err != nil {
					t.Error(err)
				}
				if claim.State == queueworker.ClaimNew {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d have won", won.Load())
		}
	})
}

func TestItemsAreAsThePageSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, client := newCloud(t)
		s := newStore(t, client, func(o *dynamodedupe.Options) { o.Prefix = "orders#" })
		ctx := t.Context()
		item := func() map[string]types.AttributeValue {
			out, err := client.GetItem(ctx, &dynamodb.GetItemInput{
				TableName: aws.String("handled"), ConsistentRead: aws.Bool(true),
				Key: map[string]types.AttributeValue{"key": &types.AttributeValueMemberS{Value: "orders#k"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			return out.Item
		}
		want := func(state string, until, expires time.Time) {
			t.Helper()
			want := map[string]types.AttributeValue{
				"key": &types.AttributeValueMemberS{Value: "orders#k"}, "token": &types.AttributeValueMemberS{Value: "a"},
				"state":   &types.AttributeValueMemberS{Value: state},
				"until":   &types.AttributeValueMemberN{Value: fmt.Sprint(until.UnixMilli())},
				"expires": &types.AttributeValueMemberN{Value: fmt.Sprint(expires.Unix())},
			}
			if diff := cmp.Diff(want, item(), cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{})); diff != "" {
				t.Error(diff)
			}
		}
		now := time.Now().Truncate(time.Second)
		time.Sleep(time.Until(now.Add(time.Second)))
		now = time.Now()
		if _, err := s.Begin(ctx, "k", "a", 10*time.Second); err != nil {
			t.Fatal(err)
		}
		want("open", now.Add(10*time.Second), now.Add(10*time.Second+24*time.Hour))
		now = time.Now().Truncate(time.Second).Add(time.Second)
		time.Sleep(time.Until(now))
		if err := s.Complete(ctx, "k", "a", time.Hour); err != nil {
			t.Fatal(err)
		}
		want("done", now.Add(time.Hour), now.Add(time.Hour))
	})
}

func TestAnItemOfSomebodyElseIsAnError(t *testing.T) {
	t.Parallel()
	n := func(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }
	s := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	for name, item := range map[string]map[string]types.AttributeValue{
		"no item":              nil,
		"no state":             {"until": n("1")},
		"a state of its own":   {"state": s("locked"), "until": n("1")},
		"a state of a number":  {"state": n("1"), "until": n("1")},
		"no time":              {"state": s("open")},
		"a time that is text":  {"state": s("open"), "until": s("1")},
		"a time of a fraction": {"state": s("open"), "until": n("1.5")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newStore(t, &queueworkermock.DynamoDedupeAPIMock{UpdateItemFunc: func(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
				return nil, &types.ConditionalCheckFailedException{Item: item}
			}})
			if claim, err := store.Begin(t.Context(), "k", "a", time.Second); err == nil {
				t.Errorf("%+v", claim)
			}
		})
	}
}

func TestErrorsOfDynamoDBAreHandedOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, client := newCloud(t)
		store, err := dynamodedupe.New(client, "missing")
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		_, begin := store.Begin(ctx, "k", "a", time.Second)
		for what, err := range map[string]error{
			`claim "k"`: begin, `extend the claim of "k"`: store.Extend(ctx, "k", "a", time.Second),
			`complete "k"`: store.Complete(ctx, "k", "a", time.Second), `abandon "k"`: store.Abandon(ctx, "k", "a"),
		} {
			var missing *types.ResourceNotFoundException
			if !errors.As(err, &missing) || errors.Is(err, queueworker.ErrClaimLost) || !strings.Contains(err.Error(), "dynamodedupe: "+what+" in missing: ") {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestTwoWorkersHandleAMessageOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, client := newCloud(t)
		var calls atomic.Int32
		handler := queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error {
			calls.Add(1)
			time.Sleep(2 * time.Minute) // four times the claim
			return nil
		})
		var wg sync.WaitGroup
		for range 2 {
			h := queueworker.Chain(handler, queueworker.Deduplicate(newStore(t, client)))
			wg.Go(func() {
				for {
					err := h.Handle(t.Context(), &queueworker.Message{ID: "m"})
					var outcome *queueworker.OutcomeError
					if !errors.As(err, &outcome) {
						if err != nil {
							t.Error(err)
						}
						return
					}
					time.Sleep(outcome.After)
				}
			})
		}
		wg.Wait()
		if calls.Load() != 1 {
			t.Errorf("handled %d times", calls.Load())
		}
	})
}

func TestNewRefusesMistakesAllAtOnce(t *testing.T) {
	t.Parallel()
	_, err := dynamodedupe.New(nil, "")
	if err == nil || err.Error() != "queueworker: api: must not be nil\nqueueworker: table: must be the name or ARN of a table" {
		t.Error(err)
	}
}
