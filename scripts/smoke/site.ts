import { CaptionClient } from "../../shared/client.ts";
import type { CaptionResult } from "../../shared/contract.ts";
import type { Deployment } from "./command.ts";
import { newPicture } from "./new-picture.ts";

/** The deployment that is looked at, and what it has answered so far. */
export class Site {
  readonly origin: string;
  readonly client: CaptionClient;
  /** The key's header, for requests beside the client's. */
  readonly headers: Record<string, string>;
  readonly hitSeconds: number;
  readonly picture: Blob;
  #result: CaptionResult | undefined;

  private constructor({ origin, apiKey, hitSeconds }: Deployment, picture: Blob) {
    this.origin = origin;
    this.client = new CaptionClient({ origin, apiKey });
    this.headers = apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` };
    this.hitSeconds = hitSeconds;
    this.picture = picture;
  }

  static async of(deployment: Deployment): Promise<Site> {
    return new Site(deployment, new Blob([await newPicture()], { type: "image/png" }));
  }

  learn(result: CaptionResult): void {
    this.#result = result;
  }

  /** What the picture's upload was answered with. */
  get result(): CaptionResult {
    if (this.#result === undefined) throw new Error("left out, since the picture got no caption");
    return this.#result;
  }
}
