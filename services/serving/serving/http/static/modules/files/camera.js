// Recording from the camera, with sound where it is wanted.

const LONGEST_MS = 10_000;
const TYPES = ["video/webm;codecs=vp9", "video/mp4;codecs=avc1.42E01E", "video/mp4"];
const TYPES_WITH_SOUND = [
  "video/webm;codecs=vp9,opus",
  "video/mp4;codecs=avc1.42E01E,mp4a.40.2",
  "video/mp4",
];

/** Start to record; `stop` ends it, and `file` is what was recorded. */
export async function record(preview, withSound) {
  const type = (withSound ? TYPES_WITH_SOUND : TYPES).find((name) => globalThis.MediaRecorder?.isTypeSupported(name));
  if (!type || !navigator.mediaDevices) {
    throw new Error("This browser cannot record a video that fits. Choose a file.");
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: withSound });
  } catch {
    const needed = withSound ? "no camera with a microphone" : "no camera";
    throw new Error(`There is ${needed}, or the browser may not use it. Choose a file.`);
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
