package ec2svc

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/awsha/awsha/awstest"
)

// pageSize is how many results a page may have.
type pageSize struct{ least, most int32 }

// Source: DescribeTagsInput.MaxResults of the SDK (read 2026-11)
var usualPages = pageSize{5, 1000}

func page[T any](all []T, token *string, size *int32) (items []T, next *string, err error) {
	return cut(usualPages, all, token, size)
}

// cut cuts one page out of a result. Its token is the place where the next
// page begins.
func cut[T any](allowed pageSize, all []T, token *string, size *int32) (items []T, next *string, err error) {
	start := 0
	if token != nil {
		if start, err = readToken(*token); err != nil {
			return nil, nil, err
		}
	}
	end := len(all)
	if size != nil {
		if *size < allowed.least || *size > allowed.most {
			return nil, nil, awstest.Errorf("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value between %d and %d.", *size, allowed.least, allowed.most)
		}
		end = min(end, start+int(*size))
	}
	if start >= len(all) {
		return nil, nil, nil // what the token was for has become less meanwhile
	}
	if end < len(all) {
		next = aws.String(writeToken(end))
	}
	return all[start:end], next, nil
}

const tokenPrefix = "from "

func writeToken(start int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(tokenPrefix + strconv.Itoa(start)))
}

func readToken(token string) (start int, err error) {
	text, _ := base64.RawURLEncoding.DecodeString(token)
	number, _ := strings.CutPrefix(string(text), tokenPrefix)
	start, _ = strconv.Atoi(number)
	if start <= 0 || start > 1<<31 || writeToken(start) != token {
		return 0, awstest.Errorf("InvalidNextToken", "The token '%s' is not valid.", token)
	}
	return start, nil
}
