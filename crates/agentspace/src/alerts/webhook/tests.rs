//! Webhooks against a real server on this machine, and a real gateway between.

use std::sync::Arc;

use gateway::workflow_types::alert::{
    AlertSource, Finding, Findings, NoticeEvent, ReceiptState, Verdict,
};
use gateway::{Gateway, Reader};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

fn config(url: String) -> WebhookConfig {
    WebhookConfig {
        url,
        // A variable that every process has, and no secret.
        secret_env: Some("PATH".to_owned()),
        allow_private_addresses: Some(true),
        timeout: Some(Duration::from_millis(300)),
    }
}

fn webhook(config: &WebhookConfig) -> Webhook {
    Webhook::new("hook".parse().unwrap(), config, false)
}

/// A request as it came: its head in lower case, and its body.
#[derive(Debug)]
struct Request {
    head: String,
    body: String,
}

impl Request {
    async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8(bytes.clone()).unwrap();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let request = Self {
                    head: head.to_ascii_lowercase(),
                    body: body.to_owned(),
                };
                if request.header("content-length") == body.len().to_string() {
                    return request;
                }
            }
            assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "{text}");
        }
    }

    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines();
        let value = lines.find_map(|line| line.strip_prefix(&format!("{name}: ")));
        value.unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }

    /// As the reference library says.
    fn is_signed_with(&self, secret: &str) -> bool {
        let reference = standardwebhooks::Webhook::from_bytes(secret.as_bytes().to_vec());
        let seconds = self.header("webhook-timestamp").parse().unwrap();
        let id = self.header("webhook-id");
        let expected = reference.unwrap().sign(id, seconds, self.body.as_bytes());
        // The head is in lower case.
        expected
            .unwrap()
            .eq_ignore_ascii_case(self.header("webhook-signature"))
    }
}

async fn answer(stream: &mut TcpStream, head: &str) {
    let answer = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
}

fn found(gateway: &Gateway, number: u32, verdict: Verdict) -> Findings {
    Findings {
        source: AlertSource::Heartbeat("ops".parse().unwrap()),
        execution: format!("01890a5d-ac96-774b-bcce-{number:012}")
            .parse()
            .unwrap(),
        at: gateway.now(),
        findings: vec![Finding {
            item: "Is there room on the disk?".to_owned(),
            verdict,
        }],
        unknown_after: std::num::NonZeroU32::MIN,
    }
}

/// Waits until the sink has everything, and answers how often each notice was tried.
async fn until_told(reader: &Reader) -> Vec<u32> {
    let mut commits = reader.commits().await.unwrap();
    loop {
        let mut attempts = Vec::new();
        for told in reader.notices_after(0, 100).await.unwrap().items {
            for receipt in reader.receipts(told.notice.id).await.unwrap() {
                if let ReceiptState::Delivered { .. } = receipt.state {
                    attempts.push(receipt.attempts);
                }
            }
        }
        if attempts.len() == 2 {
            return attempts;
        }
        commits.next().await;
    }
}

