import createLibheif from "libheif-js/libheif-wasm/libheif-bundle.mjs";

/** What the decoder answers: the picture, upright, or why there is none. */
export type DecodedHeic = { bitmap: ImageBitmap } | { failure: string };

// Throws where the browser forbids WebAssembly, which the page reports as a decoder that cannot be loaded.
const { HeifDecoder } = createLibheif();

// A worker that decodes one HEIC photo, whose bytes are its first message. Decoding takes a second, and WebAssembly frees its
// memory only with its worker. Its policy (`_headers`) allows WebAssembly, which the page's own does not.
addEventListener("message", async ({ data }: MessageEvent<ArrayBuffer>) => {
  try {
    const bitmap = await decode(new Uint8Array(data));
    answer({ bitmap }, [bitmap]);
  } catch (error) {
    answer({ failure: error instanceof Error ? error.message : String(error) });
  }
});

/** Decodes the primary image. libheif rotates and mirrors it as the file says. */
async function decode(bytes: Uint8Array): Promise<ImageBitmap> {
  const images = new HeifDecoder().decode(bytes);
  const primary = images.find((image) => image.is_primary()) ?? images[0];
  if (primary === undefined) throw new Error("there is no image in it");
  const pixels = new ImageData(primary.get_width(), primary.get_height());
  const shown = await new Promise((resolve) => primary.display(pixels, resolve));
  if (shown === null) throw new Error("its pixels cannot be decoded");
  return createImageBitmap(pixels);
}

function answer(reply: DecodedHeic, transfer: Transferable[] = []): void {
  postMessage(reply, { transfer });
}
