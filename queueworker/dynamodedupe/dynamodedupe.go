package dynamodedupe

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/queueworker"
)

// Options are the options of a store. The zero value of each field means its default.
type Options struct {
	// Prefix is put in front of each key: what tells queues, or environments, apart that share a table. Default none.
	Prefix string
}

// Store remembers messages in a table. It is safe for concurrent use.
type Store struct {
	api    API
	table  string
	prefix string
}

var _ queueworker.Store = (*Store)(nil)

// New returns a store that uses a table, given by its name or ARN. Mistakes are *queueworker.FieldError. It calls nothing.
func New(api API, table string, optFns ...func(*Options)) (*Store, error) {
	var opts Options
	for _, fn := range optFns {
		fn(&opts)
	}
	var errs []error
	if api == nil {
		errs = append(errs, &queueworker.FieldError{Field: "api", Rule: "must not be nil"})
	}
	if table == "" {
		errs = append(errs, &queueworker.FieldError{Field: "table", Rule: "must be the name or ARN of a table"})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Store{api: api, table: table, prefix: opts.Prefix}, nil
}

// spareLife is for how long an open claim that ended stays in the table for people to see, before time to live deletes it.
const spareLife = 24 * time.Hour

// The attributes of an item. Some of the names are reserved words of DynamoDB, so that expressions use others.
const (
	attrKey     = "key"
	attrToken   = "token"
	attrState   = "state"
	attrUntil   = "until"
	attrExpires = "expires"

	stateOpen = "open"
	stateDone = "done"
)

const setItem = "SET #token = :token, #state = :state, #until = :until, #expires = :expires"

// Begin claims a key by one conditional write. See queueworker.Store.
func (s *Store) Begin(ctx context.Context, key, token string, lock time.Duration) (queueworker.Claim, error) {
	now := time.Now()
	in := s.update(key, token, stateOpen, now.Add(lock), now.Add(lock+spareLife))
	condition := "attribute_not_exists(#key) OR #token = :token OR #until <= :now"
	in.ConditionExpression = &condition
	in.ExpressionAttributeNames["#key"] = attrKey
	in.ExpressionAttributeValues[":now"] = millis(now)
	in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	_, err := s.api.UpdateItem(ctx, in)
	if taken, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return claimOf(taken.Item, time.Now())
	}
	if err != nil {
		return queueworker.Claim{}, fmt.Errorf("dynamodedupe: claim %q in %s: %w", key, s.table, err)
	}
	return queueworker.Claim{State: queueworker.ClaimNew}, nil
}

// claimOf reads the item of another's claim.
func claimOf(item map[string]types.AttributeValue, now time.Time) (queueworker.Claim, error) {
	state, _ := item[attrState].(*types.AttributeValueMemberS)
	if state != nil && state.Value == stateDone {
		return queueworker.Claim{State: queueworker.ClaimDone}, nil
	}
	until, _ := item[attrUntil].(*types.AttributeValueMemberN)
	if state == nil || state.Value != stateOpen || until == nil {
		return queueworker.Claim{}, errItem
	}
	ms, err := strconv.ParseInt(until.Value, 10, 64)
	if err != nil {
		return queueworker.Claim{}, errItem
	}
	return queueworker.Claim{State: queueworker.ClaimInProgress, Remaining: max(time.UnixMilli(ms).Sub(now), 0)}, nil
}

var errItem = errors.New("dynamodedupe: the table holds an item for the key that is not this package's")

// Extend extends a claim by one conditional write. See queueworker.Store.
func (s *Store) Extend(ctx context.Context, key, token string, lock time.Duration) error {
	now := time.Now()
	in := s.update(key, token, stateOpen, now.Add(lock), now.Add(lock+spareLife))
	condition := "#token = :token AND #state = :state"
	in.ConditionExpression = &condition
	return s.write(ctx, in, "extend the claim of", key)
}

// Complete completes a claim by one conditional write. See queueworker.Store.
func (s *Store) Complete(ctx context.Context, key, token string, ttl time.Duration) error {
	now := time.Now()
	in := s.update(key, token, stateDone, now.Add(ttl), now.Add(ttl))
	condition := "attribute_not_exists(#key) OR #token = :token OR #until <= :now"
	in.ConditionExpression = &condition
	in.ExpressionAttributeNames["#key"] = attrKey
	in.ExpressionAttributeValues[":now"] = millis(now)
	return s.write(ctx, in, "complete", key)
}

func (s *Store) write(ctx context.Context, in *dynamodb.UpdateItemInput, what, key string) error {
	_, err := s.api.UpdateItem(ctx, in)
	if err == nil {
		return nil
	}
	if refused(err) {
		return fmt.Errorf("dynamodedupe: %s %q in %s: %w: %w", what, key, s.table, queueworker.ErrClaimLost, err)
	}
	return fmt.Errorf("dynamodedupe: %s %q in %s: %w", what, key, s.table, err)
}

// Abandon ends a claim by one conditional delete. See queueworker.Store.
func (s *Store) Abandon(ctx context.Context, key, token string) error {
	condition := "#token = :token AND #state = :state"
	_, err := s.api.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.table, Key: s.key(key), ConditionExpression: &condition,
		ExpressionAttributeNames:  map[string]string{"#token": attrToken, "#state": attrState},
		ExpressionAttributeValues: map[string]types.AttributeValue{":token": text(token), ":state": text(stateOpen)},
	})
	if err != nil && !refused(err) {
		return fmt.Errorf("dynamodedupe: abandon %q in %s: %w", key, s.table, err)
	}
	return nil
}

// update is a write of a whole item, without its condition.
func (s *Store) update(key, token, state string, until, expires time.Time) *dynamodb.UpdateItemInput {
	expression := setItem
	return &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: s.key(key), UpdateExpression: &expression,
		ExpressionAttributeNames: map[string]string{"#token": attrToken, "#state": attrState, "#until": attrUntil, "#expires": attrExpires},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":token": text(token), ":state": text(state), ":until": millis(until),
			":expires": number(expires.Add(time.Second - 1).Unix()), // not before until
		},
	}
}

func (s *Store) key(key string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{attrKey: text(s.prefix + key)}
}

// refused reports whether a condition did not hold.
func refused(err error) bool {
	_, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	return ok
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func millis(t time.Time) types.AttributeValue { return number(t.UnixMilli()) }
