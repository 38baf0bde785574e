-- title = "Accounts and Regions that delivered logs"
-- question = "Which accounts and Regions delivered CloudTrail logs in the window, and which that should have did not?"
-- frameworks = ["SOC 2 CC7.2", "ISO/IEC 27001 A.8.15", "NIST SP 800-53 AU-12"]
--
-- [columns]
-- account_id = "The account, from the objects' names or the list of those expected."
-- account_name = "Its name, where the list gives one."
-- aws_region = "The Region."
-- state = "delivered; silent: expected, and nothing came; quiet: nothing came, and nothing had to; not_expected: delivered, and not on the list; pruned: whatever came was pruned from the store, and is not known."
-- objects = "Log objects delivered in the window."
-- first_delivered = "Delivery time of the first, UTC."
-- last_delivered = "Delivery time of the last, UTC."
-- reason = "Why nothing had to come, as the configuration says; or from when on the store still has what came."

SELECT
  account_id AS account_id,
  account_name AS account_name,
  aws_region AS aws_region,
  state AS state,
  objects AS objects,
  first_delivered AS first_delivered,
  last_delivered AS last_delivered,
  reason AS reason
FROM coverage
ORDER BY account_id ASC NULLS LAST, aws_region ASC NULLS LAST
