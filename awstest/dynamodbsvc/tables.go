package dynamodbsvc

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ddbexpr"
	"github.com/awsha/awsha/awstest/internal/ddbmodel"
)

func (s *service) addTables(e *awstest.Endpoint) {
	awstest.Handle(e, s.createTable, "TableName", "KeySchema", "AttributeDefinitions", "BillingMode", "ProvisionedThroughput",
		"DeletionProtectionEnabled", "TableClass", "Tags")
	awstest.Handle(e, s.describeTable, "TableName")
	awstest.Handle(e, s.listTables, "ExclusiveStartTableName", "Limit")
	awstest.Handle(e, s.updateTable, "TableName", "BillingMode", "ProvisionedThroughput", "DeletionProtectionEnabled", "TableClass")
	awstest.Handle(e, s.deleteTable, "TableName")
}

func (s *service) createTable(tx *awstest.Tx, call *awstest.Call, in *dynamodb.CreateTableInput) (*dynamodb.CreateTableOutput, error) {
	r := s.region(call)
	t := &table{
		name: name(in.TableName), created: tx.Now(), status: types.TableStatusCreating,
		protected: aws.ToBool(in.DeletionProtectionEnabled), class: in.TableClass,
		content: &content{Items: ddbmodel.NewItems(), created: tx.Now()},
	}
	t.arn, t.id = arn(tx, call, t.name), strings.TrimPrefix(tx.NewID("ddb"), "ddb-")
	if err := checkTableName(t.name); err != nil {
		return nil, err
	}
	var err error
	if t.schema, err = schema(in); err != nil {
		return nil, err
	}
	if err := t.bill(tx, in.BillingMode, in.ProvisionedThroughput); err != nil {
		return nil, err
	}
	if err := oneOf(in.TableClass, "tableClass", in.TableClass.Values()); err != nil {
		return nil, err
	}
	if t.tags, err = tagged(nil, in.Tags); err != nil {
		return nil, err
	}
	if _, exists := r.tables.Get(tx.Now(), t.name); exists {
		return nil, inUse("Table already exists: %s", t.name)
	}
	r.tables.Put(tx.Now(), t.name, t)
	r.settle(tx, t, s.opts.Creating, r.activate)
	return &dynamodb.CreateTableOutput{TableDescription: t.describe()}, nil
}

