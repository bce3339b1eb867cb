//! `http_request` against a real server on the loopback interface.

use gateway::workflow_types::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;

mod inside;
mod redirects;
mod server;

use super::*;
use server::{Server, listen, nobody_came, read_request};

const KEY: &str = "0198/notify/1";

fn call(args: &Value) -> ToolCall {
    let args = args.as_object().unwrap().clone();
    ToolCall::new(args, KEY.to_owned(), Timestamp::from_millis(0).unwrap())
}

/// A tool that may reach these hosts besides the public ones, and reads up to 1000 bytes.
fn tool(allowed: &[&str]) -> HttpRequest {
    HttpRequest::new(HttpOptions {
        allowed_hosts: allowed.iter().map(|text| text.parse().unwrap()).collect(),
        max_body: 1_000,
        ..HttpOptions::default()
    })
}

/// Makes a request as the gateway would, its arguments fitting the schema.
async fn request(allowed: &[&str], args: Value) -> Result<Value, ToolError> {
    let tool = tool(allowed);
    let problems = tool.spec().input().unwrap().check(&args);
    assert_eq!(problems, Vec::<String>::new());
    tool.call(call(&args)).await
}

async fn permanent(allowed: &[&str], args: Value) -> String {
    let error = request(allowed, args).await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
    error.to_string()
}

async fn retryable(allowed: &[&str], args: Value) -> String {
    let error = request(allowed, args).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    error.to_string()
}

/// What a server that gives one answer makes of it.
async fn answered(answer: &[u8]) -> Value {
    let server = Server::start(&[answer]).await;
    let args = json!({"url": server.url("/")});
    request(&["127.0.0.1"], args).await.unwrap()
}

