//! Where `http_request` may go: what an operator typed is trusted, what a file says is not.

use crate::support::{Place, Server, list, word};

/// A workflow that asks the address in `args`, and says it on failure.
fn asking(url: &str) -> Place {
    let text = format!(
        "name: Ask
input:
  url: {{type: string, default: ''}}
steps:
  - id: ask
    action: tool
    tool: http_request
    args: {{url: \"{url}\"}}
    onFailure: complain
    onSuccess: $end
  - id: complain
    action: tool
    tool: execute_command
    args: {{command: [sh, -c, 'echo \"$1\" >> complaints', sh, '{{{{ error }}}}']}}
"
    );
    Place::with("ask.yaml", text)
}

#[test]
fn loopback_is_refused_where_the_file_names_it() {
    let server = Server::answering(200);
    let place = asking(&server.url());
    place.run(["run", "ask.yaml"]).exits(0);
    assert_eq!(server.requests(), 0, "nothing was sent");
    let complaints = place.lines("complaints");
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    assert!(complaints[0].contains("127.0.0.1"), "{complaints:?}");
    let visits = list(&place.only_execution()["journal"]);
    assert_eq!(
        visits[0]["attempt"], 1,
        "another attempt would be refused too"
    );
}

#[test]
fn loopback_is_asked_where_private_addresses_are_allowed() {
    let server = Server::answering(200);
    let place = asking(&server.url());
    place
        .run(["run", "ask.yaml", "--allow-private-addresses"])
        .exits(0);
    place
        .call(["run", "ask.yaml"])
        .env("AGENTSPACE_ALLOW_PRIVATE_ADDRESSES", "true")
        .run()
        .exits(0);
    assert_eq!(server.requests(), 2);
    assert!(place.lines("complaints").is_empty());
}

#[test]
fn only_the_host_and_port_that_were_typed_are_trusted() {
    let (typed, other) = (Server::answering(200), Server::answering(200));
    let place = asking(&other.url());
    let input = format!("url={}", typed.url());
    place.run(["run", "ask.yaml", "-i", &input]).exits(0);
    assert_eq!((typed.requests(), other.requests()), (0, 0));
    let place = asking("{{ input.url }}");
    place.run(["run", "ask.yaml", "-i", &input]).exits(0);
    assert_eq!(typed.requests(), 1);
}

#[test]
fn what_was_typed_is_trusted_after_a_restart_too() {
    let server = Server::answering(200);
    let place = Place::with(
        "later.yaml",
        "name: Later
input: {url: string}
steps:
  - {id: wait, action: noop, approvalRequired: true}
  - {id: ask, action: tool, tool: http_request, args: {url: '{{ input.url }}'}}
",
    );
    let input = format!("url={}", server.url());
    place.run(["run", "later.yaml", "-i", &input]).exits(3);
    let gate = place.only_gate();
    place
        .run(["approvals", "approve", word(&gate["id"])])
        .exits(0);
    assert_eq!(server.requests(), 1);
}

#[test]
fn a_proxy_of_the_environment_is_not_asked_because_it_would_go_anywhere() {
    let (server, proxy) = (Server::answering(200), Server::answering(200));
    let place = asking(&server.url());
    let through = |args: &[&str]| {
        let mut call = place.call(args.iter().copied());
        for name in [
            "http_proxy",
            "HTTP_PROXY",
            "https_proxy",
            "all_proxy",
            "ALL_PROXY",
        ] {
            call = call.env(name, proxy.url());
        }
        call.run().exits(0);
    };
    through(&["run", "ask.yaml"]);
    assert_eq!((server.requests(), place.lines("complaints").len()), (0, 1));
    through(&["run", "ask.yaml", "--allow-private-addresses"]);
    assert_eq!(server.requests(), 1);
    assert_eq!(proxy.requests(), 0);
}
