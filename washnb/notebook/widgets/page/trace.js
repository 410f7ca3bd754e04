// The trace: requests as rows, their host calls as bars on the request's own axis of time, values on demand.

// Shape and colour say the same, so that each is enough.
const UNDER_WAY = "under way"; // in slow motion
const ENDINGS = { ok: ["●", "answered"], failed: ["✕", "failed"], denied: ["⊘", "denied"], injected: ["⚡", "injected by a fault"], [UNDER_WAY]: ["▶", UNDER_WAY] };
const LEAST = [["0", "any duration"], ["0.001", "1 ms and more"], ["0.01", "10 ms and more"], ["0.1", "100 ms and more"], ["1", "1 s and more"]];
const MOST = 400; // calls that come at once
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
  root.append(head, make("div", { class: "washnb-scroll washnb-timeline", tabindex: "0", role: "group", "aria-label": "requests" }, list), empty, spoken);
  const rows = new Map(); // what is open, and what has the focus, stays from picture to picture
  const opened = new Map(); // what somebody has opened; of requests whose calls show from the beginning, has closed
  const known = new Map(); // the calls of requests that were opened, by their place: pictures have the first ones only
  const followed = new Set(); // requests that were seen under way
  let inSight; // the call that is held
  let drawn; // the picture that is on the page

  const passes = (call) =>
    (!interfaces.value || call.interface === interfaces.value) &&
    call.took >= Number(least.value) &&
    (!errors.checked || call.outcome !== "ok") &&
    (!filter.value || call.function.includes(filter.value.toLowerCase()));
  const filtering = () => interfaces.value || Number(least.value) || errors.checked || filter.value;
  /** Whether a request is shown with all its calls: it failed, and none of them is in trouble (a trap). */
  const whole = (request) => {
    const others = interfaces.value || Number(least.value) || filter.value;
    return errors.checked && !others && request.failed && !callsOf(request).some(passes);
  };

  /** The calls of a request that are here: those of the picture, and of one that is open all that came before or were asked for. */
  function callsOf(request) {
    const answered = request.rows.filter((call) => call.outcome !== UNDER_WAY);
    if (!known.has(request.n)) return request.rows;
    const calls = known.get(request.n);
    for (const call of answered) calls[call.place] = call;
    return [...calls, ...request.rows.slice(answered.length)];
  }

  /** Ask for the calls of a request that are not here yet. */
  async function more(request) {
    if (!known.has(request.n)) known.set(request.n, []);
    const key = String(callsOf(request).filter((call) => call.outcome !== UNDER_WAY).length);
    const { content } = await ask({ do: "calls", group: String(request.n), key }).catch(() => ({ content: { rows: [] } }));
    const calls = known.get(request.n);
    if (!calls) return; // closed meanwhile
    for (const call of content.rows) calls[call.place] = call;
    const asked = document.activeElement === at(`${request.n} more`);
    draw();
    if (asked) at(`${request.n} ${content.rows[0]?.n}`)?.focus();
  }

  /** The button of a row. */
  const at = (id) => list.querySelector(`[data-row="${id}"] button`);

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
    reveal(id);
  }

  /** Bring what has been opened into sight, as much of it as there is room for below its row. */
  function reveal(id) {
    const row = at(id)?.closest("[data-row]");
    if (row?.nextElementSibling?.matches(".washnb-inside, .washnb-panel") !== true) return;
    const [frame, head, body] = [list.parentNode, row, row.nextElementSibling].map((node) => node.getBoundingClientRect());
    const below = body.bottom - frame.bottom;
    if (below > 0) list.parentNode.scrollTop += Math.max(0, Math.min(below, head.top - frame.top));
    if (opened.get(id)) opened.get(id).scrollIntoView({ block: "nearest" }); // in the notebook, too
  }

  /** A panel that fills itself with all of a call. */
  function valuesPanel(request, call) {
    const id = `${request.n} ${call.n}`;
    const panel = make("div", { class: "washnb-panel", role: "status", "data-of": call.outcome }, "...");
    ask({ do: "values", group: String(request.n), key: String(call.n) })
      .then(
        ({ content }) => panel.replaceChildren(valuesOf(content)),
        () => panel.replaceChildren("this call is no longer remembered"),
      )
      .then(() => document.activeElement === at(id) && reveal(id));
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
    if (opened.has(id) && opened.get(id).dataset.of !== call.outcome) opened.set(id, valuesPanel(request, call));
    return [node, ...(opened.has(id) ? [opened.get(id)] : [])];
  }

  /** A request, below it its calls, and below these the messages that they sent. */
  function requestRow(request, all) {
    const id = `${request.n}`;
    const here = callsOf(request);
    const calls = whole(request) ? here : here.filter(passes);
    const nested = all.filter((each) => each.under[0] === request.n);
    const open = opened.has(id) !== Boolean(model.get("picture").closer) || Boolean(filtering());
    const node = row(id, { ...request, rows: [] }, open, () => {
      const title = button("", () => turn(id), { class: "washnb-plain washnb-key" });
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
    if (open) inside.push(...notes(request, here.length));
    return make("li", {}, node, make("div", { class: "washnb-inside" }, ...inside));
  }

  /** Open a request, or close it, and with it what was asked for. */
  function turn(id) {
    const request = model.get("picture").requests.find((each) => `${each.n}` === id);
    const open = at(id).getAttribute("aria-expanded") === "true";
    if (open) known.delete(request.n);
    else known.set(request.n, []);
    toggle(id);
    if (!open && !request.rows.length && request.passing) more(request);
  }

  /** What is said below the calls of a request: lines that no call wrote, and calls that are not here. */
  function notes(request, here) {
    const said = request.lines.map((line) => `logged: ${line}`);
    const others = request.calls - request.passing;
    if (others > 0) said.push(`and ${others} other calls`);
    if (request.dropped) said.push(`and ${request.dropped} more calls that were not kept`);
    const texts = said.map((text) => make("div", { class: "washnb-note" }, text));
    const rest = request.passing - here;
    if (rest <= 0) return texts;
    const asking = button(`show ${Math.min(rest, MOST)} of ${rest} more calls`, () => more(request), { class: "washnb-more" });
    return [make("div", { class: "washnb-note", "data-row": `${request.n} more` }, asking), ...texts];
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
    else at(focused.closest("[data-row]")?.dataset.row)?.focus(place);
  }

  /** Rows are many: arrows go from one to the next, Home and End to the first and the last; left and right close and open. */
  function go(event) {
    const all = [...list.querySelectorAll("[data-row] button")];
    const here = all.indexOf(event.target);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 }[event.key];
    const turned = { ArrowRight: "false", ArrowLeft: "true" }[event.key];
    if (here < 0 || (to === undefined && turned === undefined)) return;
    event.preventDefault(); // it does not scroll as well
    if (to !== undefined) all[to]?.focus();
    else if (event.target.getAttribute("aria-expanded") === turned) event.target.click();
  }
  list.addEventListener("keydown", go);

  /** Keep in sight what is there; at the end of the list, what comes: requests go at its beginning, and come at its end. */
  function staying(focused) {
    const frame = list.parentNode;
    const picture = model.get("picture");
    const came = picture !== drawn; // and not: somebody has opened or filtered something
    const begins = !drawn?.requests?.length;
    drawn = picture;
    const follows = came && !focused && (begins ? !picture.closer : frame.scrollTop + frame.clientHeight >= frame.scrollHeight - 8);
    const top = frame.getBoundingClientRect().top;
    const seen = [...list.querySelectorAll("[data-row]")].find((node) => node.getBoundingClientRect().bottom > top);
    const [id, place, scrolled] = [seen?.dataset.row, seen?.getBoundingClientRect().top, frame.scrollTop];
    return () => {
      frame.scrollTop = follows ? frame.scrollHeight : scrolled;
      const node = list.querySelector(`[data-row="${id}"]`);
      if (!follows && node) frame.scrollTop += node.getBoundingClientRect().top - place;
    };
  }

  /** What is said of requests that are not here, and of calls, where a filter has not seen them. */
  function before({ older, forgotten, requests }) {
    const calls = requests.reduce((sum, request) => sum + Math.max(0, request.passing - callsOf(request).length), 0);
    const unseen = [older && `${older} older requests`, calls && `${calls} calls`].filter(Boolean).join(" and ");
    if (filtering() && unseen) return `${unseen} are not here: %wash trace takes these filters, too, and looks further back`;
    const said = older ? [`and ${older} older request${older === 1 ? "" : "s"}`] : [];
    if (forgotten) said.push(`${forgotten} before ${older ? "these" : "that"} ${forgotten === 1 ? "is" : "are"} forgotten`);
    return said.join("; ");
  }

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
    for (const kept of [followed, known]) for (const n of kept.keys()) if (!there.has(n)) kept.delete(n);
    openOngoing(all);
    const top = all
      .filter((request) => !request.under.length || !there.has(request.under[0]))
      .filter((request) => !workload.value || request.workload === workload.value)
      .filter((request) => !filtering() || callsOf(request).some(passes) || whole(request));
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    const stay = staying(focused);
    list.replaceChildren(...top.map((request) => requestRow(request, all)));
    stay();
    if (focused) focusAgain(focused);
    follow();
    const rest = all.length ? before(picture) : picture.empty ?? "";
    write(empty, all.length && !top.length ? [NEITHER, rest].filter(Boolean).join("; ") : rest);
    empty.hidden = !empty.textContent;
  }
  return draw;
}
