// Key-value and config: values that can be edited, in the form that the person likes.

class ValueRow extends Row {
  update(entry, fresh) {
    const changed = super.update(entry, fresh);
    if (changed && this.panel && !this.dirty) this.fill();
    return changed;
  }

  /** The bytes of the value; for a value that the picture has whole, and does not hide. */
  bytes() {
    return fromBase64(this.entry.bytes);
  }

  fill() {
    const { whole, secret, text } = this.entry;
    this.text.value = secret ? "" : whole ? FORMS[this.form.value].show(this.bytes()) : text;
  }

  open() {
    const { key, form, forms, whole, secret } = this.entry;
    this.dirty = false;
    this.text = make("textarea", {
      "aria-label": `value of ${key}`,
      readonly: !whole,
      placeholder: secret ? "a new value; the present one is not shown" : "",
      oninput: () => (this.dirty = true),
      onkeydown: (event) => {
        if (event.key === "Escape") this.toggle();
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && whole) this.save();
      },
    });
    this.form = formChoice(forms, `form of ${key}`, () => this.changeForm(), secret || !whole ? undefined : this.bytes());
    this.form.value = form;
    if (!this.form.value) this.form.selectedIndex = 0;
    this.shownForm = this.form.value;
    this.form.hidden = !whole;
    this.complaint = make("span", { class: "washnb-complaint", role: "alert" });
    this.fill();
    const buttons = make(
      "div",
      {},
      this.form,
      button("Save", () => this.save(), { disabled: !whole, title: "Ctrl+Enter" }),
      sureButton("Delete", () => this.ask({ do: "delete", group: this.group, key }).catch(() => {})),
      this.complaint,
      ...(whole ? [] : [make("span", { class: "washnb-note" }, "too long to be edited here")]),
    );
    return [this.text, buttons];
  }

  opened() {
    this.text.rows = Math.min(14, Math.max(2, this.text.value.split("\n").length));
    this.text.focus();
    this.text.setSelectionRange(0, 0);
  }

  /** Read the bytes from the editor; text that does not have the form is reported, and undefined is returned. */
  read(form) {
    try {
      write(this.complaint, "");
      return FORMS[form].read(this.text.value);
    } catch (error) {
      write(this.complaint, error.message);
      return undefined;
    }
  }

  /** Show the same value, or the text that is being typed, in another form. */
  changeForm() {
    const typed = this.dirty ? this.read(this.shownForm) : this.entry.secret ? undefined : this.bytes();
    if (this.dirty && typed === undefined) this.form.value = this.shownForm;
    else if (typed !== undefined) {
      try {
        this.text.value = FORMS[this.form.value].show(typed);
      } catch (error) {
        write(this.complaint, error.message);
        this.form.value = this.shownForm;
      }
    }
    this.shownForm = this.form.value;
    this.text.focus();
  }

  /** Save the text that was typed, if any was. */
  save() {
    const value = this.dirty ? this.read(this.form.value) : undefined;
    if (this.dirty && value === undefined) return;
    const typed = this.text.value;
    this.dirty = false;
    this.toggle();
    if (value === undefined) return;
    this.ask({ do: "set", group: this.group, key: this.entry.key }, [value]).catch(() => this.reopen(typed));
  }

  /** Put the text that could not be saved back into the editor. */
  reopen(typed) {
    if (!this.panel) this.toggle();
    this.text.value = typed;
    this.dirty = true;
  }
}

function renderState(model, root, ask) {
  const group = make("input", { "aria-label": "bucket", placeholder: "bucket" });
  const key = make("input", { "aria-label": "key", placeholder: "key" });
  const value = make("input", { "aria-label": "value", placeholder: "value" });
  const form = formChoice(model.get("picture").forms ?? ["text"], "form of the value");
  const complaint = make("span", { class: "washnb-complaint", role: "alert" });
  const footer = make(
    "form",
    {
      onsubmit: (event) => {
        event.preventDefault();
        if (!key.value) return;
        const wish = { do: "set", group: group.hidden ? "" : group.value || "default", key: key.value };
        try {
          write(complaint, "");
          ask(wish, [FORMS[form.value].read(value.value)]).catch(() => {});
        } catch (error) {
          write(complaint, error.message);
          return;
        }
        key.value = value.value = "";
        key.focus();
      },
    },
    group, key, value, form, make("button", {}, "Set"), complaint,
  );
  group.hidden = !model.get("picture").new_groups;
  const words = { entries: "keys", groups: "buckets" };
  return groupTable(model, root, ask, { Kind: ValueRow, words, footer });
}
