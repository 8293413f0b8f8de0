import { CaptionClient, CaptionError } from "edge-caption/client";

interface Environment {
  /** Origin of the captioning edge. */
  CAPTION_ORIGIN: string;
  /** API key, if that edge requires one: a secret of this Worker. */
  CAPTION_KEY?: string;
}

/** Captions with a lower confidence are right too rarely to be shown before a person has read them. */
const leastConfidence = 0.5;

/**
 * A Worker that answers an uploaded photo with an alt text, as a site's upload form needs it.
 *
 *     npx wrangler dev -c examples/worker/wrangler.toml --port 8799
 *     curl --data-binary @samples/pizza.jpg http://localhost:8799
 */
export default {
  async fetch(request: Request, { CAPTION_ORIGIN, CAPTION_KEY }: Environment): Promise<Response> {
    if (request.method !== "POST") return new Response("POST a photo\n", { status: 405, headers: { Allow: "POST" } });
    const client = new CaptionClient({ origin: CAPTION_ORIGIN, apiKey: CAPTION_KEY });
    try {
      const { result } = await client.captionUnlessKnown(await request.blob());
      return Response.json({ alt: result.caption, isDraft: result.confidence < leastConfidence });
    } catch (error) {
      if (!(error instanceof CaptionError)) throw error;
      return Response.json({ code: error.code, detail: error.message }, { status: 422 });
    }
  },
};
