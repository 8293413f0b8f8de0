import { randomBytes } from "node:crypto";
import sharp from "sharp";
import { CaptionClient } from "../../shared/client.ts";
import type { CaptionResult } from "../../shared/contract.ts";

const side = 64;

/** The deployment to check, as the command line names it. */
export interface SmokeRequest {
  origin: string;
  apiKey: string | undefined;
  /** How long the cache may take to find a result. */
  hitSeconds: number;
}

/** The deployment under test, and the caption that it has given so far. */
export class SmokeTarget {
  readonly origin: string;
  readonly client: CaptionClient;
  /** The key's header, for requests that the client does not make. */
  readonly headers: Record<string, string>;
  readonly hitSeconds: number;
  readonly picture: Blob;
  #result: CaptionResult | undefined;

  private constructor({ origin, apiKey, hitSeconds }: SmokeRequest, picture: Blob) {
    this.origin = origin;
    this.client = new CaptionClient({ origin, apiKey });
    this.headers = apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` };
    this.hitSeconds = hitSeconds;
    this.picture = picture;
  }

  static async of(request: SmokeRequest): Promise<SmokeTarget> {
    return new SmokeTarget(request, new Blob([await newPicture()], { type: "image/png" }));
  }

  keep(result: CaptionResult): void {
    this.#result = result;
  }

  /** The answer to the picture's upload. Throws if there was none. */
  get result(): CaptionResult {
    if (this.#result === undefined) throw new Error("skipped, because the picture got no caption");
    return this.#result;
  }
}

/** Makes a PNG of random pixels, which no cache has seen. */
async function newPicture(): Promise<Uint8Array<ArrayBuffer>> {
  const pixels = randomBytes(side * side * 3);
  return new Uint8Array(
    await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
      .png()
      .toBuffer(),
  );
}
