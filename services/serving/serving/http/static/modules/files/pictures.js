// Small pictures of files: of a video a frame, of a picture the picture.

const WIDTH = 192;
const LONGEST_MS = 5000;
const EARLY = 0.4;

export const kindOf = (file) =>
  file.type.startsWith("image/") || /\.(jpe?g|png|webp)$/i.test(file.name) ? "picture" : "video";

/** What a browser can see of a file: a small canvas and, of a video, its seconds; null for none. */
export async function look(file) {
  const url = URL.createObjectURL(file);
  try {
    return await (kindOf(file) === "picture" ? lookAtPicture(url) : lookAtVideo(url));
  } catch {
    return null;  // such as a container that only the server can read
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** A picture of what a job made, where there is one to be seen: browsers play previews. */
export async function lookAtMade(job, readBlob) {
  const all = job.files ?? [];
  const made =
    all.find(({ name }) => name === "preview") ??
    all.find(({ media_type: type }) => /^(video|image)\//.test(type));
  if (!made) return null;
  return look(new File([await readBlob(made.url)], made.file_name, { type: made.media_type }));
}

async function lookAtPicture(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return { canvas: shrink(image, image.naturalWidth, image.naturalHeight) };
}

async function lookAtVideo(url) {
  const video = document.createElement("video");
  video.muted = true;
  video.preload = "auto";
  video.src = url;
  await happens(video, "loadeddata");
  // Of a codec that it does not know, a browser plays the sound alone.
  if (!video.videoWidth) throw new Error("no picture");
  const seconds = Number.isFinite(video.duration) ? video.duration : undefined;
  if (seconds) {
    video.currentTime = EARLY * seconds;
    await happens(video, "seeked");
  }
  const canvas = shrink(video, video.videoWidth, video.videoHeight);
  video.removeAttribute("src");
  video.load();
  return { canvas, seconds };
}

function happens(element, name) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("too slow")), LONGEST_MS);
    const end = (result) => () => {
      clearTimeout(timer);
      result();
    };
    element.addEventListener(name, end(resolve), { once: true });
    element.addEventListener("error", end(() => reject(new Error("unreadable"))), { once: true });
  });
}

function shrink(source, width, height) {
  const canvas = document.createElement("canvas");
  const scale = Math.min(1, WIDTH / Math.max(width, height));
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** A small picture as text, to be kept. */
export const textOf = (canvas) => canvas.toDataURL("image/jpeg", 0.6).split(",")[1];

/** The picture that a text is, drawn on a canvas: the page may show no `data:` addresses. */
export async function drawText(canvas, text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").drawImage(image, 0, 0);
}
