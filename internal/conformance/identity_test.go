package conformance_test

import (
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html (read 2026-11)
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html (read 2026-11)
var identityScenarios = []scenario{
	{
		name: "a caller is told who it is",
		run: func(s *session) {
			who := must(s.sts.GetCallerIdentity(s.Context(), &sts.GetCallerIdentityInput{}))(s)
			account, arn, id := aws.ToString(who.Account), aws.ToString(who.Arn), aws.ToString(who.UserId)
			s.is("the account", form(account, `\d{12}`, "twelve digits"), "twelve digits")
			// Whose credentials the suite has on an account is not known here.
			s.is("the ARN", form(arn, `arn:aws[a-z-]*:(iam::`+account+`:(root|user/.+)|sts::`+account+`:(assumed-role/[^/]+|federated-user)/[^/]+)`, "a user or a session"), "a user or a session")
			s.is("the ID", form(id, `AIDA[A-Z0-9]{12,}|AROA[A-Z0-9]{12,}:.+|`+account+`(:.+)?`, "of a user or a session"), "of a user or a session")
			again := must(sts.NewFromConfig(s.config(s.regions[1])).GetCallerIdentity(s.Context(), &sts.GetCallerIdentityInput{}))(s)
			s.is("in another region", aws.ToString(again.Account)+" "+aws.ToString(again.Arn)+" "+aws.ToString(again.UserId), account+" "+arn+" "+id)
			vpcs := must(s.ec2.DescribeVpcs(s.Context(), &ec2.DescribeVpcsInput{Filters: filters("is-default", "true")}))(s).Vpcs
			if len(vpcs) == 0 {
				s.Fatal("there is no default VPC")
			}
			s.is("the owner of the default VPC", aws.ToString(vpcs[0].OwnerId), account)
		},
		differs: []difference{
			{on: motoName, at: "the ARN", does: "arn:aws:sts::123456789012:user/moto"},
			{on: motoName, at: "the ID", does: "AKIAIOSFODNN7EXAMPLE"},
		},
	},
}

// form is what a text is called that has the form of a pattern as a whole; any other text is shown.
func form(text, pattern, name string) string {
	if regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(text) {
		return name
	}
	return text
}
