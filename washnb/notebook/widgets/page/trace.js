// The trace: requests as rows, their host calls as bars on the request's own axis of time, values on demand.

// Shape and colour say the same, so that each is enough.
const UNDER_WAY = "under way"; // in slow motion
const ENDINGS = { ok: ["●", "answered"], failed: ["✕", "failed"], denied: ["⊘", "denied"], injected: ["⚡", "injected by a fault"], [UNDER_WAY]: ["▶", UNDER_WAY] };
const LEAST = [["0", "any duration"], ["0.001", "1 ms and more"], ["0.01", "10 ms and more"], ["0.1", "100 ms and more"], ["1", "1 s and more"]];
const NEITHER = "nothing here passes the filters";

function ending(outcome) {
  const [shape, meaning] = ENDINGS[outcome];
  return make("span", { class: "washnb-mark", "data-outcome": outcome, role: "img", "aria-label": meaning, title: meaning }, shape);
}

/** Seconds in the unit that people would choose. */
function span(seconds) {
  if (seconds < 1e-3) return `${Math.round(seconds * 1e6)} µs`;
  return seconds < 1 ? `${(seconds * 1e3).toFixed(1)} ms` : `${seconds.toFixed(2)} s`;
}

/** A bar that holds parts: each a class, where it begins and how long it is, as shares of the whole. */
function bar(parts, label) {
  const node = make("span", { class: "washnb-bar", role: "img", "aria-label": label, title: label });
  for (const [kind, at, share] of parts) {
    const part = make("span", { "data-part": kind });
    part.style.left = `${100 * Math.min(1, at)}%`;
    part.style.width = `${100 * Math.min(1 - Math.min(1, at), share)}%`;
    node.append(part);
  }
  return node;
}

/** Where the time of a request went: guest, host and waiting, side by side. */
function shares(request) {
  const whole = request.took || 1;
  const words = `${span(request.guest)} in the guest, ${span(request.host)} in the host, ${span(request.waiting)} waiting`;
  const [guest, host] = [request.guest / whole, request.host / whole];
  return bar([["guest", 0, guest], ["host", guest, host], ["waiting", guest + host, request.waiting / whole]], words);
}

function fact(name, ...content) {
  return make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, ...content));
}

/** All of one call: its values, what it changed, what was logged in it. */
function valuesOf(call) {
  const code = (text) => make("code", {}, text);
  const facts = [fact("interface", call.interface), ...call.values.map(([name, value]) => fact(name, code(value)))];
  const underWay = call.outcome === UNDER_WAY;
  const answer = underWay ? UNDER_WAY : code(call.result || "nothing");
  facts.push(fact(call.error ? "error" : "result", ending(call.outcome), " ", answer));
  if (call.injected) facts.push(fact("fault", call.injected));
  for (const { path, action, before, after } of call.changes) {
    const old = before === null ? [] : [make("del", {}, before), " → "];
    facts.push(fact("changed", code(path.join(" / ")), ": ", ...old, action === "delete" ? "deleted" : code(after ?? "another value")));
  }
  for (const line of call.lines) facts.push(fact("logged", code(line)));
  facts.push(fact("served by", call.provider), ...(underWay ? [] : [fact("took", span(call.took))]));
  if (call.held) facts.push(fact("held", `${span(call.held)} in slow motion, which are not counted`));
  return make("table", { class: "washnb-facts" }, make("tbody", {}, ...facts));
}

