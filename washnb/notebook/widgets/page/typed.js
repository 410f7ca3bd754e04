// Forms for values of WIT types: each is a node and a function that reads it as a Python expression. That throws where
// something is missing or out of bounds. What they are made of is described in hosted/forms.py.

/** Make the form of a type; `label` says what it is for. */
function typedForm(type, label) {
  return TYPED[type.kind](type, label);
}

const TYPED = {
  switch(_, label) {
    const input = make("input", { type: "checkbox", role: "switch", "aria-label": label });
    return [input, () => (input.checked ? "True" : "False")];
  },
  whole({ low, high }, label) {
    const input = make("input", { type: "number", step: "1", min: low, max: high, value: "0", "aria-label": label });
    return [
      input,
      () => {
        const number = /^[-+]?\d+$/.test(input.value) ? BigInt(input.value.replace(/^\+/, "")) : undefined;
        const fits = number !== undefined && number >= BigInt(low) && number <= BigInt(high);
        return fits ? String(number) : refused(input, `is a whole number from ${low} to ${high}`);
      },
    ];
  },
  real(_, label) {
    const input = make("input", { inputmode: "decimal", value: "0", "aria-label": label });
    const number = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
    return [
      input,
      () => {
        const text = input.value.trim();
        if (/^[-+]?(inf|nan)$/i.test(text)) return `float("${text}")`;
        return number.test(text) ? String(text).replace(/^([-+]?)0+(?=\d)/, "$1") : refused(input, "is a number, inf or nan");
      },
    ];
  },
  char(_, label) {
    const input = make("input", { class: "washnb-char", value: "?", "aria-label": label });
    return [input, () => ([...input.value].length === 1 ? quoted(input.value) : refused(input, "is one character"))];
  },
  text(_, label) {
    const input = make("textarea", { rows: "1", spellcheck: "false", "aria-label": label });
    return [input, () => quoted(input.value)];
  },
  bytes(_, label) {
    const input = make("textarea", { rows: "1", spellcheck: "false", "aria-label": label });
    const form = formChoice(["text", "hex"], `form of ${label}`);
    return [
      make("span", { class: "washnb-typed" }, input, form),
      () => {
        try {
          if (form.value === "text" && /^[\x20-\x7e\n]*$/.test(input.value)) return `b${quoted(input.value)}`;
          return `bytes.fromhex("${FORMS.hex.show(FORMS[form.value].read(input.value))}")`;
        } catch (error) {
          return refused(input, `cannot be read: ${error.message}`);
        }
      },
    ];
  },
  expression({ text }, label) {
    const input = make("input", { value: text, "aria-label": `${label}, an expression` });
    return [input, () => input.value];
  },
  flags({ flags, none }, label) {
    const boxes = flags.map(([name, text]) => [make("input", { type: "checkbox" }), name, text]);
    const node = make("span", { class: "washnb-typed", role: "group", "aria-label": label });
    node.append(...boxes.map(([box, name]) => make("label", {}, box, name)));
    const chosen = () => boxes.filter(([box]) => box.checked).map(([, , text]) => text);
    return [node, () => chosen().join(" | ") || none];
  },
  fields({ before, fields, after }, label) {
    const parts = fields.map((field) => [field, ...typedForm(field.of, `${label} ${field.name}`)]);
    const node = make("div", { class: "washnb-fields", role: "group", "aria-label": label });
    for (const [{ name }, part] of parts) node.append(nameOf(name, part), part);
    return [node, () => before + parts.map(([field, , read]) => field.before + read()).join(", ") + after];
  },
  choice({ cases }, label) {
    const select = make("select", { "aria-label": label, onchange: () => choose() });
    choices(select, cases.map(({ name }) => [name, name]));
    const node = make("span", { class: "washnb-typed" }, select);
    let read;
    const choose = () => {
      const { name, before, of, after } = cases[select.selectedIndex];
      const [part, inside] = of ? typedForm(of, `${label} ${name}`) : [null, () => ""];
      arrange(node, part ? [select, part] : [select]);
      read = () => before + inside() + after;
    };
    choose();
    return [node, () => read()];
  },
  list({ of }, label) {
    const rows = [];
    const add = button("Add", () => {
      const [part, read] = typedForm(of, `${label} ${rows.length}`);
      const row = make("div", { class: "washnb-typed" }, part, button("Remove", () => remove(row)));
      rows.push([row, read]);
      node.insertBefore(row, add);
      row.querySelector("input, select, textarea, button").focus();
    }, { "aria-label": `add to ${label}` });
    const remove = (row) => {
      rows.splice(rows.findIndex(([each]) => each === row), 1);
      row.remove();
      add.focus();
    };
    const node = make("div", { class: "washnb-rows", role: "group", "aria-label": label }, add);
    return [node, () => `[${rows.map(([, read]) => read()).join(", ")}]`];
  },
};

/** The name of a field, to be seen and clicked at; who hears it hears the field's own, which is longer. */
function nameOf(name, part) {
  const field = part.matches("input, select, textarea") ? part : part.querySelector(":scope > :is(input, select, textarea)");
  if (field) field.id = `washnb-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`; // other views have such ids, too
  return make("label", { for: field?.id, "aria-hidden": "true" }, name);
}

/** A string as Python writes it. */
function quoted(text) {
  return JSON.stringify(text);
}

/** Say that a field cannot be read, and lead there. */
function refused(input, reason) {
  input.focus();
  input.setAttribute("aria-invalid", "true");
  input.addEventListener("input", () => input.removeAttribute("aria-invalid"), { once: true });
  throw new Error(`${input.getAttribute("aria-label")} ${reason}`);
}
