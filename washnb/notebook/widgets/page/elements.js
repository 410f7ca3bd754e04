// The pieces that all views are made of.

/** Make a button that does something. */
function button(text, onclick, attributes = {}) {
  return make("button", { type: "button", onclick, ...attributes }, text);
}

/** Make a button that acts when it is pressed twice, for a deletion, which cannot be undone. */
function sureButton(text, act) {
  const asking = `${text}?`;
  const made = button(text, () => {
    if (made.textContent === asking) act();
    else write(made, asking);
  });
  made.addEventListener("blur", () => write(made, text));
  return made;
}

/** Set the text of `node`, and return whether it has changed. */
function write(node, text) {
  if (node.textContent === text) return false;
  node.textContent = text;
  return true;
}

/** Set the children of `parent`, in this order, without moving those that stay: an element that is moved loses the focus. */
function arrange(parent, children) {
  const staying = new Set(children);
  for (const child of [...parent.childNodes]) if (!staying.has(child)) child.remove();
  let at = parent.firstChild;
  for (const child of children) {
    if (child === at) at = at.nextSibling;
    else parent.insertBefore(child, at);
  }
}

/** Highlight `row` for a moment. */
function flash(row) {
  row.classList.remove("washnb-changed");
  void row.offsetWidth; // makes the browser start the animation anew
  row.classList.add("washnb-changed");
}

/** Set the options of `select`, pairs of value and text, and keep the chosen one if it is still among them. */
function choices(select, wanted) {
  const same = ([value], index) => select.options[index].value === value;
  if (select.options.length === wanted.length && wanted.every(same)) return;
  const chosen = select.value;
  select.replaceChildren(...wanted.map(([value, text]) => make("option", { value }, text)));
  select.value = wanted.some(([value]) => value === chosen) ? chosen : wanted[0][0];
}

/** Make the head of a view: its title, the place of its state, and its filters. */
function headOf(...filters) {
  const title = make("strong");
  const place = make("span", { class: "washnb-place" });
  const head = make("header", {}, title, place, make("span", { class: "washnb-filters" }, ...filters));
  return [
    head,
    (picture) => {
      write(title, picture.title ?? "");
      write(place, picture.place ?? "");
    },
  ];
}

function clock(seconds) {
  const time = new Date(seconds * 1000);
  return make("time", { datetime: time.toISOString() }, time.toLocaleTimeString([], { hour12: false }));
}
