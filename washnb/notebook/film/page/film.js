// The border film: guests on one side, the host with its plugins on the other, and what crossed between them.
// All that a guest wrote comes from the JSON of the page and is put in as text, never as markup.

const reel = JSON.parse(document.getElementById("reel").textContent);
const { requests, frames } = reel;
const OUTSIDE = "requests and messages";
const FAULT = "fault";
// Shape and colour say the same, so that each is enough.
const MARKS = { ok: "●", failed: "✕", denied: "⊘", injected: "⚡" };
const MEANINGS = { ok: "answered", failed: "failed", denied: "denied", injected: "injected by a fault" };

function button(text, label, onclick) {
  return make("button", { type: "button", title: label, "aria-label": label, onclick }, text);
}

function mark(outcome) {
  return make("span", { class: `mark ${outcome}`, role: "img", "aria-label": MEANINGS[outcome] }, MARKS[outcome]);
}

/** Seconds in the unit that people would choose. */
function time(seconds) {
  if (seconds < 1e-3) return `${Math.round(seconds * 1e6)} µs`;
  return seconds < 1 ? `${(seconds * 1e3).toFixed(1)} ms` : `${seconds.toFixed(2)} s`;
}

const count = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
const plainName = (name) => name.split("@")[0];
const requestOf = (frame) => requests[frame.request];
const askedOf = (request) => request.title.split("  ")[0];
const endOf = (request) => request.title.split("  ").slice(1).join("  ") || "done";
const isCall = (frame) => frame.kind === "call";
const isBegin = (frame) => frame.kind === "begin";
const isTrouble = (frame) => outcomeOf(frame) !== "ok";

/** How a frame ended: a call by its outcome, an answer by whether the request failed, or a fault had a hand in it. */
function outcomeOf(frame) {
  if (isCall(frame)) return frame.outcome;
  if (frame.kind !== "end") return "ok";
  return requestOf(frame).failed ? "failed" : requestOf(frame).injected ? "injected" : "ok";
}

/** What a fault did to a call of an export: it came from outside, and crossed no border of the guest's. */
const isMet = (call) => call.provider === FAULT;
const injectedOf = (request) => (request.injected ? `, ⚡ ${request.injected} injected` : "");

/** What a frame shows, in a sentence. */
function sentence(frame) {
  if (frame.kind === "outside") return "State is changed from outside: no call of a guest that was traced.";
  const request = requestOf(frame);
  if (frame.kind === "begin") return `Begins: ${askedOf(request)}, to ${request.workload || "nobody"}`;
  if (frame.kind === "end") return `Ends: ${request.title}, after ${time(request.took)}, with ${count(request.calls, "host call")}${injectedOf(request)}`;
  if (isMet(callOf(frame))) return `A fault meets the call of ${request.workload}, ${plainName(callOf(frame).interface)} ${callOf(frame).asked}: ${callOf(frame).injected}`;
  if (frame.kind === "back") return `Comes back: ${callOf(frame).asked} of ${request.workload}`;
  const ending = frame.outcome === "ok" ? "" : `, ${MEANINGS[frame.outcome]}`;
  return `${request.workload} calls ${plainName(frame.interface)} ${frame.asked} of ${frame.provider}${ending}`;
}

const calls = new Map(frames.filter(isCall).map((frame) => [`${frame.request} ${frame.n}`, frame]));
const callOf = (frame) => (isCall(frame) ? frame : calls.get(`${frame.request} ${frame.n}`));
/** Whether the answer is there at this frame: a call that something else interrupts comes back in a frame of its own. */
const answered = (frame) => frame.kind === "back" || frame.whole;

// ---- the state of the backends -------------------------------------------------------------------------------------

/** The state after frame `at`, as far as the film shows it: place to text. What a call changed is there at its return. */
function stateAt(at) {
  const state = new Map();
  for (const [index, frame] of frames.slice(0, at + 1).entries()) {
    if (isCall(frame) && !frame.whole) continue;
    for (const change of (frame.kind === "back" ? callOf(frame) : frame).changes ?? []) {
      const place = [change.plugin, change.workload, change.path.join(" / ")];
      const gone = change.action === "delete";
      state.set(place.join("\n"), { place, gone, now: index === at, before: change.before, after: change.after });
    }
  }
  return [...state.values()].filter((each) => !each.gone || each.now);
}

