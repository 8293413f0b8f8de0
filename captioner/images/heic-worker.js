import { parentPort, workerData } from "node:worker_threads";
import libheif from "libheif-js/wasm-bundle.js";

// Entry of a thread that decodes one photo: `workerData` is its bytes, what it says is a `HeicImage`. JavaScript, since Node's
// threads load nothing else, whatever loads the program. Upright: libheif turns and mirrors by itself.
const images = new libheif.HeifDecoder().decode(workerData);
const primary = images.find((image) => image.is_primary()) ?? images[0];
if (primary === undefined) throw new Error("there is no image in it");
const [width, height] = [primary.get_width(), primary.get_height()];
const pixels = new Uint8Array(width * height * 4);
const target = { data: new Uint8ClampedArray(pixels.buffer), width, height };
const shown = await new Promise((resolve) => primary.display(target, resolve));
if (shown === null) throw new Error("its pixels cannot be decoded");
parentPort.postMessage({ pixels, width, height }, [pixels.buffer]);
