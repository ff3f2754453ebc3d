package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/dynamostore"
	"github.com/awsha/awsha/failover/failovermock"
	"github.com/awsha/awsha/failover/storetest"
)

// Reads that are not strongly consistent see nothing of it.
func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	_, client := newCloud(t, func(o *awstest.Options) { o.VisibilityLag = time.Minute })
	store := newStore(t, client, patient, func(o *dynamostore.Options) { o.SkipTableCheck = true }) // the table is not to be seen yet
	storetest.Run(t, func(*testing.T) failover.Store { return store })
}

// hasty repeats calls without the pauses of the SDK, which are real ones in these tests.
func hasty(o *dynamodb.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 8, time.Millisecond })
}

func TestStoreKeepsTheContractWhileRepliesAreLost(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	inject(t, cloud, awstest.Match{Probability: 0.05}, awstest.LoseReply())
	inject(t, cloud, awstest.Match{Probability: 0.05}, awstest.Throttle())
	store := newStore(t, dynamodb.NewFromConfig(cloud.Config("us-east-1"), hasty), patient)
	storetest.Run(t, func(*testing.T) failover.Store { return store })
}

func TestARaceIsWonOnceAlthoughOthersAreInTheWay(t *testing.T) {
	t.Parallel()
	cloud, client := newCloud(t)
	inject(t, cloud, awstest.Match{Operation: "PutItem", Probability: 0.2}, dynamodbsvc.Conflict())
	inject(t, cloud, awstest.Match{Operation: "PutItem", Probability: 0.2}, awstest.Reject(awstest.APIError{Code: "ReplicatedWriteConflictException", Status: 400}))
	storetest.Race(t, newStore(t, client, patient))
}

func TestAWriteWhoseReplyIsLostSucceeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s := newStore(t, client, patient)
		version := failover.Version("")
		for _, value := range []string{"created", "replaced"} {
			inject(t, cloud, awstest.Match{Operation: "PutItem", Times: 2}, awstest.LoseReply())
			var err error
			if version, err = s.Put(t.Context(), "g", "n", []byte(value), version); err != nil {
				t.Fatal(err)
			}
			wantEntry(t, s, value, version)
		}
		if n := cloud.Count(dynamodb.ServiceID, "PutItem"); n != 6 {
			t.Errorf("%d requests, want 3 for each write", n)
		}
	})
}

func TestAWriteThatIsOvertakenWhileItsReplyIsLostHasChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s, rival := newStore(t, client, patient), newStore(t, client, patient)
		inject(t, cloud, awstest.Match{Operation: "PutItem", Times: 1}, awstest.After(func(ctx context.Context, _ awstest.Record) {
			e, err := rival.Get(ctx, "g", "n")
			if err == nil {
				_, err = rival.Put(ctx, "g", "n", []byte("rival"), e.Version)
			}
			if err != nil {
				t.Error(err)
			}
		}))
		inject(t, cloud, awstest.Match{Operation: "PutItem", Times: 1}, awstest.LoseReply())
		_, err := s.Put(t.Context(), "g", "n", []byte("first"), "")
		if !errors.Is(err, failover.ErrChanged) {
			t.Error(err)
		}
		e, err := s.Get(t.Context(), "g", "n")
		if string(e.Value) != "rival" || err != nil {
			t.Errorf("%q, %v", e.Value, err)
		}
	})
}

// The table's item can be deleted by hand, and made again by another: that is not the version that the first holder knows.
func TestAVersionDoesNotReturnWithADeletedItem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, client := newCloud(t)
		s, ctx := newStore(t, client), t.Context()
		first, err := s.Put(ctx, "g", "n", []byte("A"), "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("failover"), Key: key("g", "n")}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(ctx, "g", "n", []byte("B"), first); !errors.Is(err, failover.ErrChanged) {
			t.Errorf("over an item that was deleted: %v", err)
		}
		second, err := s.Put(ctx, "g", "n", []byte("A"), "")
		if err != nil || second == first {
			t.Errorf("%q again, %v", second, err)
		}
		if _, err := s.Put(ctx, "g", "n", []byte("B"), first); !errors.Is(err, failover.ErrChanged) {
			t.Errorf("over an item that was made again: %v", err)
		}
		if _, err := s.Put(ctx, "g", "n", []byte("B"), "12"); !errors.Is(err, failover.ErrChanged) {
			t.Errorf("over a version of another store: %v", err)
		}
		wantEntry(t, s, "A", second)
	})
}

