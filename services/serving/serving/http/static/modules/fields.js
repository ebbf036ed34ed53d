// Optional fields of a form, as the server describes them in JSON Schema.

import { kindOf } from "./files/pictures.js";

const MOST_NAMED = 7;

/** Fields with labels and hints; `own` has the model's values of those without a default. */
export function fieldsOf(options, own) {
  return Object.entries(options).map(([name, schema]) => {
    const field = document.createElement("p");
    // Such as the length of a sound, which only pictures leave open.
    if (schema["x-kind"]) field.dataset.kind = schema["x-kind"];
    const label = document.createElement("label");
    label.htmlFor = name;
    label.textContent = schema.title ?? name;
    const hint = document.createElement("span");
    hint.className = "hint";
    hint.id = `${name}-hint`;
    hint.textContent = schema.description ?? "";
    const control = schema.enum ? choice(schema) : entry(schema, own[name]);
    control.id = name;
    control.name = name;
    control.setAttribute("aria-describedby", hint.id);
    field.append(label, control, hint);
    return field;
  });
}

/** Show the fields that say something about a kind of file; the others are not sent. */
export function showFieldsFor(kind, root) {
  for (const field of root.querySelectorAll("[data-kind]")) {
    field.hidden = kind !== undefined && field.dataset.kind !== kind;
    field.querySelector("input, select").disabled = field.hidden;
  }
}

function choice(schema) {
  const control = document.createElement("select");
  control.append(...schema.enum.map((value) => new Option(value, value)));
  control.value = schema.default;
  return control;
}

function entry(schema, own) {
  const control = document.createElement("input");
  const kind = schema.anyOf?.find((part) => part.type !== "null") ?? schema;
  if (kind.type === "integer" || kind.type === "number") {
    control.type = "number";
    control.inputMode = kind.type === "integer" ? "numeric" : "decimal";
    control.step = kind.type === "integer" ? "1" : "any";
    if (kind.minimum !== undefined) control.min = kind.minimum;
    if (kind.maximum !== undefined) control.max = kind.maximum;
  }
  control.placeholder = schema.default ?? own ?? "";
  return control;
}

/** Kinds of files in a few words: the server takes more kinds of video than people have heard of. */
function kindsOf(types) {
  const pictures = types.filter((type) => kindOf({ type: "", name: `.${type}` }) === "picture");
  const videos = types.filter((type) => !pictures.includes(type));
  const more = videos.length - MOST_NAMED;
  const named = more > 1 ? `${videos.slice(0, MOST_NAMED).join(", ")} and ${more} more kinds` : videos.join(", ");
  const shown = pictures.filter((type) => type !== "jpg").join(", ");
  return [videos.length > 0 && `videos: ${named}`, shown && `pictures: ${shown}`].filter(Boolean).join("; ");
}

/** What may be sent, in a line. */
export function acceptedBy({ types, max_upload_bytes: bytes, max_duration_s: seconds }) {
  const kinds = kindsOf(types);
  const most = `up to ${Math.round(bytes / 1e6)}\u00a0MB and ${seconds}\u00a0s`;
  return `${kinds[0].toUpperCase()}${kinds.slice(1)}; ${most}`;
}
