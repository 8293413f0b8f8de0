import { UnfitObject } from "./unfit-object.ts";

/** Errors that every object of every bucket would get, by their names in S3 and in its SDK. */
const refusedCredentials = new Set([
  ...["InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired"],
  ...["RequestTimeTooSkewed", "ExpiredTokenException", "UnrecognizedClientException"],
]);

const noCredentials = "no AWS credentials are found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE";
const noRegion = "no region is set: set AWS_REGION (auto for R2, us-east-1 for most others that are not AWS)";
const kept = "start again later, what was captioned is kept";

interface Request {
  bucket: string;
  doing: "list" | "read";
  /** Whether the object was there when its bucket was listed. */
  isListed?: boolean;
}

/** Whether S3 answers that an object still has the version that is known. */
export function isUnchanged(error: unknown): boolean {
  return statusOf(error) === 304;
}

/** Turns an error of the SDK into an `UnfitObject`, or into one that ends the run, because the next object would get it, too. */
export function describeObjectError(cause: unknown, { bucket, doing, isListed = false }: Request): Error {
  const { name, message } = cause instanceof Error ? cause : { name: "Error", message: String(cause) };
  const status = statusOf(cause);
  const lasting = (sentence: string) => new Error(sentence, { cause });
  if (/CredentialsProviderError|TokenProviderError/.test(name)) {
    return lasting(/^Could not load credentials/.test(message) ? noCredentials : `${noCredentials} (${message})`);
  }
  if (/^Region (is missing|not accepted)/.test(message)) return lasting(noRegion);
  if (refusedCredentials.has(name)) return lasting(`the AWS credentials are not accepted (${name}); ${kept}`);
  if (status === undefined) return lasting(`S3 cannot be reached (${networkReason(cause)}); ${kept}`);
  if (name === "NoSuchBucket") return new UnfitObject(`there is no bucket ${bucket}`, { cause });
  if (name === "InvalidObjectState") return new UnfitObject("it is archived: restore it first", { cause });
  if (status === 403) {
    const right = doing === "list" ? "s3:ListBucket" : "s3:GetObject";
    return new UnfitObject(`access is denied: the credentials need ${right}`, { cause });
  }
  if (status === 404) {
    return new UnfitObject(isListed ? "it was deleted after it was listed" : "there is no such object", { cause });
  }
  const isPassing = status >= 500 || status === 429;
  return new UnfitObject(`S3 answered with ${name} (status ${status})`, {
    cause,
    ...(isPassing ? { retryAfterMs: 1000 } : {}),
  });
}

function statusOf(error: unknown): number | undefined {
  const metadata = error instanceof Error && "$metadata" in error ? error.$metadata : undefined;
  const isKnown = typeof metadata === "object" && metadata !== null && "httpStatusCode" in metadata;
  return isKnown && typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}

function networkReason(cause: unknown): string {
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") return cause.code;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}