func TestWhatDynamoDBAnswersIsHandedOn(t *testing.T) {
	t.Parallel()
	reject := func(code string, status int) awstest.Effect {
		return awstest.Reject(awstest.APIError{Code: code, Message: "no", Status: status})
	}
	for name, test := range map[string]struct {
		effect awstest.Effect
		want   error  // the error matches it
		says   string // and has it in its text
		stored bool
	}{
		"another region":     {reject("ReplicatedWriteConflictException", 400), dynamostore.ErrBusy, "ReplicatedWriteConflictException", false},
		"a transaction":      {dynamodbsvc.Conflict(), dynamostore.ErrBusy, "TransactionConflictException", false},
		"throttled":          {awstest.Throttle(), nil, "ProvisionedThroughputExceededException", false},
		"down":               {awstest.Unavailable(), nil, "InternalServerError", false},
		"denied":             {awstest.Deny(), nil, "AccessDeniedException", false},
		"hanging":            {awstest.Hang(), context.DeadlineExceeded, "no success in 1s", false},
		"lost for ever":      {awstest.LoseReply(), nil, "", true},
		"applied, and slow":  {awstest.DelayReply(time.Minute), context.DeadlineExceeded, "no success in 1s", true},
		"applied, and wrong": {awstest.ApplyThenReject(awstest.APIError{Code: "InternalServerError", Status: 500}), nil, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cloud, client := newCloud(t)
				s, ctx := newStore(t, client), t.Context()
				if _, err := s.Get(ctx, "g", "n"); err != nil {
					t.Fatal(err)
				}
				heal := inject(t, cloud, awstest.Match{Operation: "PutItem"}, test.effect)
				began := time.Now()
				_, err := s.Put(ctx, "g", "n", []byte("v"), "")
				if took := time.Since(began); took > time.Second {
					t.Errorf("took %v", took)
				}
				heal()
				switch {
				case test.stored && err == nil: // settled by the repetition
				case err == nil || errors.Is(err, failover.ErrChanged):
					t.Errorf("got %v", err)
				case test.want != nil && !errors.Is(err, test.want):
					t.Errorf("got %v, want %v", err, test.want)
				case !strings.Contains(err.Error(), test.says) || !strings.HasPrefix(err.Error(), `dynamostore: put "n" of "g" in failover: `):
					t.Errorf("got %v, which does not say %q", err, test.says)
				}
				e, err := s.Get(ctx, "g", "n")
				if stored := e.Version != ""; stored != test.stored || err != nil {
					t.Errorf("stored: %v, want %v; %v", stored, test.stored, err)
				}
			})
		})
	}
}

func TestARequestThatIsCancelledTellsWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s := newStore(t, client)
		inject(t, cloud, awstest.Match{}, awstest.Hang())
		why := errors.New("the reason")
		for _, call := range []func(context.Context) error{
			func(ctx context.Context) error { _, err := s.Get(ctx, "g", "n"); return err },
			func(ctx context.Context) error { _, err := s.List(ctx, "g"); return err },
			func(ctx context.Context) error { _, err := s.Put(ctx, "g", "n", nil, ""); return err },
		} {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(100*time.Millisecond, func() { cancel(why) })
			if err := call(ctx); !errors.Is(err, why) {
				t.Error(err)
			}
		}
	})
}

func TestADeletedTableIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, client := newCloud(t)
		s, ctx := newStore(t, client), t.Context()
		version, err := s.Put(ctx, "g", "n", nil, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String("failover")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		_, get := s.Get(ctx, "g", "n")
		_, list := s.List(ctx, "g")
		_, put := s.Put(ctx, "g", "n", nil, version)
		for what, err := range map[string]error{`get "n" of "g"`: get, `list "g"`: list, `put "n" of "g"`: put} {
			var missing *types.ResourceNotFoundException
			if !errors.As(err, &missing) || errors.Is(err, failover.ErrChanged) || !strings.HasPrefix(err.Error(), "dynamostore: "+what+" in failover: ") {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestAnItemOfSomebodyElseIsAnError(t *testing.T) {
	t.Parallel()
	n := func(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }
	str := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	value := &types.AttributeValueMemberB{Value: []byte("v")}
	for name, item := range map[string]map[string]types.AttributeValue{
		"no attributes":           {},
		"no value":                {"version": n("1"), "write": str("w")},
		"a value of text":         {"value": str("v"), "version": n("1"), "write": str("w")},
		"no version":              {"value": value, "write": str("w")},
		"a version of text":       {"value": value, "version": str("1"), "write": str("w")},
		"a version of a fraction": {"value": value, "version": n("1.5"), "write": str("w")},
		"no write":                {"value": value, "version": n("1")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, client := newCloud(t)
				s, ctx := newStore(t, client), t.Context()
				maps.Copy(item, key("g", "n"))
				if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("failover"), Item: item}); err != nil {
					t.Fatal(err)
				}
				e, get := s.Get(ctx, "g", "n")
				list, listing := s.List(ctx, "g")
				if get == nil || listing == nil {
					t.Errorf("%+v, %+v", e, list)
				}
				if _, err := s.Put(ctx, "g", "n", nil, ""); err == nil {
					t.Error("put over it")
				}
			})
		})
	}
}

