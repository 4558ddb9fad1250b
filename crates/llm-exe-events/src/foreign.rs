//! Events of AWS services that the function does not support. They are recognized, so that the
//! error names the service instead of the fields that a request would have.

use llm_exe::Error;
use serde_json::Value;

use crate::shapes::{self, field};

/// A service and the fields that only its events have.
struct Service {
    name: &'static str,
    /// The paths of the fields, separated by spaces. An event of the service has all of them.
    fields: &'static str,
}

const fn service(name: &'static str, fields: &'static str) -> Service {
    Service { name, fields }
}

const AUTHORIZER: &str = "an API Gateway Lambda authorizer";

/// The services by the events in their documentation:
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html>.
const SERVICES: &[Service] = &[
    service("Amazon Cognito", "/triggerSource /userPoolId"),
    service("Amazon Cognito Sync", "/identityPoolId /datasetName"),
    service("AWS Config", "/configRuleId /invokingEvent"),
    service("Amazon VPC Lattice", "/requestContext/serviceNetworkArn"),
    service("Amazon VPC Lattice", "/raw_path /query_string_parameters"),
    service("an Amazon Bedrock agent", "/messageVersion /agent"),
    service("Amazon Lex", "/messageVersion /bot"),
    service("Amazon Data Firehose", "/invocationId /deliveryStreamArn"),
    service("Amazon Kinesis Data Analytics", "/invocationId /applicationArn"),
    service("Amazon CloudWatch Logs", "/awslogs/data"),
    service("an Amazon CloudWatch alarm", "/alarmData"),
    service("an Amazon CloudWatch alarm", "/AlarmName /NewStateValue"),
    service("an AWS CloudFormation custom resource", "/RequestType /ResponseURL"),
    service("AWS AppSync", "/info/fieldName /arguments"),
    service("Amazon Connect", "/Details/ContactData"),
    service("Amazon S3 Object Lambda", "/getObjectContext"),
    service("Amazon S3 Batch Operations", "/invocationSchemaVersion /tasks"),
    service(
        "an API Gateway WebSocket API",
        "/requestContext/eventType /requestContext/connectionId",
    ),
    service(AUTHORIZER, "/type /methodArn"),
    service(AUTHORIZER, "/type /routeArn"),
    service("AWS CodePipeline", "/CodePipeline.job"),
    service("AWS CodeDeploy", "/DeploymentId /LifecycleEventHookExecutionId"),
    service("AWS Secrets Manager rotation", "/SecretId /ClientRequestToken /Step"),
    service("AWS IoT", "/clickType"),
    service("AWS IoT", "/deviceEvent /deviceInfo"),
    service("AWS IoT Events", "/detectorModelName /state"),
    service("Alexa", "/context/System /request/type"),
    service("Alexa", "/directive/header"),
];

/// Returns the name of the service that an event is from, if the function does not support it.
pub(crate) fn service_of(event: &Value) -> Option<&'static str> {
    if shapes::is_request(event) && event.get("requestContext").is_none() {
        return None;
    }
    let has_all =
        |service: &&Service| service.fields.split(' ').all(|path| field(event, path).is_some());
    SERVICES.iter().find(has_all).map(|service| service.name)
}

/// Returns true if the event asks a Lambda authorizer of API Gateway for a policy. Such an event
/// can have all fields of an HTTP request.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html>
pub(crate) fn is_authorizer_event(event: &Value) -> bool {
    let has = |name| event.get(name).is_some();
    has("type") && (has("methodArn") || has("routeArn"))
}

/// Returns the error for an event of a service that the function does not support.
pub(crate) fn unsupported(service: &str) -> Error {
    let message =
        format!("an event of {service} is not supported; expected a request (a JSON object)");
    Error::invalid("", message)
}
