//! What a response means, and what an error never repeats from a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_sso::error::SdkError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::{Recorder, in_seconds, registered_client, settings_of};
use crate::error::Code;
use crate::protocol::LoginMethod;
use crate::secret::Secret;
use crate::service::answers::LastAnswer;
use crate::service::classify::{answered, refusal};
use crate::service::held_keys::UNUSABLE_KEYS_PAUSE;
use crate::service::network::{Network, response};
use crate::service::oidc::Grant;
use crate::service::portal::pause_of;
use crate::service::refusal::Refusal;
use crate::service::settings::Settings;

#[test]
fn a_pause_is_read_in_every_form_that_http_and_aws_use() {
    let date = "Wed, 25 Nov 2026 12:00:00 GMT";
    for (headers, expected) in [
        (&[("retry-after", "3")][..], Some(3000)),
        (&[("retry-after", " 0 ")], Some(0)),
        (&[("date", date), ("retry-after", "Wed, 25 Nov 2026 12:01:30 GMT")], Some(90_000)),
        (&[("date", date), ("retry-after", "Wed, 25 Nov 2026 11:00:00 GMT")], None),
        (&[("retry-after", "soon")], None),
        (&[("retry-after", "-5")], None),
        (&[("retry-after", "99999999999999999999999")], None),
        (&[("retry-after", "7"), ("x-amz-retry-after", "1500")], Some(1500)),
        (&[], None),
    ] {
        assert_eq!(pause_of(&response(429, headers, "")), expected.map(Duration::from_millis), "{headers:?}");
    }
}

