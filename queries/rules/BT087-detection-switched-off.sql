-- title = "A service that detects attacks or records configuration was switched off"
-- severity = "high"
-- kind = "row"
-- needs = []
-- columns = [
--   "event_id", "event_time", "event_source", "event_name", "account_id", "principal", "outcome",
--   "request_parameters", "aws_region", "record_kind",
-- ]
-- attack = ["T1685"]
-- attack_old = ["T1562.001"]
-- atlas = []
-- why = """\
-- GuardDuty, Security Hub and AWS Config notice what this program reports too late. The rule finds a GuardDuty detector \
-- deleted, disabled or stopped in member accounts, Security Hub disabled, the Config recorder or its delivery channel \
-- stopped or deleted, and an account that leaves its administrator's GuardDuty or Security Hub. Success is high. One \
-- feature or standard switched off, and a refused attempt, are medium. An attempt that failed for another reason \
-- switched nothing off and is no violation. Members that an administrator removes are no violation either: the \
-- services go on in these accounts. The population is all changes to the three services that bedtrail keeps."""
-- fix = """\
-- Switch the service on again and ask for the change ticket. Treat the time between as not watched. Deny these \
-- actions to all but one role by a service control policy."""
-- false_positives = "An account that is being closed. A move to another administrator account. A product that replaces one of these."
--
-- [controls]
-- "NIST SP 800-53" = ["SI-4"]
-- "SOC 2" = ["CC7.2"]

WITH changes AS (
  SELECT
    event_id AS event_id,
    event_time AS event_time,
    event_source AS event_source,
    event_name AS event_name,
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    outcome AS outcome,
    COALESCE(
      json_extract_scalar(request_parameters, '$.detectorId'),
      json_extract_scalar(request_parameters, '$.configurationRecorderName'),
      json_extract_scalar(request_parameters, '$.deliveryChannelName')
    ) AS object,
    CASE
      WHEN event_source = 'guardduty.amazonaws.com' AND event_name IN (
        'DeleteDetector', 'StopMonitoringMembers', 'DisassociateFromAdministratorAccount',
        'DisassociateFromMasterAccount', 'DisableOrganizationAdminAccount'
      ) THEN 'whole'
      WHEN event_source = 'guardduty.amazonaws.com'
        AND event_name = 'UpdateDetector'
        AND json_extract_scalar(request_parameters, '$.enable') = 'false' THEN 'whole'
      WHEN event_source = 'guardduty.amazonaws.com'
        AND event_name IN ('UpdateDetector', 'UpdateMemberDetectors')
        AND (
          regexp_like(request_parameters, '"status"[ ]*:[ ]*"DISABLED"')
          OR regexp_like(request_parameters, '"enable"[ ]*:[ ]*false')
        ) THEN 'part'
      WHEN event_source = 'securityhub.amazonaws.com' AND event_name IN (
        'DisableSecurityHub', 'DisableSecurityHubV2', 'DisassociateFromAdministratorAccount',
        'DisassociateFromMasterAccount', 'DisableOrganizationAdminAccount'
      ) THEN 'whole'
      WHEN event_source = 'securityhub.amazonaws.com' AND event_name IN (
        'BatchDisableStandards', 'DisableImportFindingsForProduct', 'DisableSecurityHubFeatureV2'
      ) THEN 'part'
      WHEN event_source = 'config.amazonaws.com' AND event_name IN (
        'StopConfigurationRecorder', 'DeleteConfigurationRecorder', 'DeleteDeliveryChannel'
      ) THEN 'whole'
    END AS extent
  FROM events
  WHERE record_kind = 'api_call'
    AND event_source IN ('guardduty.amazonaws.com', 'securityhub.amazonaws.com', 'config.amazonaws.com')
)
SELECT
  CASE WHEN extent IS NOT NULL AND outcome IN ('ok', 'denied') THEN 'violation' ELSE 'pass' END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  event_name || ' ' || COALESCE(object, event_source) || ' ' || COALESCE(aws_region, 'Region not recorded') AS subject,
  CASE
    WHEN outcome = 'denied' THEN 'an attempt to switch detection off was refused'
    WHEN extent = 'part' THEN 'a part of the service was switched off'
    ELSE 'the service was switched off'
  END AS reason,
  'detection and the record of configuration never stop' AS expected,
  event_name AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome,
  CASE WHEN outcome = 'ok' AND extent = 'whole' THEN 'high' ELSE 'medium' END AS severity
FROM changes
