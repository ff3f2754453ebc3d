package conformance_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html (read 2026-11)
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteTable.html (read 2026-11)
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html (read 2026-11)
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html (read 2026-11)
var tableScenarios = []scenario{
	{
		name: "a table has a life",
		run: func(s *session) {
			name := s.tableName("t")
			out, err := s.dynamodb.CreateTable(s.Context(), s.tableInput("t", types.ScalarAttributeTypeN))
			s.accepted("creating", err)
			if err != nil {
				return
			}
			s.dropsTable(name)
			s.is("state in the reply", string(out.TableDescription.TableStatus), "CREATING")
			_, err = s.dynamodb.CreateTable(s.Context(), s.tableInput("t"))
			s.refused("creating it again", err, "ResourceInUseException")
			s.shows("state", "ACTIVE", func() string { return s.tableState(name) })
			s.is("state by ARN", s.tableState(*out.TableDescription.TableArn), "ACTIVE")
			d := must(s.dynamodb.DescribeTable(s.Context(), &dynamodb.DescribeTableInput{TableName: &name}))(s).Table
			var keys []string
			for _, k := range d.KeySchema {
				keys = append(keys, *k.AttributeName+" "+string(k.KeyType))
			}
			s.is("keys", strings.Join(keys, ", "), "pk HASH, sk RANGE")
			s.is("billing", string(d.BillingModeSummary.BillingMode), "PAY_PER_REQUEST")
			s.is("protection", fmt.Sprint(aws.ToBool(d.DeletionProtectionEnabled)), "false")
			s.shows("in the list", "there", func() string {
				for p := dynamodb.NewListTablesPaginator(s.dynamodb, &dynamodb.ListTablesInput{}); p.HasMorePages(); {
					if slices.Contains(must(p.NextPage(s.Context()))(s).TableNames, name) {
						return "there"
					}
				}
				return "missing"
			})

			_, err = s.dynamodb.UpdateTable(s.Context(), &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: aws.Bool(true)})
			s.accepted("protecting", err)
			s.shows("state after that", "ACTIVE", func() string { return s.tableState(name) })
			s.refused("deleting a protected one", s.dropTable(name), "ValidationException")
			_, err = s.dynamodb.UpdateTable(s.Context(), &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: aws.Bool(false)})
			s.accepted("unprotecting", err)
			s.shows("state in the end", "ACTIVE", func() string { return s.tableState(name) })
			_, err = s.dynamodb.UpdateTable(s.Context(), &dynamodb.UpdateTableInput{TableName: &name})
			s.refused("changing nothing", err, "ValidationException")
			s.accepted("deleting", s.dropTable(name))
			s.shows("state of a deleted one", "ResourceNotFoundException", func() string { return s.tableState(name) })
			s.refused("deleting again", s.dropTable(name), "ResourceNotFoundException")
			_, err = s.dynamodb.GetItem(s.Context(), &dynamodb.GetItemInput{TableName: &name, Key: dynItem("pk", "a", "sk", 1)})
			s.refused("reading a deleted one", err, "ResourceNotFoundException")
		},
		differs: []difference{
			{on: motoName, at: "changing nothing", does: "accepted"},
			{on: motoName, at: "state in the reply", does: "ACTIVE"},
		},
	},
	{
		name: "a table is refused",
		run: func(s *session) {
			for at, change := range map[string]func(*dynamodb.CreateTableInput){
				"a name of two letters": func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("ab") },
				"a name with a slash":   func(in *dynamodb.CreateTableInput) { in.TableName = aws.String(*in.TableName + "/") },
				"a key that is not defined": func(in *dynamodb.CreateTableInput) {
					in.KeySchema[0].AttributeName = aws.String("other")
				},
				"an attribute that is no key": func(in *dynamodb.CreateTableInput) { in.KeySchema = in.KeySchema[:1] },
				"a range key first": func(in *dynamodb.CreateTableInput) {
					in.KeySchema[0].KeyType, in.KeySchema[1].KeyType = types.KeyTypeRange, types.KeyTypeHash
				},
				"no throughput": func(in *dynamodb.CreateTableInput) { in.BillingMode = types.BillingModeProvisioned },
				"throughput on demand": func(in *dynamodb.CreateTableInput) {
					in.ProvisionedThroughput = &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(1), WriteCapacityUnits: aws.Int64(1)}
				},
			} {
				in := s.tableInput("t", types.ScalarAttributeTypeS)
				change(in)
				_, err := s.dynamodb.CreateTable(s.Context(), in)
				s.refused(at, err, "ValidationException")
				if err == nil {
					s.dropsTable(*in.TableName)
					must(struct{}{}, s.dropTable(*in.TableName))(s)
				}
			}
		},
		differs: []difference{
			{on: motoName, at: "a name of two letters", does: "accepted"},
			{on: motoName, at: "a name with a slash", does: "accepted"},
			{on: motoName, at: "a range key first", does: "accepted"},
		},
	},
	{
		name: "a table has tags",
		run: func(s *session) {
			table := s.table("t")
			arn := must(s.dynamodb.DescribeTable(s.Context(), &dynamodb.DescribeTableInput{TableName: &table}))(s).Table.TableArn
			read := func() string {
				out, err := s.dynamodb.ListTagsOfResource(s.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: arn})
				if err != nil {
					return outcome(err)
				}
				tags := []string{}
				for _, t := range out.Tags {
					if *t.Key != markKey {
						tags = append(tags, *t.Key+"="+*t.Value)
					}
				}
				slices.Sort(tags)
				return strings.Join(tags, " ")
			}
			_, err := s.dynamodb.TagResource(s.Context(), &dynamodb.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}})
			s.accepted("tagging", err)
			s.shows("two tags", "a=1 b=2", read)
			_, err = s.dynamodb.TagResource(s.Context(), &dynamodb.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("3")}}})
			s.accepted("tagging again", err)
			s.shows("the later value", "a=3 b=2", read)
			_, err = s.dynamodb.UntagResource(s.Context(), &dynamodb.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a", "missing"}})
			s.accepted("untagging", err)
			s.shows("one tag", "b=2", read)
			arn = aws.String(*arn + "x")
			s.is("of an unknown table", read(), "ResourceNotFoundException")
		},
		differs: []difference{
			{on: motoName, at: "the later value", does: "a=1 a=3 b=2"},
		},
	},
	{
		name: "time to live takes a while to be enabled",
		run: func(s *session) {
			table := s.table("t")
			set := func(attribute string, enabled bool) error {
				_, err := s.dynamodb.UpdateTimeToLive(s.Context(), &dynamodb.UpdateTimeToLiveInput{
					TableName: &table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &attribute, Enabled: &enabled},
				})
				return err
			}
			read := func() string {
				d := must(s.dynamodb.DescribeTimeToLive(s.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &table}))(s).TimeToLiveDescription
				return string(d.TimeToLiveStatus) + " " + told(d.AttributeName)
			}
			s.is("at first", read(), "DISABLED none")
			s.refused("disabling what is disabled", set("expires", false), "ValidationException")
			s.accepted("enabling", set("expires", true))
			// It may be enabled at once, and it may take an hour.
			state := s.await("enabled", "ENABLED expires", read)
			s.is("enabled", strings.Replace(state, "ENABLING", "ENABLED", 1), "ENABLED expires")
			s.refused("enabling again", set("expires", true), "ValidationException")
			s.refused("another attribute", set("other", true), "ValidationException")
			past := dynItem("pk", "a", "expires", time.Now().Add(-time.Hour).Unix())
			must(s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &table, Item: past}))(s)
			s.is("an item that has just expired", s.readItem(table, dynItem("pk", "a")), dynText(past))
		},
		differs: []difference{
			{on: motoName, at: "another attribute", does: "accepted"},
			{on: motoName, at: "disabling what is disabled", does: "accepted"},
			{on: motoName, at: "enabling again", does: "accepted"},
		},
	},
}

