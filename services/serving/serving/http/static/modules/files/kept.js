// Files that jobs were made of. The browser keeps them: after a reload they are shown again, and
// another seed is tried.

import { readHistory } from "../history.js";

const STORE = "files";
const MOST_BYTES = 500e6;
const groups = new WeakMap();  // what takes of the same file have in common
const files = new Map();       // by group
let opened = null;

/** What names a file and its takes; the file is kept from now on, where the browser lets it be. */
export function groupOf(file) {
  if (!groups.has(file)) {
    const group = crypto.getRandomValues(new Uint32Array(2)).join("-");
    know(group, file);
    if (file.size <= MOST_BYTES) ask("readwrite", (store) => store.put(file, group)).catch(() => {});
  }
  return groups.get(file);
}

/** The file that a job was made of, or undefined. */
export async function fileOf(url) {
  const { group } = readHistory().find((entry) => entry.url === url) ?? {};
  if (!group) return undefined;
  if (!files.has(group)) {
    const file = await ask("readonly", (store) => store.get(group)).catch(() => undefined);
    if (!(await isThere(file))) return undefined;
    know(group, file);
  }
  return files.get(group);
}

/** Drop files of which no job is left, and the oldest where they are too much together. */
export async function sweep() {
  try {
    const wanted = [...new Set(readHistory().map(({ group }) => group))];
    const kept = await ask("readonly", (store) => store.getAllKeys());
    let bytes = 0;
    for (const group of [...wanted, ...kept]) {
      if (!kept.includes(group)) continue;
      const { size } = wanted.includes(group) ? await ask("readonly", (store) => store.get(group)) : {};
      bytes += size ?? 0;
      if (size === undefined || bytes > MOST_BYTES) await ask("readwrite", (store) => store.delete(group));
    }
  } catch {
    // Without a database, nothing is kept.
  }
}

/** Drop all of them. */
export async function dropAll() {
  await ask("readwrite", (store) => store.clear()).catch(() => {});
}

function know(group, file) {
  groups.set(file, group);
  files.set(group, file);
}

/** Whether a file that was kept can still be read. */
async function isThere(file) {
  if (!file) return false;
  return file.slice(0, 1).arrayBuffer().then(() => true, () => false);
}

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(STORE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function ask(mode, action) {
  const store = (await open()).transaction(STORE, mode).objectStore(STORE);
  return new Promise((resolve, reject) => {
    const request = action(store);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
