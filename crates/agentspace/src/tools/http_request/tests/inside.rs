//! Whatever an address is disguised as, and wherever it comes from, what is inside stays out of reach.

use super::*;

/// Hosts that are an address of this machine, or none at all.
const DISGUISES: [&str; 46] = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7F.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "017700000001",
    "0x00000000007f000001",
    "127.0.0.1.",
    "127.0.0.1..",
    "127.0.0.01",
    "127.0.0.08",
    "127.0.0.0x1",
    "4294967297",
    "0",
    "0.0.0.0",
    "0x0",
    "00",
    "%31%32%37.0.0.1",
    "127.0.0%2e1",
    "127%00.0.0.1",
    "\u{2460}\u{2461}\u{2466}.0.0.1",
    "127\u{3002}0\u{3002}0\u{3002}1",
    "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
    "127.0.0.\n1",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fd00::1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "user@localhost",
    "example.com:80@127.0.0.1",
];

/// Everything that a request to one of these says is that it is not made.
fn is_refused(text: &str) -> bool {
    let inside = text.contains(" is not allowed: ")
        && text.contains("`allow_private_addresses = true` under ");
    inside || text.starts_with("`url` is no absolute URL") || text.starts_with("looking up ")
}

#[tokio::test]
async fn this_machine_is_refused_in_every_disguise_before_a_connection() {
    let (listener, port) = listen().await;
    for host in DISGUISES {
        for url in [
            format!("http://{host}:{port}/"),
            format!("http:\\\\{host}:{port}\\"),
            format!("http:/{host}:{port}/"),
            format!("\thttp://{host}:{port}/#@example.com/"),
        ] {
            let error = request(&[], json!({"url": url})).await.unwrap_err();
            assert!(is_refused(&error.to_string()), "{url}: {error}");
        }
    }
    nobody_came(listener);
}

#[tokio::test]
async fn no_redirect_leads_inside() {
    let (inner, port) = listen().await;
    let mut locations = vec![
        format!("//127.0.0.1:{port}/x"),
        format!("\\\\127.0.0.1:{port}\\x"),
        format!("/\\127.0.0.1:{port}/x"),
        format!("HTTP://127.1:{port}"),
        format!("https:\\\\127.0.0.1:{port}"),
        format!("http:///127.0.0.1:{port}/"),
        format!(" \thttp://127.0.0.1:{port}/ "),
        format!("http://allowed@127.0.0.1:{port}/"),
        format!("http://localhost:{port}@127.0.0.1:{port}/"),
        "file:///etc/passwd".to_owned(),
        "FILE:/etc/passwd".to_owned(),
        "gopher://127.0.0.1/_x".to_owned(),
        "ftp://127.0.0.1/".to_owned(),
        "unix:/var/run/docker.sock".to_owned(),
        "javascript:alert(1)".to_owned(),
        "data:text/plain,x".to_owned(),
        "view-source:http://127.0.0.1/".to_owned(),
    ];
    let hosts = DISGUISES
        .iter()
        .filter(|host| host.is_ascii() && !host.contains(['\n', '%']));
    locations.extend(hosts.map(|host| format!("http://{host}:{port}/x")));
    for location in locations {
        // Only the first server may be reached, by its name and its port.
        let answer =
            format!("HTTP/1.1 302 Go\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let server = Server::start(&[answer.as_bytes()]).await;
        let allowed = format!("localhost:{}", server.port);
        let args = json!({"url": format!("http://localhost:{}/", server.port)});
        let error = request(&[&allowed], args).await.unwrap_err().to_string();
        let refused =
            is_refused(&error) || error.contains("redirects to something that is no http");
        assert!(refused, "{location}: {error}");
    }
    nobody_came(inner);
}

#[tokio::test]
async fn a_name_that_is_allowed_at_one_port_or_one_scheme_is_not_at_another() {
    let (inner, port) = listen().await;
    let server = Server::start(&[]).await;
    for (pattern, host) in [
        (format!("127.0.0.1:{}", server.port), "127.0.0.1"),
        (format!("localhost:{}", server.port), "localhost"),
        (format!("*.localhost:{port}"), "localhost"),
        (format!("host:{port}"), "localhost"),
        (format!("[::1]:{port}"), "[::ffff:127.0.0.1]"),
    ] {
        let text = permanent(
            &[&pattern],
            json!({"url": format!("http://{host}:{port}/")}),
        )
        .await;
        assert!(is_refused(&text), "{text}");
    }
    nobody_came(inner);
}

#[tokio::test]
async fn names_and_policies_allow_what_is_not_public() {
    let ok = &b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"[..];
    let server = Server::start(&[ok, ok]).await;
    let by_name = json!({"url": format!("http://localhost:{}/", server.port)});
    let pattern = format!("localhost:{}", server.port);
    request(&[&pattern], by_name).await.unwrap();
    let options = HttpOptions {
        addresses: AddressPolicy::Any,
        ..HttpOptions::default()
    };
    let anywhere = HttpRequest::new(options);
    anywhere
        .call(call(&json!({"url": server.url("/")})))
        .await
        .unwrap();
    server.asked.await.unwrap();
}

#[tokio::test]
async fn every_redirect_is_checked_again() {
    let (inner, port) = listen().await;
    let target = format!("http://localhost:{port}/admin");
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
    let server = Server::start(&[answer.as_bytes(), answer.as_bytes()]).await;
    let allowed = format!("127.0.0.1:{}", server.port);
    let text = permanent(&[&allowed], json!({"url": server.url("/")})).await;
    assert!(
        text.starts_with(&format!("http://localhost:{port}/ is not allowed: ")),
        "{text}"
    );
    let args = json!({"url": server.url("/"), "followRedirects": false});
    let answer = request(&[&allowed], args).await.unwrap();
    assert_eq!(
        (&answer["status"], &answer["headers"]["location"]),
        (&json!(302), &json!(target))
    );
    nobody_came(inner);
}
