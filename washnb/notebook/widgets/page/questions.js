// Calls that wait for an answer: each is a form, and goes when it is answered, here or elsewhere.

function renderQuestions(model, root, ask) {
  const [head, writeHead] = headOf();
  const list = make("ol", { class: "washnb-questions", "aria-live": "polite" });
  const empty = make("div", { class: "washnb-empty" });
  const forms = new Map();
  root.append(head, list, empty);

  function form(question) {
    const key = String(question.number);
    const complaint = make("span", { class: "washnb-complaint", role: "alert" });
    const answer = async (read) => {
      write(complaint, "");
      try {
        const text = read();
        buttons.disabled = true;
        await ask({ do: "answer", key }, [encoded(text)]);
      } catch (error) {
        write(complaint, error.message);
        buttons.disabled = false;
      }
    };
    const [result, readResult] = question.form ? answerForm(question) : ["", () => ""];
    const [error, readError] = question.error ? typedForm(question.error, "error") : ["", () => ""];
    const give = () => answer(readResult);
    const raise = () => answer(() => `raise ${readError()}`);
    const buttons = make(
      "fieldset",
      {},
      make("div", { onkeydown: onEnter(give) }, result, button("Answer", give, { title: "Enter" })),
      make("div", { hidden: !question.raises, onkeydown: onEnter(raise) }, error, button("Raise error", raise)),
      button("Pass on", () => answer(() => "pass"), { hidden: !question.others, title: "let the plugin answer" }),
      button("Deny", () => answer(() => "deny")),
    );
    const argument = ([name, value]) => [make("dt", {}, name), make("dd", {}, value)];
    return make(
      "li",
      {},
      make("div", {}, make("b", {}, question.workload), ` calls ${question.interface}`),
      make("code", {}, question.wit),
      make("dl", {}, ...question.arguments.flatMap(argument)),
      buttons,
      complaint,
    );
  }

  return () => {
    const picture = model.get("picture");
    const questions = picture.questions ?? [];
    const there = new Set(questions.map(({ number }) => number));
    for (const number of [...forms.keys()]) if (!there.has(number)) forms.delete(number);
    for (const question of questions) {
      if (forms.has(question.number)) continue;
      forms.set(question.number, form(question));
      model.send({ do: "seen", key: String(question.number) });
    }
    arrange(list, questions.map(({ number }) => forms.get(number)));
    writeHead(picture);
    write(empty, picture.empty ?? "");
    empty.hidden = questions.length > 0;
  };
}

/** The form of an answer, with a switch to the expression that it stands for, which can be any other one, too. */
function answerForm({ form, type, examples }) {
  const [fields, read] = typedForm(form, "answer");
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
  const node = make("div", { class: "washnb-typed" }, fields, example, text, make("label", {}, typed, "as an expression"));
  return [node, () => (typed.checked ? text.value : read())];
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
