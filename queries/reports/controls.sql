-- title = "Controls and the evidence for them"
-- question = "Which rules and reports support which control of which framework, and what did they find?"
-- frameworks = ["SOC 2 CC4.1", "ISO/IEC 42001 A.6.2.6", "NIST SP 800-53 CA-7"]
-- audit = "folder"
-- glance = ["framework", "control", "title", "verdict", "statement", "rules_violated", "rules_without_violation", "rules_not_judged", "reports", "violations", "version"]
--
-- [columns]
-- framework = "The framework."
-- version = "Its version."
-- control = "The control's id."
-- title = "The control in our own words; the standard's text counts."
-- verdict = "violation: a rule that supports it found one; not_assessed: no violation, and a rule could not judge or was not run; waived: no violation but waived ones; no_violation: every rule that ran judged and found none; not_applicable: its rules had nothing to judge; disabled: the policy turns its rules off; reports_only: no rule supports it, reports do; nothing: neither."
-- statement = "The same as a sentence. It speaks of the events read, and never of the control as a whole."
-- rules = "Rules that support it."
-- rules_violated = "Those that found violations."
-- rules_without_violation = "Those that judged every event they looked at and found none, or waived ones only."
-- rules_not_judged = "Those that could not judge at all, not every event, or are not part of this run."
-- rules_not_applicable = "Those that had nothing to judge, or that the policy turns off."
-- reports = "Reports that support it: a person has to read them."
-- violations = "Findings of these rules that are violations."
-- waived = "Events that break them under a waiver."
-- not_assessed = "Events that they could not judge."
-- population = "The largest number of events that one of them looked at."
-- mapping = "public: at least one of the rules is mapped to it by a public mapping of a like check; own: the pairings are this program's own reading."
-- as_of = "The day the list of controls was taken."