// ---- the stage -----------------------------------------------------------------------------------------------------

const guests = new Map();
const hosts = new Map();

function box(lane, boxes, name, note) {
  const node = make("div", { class: "box" }, make("strong", {}, name), make("small", {}, note));
  boxes.set(name, node);
  lane.append(node);
}

const guestLane = make("div", { class: "lane" }, make("h2", {}, "guests"));
const hostLane = make("div", { class: "lane" }, make("h2", {}, "host"));
for (const name of new Set(requests.map((request) => request.workload || "nobody"))) box(guestLane, guests, name, "");
box(hostLane, hosts, OUTSIDE, "from outside");
const NOTES = { wasi: "the host's own", nobody: "serves it", [FAULT]: "set on an export" };
const last = (name) => (name === "nobody" ? "~" : name);
for (const name of [...new Set(frames.filter(isCall).map((frame) => frame.provider))].sort((one, other) => (last(one) < last(other) ? -1 : 1)))
  box(hostLane, hosts, name, NOTES[name] ?? "plugin");

const arrows = make("svg", { class: "arrows", "aria-hidden": "true" });
const there = make("div", { class: "label there" });
const back = make("div", { class: "label back" });
const border = make("div", { class: "crossing" }, make("div", { class: "border" }, make("span", {}, "border")), arrows, there, back);
const stage = make("section", { class: "stage", "aria-label": "stage" }, guestLane, border, hostLane);

/** Draw an arrow between two boxes, from the right edge of a guest to the left edge of the host's box or back. */
function arrow(from, to, outcome, shift) {
  const area = border.getBoundingClientRect();
  const middle = (node) => {
    const { top, height } = node.getBoundingClientRect();
    return top + height / 2 - area.top + shift;
  };
  const rightwards = guestLane.contains(from);
  const [start, end] = rightwards ? [2, area.width - 12] : [area.width - 2, 12];
  const [y, z] = [middle(from), middle(to)];
  const bend = area.width / 2;
  const path = make("path", { class: `line ${outcome}`, d: `M ${start} ${y} C ${bend} ${y}, ${bend} ${z}, ${end} ${z}`, pathLength: "1" });
  const point = rightwards ? -9 : 9;
  const head = make("path", { class: `head ${outcome}`, d: `M ${end + (rightwards ? 9 : -9)} ${z} l ${point} -6 v 12 z` });
  arrows.append(path, head);
  return (y + z) / 2;
}

/** Put a label above or below the middle of its arrow, and inside of the stage. */
function put(label, y, above, ...content) {
  label.replaceChildren(...content);
  const wanted = above ? y - label.offsetHeight - 6 : y + 6;
  label.style.top = `${Math.max(0, Math.min(wanted, border.clientHeight - label.offsetHeight))}px`;
}

function drawStage(frame) {
  arrows.replaceChildren();
  for (const node of [...guests.values(), ...hosts.values()]) node.classList.remove("active");
  for (const label of [there, back]) label.replaceChildren();
  if (frame.kind === "outside") {
    hosts.get(OUTSIDE).classList.add("active");
    return;
  }
  const request = requestOf(frame);
  const guest = guests.get(request.workload || "nobody");
  const call = callOf(frame);
  const host = hosts.get(call ? call.provider : OUTSIDE);
  guest.classList.add("active");
  host.classList.add("active");
  const outcome = outcomeOf(call ?? frame);
  if (!call) {
    const begins = frame.kind === "begin";
    const y = begins ? arrow(host, guest, outcome, 0) : arrow(guest, host, outcome, 0);
    put(there, y, true, mark(outcome), " ", begins ? askedOf(request) : endOf(request));
    return;
  }
  const [from, to] = isMet(call) ? [host, guest] : [guest, host];
  put(there, arrow(from, to, "ok", -7), true, make("small", {}, plainName(call.interface)), call.asked);
  if (!answered(frame)) return;
  const answer = call.answer || (outcome === "ok" ? "returned" : MEANINGS[outcome]);
  put(back, arrow(to, from, outcome, 7), false, mark(outcome), " ", answer);
}

// ---- what is said of the frame: values, state, and the list of all frames -------------------------------------------

const said = make("p", { class: "said", "aria-live": "polite", "aria-atomic": "true" });
const values = make("div", { class: "values" });
const state = make("div", { class: "state" });

