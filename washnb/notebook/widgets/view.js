// The widgets of washnb: a table of state that can be edited, and a list of log lines.
//
// What Python says are traits: `kind` (state or logs), `picture` and `problem`. What the page says are messages, see
// messages.py. Everything a guest wrote is put in as text, never as markup.

/** Make an element: attributes, then children; strings become text. */
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Let `node` show `text`, and say whether that is another one than before. */
function write(node, text) {
  if (node.textContent === text) return false;
  node.textContent = text;
  return true;
}

/** Let `parent` hold `children` in this order, without moving those that stay: what is moved loses the focus. */
function arrange(parent, children) {
  const staying = new Set(children);
  for (const child of [...parent.childNodes]) if (!staying.has(child)) child.remove();
  let at = parent.firstChild;
  for (const child of children) {
    if (child === at) at = at.nextSibling;
    else parent.insertBefore(child, at);
  }
}

/** Let `row` light up for a moment. */
function flash(row) {
  row.classList.remove("washnb-changed");
  void row.offsetWidth; // starts the animation anew
  row.classList.add("washnb-changed");
}

/** The row of one key: key, value, size, and when it is opened, an editor below. */
class Row {
  constructor(group, wish) {
    this.group = group;
    this.wish = wish;
    this.name = make("span");
    this.button = make("button", { class: "washnb-plain washnb-key", type: "button", "aria-expanded": "false" }, this.name);
    this.button.addEventListener("click", () => this.toggle());
    this.value = make("div", { class: "washnb-value" });
    this.note = make("div", { class: "washnb-note" });
    this.size = make("td", { class: "washnb-size" });
    this.row = make("tr", {}, make("td", {}, this.button), make("td", {}, this.value, this.note), this.size);
    this.row.addEventListener("animationend", () => this.row.classList.remove("washnb-changed"));
    this.editor = null;
  }

  update(entry, fresh) {
    this.entry = entry;
    write(this.name, entry.key);
    const changed = write(this.value, entry.kind === "empty" ? "(empty)" : entry.preview);
    write(this.note, entry.note);
    write(this.size, entry.size);
    if (changed && !fresh) flash(this.row);
    if (changed && this.editor && !this.dirty) this.text.value = this.editable();
  }

  editable() {
    const { kind, text, hex } = this.entry;
    return kind === "secret" ? "" : kind === "hex" ? hex : text;
  }

  toggle() {
    if (this.editor) {
      this.editor.remove();
      this.editor = null;
    } else {
      this.open();
      this.row.after(this.editor);
      this.text.rows = Math.min(14, Math.max(2, this.text.value.split("\n").length));
      this.text.focus();
      this.text.setSelectionRange(0, 0);
    }
    this.button.setAttribute("aria-expanded", String(this.editor !== null));
  }

  /** Go on with what was typed and could not be saved. */
  reopen(typed) {
    if (!this.editor) this.toggle();
    this.text.value = typed;
    this.dirty = true;
  }

  open() {
    const { key, kind, whole } = this.entry;
    const group = this.group;
    const save = () => {
      const typed = this.text.value;
      this.wish({ do: "set", group, key, text: typed, kind }, () => this.reopen(typed));
      this.dirty = false;
      this.toggle();
      this.button.focus();
    };
    this.dirty = false;
    this.text = make("textarea", {
      "aria-label": `value of ${key}`,
      readonly: !whole,
      placeholder: kind === "secret" ? "a new value; the present one is not shown" : "",
      oninput: () => (this.dirty = true),
      onkeydown: (event) => {
        event.stopPropagation(); // the notebook has shortcuts of its own
        if (event.key === "Escape") this.toggle(), this.button.focus();
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && whole) save();
      },
    });
    this.text.value = this.editable();
    const buttons = make(
      "div",
      {},
      make("button", { type: "button", disabled: !whole, onclick: save, title: "Ctrl+Enter" }, "Save"),
      make("button", { type: "button", onclick: () => this.wish({ do: "delete", group, key }) }, "Delete"),
      make("span", { class: "washnb-note" }, whole ? (kind === "hex" ? "bytes in hex" : "") : "too long to be edited here"),
    );
    this.editor = make("tr", {}, make("td", { colspan: "3" }, make("div", { class: "washnb-editor" }, this.text, buttons)));
  }
}