#[test]
fn responses_of_a_proxy_and_of_the_service_are_distinguished() {
    let answer = |status, headers: &[_], body: &'static str| answered(&response(status, headers, body));
    let id = ("x-amzn-requestid", "1");
    for (headers, body) in [
        (&[][..], r#"{"__type":"com.amazonaws.switchboard.portal#UnauthorizedException","message":"Session token not found or invalid"}"#),
        (&[("x-amzn-errortype", "UnauthorizedException:http://internal.amazon.com/")], ""),
        (&[id], ""),
        (&[id, ("via", "1.1 proxy"), ("server", "proxy")], r#"{"message":"Session token not found or invalid"}"#),
        (&[id], "<html></html>"),
    ] {
        assert!(answer(401, headers, body).ends_session(), "{headers:?} {body}");
        assert!(!answer(403, headers, body).ends_session());
    }
    for (headers, body) in [
        (&[][..], ""),
        (&[("www-authenticate", "Basic realm=\"proxy\"")], "<html></html>"),
        (&[id, ("www-authenticate", "Negotiate")], ""),
        (&[id, ("proxy-authenticate", "NTLM")], ""),
        (&[("via", "1.1 proxy"), ("server", "squid")], r#"{"error":"Unauthorized"}"#),
        (&[], r#"{"error":"unauthorized","message":"Log in to the gateway"}"#),
        (&[("content-type", "application/json")], r#"{"message":"Unauthorized"}"#),
    ] {
        assert!(!answer(401, headers, body).ends_session(), "{headers:?} {body}");
    }
    let refused = r#"{"error":"invalid_request","error_description":"Invalid request"}"#;
    for (status, headers, body, expected) in [
        (400, &[][..], refused, true),
        (400, &[id], r#"{"error":"some_new_code"}"#, true),
        (400, &[("x-amzn-errortype", "InvalidRequestException")], "", true),
        (401, &[id], r#"{"error":"invalid_client"}"#, true),
        (403, &[], r#"{"error":"access_denied"}"#, true),
        (400, &[], r#"{"error":"slow_down"}"#, false),
        (400, &[], r#"{"error":"authorization_pending"}"#, false),
        (400, &[("x-amzn-errortype", "SlowDownException")], "", false),
        (429, &[], refused, false),
        (500, &[], r#"{"error":"server_error"}"#, false),
        (503, &[], refused, false),
        (400, &[id], "", false),
        (400, &[id], "<html></html>", false),
        (403, &[], r#"{"error":"Forbidden"}"#, false),
        (403, &[("x-amzn-errortype", "ForbiddenException")], r#"{"message":"Forbidden"}"#, false),
        (400, &[("x-amzn-errortype", "ThrottlingException")], "", false),
        (400, &[], r#"{"error":{"code":"invalid_request"}}"#, false),
    ] {
        assert_eq!(answer(status, headers, body).is_oauth_refusal(), expected, "{status} {headers:?} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_that_arrive_expired_are_requested_again_after_five_minutes() {
    let count = Arc::new(AtomicUsize::new(0));
    let requests = Arc::clone(&count);
    let network = Network::of(move |_| {
        requests.fetch_add(1, Ordering::Relaxed);
        Ok(response(200, &[], r#"{"roleCredentials":{"accessKeyId":"ASIA","secretAccessKey":"s","sessionToken":"t","expiration":1}}"#))
    });
    let service = network.service(settings_of("us-west-2", &[]).unwrap());
    let fetch = async |role| {
        let refusal = service.role_credentials(&Secret::new("token"), "100000000000", role, in_seconds(30)).await.unwrap_err();
        assert!(matches!(refusal, Refusal::Unusable { .. }), "{refusal:?}");
        count.load(Ordering::Relaxed)
    };
    assert_eq!((fetch("Admin").await, fetch("Admin").await), (1, 1));
    assert_eq!(fetch("Other").await, 2, "another role is not affected");
    tokio::time::advance(UNUSABLE_KEYS_PAUSE.checked_sub(Duration::from_secs(1)).unwrap()).await;
    assert_eq!(fetch("Admin").await, 2);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(fetch("Admin").await, 3);
}

#[tokio::test]
async fn a_login_never_waits_for_days_between_two_polls_or_in_total() {
    for (answer, interval, expires_in) in [
        (r#"{"deviceCode":"d","userCode":"U","verificationUri":"https://example.com","interval":2147483647,"expiresIn":2147483647}"#, 60, 3600),
        (r#"{"deviceCode":"d","userCode":"U","verificationUri":"https://example.com","interval":-1,"expiresIn":-1}"#, 5, 600),
        (r#"{"deviceCode":"d","userCode":"U","verificationUri":"https://example.com"}"#, 5, 600),
        (r#"{"deviceCode":"d","userCode":"U","verificationUri":"https://example.com","interval":2,"expiresIn":1800}"#, 2, 1800),
    ] {
        let service = Network::with_body(answer).service(settings_of("us-west-2", &[]).unwrap());
        let authorization = service.start_device_authorization(&registered_client(), "https://example.com/start").await.unwrap();
        assert_eq!((authorization.interval.as_secs(), authorization.expires_in.as_secs()), (interval, expires_in), "{answer}");
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_built_is_an_error_without_its_tokens() {
    let secrets = ["accesstoken", "refreshtoken", "clientsecret"];
    let spoil: [fn(&mut Settings); 3] = [
        |settings| settings.endpoints.portal_url = Some("https:/portal.example.com".into()),
        |settings| settings.endpoints.portal_url = Some("https://portal .example.com".into()),
        |settings| settings.endpoints.region = "us west 2".into(),
    ];
    for spoil in spoil {
        let mut settings = settings_of("us-west-2", &[]).unwrap();
        spoil(&mut settings);
        settings.endpoints.oidc_url.clone_from(&settings.endpoints.portal_url);
        let service = Recorder::default().network().service(settings);
        let (access, refresh) = (Secret::new(secrets[0]), Secret::new(secrets[1]));
        let deadline = in_seconds(30);
        let refusals = [
            service.role_credentials(&access, "100000000000", "Role", deadline).await.unwrap_err(),
            service.accounts(&access, None, deadline).await.unwrap_err(),
            service.roles(&access, "100000000000", None, deadline).await.unwrap_err(),
            service.logout(&access).await.unwrap_err(),
            service.create_token(&registered_client(), Grant::RefreshToken(&refresh)).await.unwrap_err(),
            service.start_device_authorization(&registered_client(), "https://example.com/start").await.unwrap_err(),
            service.register_client(&[], "https://example.com/start", LoginMethod::Pkce).await.unwrap_err(),
        ];
        for refusal in refusals {
            let error = service.portal_error(&refusal);
            let text = format!("{error} {error:?} {refusal:?} {:?}", error.action());
            assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
            assert!(error.code() == Code::NetworkError && text.contains("the request could not be built"), "{text}");
        }
    }
}

#[test]
fn an_error_repeats_no_secret_of_its_request_and_limits_the_message() {
    let (long, secret) = ("x".repeat(490), Secret::new("aoaAAAAsecret"));
    let body = format!(r#"{{"error":"aoaAAAAsecret","error_description":"{long}aoaAAAAsecret{long}"}}"#);
    let answer = response(400, &[("x-amzn-requestid", "aoaAAAAsecret")], body);
    let failure: SdkError<aws_sdk_sso::operation::logout::LogoutError, HttpResponse> =
        SdkError::service_error(aws_sdk_sso::operation::logout::LogoutError::unhandled("x"), answer);
    let refusal = refusal(&failure, &LastAnswer::default(), &[&secret]);
    assert!(!format!("{refusal:?}").contains("aoaAAAA"), "{refusal:?}");
    let Refusal::Answered { message, .. } = refusal else { panic!("{refusal:?}") };
    assert!(message.chars().count() == 500 && message.ends_with('…'), "{message}");
}