function row(name, ...content) {
  return make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, ...content));
}

function drawValues(frame) {
  const call = callOf(frame);
  const rows = [];
  if (call) {
    rows.push(row("interface", call.interface), row("function", call.function));
    for (const [name, value] of call.values) rows.push(row(name, make("code", {}, value)));
    if (answered(frame)) rows.push(row(call.error ? "error" : "result", mark(call.outcome), " ", make("code", {}, call.result || "nothing")));
    if (call.injected) rows.push(row("fault", call.injected));
    rows.push(row("served by", call.provider), row("took", time(call.took)));
    if (call.held) rows.push(row("held", `${time(call.held)} in slow motion`));
    for (const line of call.lines) rows.push(row("logged", make("code", {}, line)));
  } else if (frame.kind !== "outside") {
    const request = requestOf(frame);
    rows.push(row("request", request.title), row("took", time(request.took)), row("host calls", `${request.calls}${injectedOf(request)}`));
    rows.push(row("of that", `${time(request.guest)} in the guest, ${time(request.host)} in the host, ${time(request.waiting)} waiting`));
    if (request.error) rows.push(row("error", mark("failed"), " ", request.error));
    for (const line of request.lines) rows.push(row("logged", make("code", {}, line)));
  }
  values.replaceChildren(make("h2", {}, "values"), make("table", {}, make("tbody", {}, ...rows)));
}

function drawState(at) {
  const known = stateAt(at);
  const rows = known.map(({ place, gone, now, before, after }) => {
    const value = gone ? make("del", {}, before ?? "deleted") : make("code", {}, after ?? "changed");
    const old = now && !gone && before !== null ? [make("del", {}, before), " → "] : [];
    const [plugin, workload, path] = place;
    return make("tr", { class: now ? "now" : "" }, make("th", { scope: "row" }, path, make("small", {}, `${plugin} of ${workload}`)), make("td", {}, ...old, value));
  });
  const empty = make("p", { class: "quiet" }, "nothing has changed yet");
  state.replaceChildren(make("h2", {}, "state of backends"), known.length ? make("table", {}, make("tbody", {}, ...rows)) : empty);
}

const list = make("ol", { class: "frames", tabindex: "-1" });
const rows = frames.map((frame, index) => {
  const inside = isCall(frame) || frame.kind === "back";
  const text = inside ? callOf(frame).asked : frame.kind === "outside" ? "changed from outside" : isBegin(frame) ? askedOf(requestOf(frame)) : requestOf(frame).title;
  const shown = make(
    "button",
    { type: "button", class: inside ? "call" : "request", onclick: () => show(index) },
    mark(outcomeOf(frame.kind === "back" ? callOf(frame) : frame)),
    make("span", {}, frame.kind === "end" ? `end of ${text}${injectedOf(requestOf(frame))}` : frame.kind === "back" ? `… ${text} is back` : text),
    make("small", {}, isCall(frame) ? frame.provider : ""),
  );
  const item = make("li", {}, shown);
  list.append(item);
  return item;
});

// ---- moving through it ------------------------------------------------------------------------------------------------

let now = 0;
let timer = null;
let hidden = () => false;

const scrubber = make("input", { type: "range", min: "0", max: String(Math.max(0, frames.length - 1)), value: "0", "aria-label": "frame", oninput: () => show(Number(scrubber.value), false) });
const place = make("output", { class: "place" });
const play = button("▶", "play (space)", () => (timer ? pause() : start()));
const speed = make("select", { "aria-label": "speed" }, ...["0.25", "0.5", "1", "2", "4"].map((each) => make("option", { value: each }, `${each}×`)));
speed.value = "1";
const onlyPlugins = make("input", { type: "checkbox", onchange: () => filter() });

/** Go `step` frames on, past those that are hidden and those that `wanted` refuses; where there is none, stay. */
function go(step, wanted = () => true) {
  let next = now + step;
  while (next >= 0 && next < frames.length && (hidden(frames[next]) || !wanted(frames[next]))) next += step;
  if (next >= 0 && next < frames.length) show(next);
  else pause();
}

const edge = (at, step) => {
  now = at;
  go(step);
};

