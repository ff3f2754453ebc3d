package dynamodbsvc_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// status returns the state of a table, or the code of the error.
func (w *world) status(name string) string {
	out, err := w.DescribeTable(w.Context(), &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		svctest.WantCode(w, err, "ResourceNotFoundException")
		return "gone"
	}
	return string(out.Table.TableStatus)
}

func (w *world) wantStatus(name, want string) {
	w.Helper()
	if got := w.status(name); got != want {
		w.Errorf("%s is %s, want %s", name, got, want)
	}
}

func (w *world) drop(name string) error {
	_, err := w.DeleteTable(w.Context(), &dynamodb.DeleteTableInput{TableName: &name})
	return err
}

func TestStatesOfATable(t *testing.T) {
	t.Parallel()
	slowly := func(o *dynamodbsvc.Options) {
		o.Creating, o.Updating, o.Deleting = 10*time.Second, 20*time.Second, 30*time.Second
	}
	inBubbleWith(t, slowly, func(w *world) {
		get := func() error {
			_, err := w.GetItem(w.Context(), &dynamodb.GetItemInput{TableName: aws.String("new"), Key: it("pk", "a")})
			return err
		}
		_, err := w.UpdateTable(w.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("plain"), DeletionProtectionEnabled: aws.Bool(true)})
		svctest.WantCode(w, err, "ResourceInUseException")
		time.Sleep(time.Minute)
		if d := w.create("new"); d.TableStatus != types.TableStatusCreating {
			w.Errorf("CreateTable returns %s", d.TableStatus)
		}
		time.Sleep(9 * time.Second)
		w.wantStatus("new", "CREATING")
		svctest.WantCode(w, get(), "ResourceNotFoundException")
		svctest.WantCode(w, w.drop("new"), "ResourceInUseException")
		time.Sleep(time.Second)
		w.wantStatus("new", "ACTIVE")
		if err := get(); err != nil {
			w.Error(err)
		}
		out := svctest.Must(w.UpdateTable(w.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("new"), TableClass: types.TableClassStandardInfrequentAccess}))(w)
		if d := out.TableDescription; d.TableStatus != types.TableStatusUpdating || d.TableClassSummary.TableClass != types.TableClassStandardInfrequentAccess {
			w.Errorf("UpdateTable returns %s, %v", d.TableStatus, d.TableClassSummary)
		}
		w.put("new", it("pk", "a")) // as ever
		svctest.WantCode(w, w.drop("new"), "ResourceInUseException")
		time.Sleep(20 * time.Second)
		w.wantStatus("new", "ACTIVE")
		if err := w.drop("new"); err != nil {
			w.Error(err)
		}
		if err := w.drop("new"); err != nil { // again
			w.Error(err)
		}
		_, err = w.CreateTable(w.Context(), tableInput("new"))
		svctest.WantCode(w, err, "ResourceInUseException")
		time.Sleep(29 * time.Second)
		w.wantStatus("new", "DELETING")
		w.put("new", it("pk", "b"))
		time.Sleep(time.Second)
		w.wantStatus("new", "gone")
		svctest.WantCode(w, get(), "ResourceNotFoundException")
		svctest.WantCode(w, w.drop("new"), "ResourceNotFoundException")
		w.create("new")
		time.Sleep(10 * time.Second)
		w.expect("new", it("pk", "b"), nil)
	})
}

func TestStickKeepsATableInItsState(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, func(o *dynamodbsvc.Options) { o.Creating = time.Second }, func(w *world) {
		heal := svctest.Must(w.cloud.Stick("new"))(w)
		w.create("new")
		time.Sleep(24 * time.Hour)
		w.wantStatus("new", "CREATING")
		w.wantStatus("plain", "ACTIVE")
		heal()
		w.wantStatus("new", "ACTIVE")
		heal = svctest.Must(w.cloud.Stick("new"))(w)
		svctest.Must(w.DeleteTable(w.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("new")}))(w)
		time.Sleep(time.Hour)
		w.wantStatus("new", "DELETING")
		heal()
		w.wantStatus("new", "gone")
	})
}

