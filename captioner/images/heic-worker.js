import { parentPort, workerData } from "node:worker_threads";
import libheif from "libheif-js/wasm-bundle.js";

// Entry of a thread that decodes one photo: `workerData` is its bytes, its one message a `HeicImage`, upright, since libheif
// rotates and mirrors by itself. JavaScript, since Node's threads load nothing else.
const images = new libheif.HeifDecoder().decode(workerData);
const primary = images.find((image) => image.is_primary()) ?? images[0];
if (primary === undefined) throw new Error("there is no image in it");
const [width, height] = [primary.get_width(), primary.get_height()];
const pixels = new Uint8Array(width * height * 4);
const target = { data: new Uint8ClampedArray(pixels.buffer), width, height };
const shown = await new Promise((resolve) => primary.display(target, resolve));
if (shown === null) throw new Error("its pixels cannot be decoded");
parentPort.postMessage({ pixels, width, height }, [pixels.buffer]);
