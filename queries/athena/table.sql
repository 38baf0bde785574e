-- The CloudTrail table of an account's or an organisation's trail in Amazon Athena, its partitions reckoned from their
-- names (partition projection) rather than listed: nothing has to be added as days go by. Columns and types are those of
-- AWS's own statement, and what it leaves out of userIdentity (onBehalfOf, inScopeOf, invokedByDelegate, …),
-- managementEvent and tlsDetails' key exchange.
--
-- To replace, as plain text, after this comment is cut off:
--   $name      database and table:                                            "bedtrail"."cloudtrail" (no quotes: bedtrail.cloudtrail)
--   $location  what comes before the account, without a slash at its end:     s3://bucket/prefix/AWSLogs            (account)
--                                                                             s3://bucket/prefix/AWSLogs/o-a1b2c3   (organisation)
--   $accounts  account ids, commas between:                                   111122223333,444455556666
--   $regions   Regions, commas between:                                       eu-central-1,us-east-1
--   $from      the first day:                                                 2026/01/01
-- ${account} and the like are Athena's own and stay. `folder` tells calls from what VPC endpoints saw; Insights,
-- digests and aggregated events lie in other folders and are not read. A query that gives no account, folder, region and
-- day reads everything: the events relation takes its limits through $where.

CREATE EXTERNAL TABLE IF NOT EXISTS $name (
  eventversion STRING,
  useridentity STRUCT<
    type: STRING,
    principalid: STRING,
    arn: STRING,
    accountid: STRING,
    invokedby: STRING,
    accesskeyid: STRING,
    username: STRING,
    identityprovider: STRING,
    credentialid: STRING,
    onbehalfof: STRUCT<userid: STRING, identitystorearn: STRING>,
    inscopeof: STRUCT<sourcearn: STRING, sourceaccount: STRING, issuertype: STRING, credentialsissuedto: STRING>,
    invokedbydelegate: STRUCT<accountid: STRING>,
    sessioncontext: STRUCT<
      sourceidentity: STRING,
      ec2roledelivery: STRING,
      attributes: STRUCT<mfaauthenticated: STRING, creationdate: STRING>,
      sessionissuer: STRUCT<type: STRING, principalid: STRING, arn: STRING, accountid: STRING, username: STRING>,
      webidfederationdata: STRUCT<federatedprovider: STRING, attributes: MAP<STRING, STRING>>
    >
  >,
  eventtime STRING,
  eventsource STRING,
  eventname STRING,
  awsregion STRING,
  sourceipaddress STRING,
  useragent STRING,
  errorcode STRING,
  errormessage STRING,
  requestparameters STRING,
  responseelements STRING,
  additionaleventdata STRING,
  requestid STRING,
  eventid STRING,
  resources ARRAY<STRUCT<arn: STRING, accountid: STRING, type: STRING>>,
  eventtype STRING,
  apiversion STRING,
  readonly STRING,
  managementevent STRING,
  recipientaccountid STRING,
  serviceeventdetails STRING,
  sharedeventid STRING,
  vpcendpointid STRING,
  vpcendpointaccountid STRING,
  eventcategory STRING,
  addendum STRUCT<reason: STRING, updatedfields: STRING, originalrequestid: STRING, originaleventid: STRING>,
  sessioncredentialfromconsole STRING,
  edgedevicedetails STRING,
  tlsdetails STRUCT<tlsversion: STRING, ciphersuite: STRING, clientprovidedhostheader: STRING, keyexchange: STRING>
)
PARTITIONED BY (account STRING, folder STRING, region STRING, day STRING)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION '$location/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.account.type' = 'enum',
  'projection.account.values' = '$accounts',
  'projection.folder.type' = 'enum',
  'projection.folder.values' = 'CloudTrail,CloudTrail-NetworkActivity',
  'projection.region.type' = 'enum',
  'projection.region.values' = '$regions',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy/MM/dd',
  'projection.day.range' = '$from,NOW',
  'projection.day.interval' = '1',
  'projection.day.interval.unit' = 'DAYS',
  'storage.location.template' = '$location/${account}/${folder}/${region}/${day}'
)
