// The form as lines for a shell and for Python.

const $ = (id) => document.getElementById(id);
const COPIED_MS = 2000;

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
// As curl reads the name of a file in a form.
const inForm = (name) => `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** Write the lines for a model with what is filled in of the form. */
export function showSnippets(model, needsKey) {
  const filled = [...new FormData($("form"))]
    .filter(([, value]) => typeof value === "string" && value);
  const isDefault = ([name, value]) => String(model.options?.[name]?.default) === value;
  writeLines({
    url: model.url,
    name: $("video").files[0]?.name ?? "clip.mp4",
    fields: filled.filter((field) => !isDefault(field)),
    result: filled.find(([name]) => name === "format")?.[1] ?? model.result,
    needsKey,
  });
}

/** `fields` are those that were filled in, `result` is an extension. */
function writeLines({ url, name, fields, result, needsKey }) {
  const address = `${location.origin}${url}?wait=600`;
  const output = `result.${result ?? "mp4"}`;
  const curl = [
    "curl --fail",
    ...(needsKey ? ['--header "Authorization: Bearer $S2S_KEY"'] : []),
    `--form ${quoted(`video=@${inForm(name)}`)}`,
    ...fields.map(([field, value]) => `--form-string ${quoted(`${field}=${value}`)}`),
    `--output ${output}`,
    quoted(address),
  ];
  $("curl").textContent = curl.join(" \\\n    ");
  const data = Object.fromEntries(fields);
  $("python").textContent = [
    "import httpx",
    ...(needsKey ? ["import os"] : []),
    "",
    `with open(${JSON.stringify(name)}, "rb") as file:`,
    "    answer = httpx.post(",
    `        ${JSON.stringify(address)},`,
    '        files={"video": file},',
    ...(fields.length > 0 ? [`        data=${JSON.stringify(data)},`] : []),
    ...(needsKey ? ['        headers={"Authorization": f"Bearer {os.environ[\'S2S_KEY\']}"},'] : []),
    "        timeout=600,",
    "    )",
    "answer.raise_for_status()",
    `with open("${output}", "wb") as file:`,
    "    file.write(answer.content)",
  ].join("\n");
}

async function copy(button) {
  const code = $(button.dataset.copies);
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    // Without TLS, browsers have no clipboard for pages: the old way copies what is selected.
    getSelection().selectAllChildren(code);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  $("status").textContent = "Copied.";
  setTimeout(() => { button.textContent = before; }, COPIED_MS);
}

for (const button of document.querySelectorAll("[data-copies]")) {
  button.addEventListener("click", () => copy(button));
}
