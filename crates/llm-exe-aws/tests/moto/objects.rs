//! Writing and asking about objects.

use bytes::Bytes;
use llm_exe_aws::CallError;
use llm_exe_aws::s3::{HeadObject, Precondition, Put, PutObject, S3};

use crate::server::Moto;
use crate::{REGION, aws, deadline};

async fn put(s3: &S3, key: &str, body: &'static str, precondition: Precondition) -> Put {
    let put = PutObject {
        bucket: "results",
        key,
        body: Bytes::from_static(body.as_bytes()),
        content_type: "application/json",
        metadata: &[("x-amz-meta-hash", "ab12".to_owned())],
        precondition,
    };
    s3.put_object(&put, deadline()).await.unwrap()
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn objects_are_written_on_a_condition() {
    let moto = Moto::start().await;
    moto.bucket("results", false).await;
    let s3 = S3::new(aws(), Some(REGION.to_owned()), Some(moto.url()));
    let Put::Done { etag: Some(etag), .. } = put(&s3, "a ü.json", "1", Precondition::Absent).await
    else {
        panic!("not written");
    };
    assert_eq!(put(&s3, "a ü.json", "2", Precondition::Absent).await, Put::Unmet);
    let unchanged = Precondition::Unchanged(etag.clone());
    let done = put(&s3, "a ü.json", "333", unchanged.clone()).await;
    assert!(matches!(done, Put::Done { .. }), "{done:?}");
    assert_eq!(put(&s3, "a ü.json", "4", unchanged).await, Put::Unmet);

    let head = HeadObject { bucket: "results", key: "a ü.json", version: None };
    let told = s3.head_object(&head, deadline()).await.unwrap();
    assert_eq!((told.length, told.content_type.as_deref()), (Some(3), Some("application/json")));
    assert_eq!(told.metadata, [("hash".to_owned(), "ab12".to_owned())]);
    assert_ne!(told.etag, Some(etag));
    let missing = HeadObject { bucket: "results", key: "b.json", version: None };
    let fault = s3.head_object(&missing, deadline()).await.unwrap_err();
    assert!(matches!(&fault, CallError::Refused(refusal) if refusal.status == 404), "{fault:?}");
}