func (s *session) tableName(name string) string { return "awsha-" + s.mark + "-" + name }

// tableInput makes a table with a partition key pk, and a sort key sk where its type is given.
func (s *session) tableInput(name string, sort ...types.ScalarAttributeType) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName: aws.String(s.tableName(name)), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		Tags:                 []types.Tag{{Key: aws.String(markKey), Value: &s.mark}},
	}
	for _, kind := range sort {
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange})
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: aws.String("sk"), AttributeType: kind})
	}
	return in
}

// table makes a table, waits until it is active, and returns its name.
func (s *session) table(name string, sort ...types.ScalarAttributeType) string {
	s.Helper()
	in := s.tableInput(name, sort...)
	must(s.dynamodb.CreateTable(s.Context(), in))(s)
	s.dropsTable(*in.TableName)
	if got := s.await("the table", "ACTIVE", func() string { return s.tableState(*in.TableName) }); got != "ACTIVE" {
		s.Fatalf("the table is %s", got)
	}
	return *in.TableName
}

func (s *session) tableState(name string) string {
	out, err := s.dynamodb.DescribeTable(s.Context(), &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return outcome(err)
	}
	return string(out.Table.TableStatus)
}

func (s *session) dropTable(name string) error {
	_, err := s.dynamodb.DeleteTable(s.Context(), &dynamodb.DeleteTableInput{TableName: &name})
	return err
}

