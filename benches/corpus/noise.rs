//! What fills a trail besides us: EC2, S3, IAM, STS, KMS, Lambda and DynamoDB, 1.2 to 3 KB a record.

use super::caller::Caller;
use super::random::Random;
use super::record::{Draft, Event, resource};
use super::truth::Fact;

/// Some record of another service. Now and then one that names us in passing.
pub fn event(caller: &Caller, time: i64, region: &str, random: &mut Random) -> Event {
    let kind = random.below(100);
    let draft = match kind {
        0..22 => describe_instances(caller, time, region, random),
        22..30 => run_instances(caller, time, region, random),
        30..48 => bucket(caller, time, region, random),
        48..60 => assume_role(caller, time, region, random),
        60..64 => Draft::new(caller, time, region, "sts.amazonaws.com", "GetCallerIdentity", random),
        64..74 => get_role(caller, time, random),
        74..90 => decrypt(caller, time, region, random),
        90..96 => get_function(caller, time, region, random),
        _ => describe_table(caller, time, region, random),
    };
    draft.event(Fact::NotOurs)
}

fn describe_instances(caller: &Caller, time: i64, region: &str, random: &mut Random) -> Draft {
    let ids: Vec<String> =
        (0..random.between(1, 2)).map(|_| format!(r#"{{"instanceId":"i-0{}"}}"#, random.hex(16))).collect();
    Draft::new(caller, time, region, "ec2.amazonaws.com", "DescribeInstances", random).parameters(format!(
        r#"{{"maxResults":1000,"instancesSet":{{"items":[{}]}},"filterSet":{{"items":[{{"name":"instance-state-name","valueSet":{{"items":[{{"value":"running"}},{{"value":"pending"}}]}}}},{{"name":"tag:Environment","valueSet":{{"items":[{{"value":"production"}}]}}}}]}}}}"#,
        ids.join(",")
    ))
}

fn run_instances(caller: &Caller, time: i64, region: &str, random: &mut Random) -> Draft {
    let (instance, eni, subnet, token) = (random.hex(16), random.hex(16), random.hex(16), random.uuid());
    let (image, vpc, group) = ("029eb80bc237bec6f", "0b6fe1fa64761a0f", "0b233157065b7d5e2");
    let volume = "44c2a9d17be03f58";
    let (account, host) = (&caller.account, random.below(250));
    let text = format!(
        r#"{{"requestId":"{}","reservationId":"r-0{}","ownerId":"{account}","groupSet":{{}},"instancesSet":{{"items":[{{"instanceId":"i-0{instance}","imageId":"ami-0{image}","currentInstanceBootMode":"uefi","instanceState":{{"code":0,"name":"pending"}},"privateDnsName":"ip-10-0-1-{host}.{region}.compute.internal","amiLaunchIndex":0,"productCodes":{{}},"instanceType":"m7i.large","launchTime":{time}000,"placement":{{"availabilityZone":"{region}a","tenancy":"default"}},"monitoring":{{"state":"disabled"}},"subnetId":"subnet-0{subnet}","vpcId":"vpc-0{vpc}","privateIpAddress":"10.0.1.{host}","stateReason":{{"code":"pending","message":"pending"}},"architecture":"x86_64","rootDeviceType":"ebs","rootDeviceName":"/dev/xvda","blockDeviceMapping":{{}},"virtualizationType":"hvm","hypervisor":"xen","tagSet":{{"items":[{{"key":"Name","value":"worker-{host}"}},{{"key":"aws:autoscaling:groupName","value":"workers-{region}"}}]}},"clientToken":"{token}","groupSet":{{"items":[{{"groupId":"sg-{group}","groupName":"workers"}}]}},"sourceDestCheck":true,"networkInterfaceSet":{{"items":[{{"networkInterfaceId":"eni-0{eni}","subnetId":"subnet-0{subnet}","vpcId":"vpc-0{vpc}","ownerId":"{account}","status":"in-use","privateIpAddress":"10.0.1.{host}","sourceDestCheck":true,"interfaceType":"interface","groupSet":{{"items":[{{"groupId":"sg-{group}","groupName":"workers"}}]}},"attachment":{{"attachmentId":"eni-attach-0{eni}","deviceIndex":0,"networkCardIndex":0,"status":"attaching","deleteOnTermination":true}}}}]}},"ebsOptimized":true,"enaSupport":true,"cpuOptions":{{"coreCount":1,"threadsPerCore":2}}}}]}}}}"#,
        random.uuid(),
        random.hex(16)
    );
    Draft::new(caller, time, region, "ec2.amazonaws.com", "RunInstances", random)
        .parameters(format!(
            r#"{{"instancesSet":{{"items":[{{"imageId":"ami-0{image}","minCount":1,"maxCount":1,"keyName":"workers"}}]}},"instanceType":"m7i.large","blockDeviceMapping":{{"items":[{{"deviceName":"/dev/xvda","ebs":{{"volumeSize":64,"deleteOnTermination":true,"volumeType":"gp3","snapshotId":"snap-0{volume}"}}}}]}},"monitoring":{{"enabled":false}},"disableApiTermination":false,"clientToken":"{token}","subnetId":"subnet-0{subnet}"}}"#
        ))
        .response(text)
}

/// Reads of a bucket's settings; some buckets are named for us.
fn bucket(caller: &Caller, time: i64, region: &str, random: &mut Random) -> Draft {
    let name = random.one(&["GetBucketAcl", "GetBucketLocation", "GetBucketTagging", "HeadBucket"]);
    let bucket = if random.chance(60) {
        "acme-bedrock-artifacts".to_owned()
    } else {
        format!("acme-data-{}-{region}", random.below(400))
    };
    let id = format!("{}+{}=", random.alphanumeric(24), "Wv0d2kXq9mT4uB7nZ3rL8sY1cF6hJ5gP");
    let host = format!("{bucket}.s3.{region}.amazonaws.com");
    let mut draft = Draft::new(caller, time, region, "s3.amazonaws.com", name, random)
        .parameters(format!(r#"{{"bucketName":"{bucket}","Host":"{host}","acl":""}}"#));
    draft.additional = Some(format!(
        r#"{{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"{id}","bytesTransferredOut":{}}}"#,
        random.between(200, 900)
    ));
    draft.request_id = Some(random.unique_id(16));
    draft.resources = Some(resource(&caller.account, "AWS::S3::Bucket", &format!("arn:aws:s3:::{bucket}")));
    draft.host = Some(host);
    draft
}

fn assume_role(caller: &Caller, time: i64, region: &str, random: &mut Random) -> Draft {
    let account = &caller.account;
    let service = random.one(&["ec2.amazonaws.com", "lambda.amazonaws.com", "ecs-tasks.amazonaws.com"]);
    let role = format!("service-{}", random.below(60));
    let (id, session) = (random.unique_id(17), format!("i-0{}", random.hex(16)));
    let arn = format!("arn:aws:iam::{account}:role/{role}");
    let mut draft = Draft::new(
        &Caller::service(account, service, random),
        time,
        region,
        "sts.amazonaws.com",
        "AssumeRole",
        random,
    )
    .parameters(format!(r#"{{"roleArn":"{arn}","roleSessionName":"{session}","durationSeconds":21600}}"#));
    draft.response = Some(format!(
        r#"{{"credentials":{{"accessKeyId":"ASIA{}","sessionToken":"IQoJb3JpZ2luX2Vj{}","expiration":"Oct 25, 2026, 11:59:59 PM"}},"assumedRoleUser":{{"assumedRoleId":"AROA{id}:{session}","arn":"arn:aws:sts::{account}:assumed-role/{role}/{session}"}}}}"#,
        random.unique_id(16),
        random.alphanumeric(60)
    ));
    draft.resources = Some(resource(account, "AWS::IAM::Role", &arn));
    draft.shared_id = Some(random.uuid());
    draft
}

fn get_role(caller: &Caller, time: i64, random: &mut Random) -> Draft {
    let name =
        random.one(&["GetPolicyVersion", "ListPolicies", "ListInstanceProfiles", "GetInstanceProfile"]);
    let mut draft = Draft::new(caller, time, "us-east-1", "iam.amazonaws.com", name, random)
        .parameters(format!(r#"{{"name":"service-role-{}","maxItems":100}}"#, random.below(500)));
    if random.chance(80) {
        draft = draft.error("NoSuchEntityException", "The entity with that name cannot be found.");
    }
    draft.host = Some("iam.amazonaws.com".to_owned());
    draft
}

fn decrypt(caller: &Caller, time: i64, region: &str, random: &mut Random) -> Draft {
    let service = random.one(&["secretsmanager.amazonaws.com", "s3.amazonaws.com", "ssm.amazonaws.com"]);
    let (account, key) = (&caller.account, random.below(40));
    let arn = format!("arn:aws:kms:{region}:{account}:key/dad21b23-9915-42bd-981b-2a9f3c8f2{key:03}");
    let name = if random.chance(600) { "Decrypt" } else { "GenerateDataKey" };
    let mut draft =
        Draft::new(&caller.through(service), time, region, "kms.amazonaws.com", name, random).parameters(format!(
            r#"{{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","keyId":"{arn}","encryptionContext":{{"SecretARN":"arn:aws:secretsmanager:{region}:{account}:secret:application-{}-{}","SecretVersionId":"{}"}}}}"#,
            random.below(90),
            random.alphanumeric(6),
            random.uuid()
        ));
    draft.resources = Some(resource(account, "AWS::KMS::Key", &arn));
    draft
}

fn get_function(caller: &Caller, time: i64, region: &str, random: &mut Random) -> Draft {
    let name =
        random.one(&["GetFunction20150331v2", "ListVersionsByFunction20150331", "GetPolicy20150331v2"]);
    let arn = format!("arn:aws:lambda:{region}:{}:function:orders-{}", caller.account, random.below(300));
    Draft::new(caller, time, region, "lambda.amazonaws.com", name, random)
        .parameters(format!(r#"{{"functionName":"{arn}"}}"#))
}

/// A table read whose name may name us: a search for text alone would take it for ours.
fn describe_table(caller: &Caller, time: i64, region: &str, random: &mut Random) -> Draft {
    let table = random.one(&["bedrock-sessions", "orders", "anthropic-usage", "customers"]);
    let mut draft = Draft::new(caller, time, region, "dynamodb.amazonaws.com", "DescribeTable", random)
        .parameters(format!(r#"{{"tableName":"{table}"}}"#));
    let arn = format!("arn:aws:dynamodb:{region}:{}:table/{table}", caller.account);
    draft.resources = Some(resource(&caller.account, "AWS::DynamoDB::Table", &arn));
    draft.api_version = Some("2012-08-10");
    draft
}
