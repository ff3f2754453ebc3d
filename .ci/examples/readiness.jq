.level == "WARN" and .rto_ms == 67000 and .critical_path_ms == 67000 and .rpo_seconds == 0
and .stability.stable == false and ([.stability.losses[].stable] == [true, false])
and (.readiness.steps | length == 8 and all(.level != "FAIL"))
