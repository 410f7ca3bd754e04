// Log lines, filtered by level, component and text, which follow the end of the list if the person likes.

/** A list of lines that grows at its end, and follows it. */
function growingList(label) {
  const follow = make("input", { type: "checkbox", checked: true });
  const lines = make("ol", { class: "washnb-lines" });
  const scroll = make("div", { class: "washnb-scroll", tabindex: "0", role: "log", "aria-label": label }, lines);
  const end = () => {
    if (follow.checked) scroll.scrollTop = scroll.scrollHeight;
  };
  follow.addEventListener("change", end);
  new ResizeObserver(end).observe(scroll); // the list has no size before it is on the page
  let shown = [];

  /** Show `entries`, each made into an element by `item`; elements that are there already stay. */
  function show(entries, item, anew) {
    const same = (one, index) => JSON.stringify(one) === JSON.stringify(entries[index]);
    const grows = !anew && entries.length >= shown.length && shown.every(same);
    if (grows) lines.append(...entries.slice(shown.length).map(item));
    else lines.replaceChildren(...entries.map(item));
    shown = entries;
    end();
  }
  return { scroll, show, follow: make("label", {}, follow, "follow") };
}

function renderLogs(model, root) {
  const redraw = () => draw(true);
  const level = make("select", { "aria-label": "least level", onchange: redraw });
  const component = make("select", { "aria-label": "component", onchange: redraw });
  const filter = make("input", { type: "search", placeholder: "filter", "aria-label": "filter lines", oninput: redraw });
  const list = growingList("log lines");
  const [head, writeHead] = headOf(level, component, filter, list.follow);
  const empty = make("div", { class: "washnb-empty" });
  root.append(head, list.scroll, empty);

  function item(line) {
    return make(
      "li",
      { "data-level": line.level },
      clock(line.time),
      make("span", { class: "washnb-level" }, line.stream === "log" ? line.level : line.stream),
      make("span", { class: "washnb-component" }, line.component),
      make("span", { class: "washnb-message" }, line.text),
    );
  }

  function draw(anew) {
    const picture = model.get("picture");
    const all = picture.lines ?? [];
    const levels = picture.levels ?? [];
    const named = (names, every) => [["", every], ...names.map((name) => [name, name])];
    // levels that the filter of the view leaves out in Python cannot be chosen here
    if (picture.level) choices(level, levels.slice(levels.indexOf(picture.level)).map((name) => [name, name]));
    else choices(level, named(levels, "all levels"));
    if (picture.component) choices(component, [[picture.component, picture.component]]);
    else choices(component, named([...new Set(all.map((line) => line.component))], "all components"));
    filter.placeholder = picture.filter ? `filter within “${picture.filter}”` : "filter";
    const least = levels.indexOf(level.value);
    const wanted = filter.value.toLowerCase();
    const passing = all.filter(
      (line) =>
        levels.indexOf(line.level) >= least &&
        (!component.value || line.component === component.value) &&
        (!wanted || line.text.toLowerCase().includes(wanted)),
    );
    list.show(passing, item, anew);
    writeHead(picture);
    write(empty, all.length ? "no line passes the filters" : picture.empty ?? "");
    empty.hidden = passing.length > 0;
  }
  return () => draw(false);
}
