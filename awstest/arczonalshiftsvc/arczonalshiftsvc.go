package arczonalshiftsvc

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/paging"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
)

// service is zonal shift of one cloud.
type service struct{ model *zonalshiftmodel.Model }

// New returns the service, for [awstest.New]. Mistakes in the options are
// reported by awstest.New, each an [*awstest.FieldError].
func New(optFns ...func(*Options)) awstest.Service {
	return func(r *awstest.Registry) error {
		var opts Options
		for _, fn := range optFns {
			fn(&opts)
		}
		s := &service{model: zonalshiftmodel.Of(r)}
		var err error
		s.model.Configure(func(m *zonalshiftmodel.Options) { err = opts.apply(m) })
		if err != nil {
			return err
		}
		e := r.Add(awstest.ServiceSpec{
			ID: arczonalshift.ServiceID,
			// Source: https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_StartZonalShift.html#API_StartZonalShift_Errors (read 2026-11)
			Throttled:   awstest.APIError{Code: "ThrottlingException", Message: "Rate exceeded", Status: http.StatusTooManyRequests},
			Unavailable: awstest.APIError{Code: "InternalServerException", Message: "There was an internal server error.", Status: http.StatusInternalServerError},
			Denied:      awstest.APIError{Code: "AccessDeniedException", Message: "You do not have sufficient access to perform this action.", Status: http.StatusForbidden},
			Modelled:    modelled,
		})
		s.addShifts(e)
		s.addResources(e)
		return e.Err()
	}
}

// modelled gives the codes that the adapter uses the SDK's types for them. The
// message begins with the reason, if there is one, and a conflict names the
// shift that is in the way.
func modelled(_, code, message string) error {
	m := aws.String(message)
	reason, _, _ := strings.Cut(message, ":")
	switch code {
	case "AccessDeniedException":
		return &types.AccessDeniedException{Message: m}
	case "ConflictException":
		e := &types.ConflictException{Message: m}
		if r := types.ConflictExceptionReason(reason); slices.Contains(r.Values(), r) {
			e.Reason = r
		}
		if id := shiftID.FindString(message); id != "" {
			e.ZonalShiftId = &id
		}
		return e
	case "InternalServerException":
		return &types.InternalServerException{Message: m}
	case "ResourceNotFoundException":
		return &types.ResourceNotFoundException{Message: m}
	case "ThrottlingException":
		return &types.ThrottlingException{Message: m}
	case "ValidationException":
		e := &types.ValidationException{Message: m}
		if r := types.ValidationExceptionReason(reason); slices.Contains(r.Values(), r) {
			e.Reason = r
		}
		return e
	}
	return nil
}

var shiftID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

func (s *service) region(call *awstest.Call) *zonalshiftmodel.Region {
	return s.model.Region(call.Region)
}

func invalid(reason, format string, args ...any) error {
	return awstest.Errorf("ValidationException", reason+": "+format, args...)
}

// maxPage is the size of a page unless it is given, and the greatest.
// Source: https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_ListZonalShifts.html (read 2026-11)
const maxPage = 100

func page[T any](all []T, token *string, size *int32) ([]T, *string, error) {
	count := maxPage
	if size != nil {
		if *size < 1 || *size > maxPage {
			return nil, nil, awstest.Errorf("ValidationException", "maxResults must be between 1 and %d", maxPage)
		}
		count = int(*size)
	}
	part, next, ok := paging.Cut(all, token, count)
	if !ok {
		return nil, nil, invalid("InvalidToken", "nextToken is not valid")
	}
	return part, next, nil
}