func TestWaiters(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, func(*dynamodbsvc.Options) {}, func(w *world) {
		in := &dynamodb.DescribeTableInput{TableName: aws.String("plain")}
		if err := dynamodb.NewTableExistsWaiter(w).Wait(w.Context(), in, time.Minute); err != nil {
			w.Error(err)
		}
		svctest.Must(w.DeleteTable(w.Context(), &dynamodb.DeleteTableInput{TableName: in.TableName}))(w)
		if err := dynamodb.NewTableNotExistsWaiter(w).Wait(w.Context(), in, time.Minute); err != nil {
			w.Error(err)
		}
	})
}

func TestTableIsDescribed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		in := tableInput("new", types.ScalarAttributeTypeB)
		in.BillingMode, in.ProvisionedThroughput = "", &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(3), WriteCapacityUnits: aws.Int64(2)}
		svctest.Must(w.CreateTable(w.Context(), in))(w)
		for _, ref := range []string{"new", "arn:aws:dynamodb:us-east-1:123456789012:table/new"} {
			d := svctest.Must(w.DescribeTable(w.Context(), &dynamodb.DescribeTableInput{TableName: &ref}))(w).Table
			got := fmt.Sprintf("%s %s, %s %s, %s and %s, %d and %d units, on demand %v, protected %v, %d items of %d bytes",
				*d.TableName, *d.TableArn, *d.AttributeDefinitions[1].AttributeName, d.AttributeDefinitions[1].AttributeType,
				d.KeySchema[0].KeyType, d.KeySchema[1].KeyType, *d.ProvisionedThroughput.ReadCapacityUnits, *d.ProvisionedThroughput.WriteCapacityUnits,
				d.BillingModeSummary != nil, *d.DeletionProtectionEnabled, *d.ItemCount, *d.TableSizeBytes)
			const want = "new arn:aws:dynamodb:us-east-1:123456789012:table/new, sk B, HASH and RANGE, 3 and 2 units, on demand false, protected false, 0 items of 0 bytes"
			if age := time.Since(*d.CreationDateTime); got != want || age < 0 || age > time.Second {
				w.Errorf("got %s, %v old, want %s", got, age, want)
			}
		}
		for _, ref := range []string{"arn:aws:dynamodb:eu-west-1:123456789012:table/new", "arn:aws:dynamodb:us-east-1:210987654321:table/new"} {
			_, err := w.GetItem(w.Context(), &dynamodb.GetItemInput{TableName: &ref, Key: it("pk", "a")})
			svctest.WantCode(w, err, "ResourceNotFoundException")
		}
	})
}

func TestCountsAreAsOfTheLastLook(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		counts := func() string {
			d := svctest.Must(w.DescribeTable(w.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("plain")}))(w).Table
			return fmt.Sprint(*d.ItemCount, " items, ", *d.TableSizeBytes, " bytes")
		}
		w.put("plain", it("pk", "a"))
		w.put("plain", it("pk", "b", "x", "12345"))
		if got := counts(); got != "0 items, 0 bytes" {
			w.Errorf("at once: %s", got)
		}
		time.Sleep(6 * time.Hour)
		svctest.Must(w.DeleteItem(w.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("plain"), Key: it("pk", "a")}))(w)
		if got := counts(); got != "2 items, 12 bytes" {
			w.Errorf("after six hours: %s", got)
		}
		time.Sleep(12 * time.Hour)
		if got := counts(); got != "1 items, 9 bytes" {
			w.Errorf("after eighteen hours: %s", got)
		}
	})
}

func TestCreateTableIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for name, c := range map[string]struct {
			change func(*dynamodb.CreateTableInput)
			want   string
		}{
			"a short name":  {func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("ab") }, "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3"},
			"a name with /": {func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("a/b") }, "1 validation error detected: Value 'a/b' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
			"no key":        {func(in *dynamodb.CreateTableInput) { in.KeySchema = []types.KeySchemaElement{} }, "1 validation error detected: Value '0' at 'keySchema' failed to satisfy constraint: Member must have length from 1 to 2"},
			"a long key": {func(in *dynamodb.CreateTableInput) {
				name := strings.Repeat("k", 256)
				in.KeySchema[0].AttributeName = &name
			}, "1 validation error detected: Value '" + strings.Repeat("k", 256) + "' at 'keySchema.member.attributeName' failed to satisfy constraint: Member must have length less than or equal to 255"},
			"an unknown key":     {func(in *dynamodb.CreateTableInput) { in.KeySchema[0].AttributeName = aws.String("x") }, "One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [x], AttributeDefinitions: [pk, sk]"},
			"a range first":      {func(in *dynamodb.CreateTableInput) { in.KeySchema[0].KeyType = types.KeyTypeRange }, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"},
			"two hashes":         {func(in *dynamodb.CreateTableInput) { in.KeySchema[1].KeyType = types.KeyTypeHash }, "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"},
			"one name":           {func(in *dynamodb.CreateTableInput) { in.KeySchema[1].AttributeName = aws.String("pk") }, "Both the Hash Key and the Range Key element in the KeySchema have the same name"},
			"an extra attribute": {func(in *dynamodb.CreateTableInput) { in.KeySchema = in.KeySchema[:1] }, "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"},
			"a boolean key":      {func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions[0].AttributeType = "BOOL" }, "1 validation error detected: Value 'BOOL' at 'attributeDefinitions.member.attributeType' failed to satisfy constraint: Member must satisfy enum value set: [B, N, S]"},
			"no throughput":      {func(in *dynamodb.CreateTableInput) { in.BillingMode = "" }, "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"},
			"zero throughput": {func(in *dynamodb.CreateTableInput) {
				in.BillingMode, in.ProvisionedThroughput = types.BillingModeProvisioned, &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(0), WriteCapacityUnits: aws.Int64(0)}
			}, "1 validation error detected: Value '0' at 'provisionedThroughput.readCapacityUnits' failed to satisfy constraint: Member must have value greater than or equal to 1"},
			"throughput on demand": {func(in *dynamodb.CreateTableInput) {
				in.ProvisionedThroughput = &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(1), WriteCapacityUnits: aws.Int64(1)}
			}, "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"},
			"a billing mode": {func(in *dynamodb.CreateTableInput) { in.BillingMode = "FREE" }, "1 validation error detected: Value 'FREE' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED PAY_PER_REQUEST]"},
			"a reserved tag": {func(in *dynamodb.CreateTableInput) {
				in.Tags = []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("")}}
			}, "One or more parameter values were invalid: Tag keys with the prefix aws: are reserved. Key: aws:x"},
		} {
			in := tableInput("new", types.ScalarAttributeTypeS)
			c.change(in)
			_, err := w.CreateTable(w.Context(), in)
			wantInvalid(w, err, c.want, name)
		}
		w.wantStatus("new", "gone")
		_, err := w.CreateTable(w.Context(), tableInput("plain"))
		svctest.WantCode(w, err, "ResourceInUseException")
	})
}

func TestDeletionProtection(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		in := tableInput("new")
		in.DeletionProtectionEnabled = aws.Bool(true)
		svctest.Must(w.CreateTable(w.Context(), in))(w)
		wantInvalid(w, w.drop("new"), "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
		svctest.Must(w.UpdateTable(w.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("new"), DeletionProtectionEnabled: aws.Bool(false)}))(w)
		if err := w.drop("new"); err != nil {
			w.Error(err)
		}
		w.wantStatus("new", "gone")
	})
}

