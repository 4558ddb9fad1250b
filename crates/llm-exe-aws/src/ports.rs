//! Creates the AWS implementations of llm-exe's ports. They share a region, service endpoints and
//! an HTTP client.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::transport::HttpClient;

use crate::client::AwsClient;
use crate::credentials::CredentialSource;
use crate::documents::S3Documents;
use crate::keys::SsmKeys;
use crate::lambda::LambdaFunctions;
use crate::messenger::AwsMessenger;
use crate::results::S3Results;
use crate::signer::SigV4Signer;
use crate::ssm::Ssm;

/// Custom base URLs of AWS services. Without a base URL, requests go to the regional endpoint of
/// the service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceEndpoints {
    /// The base URL of S3.
    pub s3: Option<String>,
    /// The base URL of Systems Manager, which provides Parameter Store.
    pub ssm: Option<String>,
    /// The base URL of SQS.
    pub sqs: Option<String>,
    /// The base URL of EventBridge.
    pub event_bridge: Option<String>,
    /// The base URL of Lambda.
    pub lambda: Option<String>,
}

/// A factory for the AWS implementations of llm-exe's ports. They share a client with its
/// connections, credentials and clock correction.
#[derive(Debug)]
pub struct AwsPorts {
    client: Arc<AwsClient>,
    region: Option<String>,
    endpoints: ServiceEndpoints,
}

impl AwsPorts {
    /// Creates a factory for the given region and endpoints. Its ports send requests with `http`
    /// and sign them with `credentials`.
    pub fn new(
        region: Option<String>,
        endpoints: ServiceEndpoints,
        http: HttpClient,
        credentials: Arc<dyn CredentialSource>,
    ) -> Self {
        AwsPorts { client: Arc::new(AwsClient::new(http, credentials)), region, endpoints }
    }

    /// Returns a store that reads a stack's provider keys from Parameter Store and caches each key
    /// for the duration `cache`. Returns `None` if no region is set.
    pub fn keys(&self, stack: &str, cache: Duration) -> Option<SsmKeys> {
        let region = self.region.clone()?;
        let ssm = Ssm::new(Arc::clone(&self.client), region, self.endpoints.ssm.clone());
        Some(SsmKeys::new(ssm, stack, cache))
    }

    /// Returns a store that reads documents from S3.
    pub fn documents(&self) -> S3Documents {
        let endpoint = self.endpoints.s3.clone();
        S3Documents::new(Arc::clone(&self.client), self.region.clone(), endpoint)
    }

    /// Returns a store that reads and writes results in S3.
    pub fn results(&self) -> S3Results {
        let endpoint = self.endpoints.s3.clone();
        S3Results::new(Arc::clone(&self.client), self.region.clone(), endpoint)
    }

    /// Returns a messenger for SQS queues and EventBridge event buses.
    pub fn messenger(&self) -> AwsMessenger {
        let (sqs, event_bridge) = (self.endpoints.sqs.clone(), self.endpoints.event_bridge.clone());
        AwsMessenger::new(Arc::clone(&self.client), self.region.clone(), sqs, event_bridge)
    }

    /// Returns an invoker of Lambda functions.
    pub fn functions(&self) -> LambdaFunctions {
        let endpoint = self.endpoints.lambda.clone();
        LambdaFunctions::new(Arc::clone(&self.client), self.region.clone(), endpoint)
    }

    /// Returns a signer for requests to Amazon Bedrock.
    pub fn signer(&self) -> SigV4Signer {
        SigV4Signer::new(self.client.credential_source())
    }
}
