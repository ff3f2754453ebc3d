package zonalshiftmodel

import (
	"net/http"

	"github.com/awsha/awsha/awstest"
)

// Source: https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_StartZonalShift.html#API_StartZonalShift_Errors (read 2026-11)

func invalid(reason, format string, args ...any) error {
	return awstest.Errorf("ValidationException", reason+": "+format, args...)
}

func conflict(reason, format string, args ...any) error {
	e := awstest.Errorf("ConflictException", reason+": "+format, args...)
	e.Status = http.StatusConflict
	return e
}

func notFound(format string, args ...any) error {
	e := awstest.Errorf("ResourceNotFoundException", format, args...)
	e.Status = http.StatusNotFound
	return e
}
