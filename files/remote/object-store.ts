import { Readable } from "node:stream";
import type { GetObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { type ListedObject, nameObject, type RemotePhoto } from "./address.ts";
import { describeObjectError, isUnchanged } from "./object-error.ts";
import { Arrival, expectPhotoSize, type RemoteRead, type RemoteReading, readBody } from "./read-body.ts";
import { readWithRetries, UnfitObject } from "./unfit-object.ts";

/** Most keys that S3 lists at once. */
const keysPerPage = 1000;
/** Times for one of the SDK's tries, until the answer's headers. */
const requestHandler = { connectionTimeout: 10_000, requestTimeout: 30_000, throwOnRequestTimeout: true };

type RemoteObject = RemotePhoto & { kind: "object" };
type Sdk = typeof import("@aws-sdk/client-s3");

/** Buckets of S3, and of what speaks its protocol: R2, MinIO and others. Throws an `UnfitObject`, or an error that ends the run. */
export class ObjectStore {
  readonly #sdk: Sdk;
  readonly #client: S3Client;

  private constructor(sdk: Sdk, client: S3Client) {
    this.#sdk = sdk;
    this.#client = client;
  }

  /** Loads the SDK, which takes a third of a second. It finds endpoint, region and credentials by its own conventions. */
  static async open(): Promise<ObjectStore> {
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true"; // it concerns whoever updates the SDK
    const sdk = await import("@aws-sdk/client-s3");
    const client = new sdk.S3Client({ followRegionRedirects: true, requestHandler });
    const { endpointProvider } = client.config;
    client.config.endpointProvider = (parameters, context) => {
      const ForcePathStyle = parameters.Endpoint !== undefined; // such as localhost:9000, where no bucket has a host name
      return endpointProvider({ ...parameters, ForcePathStyle }, context);
    };
    return new ObjectStore(sdk, client);
  }

  /** Lists the objects whose keys begin with a prefix, by key, and asks for a page when it is needed. */
  async *list({ bucket, prefix }: { bucket: string; prefix: string }): AsyncGenerator<ListedObject & { key: string }> {
    let token: string | undefined;
    do {
      const command = new this.#sdk.ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        MaxKeys: keysPerPage,
        EncodingType: "url", // XML has no characters for some of those that keys may have
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page = await readWithRetries(() =>
        this.#client.send(command).catch((error: unknown) => {
          throw describeObjectError(error, { bucket, doing: "list" });
        }),
      );
      for (const { Key: key, ETag: etag, Size: bytes = 0, LastModified: changed } of page.Contents ?? []) {
        if (key === undefined) continue;
        const name = page.EncodingType === "url" ? decodeURIComponent(key.replaceAll("+", " ")) : key;
        yield { key: name, etag, bytes, changedMs: changed?.getTime() ?? Number.POSITIVE_INFINITY };
      }
      const next = page.IsTruncated ? page.NextContinuationToken : undefined;
      if (page.IsTruncated && (next === undefined || next === token)) {
        throw new UnfitObject("its listing has no end: expected a token of the next page");
      }
      token = next;
    } while (token !== undefined);
  }

  /** Reads an object. */
  async read(object: RemoteObject, { maxBytes, unless }: RemoteReading): Promise<RemoteRead> {
    if (object.listed !== undefined) expectPhotoSize(object.listed.bytes, { maxBytes });
    const reply = await this.#get(object, unless?.etag);
    if (reply === "unchanged") return reply;
    const { Body: body, ContentLength: length = 0, ETag: etag } = reply;
    if (!(body instanceof Readable)) throw new Error(`${nameObject(object)}: expected a stream, received none`);
    const arrival = new Arrival();
    try {
      expectPhotoSize(length, { maxBytes });
      return { bytes: await readBody(body, { maxBytes, arrival }), version: { etag } };
    } finally {
      arrival.end();
      body.on("error", () => undefined).destroy();
    }
  }

  async #get({ bucket, key, listed }: RemoteObject, etag?: string): Promise<GetObjectCommandOutput | "unchanged"> {
    const condition = etag === undefined ? {} : { IfNoneMatch: etag };
    const command = new this.#sdk.GetObjectCommand({ Bucket: bucket, Key: key, ...condition });
    try {
      return await this.#client.send(command);
    } catch (error) {
      if (etag !== undefined && isUnchanged(error)) return "unchanged";
      throw describeObjectError(error, { bucket, doing: "read", isListed: listed !== undefined });
    }
  }
}
