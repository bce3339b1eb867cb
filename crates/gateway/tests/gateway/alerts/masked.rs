//! What sinks and hosts say in their own words is stored without the values that were revealed.

use gateway::{Mask, SecretValue};

use super::*;

#[test]
fn neither_a_finding_nor_the_words_of_a_sink_keep_a_value() {
    const VALUE: &str = "canary-7f3a91c2";
    let mask = Mask::default();
    let value = SecretValue::new(VALUE).unwrap();
    mask.add(&"TOKEN".parse().unwrap(), &value);
    let world = World::new();
    // What is kept of an error ends within the value.
    let said = format!("{VALUE} {}{VALUE}", "x".repeat(475));
    let refused = Answer::Refuse(SinkError::retryable(said));
    let sink = Scripted::new("s", [refused]);
    let life = world.live_with(|builder| telling(&sink)(builder).mask(mask.clone()));
    life.found(1, &[("disk", "the key canary-7f3a91c2 was seen")]);
    let notice = life.run(sink.heard(1))[0].clone();
    let told = format!("{notice:?}{:?}", life.alerts());
    assert!(told.contains("the key [secret TOKEN] was seen"), "{told}");
    let failed = life.until_receipt(&notice, |receipt| receipt.attempts == 1);
    let told = told + &format!("{failed:?}");
    assert!(told.contains("[secret TOKEN] xxx"), "{told}");
    assert!(!told.contains("canary"), "{told}");
}
