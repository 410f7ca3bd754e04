// The widget of a view. Python tells the page by traits: `kind`, `picture`, and errors in `problem` and `trouble`.
// The page asks Python by messages with a `ticket`, which the answer carries, too: see messages.py.

const VIEWS = { state: renderState, logs: renderLogs, blobs: renderBlobs, messages: renderMessages, trace: renderTrace, questions: renderQuestions };

const GONE = "the kernel of this view is gone: run its cell again";
const AGAIN = [150, 400, 900, 1800, 3500]; // milliseconds

/**
 * Ask Python for something: `ask(wish, buffers)` is a promise of content and buffers, rejected with what went wrong.
 *
 * What must be heard while a cell runs, `insist(wish)` says again: a page that is new has no way past the cell at first.
 */
function asking(model) {
  const waiting = new Map();
  const mine = crypto.getRandomValues(new Uint32Array(2)).join("-"); // the name of this page: another one may show the same view
  let count = 0;
  const hear = (content, buffers) => {
    const { resolve, reject, timers } = waiting.get(content.ticket) ?? {};
    timers?.forEach(clearTimeout);
    waiting.delete(content.ticket);
    if (content.problem) reject?.(new Error(content.problem));
    else resolve?.({ content, buffers });
  };
  model.on("msg:custom", hear);
  const send = (wish, buffers, again) =>
    new Promise((resolve, reject) => {
      const said = { ...wish, ticket: `${mine}-${count++}` };
      const copies = buffers.map((bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      const say = () => {
        try {
          model.send(said, undefined, copies);
        } catch {
          reject(new Error(GONE));
        }
      };
      waiting.set(said.ticket, { resolve, reject, timers: again.map((delay) => setTimeout(say, delay)) });
      say();
    });
  const ask = (wish, buffers = []) => send(wish, buffers, []);
  ask.insist = (wish) => send(wish, [], AGAIN).catch(() => {});
  const silence = () => {
    for (const { timers } of waiting.values()) timers.forEach(clearTimeout);
    model.off("msg:custom", hear);
    send({ do: "hidden", page: mine }, [], []).catch(() => {});
  };
  const arrive = () => send({ do: "shown", page: mine }, [], AGAIN);
  return [ask, arrive, silence];
}

function render({ model, el }) {
  const root = make("section", { class: "washnb", "aria-label": model.get("picture").title ?? "" });
  const problems = ["problem", "trouble"].map((name) => [name, make("div", { class: "washnb-problem", role: "alert" })]);
  const [ask, arrive, silence] = asking(model);
  const draw = VIEWS[model.get("kind")](model, root, ask);
  const complain = () => problems.forEach(([name, node]) => write(node, model.get(name)));
  root.append(...problems.map(([, node]) => node));
  root.addEventListener("keydown", (event) => event.stopPropagation()); // the notebook takes no key typed here for a command
  el.append(root);
  draw();
  complain();
  const gone = (why) => {
    for (const part of root.children) part.inert = why && !part.matches(".washnb-problem");
    write(problems[1][1], why || model.get("trouble"));
  };
  const look = () => arrive().then(() => gone(""), (error) => gone(error.message));
  look();
  const heard = [["comm_live_update", look], ["change:picture", draw], ["change:problem", complain], ["change:trouble", complain]];
  for (const [event, react] of heard) model.on(event, react);
  return () => {
    for (const [event, react] of heard) model.off(event, react);
    silence();
    draw.left?.();
  };
}

export default { render };