function renderTrace(model, root, ask) {
  const redraw = () => draw();
  const workload = make("select", { "aria-label": "workload", onchange: redraw });
  const interfaces = make("select", { "aria-label": "interface", onchange: redraw });
  const least = make("select", { "aria-label": "least duration", onchange: redraw });
  const filter = make("input", { type: "search", placeholder: "function", "aria-label": "filter functions", oninput: redraw });
  const errors = make("input", { type: "checkbox", onchange: redraw });
  const legend = ["guest", "host", "waiting"].map((kind) => make("small", { class: "washnb-legend", "data-part": kind }, kind));
  const [head, writeHead] = headOf(...legend, workload, interfaces, filter, least, make("label", {}, errors, "in trouble"));
  const list = make("ol", { class: "washnb-requests" });
  const empty = make("div", { class: "washnb-empty" });
  const spoken = make("div", { class: "washnb-spoken", role: "status" });
  root.append(head, make("div", { class: "washnb-scroll", tabindex: "0", role: "group", "aria-label": "requests" }, list), empty, spoken);
  const rows = new Map(); // what is open, and what has the focus, stays from picture to picture
  const opened = new Map(); // what somebody has opened; of requests whose calls show from the beginning, has closed
  const followed = new Set(); // requests that were seen under way
  let inSight; // the call that is held

  const passes = (call) =>
    (!interfaces.value || call.interface === interfaces.value) &&
    call.took >= Number(least.value) &&
    (!errors.checked || call.outcome !== "ok") &&
    (!filter.value || call.function.includes(filter.value.toLowerCase()));
  const filtering = () => interfaces.value || Number(least.value) || errors.checked || filter.value;

  /** A row whose button opens what is below it; the same one as before, where nothing that it shows has changed. */
  function row(id, shown, open, build) {
    const text = JSON.stringify(shown);
    if (rows.get(id)?.text !== text) rows.set(id, { text, node: build() });
    const { node } = rows.get(id);
    node.dataset.row = id;
    node.querySelector("button").setAttribute("aria-expanded", String(open));
    return node;
  }

  function toggle(id, begin) {
    if (opened.has(id)) opened.delete(id);
    else opened.set(id, begin?.());
    draw();
  }

  /** A panel that fills itself with all of a call. */
  function valuesPanel(request, call) {
    const panel = make("div", { class: "washnb-panel", role: "status", "data-outcome": call.outcome }, "...");
    ask({ do: "values", group: String(request.n), key: String(call.n) }).then(
      ({ content }) => panel.replaceChildren(valuesOf(content)),
      () => panel.replaceChildren("this call is no longer remembered"),
    );
    return panel;
  }

  /** What stands behind the name of a call: when it was and how long; of one that is held, that it is under way. */
  function timing(request, call) {
    if (call.outcome === UNDER_WAY) return [make("strong", {}, UNDER_WAY)];
    const whole = request.took || 1;
    const kind = call.outcome === "ok" ? (call.waits ? "waiting" : "host") : call.outcome;
    const label = `${ENDINGS[call.outcome][1]}, from ${span(call.at)} on, for ${span(call.took)}`;
    return [bar([[kind, call.at / whole, Math.max(0.004, call.took / whole)]], label), make("span", { class: "washnb-size" }, span(call.took))];
  }

  function callRow(request, call) {
    const id = `${request.n} ${call.n}`;
    const node = row(id, [call, request.took], opened.has(id), () => {
      const name = button("", () => toggle(id, () => valuesPanel(request, call)), { class: "washnb-plain washnb-key" });
      name.append(call.asked + (call.answer ? ` → ${call.answer}` : ""));
      if (call.changed) name.append(make("small", {}, "  changes state"));
      const parts = [ending(call.outcome), name, make("span", { class: "washnb-component" }, call.provider), ...timing(request, call)];
      return make("div", { class: `washnb-call${call.outcome === UNDER_WAY ? " washnb-held" : ""}` }, ...parts);
    });
    // one that was opened while it was held has its answer by now
    if (opened.has(id) && opened.get(id).dataset.outcome !== call.outcome) opened.set(id, valuesPanel(request, call));
    return [node, ...(opened.has(id) ? [opened.get(id)] : [])];
  }

  /** A request, below it its calls, and below these the messages that they sent. */
  function requestRow(request, all) {
    const id = `${request.n}`;
    const calls = request.rows.filter(passes);
    const nested = all.filter((each) => each.under[0] === request.n);
    const open = opened.has(id) !== Boolean(model.get("picture").closer) || Boolean(filtering());
    const node = row(id, { ...request, rows: [] }, open, () => {
      const title = button("", () => toggle(id), { class: "washnb-plain washnb-key" });
      title.append(request.title);
      if (request.injected) title.append(make("small", { "data-outcome": "injected" }, `  ⚡ ${request.injected} injected`));
      return make(
        "div",
        { class: "washnb-call washnb-request" },
        ending(request.ongoing ? UNDER_WAY : request.failed ? "failed" : request.injected ? "injected" : "ok"),
        title,
        make("span", { class: "washnb-component" }, `${request.calls} call${request.calls === 1 ? "" : "s"}`),
        shares(request),
        make("span", { class: "washnb-size" }, span(request.took)),
      );
    });
    const inside = open
      ? calls.flatMap((call) => [...callRow(request, call), ...below(nested.filter((each) => each.under[1] === call.n), all)])
      : below(nested, all);
    if (open) inside.push(...notes(request).map((text) => make("div", { class: "washnb-note" }, text)));
    return make("li", {}, node, make("div", { class: "washnb-inside" }, ...inside));
  }

  /** What is said below the calls of a request: lines that no call wrote, and calls that are not here. */
  function notes(request) {
    const said = request.lines.map((line) => `logged: ${line}`);
    const rest = request.calls - request.rows.length + request.dropped;
    return rest > 0 ? [...said, `and ${rest} more calls`] : said;
  }

  /** Open requests that come in slow motion; from then on they are as one likes. */
  function openOngoing(all) {
    for (const { n, ongoing } of all) {
      if (!ongoing || followed.has(n)) continue;
      followed.add(n);
      if (!model.get("picture").closer) opened.set(`${n}`);
    }
  }

  /** Bring the call that is held into sight, once, and say it to those who do not see it. */
  function follow() {
    const held = [...list.querySelectorAll(".washnb-held")].pop();
    write(spoken, held ? `${UNDER_WAY}: ${held.querySelector("button").textContent}` : "");
    if (held && held !== inSight) {
      const [frame, place] = [list.parentNode, held].map((node) => node.getBoundingClientRect());
      if (place.bottom > frame.bottom || place.top < frame.top) list.parentNode.scrollTop += place.bottom - frame.bottom + 4;
    }
    inSight = held;
  }

  /** Give the focus back, also where the row was made anew. */
  function focusAgain(focused) {
    const place = { preventScroll: true };
    if (list.contains(focused)) focused.focus(place);
    else rows.get(focused.closest("[data-row]")?.dataset.row)?.node.querySelector("button").focus(place);
  }

  /** Rows are many: arrows go from one to the next, Home and End to the first and the last; left and right close and open. */
  function go(event) {
    const all = [...list.querySelectorAll(".washnb-key")];
    const at = all.indexOf(event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    const turned = { ArrowRight: "false", ArrowLeft: "true" }[event.key];
    if (at < 0 || (to === undefined && turned === undefined)) return;
    event.preventDefault(); // it does not scroll as well
    if (to !== undefined) all[to]?.focus();
    else if (event.target.getAttribute("aria-expanded") === turned) event.target.click();
  }
  list.addEventListener("keydown", go);

  const below = (nested, all) => nested.map((each) => make("ol", { class: "washnb-requests" }, requestRow(each, all)));

  function draw() {
    const picture = model.get("picture");
    const all = picture.requests ?? [];
    const calls = all.flatMap((request) => request.rows);
    const named = (names, every) => [["", every], ...[...new Set(names)].sort().map((name) => [name, name])];
    choices(workload, named(all.map((request) => request.workload).filter(Boolean), "all workloads"));
    choices(interfaces, named(calls.map((call) => call.interface), "all interfaces"));
    choices(least, LEAST);
    writeHead(picture);
    const there = new Set(all.map((request) => request.n));
    for (const kept of [rows, opened])
      for (const id of kept.keys()) if (!there.has(Number(id.split(" ")[0]))) kept.delete(id);
    for (const n of followed) if (!there.has(n)) followed.delete(n);
    openOngoing(all);
    const top = all
      .filter((request) => !request.under.length || !there.has(request.under[0]))
      .filter((request) => !workload.value || request.workload === workload.value)
      .filter((request) => !filtering() || request.rows.some(passes));
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    const end = list.parentNode.scrollTop;
    list.replaceChildren(...top.map((request) => requestRow(request, all)));
    list.parentNode.scrollTop = end;
    if (focused) focusAgain(focused);
    follow();
    const older = picture.older ? `and ${picture.older} older requests` : "";
    write(empty, all.length && !top.length ? NEITHER : all.length ? older : picture.empty ?? "");
    empty.hidden = !empty.textContent;
  }
  return draw;
}