func TestWhatDynamoDBCannotKeepIsRefusedWithoutACall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s, ctx := newStore(t, client), t.Context()
		before := cloud.Count(dynamodb.ServiceID, "")
		put := func(group, name string, value []byte) error { _, err := s.Put(ctx, group, name, value, ""); return err }
		for field, err := range map[string]error{
			"group":          put("", "n", nil),
			"name":           put("g", "", nil),
			"bytes of value": put("g", "n", make([]byte, 64<<10+1)),
		} {
			var wrong *failover.FieldError
			if !errors.As(err, &wrong) || wrong.Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		for _, err := range []error{put("g", "\xff", nil), put("\xff", "n", nil), put(strings.Repeat("g", 2049), "n", nil), put("g", strings.Repeat("n", 1025), nil)} {
			if !errors.As(err, new(*failover.FieldError)) {
				t.Error(err)
			}
		}
		if _, err := s.List(ctx, ""); !errors.As(err, new(*failover.FieldError)) {
			t.Error(err)
		}
		if _, err := s.Get(ctx, "", ""); !errors.As(err, new(*failover.FieldError)) {
			t.Error(err)
		}
		if n := cloud.Count(dynamodb.ServiceID, ""); n != before {
			t.Errorf("%d calls", n-before)
		}
		if err := put(strings.Repeat("g", 2048), strings.Repeat("n", 1024), make([]byte, 64<<10)); err != nil {
			t.Error(err)
		}
	})
}

func TestCosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s, ctx := newStore(t, client), t.Context()
		for i := range 40 { // 2.5 MB
			if _, err := s.Put(ctx, "g", fmt.Sprint(i), make([]byte, 64<<10), ""); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Get(ctx, "g", "1"); err != nil {
			t.Fatal(err)
		}
		if list, err := s.List(ctx, "g"); err != nil || len(list) != 40 {
			t.Fatal(len(list), err)
		}
		for operation, want := range map[string]int{"DescribeTable": 1, "PutItem": 40, "GetItem": 1, "Query": 3} {
			if n := cloud.Count(dynamodb.ServiceID, operation); n != want {
				t.Errorf("%d calls of %s, want %d", n, operation, want)
			}
		}
	})
}

func TestNewReportsMistakesAllAtOnce(t *testing.T) {
	t.Parallel()
	_, err := dynamostore.New(nil, "", func(o *dynamostore.Options) {
		o.GroupAttribute, o.NameAttribute, o.Timeout = "value", "value", -1
	})
	for _, want := range []string{
		"failover: api: <nil> must not be nil", `failover: table: "" must be the name or ARN of a table`, "failover: Options.Timeout: -1ns must not be negative",
		`failover: Options.GroupAttribute: "value" is an attribute of the store's own`,
		`failover: Options.NameAttribute: "value" is the attribute of the group, or of the store's own`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("nothing of %s in %v", want, err)
		}
	}
	_, err = dynamostore.New(&failovermock.DynamoStoreAPIMock{}, "t", func(o *dynamostore.Options) { o.GroupAttribute, o.NameAttribute = "x", "x" })
	if err == nil {
		t.Error("one attribute is both")
	}
}

// patient gives the SDK the time for all of its pauses, and a machine under load that for all of its work.
func patient(o *dynamostore.Options) { o.Timeout = time.Minute }

func key(group, name string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"group": &types.AttributeValueMemberS{Value: group}, "name": &types.AttributeValueMemberS{Value: name}}
}

func wantEntry(t *testing.T, s failover.Store, value string, version failover.Version) {
	t.Helper()
	e, err := s.Get(t.Context(), "g", "n")
	if string(e.Value) != value || e.Version != version || err != nil {
		t.Errorf("got %q with version %q, want %q with %q; %v", e.Value, e.Version, value, version, err)
	}
}
