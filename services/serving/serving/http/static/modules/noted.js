// Jobs as the history keeps them: with the file's name, its takes, and a small picture.

import { readBlob } from "./api.js";
import { groupOf } from "./files/kept.js";
import { lookAtMade, textOf } from "./files/pictures.js";
import { seenOf } from "./files/picker.js";
import { amend, readHistory, remember } from "./history.js";

/** Keep a job, with a picture where the browser can see the file; `onChange` is told of both. */
export function noteJob(job, file, onChange) {
  remember(job, { name: file.name, group: groupOf(file) });
  onChange();
  seenOf(file).then((seen) => keepPicture(job, seen, onChange));
}

/** Of a file that the browser cannot see, look at what was made of it. */
export function completePicture(done, onChange) {
  const entry = readHistory().find(({ url }) => url === done.links.self);
  if (!entry || entry.picture) return;
  lookAtMade(done, readBlob).then((seen) => keepPicture(done, seen, onChange), () => {});
}

function keepPicture(job, seen, onChange) {
  if (!seen) return;
  amend(job.links.self, { picture: textOf(seen.canvas) });
  onChange();
}
