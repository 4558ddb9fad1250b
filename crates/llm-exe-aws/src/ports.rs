//! Creates every AWS port from one region, one set of endpoints and one HTTP client.

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

/// Base URLs of AWS services. A service without one is called at its regional endpoint.
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

/// Creates the AWS ports. Those that call AWS share one client with its connections, credentials
/// and clock correction.
#[derive(Debug)]
pub struct AwsPorts {
    client: Arc<AwsClient>,
    region: Option<String>,
    endpoints: ServiceEndpoints,
}

impl AwsPorts {
    /// Creates ports for a region and the given endpoints. Requests go through `http` and are
    /// signed with `credentials`.
    pub fn new(
        region: Option<String>,
        endpoints: ServiceEndpoints,
        http: HttpClient,
        credentials: Arc<dyn CredentialSource>,
    ) -> Self {
        AwsPorts { client: Arc::new(AwsClient::new(http, credentials)), region, endpoints }
    }

    /// The keys of a stack in Parameter Store, each cached for `cache`; `None` without a region.
    pub fn keys(&self, stack: &str, cache: Duration) -> Option<SsmKeys> {
        let region = self.region.clone()?;
        let ssm = Ssm::new(Arc::clone(&self.client), region, self.endpoints.ssm.clone());
        Some(SsmKeys::new(ssm, stack, cache))
    }

    /// Hosted documents in S3.
    pub fn documents(&self) -> S3Documents {
        let endpoint = self.endpoints.s3.clone();
        S3Documents::new(Arc::clone(&self.client), self.region.clone(), endpoint)
    }

    /// StoredObject results in S3.
    pub fn results(&self) -> S3Results {
        let endpoint = self.endpoints.s3.clone();
        S3Results::new(Arc::clone(&self.client), self.region.clone(), endpoint)
    }

    /// The messenger to queues of SQS and event buses of EventBridge.
    pub fn messenger(&self) -> AwsMessenger {
        let (sqs, event_bridge) = (self.endpoints.sqs.clone(), self.endpoints.event_bridge.clone());
        AwsMessenger::new(Arc::clone(&self.client), self.region.clone(), sqs, event_bridge)
    }

    /// The signer of requests to Amazon Bedrock.
    pub fn signer(&self) -> SigV4Signer {
        SigV4Signer::new(self.client.credential_source())
    }
}
