//! Makes random expressions and data from a seed, and spells each for both engines.
//!
//! Must not know what an expression means, only how it is written.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::spelling::{Access, Link, Spelled, chained};
use super::vocabulary::{
    ARRAY_METHODS, ASTRAL, BINARY, INHERITED, KEYS, LOGICAL, METHODS, NUMBERS, POSITIONS, ROOTS,
    STRINGS, UNARY,
};

/// A small generator of random numbers (`SplitMix64`), so that a seed names a pair for ever.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap_or_default()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}

/// One expression in three spellings, and the data for it.
#[derive(Debug)]
pub(crate) struct Pair {
    /// For our engine.
    pub(crate) source: String,
    /// For JavaScript, if it can run the source as it stands.
    pub(crate) verbatim: Option<String>,
    /// For JavaScript, with reads that never fail; none if the source was broken on purpose.
    pub(crate) relaxed: Option<String>,
    /// The scope.
    pub(crate) data: Map<String, Value>,
}

/// A random pair; counts in `seen` what it contains.
pub(crate) fn pair(random: &mut Random, seen: &mut BTreeMap<&'static str, usize>) -> Pair {
    let mut generator = Generator {
        // Most pairs are plain, so that JavaScript mostly runs the source as it stands.
        hostile: random.one_in(6),
        random,
        seen,
        verbatim_possible: true,
    };
    let depth = 1 + generator.random.below(3);
    let spelled = match generator.random.below(8) {
        0 | 1 => generator.direct(),
        2 => generator.twice(),
        _ => generator.expression(depth),
    };
    let data = generator.data();
    let (mut source, mut verbatim) = (spelled.own, spelled.verbatim);
    let mut relaxed = Some(spelled.relaxed);
    if generator.verbatim_possible && generator.random.one_in(8) {
        generator.saw("broken");
        verbatim = generator.broken(&verbatim);
        source.clone_from(&verbatim);
        relaxed = None;
    }
    Pair {
        source,
        verbatim: generator.verbatim_possible.then_some(verbatim),
        relaxed,
        data,
    }
}

struct Generator<'r> {
    random: &'r mut Random,
    seen: &'r mut BTreeMap<&'static str, usize>,
    /// Whether inherited names and characters of two code units may appear.
    hostile: bool,
    /// False once something is read that JavaScript reads differently.
    verbatim_possible: bool,
}

