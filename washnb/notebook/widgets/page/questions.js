// Calls that wait for an answer: each is a form, and goes when it is answered, here or elsewhere.

function renderQuestions(model, root, ask) {
  const [head, writeHead] = headOf();
  const list = make("ol", { class: "washnb-questions" });
  const spoken = make("div", { class: "washnb-spoken", role: "status" });
  const empty = make("div", { class: "washnb-empty" });
  const forms = new Map();
  const [lead, leave] = focusOf(root);
  root.append(head, list, empty, spoken);

  const update = (question) => {
    if (!forms.has(question.number)) forms.set(question.number, questionForm(question, ask));
    const [, place] = forms.get(question.number);
    if (!place(question.elsewhere)) return;
    ask.insist({ do: "seen", key: String(question.number) });
    write(spoken, `${question.workload} waits for an answer: ${question.call}`);
  };

  const draw = () => {
    const picture = model.get("picture");
    const questions = picture.questions ?? [];
    const there = new Set(questions.map(({ number }) => number));
    for (const number of [...forms.keys()]) if (!there.has(number)) forms.delete(number);
    questions.forEach(update);
    arrange(list, questions.map(({ number }) => forms.get(number)[0]));
    writeHead(picture);
    write(empty, picture.empty ?? "");
    empty.hidden = questions.length > 0;
    root.hidden = picture.in_cell && !questions.length; // it comes and goes with what waits there
    lead(picture.in_cell);
  };
  draw.left = leave;
  return draw;
}

/** The form of a call, and a function that says where else it is asked; it returns whether that is now here. */
function questionForm(question, ask) {
  const key = String(question.number);
  const complaint = make("span", { class: "washnb-complaint", role: "alert" });
  const answer = async (read) => {
    write(complaint, "");
    const at = document.activeElement;
    const late = setTimeout(() => write(complaint, NOT_HEARD), 4000);
    try {
      const text = read();
      buttons.disabled = true;
      await ask({ do: "answer", key }, [encoded(text)]);
    } catch (error) {
      write(complaint, error.message);
      if (buttons.disabled) {
        buttons.disabled = false;
        at?.focus();
      }
    } finally {
      clearTimeout(late);
    }
  };
  const nothing = () => [make("span", { class: "washnb-note" }, "without a value"), () => ""];
  const [result, readResult, how] = question.form ? answerForm(question) : [...nothing(), ""];
  const [error, readError] = question.error ? typedForm(question.error, "error") : nothing();
  const give = () => answer(readResult);
  const raise = () => answer(() => `raise ${readError()}`);
  const buttons = make(
    "fieldset",
    { "aria-label": `${question.workload} waits for ${question.call}`, oninput: () => write(complaint, "") },
    make("span", { "aria-hidden": "true" }, "result"),
    make("div", { onkeydown: onEnter(give) }, result, button("Answer", give, { title: "Enter" }), how),
    make("span", { "aria-hidden": "true", hidden: !question.raises }, "error"),
    make("div", { hidden: !question.raises, onkeydown: onEnter(raise) }, error, button("Raise error", raise)),
    make(
      "div",
      {},
      button("Pass on", () => answer(() => "pass"), { hidden: !question.others, title: "let the plugin answer" }),
      button("Deny", () => answer(() => "deny"), { title: "refuse the call: the guest gets the interface's own access-denied, or ends" }),
    ),
  );
  const argument = ([name, value]) => [make("dt", {}, name), make("dd", {}, value)];
  const elsewhere = make("span", { class: "washnb-note" });
  const summary = make("summary", {}, make("b", {}, question.workload), " calls ", make("code", {}, question.name), ` of ${question.interface}`, elsewhere);
  const details = make(
    "details",
    {},
    summary,
    make("code", {}, question.wit),
    make("dl", { hidden: !question.arguments.length }, ...question.arguments.flatMap(argument)),
    buttons,
    complaint,
  );
  let place;
  return [
    make("li", {}, details),
    (now) => {
      if (now === place) return false;
      place = now;
      write(elsewhere, now && ` · ${now}`);
      details.open = !now;
      return !now;
    },
  ];
}

const NOT_HEARD = "the kernel has not answered yet: it is busy, or it is another one by now";

/**
 * Who takes the focus: a form that comes into the cell that waits, unless somebody is typing elsewhere, and the next one
 * after an answer. After the last one it goes back to where it was.
 */
function focusOf(root) {
  let inside = false;
  let before = null;
  root.addEventListener("focusin", (event) => {
    if (!inside && event.relatedTarget) before = event.relatedTarget;
    inside = true;
  });
  root.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !root.contains(event.relatedTarget)) inside = false;
  });
  const take = (calls) => {
    const at = document.activeElement;
    if (root.contains(at) && !at.disabled && !at.closest("fieldset:disabled")) return;
    if (at && at !== document.body && !root.contains(at) && isBusy(at)) return;
    const field = root.querySelector("details[open] fieldset:enabled :is(input, select, textarea, button):not([hidden] *, [hidden])");
    if (field && (inside || calls)) {
      before ??= at === document.body ? null : at;
      field.focus();
      if (field.matches("input:not([type='checkbox'])")) field.select();
    } else if (!field) leave();
  };
  const leave = () => {
    if (inside && before?.isConnected) before.focus({ preventScroll: true });
    inside = false;
    before = null;
  };
  const lead = (calls) => {
    if (root.getClientRects().length) take(calls);
    else if (calls || inside) {
      const coming = new ResizeObserver(() => {
        if (!root.getClientRects().length && !root.hidden) return;
        coming.disconnect();
        take(calls);
      });
      coming.observe(root);
    }
  };
  return [lead, leave];
}

/** Whether somebody does something else where the focus is: not so in an empty cell, as is made below the last one. */
function isBusy(node) {
  const typing = node.matches("input, textarea, select, [contenteditable='true']");
  const fresh = node.matches(".cm-content") && !node.textContent.trim();
  return (typing && !fresh) || !node.closest(".jp-NotebookPanel");
}

/** The form of an answer, how it is read, and a switch to the expression that it stands for, which can be any other, too. */
function answerForm({ form, type, examples }) {
  const [fields, read] = typedForm(form, "answer");
  if (form.kind === "expression") return [fields, read, ""];
  const text = make("textarea", { "aria-label": `answer: ${type}`, rows: "1", spellcheck: "false" });
  const example = make("select", { "aria-label": "examples" });
  choices(example, examples.map((each) => [each, each]));
  const typed = make("input", { type: "checkbox", role: "switch" });
  typed.addEventListener("change", () => {
    if (typed.checked) text.value = readOr(read, examples[0] ?? "");
    show();
    (typed.checked ? text : typed).focus();
  });
  example.addEventListener("change", () => {
    text.value = example.value;
    text.focus();
  });
  const show = () => {
    fields.hidden = typed.checked;
    text.hidden = !typed.checked;
    example.hidden = !typed.checked || examples.length < 2;
  };
  show();
  const node = make("div", { class: "washnb-typed" }, fields, example, text);
  return [node, () => (typed.checked ? text.value : read()), make("label", {}, typed, "as an expression")];
}

function readOr(read, otherwise) {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** Do something at Enter in a field; with Shift it begins a line. */
function onEnter(act) {
  return (event) => {
    const field = event.target.matches("textarea, input:not([type='checkbox'])");
    if (event.key !== "Enter" || event.shiftKey || !field) return;
    event.preventDefault();
    act();
  };
}