/** State: groups of keys and values. */
function renderState(model, root, wish) {
  const filter = make("input", { type: "search", placeholder: "filter", "aria-label": "filter keys and values", oninput: () => draw() });
  const title = make("strong");
  const table = make("table", { class: "washnb-table" });
  const columns = make("colgroup", {}, make("col", { class: "washnb-keys" }), make("col"), make("col", { class: "washnb-sizes" }));
  const empty = make("div", { class: "washnb-empty" });
  const group = make("input", { "aria-label": "bucket", placeholder: "bucket" });
  const key = make("input", { "aria-label": "key", placeholder: "key" });
  const value = make("input", { "aria-label": "value", placeholder: "value" });
  const form = make(
    "form",
    {
      onsubmit: (event) => {
        event.preventDefault();
        if (!key.value) return;
        wish({ do: "set", group: group.hidden ? "" : group.value || "default", key: key.value, text: value.value, kind: "text" });
        key.value = value.value = "";
        key.focus();
      },
    },
    group, key, value, make("button", {}, "Set"),
  );
  root.append(make("header", {}, title, filter), make("div", { class: "washnb-scroll" }, table, empty), form);
  const rows = new Map();
  const bodies = new Map();

  function body({ name, entries, more }, word, first) {
    const id = JSON.stringify(name);
    if (!bodies.has(id)) {
      const heading = make("tr", { class: "washnb-group" }, make("th", { colspan: "3" }, `${word} ${name}`));
      const end = make("tr", {}, make("td", { colspan: "3", class: "washnb-note" }, "and more keys"));
      bodies.set(id, { all: make("tbody"), heading, end });
    }
    const { all, heading, end } = bodies.get(id);
    const shown = word ? [heading] : [];
    for (const entry of entries) {
      const rowId = JSON.stringify([name, entry.key]);
      const fresh = !rows.has(rowId);
      if (fresh) rows.set(rowId, new Row(name, wish));
      const row = rows.get(rowId);
      row.update(entry, fresh && first);
      if (fresh && !first) flash(row.row);
      shown.push(row.row, ...(row.editor ? [row.editor] : []));
    }
    arrange(all, more ? [...shown, end] : shown);
    return all;
  }

  let first = true;
  function draw() {
    const picture = model.get("picture");
    const wanted = filter.value.toLowerCase();
    const matches = (entry) => !wanted || `${entry.key} ${entry.text}`.toLowerCase().includes(wanted);
    const groups = (picture.groups ?? [])
      .map((each) => ({ ...each, entries: each.entries.filter(matches) }))
      .filter((each) => !wanted || each.entries.length);
    const present = new Set((picture.groups ?? []).flatMap((each) => each.entries.map((entry) => JSON.stringify([each.name, entry.key]))));
    for (const id of rows.keys()) if (!present.has(id)) rows.delete(id);
    write(title, picture.title ?? "");
    group.hidden = !picture.new_groups;
    arrange(table, [columns, ...groups.map((each) => body(each, picture.word, first))]);
    write(empty, present.size ? "no key or value has this in it" : picture.empty ?? "");
    empty.hidden = groups.some((each) => each.entries.length > 0);
    first = false;
  }
  return draw;
}

/** Log lines: level, component and text to filter by, and whether to follow the end. */
function renderLogs(model, root) {
  const redraw = () => draw(true);
  const level = make("select", { "aria-label": "least level", onchange: redraw });
  const component = make("select", { "aria-label": "component", onchange: redraw });
  const filter = make("input", { type: "search", placeholder: "filter", "aria-label": "filter lines", oninput: redraw });
  const follow = make("input", { type: "checkbox", checked: true });
  const title = make("strong");
  const lines = make("ol", { class: "washnb-lines" });
  const scroll = make("div", { class: "washnb-scroll", tabindex: "0", role: "log", "aria-label": "log lines" }, lines);
  const empty = make("div", { class: "washnb-empty" });
  root.append(
    make("header", {}, title, level, component, filter, make("label", {}, follow, "follow")),
    scroll,
    empty,
  );
  let shown = [];

  function choices(select, names, all) {
    const wanted = [["", all], ...names.map((name) => [name, name])];
    const same = ([value], index) => select.options[index].value === value;
    if (select.options.length === wanted.length && wanted.every(same)) return;
    const chosen = select.value;
    select.replaceChildren(...wanted.map(([value, text]) => make("option", { value }, text)));
    select.value = names.includes(chosen) ? chosen : "";
  }

  function item(line) {
    const time = new Date(line.time * 1000);
    return make(
      "li",
      { "data-level": line.level },
      make("time", { datetime: time.toISOString() }, time.toLocaleTimeString([], { hour12: false })),
      make("span", { class: "washnb-level" }, line.stream === "log" ? line.level : line.stream),
      make("span", { class: "washnb-component" }, line.component),
      make("span", { class: "washnb-message" }, line.text),
    );
  }

  function draw(anew) {
    const picture = model.get("picture");
    const all = picture.lines ?? [];
    const levels = picture.levels ?? [];
    choices(level, levels, "all levels");
    choices(component, [...new Set(all.map((line) => line.component))], "all components");
    const least = levels.indexOf(level.value);
    const wanted = filter.value.toLowerCase();
    const passing = all.filter(
      (line) =>
        levels.indexOf(line.level) >= least &&
        (!component.value || line.component === component.value) &&
        (!wanted || line.text.toLowerCase().includes(wanted)),
    );
    const same = (a, b) => a.time === b.time && a.text === b.text && a.component === b.component;
    const grows = !anew && passing.length >= shown.length && shown.every((line, index) => same(line, passing[index]));
    if (grows) lines.append(...passing.slice(shown.length).map(item));
    else lines.replaceChildren(...passing.map(item));
    shown = passing;
    write(title, picture.title ?? "");
    write(empty, all.length ? "no line passes the filters" : picture.empty ?? "");
    empty.hidden = passing.length > 0;
    end();
  }
  const end = () => {
    if (follow.checked) scroll.scrollTop = scroll.scrollHeight;
  };
  follow.addEventListener("change", end);
  new ResizeObserver(end).observe(scroll); // it has no size before it is on the page
  return () => draw(false);
}

function render({ model, el }) {
  const root = make("section", { class: "washnb", "aria-label": model.get("picture").title ?? "" });
  const problem = make("div", { class: "washnb-problem", role: "alert" });
  let undo = () => {};
  const wish = (message, failed = () => {}) => {
    undo = failed;
    model.send(message);
  };
  const draw = (model.get("kind") === "logs" ? renderLogs : renderState)(model, root, wish);
  const complain = () => {
    if (write(problem, model.get("problem")) && problem.textContent) undo();
  };
  root.append(problem);
  root.addEventListener("keydown", (event) => event.stopPropagation()); // typing here is no command to the notebook
  el.append(root);
  draw();
  complain();
  model.on("change:picture", draw);
  model.on("change:problem", complain);
  wish({ do: "shown" });
  return () => {
    model.off("change:picture", draw);
    model.off("change:problem", complain);
    wish({ do: "hidden" });
  };
}

export default { render };
