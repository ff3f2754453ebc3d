.verdict == "pass" and .rpo_seconds == 0 and .writes_lost == 0 and .failed_after_recovery == 0
and (.rto_ms >= 0.98 * (.detection_ms + .critical_path_ms) and .rto_ms <= 1.02 * (.detection_ms + .critical_path_ms))
and (.writes_acknowledged > 500 and .requests > .failed and .failed > 0)
and .effects_per_step == null
