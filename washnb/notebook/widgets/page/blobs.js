// Blobs: containers with objects. An object is read in parts when it is looked at or downloaded, and uploaded in parts.

const PART = 512 * 1024; // bytes of one message
const PREVIEWED = 64 * 1024;
const LARGEST_IMAGE = 4 * 1024 * 1024;
const AT_ONCE = 2 * 1024 * 1024; // bytes that Jupyter lets through at first; then about a megabyte per second
const PAUSE = 600; // milliseconds between the parts after these bytes

const IMAGES = [
  ["image/png", /^\x89PNG/],
  ["image/jpeg", /^\xff\xd8\xff/],
  ["image/gif", /^GIF8/],
  ["image/webp", /^RIFF[^]{4}WEBP/],
];

const bytesOf = (view) => new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Read an object, or its first `most` bytes. `tell` is called with the bytes that have come, and the bytes in all. */
async function readObject(ask, group, key, most = Infinity, tell = () => {}) {
  const parts = [];
  let have = 0;
  let size = Infinity;
  while (have < Math.min(size, most)) {
    if (have > AT_ONCE) await pause(PAUSE);
    const end = Math.min(have + PART, most);
    const { content, buffers } = await ask({ do: "read", group, key, start: have, end });
    size = content.size;
    const part = bytesOf(buffers[0]);
    if (!part.length) break;
    parts.push(part);
    have += part.length;
    tell(have, size);
  }
  return { parts, size, have };
}

/** Upload a file in parts; it becomes an object with the last one. */
async function bring(ask, group, file, tell) {
  let start = 0;
  do {
    const part = new Uint8Array(await file.slice(start, start + PART).arrayBuffer());
    const last = start + part.length >= file.size;
    await ask({ do: "upload", group, key: file.name, start, last }, [part]);
    start += part.length;
    tell(start, file.size);
  } while (start < file.size);
}

const percent = (have, size) => `${Math.floor((100 * have) / Math.max(size, 1))} %`;

class ObjectRow extends Row {
  update(entry, fresh) {
    const before = this.entry;
    const created = entry.created ? new Date(entry.created * 1000).toLocaleString() : "\u00a0";
    const changed = super.update({ ...entry, preview: created }, fresh) || before?.size !== entry.size;
    if (changed && this.panel && !entry.secret) this.preview();
    return changed;
  }

  open() {
    const { key, secret } = this.entry;
    this.face = make("div", { class: "washnb-face", tabindex: "0", "aria-label": `preview of ${key}` });
    this.form = make("span");
    this.state = make("span", { class: "washnb-note", role: "status" });
    if (secret) write(this.face, "not shown: its name is that of a secret");
    else this.preview();
    const remove = () => this.ask({ do: "delete", group: this.group, key }).catch(() => {});
    const buttons = [button("Download", () => this.download()), sureButton("Delete", remove)];
    return [this.face, make("div", {}, this.form, ...buttons, this.state)];
  }

  async preview() {
    const { key } = this.entry;
    try {
      const start = await readObject(this.ask, this.group, key, PREVIEWED);
      const head = String.fromCharCode(...(start.parts[0] ?? []).slice(0, 16));
      const image = IMAGES.find(([, signature]) => signature.test(head));
      if (image && start.size <= LARGEST_IMAGE) await this.showImage(image[0]);
      else this.showBytes(start);
    } catch (error) {
      write(this.state, error.message);
    }
  }

  async showImage(type) {
    const { parts } = await readObject(this.ask, this.group, this.entry.key);
    const address = URL.createObjectURL(new Blob(parts, { type }));
    const shown = () => {
      URL.revokeObjectURL(address);
      this.panel?.scrollIntoView({ block: "nearest" }); // only now does it have its height
    };
    const image = make("img", { src: address, alt: this.entry.key, onload: shown });
    this.face.replaceChildren(image);
    this.form.replaceChildren();
  }

  showBytes({ parts, size, have }) {
    const joined = new Uint8Array(have);
    parts.reduce((at, part) => (joined.set(part, at), at + part.length), 0);
    const whole = have >= size;
    const names = whole ? ["json", "text", "hex"] : ["text", "hex"];
    const bytes = whole ? joined : beforeTheCut(joined);
    const text = make("pre");
    const opened = !this.face.hasChildNodes();
    const select = formChoice(names, `form of ${this.entry.key}`, () => draw(), bytes);
    const draw = () => write(text, FORMS[select.value].show(bytes) || "(empty)");
    draw();
    this.face.replaceChildren(text);
    this.form.replaceChildren(select);
    write(this.state, whole ? "" : `the first ${PREVIEWED / 1024} KiB`);
    if (opened) this.panel?.scrollIntoView({ block: "nearest" }); // its buttons, too
  }

  async download() {
    const { key } = this.entry;
    try {
      const tell = (have, size) => write(this.state, have < size ? `${percent(have, size)} fetched` : "");
      const { parts } = await readObject(this.ask, this.group, key, Infinity, tell);
      const address = URL.createObjectURL(new Blob(parts, { type: "application/octet-stream" }));
      make("a", { href: address, download: key.split("/").pop() }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
    } catch (error) {
      write(this.state, error.message);
    }
  }
}

/** The bytes without the beginning of a UTF-8 character that their end has cut. */
function beforeTheCut(bytes) {
  for (let end = bytes.length; end > bytes.length - 4; end--) {
    try {
      decoded(bytes.slice(0, end));
      return bytes.slice(0, end);
    } catch {
      // one byte less
    }
  }
  return bytes;
}

function renderBlobs(model, root, ask) {
  const container = make("input", { "aria-label": "container", placeholder: "container" });
  const files = make("input", { type: "file", multiple: true, "aria-label": "files" });
  const state = make("span", { class: "washnb-note", role: "status" });
  const name = () => container.value || model.get("picture").groups?.[0]?.name || "default";
  const footer = make(
    "form",
    {
      onsubmit: async (event) => {
        event.preventDefault();
        try {
          for (const file of files.files) {
            await bring(ask, name(), file, (have, size) => write(state, `${file.name}: ${percent(have, size)}`));
          }
          files.value = "";
          write(state, "");
        } catch (error) {
          write(state, error.message);
        }
      },
    },
    container, files, make("button", {}, "Upload"),
    button("New container", () => ask({ do: "create", group: name() }).catch(() => {})),
    state,
  );
  const words = { entries: "objects", groups: "containers" };
  const heading = (group) => [sureButton("Delete container", () => ask({ do: "delete", group }).catch(() => {}))];
  return groupTable(model, root, ask, { Kind: ObjectRow, words, footer, heading });
}
