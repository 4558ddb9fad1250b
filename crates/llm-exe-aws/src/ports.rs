//! Creates all AWS ports from the same region, service endpoints and HTTP client.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::transport::HttpClient;

use crate::client::AwsClient;
use crate::credentials::CredentialSource;
use crate::documents::S3Documents;
use crate::keys::SsmKeys;
use crate::messenger::AwsMessenger;
use crate::results::S3Results;
use crate::signer::SigV4Signer;
use crate::ssm::Ssm;

/// The base URLs of AWS services. If a service has no base URL, requests go to its regional
/// endpoint.
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
}

/// Creates the AWS ports. The ports that call AWS share a client, and with it the client's
/// connections, credentials and clock correction.
#[derive(Debug)]
pub struct AwsPorts {
    client: Arc<AwsClient>,
    region: Option<String>,
    endpoints: ServiceEndpoints,
}

impl AwsPorts {
    /// Creates a factory for ports that use this region and these endpoints. The ports send
    /// requests with `http` and sign them with `credentials`.
    pub fn new(
        region: Option<String>,
        endpoints: ServiceEndpoints,
        http: HttpClient,
        credentials: Arc<dyn CredentialSource>,
    ) -> Self {
        AwsPorts { client: Arc::new(AwsClient::new(http, credentials)), region, endpoints }
    }

    /// Returns a store for the provider keys of a stack, which are in Parameter Store. Each key is
    /// cached for the duration `cache`. Returns `None` if no region is set.
    pub fn keys(&self, stack: &str, cache: Duration) -> Option<SsmKeys> {
        let region = self.region.clone()?;
        let ssm = Ssm::new(Arc::clone(&self.client), region, self.endpoints.ssm.clone());
        Some(SsmKeys::new(ssm, stack, cache))
    }

    /// Returns the store for hosted documents in S3.
    pub fn documents(&self) -> S3Documents {
        let endpoint = self.endpoints.s3.clone();
        S3Documents::new(Arc::clone(&self.client), self.region.clone(), endpoint)
    }

    /// Returns the store for results in S3.
    pub fn results(&self) -> S3Results {
        let endpoint = self.endpoints.s3.clone();
        S3Results::new(Arc::clone(&self.client), self.region.clone(), endpoint)
    }

    /// Returns the messenger for SQS queues and EventBridge event buses.
    pub fn messenger(&self) -> AwsMessenger {
        let (sqs, event_bridge) = (self.endpoints.sqs.clone(), self.endpoints.event_bridge.clone());
        AwsMessenger::new(Arc::clone(&self.client), self.region.clone(), sqs, event_bridge)
    }

    /// Returns the signer for requests to Amazon Bedrock.
    pub fn signer(&self) -> SigV4Signer {
        SigV4Signer::new(self.client.credential_source())
    }
}
