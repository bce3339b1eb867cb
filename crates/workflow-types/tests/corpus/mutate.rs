//! Changes collected inputs at random, the same way for the same seed.
//!
//! Knows the words of a dictionary in libFuzzer's format, but nothing of what the inputs mean.

use std::ops::Range;

/// The longest input that is made.
const LONGEST: usize = 16 * 1024;
/// The most changes that one input gets.
const CHANGES: usize = 4;

pub struct Mutator {
    corpus: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
    random: Random,
}

impl Mutator {
    pub fn new(corpus: Vec<Vec<u8>>, words: Vec<Vec<u8>>, seed: u64) -> Self {
        assert!(!corpus.is_empty() && !words.is_empty());
        let random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        Self {
            corpus,
            words,
            random,
        }
    }

    /// A collected input with a few changes.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.any_input().clone();
        for _ in 0..=self.random.below(CHANGES) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let part = self.part(input.len());
        match self.random.below(8) {
            0 => {
                input.drain(part);
            }
            1 => {
                let copy = input[part.clone()].to_vec();
                input.splice(part.start..part.start, copy);
            }
            2 => {
                let word = self.any_word().clone();
                input.splice(part.start..part.start, word);
            }
            3 => {
                let word = self.any_word().clone();
                input.splice(part, word);
            }
            4 => {
                let other = self.any_input().clone();
                let theirs = self.part(other.len());
                input.splice(part, other[theirs].iter().copied());
            }
            5 => {
                let moved: Vec<u8> = input.drain(part).collect();
                let to = self.random.below(input.len() + 1);
                input.splice(to..to, moved);
            }
            6 => {
                let printable = b' ' + self.random.byte() % 95;
                self.overwrite(input, |_| printable);
            }
            _ => {
                let bit = 1 << self.random.below(8);
                self.overwrite(input, |byte| byte ^ bit);
            }
        }
    }

    fn overwrite(&mut self, input: &mut [u8], with: impl Fn(u8) -> u8) {
        let at = self.random.below(input.len().max(1));
        if let Some(byte) = input.get_mut(at) {
            *byte = with(*byte);
        }
    }

    /// A range, mostly a short one.
    fn part(&mut self, length: usize) -> Range<usize> {
        let start = self.random.below(length + 1);
        let longest = if self.random.below(4) == 0 {
            length
        } else {
            12
        };
        let end = start + self.random.below(longest.min(length - start) + 1);
        start..end
    }

    fn any_input(&mut self) -> &Vec<u8> {
        &self.corpus[self.random.below(self.corpus.len())]
    }

    fn any_word(&mut self) -> &Vec<u8> {
        &self.words[self.random.below(self.words.len())]
    }
}

/// xorshift64*: small, and good enough to choose bytes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap();
        usize::try_from((self.next() >> 16) % bound).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[7]
    }
}

/// The words of a dictionary: lines such as `"key: \x0a"`.
pub fn dictionary(text: &str) -> Vec<Vec<u8>> {
    let quoted = |line: &str| Some(word(line.strip_prefix('"')?.strip_suffix('"')?));
    text.lines().map(str::trim).filter_map(quoted).collect()
}

fn word(escaped: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = escaped.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'x') => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let digits = String::from_utf8(digits).unwrap();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            escaped => bytes.extend(escaped),
        }
    }
    bytes
}

#[test]
fn a_dictionary_has_words_with_escapes() {
    let text = "# comment\n\"a\\x0a\"\n\"\\\\{{\"\n\n\"\\\"\"\n";
    assert_eq!(dictionary(text), [&b"a\n"[..], b"\\{{", b"\""]);
}
