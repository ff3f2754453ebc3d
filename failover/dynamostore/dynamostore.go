package dynamostore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/onecall"
)

// Limits of the parts of a key.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html (read 2026-11)
const (
	maxGroup = 2048
	maxName  = 1024
)

// Store is a [failover.Store] in a DynamoDB table. It is safe for concurrent use.
type Store struct {
	api   API
	table string
	opts  Options
	check check
}

var _ failover.Store = (*Store)(nil)

// New returns a store that uses a table, given by its name or ARN. It calls nothing: the table is looked at before the first use.
// Mistakes are reported all at once, each a [*failover.FieldError].
func New(api API, table string, optFns ...func(*Options)) (*Store, error) {
	s := &Store{api: api, table: table}
	for _, fn := range optFns {
		fn(&s.opts)
	}
	var errs []error
	if api == nil {
		errs = append(errs, &failover.FieldError{Field: "api", Value: api, Rule: "must not be nil"})
	}
	if table == "" {
		errs = append(errs, &failover.FieldError{Field: "table", Value: table, Rule: "must be the name or ARN of a table"})
	}
	if err := errors.Join(append(errs, s.opts.complete())...); err != nil {
		return nil, err
	}
	s.check.passed = s.opts.SkipTableCheck
	return s, nil
}

// Get implements [failover.Store] by one strongly consistent GetItem: one read unit for each 4 KB, at least one.
// Before the first use of the store, it makes one DescribeTable more; so do List and Put.
//
// Its errors, and those of List and Put, name the request and have that of the SDK within; those of the table are [ErrEventual] and
// [*KeyError]. If ctx ended, they match its cause.
func (s *Store) Get(ctx context.Context, group, name string) (failover.Entry, error) {
	what := s.what("get", name, group)
	if err := s.begin(ctx, what, group, name); err != nil {
		return failover.Entry{}, err
	}
	var out *dynamodb.GetItemOutput
	err := s.call(ctx, what, func(ctx context.Context, tap func(*dynamodb.Options)) (err error) {
		out, err = s.api.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: s.key(group, name), ConsistentRead: aws.Bool(true)}, tap)
		return err
	})
	if err != nil {
		return failover.Entry{}, err
	}
	if len(out.Item) == 0 {
		return failover.Entry{Name: name}, nil
	}
	e, err := s.entry(out.Item)
	if err != nil {
		return failover.Entry{}, fmt.Errorf("%s: %w", what, err)
	}
	return e, nil
}

