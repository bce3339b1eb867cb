//! The words that generated expressions are made of.

pub(crate) const BINARY: [&str; 13] = [
    "+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!=", "===", "!==",
];
pub(crate) const LOGICAL: [&str; 3] = ["&&", "||", "??"];
pub(crate) const UNARY: [&str; 3] = ["!", "-", "+"];
pub(crate) const METHODS: [&str; 9] = [
    "includes",
    "startsWith",
    "endsWith",
    "trim",
    "toLowerCase",
    "toUpperCase",
    "indexOf",
    "slice",
    "join",
];
pub(crate) const ARRAY_METHODS: [&str; 4] = ["includes", "indexOf", "slice", "join"];
/// Shapes that are neither operators nor methods.
pub(crate) const SHAPES: [&str; 14] = [
    "?:",
    "()",
    "[]",
    ".",
    "?.",
    ".hyphen",
    "[index]",
    "?.[index]",
    "method?.",
    "number",
    "hexadecimal",
    "string",
    "literal",
    "broken",
];

pub(crate) const ROOTS: [&str; 4] = ["input", "result", "steps", "missing"];
pub(crate) const KEYS: [&str; 12] = [
    "a",
    "b",
    "list",
    "text",
    "count",
    "record",
    "é",
    "nothing",
    "length",
    "length",
    "check-health",
    "a-1",
];
/// Names that JavaScript inherits; own properties only for us.
pub(crate) const INHERITED: [&str; 6] = [
    "constructor",
    "toString",
    "__proto__",
    "valueOf",
    "map",
    "includes",
];
pub(crate) const NUMBERS: [&str; 22] = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "10",
    "0.1",
    "0.2",
    "1.5",
    ".5",
    "5.",
    "1e3",
    "1E-7",
    "1e21",
    "1e400",
    "123456789012345680000",
    "9007199254740993",
    "0xff",
    "0X1F",
    "0b101",
    "0o17",
    "0.30000000000000004",
];
pub(crate) const STRINGS: [&str; 30] = [
    "''",
    "'a'",
    "\"b\"",
    "'ab'",
    "'abcabc'",
    "'A b'",
    "' 1 '",
    "'1'",
    "'10'",
    "'9'",
    "'0x10'",
    "'1e3'",
    "'-0'",
    "'null'",
    "'undefined'",
    "'true'",
    "'NaN'",
    "'Infinity'",
    "'-Infinity'",
    "','",
    "'1,2'",
    "'[object Object]'",
    "'ß İ ΑΣ'",
    "'\\u00e9\\x41\\n\\t\\0'",
    "'\\uFEFF\\u2003x\\u0085'",
    "'it\\'s'",
    "'length'",
    "'\u{FFFD}'",
    "'\\'",
    "'\u{FB01}'",
];
pub(crate) const ASTRAL: [&str; 4] = [
    "'😀'",
    "'a😀b'",
    "'\\uD83D\\uDE00\\u{1F600}'",
    "'\u{FFFF}😀'",
];
