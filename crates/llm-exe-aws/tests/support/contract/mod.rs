//! Contract tests, which check behavior that moto and this project's AWS simulator must share. Each
//! function is a test body that runs against both.

pub(crate) mod queues;
pub(crate) mod results;

use llm_exe_aws::AwsPorts;

/// An implementation of AWS services to run the contract tests against.
pub(crate) trait Backend {
    /// Starts the AWS services.
    async fn start() -> Self;

    /// Returns ports that call these services.
    fn ports(&self) -> AwsPorts;

    async fn create_bucket(&self, name: &str);

    async fn create_queue(&self, name: &str);

    /// Writes an object without the metadata that marks stored results.
    async fn put_object(&self, bucket: &str, key: &str, body: &str);

    /// Receives the messages in a queue.
    async fn messages(&self, queue: &str) -> Vec<Message>;
}

/// A message in a queue.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) body: String,
    pub(crate) group: Option<String>,
    pub(crate) deduplication_id: Option<String>,
}

/// Defines a test for each contract function. The tests run against `$backend` and have the given
/// attributes.
macro_rules! contract_tests {
    ($backend:ty, $(#[$attribute:meta])*) => {
        $crate::support::contract::contract_tests! { @tests $backend, [$(#[$attribute])*]
            results::missing_object_is_not_found
            results::missing_bucket_is_reported
            results::put_honours_preconditions
            results::concurrent_creates_have_one_winner
            results::stored_results_are_marked_and_never_run
            results::result_is_limited_to_8_mib
            queues::missing_queue_and_large_message_are_reported
            queues::messages_are_delivered_and_deduplicated_by_fifo_queues
        }
    };
    (@tests $backend:ty, $attributes:tt $($module:ident::$name:ident)*) => {
        $($crate::support::contract::contract_tests! { @test $backend, $attributes $module $name })*
    };
    (@test $backend:ty, [$(#[$attribute:meta])*] $module:ident $name:ident) => {
        #[tokio::test]
        $(#[$attribute])*
        async fn $name() {
            let backend = <$backend as $crate::support::contract::Backend>::start().await;
            $crate::support::contract::$module::$name(&backend).await;
        }
    };
}
pub(crate) use contract_tests;