func TestBillingModeChanges(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		name := aws.String("plain")
		change := func(mode types.BillingMode, units ...int64) (*types.TableDescription, error) {
			in := &dynamodb.UpdateTableInput{TableName: name, BillingMode: mode}
			if units != nil {
				in.ProvisionedThroughput = &types.ProvisionedThroughput{ReadCapacityUnits: &units[0], WriteCapacityUnits: &units[1]}
			}
			out, err := w.UpdateTable(w.Context(), in)
			if err != nil {
				return nil, err
			}
			return out.TableDescription, nil
		}
		d := svctest.Must(change(types.BillingModeProvisioned, 5, 6))(w)
		if *d.ProvisionedThroughput.ReadCapacityUnits != 5 || d.BillingModeSummary.BillingMode != types.BillingModeProvisioned {
			w.Errorf("%v, %v", d.ProvisionedThroughput, d.BillingModeSummary)
		}
		_, err := change("", 5, 6)
		svctest.WantCode(w, err, "ValidationException")
		d = svctest.Must(change("", 5, 7))(w)
		if *d.ProvisionedThroughput.WriteCapacityUnits != 7 {
			w.Errorf("%v", d.ProvisionedThroughput)
		}
		time.Sleep(time.Hour)
		d = svctest.Must(change(types.BillingModePayPerRequest))(w)
		if *d.ProvisionedThroughput.WriteCapacityUnits != 0 || time.Since(*d.BillingModeSummary.LastUpdateToPayPerRequestDateTime) > time.Minute {
			w.Errorf("%v, %v", d.ProvisionedThroughput, d.BillingModeSummary)
		}
		_, err = w.UpdateTable(w.Context(), &dynamodb.UpdateTableInput{TableName: name})
		svctest.WantCode(w, err, "ValidationException")
		_, err = w.UpdateTable(w.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("none"), DeletionProtectionEnabled: aws.Bool(true)})
		svctest.WantCode(w, err, "ResourceNotFoundException")
	})
}

func TestListTables(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for i := range 150 {
			w.create(fmt.Sprintf("t-%03d", 149-i))
		}
		var names []string
		pages := 0
		for p := dynamodb.NewListTablesPaginator(w, &dynamodb.ListTablesInput{}); p.HasMorePages(); pages++ {
			names = append(names, svctest.Must(p.NextPage(w.Context()))(w).TableNames...)
		}
		if pages != 2 || len(names) != 152 || names[0] != "plain" || names[151] != "t-149" || names[100] != "t-098" {
			w.Errorf("%d pages: %v", pages, names)
		}
		out := svctest.Must(w.ListTables(w.Context(), &dynamodb.ListTablesInput{ExclusiveStartTableName: aws.String("q"), Limit: aws.Int32(1)}))(w)
		if out.TableNames[0] != "sorted" || *out.LastEvaluatedTableName != "sorted" {
			w.Errorf("%v", out.TableNames)
		}
		_, err := w.ListTables(w.Context(), &dynamodb.ListTablesInput{Limit: aws.Int32(101)})
		svctest.WantCode(w, err, "ValidationException")
		elsewhere := dynamodb.NewFromConfig(w.cloud.Config("eu-west-1"))
		if out := svctest.Must(elsewhere.ListTables(w.Context(), nil))(w); len(out.TableNames) > 0 {
			w.Errorf("another region has %v", out.TableNames)
		}
	})
}

