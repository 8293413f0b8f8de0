import DataLoader from "dataloader";
import { CaptionClient } from "../../shared/client.ts";
import type { CaptionOptions, CaptionResult, PhotoId } from "../../shared/contract.ts";
import { CaptionError, errorCodes } from "../../shared/errors.ts";
import { readImageHeader } from "../../shared/image-header.ts";
import { type CaptionSource, HeicRefused } from "./caption-source.ts";

/** A run of thousands of photos can wait: the client's own tries are for people. */
const patience = { maxTries: 10, maxWaitSeconds: 300 };
/** How long ids are gathered before they are looked up together. */
const gatherMs = 20;

export interface EndpointRequest {
  /** Where the edge answers. */
  endpoint: string;
  apiKey: string | undefined;
  options: CaptionOptions;
  /** Photos that are uploaded at once. */
  uploads: number;
}

/** Captions from an endpoint: ids are looked up first, many together, and only what is missing is uploaded. */
export async function openEndpointSource({
  endpoint,
  apiKey,
  options,
  uploads,
}: EndpointRequest): Promise<CaptionSource> {
  const client = new CaptionClient({ origin: endpoint, apiKey, ...patience });
  const { id, revision, precision } = await client.modelCard();
  const known = new DataLoader<PhotoId, CaptionResult | undefined>(
    async (ids) => {
      const found = await client.lookUpMany(ids, options);
      return ids.map((wanted) => found.get(wanted));
    },
    {
      cache: false, // the state is one
      batchScheduleFn: (look) => setTimeout(look, gatherMs),
    },
  );
  return {
    model: { id, revision, precision },
    atOnce: uploads,
    lookUp: ({ id, contentId }) => expectHope(endpoint, () => known.load(contentId ?? id)),
    caption: async ({ bytes }) =>
      (await expectHope(endpoint, () => describeHeic(bytes, () => client.caption(bytes, options)))).result,
    close: async () => {},
  };
}

/** The revision of the model that an endpoint has at present. */
export async function readEndpointRevision({
  endpoint,
  apiKey,
}: Pick<EndpointRequest, "endpoint" | "apiKey">): Promise<string> {
  return (await new CaptionClient({ origin: endpoint, apiKey }).modelCard()).revision;
}

/** Tells what is no photo from a HEIC photo that is refused for what it is. */
async function describeHeic<Result>(bytes: Uint8Array, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (cause) {
    if (!(cause instanceof CaptionError) || cause.code !== "unsupported_media_type" || !isHeic(bytes)) throw cause;
    throw new HeicRefused(cause.code, cause.message, { cause });
  }
}

function isHeic(bytes: Uint8Array): boolean {
  try {
    return readImageHeader(bytes, { allowHeic: true }).format === "heic";
  } catch {
    return false;
  }
}

/** Ends the run where the endpoint refuses everybody, instead of failing photo by photo. */
async function expectHope<Result>(endpoint: string, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (cause) {
    if (!(cause instanceof CaptionError) || !errorCodes[cause.code].isForEveryPhoto) throw cause;
    throw new Error(`${endpoint}: ${cause.message}; start again later, what was captioned is kept`, { cause });
  }
}