function show(index, keepsPlaying = timer !== null) {
  if (!keepsPlaying) pause();
  now = index;
  const frame = frames[now];
  scrubber.value = String(now);
  scrubber.setAttribute("aria-valuetext", `frame ${now + 1} of ${frames.length}: ${sentence(frame)}`);
  place.textContent = `${now + 1} of ${frames.length}  ·  ${time(frame.at)}`;
  said.replaceChildren(mark(outcomeOf(frame)), " ", sentence(frame));
  drawStage(frame);
  drawValues(frame);
  drawState(now);
  for (const each of list.querySelectorAll("[aria-current]")) each.removeAttribute("aria-current");
  rows[now].firstChild.setAttribute("aria-current", "step");
  list.scrollTop = rows[now].offsetTop - list.clientHeight / 2;
}

function start() {
  if (now >= frames.length - 1) now = -1; // once more, from the beginning
  said.setAttribute("aria-live", "off"); // it would never come to the end of a sentence
  const next = () => {
    timer = setTimeout(next, 900 / Number(speed.value));
    go(1);
  };
  timer = setTimeout(next, 0);
  play.textContent = "❚❚";
  play.setAttribute("aria-label", "pause (space)");
}

function pause() {
  clearTimeout(timer);
  timer = null;
  said.setAttribute("aria-live", "polite");
  play.textContent = "▶";
  play.setAttribute("aria-label", "play (space)");
}

function filter() {
  hidden = onlyPlugins.checked ? (frame) => callOf(frame)?.provider === "wasi" : () => false;
  rows.forEach((item, index) => (item.hidden = hidden(frames[index])));
  show(now);
}

/** Where in the film something went wrong: marks above the scrubber. */
function troubleMarks() {
  const strip = make("div", { class: "strip", "aria-hidden": "true" });
  for (const [index, frame] of frames.entries()) {
    if (!isTrouble(frame) || strip.childElementCount >= 300) continue;
    const one = mark(outcomeOf(frame));
    one.style.left = `${(100 * index) / Math.max(1, frames.length - 1)}%`;
    strip.append(one);
  }
  return strip;
}

const KEYS = {
  " ": () => play.click(),
  ArrowRight: () => go(1),
  ArrowLeft: () => go(-1),
  ArrowDown: () => go(1, isBegin),
  ArrowUp: () => go(-1, isBegin),
  Home: () => edge(-1, 1),
  End: () => edge(frames.length, -1),
  n: () => go(1, isTrouble),
  p: () => go(-1, isTrouble),
};

document.addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, input[type=checkbox]")) return;
  if (event.key === " " && event.target.closest("button")) return; // it presses that button
  event.preventDefault();
  if (event.key !== " ") pause();
  act();
});

function summary() {
  const left = reel.left_out;
  const parts = [new Date(reel.begun * 1000).toLocaleString(), count(requests.length, "request"), count(reel.calls, "host call")];
  const missing = [left.requests && count(left.requests, "older request"), left.calls && count(left.calls, "call")].filter(Boolean);
  if (missing.length) parts.push(`left out: ${missing.join(", ")}`);
  return parts.join("  ·  ");
}

const legend = make("span", { class: "legend" }, ...Object.keys(MARKS).map((outcome) => make("span", {}, mark(outcome), ` ${MEANINGS[outcome]}`)));
const controls = make(
  "div",
  { class: "controls", role: "toolbar", "aria-label": "controls" },
  button("|◀", "to the beginning (Home)", () => edge(-1, 1)),
  button("⇤", "request before (arrow up)", () => go(-1, isBegin)),
  button("◀", "step back (arrow left)", () => go(-1)),
  play,
  button("▶|", "step (arrow right)", () => go(1)),
  button("⇥", "next request (arrow down)", () => go(1, isBegin)),
  button("⚠", "next that failed, was denied or injected (n)", () => go(1, isTrouble)),
  make("label", {}, "speed", speed),
  make("label", {}, onlyPlugins, "plugins only"),
  place,
);

const main = document.getElementById("film");
main.append(make("header", {}, make("h1", {}, "border film"), make("span", { class: "quiet" }, summary()), legend));
if (frames.length) {
  main.append(stage, said, make("div", { class: "track" }, troubleMarks(), scrubber), controls, make("div", { class: "below" }, list, values, state));
  show(0);
  new ResizeObserver(() => drawStage(frames[now])).observe(stage);
} else main.append(make("p", { class: "quiet" }, "Nothing crossed the border: the trace was empty."));