#[tokio::test]
async fn a_json_answer_is_parsed() {
    let answer = answered(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/problem+json; charset=utf-8\r\n\
          Content-Length: 7\r\nX-A: 1\r\nX-A: 2\r\nSet-Cookie: a=1\r\n\r\n{\"a\":1}",
    )
    .await;
    assert_eq!(
        answer,
        json!({
            "status": 200,
            "headers": {
                "content-type": "application/problem+json; charset=utf-8",
                "content-length": "7",
                "x-a": "1, 2",
                "set-cookie": ["a=1"],
            },
            "body": {"a": 1},
        })
    );
}

#[tokio::test]
async fn what_is_no_json_is_a_text() {
    for (answer, body) in [
        (
            &b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{]"[..],
            "{]",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
            "{}",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", ""),
    ] {
        let answer = answered(answer).await;
        assert_eq!(
            (&answer["body"], answer.get("bodyLossy")),
            (&json!(body), None)
        );
    }
    let binary = answered(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\xffb").await;
    assert_eq!(
        (&binary["body"], &binary["bodyLossy"]),
        (&json!("a\u{fffd}b"), &json!(true))
    );
}

#[tokio::test]
async fn a_failing_server_gives_an_answer_too() {
    let answer = answered(b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops").await;
    assert_eq!(
        (&answer["status"], &answer["body"]),
        (&json!(500), &json!("oops"))
    );
}

#[tokio::test]
async fn method_headers_json_and_idempotency_key_are_sent() {
    let ok = &b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"[..];
    let server = Server::start(&[ok, ok, ok]).await;
    let args = json!({
        "method": "POST", "url": server.url("/a?b=c#d"),
        "headers": {"Authorization": "Bearer t", "X-Count": 3}, "json": {"a": [1]},
    });
    request(&["127.0.0.1"], args).await.unwrap();
    let args = json!({
        "method": "PUT", "url": server.url("/"),
        "headers": {"idempotency-key": "mine", "user-agent": "me"}, "body": "text",
    });
    request(&["127.0.0.1"], args).await.unwrap();
    let args = json!({"method": "HEAD", "url": server.url("/")});
    request(&["127.0.0.1"], args).await.unwrap();
    let asked = server.asked.await.unwrap();
    assert!(
        asked[0].starts_with("POST /a?b=c HTTP/1.1\r\n"),
        "{}",
        asked[0]
    );
    for line in [
        &format!("idempotency-key: {KEY}\r\n"),
        "authorization: Bearer t\r\n",
        "x-count: 3\r\n",
        "content-type: application/json\r\n",
        concat!("user-agent: agentspace/", env!("CARGO_PKG_VERSION"), "\r\n"),
        "\r\n\r\n{\"a\":[1]}",
    ] {
        assert!(asked[0].contains(line), "{line} {}", asked[0]);
    }
    assert!(asked[1].contains("idempotency-key: mine\r\n") && asked[1].ends_with("\r\n\r\ntext"));
    assert!(asked[1].contains("user-agent: me\r\n") && !asked[1].contains(KEY));
    assert!(asked[2].starts_with("HEAD / HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_redirect_loop_ends() {
    let answer = &b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"[..];
    let server = Server::start(&[answer; 6]).await;
    let text = permanent(&["127.0.0.1"], json!({"url": server.url("/")})).await;
    assert_eq!(
        text,
        format!("more than 5 redirects, the last one to {}", server.url("/"))
    );
    assert_eq!(server.asked.await.unwrap().len(), 6);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let announced = b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n";
    let endless = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &vec![b'x'; 1_000_000]].concat();
    for answer in [&announced[..], &endless] {
        let server = Server::start(&[answer]).await;
        let text = permanent(&["127.0.0.1"], json!({"url": server.url("/secret")})).await;
        let expected = format!(
            "the answer of {} is larger than 1000 bytes",
            server.url("/")
        );
        assert!(text.starts_with(&expected), "{text}");
    }
    let exact = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &[b'x'; 1_000]].concat();
    assert_eq!(
        answered(&exact).await["body"].as_str().unwrap().len(),
        1_000
    );
}

#[tokio::test]
async fn no_connection_no_name_and_no_answer_are_told_apart() {
    let (listener, port) = listen().await;
    drop(listener);
    let args = json!({"url": format!("http://127.0.0.1:{port}/secret?token=1")});
    let text = retryable(&["127.0.0.1"], args).await;
    let expected = format!("connecting to http://127.0.0.1:{port}/ failed: connection refused");
    assert_eq!(text, expected);

    let text = retryable(&[], json!({"url": "http://no-such-host.invalid/secret"})).await;
    assert!(
        text.starts_with("looking up http://no-such-host.invalid/ failed: "),
        "{text}"
    );

    let server = Server::start(&[b""]).await;
    let text = retryable(&["127.0.0.1"], json!({"url": server.url("/secret")})).await;
    assert!(
        text.starts_with(&format!("the request to {} failed: ", server.url("/"))),
        "{text}"
    );

    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    let server = Server::start(&[cut]).await;
    let text = retryable(&["127.0.0.1"], json!({"url": server.url("/secret")})).await;
    assert!(
        text.starts_with(&format!(
            "reading the answer of {} failed: ",
            server.url("/")
        )),
        "{text}"
    );
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_named_as_such() {
    let (listener, port) = listen().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Plain HTTP here\r\n\r\n")
            .await
            .unwrap();
        stream
    });
    let text = retryable(
        &["127.0.0.1"],
        json!({"url": format!("https://127.0.0.1:{port}/")}),
    )
    .await;
    let expected = format!("the TLS handshake with https://127.0.0.1:{port}/ failed: ");
    assert!(text.starts_with(&expected), "{text}");
    server.await.unwrap();
}

#[tokio::test]
async fn cancellation_ends_a_request_in_the_middle_of_the_body() {
    let (listener, port) = listen().await;
    let (sent, half_sent) = oneshot::channel();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            .await
            .unwrap();
        sent.send(()).unwrap();
        // Answers when the client has hung up.
        stream.read(&mut [0]).await.unwrap_or(0)
    });
    let call = call(&json!({"url": format!("http://127.0.0.1:{port}/")}));
    let cancelled = call.cancelled.clone();
    let running = tokio::spawn(async move { tool(&["127.0.0.1"]).call(call).await });
    half_sent.await.unwrap();
    cancelled.cancel();
    let error = running.await.unwrap().unwrap_err();
    assert!(error.is_retryable());
    assert!(
        error.to_string().contains("was stopped: its time was over"),
        "{error}"
    );
    assert_eq!(server.await.unwrap(), 0);
}

#[tokio::test]
async fn arguments_that_make_no_request_are_named_without_their_values() {
    for (args, expected) in [
        (json!({}), "`url` is missing"),
        (json!({"url": "/secret"}), "`url` is no absolute URL"),
        (json!({"url": "ftp://secret/"}), "`url` begins with neither"),
        (
            json!({"url": "file:///secret"}),
            "`url` begins with neither",
        ),
        (
            json!({"url": "http://a", "method": "secret"}),
            "`method` is none of GET, ",
        ),
        (
            json!({"url": "http://a", "method": "CONNECT"}),
            "`method` is none of GET, ",
        ),
        (
            json!({"url": "http://a", "body": "a", "json": 1}),
            "`body` and `json` are both given",
        ),
        (
            json!({"url": "http://a", "headers": {"A": "secret\r\nB: c"}}),
            "the value of the header `A`",
        ),
        (
            json!({"url": "http://a", "headers": {"A B": "secret"}}),
            "`A B` is no name",
        ),
        (
            json!({"url": "http://a", "headers": {"Host": "secret"}}),
            "the header `Host` is set by",
        ),
        (
            json!({"url": "http://a", "headers": {"A": null}}),
            "`headers.A` is null",
        ),
        (
            json!({"url": "http://a", "timeout": 1}),
            "`timeout` is no argument",
        ),
    ] {
        let error = tool(&[]).call(call(&args)).await.unwrap_err();
        assert!(!error.is_retryable());
        assert!(error.to_string().starts_with(expected), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn the_effect_is_that_of_the_method() {
    for (args, effect) in [
        (json!({}), Effect::ReadOnly),
        (json!({"method": "GET"}), Effect::ReadOnly),
        (json!({"method": "HEAD"}), Effect::ReadOnly),
        (json!({"method": "PUT"}), Effect::Idempotent),
        (json!({"method": "DELETE"}), Effect::Idempotent),
        (json!({"method": "POST"}), Effect::Destructive),
        (json!({"method": "{{ input.method }}"}), Effect::Destructive),
        (json!({"method": 1}), Effect::Destructive),
    ] {
        assert_eq!(
            tool(&[]).effect_of(args.as_object().unwrap()),
            effect,
            "{args}"
        );
    }
}
