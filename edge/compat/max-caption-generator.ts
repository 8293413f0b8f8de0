import type { Context } from "hono";
import type { EdgeEnv } from "../context.ts";
import { readUpload } from "../upload.ts";
import { handlePhoto } from "../upload-handler.ts";
import { facadeResponse } from "./facade.ts";

/** The search of that service: three beams, of which all three captions are answered. */
const options = { beam: 3, candidates: 3 };

/** `POST /model/predict` of IBM's MAX Image Caption Generator: a multipart field `image`. */
export function handleMax(c: Context<EdgeEnv>): Promise<Response> {
  return handlePhoto(c, {
    options,
    read: readUpload,
    respond: (caption, { candidates }) => {
      const predictions = candidates.map(({ caption: text, logProb }, index) => ({
        index: String(index),
        caption: text,
        probability: Math.exp(logProb), // theirs is the product of the words' probabilities
      }));
      return facadeResponse(c, { body: { status: "ok", predictions }, caption });
    },
  });
}
