//! Events of AWS services that the function does not support. They are recognized, so that the
//! error names the service instead of the fields that a request would have.

use llm_exe::Error;
use serde_json::Value;

use crate::shapes;

/// The services by the events in their documentation, in lines of the form `NAME: PATH PATH…`. An
/// event of a service has values at all of its paths. If several lines match, the first one is
/// used.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html>
///
/// They are one text, for the reason in `word_list.rs` of `llm-exe`.
const SERVICES: &str = "\
Alexa: /context/System /request/type
Alexa: /directive/header
Amazon Athena: /@type /identity
Amazon Chime SDK: /InvocationEventType /CallDetails
Amazon CloudFront (Lambda@Edge): /Records/0/cf
Amazon CloudWatch Logs: /awslogs/data
an Amazon CloudWatch alarm: /alarmData
an Amazon CloudWatch alarm: /AlarmName /NewStateValue
an Amazon CloudWatch dashboard: /widgetContext
an Amazon CloudWatch data source: /EventType /GetMetricDataRequest
Amazon Cognito: /triggerSource /userPoolId
Amazon Cognito Sync: /identityPoolId /datasetName
Amazon Connect: /Details/ContactData
Amazon Data Firehose: /invocationId /deliveryStreamArn
Amazon EC2 Auto Scaling: /AutoScalingGroupName /LifecycleTransition
Amazon EC2 Auto Scaling: /AutoScalingGroupName /CapacityToTerminate
Amazon Kendra: /s3Bucket /s3ObjectKey /metadata
Amazon Kinesis Data Analytics: /invocationId /applicationArn
Amazon Lex: /messageVersion /bot
Amazon Pinpoint: /ApplicationId /CampaignId
Amazon Redshift: /external_function /arguments
Amazon S3 Batch Operations: /invocationSchemaVersion /tasks
Amazon S3 Object Lambda: /getObjectContext
Amazon SageMaker Ground Truth: /labelingJobArn
Amazon SES: /notificationType /mail
Amazon SES: /eventType /mail
Amazon VPC Lattice: /requestContext/serviceNetworkArn
Amazon VPC Lattice: /raw_path /query_string_parameters
Amazon WorkMail: /summaryVersion /envelope
an Amazon Bedrock agent: /messageVersion /agent
an Amazon Bedrock flow: /messageVersion /flow /node
an API Gateway Lambda authorizer: /type /methodArn
an API Gateway Lambda authorizer: /type /routeArn
an API Gateway WebSocket API: /requestContext/eventType /requestContext/connectionId
AWS AppConfig: /configurationProfileId /content
AWS AppConfig: /InvocationId /ConfigurationProfile
AWS AppSync: /info/fieldName /arguments
AWS AppSync: /fieldName /typeName /arguments
AWS AppSync: /info/channel
AWS AppSync: /authorizationToken /requestContext/apiId
AWS Client VPN: /connection-id /endpoint-id
an AWS CloudFormation custom resource: /RequestType /ResponseURL
an AWS CloudFormation hook: /actionInvocationPoint /requestData
an AWS CloudFormation macro: /transformId /fragment
AWS CloudTrail: /s3Bucket /s3ObjectKey
AWS CodeDeploy: /DeploymentId /LifecycleEventHookExecutionId
AWS CodePipeline: /CodePipeline.job
AWS Config: /configRuleId /invokingEvent
AWS End User Messaging: /originationNumber /messageBody
AWS End User Messaging: /whatsAppWebhookEntry
AWS IoT: /clickType
AWS IoT: /deviceEvent /deviceInfo
AWS IoT: /claimCertificateId /templateArn
an AWS IoT authorizer: /token /tokenSignature
an AWS IoT authorizer: /protocolData /connectionMetadata
AWS IoT Events: /detectorModelName /state
an AWS Lambda destination: /requestContext/functionArn /requestContext/condition
AWS Secrets Manager rotation: /SecretId /ClientRequestToken /Step
AWS Transfer Family: /serverId /username /protocol
AWS Transfer Family: /serviceMetadata/executionDetails /fileLocation";

/// Returns the name of the service that an event is from, if the function does not support it. The
/// event can be a list, as AppSync sends it for several fields: its first item is then examined.
pub(crate) fn service_of(event: &Value) -> Option<&'static str> {
    let event = event.as_array().map_or(Some(event), |items| items.first())?;
    if shapes::is_request(event) && event.get("requestContext").is_none() {
        return None;
    }
    SERVICES.lines().find_map(|line| {
        let (name, paths) = line.split_once(": ")?;
        paths.split(' ').all(|path| event.pointer(path).is_some()).then_some(name)
    })
}

/// Returns true if the event asks a Lambda authorizer of API Gateway for a policy. Such an event
/// can have all fields of an HTTP request. The emulator of cargo-lambda sends HTTP requests that
/// have the fields of such an event too, with the value null.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html>
pub(crate) fn is_authorizer_event(event: &Value) -> bool {
    let has = |name| event.get(name).is_some_and(|value: &Value| !value.is_null());
    has("type") && (has("methodArn") || has("routeArn"))
}

/// Returns the error for an event of a service that the function does not support.
pub(crate) fn unsupported(service: &str) -> Error {
    let message =
        format!("an event of {service} is not supported; expected a request (a JSON object)");
    Error::invalid("", message)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{SERVICES, service_of};

    /// Returns an event that has a value at each path.
    fn event_with_paths(paths: &str) -> Value {
        let mut event = json!({});
        for path in paths.split(' ') {
            let mut place = &mut event;
            for name in path.split('/').skip(1) {
                place = match name.parse::<usize>() {
                    Ok(_) => {
                        *place = json!([{}]);
                        &mut place[0]
                    }
                    Err(_) => &mut place[name],
                };
            }
            *place = json!("a");
        }
        event
    }

    #[test]
    fn every_line_matches_its_own_event() {
        assert!(SERVICES.lines().count() > 50);
        for line in SERVICES.lines() {
            let (name, paths) = line.split_once(": ").unwrap();
            assert_eq!(service_of(&event_with_paths(paths)), Some(name), "{line}");
        }
    }

    #[test]
    fn request_with_such_fields_is_a_request() {
        let fields = json!({ "provider": "openai", "triggerSource": "a", "userPoolId": "b" });
        assert_eq!(service_of(&fields), None);
        assert_eq!(service_of(&json!([fields])), None);
        assert_eq!(service_of(&json!([])), None);
    }
}
