-- title = "Waivers"
-- question = "Which exceptions does the policy make, who answers for them, and which have to be renewed or ended?"
-- frameworks = ["SOC 2 CC1.5", "ISO/IEC 42001 A.2.4"]
-- glance = ["state", "waiver_id", "rules", "owner", "expires", "days_left", "approver", "reason", "ticket"]
--
-- [columns]
-- waiver_id = "The waiver's id."
-- state = "in_force; expiring: in force for 30 days more at most; expired: it covers nothing that happens now; not_yet: its first day has not come."
-- days_left = "Days from the day of the run until it expires; negative since it did."
-- rules = "Codes of the rules it covers, separated by spaces."
-- condition = "The condition on events; empty: every event of the rules."
-- owner = "Who asked for it and answers for it."
-- approver = "Who agreed."
-- reason = "Why."
-- ticket = "Where it was decided."
-- created = "The first instant it covers, UTC."
-- expires = "The first instant it no longer covers, UTC."
-- retroactive = "Whether events before created are covered too."

SELECT
  w.waiver_id AS waiver_id,
  CASE
    WHEN w.expires <= r.run_time THEN 'expired'
    WHEN w.created > r.run_time THEN 'not_yet'
    WHEN w.expires <= r.run_time + INTERVAL '30' DAY THEN 'expiring'
    ELSE 'in_force'
  END AS state,
  CAST((to_unixtime(w.expires) - to_unixtime(date_trunc('day', r.run_time))) / 86400 AS BIGINT) AS days_left,
  w.rules AS rules,
  w."match" AS condition,
  w.owner AS owner,
  w.approver AS approver,
  w.reason AS reason,
  w.ticket AS ticket,
  w.created AS created,
  w.expires AS expires,
  w.retroactive AS retroactive
FROM policy_waiver AS w
CROSS JOIN run AS r
ORDER BY w.expires ASC NULLS LAST, w.waiver_id ASC NULLS LAST