WITH support AS (
  SELECT
    c.framework AS framework,
    c.control AS control,
    c.support AS rule_id,
    MAX(CASE WHEN c.basis = 'public mapping' THEN 1 ELSE 0 END) AS is_public
  FROM ref_control AS c
  WHERE c.kind = 'rule'
  GROUP BY c.framework, c.control, c.support
),
results AS (
  SELECT
    s.framework AS framework,
    s.control AS control,
    s.rule_id AS rule_id,
    s.is_public AS is_public,
    CASE
      WHEN r.rule_id IS NULL THEN 'absent'
      WHEN r.state = 'disabled' THEN 'disabled'
      WHEN r.violations > 0 THEN 'violation'
      WHEN r.state = 'not_applicable' THEN 'not_applicable'
      WHEN r.state = 'not_assessed' OR r.not_assessed > 0 THEN 'not_assessed'
      WHEN r.waived > 0 THEN 'waived'
      ELSE 'no_violation'
    END AS verdict,
    COALESCE(r.violations, 0) AS violations,
    COALESCE(r.waived, 0) AS waived,
    COALESCE(r.not_assessed, 0) AS not_assessed,
    COALESCE(r.population, 0) AS population
  FROM support AS s
  LEFT JOIN rule_results AS r ON r.rule_id = s.rule_id
),
by_rule AS (
  SELECT
    framework AS framework,
    control AS control,
    array_join(array_agg(rule_id ORDER BY rule_id), ' ') AS rules,
    array_join(array_agg(rule_id ORDER BY rule_id) FILTER (WHERE verdict = 'violation'), ' ') AS rules_violated,
    array_join(
      array_agg(rule_id ORDER BY rule_id) FILTER (WHERE verdict IN ('no_violation', 'waived')), ' '
    ) AS rules_without_violation,
    array_join(
      array_agg(rule_id ORDER BY rule_id) FILTER (WHERE verdict IN ('not_assessed', 'absent')), ' '
    ) AS rules_not_judged,
    array_join(
      array_agg(rule_id ORDER BY rule_id) FILTER (WHERE verdict IN ('not_applicable', 'disabled')), ' '
    ) AS rules_not_applicable,
    COUNT(*) FILTER (WHERE verdict = 'violation') AS violated_count,
    COUNT(*) FILTER (WHERE verdict IN ('not_assessed', 'absent')) AS unjudged_count,
    COUNT(*) FILTER (WHERE verdict = 'waived') AS waived_count,
    COUNT(*) FILTER (WHERE verdict = 'no_violation') AS clean_count,
    COUNT(*) FILTER (WHERE verdict = 'not_applicable') AS idle_count,
    CAST(SUM(violations) AS BIGINT) AS violations,
    CAST(SUM(waived) AS BIGINT) AS waived,
    CAST(SUM(not_assessed) AS BIGINT) AS not_assessed,
    MAX(population) AS population,
    MAX(is_public) AS is_public
  FROM results
  GROUP BY framework, control
),
by_report AS (
  SELECT
    framework AS framework,
    control AS control,
    array_join(array_agg(DISTINCT support ORDER BY support), ' ') AS reports
  FROM ref_control
  WHERE kind = 'report'
  GROUP BY framework, control
),
lines AS (
  SELECT
    f.framework AS framework,
    f.version AS version,
    f.control AS control,
    f.title AS title,
    f.as_of AS as_of,
    CASE
      WHEN r.control IS NULL AND p.control IS NULL THEN 'nothing'
      WHEN r.control IS NULL THEN 'reports_only'
      WHEN r.violated_count > 0 THEN 'violation'
      WHEN r.unjudged_count > 0 THEN 'not_assessed'
      WHEN r.waived_count > 0 THEN 'waived'
      WHEN r.clean_count > 0 THEN 'no_violation'
      WHEN r.idle_count > 0 THEN 'not_applicable'
      ELSE 'disabled'
    END AS verdict,
    r.rules AS rules,
    NULLIF(r.rules_violated, '') AS rules_violated,
    NULLIF(r.rules_without_violation, '') AS rules_without_violation,
    NULLIF(r.rules_not_judged, '') AS rules_not_judged,
    NULLIF(r.rules_not_applicable, '') AS rules_not_applicable,
    p.reports AS reports,
    r.violations AS violations,
    r.waived AS waived,
    r.not_assessed AS not_assessed,
    r.population AS population,
    CASE WHEN r.is_public = 1 THEN 'public' WHEN r.is_public = 0 THEN 'own' END AS mapping
  FROM ref_framework AS f
  LEFT JOIN by_rule AS r ON r.framework = f.framework AND r.control = f.control
  LEFT JOIN by_report AS p ON p.framework = f.framework AND p.control = f.control
)
SELECT
  framework AS framework,
  version AS version,
  control AS control,
  title AS title,
  verdict AS verdict,
  CASE
    WHEN verdict = 'violation' THEN 'Rules that support this control found violations in the events read: ' || rules_violated || '.'
    WHEN verdict = 'not_assessed' THEN
      CASE
        WHEN rules_without_violation IS NULL THEN 'No rule that supports this control judged it: ' || rules_not_judged || '.'
        ELSE 'Rules that support this control found no violation in the events read, but some did not judge: ' || rules_not_judged || '.'
      END
    WHEN verdict = 'waived' THEN 'Rules that support this control found waived violations only in the events read.'
    WHEN verdict = 'no_violation' THEN 'Rules that support this control found no violation in the events read.'
    WHEN verdict = 'not_applicable' THEN 'The rules that support this control had nothing to judge.'
    WHEN verdict = 'disabled' THEN 'The policy turns off the rules that support this control.'
    WHEN verdict = 'reports_only' THEN 'No rule supports this control; reports do, for a person to read: ' || reports || '.'
    ELSE 'Nothing here supports this control.'
  END AS statement,
  rules AS rules,
  rules_violated AS rules_violated,
  rules_without_violation AS rules_without_violation,
  rules_not_judged AS rules_not_judged,
  rules_not_applicable AS rules_not_applicable,
  reports AS reports,
  violations AS violations,
  waived AS waived,
  not_assessed AS not_assessed,
  population AS population,
  mapping AS mapping,
  as_of AS as_of
FROM lines
ORDER BY
  framework ASC NULLS LAST,
  version ASC NULLS LAST,
  control ASC NULLS LAST,
  title ASC NULLS LAST
