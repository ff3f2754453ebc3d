package s3store

import "errors"

// ErrBusy reports that S3 refused a write because another one of the same entry was under way. It was not stored, unless an earlier try of
// the same request was, whose reply was lost; it may be repeated. A caller branches on it with [errors.Is].
var ErrBusy = errors.New("another write of the entry is under way")