// checkTableName holds a name to its rules.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html (read 2026-11)
func checkTableName(name string) error {
	switch {
	case len(name) < 3:
		return member(name, "tableName", "have length greater than or equal to 3")
	case len(name) > 255:
		return member(name, "tableName", "have length less than or equal to 255")
	case strings.ContainsFunc(name, func(c rune) bool {
		return (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("_.-", c)
	}):
		return member(name, "tableName", "satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
	}
	return nil
}

// schema reads the key of a table. Each of its attributes is defined, and no
// other, since there are no indexes.
func schema(in *dynamodb.CreateTableInput) (ddbmodel.Schema, error) {
	var s ddbmodel.Schema
	if n := len(in.KeySchema); n < 1 || n > 2 {
		return s, member(n, "keySchema", "have length from 1 to 2")
	}
	kinds := map[string]ddbexpr.Kind{}
	var defined, keys []string
	for _, d := range in.AttributeDefinitions {
		kind, ok := map[types.ScalarAttributeType]ddbexpr.Kind{"S": ddbexpr.S, "N": ddbexpr.N, "B": ddbexpr.B}[d.AttributeType]
		if !ok {
			return s, member(d.AttributeType, "attributeDefinitions.member.attributeType", "satisfy enum value set: [B, N, S]")
		}
		kinds[aws.ToString(d.AttributeName)] = kind
		defined = append(defined, aws.ToString(d.AttributeName))
	}
	for i, k := range in.KeySchema {
		name := aws.ToString(k.AttributeName)
		kind, ok := kinds[name]
		a := ddbmodel.Attribute{Name: name, Kind: kind}
		keys = append(keys, name)
		switch {
		case len(name) > 255:
			return s, member(name, "keySchema.member.attributeName", "have length less than or equal to 255")
		case !ok:
			return s, invalid("One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: [%s]", name, strings.Join(defined, ", "))
		case i == 0 && k.KeyType != types.KeyTypeHash:
			return s, invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
		case i == 0:
			s.Hash = a
		case k.KeyType != types.KeyTypeRange:
			return s, invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
		case name == s.Hash.Name:
			return s, invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
		default:
			s.Sort = &a
		}
	}
	if len(defined) != len(keys) {
		return s, invalid("One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	}
	return s, nil
}

// bill sets the billing mode, which has no effect, and what goes with it.
func (t *table) bill(tx *awstest.Tx, mode types.BillingMode, p *types.ProvisionedThroughput) error {
	if err := oneOf(mode, "billingMode", mode.Values()); err != nil {
		return err
	}
	mode = cmp.Or(mode, t.billing, types.BillingModeProvisioned)
	if mode == types.BillingModePayPerRequest {
		if p != nil {
			return invalid("One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
		}
		if t.billing != mode {
			t.onDemandSince = tx.Now()
		}
		t.billing, t.read, t.write = mode, 0, 0
		return nil
	}
	if p == nil && t.billing == mode {
		return nil // as it was
	}
	if p == nil || p.ReadCapacityUnits == nil || p.WriteCapacityUnits == nil {
		return invalid("One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	}
	for _, units := range []struct {
		of string
		n  int64
	}{{"read", *p.ReadCapacityUnits}, {"write", *p.WriteCapacityUnits}} {
		if units.n < 1 {
			return member(units.n, "provisionedThroughput."+units.of+"CapacityUnits", "have value greater than or equal to 1")
		}
	}
	t.billing, t.read, t.write = mode, *p.ReadCapacityUnits, *p.WriteCapacityUnits
	return nil
}

// describeTable is an eventually consistent read, of a table that has just
// been made too.
func (s *service) describeTable(tx *awstest.Tx, call *awstest.Call, in *dynamodb.DescribeTableInput) (*dynamodb.DescribeTableOutput, error) {
	t, err := s.region(call).find(call.At, tx, in.TableName)
	if err != nil {
		return nil, err
	}
	t.content.look(tx.Now())
	out := &dynamodb.DescribeTableOutput{Table: t.describe()}
	replicate(call, out.Table)
	return out, nil
}

// maxTables is how many names a page has at most.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTables.html (read 2026-11)
const maxTables = 100

func (s *service) listTables(_ *awstest.Tx, call *awstest.Call, in *dynamodb.ListTablesInput) (*dynamodb.ListTablesOutput, error) {
	limit := int(aws.ToInt32(cmp.Or(in.Limit, aws.Int32(maxTables))))
	if limit < 1 || limit > maxTables {
		return nil, member(limit, "limit", fmt.Sprintf("have value from 1 to %d", maxTables))
	}
	names := []string{}
	for name := range s.region(call).tables.All(call.At) {
		if name > aws.ToString(in.ExclusiveStartTableName) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	out := &dynamodb.ListTablesOutput{TableNames: names}
	if len(names) > limit {
		out.TableNames, out.LastEvaluatedTableName = names[:limit], aws.String(names[limit-1])
	}
	return out, nil
}

func (s *service) updateTable(tx *awstest.Tx, call *awstest.Call, in *dynamodb.UpdateTableInput) (*dynamodb.UpdateTableOutput, error) {
	r := s.region(call)
	t, err := r.find(tx.Now(), tx, in.TableName)
	if err != nil {
		return nil, err
	}
	if in.BillingMode == "" && in.ProvisionedThroughput == nil && in.DeletionProtectionEnabled == nil && in.TableClass == "" {
		return nil, invalid("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	}
	changed := *t
	if err := changed.bill(tx, in.BillingMode, in.ProvisionedThroughput); err != nil {
		return nil, err
	}
	if err := oneOf(in.TableClass, "tableClass", in.TableClass.Values()); err != nil {
		return nil, err
	}
	if t.status != types.TableStatusActive {
		return nil, t.busy()
	}
	if p := in.ProvisionedThroughput; p != nil && t.billing == types.BillingModeProvisioned && t.read == changed.read && t.write == changed.write {
		return nil, invalid("The provisioned throughput for the table will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the table: %d. Requested ReadCapacityUnits: %d. Current WriteCapacityUnits provisioned for the table: %d. Requested WriteCapacityUnits: %d. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.", t.read, changed.read, t.write, changed.write)
	}
	t = r.change(tx, &changed, func(t *table) {
		t.status = types.TableStatusUpdating
		t.class = cmp.Or(in.TableClass, t.class)
		if in.DeletionProtectionEnabled != nil {
			t.protected = *in.DeletionProtectionEnabled
		}
	})
	r.settle(tx, t, s.opts.Updating, r.activate)
	return &dynamodb.UpdateTableOutput{TableDescription: t.describe()}, nil
}

// busy is the error of a table that has to be active for what is asked.
func (t *table) busy() error {
	doing := map[types.TableStatus]string{types.TableStatusCreating: "created", types.TableStatusUpdating: "updated", types.TableStatusDeleting: "deleted"}[t.status]
	return inUse("Attempt to change a resource which is still in use: Table is being %s: %s", doing, t.name)
}

func (s *service) deleteTable(tx *awstest.Tx, call *awstest.Call, in *dynamodb.DeleteTableInput) (*dynamodb.DeleteTableOutput, error) {
	r := s.region(call)
	t, err := r.find(tx.Now(), tx, in.TableName)
	if err != nil {
		return nil, err
	}
	switch {
	case t.status == types.TableStatusDeleting: // no error, says the API reference
	case t.status != types.TableStatusActive:
		return nil, t.busy()
	case t.protected:
		return nil, invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	default:
		t = r.change(tx, t, func(t *table) { t.status = types.TableStatusDeleting })
		r.settle(tx, t, s.opts.Deleting, func(tx *awstest.Tx, t *table) { r.tables.Delete(tx.Now(), t.name) })
	}
	return &dynamodb.DeleteTableOutput{TableDescription: t.describe()}, nil
}
