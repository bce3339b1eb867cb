// Evaluates expressions with the JavaScript engine itself. One JSON line in, one out:
// { verbatim, relaxed, data } gives ["syntax"], ["error"] or the encoded value.
//
// `verbatim` is the source as it stands. Only where it reads a member of undefined or null,
// which JavaScript refuses and our language does not, does `relaxed` answer: the same source
// with each read spelled as a call of `G`, each method call as `M`, each `?.` as `O`.
// `verbatim` is null where our language has own properties only or no halves of characters.
'use strict';

// Data has no inherited properties, yet turns into text as every object does.
const BARE = Object.create(null, {
  [Symbol.toPrimitive]: { value: () => '[object Object]' },
});
const revive = (_, value) =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.setPrototypeOf(value, BARE)
    : value;

const wellFormed = (value) => (typeof value === 'string' ? value.toWellFormed() : value);
const cut = String.prototype.slice;
String.prototype.slice = function (...bounds) {
  return cut.apply(this, bounds).toWellFormed();
};

const G = (owner, key) => {
  if (owner === undefined || owner === null) return undefined;
  return Object.hasOwn(Object(owner), key) ? wellFormed(owner[key]) : undefined;
};
const M = (owner, method, args) => {
  if (typeof owner !== 'string' && !Array.isArray(owner)) throw new TypeError('no methods');
  return owner[method](...args);
};
const O = (owner, rest) => (owner === undefined || owner === null ? undefined : rest(owner));

const ROOTS = ['input', 'result', 'steps', 'missing'];

const evaluate = (source, data) => {
  const body = `"use strict"; return (${source}\n);`;
  const compiled = new Function(...ROOTS, 'G', 'M', 'O', body);
  return compiled(...ROOTS.map((root) => data[root]), G, M, O);
};

const encode = (value) => {
  if (value === undefined) return ['undefined'];
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array', value.map(encode)];
  switch (typeof value) {
    case 'boolean':
      return ['boolean', value];
    case 'number':
      return ['number', Object.is(value, -0) ? '-0' : String(value)];
    case 'string':
      return ['string', value.toWellFormed()];
    default:
      return ['object', Object.keys(value).sort().map((key) => [key, encode(value[key])])];
  }
};

const answer = ({ verbatim, relaxed, data }) => {
  const values = JSON.parse(data, revive);
  try {
    if (verbatim !== null) return encode(evaluate(verbatim, values));
  } catch (error) {
    if (error instanceof SyntaxError) return ["syntax"];
    if (error instanceof ReferenceError) return ["unknown"];
    if (!/^Cannot read properties of (undefined|null)/.test(error.message)) return ['error'];
  }
  if (relaxed === null) return ['unknown'];
  try {
    return encode(evaluate(relaxed, values));
  } catch (error) {
    return [error instanceof SyntaxError ? 'syntax' : 'error'];
  }
};

// One write for each chunk that was read; a line may end in a later chunk.
let begun = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk) => {
  const lines = (begun + chunk).split('\n');
  begun = lines.pop();
  process.stdout.write(lines.map((line) => JSON.stringify(answer(JSON.parse(line))) + '\n').join(''));
});
