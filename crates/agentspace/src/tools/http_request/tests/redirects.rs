//! What goes along when a real server redirects a request, and what stays.

use gateway::SecretValue;

use super::*;

/// An answer that redirects.
fn to(status: u16, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Go\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
        .into_bytes()
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const BOTH: [&str; 2] = ["127.0.0.1", "localhost"];

#[tokio::test]
async fn within_an_origin_everything_goes_along() {
    for status in [307, 308] {
        let server = Server::start(&[&to(status, "/near"), OK]).await;
        let args = json!({
            "method": "POST", "url": server.url("/").replace("//", "//user:word@"), "body": "text",
            "headers": {"Cookie": "c=1", "X-Api-Key": "k"},
        });
        request(&BOTH, args).await.unwrap();
        let near = server.asked.await.unwrap().remove(1);
        assert!(
            near.starts_with("POST /near ") && near.ends_with("\r\n\r\ntext"),
            "{near}"
        );
        for header in [
            "authorization: Basic ",
            "cookie: c=1\r\n",
            "x-api-key: k\r\n",
        ] {
            assert!(near.contains(header), "{near}");
        }
    }
}

#[tokio::test]
async fn credentials_stay_behind_when_a_redirect_leaves_the_origin() {
    let secret = SecretValue::new("redirected-canary").unwrap();
    secrets::mask().add(&"REDIRECTED".parse().unwrap(), &secret);
    for (method, status, arrives) in [
        ("POST", 307, "POST"),
        ("DELETE", 308, "DELETE"),
        ("GET", 302, "GET"),
    ] {
        let last = Server::start(&[OK]).await;
        let location = format!("http://localhost:{}/there", last.port);
        let first = Server::start(&[&to(307, "/near"), &to(status, &location)]).await;
        let args = json!({
            "method": method, "url": first.url("/").replace("//", "//user:word@"),
            "headers": {
                "Cookie": "c=1", "X-Api-Key": "k", "Accept": "text/plain",
                "User-Agent": "me, redirected-canary", "Accept-Language": "redirected%2Dcanary",
            },
        });
        let answer = request(&BOTH, args).await.unwrap();
        assert_eq!(answer["status"], 200);
        let near = first.asked.await.unwrap().remove(1);
        assert!(
            near.contains("user-agent: me, redirected-canary\r\n"),
            "{near}"
        );
        let there = last.asked.await.unwrap().remove(0);
        assert!(there.starts_with(&format!("{arrives} /there ")), "{there}");
        let key = format!("idempotency-key: {KEY}\r\n");
        for header in [&key, "accept: text/plain\r\n", "user-agent: agentspace/"] {
            assert!(there.contains(header), "{there}");
        }
        for word in [
            "cookie:",
            "x-api-key:",
            "authorization:",
            "referer:",
            "canary",
        ] {
            assert!(!there.contains(word), "{there}");
        }
    }
}

#[tokio::test]
async fn a_body_stays_behind_and_the_request_is_not_made_without_it() {
    for (method, status) in [("POST", 307), ("POST", 308), ("PUT", 302), ("PATCH", 307)] {
        let (there, port) = listen().await;
        for location in [
            format!("http://localhost:{port}/there"),
            format!("//127.0.0.1:{port}/there"),
            format!("https://127.0.0.1:{port}/there"),
        ] {
            let first = Server::start(&[&to(status, &location)]).await;
            let args = json!({
                "method": method, "url": first.url("/x?token=1"), "json": {"password": "hidden"},
            });
            let text = permanent(&BOTH, args).await;
            let start = format!("{} redirects the request to http", first.url("/"));
            assert!(text.starts_with(&start), "{text}");
            assert!(
                text.contains("its body is not sent to another origin"),
                "{text}"
            );
            assert!(text.contains("set `followRedirects` to false"), "{text}");
            assert!(
                !text.contains("token") && !text.contains("hidden"),
                "{text}"
            );
        }
        nobody_came(there);
    }
}

#[tokio::test]
async fn a_post_that_becomes_a_get_leaves_its_body_behind_and_goes_on() {
    for status in [301, 302, 303] {
        let last = Server::start(&[OK]).await;
        let first = Server::start(&[&to(status, &last.url("/there"))]).await;
        let args = json!({
            "method": "POST", "url": first.url("/"), "json": {"password": "hidden"},
            "headers": {"Authorization": "Bearer t"},
        });
        request(&BOTH, args).await.unwrap();
        let there = last.asked.await.unwrap().remove(0);
        assert!(
            there.starts_with("GET /there ") && there.ends_with("\r\n\r\n"),
            "{there}"
        );
        for word in ["hidden", "authorization", "content-type", "content-length"] {
            assert!(!there.contains(word), "{there}");
        }
    }
}

#[tokio::test]
async fn credentials_do_not_come_back_with_a_redirect_to_where_they_were_meant_for() {
    let (listener, port) = listen().await;
    let back = to(302, &format!("http://127.0.0.1:{port}/back"));
    let other = Server::start(&[&back]).await;
    let away = to(302, &other.url("/other"));
    let first = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in [away.as_slice(), OK] {
            let (mut stream, _) = listener.accept().await.unwrap();
            asked.push(read_request(&mut stream).await);
            stream.write_all(answer).await.unwrap();
        }
        asked
    });
    let args = json!({
        "url": format!("http://127.0.0.1:{port}/"), "headers": {"Authorization": "Bearer t"},
    });
    request(&BOTH, args).await.unwrap();
    let asked = first.await.unwrap();
    assert!(asked[0].contains("authorization: Bearer t"), "{}", asked[0]);
    assert!(!asked[1].contains("authorization"), "{}", asked[1]);
}

#[tokio::test]
async fn a_redirect_that_is_not_followed_is_an_answer_with_its_body_sent_once() {
    let first = Server::start(&[&to(307, "http://elsewhere.example/there")]).await;
    let args = json!({
        "method": "POST", "url": first.url("/"), "body": "text", "followRedirects": false,
    });
    let answer = request(&BOTH, args).await.unwrap();
    assert_eq!(
        (&answer["status"], &answer["headers"]["location"]),
        (&json!(307), &json!("http://elsewhere.example/there"))
    );
    assert_eq!(first.asked.await.unwrap().len(), 1);
}
