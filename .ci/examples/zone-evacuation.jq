.verdict == "pass" and .messages_lost == 0 and .failed_after_recovery == 0
and (.detection_ms > 0 and .detection_ms <= .detection_bound_ms)
and (.rto_ms >= .detection_ms + .critical_path_ms and .rto_ms <= 1.02 * (.detection_ms + .critical_path_ms))
and (.rpo_seconds > 0 and .writes_lost > 0 and .requests > .failed and .failed > 0)
and .effects_per_step == {
  "shift-1": 1, "orders-web-suspend": 1, "orders-web-launch": 1, "orders-web-resume": 1,
  "ledger-fence": 1, "ledger-launch": 1, "ledger-restore-1": 1, "ledger-attach-1": 1, "ledger-address-1": 2
}
