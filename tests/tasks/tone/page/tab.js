// How loud it is, in one line.

export const words = { working: "Looking at what moves", done: "Done." };

export async function show(root, job) {
  root.querySelector("#loudness").textContent = `${job.document.mean_db} dB on average`;
}