func TestTags(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		in := tableInput("new")
		in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}
		arn := svctest.Must(w.CreateTable(w.Context(), in))(w).TableDescription.TableArn
		tags := func() (list []string) {
			in := &dynamodb.ListTagsOfResourceInput{ResourceArn: arn}
			for {
				out := svctest.Must(w.ListTagsOfResource(w.Context(), in))(w)
				for _, tag := range out.Tags {
					list = append(list, *tag.Key+"="+*tag.Value)
				}
				if in.NextToken = out.NextToken; in.NextToken == nil {
					return list
				}
			}
		}
		tag := func(pairs ...string) error {
			in := &dynamodb.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{}}
			for i := 0; i < len(pairs); i += 2 {
				in.Tags = append(in.Tags, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
			}
			_, err := w.TagResource(w.Context(), in)
			return err
		}
		if err := tag("b", "2", "a", "3"); err != nil {
			w.Error(err)
		}
		if d := diff([]string{"a=3", "b=2"}, tags()); d != "" {
			w.Error(d)
		}
		svctest.Must(w.UntagResource(w.Context(), &dynamodb.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a", "none"}}))(w)
		if d := diff([]string{"b=2"}, tags()); d != "" {
			w.Error(d)
		}
		var many []string
		for i := range 49 {
			many = append(many, fmt.Sprintf("t%02d", i), "")
		}
		if err := tag(many...); err != nil || len(tags()) != 50 || tags()[10] != "t09=" {
			w.Errorf("%v: %v", err, tags())
		}
		wantInvalid(w, tag("c", ""), "One or more parameter values were invalid: Too many tags: the limit is 50")
		wantInvalid(w, tag("b", "1", "b", "2"), "One or more parameter values were invalid: Duplicate tag key: b")
		svctest.WantCode(w, tag(strings.Repeat("k", 129), ""), "ValidationException")
		svctest.WantCode(w, tag("b", strings.Repeat("v", 257)), "ValidationException")
		svctest.WantCode(w, tag("", ""), "ValidationException")
		if err := tag("b", strings.Repeat("é", 256)); err != nil { // characters count, not bytes
			w.Error(err)
		}
		arn = aws.String(*arn + "x")
		svctest.WantCode(w, tag("b", ""), "ResourceNotFoundException")
		arn = aws.String("new")
		svctest.WantCode(w, tag("b", ""), "ValidationException")
	})
}

func TestDescriptionsLag(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		time.Sleep(time.Minute)
		arn := w.create("new").TableArn
		w.wantStatus("new", "gone")
		w.put("new", it("pk", "a")) // which is there all the same
		svctest.Must(w.TagResource(w.Context(), &dynamodb.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("")}}}))(w)
		if out := svctest.Must(w.ListTagsOfResource(w.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: arn}))(w); len(out.Tags) > 0 {
			w.Errorf("%v", out.Tags)
		}
		if out := svctest.Must(w.ListTables(w.Context(), nil))(w); len(out.TableNames) != 2 {
			w.Errorf("%v", out.TableNames)
		}
		time.Sleep(30 * time.Second)
		w.wantStatus("new", "ACTIVE")
		if out := svctest.Must(w.ListTagsOfResource(w.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: arn}))(w); len(out.Tags) != 1 {
			w.Errorf("%v", out.Tags)
		}
		if err := w.drop("new"); err != nil {
			w.Error(err)
		}
		w.wantStatus("new", "ACTIVE")
		_, err := w.GetItem(w.Context(), &dynamodb.GetItemInput{TableName: aws.String("new"), Key: it("pk", "a")})
		svctest.WantCode(w, err, "ResourceNotFoundException")
	}, func(o *awstest.Options) { o.VisibilityLag = 30 * time.Second })
}

func TestATableIsShownAsOneOfAGlobalTable(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		show := func() string {
			d := svctest.Must(w.DescribeTable(w.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("plain")}))(w).Table
			var text strings.Builder
			fmt.Fprint(&text, aws.ToString(d.GlobalTableVersion), d.MultiRegionConsistency)
			for _, r := range d.Replicas {
				fmt.Fprint(&text, " ", *r.RegionName, " ", r.ReplicaStatus)
			}
			return text.String()
		}
		want := func(want string) {
			w.Helper()
			if got := show(); got != want {
				w.Errorf("got %q, want %q", got, want)
			}
		}
		want("")
		for consistency, shown := range map[types.MultiRegionConsistency]string{
			"": "2019.11.21 eu-west-1 ACTIVE us-west-2 ACTIVE", "STRONG": "2019.11.21STRONG eu-west-1 ACTIVE us-west-2 ACTIVE",
		} {
			heal := svctest.Must(w.cloud.Inject(awstest.Match{Resource: "plain"}, dynamodbsvc.Replicated(consistency, "eu-west-1", "us-west-2")))(w)
			want(shown)
			w.wantStatus("sorted", "ACTIVE")
			heal()
		}
		want("")
	})
}
