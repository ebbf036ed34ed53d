// Recording from the camera, without sound.

const LONGEST_MS = 10_000;
const TYPES = ["video/webm;codecs=vp9", "video/mp4;codecs=avc1.42E01E", "video/mp4"];

/** Start to record; `stop` ends it, and `file` is what was recorded. */
export async function record(preview) {
  const type = TYPES.find((name) => globalThis.MediaRecorder?.isTypeSupported(name));
  if (!type || !navigator.mediaDevices) {
    throw new Error("This browser cannot record a video that fits. Choose a file.");
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: true });
  } catch {
    throw new Error("There is no camera, or the browser may not use it. Choose a file.");
  }
  preview.srcObject = stream;
  preview.play().catch(() => {});
  const recorder = new MediaRecorder(stream, { mimeType: type });
  const pieces = [];
  recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
  const file = new Promise((resolve) => {
    recorder.addEventListener("stop", () => {
      for (const track of stream.getTracks()) track.stop();
      preview.srcObject = null;
      const extension = type.startsWith("video/webm") ? "webm" : "mp4";
      resolve(new File(pieces, `camera.${extension}`, { type: type.split(";")[0] }));
    });
  });
  recorder.start();
  const timer = setTimeout(() => recorder.stop(), LONGEST_MS);
  const stop = () => {
    clearTimeout(timer);
    if (recorder.state !== "inactive") recorder.stop();
  };
  return { stop, file };
}