// dropsTable takes a table away at the end, and waits until it is gone.
func (s *session) dropsTable(name string) {
	s.cleanly(name, func(ctx context.Context) error {
		_, err := s.dynamodb.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
		if err != nil {
			return unless(err, "ResourceNotFoundException")
		}
		waiter := dynamodb.NewTableNotExistsWaiter(s.dynamodb, func(o *dynamodb.TableNotExistsWaiterOptions) { o.MinDelay = s.pause })
		return waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, s.patience)
	})
}

// readItem reads an item consistently, and writes it out.
func (s *session) readItem(table string, key map[string]types.AttributeValue) string {
	out, err := s.dynamodb.GetItem(s.Context(), &dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return outcome(err)
	}
	return dynText(out.Item)
}

// dynNumber is a number that is written out.
type dynNumber string

// dynItem makes an item of names and values in turn.
func dynItem(pairs ...any) map[string]types.AttributeValue {
	item := map[string]types.AttributeValue{}
	for i := 0; i < len(pairs); i += 2 {
		item[pairs[i].(string)] = dynValue(pairs[i+1])
	}
	return item
}

func dynValue(v any) types.AttributeValue {
	switch v := v.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: v}
	case dynNumber:
		return &types.AttributeValueMemberN{Value: string(v)}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case []byte:
		return &types.AttributeValueMemberB{Value: v}
	case nil:
		return &types.AttributeValueMemberNULL{Value: true}
	case []any:
		list := &types.AttributeValueMemberL{Value: []types.AttributeValue{}}
		for _, e := range v {
			list.Value = append(list.Value, dynValue(e))
		}
		return list
	case map[string]types.AttributeValue:
		return &types.AttributeValueMemberM{Value: v}
	case types.AttributeValue:
		return v
	}
	return &types.AttributeValueMemberN{Value: fmt.Sprint(v)}
}

func dynSet(members ...string) types.AttributeValue {
	return &types.AttributeValueMemberSS{Value: members}
}

// dynText writes an item out, its sets sorted.
func dynText(item map[string]types.AttributeValue) string {
	if item == nil {
		return "no item"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(item)) {
		parts = append(parts, name+"="+dynValueText(item[name]))
	}
	return strings.Join(parts, " ")
}

func dynValueText(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return fmt.Sprintf("%q", v.Value)
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberB:
		return fmt.Sprintf("%x", v.Value)
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint(v.Value)
	case *types.AttributeValueMemberM:
		return "{" + dynText(v.Value) + "}"
	case *types.AttributeValueMemberL:
		var parts []string
		for _, e := range v.Value {
			parts = append(parts, dynValueText(e))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case *types.AttributeValueMemberSS:
		return fmt.Sprint(slices.Sorted(slices.Values(v.Value)))
	case *types.AttributeValueMemberNS:
		return fmt.Sprint(slices.Sorted(slices.Values(v.Value)))
	case *types.AttributeValueMemberBS:
		return fmt.Sprintf("%x", v.Value)
	}
	return "null"
}
