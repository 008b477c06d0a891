// A field per parameter; what is typed goes to the kernel, which answers with mistakes and the line.
const PAUSE_MS = 150;
let made = 0;

function element(tag, className, text = "") {
  const found = document.createElement(tag);
  found.className = className;
  found.textContent = text;
  return found;
}

function option(value, text) {
  const found = document.createElement("option");
  found.value = value;
  found.textContent = text;
  return found;
}

function input(field) {
  if (field.choices.length > 0) {
    const select = document.createElement("select");
    const unset = field.required ? "choose" : `default: ${field.default}`;
    select.append(option("", unset), ...field.choices.map((c) => option(c, c)));
    return select;
  }
  const box = document.createElement("input");
  box.type = "text";
  box.spellcheck = false;
  box.autocomplete = "off";
  box.placeholder = field.required ? "required" : field.default;
  if (field.numeric) {
    box.inputMode = "decimal";
  }
  return box;
}

function row(field, id) {
  const frame = element("div", "nbship-form-row");
  const label = element("label", "nbship-form-name", field.name);
  const box = input(field);
  const about = element("span", "nbship-form-about", field.about);
  const mistake = element("span", "nbship-form-mistake");
  box.id = id;
  box.name = field.name;
  label.htmlFor = id;
  about.id = `${id}-about`;
  mistake.id = `${id}-mistake`;
  mistake.setAttribute("role", "status");
  box.setAttribute("aria-describedby", `${about.id} ${mistake.id}`);
  box.setAttribute("aria-required", String(field.required));
  const type = element("span", "nbship-form-type", field.type);
  const unit = element("span", "nbship-form-unit", field.unit);
  const value = element("span", "nbship-form-value");
  value.append(box, unit);
  const notes = element("span", "nbship-form-notes");
  notes.append(about, mistake);
  frame.append(label, type, value, notes);
  return { field, frame, box, mistake };
}

function textsOf(rows) {
  const set = rows.filter(({ box }) => box.value !== "");
  return Object.fromEntries(set.map(({ field, box }) => [field.name, box.value]));
}

function show(rows, foot, answer) {
  for (const { field, box, mistake } of rows) {
    const said = (answer.mistakes ?? {})[field.name] ?? "";
    mistake.textContent = said;
    box.setAttribute("aria-invalid", String(said !== ""));
  }
  const missing = answer.missing ?? [];
  foot.line.textContent = answer.command ?? "";
  foot.missing.textContent = missing.length > 0 ? `needed: ${missing.join(", ")}` : "";
}

function footer() {
  const frame = element("div", "nbship-form-foot");
  const line = element("code", "nbship-form-line");
  const copy = element("button", "nbship-form-copy", "Copy");
  const missing = element("span", "nbship-form-missing");
  copy.type = "button";
  copy.title = "Copy the line";
  copy.addEventListener("click", async () => {
    await navigator.clipboard?.writeText(line.textContent);
    copy.textContent = "Copied";
    setTimeout(() => {
      copy.textContent = "Copy";
    }, 1500);
  });
  frame.append(line, copy, missing);
  return { frame, line, missing };
}

function render({ model, el }) {
  made += 1;
  const form = element("form", "nbship-form");
  form.setAttribute("aria-label", `Parameters of ${model.get("notebook")}`);
  const rows = model.get("fields").map((f, n) => row(f, `nbship-form-${made}-${n}`));
  const foot = footer();
  let timer = 0;
  const send = () => {
    model.set("texts", textsOf(rows));
    model.save_changes();
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(send, PAUSE_MS);
  });
  const answer = () => show(rows, foot, model.get("answer"));
  const texts = model.get("texts");
  for (const { field, box } of rows) {
    box.value = texts[field.name] ?? "";
  }
  form.append(...rows.map(({ frame }) => frame), foot.frame);
  el.append(form);
  answer();
  model.on("change:answer", answer);
  return () => {
    clearTimeout(timer);
    model.off("change:answer", answer);
  };
}

export default { render };
