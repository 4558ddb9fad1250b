//! Tests that the S3 document store rejects locations that are not in S3.

use llm_exe::ErrorKind;
use llm_exe::ports::{DocumentLocation, DocumentStore};

use crate::support::{OTHER_SECRET, deadline, ports};

#[tokio::test]
async fn web_url_is_an_internal_error() {
    let documents = ports("http://127.0.0.1:1", OTHER_SECRET).documents();
    let url = DocumentLocation::Url("https://a.example".to_owned());
    let error = documents.fetch(&url, None, deadline()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}
