//! Tests how the S3 document store reports locations that are not in S3, redirects and compressed
//! objects.

use llm_exe::ErrorKind;
use llm_exe::ports::{DocumentLocation, DocumentStore};

use crate::support::proxy::{Action, Proxy};
use crate::support::{OTHER_SECRET, deadline, object, ports};

#[tokio::test]
async fn web_url_is_an_internal_error() {
    let documents = ports("http://127.0.0.1:1", OTHER_SECRET).documents();
    let url = DocumentLocation::Url("https://a.example".to_owned());
    let error = documents.fetch(&url, None, deadline()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

#[tokio::test]
async fn redirect_that_can_not_be_followed_names_the_region() {
    let redirect = |header: &str| {
        let body = "<Error><Code>PermanentRedirect</Code><Message>m</Message></Error>";
        Action::Respond(301, header.to_owned(), body.to_owned())
    };
    for (header, expected, requests) in [
        (
            "x-amz-bucket-region: eu-central-1\r\n",
            "the bucket bucket is in eu-central-1; requests go to us-east-1",
            2,
        ),
        ("", "the bucket bucket is in another region; requests go to us-east-1", 1),
    ] {
        let proxy = Proxy::without_target().await;
        proxy.script(&[redirect(header), redirect(header)]);
        let documents = ports(&proxy.url(), OTHER_SECRET).documents();
        let place = object("bucket", "a.md", None);
        let error = documents.fetch(&place, None, deadline()).await.unwrap_err();
        let (kind, message) = (ErrorKind::ConfigInvalid, format!("{expected}: s3://bucket/a.md"));
        assert_eq!((error.kind(), error.message()), (kind, message.as_str()));
        assert_eq!(proxy.request_count(), requests);
    }
}

#[tokio::test]
async fn credentials_are_not_blamed_if_the_response_names_a_region() {
    let endpoint = "<Endpoint>bucket.s3.eu-central-1.amazonaws.com</Endpoint>";
    for (status, code, element, expected) in [
        (400, "AuthorizationHeaderMalformed", "<Region>eu-central-1</Region>", "ConfigInvalid"),
        (403, "AuthorizationHeaderMalformed", "<Region>eu-central-1</Region>", "ConfigInvalid"),
        (301, "PermanentRedirect", endpoint, "ConfigInvalid"),
        (307, "TemporaryRedirect", endpoint, "ConfigInvalid"),
        (400, "AuthorizationHeaderMalformed", "", "AccessDenied"),
        // The credentials are at fault whatever region the response names.
        (403, "InvalidAccessKeyId", "<Region>eu-central-1</Region>", "AccessDenied"),
        (403, "AccessDenied", "<Region>eu-central-1</Region>", "AccessDenied"),
    ] {
        let proxy = Proxy::without_target().await;
        let body = format!("<Error><Code>{code}</Code><Message>m</Message>{element}</Error>");
        let response = Action::Respond(status, String::new(), body);
        proxy.script(&[response.clone(), response]);
        let documents = ports(&proxy.url(), OTHER_SECRET).documents();
        let error = documents.fetch(&object("bucket", "a.md", None), None, deadline()).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind().name(), expected, "{status} {code}: {error}");
        let names_region = error.message().contains("eu-central-1; requests go to us-east-1");
        assert_eq!(names_region, expected == "ConfigInvalid", "{status} {code}: {error}");
        assert_eq!(proxy.request_count(), if element.is_empty() { 1 } else { 2 }, "{code}");
    }
}

#[tokio::test]
async fn compressed_object_is_an_error_that_names_the_encoding() {
    for (encoding, expected) in [
        (
            "gzip",
            Err("the object is stored with the encoding gzip, but its content is not gzip; store"),
        ),
        ("aws-chunked,br", Err("the object is stored with the encoding br; store it")),
        ("gzip, gzip", Err("the object is stored with the encoding gzip, gzip; store it")),
        ("aws-chunked", Ok(())),
        ("identity", Ok(())),
    ] {
        let proxy = Proxy::without_target().await;
        let header = format!("content-encoding: {encoding}\r\n");
        proxy.script(&[Action::Respond(200, header, "a prompt".to_owned())]);
        let documents = ports(&proxy.url(), OTHER_SECRET).documents();
        let document = documents.fetch(&object("bucket", "a.md", None), None, deadline()).await;
        match (document, expected) {
            (Ok(document), Ok(())) => assert_eq!(document.unwrap().body, "a prompt"),
            (Err(error), Err(expected)) => {
                assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
                assert!(error.message().starts_with(expected), "{error}");
            }
            (document, _) => panic!("{encoding}: {document:?}"),
        }
    }
}
