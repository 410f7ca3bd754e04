// Messages: a list that follows, filtered by subject, and a form that sends.

// The outcomes of messages: shape and colour say the same, so that either is enough.
const SHAPES = { handled: "●", sent: "→", heard: "○", nobody: "△", failed: "✕" };

function renderMessages(model, root, ask) {
  const filter = make("input", {
    type: "search",
    placeholder: "orders.*, orders.>",
    "aria-label": "filter by subject",
    oninput: () => draw(true),
  });
  const list = growingList("messages");
  const [head, writeHead] = headOf(filter, list.follow);
  const empty = make("div", { class: "washnb-empty" });
  const subject = make("input", { "aria-label": "subject", placeholder: "subject" });
  const body = make("input", { "aria-label": "body", placeholder: "body" });
  const answer = make("div", { class: "washnb-answer", role: "status" });
  const send = async (how) => {
    if (!subject.value) return;
    write(answer, how === "request" ? "waiting for a reply ..." : "");
    try {
      const { content } = await ask({ do: how, key: subject.value }, [encoded(body.value)]);
      write(answer, content.text ?? "");
      body.value = "";
    } catch {
      write(answer, "");
    }
    body.focus();
  };
  const footer = make(
    "form",
    {
      onsubmit: (event) => {
        event.preventDefault();
        send("publish");
      },
    },
    subject, body, make("button", {}, "Publish"),
    button("Request", () => send("request"), { title: "publish, and wait for a reply" }),
  );
  root.append(head, list.scroll, empty, footer, answer);

  function item(message) {
    const meaning = model.get("picture").outcomes[message.state];
    const reply = button("Reply", () => {
      subject.value = message.reply_to;
      body.focus();
    });
    return make(
      "li",
      { "data-state": message.state },
      clock(message.time),
      make("span", { class: "washnb-mark", title: meaning, role: "img", "aria-label": meaning }, SHAPES[message.state]),
      make("span", { class: "washnb-subject" }, message.subject),
      make("span", { class: "washnb-component" }, message.who),
      make("span", { class: "washnb-message" }, message.text, ...(message.reply_to ? [" ", reply] : [])),
      ...(message.error ? [make("span", { class: "washnb-error" }, message.error)] : []),
    );
  }

  function draw(anew) {
    const picture = model.get("picture");
    const all = picture.messages ?? [];
    const passing = all.filter((message) => matches(filter.value.trim(), message.subject));
    list.show(passing, item, anew);
    filter.placeholder = picture.subject ? `filter within ${picture.subject}` : "orders.*, orders.>";
    writeHead(picture);
    footer.hidden = !picture.sends;
    write(empty, all.length ? "no subject passes the filter" : picture.empty ?? "");
    empty.hidden = passing.length > 0;
  }
  return () => draw(false);
}

/** Whether NATS would deliver a subject to this filter; a filter that is still being typed matches as a prefix. */
function matches(filter, subject) {
  if (!filter) return true;
  if (!/[*>]/.test(filter)) return subject.startsWith(filter);
  const wanted = filter.split(".");
  const tokens = subject.split(".");
  if (wanted.at(-1) === ">") return tokens.length >= wanted.length && fits(wanted.slice(0, -1), tokens);
  return tokens.length === wanted.length && fits(wanted, tokens);
}

const fits = (wanted, tokens) => wanted.every((token, at) => token === "*" || token === tokens[at]);
