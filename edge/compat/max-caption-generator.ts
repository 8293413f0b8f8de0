import type { Context } from "hono";
import { answerPhoto } from "../answer-photo.ts";
import type { EdgeEnv } from "../edge-env.ts";
import { readUpload } from "../upload.ts";
import { facadeResponse } from "./facade.ts";

/** That service's own search: three beams, and all three captions are answered. */
const options = { beam: 3, candidates: 3 };

/** `POST /model/predict` of IBM's MAX Image Caption Generator: a multipart field `image`. */
export function predictAsMax(c: Context<EdgeEnv>): Promise<Response> {
  return answerPhoto(c, {
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