#[tokio::test]
async fn what_a_server_that_is_down_then_broken_then_slow_did_not_take_comes_again_until_it_does() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // Down: nobody listens there.
    drop(listener);
    let directory = tempfile::tempdir().unwrap();
    let sink = Arc::new(webhook(&config(format!("http://{address}/hook?to=ops"))));
    let gateway = Gateway::builder()
        .database(directory.path().join("agentspace.db"))
        .alert_sink(sink);
    let gateway = gateway.start().await.unwrap();
    let reader = gateway.reader().clone();
    let mut commits = reader.commits().await.unwrap();
    let details = "95 % is used".to_owned();
    let needed = found(&gateway, 1, Verdict::ActionNeeded { details });
    gateway.alerts().record(needed).await.unwrap();
    let clear = found(&gateway, 2, Verdict::Clear);
    gateway.alerts().record(clear).await.unwrap();
    let first = reader.notices_after(0, 1).await.unwrap().items[0]
        .notice
        .clone();
    loop {
        let receipts = reader.receipts(first.id).await.unwrap();
        if let ReceiptState::Waiting {
            error: Some(error), ..
        } = &receipts[0].state
        {
            assert!(error.contains("connection refused"), "{error}");
            break;
        }
        commits.next().await;
    }
    // Back: it fails once, does not answer once, and then takes what comes.
    let listener = TcpListener::bind(address).await.unwrap();
    let mut requests = Vec::new();
    let mut hanging = Vec::new();
    for head in ["500 Oops", "", "204 No Content", "200 OK"] {
        let (mut stream, _) = listener.accept().await.unwrap();
        requests.push(Request::read(&mut stream).await);
        if head.is_empty() {
            hanging.push(stream);
        } else {
            answer(&mut stream, head).await;
        }
    }
    let attempts = until_told(&reader).await;
    assert_eq!(attempts, [4, 1]);
    let ids: Vec<&str> = requests.iter().map(|it| it.header("webhook-id")).collect();
    let first_id = first.id.to_string();
    assert_eq!(ids[..3], [first_id.as_str(); 3]);
    assert_ne!(ids[3], ids[0]);
    let secret = std::env::var("PATH").unwrap();
    for request in &requests {
        assert!(request.head.starts_with("post /hook?to=ops http/1.1"));
        assert_eq!(request.header("content-type"), "application/json");
        assert!(request.is_signed_with(secret.trim()), "{request:?}");
        assert!(!request.is_signed_with("another"));
    }
    // The same words each time, whatever the time.
    assert!(requests[..3].iter().all(|it| it.body == requests[0].body));
    let told: Vec<Value> = [0, 3]
        .map(|at: usize| serde_json::from_str(&requests[at].body).unwrap())
        .to_vec();
    assert_eq!(told[0]["v"], 1);
    assert_eq!(told[0]["type"], "alert.raised");
    assert_eq!(told[0]["data"]["details"], "95 % is used");
    assert_eq!(told[0]["data"]["source"]["name"], "ops");
    assert_eq!(told[1]["type"], "alert.cleared");
    assert_eq!(told[1]["data"]["reason"], "it is clear");
    assert_eq!(told[1]["data"]["alertId"], told[0]["data"]["alertId"]);
    assert_eq!(first.event, NoticeEvent::Raised);
    gateway.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_private_address_is_refused_unless_it_is_allowed() {
    let refused = WebhookConfig {
        allow_private_addresses: None,
        ..config("http://127.0.0.1:9/".to_owned())
    };
    let notice = notice();
    let error = webhook(&refused).deliver(&notice).await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
    // As the host allows all requests.
    let allowed = Webhook::new("hook".parse().unwrap(), &refused, true);
    let error = allowed.deliver(&notice).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
}

#[tokio::test]
async fn without_its_secret_nothing_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let config = WebhookConfig {
        secret_env: Some("AGENTSPACE_NO_SUCH_SECRET".to_owned()),
        ..config(url)
    };
    let error = webhook(&config).deliver(&notice()).await.unwrap_err();
    assert!(!error.is_retryable());
    assert!(
        error.to_string().contains("AGENTSPACE_NO_SUCH_SECRET"),
        "{error}"
    );
}

#[test]
fn a_status_says_whether_somebody_has_to_mend_something() {
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("120"));
    let answered = |code: u16| {
        let status = StatusCode::from_u16(code).unwrap();
        super::answered(status, &headers)
    };
    for code in [200, 202, 204] {
        assert_eq!(answered(code), Ok(()));
    }
    for code in [408, 409, 425, 429, 500, 502, 503, 504] {
        let error = answered(code).unwrap_err();
        assert!(error.is_retryable(), "{code}");
        assert_eq!(error.wait(), Some(Duration::from_mins(2)));
    }
    for code in [301, 302, 307, 308, 400, 401, 403, 404, 410, 422] {
        let error = answered(code).unwrap_err();
        assert!(!error.is_retryable(), "{code}");
        assert!(error.to_string().contains(&code.to_string()), "{error}");
    }
}

/// Some notice.
pub(in crate::alerts) fn notice() -> Notice {
    let alert = gateway::workflow_types::alert::Alert::raise(
        AlertSource::Heartbeat("ops".parse().unwrap()),
        "disk".to_owned(),
        gateway::workflow_types::alert::AlertKind::ActionNeeded,
        (SystemClock.now(), "test"),
        "full",
    );
    Notice::of(&alert, NoticeEvent::Raised, alert.told_at)
}
