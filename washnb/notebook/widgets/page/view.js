// The widget of a view. What Python says are traits: `kind`, `picture`, and what went wrong: `problem`, `trouble`.
// What the page asks are messages with a `ticket`, which the answer carries, too: see messages.py.

const VIEWS = { state: renderState, logs: renderLogs, blobs: renderBlobs, messages: renderMessages, trace: renderTrace, questions: renderQuestions };

/** Ask Python for something: `ask(wish, buffers)` is a promise of content and buffers, rejected with what went wrong. */
function asking(model) {
  const waiting = new Map();
  const mine = crypto.getRandomValues(new Uint32Array(2)).join("-"); // another page may show the same view
  let count = 0;
  const hear = (content, buffers) => {
    const { resolve, reject } = waiting.get(content.ticket) ?? {};
    waiting.delete(content.ticket);
    if (content.problem) reject?.(new Error(content.problem));
    else resolve?.({ content, buffers });
  };
  model.on("msg:custom", hear);
  const ask = (wish, buffers = []) =>
    new Promise((resolve, reject) => {
      const ticket = `${mine}-${count++}`;
      waiting.set(ticket, { resolve, reject });
      model.send({ ...wish, ticket }, undefined, buffers.map((bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)));
    });
  return [ask, () => model.off("msg:custom", hear)];
}

function render({ model, el }) {
  const root = make("section", { class: "washnb", "aria-label": model.get("picture").title ?? "" });
  const problems = ["problem", "trouble"].map((name) => [name, make("div", { class: "washnb-problem", role: "alert" })]);
  const [ask, silence] = asking(model);
  const draw = VIEWS[model.get("kind")](model, root, ask);
  const complain = () => problems.forEach(([name, node]) => write(node, model.get(name)));
  root.append(...problems.map(([, node]) => node));
  root.addEventListener("keydown", (event) => event.stopPropagation()); // typing here is no command to the notebook
  el.append(root);
  draw();
  complain();
  const heard = [["change:picture", draw], ["change:problem", complain], ["change:trouble", complain]];
  for (const [event, react] of heard) model.on(event, react);
  model.send({ do: "shown" });
  // the page soon has a way into the kernel that leads past a busy cell; the kernel must hear of it while it is idle
  const greetings = [300, 1000, 3000].map((delay) => setTimeout(() => model.send({ do: "here" }), delay));
  return () => {
    greetings.forEach(clearTimeout);
    for (const [event, react] of heard) model.off(event, react);
    silence();
    model.send({ do: "hidden" });
  };
}

export default { render };
