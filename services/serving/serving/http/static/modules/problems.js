// Problems are told where they are: at the file, at a field, or at the button.

const $ = (id) => document.getElementById(id);
const OF_FILES = ["file", "unsupported-type", "unusable-video", "too-large", "bad-request"];

export function clearProblem() {
  $("problem").textContent = "";
  $("form").append($("problem"));
  for (const control of document.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
  }
}

/** Tell a problem of the server's, or one that was found here; `place` is where else it belongs. */
export function showProblem(error, place) {
  clearProblem();
  $("status").textContent = "";
  const wrong = (error.fields ?? [])
    .map(({ field, detail }) => ({ control: optionOf(field), detail }))
    .filter(({ control }) => control);
  if (error.status === 401) return placeAt($("key-form"), error.message, $("key"));
  if (place) return placeAt(place, error.message);
  if (wrong.length > 0) {
    const [{ control, detail }] = wrong;
    $("more").open = true;
    return placeAt(control.closest("p"), detail, control);
  }
  if (OF_FILES.includes(error.kind)) return placeAt($("drop"), error.message, $("video"));
  return placeAt($("form"), error.message);
}

/** The control of an option that this form has; the name comes from the server. */
function optionOf(name) {
  const control = $("form").elements.namedItem(name);
  return control instanceof HTMLElement && $("options").contains(control) ? control : null;
}

function placeAt(place, text, control) {
  const problem = $("problem");
  if (place.id === "key-form") place.hidden = false;
  place.append(problem);
  problem.textContent = text;
  control?.setAttribute("aria-invalid", "true");
  control?.setAttribute("aria-errormessage", "problem");
  if (control && control.id !== "video") control.focus();
  problem.scrollIntoView({ block: "nearest" });
}
