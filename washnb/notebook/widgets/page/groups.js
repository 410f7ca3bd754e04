// Rows in groups, filtered: buckets with keys, settings, containers with objects.

/** One row: a name that opens a panel below it, the beginning of the value, and a size. */
class Row {
  constructor(group, ask) {
    this.group = group;
    this.ask = ask;
    this.name = make("span");
    this.button = button("", () => this.toggle(), { class: "washnb-plain washnb-key", "aria-expanded": "false" });
    this.button.append(this.name);
    this.value = make("div", { class: "washnb-value" });
    this.note = make("div", { class: "washnb-note" });
    this.size = make("td", { class: "washnb-size" });
    this.row = make("tr", {}, make("td", {}, this.button), make("td", {}, this.value, this.note), this.size);
    this.row.addEventListener("animationend", () => this.row.classList.remove("washnb-changed"));
    this.panel = null;
  }

  /** Show an entry of the picture, and return whether the row has changed. */
  update(entry, fresh) {
    this.entry = entry;
    write(this.name, entry.key);
    const changed = write(this.value, entry.preview || "(empty)");
    write(this.note, entry.note);
    write(this.size, entry.size);
    if (changed && !fresh) flash(this.row);
    return changed;
  }

  toggle() {
    if (this.panel) this.close();
    else {
      this.panel = make("tr", {}, make("td", { colspan: "3" }, make("div", { class: "washnb-panel" }, ...this.open())));
      this.row.after(this.panel);
      this.opened();
      this.panel.scrollIntoView({ block: "nearest" });
    }
    this.button.setAttribute("aria-expanded", String(this.panel !== null));
  }

  /** The elements in the panel. */
  open() {
    return [];
  }

  opened() {}

  close() {
    this.panel.remove();
    this.panel = null;
    this.button.focus();
  }
}

/** A table of groups: `Kind` is the class of its rows, `words` names groups and entries, `heading` adds to a group's. */
function groupTable(model, root, ask, { Kind, words, footer, heading = () => [] }) {
  const filter = make("input", {
    type: "search",
    placeholder: "filter",
    "aria-label": `filter ${words.entries}`,
    oninput: () => draw(),
  });
  const [head, writeHead] = headOf(filter);
  const table = make("table", { class: "washnb-table" });
  const columns = make("colgroup", {}, make("col", { class: "washnb-keys" }), make("col"), make("col", { class: "washnb-sizes" }));
  const empty = make("div", { class: "washnb-empty" });
  root.append(head, make("div", { class: "washnb-scroll" }, table, empty), footer);
  const rows = new Map();
  const bodies = new Map();

  function body({ name, entries, more }, word, first) {
    if (!bodies.has(name)) {
      const title = make("th", { colspan: "3" }, make("span", {}, `${word} ${name}`), ...heading(name));
      const end = make("tr", {}, make("td", { colspan: "3", class: "washnb-note" }, `and more ${words.entries}`));
      bodies.set(name, { all: make("tbody"), title: make("tr", { class: "washnb-group" }, title), end });
    }
    const { all, title, end } = bodies.get(name);
    const shown = word ? [title] : [];
    for (const entry of entries) {
      const id = JSON.stringify([name, entry.key]);
      const fresh = !rows.has(id);
      if (fresh) rows.set(id, new Kind(name, ask));
      const row = rows.get(id);
      row.update(entry, fresh);
      if (fresh && !first) flash(row.row);
      shown.push(row.row, ...(row.panel ? [row.panel] : []));
    }
    arrange(all, more ? [...shown, end] : shown);
    return all;
  }

  let first = true;
  function draw() {
    const picture = model.get("picture");
    const all = picture.groups ?? [];
    const wanted = filter.value.toLowerCase();
    const matches = (entry) => !wanted || `${entry.key} ${entry.preview ?? ""}`.toLowerCase().includes(wanted);
    const groups = all
      .map((each) => ({ ...each, entries: each.entries.filter(matches) }))
      .filter((each) => !wanted || each.entries.length);
    const present = new Set(all.flatMap((each) => each.entries.map((entry) => JSON.stringify([each.name, entry.key]))));
    for (const id of rows.keys()) if (!present.has(id)) rows.delete(id);
    for (const name of bodies.keys()) if (!all.some((each) => each.name === name)) bodies.delete(name);
    writeHead(picture);
    arrange(table, [columns, ...groups.map((each) => body(each, picture.word, first))]);
    const more = picture.more ? `and ${picture.more} more ${words.groups}` : "";
    write(empty, present.size && !groups.length ? `nothing here has this in it` : all.length ? more : picture.empty ?? "");
    empty.hidden = !empty.textContent;
    if (first && picture.open) for (const row of rows.values()) row.toggle();
    first = false;
  }
  return draw;
}
