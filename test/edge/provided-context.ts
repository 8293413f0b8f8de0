/** Everything that `test/support/service-for-edge.ts` starts in Node and provides to the tests inside workerd. */
declare module "vitest" {
  interface ProvidedContext {
    /** The real service on the tiny bundle. */
    serviceOrigin: string;
    serviceSecret: string;
    /** Origins by `FaultyServiceName`. */
    faultyServices: Record<string, string>;
    /** A web site with photos and with other replies. */
    photoSources: string;
    /** Of the jobs' database. */
    jobsMigrations: { name: string; queries: string[] }[];
    /** Image files by name, base64. */
    images: Record<string, string>;
  }
}

export type FaultyServiceName =
  | "absent"
  | "silent"
  | "stallsInBody"
  | "hangsUpInBody"
  | "answersHtml"
  | "answersHugeText"
  | "answersEmptyObject"
  | "answersForAnotherPhoto"
  | "answersForOtherOptions"
  | "answersWithAnotherCaption"
  | "answersTooMany"
  | "describesThePhoto"
  | "redirects"
  | "overloaded"
  | "starting"
  | "restarts"
  | "overloadedProxy"
  | "crashed"
  | "failsPhotos"
  | "slow"
  | "silentOfPng"
  | "silentToJobs"
  | "busyWithCaller"
  | "failsFirst"
  | "crashesFirst"
  | "otherRevision";

export type ImageName =
  | "photo"
  | "jpeg"
  | "png"
  | "webp"
  | "gif"
  | "avif"
  | "tiff"
  | "truncatedJpeg"
  | "hugePng"
  | "svg"
  | "heic"
  | "heicPhoto"
  | "text";
