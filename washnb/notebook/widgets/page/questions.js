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
    const answer = async (text) => {
      write(complaint, "");
      buttons.disabled = true;
      try {
        await ask({ do: "answer", key }, [encoded(text)]);
      } catch (error) {
        write(complaint, error.message);
        buttons.disabled = false;
      }
    };
    const text = make("textarea", { "aria-label": `answer: ${question.type}`, rows: "1", spellcheck: "false" });
    text.value = question.examples[0] ?? "";
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        answer(text.value);
      }
    });
    const offers = (names, label, choose) => {
      const select = make("select", { "aria-label": label, onchange: () => choose(select.value) });
      choices(select, names.map((name) => [name, name || "(no payload)"]));
      return select;
    };
    const example = offers(question.examples, "examples", (chosen) => {
      text.value = chosen;
      text.focus();
    });
    example.hidden = question.examples.length < 2;
    const error = make("input", { "aria-label": "error", value: question.errors[0] ?? "" });
    const errors = offers(question.errors, "errors", (chosen) => (error.value = chosen));
    const raising = make(
      "span",
      { hidden: question.errors.length === 0 },
      errors, error, button("Raise error", () => answer(`error ${error.value}`)),
    );
    const buttons = make(
      "fieldset",
      {},
      make("div", {}, example, text, button("Answer", () => answer(text.value), { title: "Enter" })),
      raising,
      button("Pass on", () => answer("pass"), { hidden: !question.others, title: "let the plugin answer" }),
      button("Deny", () => answer("deny")),
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
