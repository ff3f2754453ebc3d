package rdsstep

// The keys under which steps put outputs.
const (
	EndpointKey = "endpoint" // host name of the database, of a cluster the writer's
	PortKey     = "port"
	ZoneKey     = "zone"   // the name of the zone in which the primary or the writer is now
	WriterKey   = "writer" // FailoverCluster: the instance that writes now
	AsOfKey     = "as-of"  // Restore: the time whose data the database has, in the form of RFC 3339; not there if nobody says
	LagKey      = "lag"    // Promote: how far the replica was behind, as a duration; "unknown" where AnyLag has let it pass
)

const (
	keyFrom = "from" // the zone or the writer before
	keySent = "sent" // when the request was sent that may have been taken
)
