// Values are bytes. A form writes bytes as text and reads them from it; it throws for bytes or text that do not have it.

const plainText = /^[^\x00-\x08\x0b-\x1f\x7f]*$/; // a text field changes other control characters

const encoded = (text) => new TextEncoder().encode(text);
const decoded = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

const FORMS = {
  text: {
    name: "text",
    show(bytes) {
      const text = decoded(bytes);
      if (!plainText.test(text)) throw new Error("this is no plain text");
      return text;
    },
    read: encoded,
  },
  json: {
    name: "JSON",
    show: (bytes) => indented(FORMS.text.show(bytes)),
    read(text) {
      JSON.parse(text);
      return encoded(text);
    },
  },
  hex: {
    name: "hex",
    show: (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" "),
    read(text) {
      const digits = text.replace(/\s/g, "");
      if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error(`${JSON.stringify(text)} is not hex, such as 00 ff`);
      return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
    },
  },
  u64le: counter("number (u64, little endian)", true),
  u64be: counter("number (u64, big endian)", false),
};

/** The form of a counter of wasi:keyvalue: a number in eight bytes. */
function counter(name, little) {
  return {
    name,
    show(bytes) {
      if (bytes.length !== 8) throw new Error("a counter has eight bytes");
      return String(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, little));
    },
    read(text) {
      const bytes = new Uint8Array(8);
      const digits = text.trim();
      if (!/^\d{1,20}$/.test(digits) || BigInt(digits) >= 1n << 64n) {
        throw new Error(`${JSON.stringify(text)} is not a whole number from 0 to 2**64 - 1`);
      }
      new DataView(bytes.buffer).setBigUint64(0, BigInt(digits), little);
      return bytes;
    },
  };
}

/** Indent JSON, with each token as it was, so that numbers keep all their digits. Throws for text that is no JSON. */
function indented(text) {
  JSON.parse(text);
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g);
  let depth = 0;
  let laid = "";
  tokens.forEach((token, at) => {
    const line = () => `\n${"  ".repeat(depth)}`;
    if (token === ":") laid += ": ";
    else if (token === ",") laid += `,${line()}`;
    else if ("{[".includes(token)) {
      depth += 1;
      laid += "}]".includes(tokens[at + 1] ?? " ") ? token : token + line();
    } else if ("}]".includes(token)) {
      depth -= 1;
      laid += "{[".includes(tokens[at - 1]) ? token : line() + token;
    } else laid += token;
  });
  return laid;
}

/** Make the choice among the forms that `bytes` have, or, without bytes, among all forms. */
function formChoice(names, label, onchange, bytes) {
  const select = make("select", { "aria-label": label, onchange });
  const has = (name) => {
    try {
      FORMS[name].show(bytes);
      return true;
    } catch {
      return false;
    }
  };
  choices(select, names.filter((name) => !bytes || has(name)).map((name) => [name, FORMS[name].name]));
  return select;
}
