/** What the page uses of libheif, whose package types its C functions alone. */
declare module "libheif-js/libheif-wasm/libheif-bundle.mjs" {
  interface HeifImage {
    is_primary(): boolean;
    get_width(): number;
    get_height(): number;
    /** Fills in the pixels; calls back with null where they cannot be decoded. */
    display(target: ImageData, done: (shown: ImageData | null) => void): void;
  }

  export default function createLibheif(): {
    HeifDecoder: new () => { decode(bytes: Uint8Array): HeifImage[] };
  };
}
