package autoscalingsvc

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/awsha/awsha/awstest"
)

// pages are how many results a page has if nothing is said, and at most.
type pages struct{ standard, most int }

// Source: MaxRecords of the operations in the SDK (read 2026-11)
var (
	pagesOfGroups     = pages{50, 100}
	pagesOfInstances  = pages{50, 50}
	pagesOfActivities = pages{100, 100}
	pagesOfTargets    = pages{100, 100}
	pagesOfSources    = pages{50, 50}
)

// page cuts one page out of a result. Its token is the place where the next
// page begins.
func page[T any](p pages, all []T, token *string, size *int32) (items []T, next *string, err error) {
	start, count := 0, p.standard
	if token != nil {
		if start, err = readToken(*token); err != nil {
			return nil, nil, err
		}
	}
	if size != nil {
		if *size < 1 || int(*size) > p.most {
			return nil, nil, invalid("MaxRecords must be between 1 and %d, and not %d", p.most, *size)
		}
		count = int(*size)
	}
	if start >= len(all) {
		return nil, nil, nil // what the token was for has become less meanwhile
	}
	end := min(len(all), start+count)
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
		return 0, awstest.Errorf("InvalidNextToken", "The token '%s' is invalid.", token)
	}
	return start, nil
}