impl Generator<'_> {
    fn saw(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    fn expression(&mut self, depth: usize) -> Spelled {
        if depth == 0 {
            return self.leaf();
        }
        match self.random.below(12) {
            0..=3 => self.operation(depth, &BINARY),
            4 => self.operation(depth, &LOGICAL),
            5 => self.unary(depth),
            6 => self.conditional(depth),
            7 => {
                self.saw("()");
                self.expression(depth - 1).wrapped("(", ")")
            }
            8 => self.array(depth),
            _ => self.chain(depth),
        }
    }

    /// An operator on text, or a method called on what has it, its result not hidden by what is around it.
    fn direct(&mut self) -> Spelled {
        if self.random.one_in(4) {
            let operator = self.random.pick(&["<", "<=", ">", ">=", "+", "=="]);
            self.saw(operator);
            let (left, right) = (self.string(), self.string());
            let spaced = Spelled::same(&format!(" {operator} "));
            return Spelled::concat(&[&left, &spaced, &right]);
        }
        let (base, methods) = if self.random.one_in(3) {
            (self.array(1), &ARRAY_METHODS[..])
        } else {
            (self.string(), &METHODS[..8])
        };
        let link = self.call(1, methods);
        chained(base, &[link])
    }

    /// One value compared with itself: identity, and values unequal to themselves.
    fn twice(&mut self) -> Spelled {
        let value = match self.random.below(6) {
            0 => Spelled::same("(0 / 0)"),
            1 => self.leaf(),
            _ => self.chain(1),
        };
        let operator = self.random.pick(&["==", "===", "!=", "!==", "<="]);
        self.saw(operator);
        let spaced = Spelled::same(&format!(" {operator} "));
        if self.random.one_in(3) {
            self.saw("[]");
            self.saw("includes");
            let includes = Link {
                optional: false,
                access: Access::Call("includes", value.clone()),
            };
            return chained(value.wrapped("[", "]"), &[includes]);
        }
        Spelled::concat(&[&value, &spaced, &value])
    }

    fn operation(&mut self, depth: usize, operators: &[&'static str]) -> Spelled {
        let operator = self.random.pick(operators);
        self.saw(operator);
        // Unparenthesised operands leave the precedence to the engines; `??` beside `||` is an
        // error in both.
        let left = self.expression(depth - 1);
        let right = self.expression(depth - 1);
        let spaced = Spelled::same(&format!(" {operator} "));
        Spelled::concat(&[&left, &spaced, &right])
    }

    fn unary(&mut self, depth: usize) -> Spelled {
        let operator = self.random.pick(&UNARY);
        self.saw(operator);
        self.expression(depth - 1)
            .wrapped(&format!("{operator} "), "")
    }

    fn conditional(&mut self, depth: usize) -> Spelled {
        self.saw("?:");
        let [test, met, unmet] = [(); 3].map(|()| self.expression(depth - 1));
        // Without a space, `?.5` must not be taken for `?.`.
        let question = Spelled::same(self.random.pick(&[" ? ", "?"]));
        let colon = Spelled::same(" : ");
        Spelled::concat(&[&test, &question, &met, &colon, &unmet])
    }

    fn array(&mut self, depth: usize) -> Spelled {
        self.saw("[]");
        self.list(depth, 4).wrapped("[", "]")
    }

    fn list(&mut self, depth: usize, most: usize) -> Spelled {
        let comma = Spelled::same(", ");
        let mut list = Spelled::same("");
        for at in 0..self.random.below(most) {
            if at > 0 {
                list = Spelled::concat(&[&list, &comma]);
            }
            list = Spelled::concat(&[&list, &self.expression(depth - 1)]);
        }
        list
    }

    fn leaf(&mut self) -> Spelled {
        match self.random.below(8) {
            0 => {
                self.saw("literal");
                Spelled::same(self.random.pick(&["true", "false", "null", "undefined"]))
            }
            1 => {
                let number = self.random.pick(&NUMBERS);
                self.saw(if number.starts_with("0x") {
                    "hexadecimal"
                } else {
                    "number"
                });
                Spelled::same(number)
            }
            2 | 3 => self.string(),
            _ => self.chain(1),
        }
    }

    fn string(&mut self) -> Spelled {
        self.saw("string");
        if self.hostile && self.random.one_in(5) {
            self.verbatim_possible = false;
            return Spelled::same(self.random.pick(&ASTRAL));
        }
        Spelled::same(self.random.pick(&STRINGS))
    }

    /// A base and what is read from it.
    fn chain(&mut self, depth: usize) -> Spelled {
        let (base, methods) = match self.random.below(6) {
            0 => (self.string(), &METHODS[..8]),
            1 => (self.array(depth), &ARRAY_METHODS[..]),
            2 => (self.expression(depth - 1).wrapped("(", ")"), &METHODS[..]),
            _ => (Spelled::same(self.random.pick(&ROOTS)), &METHODS[..]),
        };
        let mut links = Vec::new();
        // A call right after text or an array mostly works; elsewhere it mostly fails.
        if methods.len() < METHODS.len() && self.random.one_in(2) {
            links.push(self.call(depth, methods));
        }
        for _ in 0..self.random.below(4) {
            links.push(self.link(depth));
        }
        chained(base, &links)
    }

    fn link(&mut self, depth: usize) -> Link {
        let optional = self.random.one_in(5);
        let access = match self.random.below(12) {
            0 => return self.call(depth, &METHODS),
            1..=3 => {
                self.saw(if optional { "?.[index]" } else { "[index]" });
                Access::Index(self.index(depth))
            }
            _ => Access::Member(self.member(optional)),
        };
        Link { optional, access }
    }

    fn call(&mut self, depth: usize, methods: &[&'static str]) -> Link {
        let optional = self.random.one_in(5);
        let method = self.random.pick(methods);
        self.saw(method);
        if optional {
            self.saw("method?.");
        }
        let arguments = match (self.random.below(3), method) {
            (0, _) => self.list(depth, 4),
            (_, "slice") => self.positions(),
            _ => {
                let first = self.leaf();
                let comma = Spelled::same(", ");
                match self.random.below(3) {
                    0 => Spelled::concat(&[&first, &comma, &self.positions()]),
                    _ => first,
                }
            }
        };
        let access = Access::Call(method, arguments);
        Link { optional, access }
    }

    /// One or two arguments that say where.
    fn positions(&mut self) -> Spelled {
        let first = self.random.pick(&POSITIONS);
        if self.random.one_in(2) {
            return Spelled::same(first);
        }
        let second = self.random.pick(&POSITIONS);
        Spelled::same(&format!("{first}, {second}"))
    }

    fn index(&mut self, depth: usize) -> Spelled {
        match self.random.below(4) {
            0 => self.expression(depth - 1),
            1 => {
                let key = self.random.pick(&KEYS);
                Spelled::same(&format!("'{key}'"))
            }
            _ => Spelled::same(
                self.random
                    .pick(&["0", "1", "2", "-1", "'0'", "'01'", "1.5"]),
            ),
        }
    }

    fn member(&mut self, optional: bool) -> &'static str {
        self.saw(if optional { "?." } else { "." });
        if self.hostile && self.random.one_in(8) {
            self.verbatim_possible = false;
            return self.random.pick(&INHERITED);
        }
        let key = self.random.pick(&KEYS);
        if key.contains('-') {
            self.saw(".hyphen");
        }
        key
    }

    /// The source with one character or one word gone, or one word twice.
    fn broken(&mut self, source: &str) -> String {
        let mut words: Vec<_> = source.split(' ').collect();
        let word = self.random.below(words.len());
        match self.random.below(3) {
            0 => {
                let at = self.random.below(source.chars().count());
                let kept = source.chars().enumerate().filter(|(place, _)| *place != at);
                return kept.map(|(_, c)| c).collect();
            }
            1 => drop(words.remove(word)),
            _ => words.insert(word, words[word]),
        }
        words.join(" ")
    }

    fn data(&mut self) -> Map<String, Value> {
        let roots = ROOTS.into_iter().filter(|root| *root != "missing");
        roots.map(|root| (root.to_owned(), self.value(3))).collect()
    }

    fn value(&mut self, depth: usize) -> Value {
        let kind = if depth == 0 { 0 } else { self.random.below(8) };
        match kind {
            0 => self.scalar(),
            1 | 2 => {
                let length = self.random.below(4);
                (0..length).map(|_| self.value(depth - 1)).collect()
            }
            _ => {
                let members = (0..=self.random.below(4)).map(|_| {
                    let inherited = self.random.one_in(15);
                    let key = self
                        .random
                        .pick(if inherited { &INHERITED[..] } else { &KEYS[..] });
                    (key.to_owned(), self.value(depth - 1))
                });
                Value::Object(members.collect())
            }
        }
    }

    fn scalar(&mut self) -> Value {
        let texts = [
            "",
            "a",
            "ab",
            "abcabc",
            "B",
            "1",
            "10",
            "9",
            " 2 ",
            "0x10",
            "1e3",
            "-1",
            "null",
            "true",
            "Straße",
            "ΑΣ",
            "\u{FFFD}x",
            "a,b",
            "\u{FEFF}\u{85} x\u{3000}",
            "[object Object]",
            "\u{FB01}",
        ];
        let doubles = [
            0.0,
            -0.0,
            0.1,
            0.5,
            1.5,
            -1.0,
            1e21,
            1e-7,
            1.7e308,
            5e-324,
            123_456.789,
        ];
        match self.random.below(12) {
            0 => Value::Null,
            1 => Value::Bool(self.random.one_in(2)),
            2 => json!(self.random.pick(&doubles)),
            3 => json!(
                self.random
                    .pick(&[9_007_199_254_740_993_u64, u64::MAX, 4_294_967_295])
            ),
            4 => json!(f64::from_bits(self.random.next() >> 2)),
            5..=7 => json!(self.random.below(12)),
            8 if self.hostile => {
                self.verbatim_possible = false;
                json!(self.random.pick(&["😀", "x😀y", "\u{FFFF}", "😀\u{E000}"]))
            }
            _ => json!(self.random.pick(&texts)),
        }
    }
}