// List implements [failover.Store] by strongly consistent queries: one request and 256 read units for each 1 MB of the group, at least one.
func (s *Store) List(ctx context.Context, group string) ([]failover.Entry, error) {
	what := fmt.Sprintf("dynamostore: list %q in %s", group, s.table)
	if err := s.begin(ctx, what, group, "any"); err != nil {
		return nil, err
	}
	in := &dynamodb.QueryInput{
		TableName: &s.table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("#group = :group"),
		ExpressionAttributeNames:  map[string]string{"#group": s.opts.GroupAttribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{":group": text(group)},
	}
	var entries []failover.Entry
	for {
		var out *dynamodb.QueryOutput
		err := s.call(ctx, what, func(ctx context.Context, tap func(*dynamodb.Options)) (err error) {
			out, err = s.api.Query(ctx, in, tap)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, item := range out.Items {
			e, err := s.entry(item)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", what, err)
			}
			entries = append(entries, e)
		}
		if len(out.LastEvaluatedKey) == 0 {
			return entries, nil // the order of a string sort key is that of its UTF-8 bytes
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// Put implements [failover.Store] by one conditional PutItem: one write unit for each 1 KB, at least one, also if it is refused.
//
// A write whose reply was lost and that the SDK repeats meets itself, and is told from another's by what DynamoDB returns of the item with
// the refusal: Put succeeds then, without another request. [ErrBusy] besides the errors of Get.
func (s *Store) Put(ctx context.Context, group, name string, value []byte, old failover.Version) (failover.Version, error) {
	what := s.what("put", name, group)
	if err := failover.CheckValue(value); err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	if err := s.begin(ctx, what, group, name); err != nil {
		return "", err
	}
	before, err := parseVersion(old)
	if err != nil {
		return "", fmt.Errorf("%s: %w: %w", what, failover.ErrChanged, err)
	}
	next := version{before.number + 1, rand.Text()}
	err = s.call(ctx, what, func(ctx context.Context, tap func(*dynamodb.Options)) error {
		_, err := s.api.PutItem(ctx, s.putItem(group, name, value, before, next), tap)
		return err
	})
	class := awserr.Of(err)
	switch {
	case err == nil:
		return next.text(), nil
	case errors.As(err, new(*onecall.CutError)): // whatever was answered before, the last try may have been stored
		return "", err
	case class == awserr.Conflict:
		return refused(err, old, next)
	case class == awserr.Busy:
		return "", fmt.Errorf("%w: %w", err, ErrBusy)
	default:
		return "", err
	}
}

func (s *Store) putItem(group, name string, value []byte, before, next version) *dynamodb.PutItemInput {
	item := s.key(group, name)
	item[attrValue] = &types.AttributeValueMemberB{Value: append([]byte{}, value...)} // never nil, which is no empty value to the SDK
	item[attrVersion], item[attrWrite] = number(next.number), text(next.write)
	in := &dynamodb.PutItemInput{
		TableName: &s.table, Item: item,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if before == (version{}) {
		in.ConditionExpression = aws.String("attribute_not_exists(#group)")
		in.ExpressionAttributeNames = map[string]string{"#group": s.opts.GroupAttribute}
		return in
	}
	in.ConditionExpression = aws.String("#version = :version AND #write = :write")
	in.ExpressionAttributeNames = map[string]string{"#version": attrVersion, "#write": attrWrite}
	in.ExpressionAttributeValues = map[string]types.AttributeValue{":version": number(before.number), ":write": text(before.write)}
	return in
}

// refused settles a condition that did not hold by the item that DynamoDB returns with the refusal.
func refused(err error, old failover.Version, next version) (failover.Version, error) {
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok || len(failed.Item) == 0 {
		return "", fmt.Errorf("%w: over version %q: %w", err, old, failover.ErrChanged)
	}
	found, bad := versionOf(failed.Item)
	switch {
	case bad != nil:
		return "", fmt.Errorf("%w: over version %q: %w: %w", err, old, failover.ErrChanged, bad)
	case found == next:
		return next.text(), nil // an earlier try of this request: nobody else has its write
	default:
		return "", fmt.Errorf("%w: over version %q: %w: it is %q", err, old, failover.ErrChanged, found.text())
	}
}

// begin refuses what cannot be asked of DynamoDB, and a table that will not do.
func (s *Store) begin(ctx context.Context, what, group, name string) error {
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := errors.Join(checkKey("group", group, maxGroup), checkKey("name", name, maxName)); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := s.ready(ctx); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// checkKey refuses what DynamoDB cannot keep: the SDK would send bytes that are not UTF-8 as others, and two keys could become one.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html (read 2026-11)
func checkKey(field, value string, longest int) error {
	if value == "" || len(value) > longest || !utf8.ValidString(value) {
		return &failover.FieldError{Field: field, Value: value, Rule: fmt.Sprintf("must be UTF-8 of 1 to %d bytes", longest)}
	}
	return nil
}

// call makes one request within the timeout. An error says what was asked for, and why there was no success in time.
func (s *Store) call(ctx context.Context, what string, request func(context.Context, func(*dynamodb.Options)) error) error {
	err := onecall.Do(ctx, s.opts.Timeout, func(ctx context.Context, tap onecall.Tap) error {
		return request(ctx, func(o *dynamodb.Options) { o.Retryer = tap(o.Retryer) })
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (s *Store) what(verb, name, group string) string {
	return fmt.Sprintf("dynamostore: %s %q of %q in %s", verb, name, group, s.table)
}

func (s *Store) key(group, name string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{s.opts.GroupAttribute: text(group), s.opts.NameAttribute: text(name)}
}

// entry reads an item.
func (s *Store) entry(item map[string]types.AttributeValue) (failover.Entry, error) {
	name, _ := item[s.opts.NameAttribute].(*types.AttributeValueMemberS)
	value, _ := item[attrValue].(*types.AttributeValueMemberB)
	v, err := versionOf(item)
	if err != nil || name == nil || value == nil {
		return failover.Entry{}, errItem
	}
	return failover.Entry{Name: name.Value, Value: value.Value, Version: v.text()}, nil
}

var errItem = errors.New("the table holds an item under the key that is not this package's")

// version tells the states of an entry apart. The number is for people, who read how often an entry was written; the write is the
// request's own, so that a version does not return even if an item is deleted by hand and made again.
type version struct {
	number uint64
	write  string
}

func (v version) text() failover.Version {
	return failover.Version(strconv.FormatUint(v.number, 10) + "." + v.write)
}

// parseVersion reads a version that text wrote; the empty one is that of no entry. An error means that no entry has it.
func parseVersion(text failover.Version) (version, error) {
	if text == "" {
		return version{}, nil
	}
	digits, write, ok := strings.Cut(string(text), ".")
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || !ok || n == 0 || write == "" {
		return version{}, fmt.Errorf("%q is no version of this store", text)
	}
	return version{n, write}, nil
}

func versionOf(item map[string]types.AttributeValue) (version, error) {
	n, _ := item[attrVersion].(*types.AttributeValueMemberN)
	write, _ := item[attrWrite].(*types.AttributeValueMemberS)
	if n == nil || write == nil || write.Value == "" {
		return version{}, errItem
	}
	parsed, err := strconv.ParseUint(n.Value, 10, 64)
	if err != nil || parsed == 0 {
		return version{}, errItem
	}
	return version{parsed, write.Value}, nil
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n uint64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatUint(n, 10)}
}
