//! What a test runs with: moto, or our own simulator, which has to do the same.

use std::sync::Arc;

use llm_exe_aws::{Aws, AwsMessenger, S3Documents, S3Results};
use llm_exe_testkit::aws::AwsSimulator;

use crate::server::Moto;
use crate::{EXAMPLE, REGION, aws, aws_by};

/// One of them, running.
pub(crate) enum Backend {
    Moto(Moto),
    Simulator(AwsSimulator),
}

impl Backend {
    pub(crate) async fn moto() -> Backend {
        Backend::Moto(Moto::start().await)
    }

    pub(crate) async fn simulator() -> Backend {
        Backend::Simulator(AwsSimulator::start().await.unwrap())
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Backend::Moto(moto) => moto.url(),
            Backend::Simulator(simulator) => simulator.url(),
        }
    }

    pub(crate) fn aws(&self) -> Arc<Aws> {
        match self {
            Backend::Moto(_) => aws(),
            Backend::Simulator(_) => aws_by(EXAMPLE),
        }
    }

    pub(crate) fn results(&self) -> S3Results {
        S3Results::new(self.aws(), Some(REGION.to_owned()), Some(self.url()))
    }

    pub(crate) fn documents(&self) -> S3Documents {
        S3Documents::new(self.aws(), Some(REGION.to_owned()), Some(self.url()))
    }

    pub(crate) fn messenger(&self) -> AwsMessenger {
        let region = Some(REGION.to_owned());
        AwsMessenger::new(self.aws(), region, Some(self.url()), Some(self.url()))
    }

    /// Makes a bucket; the simulator has all of them.
    pub(crate) async fn bucket(&self, name: &str) {
        if let Backend::Moto(moto) = self {
            moto.bucket(name, false).await;
        }
    }

    /// Puts an object as somebody else would.
    pub(crate) async fn put(&self, bucket: &str, key: &str, body: &str) {
        match self {
            Backend::Moto(moto) => {
                moto.s3("PUT", &format!("/{bucket}/{key}"), body).await;
            }
            Backend::Simulator(simulator) => {
                simulator.put(bucket, key, body.to_owned());
            }
        }
    }
}

/// Runs each of these tests with moto, and with the simulator.
macro_rules! with_both {
    ($($name:ident)*) => { $(
        mod $name {
            #[tokio::test]
            #[ignore = "needs moto; ./scripts/test runs it"]
            async fn with_moto() {
                super::$name($crate::backend::Backend::moto().await).await;
            }

            #[tokio::test]
            async fn with_the_simulator() {
                super::$name($crate::backend::Backend::simulator().await).await;
            }
        }
    )* };
}
pub(crate) use with_both;
